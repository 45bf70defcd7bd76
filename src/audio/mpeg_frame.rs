//! The heads of MP3 and AAC frames, which say how long each is and how it sounds.
//!
//! Read by the file decoder and by the intake of a speech server. Source: ISO 11172-3 section
//! 2.4.2.3, ISO 13818-7 section 6.2.

/// Bytes that are enough for either head.
const HEAD: usize = 7;

/// Bitrates of MP3, in kbit/s, by their index: version 1, and versions 2 and 2.5.
const KBIT: [[usize; 15]; 2] = [
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];

/// The object type of plain AAC.
const LC: u8 = 2;

/// Rates of AAC by their index.
const AAC_RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// Describes a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audio) enum FrameHead {
    Mp3(Mp3Head),
    Aac(AacHead),
}

/// Describes a frame of MP3: layer III of version 1, 2 or 2.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audio) struct Mp3Head {
    pub(in crate::audio) version_1: bool,
    pub(in crate::audio) rate: u32,
    pub(in crate::audio) channels: usize,
    /// Whether two bytes of a checksum follow the head.
    pub(in crate::audio) checked: bool,
    /// Bytes of the frame; `None` where the bitrate is free, and only the next frame tells.
    length: Option<usize>,
    padding: usize,
}

/// Describes a frame of AAC in ADTS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audio) struct AacHead {
    pub(in crate::audio) config: AacConfig,
    /// Bytes of the frame, and of its head.
    pub(in crate::audio) length: usize,
    pub(in crate::audio) head: usize,
    /// Blocks of sound in it.
    pub(in crate::audio) blocks: u8,
}

/// Says how AAC has to be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audio) struct AacConfig {
    pub(in crate::audio) rate_index: u8,
    pub(in crate::audio) channels: u8,
}

impl FrameHead {
    /// Reads the head that `bytes` begin with.
    pub(in crate::audio) fn parse(bytes: &[u8]) -> Option<Self> {
        let &[0xff, kind, b2, b3, b4, b5, b6] = bytes.first_chunk::<HEAD>()? else { return None };
        if kind & 0xf6 == 0xf0 {
            let config = AacConfig { rate_index: b2 >> 2 & 0xf, channels: (b2 & 1) << 2 | b3 >> 6 };
            let [high, middle, low] = [b3, b4, b5].map(usize::from);
            let length = (high & 3) << 11 | middle << 3 | low >> 5;
            let head = if kind & 1 == 1 { 7 } else { 9 };
            let known = length > head && usize::from(config.rate_index) < AAC_RATES.len();
            return known.then_some(Self::Aac(AacHead {
                config,
                length,
                head,
                blocks: (b6 & 3) + 1,
            }));
        }
        Mp3Head::parse([0xff, kind, b2, b3]).map(Self::Mp3)
    }

    /// Returns the bytes of the frame, where its head tells.
    pub(in crate::audio) fn length(&self) -> Option<usize> {
        match self {
            Self::Mp3(head) => head.length,
            Self::Aac(head) => Some(head.length),
        }
    }
}

impl AacConfig {
    /// Returns the rate in Hz.
    pub(in crate::audio) fn rate(self) -> u32 {
        AAC_RATES.get(usize::from(self.rate_index)).copied().unwrap_or_default()
    }

    /// Returns the header that an MP4 would have, of plain AAC whatever the frame says: encoders are
    /// careless with it. Source: ISO 14496-3 section 1.6.2.1.
    pub(in crate::audio) fn header(self) -> [u8; 2] {
        [LC << 3 | self.rate_index >> 1, self.rate_index << 7 | self.channels << 3]
    }
}

impl Mp3Head {
    fn parse([_, kind, rates, mode]: [u8; 4]) -> Option<Self> {
        if kind & 0xe6 != 0xe2 || kind & 0x18 == 0x08 {
            return None;
        }
        let version_1 = kind & 0x18 == 0x18;
        let rate = *[44_100, 48_000, 32_000].get(usize::from(rates >> 2 & 3))?;
        let rate = match kind & 0x18 {
            0x18 => rate,
            0x10 => rate / 2,
            _ => rate / 4,
        };
        let index = usize::from(rates >> 4);
        let padding = usize::from(rates >> 1 & 1);
        let length = *KBIT[usize::from(!version_1)].get(index)?;
        let channels = if mode >> 6 == 3 { 1 } else { 2 };
        let mut head =
            Self { version_1, rate, channels, checked: kind & 1 == 0, length: None, padding };
        head.length = (length > 0).then(|| head.size(index) + padding);
        Some(head)
    }

    /// Returns the bytes of a frame of this bitrate, without padding.
    fn size(&self, index: usize) -> usize {
        let (bits, kbit) = if self.version_1 { (144_000, KBIT[0]) } else { (72_000, KBIT[1]) };
        bits * kbit[index] / self.rate as usize
    }

    /// Returns the index and the size of the smallest frame that has room for so many bytes, or of
    /// the largest one.
    pub(in crate::audio) fn room(&self, bytes: usize) -> (u8, usize) {
        let sizes = (1..15).map(|index| (index, self.size(usize::from(index))));
        sizes.clone().find(|(_, size)| *size >= bytes).unwrap_or((14, self.size(14)))
    }

    /// Returns the bytes of a frame of a free bitrate whose frames without padding have so many.
    pub(in crate::audio) fn free_length(&self, unpadded: usize) -> usize {
        unpadded + self.padding
    }

    /// Returns the bytes of the side information.
    pub(in crate::audio) fn side(&self) -> usize {
        match (self.version_1, self.channels) {
            (true, 1) | (false, 2) => 17,
            (true, _) => 32,
            (false, _) => 9,
        }
    }

    /// Returns the samples of each channel.
    pub(in crate::audio) fn samples(&self) -> usize {
        if self.version_1 { 1_152 } else { 576 }
    }

    /// Returns whether the next frame may be of the same stream: only bitrate, padding and mode of
    /// a stream change, and the mode only between kinds of two channels.
    pub(in crate::audio) fn is_like(&self, other: &Self) -> bool {
        (self.version_1, self.rate) == (other.version_1, other.rate)
            && self.length.is_some() == other.length.is_some()
    }
}

/// Returns the length of the MP3 or AAC frame that `bytes` begin with.
#[must_use]
pub fn frame_length(bytes: &[u8]) -> Option<usize> {
    FrameHead::parse(bytes)?.length()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_mp3_and_aac_tell_their_length() {
        for (header, length) in [
            (&b"\xff\xfb\x90\x64\0\0\0"[..], Some(417)),
            (b"\xff\xfb\x92\x64\0\0\0", Some(418)),
            (b"\xff\xf3\x84\xc4\0\0\0", Some(192)),
            (b"\xff\xf1\x50\x80\x2e\x7f\xfc", Some(371)),
            (b"\xff\xfb\x90", None),
            (b"\xff\xfb\xf0\x64\0\0\0", None),
            (b"\xff\xfb\x0c\x64\0\0\0", None),
            (b"\xff\xea\x90\x64\0\0\0", None),
            (b"\xfe\xfb\x90\x64\0\0\0", None),
        ] {
            assert_eq!(frame_length(header), length, "{header:x?}");
        }
    }

    #[test]
    fn a_frame_finds_the_smallest_room() {
        let Some(FrameHead::Mp3(head)) = FrameHead::parse(b"\xff\xfb\x90\x64\0\0\0") else {
            panic!("it is MP3");
        };
        assert_eq!((head.room(400), head.room(417)), ((9, 417), (9, 417)));
        assert_eq!((head.room(418), head.room(5_000)), ((10, 522), (14, 1_044)));
    }
}
