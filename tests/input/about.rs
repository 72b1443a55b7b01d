//! What the program says of itself: its version, completions and manual pages.

use crate::common::run;

#[test]
fn the_version_names_what_a_bug_report_needs() {
    let short = run(&["-V"]).stdout;
    assert_eq!(short, format!("tweetblast {}\n", env!("CARGO_PKG_VERSION")));
    let long = run(&["--version"]).stdout;
    assert!(long.starts_with(&short), "{long}");
    let names: Vec<&str> = long.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["commit", "profile", "rustc", "librdkafka", "features"]);
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let commands =
        ["generate", "inspect", "compare", "serve", "doctor", "find-max", "druid", "completions", "man"];
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).stdout;
        for word in commands.into_iter().chain(["speedup", "kafka-dir"]) {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let pages = dir.path().join("man1");
    assert_eq!(run(&["man", pages.to_str().unwrap()]).code, 0);
    let page = |name: &str| std::fs::read_to_string(pages.join(name)).unwrap();
    for command in commands {
        assert!(page(&format!("tweetblast-{command}.1")).contains(".TH"), "{command}");
    }
    assert!(
        page("tweetblast.1").contains("\\-\\-speedup") && page("tweetblast-druid-submit.1").contains(".TH")
    );
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let refused = run(&["man", "/dev/null/man"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("cannot create /dev/null/man"), "{}", refused.stderr);
}

#[test]
fn the_help_of_every_command_is_kept() {
    let commands = [
        "",
        "generate",
        "inspect",
        "compare",
        "serve",
        "doctor",
        "find-max",
        "completions",
        "man",
        "druid",
        "druid spec",
        "druid submit",
        "druid status",
        "druid suspend",
        "druid terminate",
        "druid reset",
    ];
    let help = |command: &str, flag: &str| {
        let arguments: Vec<&str> = command.split_whitespace().chain([flag]).collect();
        let shown = run(&arguments);
        assert_eq!((shown.code, shown.stderr.as_str()), (0, ""), "{command} {flag}");
        format!("$ tweetblast {}\n{}\n", arguments.join(" "), shown.stdout)
    };
    insta::assert_snapshot!("short_help", commands.map(|command| help(command, "-h")).concat());
    insta::assert_snapshot!("help", commands.map(|command| help(command, "--help")).concat());
}
