//! The lines of a file of events, plain or packed, one in memory at a time.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use flate2::bufread::MultiGzDecoder;

/// The longest line, in bytes: no longer than the longest event of a running engine.
pub const LINE_BYTES_MAX: usize = 256 << 10;

/// How much is read at once, in bytes.
const CHUNK_BYTES: usize = 256 << 10;

/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1F, 0x8B];

/// Reads lines; the buffer is used again for every one.
pub struct Lines {
    /// How much of the file was read so far, packed as it is, in bytes.
    pub n_read: Arc<AtomicU64>,
    reader: Box<dyn BufRead + Send>,
    line: Vec<u8>,
    number: u64,
    bytes_max: usize,
}

/// A reader that says how much it has read.
struct Counted(File, Arc<AtomicU64>);

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.read(buffer)?;
        self.1.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// One line that is not empty.
pub struct Line<'a> {
    /// Its place in the file, from 1.
    pub number: u64,
    /// Its bytes; cut after the most a line may have, and one.
    pub bytes: &'a [u8],
}

impl Line<'_> {
    /// Returns its text, without the mark that some programs write at the start of a file.
    ///
    /// # Errors
    ///
    /// It is not UTF-8, or longer than [`LINE_BYTES_MAX`].
    pub fn text(&self) -> Result<&str, String> {
        if self.bytes.len() > LINE_BYTES_MAX {
            return Err("a line that is too long".into());
        }
        let text = std::str::from_utf8(self.bytes).map_err(|_| "not UTF-8".to_owned())?;
        Ok(text.trim_start_matches('\u{feff}'))
    }
}

impl Lines {
    /// Opens a file with lines of at most [`LINE_BYTES_MAX`]; whether it is packed is seen by its first bytes.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        Self::open_with(path, LINE_BYTES_MAX)
    }

    /// Opens a file with lines of at most so many bytes.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub fn open_with(path: &Path, bytes_max: usize) -> anyhow::Result<Self> {
        let failed = || format!("cannot read `{}`", path.display());
        let file = File::open(path).with_context(failed)?;
        let n_read = Arc::new(AtomicU64::new(0));
        let file = Counted(file, n_read.clone());
        let mut file = BufReader::with_capacity(CHUNK_BYTES, file);
        let packed = file.fill_buf().with_context(failed)?.starts_with(&GZIP);
        let reader: Box<dyn BufRead + Send> = if packed {
            let unpacked = MultiGzDecoder::new(file);
            Box::new(BufReader::with_capacity(CHUNK_BYTES, unpacked))
        } else {
            Box::new(file)
        };
        Ok(Self {
            n_read,
            reader,
            line: Vec::new(),
            number: 0,
            bytes_max,
        })
    }

    /// Steps over the first lines.
    ///
    /// # Errors
    ///
    /// As for [`Lines::take_next`].
    pub fn skip(&mut self, n_lines: u64) -> io::Result<()> {
        while self.number < n_lines && self.reader.skip_until(b'\n')? > 0 {
            self.number += 1;
        }
        Ok(())
    }

    /// Returns the next line that is not empty, or nothing at the end.
    ///
    /// # Errors
    ///
    /// The file cannot be read further, or what is packed is damaged.
    pub fn take_next(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            if !self.read()? {
                return Ok(None);
            }
            self.number += 1;
            if !self.line.trim_ascii().is_empty() {
                let bytes = self.line.trim_ascii();
                return Ok(Some(Line {
                    number: self.number,
                    bytes,
                }));
            }
        }
    }

    /// Reads one line and steps over what is too long; returns whether there was one.
    fn read(&mut self) -> io::Result<bool> {
        self.line.clear();
        let limit = self.bytes_max as u64 + 1;
        let n_read = self
            .reader
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut self.line)?;
        if n_read > self.bytes_max && self.line.last() != Some(&b'\n') {
            self.reader.skip_until(b'\n')?;
        }
        Ok(n_read > 0)
    }
}
