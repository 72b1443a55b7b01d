//! The `tweetblast` command: parse the flags, call the library, say what went wrong.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use tweetblast::cli::{Cli, with_causes};

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    no_colours_on_a_dumb_terminal();
    let error = match Cli::from_command_line() {
        Ok(cli) => {
            log_to_stderr(cli.verbosity());
            match cli.run() {
                Ok(exit_code) => return ExitCode::from(exit_code),
                Err(error) => error,
            }
        }
        // Help and version are no errors, but that they cannot be printed is one.
        Err(asked) if !asked.use_stderr() => match asked.print().and_then(|()| std::io::stdout().flush()) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => anyhow::Error::new(error).context("cannot write to standard output"),
        },
        Err(usage) => usage.exit(),
    };
    let closed_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    };
    if error.chain().any(closed_pipe) {
        return ExitCode::SUCCESS;
    }
    // Nobody left to tell when standard error is closed too.
    let _ = writeln!(std::io::stderr(), "error: {}", with_causes(&*error));
    ExitCode::FAILURE
}

/// Where `CI` is set, colours are taken to be welcome on every terminal, also on one that shows none.
fn no_colours_on_a_dumb_terminal() {
    let is_dumb = std::env::var_os("TERM").is_some_and(|name| name == "dumb");
    if is_dumb && std::env::var_os("CLICOLOR_FORCE").is_none_or(|force| force == "0") {
        anstream::ColorChoice::Never.write_global();
    }
}

/// Warnings of ours, more with -v and -vv; `RUST_LOG` stands over both. The logs of rumqttd and rustls are for their
/// developers: we say ourselves why a client is refused.
fn log_to_stderr(verbosity: u8) {
    use tracing_subscriber::EnvFilter;
    let filter = match verbosity {
        0 => "warn,rumqttd=off,rustls=off",
        1 => "info,rumqttd=off,rustls=off",
        _ => "debug,rumqttd=info,rustls=info",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    let colours = anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_target(false);
    log.with_writer(|| tweetblast::report::StderrBesideView).without_time().init();
}
