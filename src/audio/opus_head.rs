//! The identification header of an Opus stream, read by the decoder and by `inspect_note`,
//! written by the muxer. Source: RFC 7845 section 5.1.

use crate::audio::decode::DecodeError;

/// What the first packet of an Opus stream says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audio) struct OpusHead {
    /// 1 or 2.
    pub(in crate::audio) channels: u8,
    /// Samples at 48 kHz to drop at the beginning.
    pub(in crate::audio) pre_skip: u16,
    /// Rate of the sound before it was encoded, in Hz; a remark only.
    pub(in crate::audio) input_rate: u32,
    /// Gain to apply, in 1/256 dB.
    pub(in crate::audio) gain: i16,
}

impl OpusHead {
    /// What the first packet begins with.
    pub(in crate::audio) const MAGIC: &[u8; 8] = b"OpusHead";
    /// What the second packet begins with.
    pub(in crate::audio) const TAGS: &[u8; 8] = b"OpusTags";

    /// Parses the header packet.
    ///
    /// # Errors
    /// `Corrupt` if it is too short, `Unsupported` for a later version or more than one coded stream.
    pub(in crate::audio) fn parse(packet: &[u8]) -> Result<Self, DecodeError> {
        let Some(&[version, channels, skip0, skip1, r0, r1, r2, r3, gain0, gain1, family]) =
            packet.strip_prefix(Self::MAGIC).and_then(|rest| rest.first_chunk())
        else {
            return Err(DecodeError::Corrupt { detail: "the Opus header is cut off".into() });
        };
        if version & 0xf0 != 0 {
            return Err(DecodeError::Unsupported {
                what: format!("Opus header version {version}"),
            });
        }
        // Other families than 0 say how many coded streams a packet holds; more than one needs
        // the multistream decoder.
        let streams = if family == 0 { 1 } else { packet.get(19).copied().unwrap_or(0) };
        if !(1..=2).contains(&channels) || streams != 1 {
            return Err(DecodeError::Unsupported {
                what: format!("Opus with {channels} channels"),
            });
        }
        Ok(Self {
            channels,
            pre_skip: u16::from_le_bytes([skip0, skip1]),
            input_rate: u32::from_le_bytes([r0, r1, r2, r3]),
            gain: i16::from_le_bytes([gain0, gain1]),
        })
    }

    /// The header of a note of ours: mono, without gain.
    pub(in crate::audio) fn mono(pre_skip: u16, input_rate: u32) -> Self {
        Self { channels: 1, pre_skip, input_rate, gain: 0 }
    }

    /// The header packet, mapping family 0.
    pub(in crate::audio) fn to_packet(self) -> Vec<u8> {
        let mut packet = Self::MAGIC.to_vec();
        packet.extend([1, self.channels]);
        packet.extend(self.pre_skip.to_le_bytes());
        packet.extend(self.input_rate.to_le_bytes());
        packet.extend(self.gain.to_le_bytes());
        packet.push(0);
        packet
    }
}
