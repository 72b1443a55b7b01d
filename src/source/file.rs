//! Opens an input: maps it, copies it first if it cannot be mapped, or reads it as it comes.

use std::fs::File;
use std::io::Seek;
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use memmap2::{Advice, Mmap};

use super::bus_error::{self, Watch};
use super::change::Original;
use super::detect::check_packed;
use super::live::LiveReader;
use super::opening::Opening;
use super::pieces::{Pieces, standard_input};
use super::spool::spool;
use super::storage::{HEAD_BYTES, Storage};
use super::{Format, Frames, SourceError, detect};

/// An open input with a known format.
#[derive(Debug)]
pub struct TweetFile {
    path: PathBuf,
    content: FileContent,
    storage: Storage,
    framing: Format,
    /// As [`Pieces::cut`], of a copy.
    cut: Option<u64>,
    /// As [`Pieces::table_bytes`], of a copy.
    table_bytes: Option<u64>,
    /// The file as it was when it was opened; `None`: a pipe or a device.
    original: Option<Original>,
}

#[derive(Debug)]
enum FileContent {
    Mapped {
        // Dropped before the map: the handler must not know a map that no longer exists.
        watch: Watch,
        map: Mmap,
    },
    Live {
        reader: Box<Mutex<LiveReader>>,
        bytes_read: Arc<AtomicU64>,
    },
}

impl TweetFile {
    /// Maps the file and looks at its first bytes. `-` is standard input. Gzip and zstd files, tar
    /// archives, pipes and devices are first copied to a temporary file; this blocks until they end.
    ///
    /// # Errors
    /// When the file does not exist, cannot be read or copied, is a directory, is empty, or holds
    /// no JSON.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        Self::open_with(path, &Opening::whole(None))
    }

    /// As [`open`](Self::open), in the way that `opening` says. An input that is read as it comes is open
    /// as soon as its format is known.
    ///
    /// # Errors
    /// As [`open`](Self::open), and when the wait for the input is stopped. With a format given, the
    /// file may hold anything.
    pub fn open_with(path: &Path, opening: &Opening<'_>) -> Result<Self, SourceError> {
        let open_error = |source| SourceError::Open { path: path.to_owned(), source };
        let file = match path.as_os_str() == "-" {
            true => standard_input().map_err(open_error)?,
            // Opened on the thread that reads it: opening a FIFO waits for a writer.
            false if std::fs::metadata(path).is_ok_and(|found| is_pipe(&found)) => {
                return Self::from_pieces(path, Pieces::read(path, None)?, opening);
            }
            false => File::open(path).map_err(open_error)?,
        };
        let kind = file.metadata().map_err(open_error)?;
        if kind.is_dir() {
            return Err(SourceError::Directory { path: path.to_owned() });
        }
        let original = Original::of(path, &file, &kind);
        let mut head = [0; HEAD_BYTES];
        // Files of the kernel have a length of 0, but are not empty.
        let is_mappable =
            kind.is_file() && kind.len() > 0 && (&file).stream_position().map_err(open_error)? == 0;
        if is_mappable {
            file.read_at(&mut head, 0).map_err(open_error)?;
        }
        let is_plain = is_mappable && Storage::of(&head).is_none();
        let mapped = if is_plain { Self::map(path, &file, Storage::Mapped, opening.framing)? } else { None };
        let mut opened = match mapped {
            Some(mapped) => mapped,
            None => Self::from_pieces(path, Pieces::read(path, Some(file))?, opening)?,
        };
        // What becomes of it once it is copied does not matter.
        let is_copied = !opened.is_live() && opened.storage != Storage::Mapped;
        opened.original = original.filter(|original| !is_copied || original.change().is_some());
        Ok(opened)
    }

    fn from_pieces(path: &Path, mut pieces: Pieces, opening: &Opening<'_>) -> Result<Self, SourceError> {
        if !opening.streams {
            let copy = spool(path, &mut pieces, opening)?;
            let mapped = Self::map_as(path, &copy.file, pieces.storage(), copy.framing)?;
            return Ok(Self { cut: pieces.cut(), table_bytes: pieces.table_bytes(), ..mapped });
        }
        let reader = LiveReader::open(path, pieces, opening)?;
        let (storage, framing, bytes_read) = (reader.storage(), reader.framing(), reader.bytes_read());
        let content = FileContent::Live { reader: Box::new(Mutex::new(reader)), bytes_read };
        Ok(Self {
            path: path.to_owned(),
            content,
            storage,
            framing,
            cut: None,
            table_bytes: None,
            original: None,
        })
    }

    /// Maps a file; `None`: it is a table, whose rows are to be read.
    fn map(
        path: &Path,
        file: &File,
        storage: Storage,
        framing: Option<Format>,
    ) -> Result<Option<Self>, SourceError> {
        if framing == Some(Format::Table) {
            return Ok(None);
        }
        let mapped = Self::map_as(path, file, storage, framing)?;
        Ok(Some(mapped).filter(|mapped| mapped.framing != Format::Table))
    }

    fn map_as(
        path: &Path,
        file: &File,
        storage: Storage,
        framing: Option<Format>,
    ) -> Result<Self, SourceError> {
        let open_error = |source| SourceError::Open { path: path.to_owned(), source };
        if file.metadata().map_err(open_error)?.len() == 0 {
            return Err(SourceError::Empty { path: path.to_owned() });
        }
        // SAFETY: the map is read-only and private to this process; nothing of ours writes to the
        // file. If another process shortens it, `bus_error` ends the process with a message, or
        // has zeros read. If one writes to it, bytes may change between two reads, and the code here
        // allows for that: records are parsed from a copy, and a text's slice is checked again
        // when it is read.
        #[expect(
            unsafe_code,
            reason = "a map of a file can be had no other way; bus_error.rs is for what may go wrong"
        )]
        let map = unsafe { Mmap::map(file) }.map_err(open_error)?;
        // Only a hint: a kernel without it serves the same bytes.
        let _ = map.advise(Advice::Sequential);
        let watch = bus_error::watch(path, &map);
        let framing = match framing {
            Some(framing) => {
                check_packed(path, &map)?;
                framing
            }
            None => detect(path, &map)?,
        };
        let content = FileContent::Mapped { watch, map };
        Ok(Self {
            path: path.to_owned(),
            content,
            storage,
            framing,
            cut: None,
            table_bytes: None,
            original: None,
        })
    }

    /// The path as the user gave it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All bytes of the input, unpacked; empty for an input that is read as it comes.
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            FileContent::Mapped { map, .. } => map,
            FileContent::Live { .. } => &[],
        }
    }

    /// Number of bytes, unpacked; of an input that is read as it comes, the bytes read so far.
    pub fn size(&self) -> u64 {
        match &self.content {
            FileContent::Mapped { map, .. } => map.len() as u64,
            FileContent::Live { bytes_read, .. } => bytes_read.load(Ordering::Relaxed),
        }
    }

    /// The same, but of a table the bytes of its rows, and not of the objects that are made of them.
    pub fn own_size(&self) -> u64 {
        self.live().map_or(self.table_bytes, |live| live.table_bytes()).unwrap_or_else(|| self.size())
    }

    /// The reader of an input that is read as it comes; locked while the guard is held.
    pub fn live(&self) -> Option<MutexGuard<'_, LiveReader>> {
        match &self.content {
            FileContent::Mapped { .. } => None,
            FileContent::Live { reader, .. } => Some(reader.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Whether it is read as it comes.
    pub fn is_live(&self) -> bool {
        matches!(self.content, FileContent::Live { .. })
    }

    /// Whether the input itself is mapped, or a copy.
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// The layout of its values.
    pub fn framing(&self) -> Format {
        self.framing
    }

    /// Says that compressed data ended too early; `None`: it did not, or its end has not come.
    pub fn cut(&self) -> Option<SourceError> {
        let unpacked = self.live().map_or(self.cut, |live| live.cut())?;
        Some(SourceError::Cut { path: self.path.clone(), unpacked })
    }

    /// All frames, from the first one.
    pub fn frames(&self) -> Frames<'_> {
        Frames::new(self.framing, self.bytes())
    }

    /// The bytes of a frame found earlier; `None` if they are outside the file.
    pub fn slice(&self, offset: u64, len: u32) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        self.bytes().get(start..start.checked_add(len as usize)?)
    }

    /// What has become of the file since it was opened, in words; `None`: its size and time of change
    /// are the same, or it is a pipe or a device.
    pub fn change(&self) -> Option<String> {
        self.original.as_ref()?.change()
    }

    /// From now on zeros are read where another program shortens the file, and
    /// [`is_shortened`](Self::is_shortened) says so. Before that, it ends the process with a message.
    pub fn outlive_shortening(&self) {
        if let FileContent::Mapped { watch, .. } = &self.content {
            watch.outlive();
        }
    }

    /// Whether zeros were read in place of bytes that another program had cut off.
    pub fn is_shortened(&self) -> bool {
        matches!(&self.content, FileContent::Mapped { watch, .. } if watch.is_shortened())
    }

    /// Whether the file is shorter than it was when it was mapped. Of the page in which it ends now, the rest
    /// is read as zeros without anybody noticing.
    pub fn is_shorter(&self) -> bool {
        let is_shorter =
            |found: std::fs::Metadata| found.is_file() && found.len() < self.bytes().len() as u64;
        self.is_shortened()
            || self.storage == Storage::Mapped && std::fs::metadata(&self.path).is_ok_and(is_shorter)
    }

    /// Tells the kernel that frames will be read in any order from now on.
    pub fn will_jump(&self) {
        if let FileContent::Mapped { map, .. } = &self.content {
            let _ = map.advise(Advice::Random);
        }
    }
}

/// Whether opening an input of this kind can take forever.
fn is_pipe(found: &std::fs::Metadata) -> bool {
    found.file_type().is_fifo() || found.file_type().is_char_device()
}
