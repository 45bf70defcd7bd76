//! What the built-in model hears through the whole program: files are decoded, resampled, searched
//! for speech and transcribed by `hark transcribe`, as messages are.
//!
//! `models/micro` was trained to reach these limits. A failure shows what was said and heard.

use codec_core::types::CodecConfig;
use hark::audio::{self, AudioLimits};
use hark::cli::fixtures;
use hark::models::built_in;
use hark::stt::whisper::{CutAudioCtx, Vad};
use hark::stt::{LanguageHint, Transcriber as _, Utterance};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use crate::harness::TestApp;
use crate::harness::sound::{self, RATE};
use crate::harness::update::voice_note;
use crate::harness::words::{Comparison, assert_error_rate, error_rate, misheard, words};
use crate::program::Hark;
use crate::wordless::load;

/// Errors in a hundred words that voices may cause which training never heard.
const NEW_VOICES: f64 = 15.0;
/// The same for sentences that training never heard, by voices that it did.
const NEW_SENTENCES: f64 = 5.0;
/// What WhatsApp's codec and the cut window may add.
const OPUS_ADDS: f64 = 3.0;
const CUT_ADDS: f64 = 1.0;

/// Voices of espeak-ng that training hears.
const KNOWN_VOICES: [&str; 6] = ["en-us", "en-gb", "en-us+m3", "en-us+f2", "en-gb+f3", "en-gb+m2"];

/// Sentences of models/micro's grammar that training leaves out.
const SENTENCES: [&str; 18] = [
    "Are you near the branch?",
    "Please leave it at the door.",
    "I have not received my package yet.",
    "Do you have this in size three?",
    "Can I exchange it for a new one?",
    "Is tomorrow afternoon still free?",
    "I want to cancel my appointment on Saturday.",
    "I was charged ninety pounds too much.",
    "Can you transfer me to the doctor?",
    "The account number is nine zero four two three nine.",
    "I would like a cup of tea, please.",
    "Good evening, nobody was here when the courier came.",
    "Please call me back at half past twelve.",
    "Good evening, I want to transfer six pounds fifty to Maria.",
    "Good evening, the internet does not work.",
    "Somebody took seventy dollars and thirty cents from my account.",
    "We leave on the twelfth of May.",
    "How much does this bag cost?",
];

/// The kind of file that WhatsApp sends.
const VOICE_NOTE: &str = "-ac 1 -ar 16000 -c:a libopus -b:a 16k -application voip -f ogg";

/// A sound file and the words in it.
struct Note {
    name: String,
    said: String,
    file: Vec<u8>,
}

/// Lets the program transcribe all notes and returns its JSON lines.
async fn transcribe(hark: Hark, notes: &[Note]) -> Vec<Value> {
    let hark = notes.iter().fold(hark, |hark, note| hark.file(&note.name, &note.file));
    let mut lines = Vec::new();
    // A few at a time: a command may take a minute, also where the cores are busy.
    for few in notes.chunks(8) {
        let names = few.iter().map(|note| note.name.as_str());
        let arguments: Vec<&str> = ["transcribe", "--json"].into_iter().chain(names).collect();
        lines.extend(hark.run(&arguments).await.json(0));
    }
    lines
}

/// What the program hears in these notes.
async fn heard(hark: Hark, notes: &[Note]) -> Vec<Comparison> {
    let lines = transcribe(hark, notes).await;
    assert_eq!(lines.len(), notes.len());
    let heard = notes.iter().zip(lines).map(|(note, line)| Comparison {
        note: note.name.clone(),
        said: note.said.clone(),
        heard: line["text"].as_str().expect("a text").to_owned(),
    });
    heard.collect()
}

/// The repository's voice notes.
fn fixture_notes() -> Vec<Note> {
    let note = |fixture: fixtures::Fixture| Note {
        name: format!("{}.ogg", fixture.name),
        said: fixture.transcript.to_owned(),
        file: fixture.note.to_vec(),
    };
    fixtures::all().into_iter().map(note).collect()
}

fn fixture(name: &str) -> Note {
    let mut notes = fixture_notes().into_iter();
    notes.find(|note| note.name == format!("{name}.ogg")).expect("a fixture of that name")
}

/// Every sentence by two of the voices, as WAV files.
async fn new_sentences() -> Vec<Note> {
    let mut notes = Vec::new();
    for (index, sentence) in SENTENCES.iter().enumerate() {
        for turn in [0, 3] {
            let voice = KNOWN_VOICES[(index + turn) % KNOWN_VOICES.len()];
            notes.push(Note {
                name: format!("{voice} {index}.wav"),
                said: (*sentence).to_owned(),
                file: sound::spoken(voice, sentence).await,
            });
        }
    }
    notes
}

/// The same notes in another format.
async fn converted(notes: &[Note], ending: &str, arguments: &str) -> Vec<Note> {
    let mut converted = Vec::new();
    for note in notes {
        let stem = note.name.rsplit_once('.').expect("it has an ending").0;
        converted.push(Note {
            name: format!("{stem}.{ending}"),
            said: note.said.clone(),
            file: sound::converted(&note.file, arguments).await,
        });
    }
    converted
}

#[test]
fn the_sentences_are_those_that_training_leaves_out() {
    // `is_held_out` of models/micro/text.py: one in 40, by a hash of the words.
    for sentence in SENTENCES {
        let digest = Sha256::digest(words(sentence).join(" "));
        let number = u32::from_be_bytes(digest[..4].try_into().unwrap());
        assert_eq!(number % 40, 0, "training may have heard {sentence:?}");
    }
}

#[tokio::test]
async fn voices_that_training_never_heard_are_understood() {
    let notes = heard(Hark::new(), &fixture_notes()).await;
    assert!(notes.len() >= 11, "{notes:#?}");
    assert_error_rate("new voices", &notes, NEW_VOICES);
}

#[tokio::test]
async fn sentences_that_training_never_heard_are_understood_also_from_voice_notes() {
    let files = new_sentences().await;
    let direct = heard(Hark::new(), &files).await;
    assert_error_rate("new sentences", &direct, NEW_SENTENCES);
    let opus = heard(Hark::new(), &converted(&files, "ogg", VOICE_NOTE).await).await;
    let most = error_rate(&direct) + OPUS_ADDS;
    assert_error_rate("new sentences at 16 kbit/s", &opus, most);
}

#[tokio::test]
async fn a_window_cut_to_the_note_costs_hardly_a_word() {
    let mut notes = fixture_notes();
    notes.extend(new_sentences().await);
    let whole = Hark::new().env("HARK__STT__CUT_AUDIO_CTX", "false");
    let whole = heard(whole, &notes).await;
    let most = error_rate(&whole) + CUT_ADDS;
    let cut = heard(Hark::new(), &notes).await;
    assert_error_rate("in the cut window", &cut, most);
}

#[tokio::test]
async fn short_answers_are_heard() {
    let mut notes = vec![fixture("en_yes"), fixture("en_no")];
    for voice in KNOWN_VOICES {
        for answer in ["Yes.", "No."] {
            let file = sound::spoken(voice, answer).await;
            notes.push(Note { name: format!("{voice} {answer}wav"), said: answer.into(), file });
        }
    }
    let notes = heard(Hark::new(), &notes).await;
    assert!(misheard(&notes).is_empty(), "{}", misheard(&notes));
}

#[tokio::test]
async fn what_hark_says_hark_hears() {
    let hark = Hark::new();
    let mut notes = Vec::new();
    for (index, sentence) in SENTENCES.iter().enumerate().step_by(2) {
        let name = format!("{index}.ogg");
        let said = hark.run(&["say", sentence, "-o", &name]).await;
        assert_eq!(said.code, 0, "{}", said.stderr);
        let file = std::fs::read(hark.path(&name)).unwrap();
        notes.push(Note { name, said: (*sentence).to_owned(), file });
    }
    assert_error_rate("hark's own voice", &heard(Hark::new(), &notes).await, NEW_SENTENCES);
}

/// A minute of each of the sounds in which nobody says anything.
fn wordless() -> Vec<Note> {
    let decibels = |db: f64| 10.0_f64.powf(db / 20.0);
    let mut sounds = vec![
        ("silence".to_owned(), vec![0.0; 60 * RATE]),
        ("chords".to_owned(), sound::chords(60)),
        ("tune".to_owned(), sound::tune(60)),
        ("sweeps".to_owned(), sound::sweeps(60)),
        ("knocks".to_owned(), sound::knocks(60)),
    ];
    for db in [-60.0, -40.0, -20.0, -6.0] {
        sounds.push((format!("white noise at {db} dB"), sound::white_noise(60, decibels(db))));
        sounds.push((format!("pink noise at {db} dB"), sound::pink_noise(60, decibels(db))));
    }
    let note = |(name, samples): (String, Vec<f64>)| Note {
        name: format!("{name}.wav"),
        said: String::new(),
        file: sound::wav(&samples),
    };
    sounds.into_iter().map(note).collect()
}

#[tokio::test]
async fn silence_noise_and_music_have_no_words() {
    let notes = heard(Hark::new(), &wordless()).await;
    assert!(misheard(&notes).is_empty(), "{}", misheard(&notes));
}

/// The search for speech keeps most noise from the model; this is what it does on its own.
#[tokio::test]
async fn the_model_alone_finds_no_words_in_silence_noise_and_music() {
    let mut found = Vec::new();
    for cut_audio_ctx in [CutAudioCtx::Cut, CutAudioCtx::Whole] {
        let whisper = load(built_in::NAME, cut_audio_ctx, Vad::BuiltIn);
        for Note { name, said, file } in wordless() {
            let limits = AudioLimits { bytes: 16 << 20, seconds: 60 };
            let speech = audio::decode(&file[..44 + 2 * RATE * 20], limits).unwrap();
            let utterance = Utterance::alone(speech, LanguageHint::ANY);
            let heard = whisper.transcribe(utterance, &CancellationToken::new()).await.unwrap();
            let note = format!("{name}, cut: {cut_audio_ctx:?}");
            found.push(Comparison { note, said, heard: heard.text.0 });
        }
    }
    assert!(misheard(&found).is_empty(), "{}", misheard(&found));
}

/// A note in formats that ffmpeg does not write: AMR, alone and in 3gp, and HE-AAC.
async fn rare(note: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let speech = audio::decode(note, AudioLimits::default()).unwrap();
    let narrow = sound::amr(speech.samples(), &CodecConfig::amr_nb());
    let wide = sound::amr(speech.samples(), &CodecConfig::amr_wb());
    // The header of plain AAC at 24 kHz becomes that of HE-AAC at 48 kHz; 5 is its tag and length.
    let mut aac = sound::converted(note, "-ar 24000 -c:a aac -b:a 48k -f ipod").await;
    let plain = b"\x05\x80\x80\x80\x05\x13\x08";
    let at = aac.windows(plain.len()).position(|seven| seven == plain).expect("a header of AAC");
    aac[at + 5..at + 10].copy_from_slice(&[0x2b, 0x09, 0x88, 0, 0]);
    vec![
        ("nb.3gp", sound::converted(&narrow, "-c copy -f 3gp").await),
        ("wb.3gp", sound::converted(&wide, "-c copy -f 3gp").await),
        ("nb.amr", narrow),
        ("wb.amr", wide),
        ("he.m4a", aac),
    ]
}

#[tokio::test]
async fn every_container_and_rate_is_heard_alike() {
    let notes = [fixture("en_hours"), fixture("en_person")];
    let mut formats = vec![
        ("wav", "-ar 16000 -c:a pcm_f32le -f wav".to_owned()),
        ("ogg", "-ar 48000 -ac 2 -c:a libopus -b:a 32k -f ogg".to_owned()),
        ("ogg", "-ar 44100 -c:a libvorbis -f ogg".to_owned()),
        ("mp3", "-ar 44100 -c:a libmp3lame -b:a 64k -f mp3".to_owned()),
        ("mp3", "-ar 22050 -c:a libmp3lame -b:a 32k -f mp3".to_owned()),
        ("m4a", "-ar 44100 -c:a aac -b:a 64k -f ipod".to_owned()),
        ("aac", "-ar 44100 -c:a aac -b:a 64k -f adts".to_owned()),
        ("flac", "-ar 44100 -c:a flac -f flac".to_owned()),
        ("ogg", "-ar 44100 -c:a flac -f ogg".to_owned()),
        ("ogg", "-ac 6 -c:a libopus -b:a 192k -mapping_family 1 -f ogg".to_owned()),
        ("webm", "-c:a libopus -b:a 32k -f webm".to_owned()),
        ("mka", "-ar 44100 -c:a libvorbis -f matroska".to_owned()),
        ("mp4", "-c:a libopus -b:a 32k -f mp4".to_owned()),
        ("mp4", "-ar 44100 -c:a aac -b:a 64k -movflags frag_keyframe+empty_moov -f mp4".to_owned()),
        ("3gp", "-ar 16000 -c:a aac -b:a 32k -f 3gp".to_owned()),
        ("m4a", "-ar 44100 -c:a alac -f ipod".to_owned()),
        ("aiff", "-ar 44100 -f aiff".to_owned()),
        ("rf64", "-ar 44100 -rf64 always -f wav".to_owned()),
        ("wav", "-ar 44100 -ac 8 -f wav".to_owned()),
    ];
    for kind in ["u8", "s24le", "s32le", "f64le"] {
        formats.push(("wav", format!("-ar 16000 -c:a pcm_{kind} -f wav")));
    }
    for rate in [8_000, 16_000, 22_050, 44_100, 48_000] {
        for channels in [1, 2] {
            formats.push(("wav", format!("-ar {rate} -ac {channels} -f wav")));
        }
    }
    let original = heard(Hark::new(), &notes).await;
    assert!(original.iter().all(|note| !words(&note.heard).is_empty()), "{original:#?}");
    let (mut files, mut expected) = (Vec::new(), Vec::new());
    for (ending, arguments) in &formats {
        // The name says how the file was made.
        let ending = format!("{}.{ending}", arguments.replace(' ', "_"));
        files.extend(converted(&notes, &ending, arguments).await);
        expected.extend(original.iter().map(|note| note.heard.clone()));
    }
    for note in &notes {
        for (name, file) in rare(&note.file).await {
            files.push(Note { name: format!("{}.{name}", note.name), said: String::new(), file });
            let same = original.iter().find(|heard| heard.note == note.name).unwrap();
            expected.push(same.heard.clone());
        }
    }
    let mut other = heard(Hark::new(), &files).await;
    for (note, expected) in other.iter_mut().zip(expected) {
        note.said = expected;
    }
    assert!(misheard(&other).is_empty(), "not what was heard in Opus:\n{}", misheard(&other));
}

#[tokio::test]
async fn nothing_of_one_note_is_heard_in_the_next() {
    let mut notes = fixture_notes();
    notes.extend(new_sentences().await.into_iter().take(12));
    // The longest stand before the shortest: what is left of them reaches furthest.
    notes.sort_by_key(|note| note.said.len());
    let last = notes.split_off(notes.len() / 2);
    let mixed: Vec<Note> = last.into_iter().rev().zip(notes).flat_map(<[Note; 2]>::from).collect();
    let mut together = heard(Hark::new(), &mixed).await;
    for (note, together) in mixed.iter().zip(&mut together) {
        let alone = heard(Hark::new(), std::slice::from_ref(note)).await;
        together.said.clone_from(&alone[0].heard);
    }
    assert!(misheard(&together).is_empty(), "not what is heard alone:\n{}", misheard(&together));
}

#[tokio::test]
async fn each_utterance_has_its_place_in_the_note() {
    let limits = AudioLimits { bytes: 1 << 20, seconds: 60 };
    let samples = |name: &str| -> Vec<f64> {
        let speech = audio::decode(&fixture(name).file, limits).unwrap();
        speech.samples().iter().map(|sample| f64::from(*sample)).collect()
    };
    let (first, pause) = (samples("en_hours"), vec![0.0; 5 * RATE]);
    let file = sound::wav(&[&first[..], &pause, &samples("en_person")].concat());
    let note = Note { name: "two.wav".to_owned(), said: String::new(), file };
    let line = &transcribe(Hark::new(), &[note]).await[0];
    let [one, two] = &line["segments"].as_array().unwrap()[..] else { panic!("{line}") };
    let ms = |segment: &Value, key: &str| segment[key].as_f64().unwrap();
    assert!(ms(one, "start_ms") < 200.0 && ms(one, "end_ms") < 2_500.0, "{line}");
    assert!((6_500.0..7_500.0).contains(&ms(two, "start_ms")), "{line}");
    assert!(ms(two, "end_ms") > ms(two, "start_ms") + 1_500.0, "{line}");
    assert!(ms(two, "end_ms") <= line["audio_ms"].as_f64().unwrap(), "{line}");
    let joined = format!("{} {}", one["text"].as_str().unwrap(), two["text"].as_str().unwrap());
    assert_eq!(line["text"], joined);
}

#[tokio::test]
async fn a_note_sent_by_whatsapp_is_understood_and_answered() {
    let app = TestApp::start().set("stt.engine", "whisper");
    let app = app.set("llm.engine", "faq").await;
    app.deliver(voice_note("en_hours.ogg")).await;
    app.run_until_idle().await;
    assert_eq!(app.sent_one().kind, "audio");
    let report = app.report().await;
    let heard = report.transcript.expect("it was heard").text;
    assert!(
        report.reply.text.reveal().contains("nine in the morning"),
        "{heard:?}: {:?}",
        report.reply
    );
}

#[tokio::test]
async fn a_window_that_is_cut_for_a_model_nobody_knows_is_warned_of() {
    let model = concat!(env!("CARGO_MANIFEST_DIR"), "/models/hark-micro-en.bin");
    let model = std::fs::read(model).unwrap();
    let hark = Hark::new().file("other.bin", model).file("a.ogg", fixture("en_yes").file);
    let hark = hark.env("HARK__STT__CUT_AUDIO_CTX", "true");
    for (model, warned) in [("./other.bin", true), (built_in::NAME, false)] {
        let ran = hark.run(&["transcribe", "a.ogg", "--model", model]).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert_eq!(ran.stderr.contains("cut_audio_ctx is true"), warned, "{}", ran.stderr);
    }
}
