//! The last program of `cargo test`: says which tests were ignored because they need something
//! besides the toolchain, and how to run them. Such tests say so in `#[ignore = "needs ..."]`.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::Path;

/// Test programs, what they need, and how many tests need it.
fn ignored(tests: &Path) -> BTreeMap<String, BTreeMap<String, usize>> {
    let mut found: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    let mut folders = vec![tests.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let program = path.strip_prefix(tests).unwrap().iter().next().unwrap();
                let program = program.to_str().unwrap().trim_end_matches(".rs").to_owned();
                for line in std::fs::read_to_string(&path).unwrap().lines() {
                    let need = line.trim().strip_prefix("#[ignore = \"needs ");
                    if let Some(need) = need.and_then(|need| need.strip_suffix("\"]")) {
                        *found.entry(program.clone()).or_default().entry(need.to_owned()).or_default() += 1;
                    }
                }
            }
        }
    }
    found
}

fn main() {
    // With a filter, or with the ignored tests running too, this would be wrong.
    if std::env::args().len() > 1 {
        return;
    }
    let programs = ignored(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"));
    let all: usize = programs.values().flat_map(BTreeMap::values).sum();
    println!(
        "\n{all} tests were ignored, since they need more than the toolchain (CONTRIBUTING.md says what):"
    );
    for (program, needs) in &programs {
        println!("  cargo test --test {program} -- --ignored");
        for (need, tests) in needs {
            println!("    {tests:2} need{} {need}", if *tests == 1 { "s" } else { "" });
        }
    }
}
