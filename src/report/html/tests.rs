//! The page of reports whose texts are hostile, whose lists are long, and whose figures must all be there.

use serde_json::{Value, json};

use super::page::{SCRIPT, SCRIPT_HASHES, UPLOT};
use super::{ShownReport, html_page};
use crate::count::{HistogramText, new_histogram};
use crate::report::pages_tests::report;

const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{script}}";

/// A report with curves and percentiles.
fn json() -> Value {
    let mut json = serde_json::to_value(report()).unwrap();
    let mut histogram = new_histogram();
    (1..=2_000_u64).for_each(|us| histogram.record(us * 37).unwrap());
    let text = serde_json::to_value(HistogramText::of(&histogram)).unwrap();
    json["pace"]["lag_histogram"] = text.clone();
    json["hops"]["kafka"]["acked_histogram"] = text;
    json["series"] = series(30);
    json["outages"] = json!([{"hop": "kafka", "what": "Kafka", "reason": "refused", "at_s": 3.0, "duration_s": null, "ended": null}]);
    json
}

fn series(steps: usize) -> Value {
    let counts: Vec<u64> = (0..steps as u64).map(|step| 100_000 + step * 7).collect();
    let times: Vec<Option<f64>> =
        (0..steps).map(|step| (step % 9 != 0).then_some(step as f64 * 1.234)).collect();
    json!({"every_s": 1, "intended": counts, "published": counts, "delivered": counts, "failed": counts,
        "queryable": counts, "in_flight": counts, "backlog": counts, "lag_p99_ms": times, "lag_max_ms": times,
        "acked_p99_ms": times, "acked_max_ms": times, "partitions": null})
}

fn page_of(reports: &[Value]) -> String {
    let shown: Vec<ShownReport> =
        reports.iter().map(|report| ShownReport::of(report.clone()).unwrap()).collect();
    html_page(&shown)
}

/// Puts a text in the place of every text.
fn with_text_everywhere(json: &mut Value, text: &str) {
    match json {
        Value::String(old) => *old = text.to_owned(),
        Value::Array(items) => items.iter_mut().for_each(|item| with_text_everywhere(item, text)),
        Value::Object(fields) => {
            *fields = std::mem::take(fields)
                .into_iter()
                .map(|(name, mut value)| {
                    with_text_everywhere(&mut value, text);
                    (name, value)
                })
                .collect();
        }
        _ => {}
    }
}

#[test]
fn no_text_of_a_report_becomes_markup_or_script() {
    let mut hostile = json();
    with_text_everywhere(&mut hostile, HOSTILE);
    hostile["failed_by_reason"] = json!({HOSTILE: 3});
    hostile["rejects_by_kind"] = json!({HOSTILE: {"count": 1, "first_offset": 0, "first_line": 1}});
    hostile["druid"] = json!({"spec": {HOSTILE: HOSTILE}, "notes": [HOSTILE], "causes": [{"name": HOSTILE, "cause": HOSTILE, "remedy": HOSTILE}]});
    let page = page_of(&[hostile.clone(), hostile]);
    assert!(page.contains("&lt;/script&gt;&lt;script&gt;alert(1)"), "it is shown");
    assert_eq!(page.matches("<script").count(), 3, "the charts' data, the library and ours");
    assert_eq!(page.matches("</script").count(), 3);
    assert!(!page.contains("<img") && !page.contains("onerror=alert(2)>\"'&{{"));
    assert_eq!(page.matches(SCRIPT).count(), 1, "what is put in is not filled in again");
}

#[test]
fn every_figure_has_its_place_in_the_json_and_the_value_that_is_there() {
    let json = json();
    let page = page_of(std::slice::from_ref(&json));
    let mut figures = 0;
    for part in page.split("<data data-at=\"").skip(1) {
        let (place, rest) = part.split_once('"').unwrap();
        let value = json.pointer(place.strip_prefix('0').unwrap()).unwrap();
        let words = rest.split_once('>').unwrap().1.split_once('<').unwrap().0;
        assert!(!words.is_empty(), "{place}");
        if let Some(raw) = rest.strip_prefix(" value=\"") {
            assert_eq!(raw.split_once('"').unwrap().0, value.to_string(), "{place}");
        }
        figures += 1;
    }
    assert!(figures > 60, "{figures}");
    assert!(page.contains("The MIT License (MIT)") && page.contains("Leon Sorokin"));
    for id in ["rates-0", "waiting-0", "slowest-0", "percentiles-0"] {
        assert!(page.contains(&format!("<div class=\"chart\" id=\"{id}\">")), "{id}");
    }
    assert!(page.contains("6,000</data> tweets × ") && page.contains("✓ holds"));
}

#[test]
fn a_line_of_the_ledger_that_does_not_hold_is_marked() {
    let mut json = json();
    assert!(!page_of(std::slice::from_ref(&json)).contains("✗ does not hold"));
    json["ledger"]["delivered"] = 3_563.into();
    let page = page_of(&[json]);
    assert_eq!(page.matches("✗ does not hold").count(), 1);
}

#[test]
fn the_longest_page_is_below_400_kb() {
    let mut long = json();
    long["series"] = series(86_400);
    let text = "x<".repeat(50_000);
    let list = |length: usize| vec![Value::from(text.clone()); length];
    long["reasons"] = Value::from(vec![Value::from("a reason"); 1_000]);
    long["error"] = text.clone().into();
    long["environment"]["command"] = list(3).into();
    long["outages"] = vec![long["outages"][0].clone(); 200].into();
    long["druid"] = json!({"spec": {"text": text}, "notes": ["a note"]});
    for reports in [1, 2, 5, 20] {
        let page = page_of(&vec![long.clone(); reports]);
        assert!(page.len() < 400_000, "{reports}: {}", page.len());
    }
}

#[test]
fn other_json_is_not_shown() {
    for other in [json!({}), json!([1]), json!({"run": "r", "ledger": {}, "pace": {}})] {
        assert!(
            ShownReport::of(other)
                .unwrap_err()
                .to_string()
                .contains("not a report of a replay or of find-max")
        );
    }
    let newer = json!({"run": "r", "ledger": {}, "pace": {}, "report_version": 9});
    assert!(ShownReport::of(newer).unwrap_err().to_string().contains("version 9"));
}

/// SHA-256 by the library that the tests' TLS server brings.
fn sha256(bytes: &[u8]) -> Vec<u8> {
    let suites = rustls::crypto::ring::default_provider().cipher_suites;
    let hash = suites.iter().find_map(|suite| match suite {
        rustls::SupportedCipherSuite::Tls13(suite) => {
            Some(suite.common.hash_provider).filter(|hash| hash.output_len() == 32)
        }
        rustls::SupportedCipherSuite::Tls12(_) => None,
    });
    hash.unwrap().hash(bytes).as_ref().to_vec()
}

#[test]
fn only_the_two_scripts_of_the_page_may_run() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let hash = |script: &str| format!("sha256-{}", STANDARD.encode(sha256(script.as_bytes())));
    assert_eq!([hash(UPLOT), hash(SCRIPT)], SCRIPT_HASHES, "page.rs, SCRIPT_HASHES");
}
