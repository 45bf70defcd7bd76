//! Sound that costs more than it says: hostile rates are declined, usual ones are not, and whatever a
//! file holds is decoded in small steps.

use hark::audio::{AudioLimits, DecodeError, DecodeStep, SpeechDecoder};
use hark::turn::Outcome;

use crate::harness::sound::{RATE, converted, wav};
use crate::harness::update::audio;
use crate::harness::{TestApp, words_of};

const UNSUPPORTED: &str =
    "Sorry, I can't open this kind of message yet. Please send a voice message or a text.";
const HOSTILE: &str = "-ar 384000 -ac 8 -c:a flac -sample_fmt s16 -f flac";

/// A minute, which some of these are a part of.
const MINUTE: AudioLimits = AudioLimits { bytes: 16 << 20, seconds: 60 };

/// A sound that is easily packed, so that much of it fits into a file.
fn hum(seconds: usize) -> Vec<u8> {
    let wave = (0..seconds * RATE).map(|at| if at / 80 % 2 == 0 { 0.1 } else { -0.1 });
    wav(&wave.collect::<Vec<_>>())
}

/// The same FLAC file without its length, as a program writes it that does not know it yet.
fn endless(mut flac: Vec<u8>) -> Vec<u8> {
    flac[21] &= 0xf0;
    flac[22..26].fill(0);
    flac
}

/// Decodes a file; returns the seconds that each step gave.
fn steps(file: &[u8]) -> Result<Vec<f64>, DecodeError> {
    let (mut decoder, mut steps, mut pieces) =
        (SpeechDecoder::new(MINUTE), Vec::new(), file.chunks(16 << 10));
    loop {
        match decoder.advance()? {
            DecodeStep::Speech(speech) => steps.push(speech.duration_ms() / 1e3),
            DecodeStep::Waits => match pieces.next() {
                Some(piece) => decoder.push(piece)?,
                None => decoder.end(),
            },
            DecodeStep::Over { .. } => return Ok(steps),
        }
    }
}

#[tokio::test]
async fn sound_of_a_hostile_rate_is_declined_and_named() {
    let declared = converted(&hum(10), HOSTILE).await;
    for file in [endless(declared.clone()), declared] {
        let app = TestApp::start().set("limits.audio_seconds", "60").await;
        app.deliver(audio(file, "audio/flac")).await;
        app.run_until_idle().await;
        assert_eq!(app.sent_one().text.as_deref(), Some(UNSUPPORTED));
        let report = app.report().await;
        let reason = "unsupported_format: the audio has 384000 Hz and 8 channels, which is too much \
                      of it";
        let expected = (Outcome::Text, Some(reason));
        assert_eq!((report.outcome, words_of(report.reason).as_deref()), expected);
    }
}

#[tokio::test]
async fn a_hostile_rate_costs_no_more_than_the_longest_usual_sound() {
    let hostile = converted(&hum(10), HOSTILE).await;
    // Refused by its head alone.
    let refused = |file: &[u8]| {
        let mut decoder = SpeechDecoder::new(MINUTE);
        decoder.push(file).unwrap();
        decoder.end();
        let steps = std::iter::from_fn(|| Some(decoder.advance()));
        let steps = steps.map_while(Result::ok).take(100_000);
        steps.fold((0, 0.0), |(count, seconds), step| match step {
            DecodeStep::Speech(speech) => (count + 1, seconds + speech.duration_ms() / 1e3),
            _ => (count, seconds),
        })
    };
    assert!(refused(&hostile).0 <= 3);
    // 3.75 s have as many samples as a minute of 96 kHz in stereo.
    let (count, seconds) = refused(&endless(hostile));
    assert!(count > 20 && (3.0..3.8).contains(&seconds), "{seconds} s in {count} steps");
}

#[tokio::test]
async fn the_longest_sound_of_usual_rates_is_heard() {
    let minute = hum(60);
    for how in [
        "-ar 96000 -ac 2 -c:a flac -sample_fmt s16 -f flac",
        "-ar 48000 -ac 2 -c:a libmp3lame -b:a 64k -f mp3",
        "-ar 44100 -ac 2 -c:a aac -f ipod",
        "-ar 48000 -ac 6 -t 30 -c:a flac -sample_fmt s16 -f flac",
    ] {
        let all: f64 = steps(&converted(&minute, how).await).unwrap().iter().sum();
        let wanted = if how.contains("-t 30") { 30.0 } else { 60.0 };
        assert!((all - wanted).abs() < 0.2, "{how}: {all} s");
    }
}

#[tokio::test]
async fn every_format_is_decoded_in_small_steps() {
    let sound = hum(55);
    let mut files = vec![
        // Pauses of AMR that were not sent, a byte each.
        ("AMR".to_owned(), [b"#!AMR\n", &[0x7c; 2_750][..]].concat()),
    ];
    for how in [
        "-c:a pcm_u8 -ar 8000 -f wav",
        "-c:a adpcm_ima_wav -ar 8000 -f wav",
        "-ar 16000 -c:a flac -f flac",
        "-ar 44100 -c:a libmp3lame -f mp3",
        "-ar 44100 -c:a aac -f adts",
        "-ar 44100 -c:a aac -f ipod",
        "-c:a alac -f ipod",
        "-f aiff",
        "-c:a libopus -f webm",
        "-c:a libvorbis -f ogg",
        "-c:a libopus -f ogg",
        // Pages of many seconds, packets of 120 ms that hold next to nothing.
        "-c:a libopus -b:a 6k -frame_duration 120 -page_duration 20000000 -f ogg",
    ] {
        files.push((how.to_owned(), converted(&sound, how).await));
    }
    for (name, file) in files {
        let steps = steps(&file).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (longest, all) = (steps.iter().copied().fold(0.0, f64::max), steps.iter().sum::<f64>());
        assert!((54.0..56.0).contains(&all), "{name}: {all} s");
        // The last page of Ogg is heard as a whole.
        let most = if name.contains("20000000") { 21.0 } else { 9.0 };
        assert!(longest < most && steps.len() > 8, "{name}: {longest} s of {}", steps.len());
    }
}
