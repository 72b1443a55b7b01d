//! The `tweetblast` command: parse the flags, call the library, say what went wrong.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    log_to_stderr();
    let error = match tweetblast::cli::Cli::parse().run() {
        Ok(exit_code) => return ExitCode::from(exit_code),
        Err(error) => error,
    };
    let closed_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    };
    if error.chain().any(closed_pipe) {
        return ExitCode::SUCCESS;
    }
    // Nobody left to tell when standard error is closed too.
    let _ = writeln!(std::io::stderr(), "tweetblast: {error:#}");
    ExitCode::FAILURE
}

/// Warnings of ours; `RUST_LOG` asks for more. The broker's own log is for its developers.
fn log_to_stderr() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,rumqttd=off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().init();
}
