//! The help, and what is said of flags elsewhere, against the flags that there are.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory, Parser};

use super::Cli;

/// Every command with the words that call it.
fn commands() -> Vec<(String, Command)> {
    fn below(words: String, command: &Command, all: &mut Vec<(String, Command)>) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            below(format!("{words} {}", inner.get_name()), inner, all);
        }
        all.push((words, command.clone()));
    }
    let mut all = Vec::new();
    let mut root = Cli::command();
    root.build();
    below("tweetblast".to_owned(), &root, &mut all);
    all
}

#[test]
fn the_short_help_fits_one_screen() {
    for (words, command) in commands() {
        for width in [80, 100] {
            let help = command.clone().term_width(width).render_help().to_string();
            let lines = help.lines().count();
            assert!(lines <= 50, "{words} -h has {lines} lines at {width} columns:\n{help}");
        }
    }
}

#[test]
fn no_line_of_help_breaks_a_word_or_an_example() {
    for (words, command) in commands() {
        for width in [60, 80, 100] {
            let mut command = command.clone().term_width(width);
            for help in [command.render_help().to_string(), command.render_long_help().to_string()] {
                for line in help.lines() {
                    assert!(line.chars().count() <= width, "{words} at {width}: {line}");
                }
            }
            // What was broken by hand is not broken again.
            for given in [command.get_after_help(), command.get_after_long_help()].into_iter().flatten() {
                let (given, help) = (given.to_string(), command.clone().render_long_help().to_string());
                let short = command.clone().render_help().to_string();
                for line in given.lines().filter(|line| line.trim_start().starts_with("tweetblast")) {
                    assert!(help.contains(line) || short.contains(line), "{words} at {width}: {line}");
                }
            }
        }
    }
}

#[test]
fn defaults_are_said_in_one_style() {
    for (words, command) in commands() {
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            let default = argument.get_default_values().first().and_then(|value| value.to_str());
            let takes_value = argument.get_action().takes_values();
            if let Some(default) = default.filter(|_| takes_value) {
                let said = format!("[default: {default}");
                assert!(help.contains(&said), "{words}: {argument} does not say {said}]");
                assert!(argument.is_hide_default_value_set(), "{words}: {argument} says its default twice");
            }
            let long = argument.get_long_help().map(ToString::to_string).unwrap_or_default();
            assert_eq!(
                long.matches("[default").count(),
                long.lines().next().map_or(0, |first| { first.matches("[default").count() }),
                "{words}: {argument}"
            );
        }
    }
}

/// Flags of other programs that the documents name.
const OTHERS: [&str; 20] = [
    "--baseline",
    "--bench",
    "--bridge",
    "--build",
    "--cache",
    "--clicks",
    "--every",
    "--expect",
    "--features",
    "--grows",
    "--ignored",
    "--locked",
    "--markdown",
    "--open",
    "--path",
    "--pictures",
    "--release",
    "--save-baseline",
    "--show",
    "--test",
];

/// README.md, its Spanish twin, and the pages in `docs/`.
fn documents() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let pages = docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let paths = pages.chain([root.join("README.md"), root.join("README.es.md")]);
    paths.map(|path| (path.clone(), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn flags_that_the_documents_name_are_there() {
    let commands = commands();
    let known: BTreeSet<String> = commands
        .iter()
        .flat_map(|(_, command)| command.get_arguments().filter(|argument| !argument.is_hide_set()))
        .filter_map(|argument| Some(format!("--{}", argument.get_long()?)))
        .collect();
    for other in OTHERS {
        assert!(documents().iter().any(|(_, text)| text.contains(other)), "nothing names {other} any more");
    }
    for (path, text) in documents() {
        for word in text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-') {
            let is_flag = word.starts_with("--") && word[2..].starts_with(|c: char| c.is_ascii_lowercase());
            let fits = !is_flag || known.contains(word) || OTHERS.contains(&word);
            assert!(fits, "{}: there is no flag {word}", path.display());
        }
    }
}

#[test]
fn commands_that_the_documents_and_the_help_show_can_be_typed() {
    let mut shown: Vec<String> = Vec::new();
    for (_, text) in documents() {
        shown.extend(text.lines().map(str::to_owned));
    }
    for (_, mut command) in commands() {
        shown.extend(command.render_help().to_string().lines().map(|line| line.trim().to_owned()));
        shown.extend(command.render_long_help().to_string().lines().map(|line| line.trim().to_owned()));
    }
    let mut typed = 0;
    for line in shown.iter().filter(|line| line.starts_with("tweetblast ") && !line.contains("<COMMAND>")) {
        // Up to a comment, a pipe, or what stands for something.
        let end =
            ["  ", " #", " |", " >", " [", " \\", " <", ": "].iter().filter_map(|mark| line.find(mark)).min();
        let line = &line[..end.unwrap_or(line.len())];
        let words: Vec<String> = line.split_whitespace().map(|word| word.replace(['\'', '"'], "")).collect();
        // Words about a command, and ways to ask for help, are no examples.
        if line.contains("--help") || words.len() < 2 {
            continue;
        }
        Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{line}\n{error}"));
        typed += 1;
    }
    assert!(typed > 25, "only {typed} commands were found");
}

/// The commands of the unit for systemd, with what systemd puts into them.
fn commands_of_the_unit(unit: &str) -> Vec<Vec<String>> {
    let after = |key: &'static str| unit.lines().filter_map(move |line| line.strip_prefix(key));
    let variables: Vec<(&str, &str)> =
        after("Environment=").map(|variable| variable.split_once('=').unwrap()).collect();
    let filled = |word: &str| {
        let word = word.replace("%S", "/var/lib");
        variables.iter().fold(word, |word, (name, value)| word.replace(&format!("${{{name}}}"), value))
    };
    after("ExecStart=").map(|line| line.split_whitespace().map(filled).collect()).collect()
}

/// The commands of the services that run this program.
fn commands_of_the_containers(compose: &str) -> Vec<Vec<String>> {
    let services = compose.split("\n\n").filter(|service| service.contains("    image: tweetblast\n"));
    let words = |service: &str| {
        let (_, command) = service.split_once("    command:").expect("a command");
        let (_, list) = command.split_once('[').unwrap();
        let (list, _) = list.split_once("]\n").unwrap();
        let words = list.split(',').map(|word| word.trim().trim_matches('"').to_owned());
        std::iter::once("tweetblast".to_owned()).chain(words).collect()
    };
    services.map(words).collect()
}

#[test]
fn services_are_started_with_commands_that_can_be_typed() {
    let file = |path: &str| {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docker").join(path)).unwrap()
    };
    let unit = commands_of_the_unit(&file("systemd/tweetblast-bridge.service"));
    let containers = commands_of_the_containers(&file("compose.yaml"));
    assert_eq!((unit.len(), containers.len()), (1, 2));
    for words in unit.iter().chain(&containers) {
        let line = words.join(" ");
        assert!(!line.contains(['$', '%']), "what systemd or compose fills in: {line}");
        assert_eq!(Path::new(&words[0]).file_name(), Some("tweetblast".as_ref()), "{line}");
        let cli = Cli::try_parse_from(words).unwrap_or_else(|error| panic!("{line}\n{error}"));
        let checked = match &cli.command {
            Some(super::Command::Bridge(args)) => args.check(),
            _ => cli.replay.check(),
        };
        checked.unwrap_or_else(|error| panic!("{line}\n{error}"));
    }
}

#[test]
fn the_help_names_each_variable_of_the_environment() {
    let help = Cli::command().render_long_help().to_string();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            // Names in quotes; those of the build are read by `option_env!`.
            for line in text.lines().filter(|line| !line.contains("option_env!") && !line.contains("SCHEMAS"))
            {
                for name in
                    line.split('"').filter(|name| name.starts_with("TWEETBLAST_") && !name.contains(' '))
                {
                    assert!(help.contains(name), "{}: {name} is not in --help", path.display());
                }
            }
        }
    }
    for name in ["RUST_LOG", "NO_COLOR", "Exit codes:", "  130 "] {
        assert!(help.contains(name), "{name}");
    }
}

/// What a command line asks for.
fn asked(line: &str) -> String {
    let words = line.split_whitespace().map(OsString::from).collect::<Vec<_>>();
    Cli::read(&words).map_or_else(|error| panic!("{line}\n{error}"), |cli| format!("{cli:?}"))
}

#[test]
fn the_likeliest_slips_mean_what_they_are_meant_to() {
    for (slip, meant) in [
        ("tweetblast --speed 100x", "tweetblast --speedup 100x"),
        ("tweetblast -n 5k", "tweetblast --limit 5000"),
        ("tweetblast --count 5", "tweetblast --limit 5"),
        ("tweetblast --topic-name a", "tweetblast --topic a"),
        ("tweetblast -o -", "tweetblast --json -"),
        ("tweetblast --output a.json", "tweetblast --json a.json"),
        ("tweetblast --loops 3", "tweetblast --loop 3"),
        (
            "tweetblast --since 2020-01-01 --until 2021-01-01",
            "tweetblast --start 2020-01-01 --end 2021-01-01",
        ),
        ("tweetblast --bootstrap-server a:1", "tweetblast --kafka a:1"),
        ("tweetblast --mqtt-broker a", "tweetblast --mqtt a"),
        ("tweetblast --druid-url a", "tweetblast --druid a"),
        ("tweetblast --format archive", "tweetblast --format script"),
        ("tweetblast --order random", "tweetblast --order shuffle"),
        ("tweetblast -qq", "tweetblast --quiet --quiet"),
        ("tweetblast inspect a.json -o -", "tweetblast inspect a.json --json -"),
        ("tweetblast compare a b -o c", "tweetblast compare a b --json c"),
        ("tweetblast doctor -o -", "tweetblast doctor --json -"),
        ("tweetblast druid status -o -", "tweetblast druid status --json -"),
        ("tweetblast generate -n 10 -o -", "tweetblast generate --tweets 10 --output -"),
    ] {
        assert_eq!(asked(slip), asked(meant), "{slip}");
    }
}

#[test]
fn what_begins_with_a_minus_is_a_value_where_a_flag_wants_one() {
    assert_eq!(asked("tweetblast --label -5"), asked("tweetblast --label=-5"));
    let words = ["tweetblast", "--limit", "-5"].map(OsString::from);
    assert!(Cli::read(&words).unwrap_err().to_string().contains("'-5' for '--limit <N>'"));
}

#[test]
fn a_flag_of_another_command_is_told_to_belong_there() {
    let words = ["tweetblast", "--users-file", "a", "generate"].map(OsString::from);
    let error = Cli::read(&words).unwrap_err().to_string();
    assert!(error.contains("'generate --users-file' exists"), "{error}");
}

#[test]
fn passwords_are_not_shown_in_errors() {
    for flag in ["--mqtt=mqtt://me:s3cret@h", "--druid=http://me:s3cret@h", "--druid=https://me:s3cret@h:1"] {
        let error = Cli::read(&["tweetblast", flag].map(OsString::from)).unwrap_err().to_string();
        assert!(error.contains("me:***@h") && !error.contains("s3cret"), "{error}");
    }
}
