//! Real webhooks, real and broken audio, and whisper.cpp's test models, from the folder that
//! `HARK_CORPUS` names. They are not part of the repository: without the variable nothing is run,
//! and one line says so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Once;

use hark::app::{App, EnginePool, Hearing, Places};
use hark::audio::{self, AudioLimits};
use hark::clock::Clock;
use hark::config;
use hark::lifecycle::Shutdown;
use hark::provider::{door, payload};
use hark::remote::http_client;
use hark::turn::{Body, DeliveryStatus, Inbound};
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[cfg(feature = "stt-whisper")]
mod whisper;

/// What each webhook of the corpus means: messages by type and body, statuses, other updates.
type Meaning = (&'static str, &'static [(&'static str, Kind)], &'static [DeliveryStatus], usize);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    Audio,
    Unsupported,
    Silent,
}

use DeliveryStatus::{Delivered, Failed, Sent};
use Kind::{Audio, Silent, Text, Unsupported};

const WEBHOOKS: &[Meaning] = &[
    ("meta-bsuid__status_delivered_bsuid_only", &[], &[Delivered], 0),
    ("meta-bsuid__status_delivered_phone_and_bsuid", &[], &[Delivered], 0),
    ("meta-bsuid__text_bsuid_only_no_phone", &[("text", Text)], &[], 0),
    ("meta-docs__audio_voice_note_with_url", &[("audio", Audio)], &[], 0),
    ("meta-docs__call_recording_available", &[], &[], 1),
    ("meta-docs__document", &[("document", Text)], &[], 0),
    ("meta-docs__phone_number_quality_update", &[], &[], 1),
    ("meta-docs__status_failed_131049", &[], &[Failed], 0),
    ("meta-docs__status_minimal_v24", &[], &[Sent], 0),
    ("meta-docs__status_sent_v23", &[], &[Sent], 0),
    ("meta-docs__sticker", &[("sticker", Unsupported)], &[], 0),
    ("meta-docs__system_user_changed_number", &[("system", Silent)], &[], 0),
    ("meta-docs__unsupported_edit", &[("unsupported", Unsupported)], &[], 0),
    ("meta-docs__user_preferences", &[], &[], 1),
    ("meta-docs__value_level_errors_130429", &[], &[], 1),
    ("meta-docs__video", &[("video", Text)], &[], 0),
    ("meta-openapi__button_quick_reply", &[("button", Text)], &[], 0),
    ("meta-openapi__contacts", &[("contacts", Text)], &[], 0),
    ("meta-openapi__group_create", &[], &[], 1),
    ("meta-openapi__image", &[("image", Text)], &[], 0),
    ("meta-openapi__interactive_button_reply", &[("interactive", Text)], &[], 0),
    ("meta-openapi__interactive_list_reply", &[("interactive", Text)], &[], 0),
    ("meta-openapi__location", &[("location", Text)], &[], 0),
    ("meta-openapi__order", &[("order", Unsupported)], &[], 0),
    ("meta-openapi__reaction", &[("reaction", Silent)], &[], 0),
    ("meta-openapi__text", &[("text", Text)], &[], 0),
    ("meta-openapi__text_ctwa_referral", &[("text", Text)], &[], 0),
    ("meta-openapi__text_product_inquiry", &[("text", Text)], &[], 0),
];

/// The corpus's folder, if there is one.
pub(crate) fn corpus() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the tests of the corpus have no configuration")]
    let folder = std::env::var("HARK_CORPUS").ok();
    if folder.is_none() {
        static SAID: Once = Once::new();
        SAID.call_once(|| eprintln!("HARK_CORPUS is not set: the corpus was not run"));
    }
    folder.map(PathBuf::from)
}

pub(crate) fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn kind(message: &Inbound) -> (&str, Kind) {
    let kind = match message.body {
        Body::Text { .. } => Text,
        Body::Audio { .. } => Audio,
        Body::Unsupported | Body::Lost => Unsupported,
        Body::Silent => Silent,
        Body::Reply { .. } | Body::FollowUp { .. } => unreachable!("no webhook has it"),
    };
    (&message.raw_type, kind)
}

#[test]
fn corpus_webhooks_mean_what_their_index_says() {
    let Some(corpus) = corpus() else { return };
    let index = String::from_utf8(read(&corpus.join("payloads/INDEX.md"))).unwrap();
    let mut webhooks: Vec<&str> = index
        .lines()
        .filter(|line| line.contains("| webhook |"))
        .filter_map(|line| line.trim_start_matches("| ").split_once(".json"))
        .map(|(name, _)| name)
        .collect();
    webhooks.sort_unstable();
    assert_eq!(webhooks, WEBHOOKS.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
    for (name, messages, statuses, others) in WEBHOOKS {
        let updates = payload::parse(&webhook(&corpus, name)).unwrap();
        assert_eq!(updates.messages.iter().map(kind).collect::<Vec<_>>(), *messages, "{name}");
        let found: Vec<_> = updates.statuses.iter().map(|status| status.status).collect();
        assert_eq!((found.as_slice(), updates.others), (*statuses, *others), "{name}");
        for message in &updates.messages {
            let from = message.from.as_ref().expect("every message names its sender");
            let only_user_id = name.contains("bsuid_only");
            assert_eq!(from.phone.is_none(), only_user_id, "{name}");
            assert!(from.user_id.is_some() || !only_user_id, "{name}");
            assert!(message.sent_at_ms > 1_500_000_000_000, "{name}");
            if let Body::Audio { media } = &message.body {
                assert!(media.url.is_some(), "{name}");
                assert_eq!(media.mime_type.as_deref(), Some("audio/ogg; codecs=opus"), "{name}");
            }
        }
    }
}

fn webhook(corpus: &Path, name: &str) -> Vec<u8> {
    read(&corpus.join(format!("payloads/{name}.json")))
}

#[tokio::test]
async fn corpus_webhooks_are_answered_200_and_counted() {
    let Some(corpus) = corpus() else { return };
    for (name, messages, statuses, others) in WEBHOOKS {
        let folder = tempfile::tempdir().unwrap();
        let url = serve(folder.path()).await;
        let (accepted, ignored) = (messages.len(), statuses.len() + others);
        let first = post(&url, webhook(&corpus, name)).await;
        let counts = json!({
            "status": "accepted", "accepted": accepted, "duplicates": 0, "ignored": ignored,
        });
        assert_eq!(first, counts, "{name}");
        let again = post(&url, webhook(&corpus, name)).await;
        let known = if accepted > 0 { "duplicate" } else { "accepted" };
        assert_eq!(again["status"], known, "{name}: {again}");
    }
}

/// Runs the service with the number of Meta's examples, which is paused: nothing is answered.
async fn serve(folder: &Path) -> String {
    let toml = "[[numbers]]\nphone_number_id = \"106540352242922\"\naccess_token = \"t\"\n\
                app_secret = \"s\"\nstatus = \"paused\"\n[stt]\nengine = \"scripted\"\n\
                [tts]\nengine = \"scripted\"\n[store]\nurl = \"hark.db\"\n";
    std::fs::write(folder.join("hark.toml"), toml).unwrap();
    let config = config::load(Some(&folder.join("hark.toml")), &BTreeMap::new()).unwrap();
    let pool = EnginePool::new(Places::default(), Hearing::default());
    let app = App::build(&config, pool, Clock::System).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhook", listener.local_addr().unwrap());
    tokio::spawn(app.run(listener, None, Shutdown::default()));
    url
}

async fn post(url: &str, body: Vec<u8>) -> Value {
    let signature = door::sign(&"s".into(), &body);
    let request = http_client().post(url).header("x-hub-signature-256", signature).body(body);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

/// The audio files under `folder` with the length ffmpeg found, 0 if it found none.
fn audio_files(corpus: &Path, folder: &str) -> Vec<(String, f64)> {
    let manifest: Value = serde_json::from_slice(&read(&corpus.join("manifest.json"))).unwrap();
    let files = manifest.as_array().unwrap().iter().filter(|file| file["ffmpeg"].is_object());
    files
        .map(|file| {
            let samples = file["ffmpeg"]["samples16k"].as_f64().unwrap_or(0.0);
            (file["path"].as_str().unwrap().to_owned(), samples / 16.0)
        })
        .filter(|(path, _)| path.starts_with(folder))
        .collect()
}

const LIMITS: AudioLimits = AudioLimits { bytes: 16 << 20, seconds: 600 };

#[test]
fn corpus_speech_is_decoded_to_its_length() {
    let Some(corpus) = corpus() else { return };
    let files = audio_files(&corpus, "speech/");
    assert!(files.len() >= 20, "{}", files.len());
    for (file, expected_ms) in files {
        let speech = audio::decode(&read(&corpus.join(&file)), LIMITS);
        let off_ms =
            speech.unwrap_or_else(|error| panic!("{file}: {error}")).duration_ms() - expected_ms;
        assert!(off_ms.abs() <= (expected_ms * 0.01).max(60.0), "{file}: {off_ms} ms off");
    }
}

/// Holds codec and container of each file, as ffprobe names them, and the outcome.
const OUTCOMES: &str = include_str!("../../corpus.tsv");

/// A row of `tests/corpus.tsv`, less the file.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    codec: String,
    container: String,
    /// `decoded` or `refused`.
    outcome: String,
    /// The length in ms, or the words.
    detail: String,
}

impl Row {
    fn of(file: &Value, bytes: &[u8]) -> Self {
        let probe = |key: &str| file["probe"][key].as_str().unwrap_or("-").to_owned();
        let (outcome, detail) = match audio::decode(bytes, LIMITS) {
            Ok(speech) => {
                assert!(speech.samples().iter().all(|sample| sample.abs() <= 1.0), "{file}");
                ("decoded", format!("{:.0}", speech.duration_ms()))
            }
            Err(error) => ("refused", error.to_string()),
        };
        let container = probe("format").split(',').next().unwrap_or("-").to_owned();
        Self { codec: probe("codec"), container, outcome: outcome.to_owned(), detail }
    }

    /// The length, if it was decoded.
    fn ms(&self) -> Option<f64> {
        (self.outcome == "decoded").then(|| self.detail.parse().expect("a length"))
    }
}

/// The length that a file must have: ffmpeg's, where ffmpeg had nothing to complain of and the codec
/// is one that hark promises to hear.
fn promised_ms(file: &Value) -> Option<f64> {
    let (probe, ffmpeg) = (&file["probe"], &file["ffmpeg"]);
    let samples = ffmpeg["samples16k"].as_f64().unwrap_or(0.0);
    let clean = ffmpeg["rc"] == 0 && ffmpeg["errlines"] == 0 && samples > 0.0;
    let promised = match probe["codec"].as_str().unwrap_or_default() {
        "opus" => probe["ch"].as_u64() <= Some(2),
        "flac" | "vorbis" | "mp3" | "aac" | "amr_nb" | "amr_wb" => true,
        codec => codec.starts_with("pcm_"),
    };
    (clean && promised).then_some(samples / 16.0)
}

#[test]
fn corpus_codecs_are_decoded_to_their_length_or_refused_in_words() {
    let Some(corpus) = corpus() else { return };
    let manifest: Value = serde_json::from_slice(&read(&corpus.join("manifest.json"))).unwrap();
    let files = manifest.as_array().unwrap().iter();
    let files = files.filter_map(|file| Some((file["path"].as_str()?, file)));
    let found: BTreeMap<&str, Row> = files
        .clone()
        .filter(|(path, _)| path.starts_with("codec/"))
        .map(|(path, file)| (path, Row::of(file, &read(&corpus.join(path)))))
        .collect();

    // Decoded, refused, and wrong: not the promised length.
    let mut table: BTreeMap<(&str, &str), [usize; 3]> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (path, file) in files.filter(|(path, _)| found.contains_key(path)) {
        let row = &found[path];
        let promised = promised_ms(file);
        let near = |ms: f64, promised: f64| (ms - promised).abs() <= (promised * 0.01).max(60.0);
        let kept = promised.is_none_or(|promised| row.ms().is_some_and(|ms| near(ms, promised)));
        let counts = table.entry((&row.codec, &row.container)).or_default();
        counts[if kept { usize::from(row.outcome == "refused") } else { 2 }] += 1;
        if !kept {
            wrong.push(format!("{path}: {promised:?} ms promised, {row:?}"));
        }
    }
    eprintln!(
        "{:<14} {:<12} {:>8} {:>8} {:>6}",
        "codec", "container", "decoded", "refused", "wrong"
    );
    for ((codec, container), [decoded, refused, wrong]) in &table {
        eprintln!("{codec:<14} {container:<12} {decoded:>8} {refused:>8} {wrong:>6}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_outcomes(&found);
}

/// Compares with `tests/corpus.tsv`; what differs is shown as the rows that would be right.
fn assert_outcomes(found: &BTreeMap<&str, Row>) {
    let stated: BTreeMap<&str, Row> = OUTCOMES
        .lines()
        .skip(1)
        .map(|line| {
            let [file, codec, container, outcome, detail] =
                line.split('\t').collect::<Vec<_>>().try_into().expect("five columns");
            let [codec, container, outcome, detail] =
                [codec, container, outcome, detail].map(str::to_owned);
            (file, Row { codec, container, outcome, detail })
        })
        .collect();
    let same = |path: &str, row: &Row| {
        let Some(stated) = stated.get(path) else { return false };
        match (row.ms(), stated.ms()) {
            (Some(found), Some(stated)) => (found - stated).abs() <= 1.0,
            _ => row == stated,
        }
    };
    let rows: Vec<String> = found
        .iter()
        .filter(|(path, row)| !same(path, row))
        .map(|(path, Row { codec, container, outcome, detail })| {
            format!("{path}\t{codec}\t{container}\t{outcome}\t{detail}\n")
        })
        .collect();
    assert!(rows.is_empty(), "tests/corpus.tsv should say:\n{}", rows.concat());
    let gone: Vec<_> = stated.keys().filter(|path| !found.contains_key(*path)).collect();
    assert!(gone.is_empty(), "not in the corpus: {gone:?}");
}

/// How alike two sounds are, at the shift of up to 2 ms that fits best: 1 is the same.
pub(crate) fn correlation(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let alike = |a, b| dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    let shifts = (0..32).flat_map(|shift| [alike(&a[shift..], b), alike(a, &b[shift..])]);
    shifts.fold(-1.0, f32::max)
}

#[tokio::test]
async fn corpus_amr_sounds_as_ffmpeg_decodes_it() {
    let Some(corpus) = corpus() else { return };
    for file in [
        "amr/sample_nb.amr",
        "amr/sine-nb.amr",
        "amr/sample_wb.amr",
        "3gp/bbb_mono_8kHz_12.2kbps_amrnb.3gp",
        "3gp/bbb_mono_16kHz_23.05kbps_amrwb.3gp",
    ] {
        let path = corpus.join("codec/androidx-media").join(file);
        let ours = audio::decode(&read(&path), LIMITS).unwrap();
        // 3gp cannot be read from a pipe where its tables stand at the end.
        let arguments =
            format!("-nostdin -loglevel error -i {} -ar 16000 -f wav -", path.display());
        let judge =
            std::process::Command::new("ffmpeg").args(arguments.split(' ')).output().unwrap();
        let theirs = audio::decode(&judge.stdout, LIMITS).unwrap();
        let alike = correlation(ours.samples(), theirs.samples());
        let off_ms = ours.duration_ms() - theirs.duration_ms();
        eprintln!("{file}: correlation with ffmpeg {alike:.5}, {off_ms} ms longer");
        assert!(alike > 0.95 && off_ms.abs() <= 60.0, "{file}: {alike}, {off_ms} ms off");
    }
}
