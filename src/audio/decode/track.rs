//! Decodes one track of a container: symphonia's decoders, libopus for Opus, and AMR.

use symphonia::core::{
    audio::Channels,
    codecs::{
        CodecParameters,
        audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions, well_known},
    },
    errors::Error,
    formats::{FormatReader, Track, TrackType},
    packet::Packet,
};

use super::{
    DecodeError, aac,
    amr::AmrSound,
    container::{File, failed},
    format::Format,
    mix::Mix,
    opus_sound::OpusSound,
    vorbis,
};
use crate::audio::{SampleRate, limits::check_sound, opus_head::OpusHead};

/// Decodes one track.
pub(super) struct TrackDecoder {
    pub(super) id: u32,
    codec: Codec,
    samples: Vec<f32>,
    /// What is left of a packet of AMR, which may have any number of frames.
    frames: Vec<u8>,
}

enum Codec {
    Known(Box<dyn AudioDecoder>),
    Opus {
        sound: OpusSound,
        /// Ticks of the container per sample of ours, where it says how much of a packet is
        /// audible.
        ticks: Option<u64>,
    },
    Amr(AmrSound),
}

/// Says what became of a packet.
pub(super) enum PacketOutcome {
    Whole,
    /// The packet is broken and skipped.
    Broken(Error),
}

impl TrackDecoder {
    /// Opens the first audio track that can be decoded.
    pub(super) fn open(
        reader: &dyn FormatReader,
        file: &File,
        mix: &mut Mix,
    ) -> Result<Self, DecodeError> {
        if let Some(track) = reader.first_track_known_codec(TrackType::Audio) {
            let Some(CodecParameters::Audio(params)) = &track.codec_params else {
                return Err(file.no_track());
            };
            let codec = if params.codec == well_known::CODEC_ID_OPUS {
                opus(track, params, file, mix)?
            } else {
                known(track, params, file, mix)?
            };
            return Ok(Self::new(track.id, codec));
        }
        // symphonia also returns the packets of tracks that it does not know.
        let amr = file.tracks.iter().find_map(|track| Some((track, track.amr()?)));
        let (track, band) = amr.ok_or_else(|| file.no_track())?;
        mix.skip = track.delay(band.rate().0).unwrap_or(0);
        Ok(Self::new(track.id, Codec::Amr(AmrSound::new(band)?)))
    }

    fn new(id: u32, codec: Codec) -> Self {
        Self { id, codec, samples: Vec::new(), frames: Vec::new() }
    }

    /// Decodes more of the last packet; returns whether there was more.
    pub(super) fn go_on(&mut self, mix: &mut Mix) -> Result<bool, DecodeError> {
        let Codec::Amr(sound) = &mut self.codec else { return Ok(false) };
        if self.frames.is_empty() {
            return Ok(false);
        }
        match sound.decode(&self.frames, mix)? {
            0 => self.frames.clear(),
            used => drop(self.frames.drain(..used)),
        }
        Ok(true)
    }

    /// Decodes a packet into `mix`.
    pub(super) fn packet(
        &mut self,
        packet: &Packet,
        file: &File,
        mix: &mut Mix,
    ) -> Result<PacketOutcome, DecodeError> {
        match &mut self.codec {
            Codec::Known(decoder) => match decoder.decode(packet) {
                Ok(buffer) => {
                    let (rate, channels) = (buffer.spec().rate(), buffer.spec().channels().count());
                    check_sound(Some(rate), Some(channels))?;
                    buffer.copy_to_vec_interleaved(&mut self.samples);
                    mix.push(&self.samples, channels, SampleRate(rate))?;
                }
                Err(error @ (Error::DecodeError(_) | Error::IoError(_))) => {
                    return Ok(PacketOutcome::Broken(error));
                }
                Err(error) => return Err(failed(&error, file.format)),
            },
            Codec::Opus { sound, ticks } => {
                self.samples.clear();
                let good = sound.good_packets();
                sound.decode(&packet.data, &mut self.samples);
                if sound.good_packets() == good && mix.is_empty() {
                    return Ok(PacketOutcome::Broken(Error::DecodeError("not an Opus packet")));
                }
                // Often only a part of the last one is audible.
                if let Some(heard) = ticks.map(|ticks| packet.dur.get() / ticks) {
                    self.samples.truncate(usize::try_from(heard).unwrap_or(usize::MAX));
                }
                mix.push(&self.samples, 1, SampleRate::SPEECH)?;
            }
            Codec::Amr(_) => self.frames.extend_from_slice(&packet.data),
        }
        Ok(PacketOutcome::Whole)
    }
}

/// Opens an Opus track; its header is stored beside it.
fn opus(
    track: &Track,
    params: &AudioCodecParameters,
    file: &File,
    mix: &mut Mix,
) -> Result<Codec, DecodeError> {
    let head = params.extra_data.as_deref().unwrap_or_default();
    let head = if file.format == Format::Mp4 { turned(head) } else { head.to_vec() };
    let head = OpusHead::parse(&head)?;
    let edited = file.track(track.id).and_then(|track| track.delay(SampleRate::SPEECH.0));
    mix.skip = edited.unwrap_or(usize::from(head.pre_skip) / 3);
    // An MP4 counts samples at 48 kHz; Matroska has milliseconds, and often nothing.
    let ticks = (file.format == Format::Mp4).then_some(3);
    Ok(Codec::Opus { sound: OpusSound::new(&head)?, ticks })
}

/// Converts the header of MP4, whose numbers have their highest byte first and whose version is 0.
fn turned(head: &[u8]) -> Vec<u8> {
    let mut head = head.to_vec();
    if let Some(numbers) = head.get_mut(8..18) {
        numbers[0] = 1;
        numbers[2..4].reverse();
        numbers[4..8].reverse();
        numbers[8..10].reverse();
    }
    head
}

/// Opens a track that symphonia decodes.
fn known(
    track: &Track,
    params: &AudioCodecParameters,
    file: &File,
    mix: &mut Mix,
) -> Result<Codec, DecodeError> {
    let mut params = params.clone();
    let mut described = None;
    if params.codec == well_known::CODEC_ID_AAC {
        let config = params.extra_data.as_deref().unwrap_or_default();
        described = aac::describe(config);
        if let Some(core) = aac::core_config(config) {
            params.extra_data = Some(core);
        }
    }
    if params.codec == well_known::CODEC_ID_VORBIS {
        vorbis::check(params.extra_data.as_deref().unwrap_or_default())?;
    }
    let channels = params.channels.as_ref().map(Channels::count);
    check_sound(params.sample_rate, channels)?;
    if let (Some(rate), Some(channels), Some(frames)) =
        (params.sample_rate, channels, track.num_frames)
    {
        mix.check_declared(rate, channels, frames)?;
    }
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(&params, &AudioDecoderOptions::default())
        .map_err(|error| match (error, described) {
            (Error::Unsupported(_), Some(what)) => {
                DecodeError::unsupported(format!("{} with {what}", file.format.name()))
            }
            (Error::Unsupported(_), None) if file.codec.is_some() => file.no_track(),
            (error, _) => failed(&error, file.format),
        })?;
    let rate = decoder.codec_params().sample_rate.or(params.sample_rate);
    let delay = file.track(track.id).zip(rate).and_then(|(track, rate)| track.delay(rate));
    mix.skip = delay.unwrap_or(0);
    Ok(Codec::Known(decoder))
}
