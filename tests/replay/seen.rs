//! What others see of a run: the HTML page.

use std::fs;

use serde_json::Value;

use crate::common::{FREE_PORTS, SAMPLE, run};

#[test]
fn the_page_of_a_run_has_its_figures_and_saved_runs_are_shown_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (json, page, both) = (path("run.json"), path("run.html"), path("both.html"));
    let label = "<i>one</i>";
    let flags = ["--speedup", "max", "--json", &json, "--report", &page, "--label", label];
    let replayed = run(&[&[SAMPLE][..], FREE_PORTS, &flags].concat());
    assert_eq!((replayed.code, replayed.stderr.as_str()), (0, ""));
    let report: Value = serde_json::from_str(&fs::read_to_string(&json).unwrap()).unwrap();
    let html = fs::read_to_string(&page).unwrap();
    let run_id = report["run"].as_str().unwrap();
    assert!(html.contains(&format!("<data data-at=\"0/run\">{run_id}</data>")));
    assert!(html.contains("<data data-at=\"0/ledger/delivered\" value=\"6000\">6,000</data>"));
    assert!(html.contains("&lt;i&gt;one") && !html.contains(label));
    assert!(html.len() < 400_000, "{}", html.len());
    assert!(report["environment"]["input_hash"].is_string());

    let shown = run(&["report", &json, &json, "-o", &both]);
    assert_eq!((shown.code, shown.stderr.as_str()), (0, ""));
    let html = fs::read_to_string(&both).unwrap();
    assert!(html.contains("Side by side") && html.contains(&format!("<data data-at=\"1/run\">{run_id}")));

    let again = run(&["report", &json, "-o", &both]);
    assert!(again.code == 1 && again.stderr.contains("is there already"), "{}", again.stderr);
    let wrong = run(&["report", &page, "-o", &path("no.html")]);
    assert!(wrong.code == 1 && wrong.stderr.contains("it is not JSON"), "{}", wrong.stderr);
    assert!(!dir.path().join("no.html").exists());
}
