//! What is heard of a file, and how long it is.

use codec_core::types::CodecConfig;
use hark::audio::{AudioLimits, DecodeStep, SpeechDecoder, decode};

use super::{Case, Outcome};
use crate::harness::sound;
use crate::program::Hark;

kinds!("transcribe", heard, {
    what_was_right: "control",
    sound_behind_an_early_end_is_heard: "sound behind an early end-of-stream mark is dropped without a word",
    sound_behind_a_change_is_heard: "sound behind a change of channels, rate or header is dropped without a word",
});

fn heard(case: &Case) -> Outcome {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let file = case.path().display().to_string();
    let ran = runtime.block_on(Hark::new().run(&["transcribe", "--json", &file]));
    let line = &ran.json(0)[0];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some seconds")]
    let sound_ms = line["audio_ms"].as_f64().map(|ms| ms as u64);
    Outcome { words: line["text"].as_str().unwrap().to_owned(), sound_ms }
}

/// Decodes in portions; returns the length in ms and the bytes that were not heard.
fn decoded(file: &[u8]) -> Result<(f64, u64), hark::audio::DecodeError> {
    let mut decoder = SpeechDecoder::new(AudioLimits::default());
    let (mut ms, mut portions) = (0.0, file.chunks(1_000));
    loop {
        match decoder.advance()? {
            DecodeStep::Speech(speech) => ms += speech.duration_ms(),
            DecodeStep::Waits => match portions.next() {
                Some(portion) => decoder.push(portion)?,
                None => decoder.end(),
            },
            DecodeStep::Over { unheard_bytes } => return Ok((ms, unheard_bytes)),
        }
    }
}

/// Files that are recorded or joined in two parts, as ffmpeg makes each.
const JOINED: [(&str, &str, &str); 27] = [
    ("WAV, other rate", "-ar 16000 -f wav", "-ar 44100 -ac 2 -f wav"),
    ("WAV, other codec", "-ar 16000 -f wav", "-ar 8000 -c:a adpcm_ima_wav -f wav"),
    ("WAV, G.711 in front", "-ar 8000 -c:a pcm_alaw -f wav", "-ar 48000 -c:a pcm_f32le -f wav"),
    ("MP3, other rate", "-ar 44100 -c:a libmp3lame -f mp3", "-ar 16000 -c:a libmp3lame -f mp3"),
    ("MP3, other channels", "-ac 1 -c:a libmp3lame -f mp3", "-ac 2 -c:a libmp3lame -f mp3"),
    (
        "MP3 without tags",
        "-ac 2 -ar 48000 -c:a libmp3lame -write_xing 0 -id3v2_version 0 -f mp3",
        "-ac 1 -ar 24000 -c:a libmp3lame -write_xing 0 -id3v2_version 0 -f mp3",
    ),
    (
        "MP3 with ID3 at both ends",
        "-c:a libmp3lame -id3v2_version 3 -write_id3v1 1 -f mp3",
        "-c:a libmp3lame -id3v2_version 4 -write_apetag 1 -f mp3",
    ),
    ("AAC, other rate", "-ar 16000 -c:a aac -f adts", "-ar 48000 -c:a aac -f adts"),
    ("AAC, other channels", "-ac 1 -c:a aac -f adts", "-ac 2 -c:a aac -f adts"),
    ("AAC after MP3", "-c:a libmp3lame -f mp3", "-c:a aac -f adts"),
    ("FLAC", "-ar 16000 -c:a flac -f flac", "-ar 16000 -c:a flac -f flac"),
    ("FLAC, other rate", "-ar 16000 -c:a flac -f flac", "-ar 44100 -ac 2 -c:a flac -f flac"),
    ("AIFF", "-ar 16000 -f aiff", "-ar 44100 -ac 2 -f aiff"),
    ("WebM", "-c:a libopus -f webm", "-c:a libopus -ac 2 -f webm"),
    ("WebM, other codec", "-c:a libopus -f webm", "-c:a libvorbis -f webm"),
    ("Matroska", "-c:a libopus -f matroska", "-ar 16000 -c:a flac -f matroska"),
    ("M4A", "-ar 16000 -c:a aac -f ipod", "-ar 44100 -ac 2 -c:a aac -f ipod"),
    (
        "MP4 in fragments",
        "-ar 16000 -c:a aac -movflags frag_keyframe+empty_moov -f mp4",
        "-ar 48000 -c:a aac -movflags frag_keyframe+empty_moov -f mp4",
    ),
    ("Ogg Opus, other channels", "-c:a libopus -ac 1 -f ogg", "-c:a libopus -ac 2 -f ogg"),
    (
        "Ogg Opus, surround",
        "-c:a libopus -ac 1 -f ogg",
        "-ac 6 -c:a libopus -mapping_family 1 -f ogg",
    ),
    (
        "Ogg Vorbis, other rate",
        "-ar 16000 -c:a libvorbis -f ogg",
        "-ar 44100 -ac 2 -c:a libvorbis -f ogg",
    ),
    ("Ogg Vorbis after Opus", "-c:a libopus -f ogg", "-ar 16000 -c:a libvorbis -f ogg"),
    ("Ogg Opus after Vorbis", "-ar 16000 -c:a libvorbis -f ogg", "-c:a libopus -f ogg"),
    ("Ogg FLAC after Opus", "-c:a libopus -f ogg", "-ar 16000 -c:a flac -f ogg"),
    ("Ogg FLAC", "-ar 16000 -c:a flac -f ogg", "-ar 48000 -c:a flac -f ogg"),
    ("Ogg Vorbis", "-ar 16000 -c:a libvorbis -f ogg", "-ar 16000 -c:a libvorbis -f ogg"),
    ("RF64", "-ar 16000 -rf64 always -f wav", "-ar 16000 -rf64 always -f wav"),
];

#[tokio::test]
async fn neighbours_in_two_parts_are_heard_to_their_end() {
    let speech = sound::spoken("en", "When do you open on Saturday, and when on Sunday?").await;
    let mut failed = Vec::new();
    for (name, first, second) in JOINED {
        let (first, second) =
            (sound::converted(&speech, first).await, sound::converted(&speech, second).await);
        let parts = [decoded(&first), decoded(&second)].map(|part| part.unwrap().0);
        let whole: f64 = parts.iter().sum();
        match decoded(&[first, second].concat()) {
            Ok((ms, 0)) if (ms - whole).abs() < 60.0 => {}
            other => failed.push(format!("{name}: {other:?}, not {parts:?}")),
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Joins two recordings of the same sentence as the formats do it that ffmpeg does not write, or
/// with something between them.
async fn joined_otherwise() -> Vec<(&'static str, Vec<u8>, f64)> {
    let speech = sound::spoken("en", "When do you open on Saturday?").await;
    let made = async |arguments| sound::converted(&speech, arguments).await;
    let ms = |file: &[u8]| decoded(file).unwrap().0;
    let mut all = Vec::new();
    let [narrow, wide] = [CodecConfig::amr_nb(), CodecConfig::amr_wb()].map(|config| {
        sound::amr(decode(&speech, AudioLimits::default()).unwrap().samples(), &config)
    });
    all.push(("AMR twice", [&narrow[..], &narrow].concat(), 2.0 * ms(&narrow)));
    all.push(("AMR, other band", [&narrow[..], &wide].concat(), ms(&narrow) + ms(&wide)));
    let mp3 =
        made("-ac 1 -ar 44100 -c:a libmp3lame -b:a 96k -write_xing 0 -id3v2_version 0 -f mp3")
            .await;
    let garbage = [&mp3[..], &[0xff, 0x00, 0xfb].repeat(700), &mp3].concat();
    all.push(("MP3 with garbage between", garbage, 2.0 * ms(&mp3)));
    let picture = [b"ID3\x03\0\0\0\0\x20\0", &b"\xff\xfb\x90\x64"[..].repeat(1_024)[..]].concat();
    all.push(("MP3 with a picture between", [&mp3[..], &picture, &mp3].concat(), 2.0 * ms(&mp3)));
    let mut free = mp3.clone();
    let mut at = 0;
    while at < free.len() {
        // Frames of 96 kbit/s have 313 bytes, or 314.
        let padding = usize::from(free[at + 2] >> 1 & 1);
        free[at + 2] &= 0x0f;
        at += 313 + padding;
    }
    all.push(("MP3 of a free bitrate", free, ms(&mp3)));
    for (name, arguments) in [
        ("an early end in Ogg Opus", "-c:a libopus -page_duration 200000 -f ogg"),
        ("an early end in Ogg Vorbis", "-ar 16000 -c:a libvorbis -page_duration 200000 -f ogg"),
        ("an early end in Ogg FLAC", "-ar 16000 -c:a flac -page_duration 200000 -f ogg"),
    ] {
        let file = made(arguments).await;
        all.push((name, early_end(&file), ms(&file)));
    }
    let segments = made("-c:a libopus -f webm").await;
    let second = segments.windows(4).position(|id| id == b"\x18\x53\x80\x67").unwrap();
    let twice = [&segments[..], &segments[second..]].concat();
    all.push(("a second segment in WebM", twice, 2.0 * ms(&segments)));
    all
}

/// Marks a page in the middle of an Ogg file as the last.
fn early_end(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let pages = file.windows(4).enumerate().filter(|(_, four)| *four == b"OggS");
    let pages: Vec<usize> = pages.map(|(at, _)| at).chain([file.len()]).collect();
    assert!(pages.len() > 6, "{pages:?}");
    let middle = pages.len() / 2;
    let page = &mut file[pages[middle]..pages[middle + 1]];
    page[5] |= 4;
    page[22..26].fill(0);
    let checksum = page.iter().fold(0u32, |checksum, byte| {
        (0..8).fold(checksum ^ u32::from(*byte) << 24, |checksum, _| {
            checksum << 1 ^ if checksum >> 31 == 1 { 0x04c1_1db7 } else { 0 }
        })
    });
    page[22..26].copy_from_slice(&checksum.to_le_bytes());
    file
}

#[tokio::test]
async fn neighbours_that_ffmpeg_does_not_write_are_heard_to_their_end() {
    let mut failed = Vec::new();
    for (name, file, expected_ms) in joined_otherwise().await {
        match decoded(&file) {
            Ok((ms, unheard)) if (ms - expected_ms).abs() < 60.0 && unheard < 2_200 => {}
            other => failed.push(format!("{name}: {other:?}, not {expected_ms}")),
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn mp3_whose_mode_changes_sounds_as_ffmpeg_decodes_it() {
    let path = super::folder().join("files/minimp3_l3-he_mode.mp3");
    let arguments = format!("-nostdin -loglevel error -i {} -ar 16000 -f wav -", path.display());
    let judge = std::process::Command::new("ffmpeg").args(arguments.split(' ')).output().unwrap();
    let limits = AudioLimits::default();
    let [ours, theirs] = [std::fs::read(path).unwrap(), judge.stdout]
        .map(|file| decode(&file, limits).unwrap().samples().to_vec());
    // Where mono ends ffmpeg loses a millisecond; behind this part symphonia cannot decode it.
    let alike = crate::corpus::correlation(&ours[6_000..34_000], &theirs[6_000..34_000]);
    assert!(alike > 0.9, "{alike}");
}

#[tokio::test]
async fn sound_that_cannot_be_heard_is_counted() {
    let speech = sound::spoken("en", "When do you open on Saturday?").await;
    let strange = [b"wvpk", &[0x5a; 5_000][..]].concat();
    for arguments in [
        "-ar 16000 -f wav",
        "-c:a libmp3lame -f mp3",
        "-c:a aac -f adts",
        "-c:a libopus -f ogg",
        "-ar 16000 -c:a libvorbis -f ogg",
    ] {
        let file = sound::converted(&speech, arguments).await;
        let (ms, unheard) = decoded(&file).unwrap();
        assert_eq!(unheard, 0, "{arguments}");
        let (longer_ms, unheard) = decoded(&[&file[..], &strange].concat()).unwrap();
        assert!((longer_ms - ms).abs() < 60.0, "{arguments}: {longer_ms}, not {ms}");
        assert!((4_000..5_100).contains(&unheard), "{arguments}: {unheard}");
    }
}

#[tokio::test]
async fn what_was_not_heard_is_told() {
    let speech = sound::spoken("en", "When do you open on Saturday?").await;
    let file = [sound::converted(&speech, "-ar 16000 -f wav").await, vec![0xa5; 5_000]].concat();
    let hark = Hark::new().file("broken.wav", file);
    let ran = hark.run(&["transcribe", "--json", "broken.wav"]).await;
    assert_eq!(ran.json(0)[0]["unheard_bytes"], 5_000);
    assert!(ran.stderr.contains("could not be heard"), "{}", ran.stderr);
    let ran = hark.run(&["transcribe", "broken.wav"]).await;
    assert!(ran.text().contains("5000 bytes of it could not be heard"), "{}", ran.text());
}
