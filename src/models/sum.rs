//! Sums that files are known by.

use std::fmt;

use md5::Md5;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// Holds the sum that a file should have, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sum {
    /// SHA-256: a file that has it is the right one.
    Sha256(String),
    /// MD5, of files whose publisher tells no other: it finds damage, but no forgery.
    Md5(String),
    /// SHA-256 of the file that came first, by the folder's `models.lock`.
    #[serde(skip)]
    Pinned(String),
    /// Nobody tells: whatever comes is taken.
    #[serde(skip)]
    Unknown,
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha256(sum) => write!(f, "sha256 {sum}"),
            Self::Md5(sum) => write!(f, "md5 {sum}"),
            Self::Pinned(sum) => {
                write!(f, "sha256 {sum}, which models.lock has of an earlier pull")
            }
            Self::Unknown => write!(f, "no sum"),
        }
    }
}

/// Sums bytes up as they come.
#[derive(Clone)]
pub(super) struct Summing {
    sha256: Sha256,
    /// Where it is needed: it takes as long again.
    md5: Option<Md5>,
}

impl Summing {
    /// Begins, to compare with `due` later.
    pub(super) fn new(due: &Sum) -> Self {
        let md5 = matches!(due, Sum::Md5(_)).then(Md5::new);
        Self { sha256: Sha256::new(), md5 }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
    }

    /// Returns the SHA-256 of what came.
    pub(super) fn sha256(&self) -> String {
        hex::encode(self.sha256.clone().finalize())
    }

    /// Compares with `due`, which it was begun with; returns the other sum that what came has.
    pub(super) fn differs(&self, due: &Sum) -> Option<Sum> {
        let (due, got) = match (due, &self.md5) {
            (Sum::Unknown, _) => return None,
            (Sum::Md5(due), Some(md5)) => (due, Sum::Md5(hex::encode(md5.clone().finalize()))),
            (Sum::Sha256(due) | Sum::Md5(due) | Sum::Pinned(due), _) => {
                (due, Sum::Sha256(self.sha256()))
            }
        };
        let same = matches!(&got, Sum::Sha256(sum) | Sum::Md5(sum) if sum == due);
        (!same).then_some(got)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sum_knows_its_file_and_no_other() {
        // By `printf hello | sha256sum` and `md5sum`.
        let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let md5 = "5d41402abc4b2a76b9719d911017c592";
        let differs = |bytes: &[u8], due: &Sum| {
            let mut summing = Summing::new(due);
            bytes.chunks(2).for_each(|piece| summing.update(piece));
            summing.differs(due)
        };
        for due in [
            Sum::Sha256(sha256.into()),
            Sum::Pinned(sha256.into()),
            Sum::Md5(md5.into()),
            Sum::Unknown,
        ] {
            assert_eq!(differs(b"hello", &due), None, "{due}");
            assert_eq!(differs(b"hullo", &due).is_none(), due == Sum::Unknown, "{due}");
        }
        assert_eq!(differs(b"hello", &Sum::Md5("00".into())), Some(Sum::Md5(md5.into())));
    }
}
