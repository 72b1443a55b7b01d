//! Opens an input and maps it, read-only.

use std::fs::File;
use std::io::{Seek, stdin};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use memmap2::{Advice, Mmap};

use super::bus_error::{self, Watch};
use super::spool::{HEAD_BYTES, Storage, spool};
use super::{Frames, Framing, SourceError, detect};

/// An input, mapped, with its format known.
#[derive(Debug)]
pub struct TweetFile {
    path: PathBuf,
    // Dropped before the map: the handler must not know a map that no longer exists.
    _watch: Watch,
    map: Mmap,
    storage: Storage,
    framing: Framing,
}

impl TweetFile {
    /// Maps the file and looks at its first bytes. `-` is standard input. Gzip and zstd files,
    /// pipes and devices are first copied to a temporary file; this blocks until they end.
    ///
    /// # Errors
    /// When the file does not exist, cannot be read or copied, is a directory, is empty, or holds
    /// no JSON.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        Self::open_as(path, None)
    }

    /// As [`open`](Self::open), with the format given instead of detected.
    ///
    /// # Errors
    /// As [`open`](Self::open), but the file may hold anything.
    pub fn open_as(path: &Path, framing: Option<Framing>) -> Result<Self, SourceError> {
        let open_error = |source| SourceError::Open { path: path.to_owned(), source };
        let mut file = if path.as_os_str() == "-" {
            File::from(stdin().as_fd().try_clone_to_owned().map_err(open_error)?)
        } else {
            File::open(path).map_err(open_error)?
        };
        let kind = file.metadata().map_err(open_error)?;
        if kind.is_dir() {
            return Err(SourceError::Directory { path: path.to_owned() });
        }
        let mut head = [0; HEAD_BYTES];
        // Files of the kernel have a length of 0, but are not empty.
        let is_mappable =
            kind.is_file() && kind.len() > 0 && file.stream_position().map_err(open_error)? == 0;
        if is_mappable {
            file.read_at(&mut head, 0).map_err(open_error)?;
        }
        let mut storage = Storage::Mapped;
        if !is_mappable || Storage::of(&head).is_some() {
            (file, storage) = spool(path, file)?;
        }
        if file.metadata().map_err(open_error)?.len() == 0 {
            return Err(SourceError::Empty { path: path.to_owned() });
        }
        // SAFETY: the map is read-only and private to this process; nothing of ours writes to the
        // file. If another process shortens it, reading ends the process with the message of
        // `bus_error`. If one writes to it, bytes may change between two reads, and the code here
        // allows for that: records are parsed from a copy, and a text's slice is checked again
        // when it is read.
        #[expect(
            unsafe_code,
            reason = "a map of a file can be had no other way; bus_error.rs is for what may go wrong"
        )]
        let map = unsafe { Mmap::map(&file) }.map_err(open_error)?;
        // Only a hint: a kernel without it serves the same bytes.
        let _ = map.advise(Advice::Sequential);
        let watch = bus_error::watch(path, &map);
        let framing = match framing {
            Some(framing) => framing,
            None => detect(path, &map)?,
        };
        Ok(Self { path: path.to_owned(), _watch: watch, map, storage, framing })
    }

    /// The path as the user gave it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All bytes of the input, unpacked.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// Whether the input itself is mapped, or a copy.
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// The layout of its values.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// All frames, from the first one.
    pub fn frames(&self) -> Frames<'_> {
        Frames::new(self.framing, &self.map)
    }

    /// The bytes of a frame found earlier; `None` if they are outside the file.
    pub fn slice(&self, offset: u64, len: u32) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        self.map.get(start..start.checked_add(len as usize)?)
    }

    /// Tells the kernel that frames will be read in any order from now on.
    pub fn will_jump(&self) {
        let _ = self.map.advise(Advice::Random);
    }
}
