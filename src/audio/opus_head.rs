//! The identification header of an Opus stream, read by the decoder and by `inspect_note`,
//! written by the muxer. Source: RFC 7845 section 5.1.

use crate::audio::{decode::DecodeError, limits::MAX_CHANNELS};

/// Holds what the first packet of an Opus stream says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audio) struct OpusHead {
    /// 1 to 8.
    pub(in crate::audio) channels: u8,
    /// Samples at 48 kHz to drop at the beginning.
    pub(in crate::audio) pre_skip: u16,
    /// Rate of the sound before it was encoded, in Hz; informational only.
    pub(in crate::audio) input_rate: u32,
    /// Gain to apply, in 1/256 dB.
    pub(in crate::audio) gain: i16,
    /// `None` if each packet holds a single coded stream, as mono and stereo do.
    pub(in crate::audio) streams: Option<Streams>,
}

/// Describes how several coded streams make up the channels (RFC 7845 section 5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::audio) struct Streams {
    pub(in crate::audio) count: u8,
    pub(in crate::audio) coupled: u8,
    /// Maps each channel to a decoded channel; as many entries count as there are channels.
    pub(in crate::audio) mapping: [u8; MAX_CHANNELS],
}

impl OpusHead {
    /// Start of the first packet.
    pub(in crate::audio) const MAGIC: &[u8; 8] = b"OpusHead";
    /// Start of the second packet.
    pub(in crate::audio) const TAGS: &[u8; 8] = b"OpusTags";

    /// Parses the header packet.
    ///
    /// # Errors
    /// `Corrupt` if it is too short, `Unsupported` for a later version, more than eight channels or
    /// channels that are not loudspeakers.
    pub(in crate::audio) fn parse(packet: &[u8]) -> Result<Self, DecodeError> {
        let cut_off = || DecodeError::corrupt("the Opus header is cut off");
        let unsupported = |what: String| Err(DecodeError::unsupported(what));
        let (&[version, channels, skip0, skip1, r0, r1, r2, r3, gain0, gain1, family], table) =
            packet
                .strip_prefix(Self::MAGIC)
                .and_then(|rest| rest.split_first_chunk())
                .ok_or_else(cut_off)?;
        if version & 0xf0 != 0 {
            return unsupported(format!("Opus header version {version}"));
        }
        // Family 0 has one or two channels in one stream, and no table.
        let most = if family == 0 { 2 } else { MAX_CHANNELS };
        if !(1..=most).contains(&usize::from(channels)) {
            return unsupported(format!("Opus with {channels} channels"));
        }
        let streams = match family {
            0 => None,
            // Vorbis order, or channels without an order: all are mixed down alike.
            1 | 255 => {
                let (&[count, coupled], table) = table.split_first_chunk().ok_or_else(cut_off)?;
                let table = table.get(..usize::from(channels)).ok_or_else(cut_off)?;
                let mut mapping = [0; MAX_CHANNELS];
                mapping[..table.len()].copy_from_slice(table);
                (count != 1).then_some(Streams { count, coupled, mapping })
            }
            _ => return unsupported(format!("Opus in channel mapping {family}")),
        };
        Ok(Self {
            channels,
            pre_skip: u16::from_le_bytes([skip0, skip1]),
            input_rate: u32::from_le_bytes([r0, r1, r2, r3]),
            gain: i16::from_le_bytes([gain0, gain1]),
            streams,
        })
    }

    /// Returns the header of a note of ours: mono, without gain.
    pub(in crate::audio) fn mono(pre_skip: u16, input_rate: u32) -> Self {
        Self { channels: 1, pre_skip, input_rate, gain: 0, streams: None }
    }

    /// Returns the header packet, mapping family 0.
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
