//! Maps an input file, read-only. The one place of the crate with `unsafe` for the sake of a map.

use std::fs::File;
use std::path::{Path, PathBuf};

use memmap2::{Advice, Mmap};

use super::{Frames, Framing, SourceError, detect};

/// An input file, mapped and with its framing known.
#[derive(Debug)]
pub struct TweetFile {
    path: PathBuf,
    map: Mmap,
    framing: Framing,
}

impl TweetFile {
    /// Maps the file and looks at its first bytes.
    ///
    /// # Errors
    /// When there is no such file, it cannot be read, is a directory, a pipe or a device, is
    /// empty, or has a form that this version does not read.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let open_error = |source| SourceError::Open { path: path.to_owned(), source };
        // Asked before opening: opening a pipe would wait for a writer.
        let kind = std::fs::metadata(path).map_err(open_error)?;
        if kind.is_dir() {
            return Err(SourceError::Directory { path: path.to_owned() });
        }
        if !kind.is_file() {
            return Err(SourceError::NotAFile { path: path.to_owned() });
        }
        if kind.len() == 0 {
            return Err(SourceError::Empty { path: path.to_owned() });
        }
        let file = File::open(path).map_err(open_error)?;
        // SAFETY: the map is read-only and private to this process; nothing of ours writes to the
        // file. Another process that shortens it while we read would end this one with SIGBUS:
        // the documentation says that the input must not change during a run.
        #[allow(unsafe_code)]
        let map = unsafe { Mmap::map(&file) }.map_err(open_error)?;
        // Only a hint: a kernel without it serves the same bytes.
        let _ = map.advise(Advice::Sequential);
        let framing = detect(path, &map)?;
        Ok(Self { path: path.to_owned(), map, framing })
    }

    /// The path as the user gave it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.map
    }

    /// How the values are strung together.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// The frames, from the first.
    pub fn frames(&self) -> Frames<'_> {
        Frames::new(self.framing, &self.map)
    }

    /// The bytes of a frame found earlier. `None` when that lies outside of the file.
    pub fn slice(&self, offset: u64, len: u32) -> Option<&[u8]> {
        let start = usize::try_from(offset).ok()?;
        self.map.get(start..start.checked_add(len as usize)?)
    }

    /// Tells the kernel that frames will be read in any order from now on.
    pub fn will_jump(&self) {
        let _ = self.map.advise(Advice::Random);
    }
}
