//! Whole replays at full speed into the embedded endpoint, with the MQTT hop and without: the
//! difference is the cost of the hop.
//!
//! Few rounds: each leaves a sleeping thread of the MQTT broker with its ring (rumqttd's router
//! cannot be stopped).

mod settings;

use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use tweetblast::generate::{GenerateForm, GenerateOptions, generate};
use tweetblast::options::{
    InputOptions, MqttChoice, MqttOptions, OrderBy, Pace, PaceOptions, ReplayOptions, Session,
};
use tweetblast::pipeline::replay;
use tweetblast::report::Verdict;

#[global_allocator]
static GLOBAL: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TWEETS: u64 = 50_000;

fn options(file: PathBuf, mqtt: bool, order: Option<OrderBy>) -> ReplayOptions {
    ReplayOptions {
        input: InputOptions { files: vec![file], order, ..InputOptions::default() },
        pace: PaceOptions { speed: Pace::Max, ..PaceOptions::default() },
        mqtt: if mqtt {
            MqttOptions::default()
        } else {
            MqttOptions { broker: MqttChoice::Off, ..MqttOptions::default() }
        },
        ..ReplayOptions::default()
    }
}

fn file(dir: &Path, form: GenerateForm, name: &str) -> PathBuf {
    let path = dir.join(name);
    let mut out = std::fs::File::create(&path).map(std::io::BufWriter::new).expect("a file");
    let options = GenerateOptions { tweets: TWEETS, form, ..GenerateOptions::default() };
    generate(&options, &mut out).expect("there is room");
    path
}

fn whole(criterion: &mut Criterion) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let mut group = criterion.benchmark_group("pipeline");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    group.warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3));
    group.throughput(Throughput::Elements(TWEETS));
    for (name, form) in [("v11_lines", GenerateForm::Lines), ("grouped", GenerateForm::Grouped)] {
        let file = file(dir.path(), form, name);
        let cases = [
            ("mqtt", true, Some(OrderBy::File)),
            ("mqtt_off", false, Some(OrderBy::File)),
            ("mqtt_indexed", true, None),
        ];
        for (case, mqtt, order) in cases {
            let options = options(file.clone(), mqtt, order);
            group.bench_function(format!("{name}_{case}/{TWEETS}"), |bencher| {
                bencher.iter(|| {
                    let replayed = replay(&options, &Session::unattended()).expect("a replay");
                    assert_eq!(replayed.report.verdict, Verdict::Balanced);
                    assert_eq!(replayed.report.ledger.delivered, TWEETS);
                    replayed.close().expect("the directory can be removed");
                });
            });
        }
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = settings::threads();
    targets = whole
}
criterion_main!(benches);
