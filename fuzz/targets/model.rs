//! A model file of whisper's: what the check accepts is within what whisper.cpp can take.
//!
//! A whole file has hundreds of kilobytes before its first tensor, so the input says only what is
//! interesting: 52 bytes of header, then records that each stand before as many zeros as they say.

use std::io::{self, Read, Seek, SeekFrom};

use hark::models::ggml;

/// Magic number, eleven dimensions, the size of the filters.
const HEAD: usize = 4 * (1 + 11 + 2);
const FILTERS: u64 = 80 * 201 * 4;
const WORDS: u32 = 50_257;

pub(super) fn run(input: &[u8]) {
    let (choice, rest) = super::choice(input);
    if choice == 0 {
        // The file as it is.
        let _any = ggml::check(io::Cursor::new(rest), rest.len() as u64, "m.bin");
        return;
    }
    let file = SparseFile::of(rest);
    let length = file.length();
    let checked = ggml::check(file.clone(), length, "m.bin");
    if let Ok(header) = checked {
        assert!((32..=1280).contains(&header.n_state) && header.n_vocab <= 51_866, "{header:?}");
        let words = ggml::words(file, length, "m.bin").expect("it was checked");
        assert_eq!(words.len(), WORDS as usize);
    }
}

/// Holds a file of a few bytes and many zeros.
#[derive(Clone)]
struct SparseFile {
    parts: Vec<(Vec<u8>, u64)>,
    at: u64,
}

impl SparseFile {
    /// Reads the description: header, then records of a length, a count of zeros and bytes.
    fn of(description: &[u8]) -> Self {
        let (head, mut rest) = description.split_at(HEAD.min(description.len()));
        let mut words = WORDS.to_le_bytes().to_vec();
        for _ in 0..WORDS {
            words.extend([1, 0, 0, 0, b' ']);
        }
        let mut parts = vec![(head.to_vec(), FILTERS), (words, 0)];
        while let Some(([length, a, b, c], later)) = rest.split_first_chunk() {
            let (record, later) = later.split_at(usize::from(*length).min(later.len()));
            parts.push((record.to_vec(), u32::from_le_bytes([*a, *b, *c, 0]).into()));
            rest = later;
        }
        Self { parts, at: 0 }
    }

    fn length(&self) -> u64 {
        self.parts.iter().map(|(bytes, zeros)| bytes.len() as u64 + zeros).sum()
    }
}

impl Read for SparseFile {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let mut at = self.at;
        for (bytes, zeros) in &self.parts {
            let held = bytes.len() as u64;
            if at < held {
                let from = usize::try_from(at).expect("it is less than a length");
                let read = (&bytes[from..]).read(out)?;
                self.at += read as u64;
                return Ok(read);
            }
            if at < held + zeros {
                let read = out.len().min(usize::try_from(held + zeros - at).unwrap_or(usize::MAX));
                out[..read].fill(0);
                self.at += read as u64;
                return Ok(read);
            }
            at -= held + zeros;
        }
        Ok(0)
    }
}

impl Seek for SparseFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.length().checked_add_signed(by),
        };
        self.at = to.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
