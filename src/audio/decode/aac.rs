//! Reads HE-AAC as the plain AAC inside it.
//!
//! HE-AAC is AAC-LC at half the rate plus a description of the upper frequencies, which an old
//! player ignores. Speech is heard at 16 kHz, so the core is enough: its length is right, and at
//! the usual 22 or 24 kHz nothing that we keep is missing above 11 kHz. Version 2 describes stereo
//! the same way, around a mono core. symphonia decodes the core where the header says plain AAC, so
//! the header is rewritten. Source: ISO 14496-3 section 1.6.2.1.

const LC: u32 = 2;
const SBR: u32 = 5;
const PS: u32 = 29;

/// Returns the plain header for one of HE-AAC; `None` if it is not HE-AAC, or has another codec's
/// core.
pub(super) fn core_config(config: &[u8]) -> Option<Box<[u8]>> {
    let mut bits = MsbBits { bytes: config, at: 0 };
    if ![SBR, PS].contains(&bits.object_type()?) {
        return None;
    }
    let (rate, long_rate) = bits.rate()?;
    let channels = bits.take(4)?;
    let _upper = bits.rate()?;
    if bits.object_type()? != LC {
        return None;
    }
    // Frame length, dependence on a core coder, extension: 1 bit each, 0 in everything that is
    // decoded.
    let flags = bits.take(3)?;
    let head = u64::from(LC) << 4 | u64::from(rate);
    let (head, length) = match long_rate {
        Some(hz) => (head << 24 | u64::from(hz), 33),
        None => (head, 9),
    };
    let packed = head << 7 | u64::from(channels << 3 | flags);
    let length: usize = length + 7;
    Some((packed << (64 - length)).to_be_bytes()[..length.div_ceil(8)].into())
}

/// Describes the header for an error: the kind of AAC if it is not plain, else its channels.
pub(super) fn describe(config: &[u8]) -> Option<String> {
    let mut bits = MsbBits { bytes: config, at: 0 };
    let kind = bits.object_type()?;
    bits.rate()?;
    let channels = bits.take(4)?;
    Some(match kind {
        LC | SBR | PS => format!(
            "AAC with {} channels",
            [0, 1, 2, 3, 4, 5, 6, 8].get(channels as usize).copied().unwrap_or(channels)
        ),
        kind => format!("AAC of object type {kind}"),
    })
}

/// Reads the bits of a short header, the highest of each byte first.
struct MsbBits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl MsbBits<'_> {
    /// Reads up to 32 bits as a number.
    fn take(&mut self, count: usize) -> Option<u32> {
        let bits = self.at..self.at + count;
        self.at = bits.end;
        bits.into_iter().try_fold(0, |number, at| {
            let byte = self.bytes.get(at / 8)?;
            Some(number << 1 | u32::from(byte >> (7 - at % 8) & 1))
        })
    }

    fn object_type(&mut self) -> Option<u32> {
        match self.take(5)? {
            31 => Some(32 + self.take(6)?),
            kind => Some(kind),
        }
    }

    /// Reads the index of the rate, and the rate itself where it has no index.
    fn rate(&mut self) -> Option<(u32, Option<u32>)> {
        let number = self.take(4)?;
        Some((number, if number == 15 { Some(self.take(24)?) } else { None }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn he_aac_becomes_its_core() {
        // 24 kHz mono, written out to 48 kHz: type 5, rate 6, 1 channel, rate 3, type 2.
        let explicit = [0b0010_1011, 0b0000_1001, 0b1000_1000, 0];
        assert_eq!(core_config(&explicit).as_deref(), Some(&[0b0001_0011, 0b0000_1000][..]));
        let plain = [0b0001_0011, 0b0000_1000];
        assert_eq!(core_config(&plain), None);
        assert_eq!(core_config(&explicit[..2]), None);
        assert_eq!(core_config(&[]), None);
        assert_eq!(describe(&[0b0001_0011, 0b0011_0000]).as_deref(), Some("AAC with 6 channels"));
        assert_eq!(
            describe(&[0b1111_1000, 0b1110_0110, 0]).as_deref(),
            Some("AAC of object type 39")
        );
    }
}
