//! What `tweetblast find-max` found, as JSON. Field names are the keys.

use serde::Serialize;
use serde_json::Value;

use super::{Environment, SegmentsReport};
use crate::limit::{
    Block, Found, GeneratorLimit, Hold, HoldEnd, Phase, PhaseBlock, Rollover, Settings, Slo, Verdict,
    WaitSummary,
};

/// Version of the form of [`FindMaxReport`].
pub const FIND_MAX_VERSION: u32 = 1;

/// All searches of one call: one, or one for each value of --sweep.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FindMaxReport {
    /// Version of this form: raised when a key changes its meaning or goes; keys are added without.
    #[cfg_attr(test, schemars(extend("const" = FIND_MAX_VERSION)))]
    pub find_max_version: u32,
    /// Version of the program.
    pub tweetblast_version: &'static str,
    /// Address of Druid.
    pub druid: String,
    /// Address of Kafka.
    pub kafka: String,
    /// Whether it was a quick search, whose figures are rough.
    pub quick: bool,
    pub searches: Vec<SearchReport>,
    /// What --for asks for; null without it.
    pub wanted: Option<WantedRate>,
    /// Machine, binary and command; passwords, keys and secrets in it are masked. The input has no hash.
    pub environment: Environment,
    /// 0 a rate was held and confirmed, 1 an error, 5 the generator was the limit, 6 every rollover breaks a limit, 7 not
    /// stable, 8 undecided, 130 stopped: the first search that is not 0.
    pub exit_code: u8,
}

/// How many tasks a rate needs.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WantedRate {
    pub rows_per_s: f64,
    /// `taskCount`; null if no rate was held at all.
    pub task_count: Option<usize>,
    /// Whether that many tasks were measured; otherwise it is computed from rows per second and task.
    pub measured: bool,
    /// Worker slots that they need: 2 × replicas × tasks.
    pub worker_slots: Option<usize>,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum SearchVerdict {
    /// A rate was held, across a rollover, and confirmed.
    Sustainable,
    /// A rate was held, and every rollover breaks a limit of --slo.
    BreaksAtRollovers,
    /// Druid takes more than was written: its limit is above that.
    GeneratorLimited,
    /// Druid's capacity changed while it was measured, or two measurements differ.
    NotStable,
    /// No rate was held, or the budget was over.
    Undecided,
    /// Stopped by the user.
    Stopped,
}

/// One search.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SearchReport {
    /// Run id of the tweets that were sent.
    pub run: String,
    /// What --sweep set, such as /ioConfig/taskCount=2; null without it.
    pub swept: Option<String>,
    pub verdict: SearchVerdict,
    /// The verdict in a sentence.
    pub words: String,
    pub exit_code: u8,
    /// Rows per second that were held; null if none were.
    pub sustainable_per_s: Option<f64>,
    /// The speedup of the input that this is; null without times.
    pub speedup: Option<f64>,
    /// If the generator was the limit: Druid takes more than this many rows per second.
    pub limit_above_per_s: Option<f64>,
    /// If it is not stable: both figures, in rows per second.
    pub not_stable_per_s: Option<[f64; 2]>,
    pub capacity: Option<CapacityReport>,
    pub holds: Vec<HoldReport>,
    pub cross_check: Option<CrossCheckReport>,
    pub rollovers: Vec<RolloverReport>,
    /// Tasks that read in parallel, copies of each, and worker slots that they need while tasks publish.
    pub tasks: usize,
    pub replicas: usize,
    pub worker_slots: usize,
    pub partitions: usize,
    /// Sustainable rows per second and task.
    pub per_task_per_s: Option<f64>,
    /// Sustainable rows per second and core, where Druid is on this machine.
    pub per_core_per_s: Option<f64>,
    pub task_duration_s: f64,
    /// Published segments at the end, with their rows and bytes.
    pub segments: SegmentsReport,
    /// Longest time from the end of a task's reading until it was gone, in seconds; null if none was seen.
    pub handoff_max_s: Option<f64>,
    /// Tweets that Kafka acknowledged.
    pub acked: u64,
    /// Rows that could be queried at the last count.
    pub queryable: u64,
    pub failed_tasks: u64,
    /// How long the search took, in seconds.
    pub seconds: f64,
    /// Every block, in their order.
    pub blocks: Vec<BlockReport>,
    /// Datasource and topic; dropped at the end unless --keep was given.
    pub datasource: String,
    pub kept: bool,
    /// The supervisor's spec as submitted; passwords and secrets in it are masked.
    #[cfg_attr(test, schemars(with = "serde_json::Map<String, Value>"))]
    pub spec: Value,
    pub notes: Vec<String>,
}

/// What the tasks processed in full overload.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CapacityReport {
    /// Rows per second between rollovers, or with them.
    pub per_s: f64,
    /// Half width of its 95 % interval.
    pub half_width_per_s: f64,
    /// Rows per second, rollovers included.
    pub with_rollovers_per_s: f64,
    /// Whether it is the mean of the time of whole tasks, rollovers included.
    pub of_tasks: bool,
    /// Blocks that it was measured in, and those dropped as warm-up.
    pub blocks: usize,
    pub warm_up_blocks: usize,
}

/// Times to queryable, in seconds; at most one poll of Druid too long.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WaitReport {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

/// A rate that was held.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct HoldReport {
    pub rate_per_s: f64,
    pub seconds: f64,
    /// held, breaks_at_rollovers, growing, limit_broken, or unclear.
    pub end: &'static str,
    /// By which the backlog grew between rollovers, and half its 95 % interval.
    pub growth_per_s: f64,
    pub growth_half_width_per_s: f64,
    pub processed_per_s: f64,
    pub rollovers: usize,
    /// Between rollovers.
    pub queryable_s: Option<WaitReport>,
    /// With them.
    pub queryable_with_rollovers_s: Option<WaitReport>,
    pub limits: Vec<LimitReport>,
}

/// A limit of --slo in a hold.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LimitReport {
    pub expression: String,
    /// What was measured, between rollovers and with them; null if no row was.
    pub plain_s: Option<f64>,
    pub with_rollovers_s: Option<f64>,
    pub holds: bool,
    pub holds_with_rollovers: bool,
}

/// The capacity once more.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CrossCheckReport {
    pub rate_per_s: f64,
    pub growth_per_s: f64,
    pub capacity_per_s: f64,
    /// As a share of the capacity measured first.
    pub agreement: f64,
}

/// The kind of a rollover that is a pause.
pub(super) const PAUSE: &str = "pause";

/// A task handed over to the next one, or paused.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RolloverReport {
    /// Since the search began, in seconds.
    pub at_s: f64,
    /// Rows that waited before, and the most that waited.
    pub backlog_before: f64,
    pub backlog_peak: f64,
    /// Time until no more waited than before; null in overload, or if that was not seen.
    pub recovered_after_s: Option<f64>,
    /// rollover; or pause: the task read nothing and then went on, as it does to hand over a segment. Pauses are looked for in
    /// holds only.
    pub kind: &'static str,
}

/// Means over a block.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BlockReport {
    pub phase: &'static str,
    pub from_s: f64,
    pub to_s: f64,
    pub acked_per_s: f64,
    pub processed_per_s: f64,
    pub queryable_per_s: f64,
    /// Rows acknowledged that could not be queried.
    pub backlog: f64,
    /// Whether a task handed over in it, or what that left was not caught up.
    pub rollover: bool,
    /// Whether a task failed in it.
    pub task_failed: bool,
}

impl SearchVerdict {
    pub fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Sustainable { .. } => Self::Sustainable,
            Verdict::BreaksAtRollovers { .. } => Self::BreaksAtRollovers,
            Verdict::GeneratorLimited { .. } => Self::GeneratorLimited,
            Verdict::NotStable { .. } => Self::NotStable,
            Verdict::Undecided { .. } => Self::Undecided,
            Verdict::Stopped => Self::Stopped,
        }
    }

    /// As in [`FindMaxReport::exit_code`].
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Sustainable => 0,
            Self::GeneratorLimited => 5,
            Self::BreaksAtRollovers => 6,
            Self::NotStable => 7,
            Self::Undecided => 8,
            Self::Stopped => 130,
        }
    }
}

/// The parts of a [`SearchReport`] that the search itself knows.
pub struct SearchFigures {
    pub capacity: Option<CapacityReport>,
    pub holds: Vec<HoldReport>,
    pub cross_check: Option<CrossCheckReport>,
    pub rollovers: Vec<RolloverReport>,
    pub blocks: Vec<BlockReport>,
}

impl SearchFigures {
    pub fn of(found: &Found, rollovers: &[Rollover], slos: &[Slo]) -> Self {
        let capacity = found.capacity.map(|capacity| CapacityReport {
            per_s: capacity.per_s.value,
            half_width_per_s: capacity.per_s.half_width,
            with_rollovers_per_s: capacity.with_rollovers_per_s,
            of_tasks: capacity.of_tasks,
            blocks: capacity.blocks,
            warm_up_blocks: capacity.warm_up,
        });
        let cross_check = found.cross_check.map(|check| CrossCheckReport {
            rate_per_s: check.rate,
            growth_per_s: check.growth_per_s,
            capacity_per_s: check.capacity_per_s,
            agreement: check.agreement,
        });
        let rollover = |rollover: &Rollover| RolloverReport {
            at_s: rollover.at_s,
            backlog_before: rollover.before,
            backlog_peak: rollover.peak,
            recovered_after_s: rollover.recovered_after_s,
            kind: if rollover.is_pause { PAUSE } else { "rollover" },
        };
        Self {
            capacity,
            holds: found.holds.iter().map(|hold| hold_report(hold, slos)).collect(),
            cross_check,
            rollovers: rollovers.iter().map(rollover).collect(),
            blocks: found.blocks.iter().map(block_report).collect(),
        }
    }
}

fn hold_report(hold: &Hold, slos: &[Slo]) -> HoldReport {
    let wait = |summary: Option<WaitSummary>| {
        summary.map(|wait| WaitReport { p50: wait.p50_s, p99: wait.p99_s, max: wait.max_s })
    };
    let limits = slos.iter().zip(&hold.limits).map(|(slo, measured)| {
        let holds = |wait: Option<f64>| wait.is_none_or(|wait_s| wait_s < slo.limit_s);
        LimitReport {
            expression: slo.expression.clone(),
            plain_s: measured.plain_s,
            with_rollovers_s: measured.all_s,
            holds: holds(measured.plain_s),
            holds_with_rollovers: holds(measured.all_s),
        }
    });
    HoldReport {
        rate_per_s: hold.rate,
        seconds: hold.seconds,
        end: match hold.end {
            HoldEnd::Held => "held",
            HoldEnd::BreaksAtRollovers => "breaks_at_rollovers",
            HoldEnd::Growing => "growing",
            HoldEnd::LimitBroken => "limit_broken",
            HoldEnd::Unclear => "unclear",
        },
        growth_per_s: hold.growth_per_s.value,
        growth_half_width_per_s: hold.growth_per_s.half_width,
        processed_per_s: hold.processed_per_s,
        rollovers: hold.rollovers,
        queryable_s: wait(hold.plain),
        queryable_with_rollovers_s: wait(hold.all),
        limits: limits.collect(),
    }
}

fn block_report(PhaseBlock { phase, block }: &PhaseBlock) -> BlockReport {
    let Block { from_s, to_s, acked_per_s, processed_per_s, queryable_per_s, backlog, .. } = *block;
    BlockReport {
        phase: phase_name(*phase),
        from_s,
        to_s,
        acked_per_s,
        processed_per_s,
        queryable_per_s,
        backlog,
        rollover: block.rolling,
        task_failed: block.failed,
    }
}

/// As on the screen and in the JSON report.
pub fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "prepare",
        Phase::Saturate => "saturate",
        Phase::Drain => "drain",
        Phase::Hold => "hold",
        Phase::CrossCheck => "cross-check",
        Phase::Done => "done",
    }
}

/// Why it is not Druid's limit.
pub(super) fn limit_words(limit: GeneratorLimit) -> &'static str {
    match limit {
        GeneratorLimit::TooSlow => "the tasks had read nearly all that there was",
        GeneratorLimit::Late => "messages left later than they were due",
        GeneratorLimit::NoOverload => {
            "that was held, and more than the capacity could not be written to confirm it"
        }
        GeneratorLimit::KafkaReads => "Kafka gave a consumer of ours less than twice what the tasks took",
        GeneratorLimit::InputOver => "the input came to its end (--loop forever repeats it)",
    }
}

/// How many blocks of a search cost what: said before it begins.
pub fn cost_words(settings: &Settings) -> String {
    let longest = super::typed(std::time::Duration::from_secs(settings.budget_s.round() as u64));
    let usual = if settings.block_s < 10.0 { "2 to 4 minutes" } else { "20 to 25 minutes" };
    format!("typically {usual}, at most {longest} (--budget)")
}
