//! The pass over the input before the clock starts: where each tweet is, and when it was written.
//!
//! One thread finds the frames and hands them out in chunks, the others parse, and the caller gets
//! the chunks in input order, as if one thread had made them. Chunk `i` goes to worker `i mod n`,
//! and the caller waits for it there, so no more than a few chunks are in memory at a time.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crossbeam_channel::bounded;

use crate::count::Intake;
use crate::options::ReplayOptions;
use crate::pace::Slot;
use crate::pipeline::error::ReplayError;
use crate::pipeline::input::files::{Context, Files, Inside};
use crate::pipeline::input::letter::Letter;
use crate::pipeline::input::read::{Author, Reader};
use crate::pipeline::input::select::IdKey;
use crate::source::Frame;
use crate::tweet::{TimeClues, TimeDecision};

/// Most frames in a chunk.
const CHUNK_FRAMES: usize = 1_024;
/// Bytes after which a chunk is handed out even if it has fewer frames.
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that wait for a worker, and chunks that a worker has finished ahead.
const CHUNKS_AHEAD: usize = 2;

/// What to find besides the slots.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PassOptions<'a> {
    /// Rejects and unparseable frames.
    pub letters: bool,
    /// The authors of the tweets.
    pub users: bool,
    /// Whether records may be skimmed for their places.
    pub skims: bool,
    /// How the times of each file are read; empty: nothing is decided.
    pub decisions: &'a [TimeDecision],
}

/// The results for one chunk of the input.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Chunk {
    pub file: u32,
    /// Where it ends, in bytes from the start of the file.
    pub end: u64,
    pub slots: Vec<Slot>,
    /// The id of each slot's tweet.
    pub ids: Vec<IdKey>,
    /// The contexts of its slots, beyond the files themselves: number `files + i`.
    pub contexts: Vec<Context>,
    pub intake: Intake,
    /// What the times have shown of how they are written.
    pub clues: TimeClues,
    pub letters: Vec<Letter>,
    pub users: HashSet<UserKey>,
}

/// A user, by id or, without one, by name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum UserKey {
    Id(i64),
    Name(Box<str>),
}

impl UserKey {
    fn of(author: Author<'_>) -> Option<Self> {
        author.id.map(UserKey::Id).or_else(|| author.name.map(|name| UserKey::Name(name.into())))
    }
}

/// Consecutive frames of one file.
struct Job<'a> {
    file: u32,
    end: u64,
    frames: Vec<Frame<'a>>,
}

/// How many threads parse: as many as the machine has, and one if the input is too small to share.
pub(crate) fn workers(files: &Files) -> usize {
    const SHARE_BYTES: u64 = 4 << 20;
    let machine = thread::available_parallelism().map_or(1, |cores| cores.get());
    machine.min(usize::try_from(files.bytes() / SHARE_BYTES).unwrap_or(usize::MAX)).max(1)
}

/// Goes through the whole input with this many `workers` and gives each chunk to `take`, in input
/// order, until that breaks off.
///
/// # Errors
/// When it is stopped.
pub(crate) fn pass(
    files: &Files,
    options: &ReplayOptions,
    wanted: PassOptions<'_>,
    workers: usize,
    stop: &AtomicBool,
    mut take: impl FnMut(Chunk) -> ControlFlow<()>,
) -> Result<(), ReplayError> {
    let work = || {
        let mut reader = Reader::new(options, wanted.letters);
        match wanted {
            PassOptions { skims: true, .. } => reader.skim(),
            PassOptions { users: false, .. } => reader.only_places(),
            _ => {}
        }
        Worker { files, wanted, reader }
    };
    if workers <= 1 {
        let mut worker = work();
        for job in jobs(files, CHUNK_FRAMES) {
            if stop.load(Ordering::Relaxed) {
                return Err(ReplayError::Stopped);
            }
            if take(worker.chunk(job)).is_break() {
                break;
            }
        }
        return Ok(());
    }
    let (to_workers, at_workers): (Vec<_>, Vec<_>) =
        (0..workers).map(|_| bounded::<Job<'_>>(CHUNKS_AHEAD)).unzip();
    let (from_workers, chunks): (Vec<_>, Vec<_>) =
        (0..workers).map(|_| bounded::<Chunk>(CHUNKS_AHEAD)).unzip();
    thread::scope(|scope| {
        let mut threads = vec![scope.spawn(move || {
            for (number, job) in jobs(files, CHUNK_FRAMES).enumerate() {
                // The receiver is gone: the caller has broken off.
                if stop.load(Ordering::Relaxed) || to_workers[number % workers].send(job).is_err() {
                    break;
                }
            }
        })];
        threads.extend(at_workers.into_iter().zip(from_workers).map(|(jobs, done)| {
            scope.spawn(move || {
                let mut worker = work();
                for job in jobs {
                    if done.send(worker.chunk(job)).is_err() {
                        break;
                    }
                }
            })
        }));
        for number in 0.. {
            let Ok(chunk) = chunks[number % workers].recv() else { break };
            if take(chunk).is_break() {
                break;
            }
        }
        drop(chunks);
        for thread in threads {
            thread.join().map_err(|_| ReplayError::Panic("index"))?;
        }
        if stop.load(Ordering::Relaxed) { Err(ReplayError::Stopped) } else { Ok(()) }
    })
}

/// The frames of all files in handy portions.
fn jobs(files: &Files, most_frames: usize) -> impl Iterator<Item = Job<'_>> {
    files.iter().flat_map(move |(number, file)| {
        let mut frames = file.frames().peekable();
        std::iter::from_fn(move || {
            let mut job =
                Job { file: number, end: frames.peek()?.offset, frames: Vec::with_capacity(most_frames) };
            let start = job.end;
            while job.frames.len() < most_frames && job.end - start < CHUNK_BYTES as u64 {
                let Some(frame) = frames.next() else { break };
                job.end = frame.offset + frame.bytes.len() as u64;
                job.frames.push(frame);
            }
            Some(job)
        })
    })
}

/// Parses chunks.
struct Worker<'a> {
    files: &'a Files,
    wanted: PassOptions<'a>,
    reader: Reader,
}

impl Worker<'_> {
    fn chunk(&mut self, job: Job<'_>) -> Chunk {
        let mut chunk = Chunk { file: job.file, end: job.end, ..Chunk::default() };
        // Mostly one tweet per frame.
        chunk.slots.reserve_exact(job.frames.len());
        chunk.ids.reserve_exact(job.frames.len());
        let decision = self.wanted.decisions.get(job.file as usize).copied().unwrap_or_default();
        self.reader.begin_file(job.file, decision);
        for frame in job.frames {
            self.reader.places(self.files, job.file, frame, |place| {
                let context = chunk.context(place.context, self.files);
                chunk.slots.push(Slot { context, ..place.slot });
                chunk.ids.push(place.id);
                if self.wanted.users {
                    chunk.users.extend(UserKey::of(place.author));
                }
            });
        }
        chunk.clues = self.reader.take_clues();
        let counted = &mut self.reader.counted;
        chunk.intake = std::mem::take(&mut counted.intake);
        chunk.letters = counted.letters.as_mut().map(std::mem::take).unwrap_or_default();
        chunk
    }
}

impl Chunk {
    /// The number of a context; tweets of one page share theirs, as do the texts of one user.
    fn context(&mut self, context: Context, files: &Files) -> u32 {
        if context.inside == Inside::Record {
            return context.file;
        }
        if self.contexts.last() != Some(&context) {
            self.contexts.push(context);
        }
        files.count() + self.contexts.len() as u32 - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Opening;
    use proptest::prelude::*;

    /// All chunks as one, with the contexts of the slots.
    fn all(files: &Files, workers: usize, options: &ReplayOptions) -> (Chunk, Vec<Context>) {
        let (mut all, mut meant) = (Chunk::default(), Vec::new());
        let wanted = PassOptions { letters: true, users: true, ..PassOptions::default() };
        pass(files, options, wanted, workers, &AtomicBool::new(false), |chunk| {
            for mut slot in chunk.slots {
                meant.push(match slot.context.checked_sub(files.count()) {
                    None => Context::record(slot.context),
                    Some(own) => chunk.contexts[own as usize],
                });
                slot.context = 0;
                all.slots.push(slot);
            }
            all.ids.extend(chunk.ids);
            all.intake.merge(chunk.intake);
            all.clues.merge(chunk.clues);
            all.letters.extend(chunk.letters);
            all.users.extend(chunk.users);
            ControlFlow::Continue(())
        })
        .unwrap();
        (all, meant)
    }

    fn line() -> impl Strategy<Value = String> {
        let tweet = (any::<u32>(), 0u64..60, any::<String>()).prop_map(|(id, second, text)| {
            let created_at = format!("Wed Jan 01 00:00:{second:02} +0000 2020");
            serde_json::json!({"created_at": created_at, "id": id, "text": text, "user": {"id": id % 7}})
                .to_string()
        });
        prop_oneof![
            6 => tweet,
            1 => Just(r#"{"id":5,"tweets":["a",17,"b"]}"#.to_owned()),
            1 => Just(r#"{"delete":{"status":{"id":1}}}"#.to_owned()),
            1 => Just("HTTP/1.1 420".to_owned()),
            1 => Just(r#"{"id":1,"text":"cut"#.to_owned()),
            1 => Just(String::new()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn many_workers_find_what_one_finds(
            lines in prop::collection::vec(line(), 1..60),
            more in prop::collection::vec(line(), 1..10),
            copies in 1usize..80,
            workers in 2usize..5,
        ) {
            let dir = tempfile::tempdir().unwrap();
            let sure = r#"{"created_at":"Wed Jan 01 00:00:00 +0000 2020","id":1,"text":"a","user":{"id":1}}"#;
            let path = |name: &str, text: String| {
                let path = dir.path().join(name);
                std::fs::write(&path, format!("{sure}\n{text}")).unwrap();
                path
            };
            let array = format!("[{}]", [sure; 3].join(",\n"));
            let array_path = dir.path().join("array.json");
            std::fs::write(&array_path, array).unwrap();
            let paths = [
                path("a.json", (lines.join("\n") + "\n").repeat(copies)),
                path("b.json", more.join("\r\n")),
                array_path,
            ];
            let (files, options) = (Files::open(&paths, &Opening::whole(None)).unwrap(), ReplayOptions::default());
            prop_assert_eq!(all(&files, 1, &options), all(&files, workers, &options));
        }
    }
}
