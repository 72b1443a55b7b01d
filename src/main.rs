//! The `tweetblast` command: parse the flags, call the library, say what went wrong.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let Err(error) = tweetblast::cli::Cli::parse().run() else { return ExitCode::SUCCESS };
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
