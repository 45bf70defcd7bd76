//! The commands as scripts use them: exit codes, JSON shapes, and files other programs can play.

use std::path::Path;

use hark::stt::wer::word_errors;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::harness::sound;
use crate::harness::words::{Comparison, assert_error_rate};
use crate::program::{Hark, PATIENCE, Running, SCRIPTED};

const QUESTION: &[u8] = include_bytes!("../../audio-fixtures/en_hours.ogg");
const STAGES: [&str; 10] =
    ["download", "decode", "vad", "stt", "knowledge", "llm", "tts", "encode", "upload", "send"];
/// The keys of the object that `ask` prints.
const TURN: [&str; 9] = [
    "transcript",
    "reply",
    "audio",
    "engines",
    "stages",
    "total_ms",
    "overhead_ms",
    "outcome",
    "reason",
];

#[track_caller]
fn has_keys(object: &Value, keys: &[&str]) {
    let mut expected = keys.to_vec();
    expected.sort_unstable();
    let mut found: Vec<&str> =
        object.as_object().expect("an object").keys().map(|k| &**k).collect();
    found.sort_unstable();
    assert_eq!(found, expected);
}

/// Checks the keys of a turn: with `sources` only where the agent's knowledge had something, and what
/// the command adds.
#[track_caller]
fn has_turn_keys(turn: &Value, own: &[&str]) {
    // Left out where there is nothing to say.
    let optional = ["sources", "burst_ms"].into_iter().filter(|key| !turn[key].is_null());
    has_keys(turn, &[&TURN[..], &optional.collect::<Vec<_>>(), own].concat());
    if let Some(sources) = turn.get("sources") {
        assert_eq!(sources, &json!([{ "file": "faq.csv" }]), "the demo shop's one file");
    }
}

/// Checks the part of a turn that all commands print alike.
#[track_caller]
fn is_turn(turn: &Value) {
    let number = |value: &Value| value.as_f64().expect("a number");
    let total = number(&turn["total_ms"]);
    assert!((0.0..=total).contains(&number(&turn["overhead_ms"])), "{turn}");
    has_keys(&turn["reply"], &["text"]);
    if !turn["transcript"].is_null() {
        has_keys(&turn["transcript"], &["text", "language", "no_speech_prob", "segments"]);
        for segment in turn["transcript"]["segments"].as_array().unwrap() {
            has_keys(segment, &["start_ms", "end_ms", "text"]);
        }
    }
    for stage in turn["stages"].as_array().unwrap() {
        has_keys(stage, &["name", "start_ms", "end_ms"]);
        assert!(STAGES.contains(&stage["name"].as_str().unwrap()), "{stage}");
        let (start, end) = (number(&stage["start_ms"]), number(&stage["end_ms"]));
        assert!(0.0 <= start && start <= end && end <= total, "{stage} in {total}");
    }
    assert_eq!((turn["outcome"].as_str(), &turn["reason"]), (Some("voice_note"), &Value::Null));
    is_note(&turn["audio"]);
}

/// Checks that a fixture was understood: its voice is new to the model, so not every word needs to
/// be right. How many do is for `hearing` to say.
#[track_caller]
fn is_heard(text: &Value, said: &str) {
    let heard = text.as_str().expect("a text");
    assert!(word_errors(said, heard).rate() <= 0.25, "said {said:?}, heard {heard:?}");
}

#[track_caller]
fn is_note(audio: &Value) {
    has_keys(audio, &["path", "bytes", "duration_ms", "bitrate"]);
    assert!(audio["bytes"].is_u64() && audio["bitrate"].is_u64() && audio["duration_ms"].is_f64());
}

/// Lets opusinfo and ffprobe judge a note and compares it with what hark says of it.
async fn plays(file: &Path, audio: &Value) {
    assert_eq!(std::fs::metadata(file).unwrap().len(), audio["bytes"].as_u64().unwrap());
    let judged = Command::new("opusinfo").arg(file).output().await.expect("opusinfo is there");
    let judged = String::from_utf8(judged.stdout).unwrap();
    assert!(!judged.contains("WARNING") && !judged.contains("ERROR"), "{judged}");
    assert!(judged.contains("Channels: 1\n"), "{judged}");
    let show = ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0"];
    let probed = Command::new("ffprobe").args(show).arg(file).output().await;
    let probed = probed.expect("ffprobe is there");
    assert_eq!(String::from_utf8_lossy(&probed.stderr), "");
    let seconds: f64 = String::from_utf8(probed.stdout).unwrap().trim().parse().unwrap();
    // ffprobe counts the pre-skip, 6.5 ms.
    let off = seconds * 1000.0 - audio["duration_ms"].as_f64().unwrap();
    assert!(off.abs() <= 20.0, "{off} ms");
}

#[tokio::test]
async fn ask_prints_one_turn_and_writes_a_note_that_plays() {
    let hark = Hark::new();
    let ran = hark.run(&["ask", "--text", "when do you open", "--json"]).await;
    let lines = ran.json(0);
    let [turn] = &lines[..] else { panic!("{lines:?}") };
    has_turn_keys(turn, &[]);
    assert!(!turn["sources"].is_null(), "it is answered from a file");
    is_turn(turn);
    assert_eq!((&turn["transcript"], &turn["audio"]["path"]), (&Value::Null, &json!("reply.ogg")));
    assert!(turn["reply"]["text"].as_str().unwrap().contains("Monday"), "{turn}");
    plays(&hark.path("reply.ogg"), &turn["audio"]).await;
}

#[tokio::test]
async fn words_in_place_of_a_file_get_a_hint() {
    let long = "and ".repeat(100);
    for words in ["when do you open", &long] {
        let ran = Hark::new().run(&["ask", words]).await;
        assert_eq!((ran.code, ran.text()), (1, ""));
        assert!(ran.stderr.contains("hark ask --text"), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn ask_reads_standard_input() {
    let hark = Hark::new();
    let ran = hark.run_with(&["ask", "-", "-o", "answer.ogg", "--json"], QUESTION).await;
    let turn = &ran.json(0)[0];
    is_turn(turn);
    is_heard(&turn["transcript"]["text"], "When do you open on Saturday?");
    assert_eq!(turn["transcript"]["no_speech_prob"], 0.0);
    assert!(turn["reply"]["text"].as_str().unwrap().contains("nine in the morning"), "{turn}");
    let names: Vec<&str> =
        turn["stages"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert!(["decode", "vad", "stt", "llm", "tts", "encode"].iter().all(|n| names.contains(n)));
    plays(&hark.path("answer.ogg"), &turn["audio"]).await;
}

#[tokio::test]
async fn say_writes_a_note_to_a_file_or_to_standard_output() {
    let hark = Hark::new();
    let ran = hark.run(&["say", "Good morning.", "-o", "a.ogg", "--json"]).await;
    let audio = &ran.json(0)[0];
    is_note(audio);
    plays(&hark.path("a.ogg"), audio).await;
    let ran = hark.run(&["say", "Good morning.", "-o", "-"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, std::fs::read(hark.path("a.ogg")).unwrap());
    assert!(!hark.path("reply.ogg").exists());
    for nothing in ["", " \n"] {
        let ran = hark.run(&["say", nothing]).await;
        assert_eq!((ran.code, ran.text()), (1, ""), "{nothing:?}");
        assert_eq!(ran.stderr, "hark: there is nothing to say in the text\n");
    }
}

#[tokio::test]
async fn a_text_that_no_note_holds_is_refused_before_a_voice_begins() {
    // Whoever asked this server would say so.
    let voice =
        "[tts]\nengine = \"openai\"\nurl = \"http://127.0.0.1:1\"\nmodel = \"m\"\nvoice = \"v\"\n";
    let hark = Hark::new().file("hark.toml", voice);
    let ran = hark.run(&["say", &"We are open all day. ".repeat(3_000)]).await;
    let refused = "hark: the text is too long for a voice note: 60000 characters are to be said, and \
                   its five minutes hold 6000; say it in several notes\n";
    assert!(ran.code == 1 && ran.stderr.ends_with(refused), "{}", ran.stderr);
}

#[tokio::test]
async fn say_prints_what_would_be_spoken_and_which_rule_said_it() {
    let hark = Hark::new();
    let text = "Cuesta $15.000 [1]. Su código es 482913.";
    let ran = hark.run(&["say", "--print", "--language", "es-CL", text]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let lines = [
        "Cuesta quince mil pesos.",
        "  markup: \"Cuesta $15.000 [1].\" -> \"Cuesta $15.000.\"",
        "  quantity: \"$15.000\" -> \"quince mil pesos\"",
        "Su código es cuatro ocho dos, nueve uno tres.",
        "  code: \"482913\" -> \"cuatro ocho dos, nueve uno tres\"",
        "",
    ];
    assert_eq!(ran.text(), lines.join("\n"));
    let ran = hark.run(&["say", "--print", "--json", "It costs $5."]).await;
    let change = json!({ "rule": "quantity", "written": "$5", "spoken": "five dollars" });
    let sentence = json!({
        "written": "It costs $5.",
        "spoken": "It costs five dollars.",
        "language": "en",
        "changes": [change],
    });
    assert_eq!(ran.json(0), [sentence]);
    assert!(!hark.path("reply.ogg").exists());
}

#[tokio::test]
async fn transcribe_prints_a_line_a_file_in_order_and_fails_if_one_failed() {
    let hark = Hark::new()
        .file("one.ogg", QUESTION)
        .file("two.ogg", "this is no audio")
        .file("four.ogg", include_bytes!("../../audio-fixtures/en_price.ogg"));
    let files = ["one.ogg", "two.ogg", "none.ogg", "four.ogg"];
    let ran = hark.run(&[&["transcribe", "--json"][..], &files].concat()).await;
    let lines = ran.json(1);
    assert_eq!(lines.iter().map(|line| &line["file"]).collect::<Vec<_>>(), files);
    for line in &lines {
        let keys = ["file", "text", "language", "segments", "audio_ms", "stt_ms", "error"];
        has_keys(line, &keys);
        assert_eq!(line["text"].is_null(), line["error"].is_string(), "{line}");
    }
    is_heard(&lines[0]["text"], "When do you open on Saturday?");
    assert_eq!(lines[0]["language"], "en");
    // ffprobe says 2.032 s and counts the pre-skip.
    assert!((lines[0]["audio_ms"].as_f64().unwrap() - 2025.5).abs() < 1.0, "{}", lines[0]);
    assert!(lines[0]["stt_ms"].is_f64());
    assert!(lines[1]["error"].as_str().unwrap().contains("unsupported"), "{}", lines[1]);
    assert!(lines[2]["error"].as_str().unwrap().contains("No such file"), "{}", lines[2]);
    is_heard(&lines[3]["text"], "How much does the coffee cost?");
    let ran = hark.run(&["transcribe", "four.ogg", "one.ogg"]).await;
    assert_eq!(ran.code, 0);
    let words = format!("four.ogg: {}  [", lines[3]["text"].as_str().unwrap());
    assert!(ran.text().starts_with(&words), "{}", ran.text());
}

#[tokio::test]
async fn a_note_without_words_takes_no_time_and_not_less() {
    let hark = Hark::new().file("still.wav", sound::wav(&vec![0.0; 2 * sound::RATE]));
    let ran = hark.run(&["transcribe", "--json", "still.wav"]).await;
    assert!(ran.text().contains("\"stt_ms\":0.0,"), "{}", ran.text());
}

#[cfg(feature = "model-micro")]
#[tokio::test]
async fn a_language_that_the_model_does_not_know_is_refused() {
    let hark = Hark::new().file("note.ogg", QUESTION);
    let check = async |hark: &Hark, arguments: &[&str], words: &[&str]| {
        let ran = hark.run(&[&["transcribe", "note.ogg"], arguments].concat()).await;
        assert_eq!((ran.code, ran.text()), (64, ""), "{arguments:?}: {}", ran.stderr);
        for word in words {
            assert!(ran.stderr.contains(word), "{arguments:?}: {}", ran.stderr);
        }
    };
    let model = "model hark-micro-en knows only \"en\"";
    for language in ["es", "klingon"] {
        let words =
            ["hark: --language: ", &format!("{language:?}"), model, "hark models pull base"];
        check(&hark, &["--language", language], &words).await;
    }
    assert_eq!(hark.run(&["transcribe", "note.ogg", "--language", "en-GB"]).await.code, 0);
    for (toml, key) in [
        ("[stt]\nlanguage = \"klingon\"\n", "stt.model"),
        ("[[agents]]\nname = \"hark\"\nlanguages = [\"en\", \"es\"]\n", "stt.model"),
        ("[[agents]]\nname = \"hark\"\nlanguage = \"klingon\"\n", "agents[0].language"),
    ] {
        let hark = Hark::new().file("note.ogg", QUESTION).file("hark.toml", toml);
        check(&hark, &[], &[key]).await;
    }
}

#[tokio::test]
async fn demo_hears_every_fixture_and_answers_it_with_a_voice_note() {
    let hark = Hark::new();
    let ran = hark.run(&["demo", "--once", "--json"]).await;
    let lines = ran.json(0);
    let fixtures: Vec<&str> = lines.iter().map(|line| line["fixture"].as_str().unwrap()).collect();
    let built_in = hark::cli::fixtures::all();
    assert_eq!(fixtures, built_in.iter().map(|fixture| fixture.name).collect::<Vec<_>>());
    assert!(fixtures.len() >= 11, "{fixtures:?}");
    let notes = lines.iter().zip(built_in).map(|(line, fixture)| Comparison {
        note: fixture.name.to_owned(),
        said: fixture.transcript.to_owned(),
        heard: line["transcript"]["text"].as_str().unwrap_or_default().to_owned(),
    });
    assert_error_rate("the demo", &notes.collect::<Vec<_>>(), 15.0);
    for line in &lines {
        has_turn_keys(line, &["fixture"]);
        is_turn(line);
        plays(Path::new(line["audio"]["path"].as_str().unwrap()), &line["audio"]).await;
    }
    assert!(!ran.stderr.contains("scripted"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_reader_that_leaves_early_is_no_failure() {
    let hark = Hark::new().file("hark.toml", SCRIPTED).file("a.ogg", QUESTION);
    for command in ["transcribe a.ogg a.ogg a.ogg", "say hello -o -", "ask --text hello --json"] {
        let pipe = format!("{} {command} | true", env!("CARGO_BIN_EXE_hark"));
        let mut shell = Command::new("bash");
        shell.args(["-o", "pipefail", "-c", &pipe]).current_dir(hark.path(""));
        let ran = shell.output().await.unwrap();
        assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
    }
}

/// `hark simulate` and `hark serve`, each a process, pointed at each other.
async fn two_processes(hark: Hark) -> (Hark, Running, Running) {
    // An address nobody else takes, since one of the two must be known beforehand.
    let probe = TcpListener::bind("127.0.0.77:0").await.unwrap();
    let whatsapp = probe.local_addr().unwrap().to_string();
    drop(probe);
    let number = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[[numbers]]\nphone_number_id = \"900\"\n\
         provider = \"simulator\"\naccess_token = \"t\"\napp_secret = \"s\"\n\
         api_url = \"http://{whatsapp}\"\n"
    );
    let hark = hark.file("hark.toml", number);
    let service = hark.start(&["serve"]).await;
    let webhook = service.url("/webhook");
    let simulate = ["simulate", "--listen", &whatsapp, "--webhook", &webhook];
    let secrets = ["--app-secret", "s", "--phone-number-id", "900"];
    let simulator = hark.start(&[&simulate[..], &secrets].concat()).await;
    (hark, service, simulator)
}

#[tokio::test]
async fn faults_that_cannot_be_are_named_and_nothing_starts() {
    let hark = Hark::new().file("f.toml", "[sends]\nslow = 2\nhang_up = 0.1\n");
    let simulate = ["simulate", "--webhook", "http://127.0.0.1:9/webhook", "--app-secret", "s"];
    let faults = ["--phone-number-id", "900", "--faults", "f.toml", "--seed", "3"];
    let ran = hark.run(&[&simulate[..], &faults].concat()).await;
    assert_eq!(ran.code, 64, "{}", ran.stderr);
    for said in ["f.toml", "sends.slow", "from 0 to 1", "sends.hang_up", "hang_up_after"] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
}

#[tokio::test]
async fn turns_shows_what_a_service_answered() {
    let (hark, service, whatsapp) = two_processes(Hark::new().file("q.ogg", QUESTION)).await;
    let client = hark::remote::http_client();
    for said in [
        json!({ "from": "15550001", "text": "do you ship abroad" }),
        json!({ "from": "15550002", "file": hark.path("q.ogg") }),
    ] {
        let sent = client.post(whatsapp.url("/sim/messages")).json(&said).send().await.unwrap();
        assert_eq!(sent.status(), 200);
    }
    // Beside the running service: a finished turn with its last status is what is waited for.
    let all_ended = async {
        loop {
            let turns = hark.run(&["turns", "--json"]).await.json(0);
            let read = |turn: &Value| turn["statuses"].as_array().is_some_and(|s| s.len() >= 2);
            if turns.len() == 2 && turns.iter().all(read) {
                return turns;
            }
        }
    };
    let mut turns = tokio::time::timeout(PATIENCE, all_ended).await.expect("both turns end");
    turns.sort_by_key(|turn| turn["contact"].as_str().map(str::to_owned));
    let own = [
        "turn",
        "number",
        "contact",
        "name",
        "agent",
        "attempt",
        "created_ms",
        "queue_ms",
        "heard",
        "statuses",
        "messages",
        "deliveries",
    ];
    for turn in &turns {
        has_turn_keys(turn, &own);
        assert_eq!((&turn["number"], &turn["agent"]), (&json!("900"), &json!("hark")));
    }
    assert_eq!(
        (&turns[0]["contact"], &turns[0]["heard"]),
        (&json!("15550001"), &json!("do you ship abroad"))
    );
    assert_eq!(turns[0]["outcome"], "voice_note");
    is_heard(&turns[1]["transcript"]["text"], "When do you open on Saturday?");
    let one = hark.run(&["turns", "--json", "--contact", "15550002", "--limit", "5"]).await.json(0);
    assert_eq!((one.len(), &one[0]["turn"]), (1, &turns[1]["turn"]));
    let words = hark.run(&["turns", "--limit", "1"]).await;
    assert!(words.text().contains("outcome   voice_note"), "{}", words.text());
    assert_eq!((service.stop().await, whatsapp.stop().await), (0, 0));
}

#[tokio::test]
async fn turns_without_a_store_says_so() {
    let ran = Hark::new().run(&["turns"]).await;
    assert_eq!((ran.code, ran.text()), (1, ""));
    assert!(ran.stderr.contains("there is no store at hark.db yet"), "{}", ran.stderr);
}
