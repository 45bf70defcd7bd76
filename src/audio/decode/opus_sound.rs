//! Decodes Opus packets to 16 kHz mono, from whatever container they come.
//!
//! libopus decodes straight to 16 kHz and mixes stereo down itself; several coded streams are
//! mixed down here. Every packet becomes sound of its length: one that cannot be read is concealed.

use super::DecodeError;
use crate::audio::{
    SampleRate,
    downmix::{ChannelOrder, downmix},
    limits::MAX_CHANNELS,
    opus_head::{OpusHead, Streams},
};

/// Samples of the longest packet, 120 ms (RFC 6716 section 3.1, code 3).
const MAX_PACKET_SAMPLES: usize = 1920;

/// Samples of one concealment step: 20 ms.
const CONCEAL_STEP: usize = 320;

/// Decodes one Opus stream.
pub(super) struct OpusSound {
    voice: PacketDecoder,
    /// Samples of the last packet, the guess for one that cannot be read.
    last_samples: usize,
    good_packets: u64,
}

enum PacketDecoder {
    Mono(opus::Decoder),
    /// Interleaved channels, and room for a packet of them.
    Several {
        decoder: opus::MSDecoder,
        channels: usize,
        room: Vec<f32>,
    },
}

impl OpusSound {
    /// Starts a stream, with the gain of its header.
    pub(super) fn new(head: &OpusHead) -> Result<Self, DecodeError> {
        let failed = |error: opus::Error| DecodeError::corrupt(error.to_string());
        let voice = match head.streams {
            None => {
                let rate = SampleRate::SPEECH.0;
                let mut decoder = opus::Decoder::new(rate, opus::Channels::Mono).map_err(failed)?;
                decoder.set_gain(head.gain.into()).map_err(failed)?;
                PacketDecoder::Mono(decoder)
            }
            Some(Streams { count, coupled, mapping }) => {
                let channels = usize::from(head.channels).min(MAX_CHANNELS);
                let rate = SampleRate::SPEECH.0;
                let mapping = &mapping[..channels];
                let mut decoder =
                    opus::MSDecoder::new(rate, count, coupled, mapping).map_err(failed)?;
                decoder.set_gain(head.gain.into()).map_err(failed)?;
                PacketDecoder::Several {
                    decoder,
                    channels,
                    room: vec![0.0; MAX_PACKET_SAMPLES * channels],
                }
            }
        };
        Ok(Self { voice, last_samples: CONCEAL_STEP, good_packets: 0 })
    }

    /// Returns how many streams are decoded side by side.
    pub(super) fn streams(&self) -> usize {
        match &self.voice {
            PacketDecoder::Mono(_) => 1,
            PacketDecoder::Several { channels, .. } => *channels,
        }
    }

    /// Returns how many packets libopus took.
    pub(super) fn good_packets(&self) -> u64 {
        self.good_packets
    }

    /// Returns the length of a packet; the previous one's if it cannot be read.
    pub(super) fn samples(&self, packet: &[u8]) -> usize {
        opus::packet::get_nb_samples(packet, SampleRate::SPEECH.0).unwrap_or(self.last_samples)
    }

    /// Appends a packet's sound, or what conceals it.
    pub(super) fn decode(&mut self, packet: &[u8], fresh: &mut Vec<f32>) {
        let at = fresh.len();
        fresh.resize(at + MAX_PACKET_SAMPLES, 0.0);
        // An empty slice would ask libopus for concealment of the entire buffer.
        let decoded =
            if packet.is_empty() { None } else { self.voice.decode(packet, &mut fresh[at..]) };
        fresh.truncate(at + decoded.unwrap_or(0));
        if let Some(samples) = decoded {
            self.good_packets += 1;
            self.last_samples = samples;
        } else {
            self.conceal(self.last_samples, fresh);
        }
    }

    /// Appends concealment for a gap of that many samples.
    pub(super) fn conceal(&mut self, samples: usize, fresh: &mut Vec<f32>) {
        let mut left = samples;
        while left > 0 {
            let step = left.min(CONCEAL_STEP);
            let at = fresh.len();
            fresh.resize(at + step, 0.0);
            // libopus takes multiples of 2.5 ms; what it refuses stays silent.
            if self.voice.decode(&[], &mut fresh[at..]).is_none() {
                fresh[at..].fill(0.0);
            }
            left -= step;
        }
    }
}

impl PacketDecoder {
    /// Fills the beginning of `fresh` and returns how much of it; `None` if the packet is broken.
    fn decode(&mut self, packet: &[u8], fresh: &mut [f32]) -> Option<usize> {
        match self {
            Self::Mono(decoder) => decoder.decode_float(packet, fresh, false).ok(),
            Self::Several { decoder, channels, room } => {
                let room = room.get_mut(..fresh.len() * *channels)?;
                let samples = decoder.decode_float(packet, room, false).ok()?;
                downmix(room, *channels, ChannelOrder::Vorbis)
                    .zip(fresh)
                    .take(samples)
                    .for_each(|(mono, place)| *place = mono);
                Some(samples)
            }
        }
    }
}
