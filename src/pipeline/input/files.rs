//! The input: one file, several, or the files of a folder, all open before anything starts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::ErrorKind;
use std::ops::ControlFlow;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use crate::count::Intake;
use crate::pace::Slot;
use crate::pipeline::error::ReplayError;
use crate::pipeline::input::line_count::LineCount;
use crate::report::InputFormat;
use crate::source::{Frame, Opening, SkippedFiles, TweetFile, unwanted};

/// All files of a replay, in the order given.
pub(crate) struct Files(Vec<TweetFile>);

/// Which file a tweet is in, and what it needs from around its record: the meaning of
/// [`Slot::context`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Context {
    pub file: u32,
    pub inside: Inside,
}

/// What a slot's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inside {
    Record,
    /// An element of a page, whose `includes` are here.
    Page {
        offset: u64,
        len: u32,
    },
    Text {
        user_id: Option<i64>,
    },
}

impl Context {
    /// A record of this file that needs nothing around it.
    pub fn record(file: u32) -> Self {
        Self { file, inside: Inside::Record }
    }
}

impl Files {
    /// Opens all of `paths`, and the files in those that are folders, by name.
    ///
    /// # Errors
    /// When one of them cannot be read; the message names it.
    pub fn open(paths: &[PathBuf], opening: &Opening<'_>) -> Result<Self, ReplayError> {
        let mut files = Vec::new();
        for path in paths {
            if path.is_dir() {
                open_folder(path, opening, &mut files)?;
            } else {
                files.push(TweetFile::open_with(path, opening)?);
            }
        }
        let files = Self(files);
        files.remark_on_repeats();
        files.cuts().iter().for_each(|words| tracing::warn!("{words}"));
        Ok(files)
    }

    /// Which files end too early, with the words for it. Of one that is read as it comes this is known at its end.
    pub fn cuts(&self) -> Vec<String> {
        self.0.iter().filter_map(TweetFile::cut).map(|error| error.to_string()).collect()
    }

    /// Says which files are given twice: their tweets are sent twice, and hardly anybody means that.
    fn remark_on_repeats(&self) {
        let mut seen = HashMap::new();
        for file in &self.0 {
            let times = file.path().canonicalize().map_or(0, |whole| {
                let times = seen.entry(whole).or_insert(0);
                *times += 1;
                *times
            });
            if times == 2 {
                tracing::warn!(
                    "{} is given more than once, and its records are sent as often",
                    file.path().display()
                );
            }
        }
    }

    /// The line of a byte, from 1. `None`: it lies so far in that nobody waits for the count.
    pub fn line(&self, file: u32, offset: u64) -> Option<u64> {
        self.line_after(&mut LineCount::default(), file, offset)
    }

    fn line_after(&self, count: &mut LineCount, file: u32, offset: u64) -> Option<u64> {
        const FARTHEST: u64 = 1 << 30;
        let offset = usize::try_from(offset).ok().filter(|_| offset <= FARTHEST)?;
        self.with_start(file, |bytes| (bytes.len() >= offset).then(|| count.of(file, bytes, offset)))
    }

    /// The counts of each file, with the line numbers of rejects and unparseable frames.
    pub fn with_lines(&self, intakes: &[Intake]) -> Vec<Intake> {
        let mut intakes = intakes.to_vec();
        for ((file, _), intake) in self.iter().zip(&mut intakes) {
            let offsets: BTreeSet<u64> = intake.offsets_without_lines().collect();
            let mut count = LineCount::default();
            let line = |offset: &u64| Some((*offset, self.line_after(&mut count, file, *offset)?));
            let lines: BTreeMap<u64, u64> = offsets.iter().map_while(line).collect();
            intake.note_lines(|offset| lines.get(&offset).copied());
        }
        intakes
    }

    /// Number of files.
    pub fn count(&self) -> u32 {
        self.0.len() as u32
    }

    /// All files, with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &TweetFile)> + Clone {
        (0..).zip(&self.0)
    }

    pub fn get(&self, file: u32) -> &TweetFile {
        &self.0[file as usize]
    }

    /// Passes the frames of all files to `each`, with the number of their file, until it breaks off. Of a
    /// file that is read as it comes, only the frames that have come.
    pub fn each_frame(&self, mut each: impl FnMut(u32, Frame<'_>) -> ControlFlow<()>) {
        let _ = self.iter().try_for_each(|(number, file)| match file.live() {
            Some(live) => live.look(|frame| each(number, frame)),
            None => file.frames().try_for_each(|frame| each(number, frame)),
        });
    }

    /// Passes the bytes of a file to `look`; only those that have come, if it is read as it comes.
    pub fn with_start<T>(&self, file: u32, look: impl FnOnce(&[u8]) -> T) -> T {
        match self.get(file).live() {
            Some(live) => look(live.start()),
            None => look(self.get(file).bytes()),
        }
    }

    /// From now on a file that is shortened is an error of the run, which still gives its ledger.
    pub fn outlive_shortening(&self) {
        self.0.iter().for_each(TweetFile::outlive_shortening);
    }

    /// The files whose size or time of change moved since they were opened, each with what became of it.
    pub fn changes(&self) -> Vec<(&TweetFile, String)> {
        self.0.iter().filter_map(|file| Some((file, file.change()?))).collect()
    }

    /// Where each file would start if they were concatenated, in bytes.
    pub fn starts(&self) -> Vec<u64> {
        let size = |file: &TweetFile| file.bytes().len() as u64;
        self.0.iter().scan(0, |start, file| Some(std::mem::replace(start, *start + size(file)))).collect()
    }

    /// Total size, unpacked; of files that are read as they come, the bytes read so far.
    pub fn bytes(&self) -> u64 {
        self.0.iter().map(TweetFile::size).sum()
    }

    /// The same, but of tables the bytes of their rows.
    pub fn own_bytes(&self) -> u64 {
        self.0.iter().map(TweetFile::own_size).sum()
    }

    /// Whether one of them is read as it comes.
    pub fn are_live(&self) -> bool {
        self.0.iter().any(TweetFile::is_live)
    }

    /// The paths as given, for people.
    pub fn words(&self) -> String {
        match &self.0[..] {
            [file] => file.path().display().to_string(),
            [first, ..] => format!("{} files from {}", self.0.len(), first.path().display()),
            [] => "no file".to_owned(),
        }
    }

    /// The layout of the frames.
    pub fn framing(&self) -> InputFormat {
        let mut framings = self.0.iter().map(TweetFile::framing);
        match framings.next() {
            Some(first) if framings.all(|framing| framing == first) => InputFormat::One(first),
            _ => InputFormat::Mixed,
        }
    }

    /// The context of a frame.
    pub fn context_of(&self, file: u32, frame: Frame<'_>) -> Context {
        let start = self.get(file).bytes().as_ptr() as usize;
        let offset = (frame.includes.as_ptr() as usize).checked_sub(start);
        match (frame.includes, offset, u32::try_from(frame.includes.len())) {
            ([_, ..], Some(offset), Ok(len)) => {
                Context { file, inside: Inside::Page { offset: offset as u64, len } }
            }
            _ => Context::record(file),
        }
    }

    /// The frame of a slot in a mapped file; its bytes are empty if it is no longer there.
    pub fn frame(&self, slot: &Slot, context: Context) -> Frame<'_> {
        let file = self.get(context.file);
        let includes = match context.inside {
            Inside::Page { offset, len } => file.slice(offset, len).unwrap_or_default(),
            _ => &[],
        };
        let bytes = file.slice(slot.offset, slot.len).unwrap_or_default();
        Frame { offset: slot.offset, bytes, includes }
    }
}

/// Opens the files of a folder, by name. Those that nobody means to replay are skipped, and named: tables too, unless
/// there is nothing else.
fn open_folder(folder: &Path, opening: &Opening<'_>, files: &mut Vec<TweetFile>) -> Result<(), ReplayError> {
    let without_tables = Opening { tables: false, ..*opening };
    let mut skipped = open_files_of(folder, &without_tables, files)?;
    if skipped.read == 0 {
        skipped = open_files_of(folder, opening, files)?;
    }
    if skipped.read == 0 {
        return Err(ReplayError::EmptyFolder { path: folder.to_owned(), skipped: skipped.words() });
    }
    skipped.remark(folder);
    Ok(())
}

/// Opens the files of a folder, as far as they are read; returns the others.
fn open_files_of(
    folder: &Path,
    opening: &Opening<'_>,
    files: &mut Vec<TweetFile>,
) -> Result<SkippedFiles, ReplayError> {
    let mut skipped = SkippedFiles::default();
    for path in entries(folder)? {
        let name = Path::new(path.file_name().unwrap_or_default());
        if let Some(why) = unwanted(name).or_else(|| not_a_file(&path)) {
            skipped.add(name, why);
            continue;
        }
        match TweetFile::open_with(&path, opening) {
            Ok(file) => {
                skipped.read += 1;
                files.push(file);
            }
            Err(error) => match error.is_no_input() {
                Some(why) => skipped.add(name, why),
                None => return Err(error.into()),
            },
        }
    }
    Ok(skipped)
}

/// What is in a folder, by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, ReplayError> {
    let unreadable = |source| ReplayError::Folder { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>();
    let mut paths = paths.map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}

/// What it is instead, if it cannot be read as a file.
fn not_a_file(path: &Path) -> Option<&'static str> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Some("a link to nothing"),
        Ok(found) if found.is_dir() => Some("a folder"),
        Ok(found) if found.file_type().is_socket() => Some("a socket"),
        _ => None,
    }
}
