//! Limits of the system that are too low: one line with the cause, exit code 1; no panic, no hang.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common::{FREE_PORTS, SAMPLE};

const PROGRAM: &str = env!("CARGO_BIN_EXE_tweetblast");

/// A shell that limits itself, and then replays.
fn limited(limit: &str, program: &str, file: &str) -> Command {
    let arguments = [&[program, file, "--speedup", "max", "-q"][..], FREE_PORTS].concat().join(" ");
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{limit} && exec timeout 60 {arguments}")]).stdin(Stdio::null());
    command
}

fn refused(output: Output, words: &[&str]) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    for word in words {
        assert!(stderr.contains(word), "{word}: {stderr}");
    }
}

#[test]
fn too_few_file_descriptors_and_too_little_memory_are_named() {
    let run = |limit| limited(limit, PROGRAM, SAMPLE).output().unwrap();
    refused(run("ulimit -n 16"), &["16 are allowed (ulimit -n)"]);
    refused(run("ulimit -v 1000000"), &["976 MiB are allowed (ulimit -v"]);
}

/// Root has no limit of processes, so another user replays.
#[test]
fn threads_that_cannot_start_are_named() {
    if !is_root() {
        println!("skipped: only root can replay as another user");
        return;
    }
    const NOBODY: u32 = 65_534;
    let dir = tempfile::tempdir().unwrap();
    let readable =
        |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (program, file) = (dir.path().join("tweetblast"), dir.path().join("tweets.json"));
    std::fs::copy(PROGRAM, &program).unwrap();
    std::fs::copy(SAMPLE, &file).unwrap();
    [dir.path(), &program, &file].into_iter().for_each(readable);
    for processes in [4, 8, 12] {
        // One process, of which the shell is gone, and `timeout`.
        let limit = format!("ulimit -u {processes}");
        let mut command = limited(&limit, program.to_str().unwrap(), file.to_str().unwrap());
        let output = command.uid(NOBODY).current_dir("/").output().unwrap();
        refused(output, &["cannot start", "threads", "ulimit -u"]);
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.trim_ascii() == b"0"
}
