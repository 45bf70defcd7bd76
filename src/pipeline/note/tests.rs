//! Notes of samples, of Opus and of both: whole, in order and of their exact length.

use bytes::Bytes;

use super::*;
use crate::audio::{Limits, decode, inspect_note};

/// Speech-like: a gliding tone with a pause every second.
fn sound(seconds: u32, rate: SampleRate) -> Vec<f32> {
    let mut phase = 0.0_f64;
    (0..seconds * rate.0)
        .map(|index| {
            let at = f64::from(index) / f64::from(rate.0);
            phase += (180.0 + 60.0 * (at * 3.0).sin()) * std::f64::consts::TAU / f64::from(rate.0);
            let loudness = (at.fract() * std::f64::consts::PI).sin().powi(2);
            #[expect(clippy::cast_possible_truncation, reason = "a sample is below 1")]
            let sample = (0.4 * loudness * phase.sin()) as f32;
            sample
        })
        .collect()
}

async fn joined(sounds: Vec<Sound>) -> (OggOpus, NoteInfo) {
    let workers = Threads::start("audio", 2, 64).unwrap();
    let (sound, to_encode) = mpsc::channel(4);
    let feed = async move {
        for piece in sounds {
            sound.send(piece).await.unwrap();
        }
    };
    let trace = Trace::start();
    let ((), note) = tokio::join!(feed, encode(&workers, &trace, to_encode));
    note.unwrap().unwrap()
}

fn pieces(samples: &[f32], rate: SampleRate) -> Vec<Sound> {
    let pieces = samples.chunks(2_205);
    pieces.map(|samples| Sound::Pcm(Pcm { samples: samples.to_vec(), rate })).collect()
}

async fn encoded(samples: &[f32], rate: SampleRate) -> (OggOpus, NoteInfo) {
    joined(pieces(samples, rate)).await
}

/// A sentence in Opus from another encoder of ours.
async fn coded(seconds: u32, rate: SampleRate) -> CodedSpeech {
    CodedSpeech::read(encoded(&sound(seconds, rate), rate).await.0.0).unwrap()
}

#[tokio::test]
async fn a_note_made_at_once_is_whole_and_has_its_exact_length() {
    for rate in [SampleRate(22_050), SampleRate(24_000)] {
        let samples = sound(12, rate);
        let (file, info) = encoded(&samples, rate).await;
        let head = inspect_note(&file.0).unwrap();
        assert!((head.duration_ms - 12_000.0).abs() < 1.0, "{}", head.duration_ms);
        assert!((info.duration_ms - head.duration_ms).abs() < 1.0);
        let heard = decode(&file.0, Limits::default()).unwrap();
        // The loudness rises and falls once a second: a lost or doubled stretch would shift it.
        for second in 0..12 {
            let middle = &heard.samples()[second * 16_000 + 7_000..second * 16_000 + 9_000];
            let edge = &heard.samples()[second * 16_000..second * 16_000 + 300];
            let peak = |part: &[f32]| part.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
            assert!(peak(middle) > 0.3, "second {second}: {}", peak(middle));
            assert!(peak(edge) < 0.1, "second {second}: {}", peak(edge));
        }
    }
}

#[tokio::test]
async fn no_sound_is_no_note() {
    let workers = Threads::start("audio", 1, 64).unwrap();
    let (pcm, to_encode) = mpsc::channel::<Sound>(1);
    drop(pcm);
    assert!(encode(&workers, &Trace::start(), to_encode).await.unwrap().is_none());
}

/// Checks length and loudness second by second, which rises and falls: a stretch that is lost,
/// doubled or played at a wrong rate would shift it. `late_ms`: what joins added by then.
#[track_caller]
fn check(file: &OggOpus, info: &NoteInfo, late_ms: &[f64]) {
    let seconds = late_ms.len();
    let head = inspect_note(&file.0).unwrap();
    assert!((info.duration_ms - head.duration_ms).abs() < 0.1);
    let heard = decode(&file.0, Limits::default()).unwrap();
    assert!((heard.duration_ms() - head.duration_ms).abs() < 0.2);
    #[expect(clippy::cast_precision_loss, reason = "some seconds")]
    let expected_ms = seconds as f64 * 1000.0 + late_ms.last().unwrap();
    assert!((head.duration_ms - expected_ms).abs() < 1.0, "{}", head.duration_ms);
    for (second, late_ms) in late_ms.iter().enumerate() {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some ms")]
        let from = second * 16_000 + (late_ms * 16.0) as usize;
        let (middle, edge) = (
            &heard.samples()[from + 7_000..from + 9_000],
            &heard.samples()[from + 100..from + 400],
        );
        let peak = |part: &[f32]| part.iter().fold(0.0_f32, |peak, s| peak.max(s.abs()));
        assert!(peak(middle) > 0.3, "second {second}: {}", peak(middle));
        assert!(peak(edge) < 0.1, "second {second}: {}", peak(edge));
    }
}

#[tokio::test]
async fn sound_of_any_rate_follows_any_other() {
    for first in [24_000, 16_000, 22_050, 48_000] {
        let mut sounds = Vec::new();
        for rate in [first, 16_000, 24_000, 44_100] {
            sounds.extend(pieces(&sound(3, SampleRate(rate)), SampleRate(rate)));
        }
        let (file, info) = joined(sounds).await;
        check(&file, &info, &[0.0; 12]);
    }
}

#[tokio::test]
async fn opus_goes_into_the_note_packet_by_packet() {
    let sentences = [coded(2, RATE).await, coded(3, SampleRate(48_000)).await];
    let sounds = sentences.iter().cloned().map(Sound::Opus).collect();
    let (file, info) = joined(sounds).await;
    let note = CodedSpeech::read(file.0.clone()).unwrap();
    let server = sentences.iter().flat_map(CodedSpeech::packets);
    assert!(note.packets().iter().eq(server), "bit by bit");
    #[expect(clippy::cast_precision_loss, reason = "some granules")]
    let join_ms =
        (sentences[0].padding_granules() + u64::from(sentences[1].pre_skip())) as f64 / 48.0;
    assert!(join_ms < 27.0, "{join_ms}");
    check(&file, &info, &[0.0, 0.0, join_ms, join_ms, join_ms]);
}

#[tokio::test]
async fn opus_and_samples_mix_in_any_order() {
    let opus = coded(2, RATE).await;
    let samples = |rate| pieces(&sound(2, SampleRate(rate)), SampleRate(rate));
    // A run of samples that ends in a note is filled up to a frame like a file of its own.
    #[expect(clippy::cast_precision_loss, reason = "some granules")]
    let join = (opus.padding_granules() + u64::from(opus.pre_skip())) as f64 / 48.0;
    let sounds = [samples(22_050), vec![Sound::Opus(opus.clone())], samples(16_000)].concat();
    let (file, info) = joined(sounds).await;
    check(&file, &info, &[0.0, 0.0, join, join, 2.0 * join, 2.0 * join]);
    let note = CodedSpeech::read(file.0).unwrap();
    let at = opus.packets().len();
    assert_eq!(note.packets()[at..2 * at], *opus.packets());

    let sounds = [vec![Sound::Opus(opus.clone())], samples(24_000), vec![Sound::Opus(opus)]];
    let (file, info) = joined(sounds.concat()).await;
    check(&file, &info, &[0.0, 0.0, join, join, 2.0 * join, 2.0 * join]);
}

#[tokio::test]
async fn a_sentence_behind_another_sounds_as_it_does_alone() {
    let read = |name: &str| {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/audio-fixtures/");
        Bytes::from(std::fs::read(format!("{folder}{name}.ogg")).unwrap())
    };
    for (first, second) in [("en_booking", "en_hours"), ("en_complaint", "en_number")] {
        let alone = decode(&read(second), Limits::default()).unwrap();
        let [first, second] = [first, second].map(|name| CodedSpeech::read(read(name)).unwrap());
        let before = first.coded_granules() - u64::from(first.pre_skip());
        let from = usize::try_from((before + u64::from(second.pre_skip())) / 3).unwrap();
        let (file, _) = joined(vec![Sound::Opus(first), Sound::Opus(second)]).await;
        let note = decode(&file.0, Limits::default()).unwrap();
        let power = |samples: &mut dyn Iterator<Item = f32>| samples.map(|s| s * s).sum::<f32>();
        // From its first 20 ms on, where the decoder has another past than the encoder.
        let frames = alone.samples().chunks_exact(320);
        for (at, (alone, behind)) in frames.zip(note.samples()[from..].chunks(320)).enumerate() {
            let sound = power(&mut alone.iter().copied());
            let error = power(&mut alone.iter().zip(behind).map(|(a, b)| a - b));
            // 30 dB below what is spoken, or below what anybody hears.
            assert!(error < 0.001 * sound + 320.0 * 1e-7, "frame {at}: {error} of {sound}");
        }
    }
}
