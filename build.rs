//! Records what the binary is built from, for the report: commit, compiler and profile.
//!
//! Never fails: values that cannot be determined, such as the commit in an unpacked archive, are omitted.
#![allow(clippy::print_stdout)] // how a build script speaks to cargo

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    // Whatever else changes, the commit named is one with these sources, or says `-dirty`.
    for path in ["build.rs", "src", "Cargo.toml", "Cargo.lock"] {
        println!("cargo:rerun-if-changed={path}");
    }
    let profile = env::var("PROFILE").unwrap_or_default();
    set("TWEETBLAST_PROFILE", Some(&profile));
    let rustc = env::var("RUSTC").ok().and_then(|rustc| first_line(Command::new(rustc).arg("--version")));
    set("TWEETBLAST_RUSTC", rustc.as_deref());
    // Not the commit of a repository that this one was merely unpacked into.
    if !Path::new(".git").exists() {
        return;
    }
    let commit =
        git(&["--no-optional-locks", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12"]);
    set("TWEETBLAST_COMMIT", commit.as_deref());
    // Only release builds are measured, so only they follow each commit; others would be rebuilt each time.
    if profile == "release"
        && let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && Path::new(&log).exists()
    {
        println!("cargo:rerun-if-changed={log}");
    }
}

fn set(name: &str, value: Option<&str>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        println!("cargo:rustc-env={name}={value}");
    }
}

fn git(arguments: &[&str]) -> Option<String> {
    first_line(Command::new("git").args(arguments))
}

fn first_line(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.lines().next()?.to_owned())
}
