//! What a note sounds like for what a speech server answers, or what is said of it.

use bytes::Bytes;
use hark::audio::{AudioLimits, decode};

use super::{Case, Outcome};
use crate::openai::speech::{Answer, Speech};
use crate::program::Hark;

kinds!("tts", heard, {
    what_was_right: "control",
    bytes_behind_the_samples_of_a_wav_are_not_heard: "what stands behind the samples of a WAV is played as noise at full loudness, after every sentence",
    wav_of_servers_is_read_like_wav_of_people: "WAV that hark decodes when a person sends it is refused from a speech server",
    the_rate_that_a_server_names_is_believed: "the rate that the server names is not used: the voice is too high and too fast",
    a_refusal_names_the_key_to_change: "the advice of a refusal leaves out the key to change",
});

fn heard(case: &Case) -> Outcome {
    let kind = match case.text("ctype") {
        "" => "audio/wav",
        named => named,
    };
    let answer = match case.value("status").as_u64() {
        Some(status) => {
            let status = u16::try_from(status).unwrap();
            Answer::Status(status, None, case.text("body").to_owned())
        }
        None => Answer::Typed(kind.to_owned(), case.file().into()),
    };
    let format = Some(case.text("format")).filter(|format| !format.is_empty()).unwrap_or("wav");
    spoken(&answer, format)
}

/// Has a sentence spoken by a server that answers so.
fn spoken(answer: &Answer, format: &str) -> Outcome {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let speech = Speech::start().await;
        speech.answers([answer.clone(), answer.clone(), answer.clone()]);
        let hark = Hark::new()
            .env("HARK__TTS__ENGINE", "openai")
            .env("HARK__TTS__URL", &speech.url)
            .env("HARK__TTS__MODEL", "tts-1")
            .env("HARK__TTS__FORMAT", format);
        let ran = hark.run(&["say", "The shop opens at nine.", "-o", "note.ogg"]).await;
        if ran.code != 0 {
            return Outcome { words: format!("{}{}", ran.text(), ran.stderr), sound_ms: None };
        }
        let note = std::fs::read(hark.path("note.ogg")).unwrap();
        let speech = decode(&note, AudioLimits::default()).unwrap();
        let peak = speech.samples().iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some seconds")]
        let (ms, peak) = (speech.duration_ms().round() as u64, (peak * 32_768.0) as u64);
        Outcome { words: format!("note of {ms} ms, peak {peak}"), sound_ms: Some(ms) }
    })
}

/// A second of a quiet tone, in samples of 16 bits.
fn tone(rate: u32) -> Vec<u8> {
    let sample = |at: u32| {
        let angle = std::f64::consts::TAU * 440.0 * f64::from(at) / f64::from(rate);
        #[expect(clippy::cast_possible_truncation, reason = "a sample")]
        let sample = (6_000.0 * angle.sin()) as i16;
        sample.to_le_bytes()
    };
    (0..rate).flat_map(sample).collect()
}

/// A WAV file with a second of the tone: `before` and `behind` stand around its samples, whose size
/// is `claimed`, or true.
fn wav(rate: u32, claimed: Option<u32>, before: &[u8], behind: &[u8]) -> Vec<u8> {
    let data = tone(rate);
    let mut file = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    file.extend(rate.to_le_bytes());
    file.extend((2 * rate).to_le_bytes());
    file.extend(b"\x02\0\x10\0");
    file.extend(before);
    file.extend(b"data");
    file.extend(claimed.unwrap_or(2 * rate).to_le_bytes());
    file.extend(data);
    file.extend(behind);
    file
}

fn chunk(name: &[u8], body: &[u8]) -> Vec<u8> {
    [name, &u32::try_from(body.len()).unwrap().to_le_bytes(), body].concat()
}

#[track_caller]
fn check(name: &str, answer: &Answer, format: &str, expected_ms: u64) {
    let Outcome { words, sound_ms } = spoken(answer, format);
    let peak = words.rsplit(' ').next().and_then(|peak| peak.parse::<u64>().ok());
    assert!(sound_ms.is_some_and(|ms| ms.abs_diff(expected_ms) <= 10), "{name}: {words}");
    assert!(peak.is_some_and(|peak| (4_000..9_000).contains(&peak)), "{name}: {words}");
}

#[test]
fn neighbours_of_wav_last_as_long_as_their_sound() {
    let loud = [0x7f; 600];
    let list = chunk(b"LIST", &[b"INFOISFT", &loud[..]].concat());
    let rate = 24_000;
    let plain = wav(rate, None, b"", b"");
    for (name, body, ms) in [
        (
            "chunks of three kinds behind",
            wav(
                rate,
                None,
                b"",
                &[chunk(b"cue ", &loud), list.clone(), chunk(b"bext", &loud)].concat(),
            ),
            1_000,
        ),
        ("a size of 0", wav(rate, Some(0), b"", &list), 1_000),
        ("a size of all ones", wav(rate, Some(u32::MAX), b"", &list), 1_000),
        (
            "a size of 0x7ffff000",
            wav(rate, Some(0x7fff_f000), b"", &chunk(b"id3 ", &[b"ID3\x03", &loud[..]].concat())),
            1_000,
        ),
        (
            "odd chunks without padding",
            wav(rate, None, b"", &[chunk(b"what", &loud[..599]), chunk(b"more", &loud)].concat()),
            1_000,
        ),
        ("a picture before", wav(rate, None, &chunk(b"id3 ", &vec![0x7f; 60_000]), b""), 1_000),
        ("three in one", [&plain[..], &plain, &plain].concat(), 3_000),
        ("a second of another rate", [plain, wav(16_000, Some(0), b"", &list)].concat(), 2_000),
    ] {
        check(name, &Answer::Typed("audio/wav".to_owned(), body.into()), "wav", ms);
    }
}

#[test]
fn neighbours_of_a_named_rate_last_as_long_as_their_sound() {
    let turned = |bytes: Vec<u8>| -> Vec<u8> {
        bytes.chunks_exact(2).flat_map(|pair| [pair[1], pair[0]]).collect()
    };
    let twice = |bytes: Vec<u8>| -> Vec<u8> {
        bytes.chunks_exact(2).flat_map(|pair| [pair[0], pair[1], pair[0], pair[1]]).collect()
    };
    for (kind, body) in [
        ("audio/pcm; rate=48000", tone(48_000)),
        ("audio/L16; codec=pcm; rate=22050", tone(22_050)),
        ("audio/L16;rate=16000", turned(tone(16_000))),
        ("audio/L16;rate=16000;channels=2", twice(tone(16_000))),
        ("application/octet-stream", tone(24_000)),
        ("audio/mpeg", tone(24_000)),
        // A header in the sound is believed before one of HTTP.
        ("audio/pcm; rate=16000", wav(44_100, None, b"", b"")),
    ] {
        for format in ["pcm", "wav"] {
            if format == "pcm" || kind.contains("rate") {
                check(kind, &Answer::Typed(kind.to_owned(), body.clone().into()), format, 1_000);
            }
        }
    }
}

#[test]
fn a_server_that_answers_in_a_format_that_is_not_heard_is_told_by_the_key() {
    let body = Bytes::from_static(
        b"wvpk and so on, all of it in a codec that nobody \xf0\x90\x01\x02\x03\x04",
    );
    for format in ["wav", "opus"] {
        let said = spoken(&Answer::Typed("audio/x-wavpack".to_owned(), body.clone()), format).words;
        assert!(said.contains("WavPack") && said.contains("tts.format"), "{said}");
    }
}
