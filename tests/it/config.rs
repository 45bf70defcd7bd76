//! The configuration as an operator meets it: what is refused and in which words, and which layer
//! wins.

use std::collections::BTreeMap;

use hark::config::{self, Config};
use hark::engine;
use hark::speech_text::lang;
use hark::stt::SttEngine;
use hark::stt::whisper::{self, CutAudioCtx};
use secrecy::ExposeSecret as _;

use crate::program::{Hark, SCRIPTED};

/// A number that has all it needs.
const NUMBER: &str = "[[numbers]]\nphone_number_id = \"106\"\naccess_token = \"token\"\n\
                      app_secret = \"secret\"\n";

/// `serve` with this file ends with 64 and says each of `words`.
async fn check(toml: &str, words: &[&str]) {
    let hark = Hark::new().file("mine.toml", toml);
    says(&hark, &["serve", "--config", "mine.toml"], words).await;
}

async fn says(hark: &Hark, arguments: &[&str], words: &[&str]) {
    let ran = hark.run(arguments).await;
    assert_eq!(ran.code, 64, "{arguments:?}: {}{}", ran.text(), ran.stderr);
    assert_eq!(ran.text(), "", "errors are no results");
    for word in words {
        assert!(ran.stderr.contains(word), "no {word:?} in: {}", ran.stderr);
    }
}

/// Loads a file with these variables.
fn load(toml: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, toml).unwrap();
    let owned = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment: BTreeMap<String, String> = owned.collect();
    config::load(Some(&file), &environment).map_err(|error| error.to_string())
}

/// What `[stt]` says of whisper.
fn whisper(config: &Config) -> whisper::Settings {
    match engine::read(&config.stt).unwrap() {
        SttEngine::Whisper(settings) => settings,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_broken_file_is_refused_by_name_and_line() {
    check("[server\nlisten = \"secret\"", &["mine.toml: the file: line 1 is not TOML"]).await;
    check("[server]\nlisten = 127.0.0.1:1\n", &["mine.toml", "line 2"]).await;
    let hark = Hark::new();
    says(&hark, &["serve", "--config", "none.toml"], &["none.toml", "No such file"]).await;
}

#[tokio::test]
async fn unknown_keys_and_wrong_types_are_named() {
    check("[server]\nlisen = \"1\"", &["mine.toml: server.lisen: unknown field `lisen`"]).await;
    check("[servers]\n", &["mine.toml: servers: unknown field"]).await;
    check(&format!("{NUMBER}tokn = \"a\""), &["mine.toml: numbers[0].tokn: unknown"]).await;
    check("[server]\nlisten = 8080", &["mine.toml: server.listen: invalid type: integer"]).await;
    check("[limits]\nturn_seconds = \"9\"", &["mine.toml: limits.turn_seconds: invalid"]).await;
    check("[limits]\nturn_seconds = 0", &["mine.toml: limits.turn_seconds: must be"]).await;
    check("[[agents]]\nname = \"a\"\nreply = \"sing\"", &["agents[1].reply", "reciprocal"]).await;
    check("[[agents]]\nname = \"a\"\nstt = { modl = \"b\" }", &["agents[1].stt", "`modl`"]).await;
    let modl = "mine.toml: stt.modl: unknown field `modl`, expected one of `engine`, `model`";
    check("[stt]\nmodl = \"b\"", &[modl]).await;
    check("[tts]\nrtf = \"b\"", &["mine.toml: tts.rtf: invalid type: string"]).await;
    check("[stt]\nlanguage = 1", &["mine.toml: stt.language: invalid type: integer"]).await;
    check("[stt]\nengine = 1", &["mine.toml: stt.engine: invalid type: integer"]).await;
    check("[stt]\nstates = 0", &["mine.toml: stt.states: must be at least 1"]).await;
    check("[log]\nlevel = \"hark=loud\"", &["mine.toml: log.level"]).await;
    let cut = "stt.cut_audio_ctx: must be \"auto\", true or false";
    check("[stt]\ncut_audio_ctx = \"no\"", &["mine.toml", cut]).await;
    let cut = "agents[1].stt: cut_audio_ctx: must be \"auto\", true or false";
    check("[[agents]]\nname = \"a\"\nstt = { cut_audio_ctx = 1 }", &["mine.toml", cut]).await;
}

#[tokio::test]
async fn what_is_missing_is_named_with_both_ways_to_give_it() {
    let without = |key: &str| -> String {
        NUMBER.split_inclusive('\n').filter(|line| !line.starts_with(key)).collect()
    };
    let missing = "mine.toml: numbers[0].app_secret: is missing; set app_secret or app_secret_file";
    check(&without("app_secret"), &[missing]).await;
    check(&without("access_token"), &["mine.toml: numbers[0].access_token: is missing"]).await;
    check(&without("phone"), &["mine.toml: numbers[0]", "phone_number_id"]).await;
    check(&NUMBER.replace("\"secret\"", "\"\""), &["numbers[0].app_secret: is missing"]).await;
    check(SCRIPTED, &["numbers: no business number is configured"]).await;
    let begin = ["no business number", "hark.toml is not there", "hark init", "hark demo", "docs/"];
    says(&Hark::new(), &["serve"], &begin).await;
    check(
        &format!("{NUMBER}app_secret_file = \"none\""),
        &["mine.toml: numbers[0].app_secret_file: app_secret is set too"],
    )
    .await;
    let file = without("app_secret") + "app_secret_file = \"none\"";
    check(&file, &["mine.toml: numbers[0].app_secret_file", "none: No such file"]).await;
}

#[tokio::test]
async fn agents_and_engines_that_do_not_exist_are_refused_with_those_that_do() {
    check("default_agent = \"x\"", &["mine.toml: default_agent: there is no agent \"x\""]).await;
    let no_agent = "mine.toml: numbers[0].agent: there is no agent \"x\"; agents are: hark";
    check(&format!("{NUMBER}agent = \"x\""), &[no_agent]).await;
    check("[llm]\nengine = \"claude\"", &["mine.toml: llm.engine: unknown engine \"claude\""])
        .await;
    let store = |url: &str| format!("[store]\nurl = \"{url}\"");
    let odd = store("postgres://u:secret@db/hark?sslmode=odd");
    check(&odd, &["mine.toml: store.url: invalid connection string", "sslmode"]).await;
    check(&store("mysql://db"), &["store.url: unknown store \"mysql\"; use a path"]).await;
    let gone = "[store]\nengine = \"sqlite\"";
    check(gone, &["mine.toml: store.engine: leave it out: [store] url decides"]).await;
    for key in ["engine = \"embedded\"", "url = \"redis://a\""] {
        check(&format!("[queue]\n{key}"), &["mine.toml: queue.", "see [store] url"]).await;
    }
    check("[queue]\nturns = 0", &["mine.toml: queue.turns: must be from 1 to 10000"]).await;
    check("[stt]\nengine = \"ears\"", &["mine.toml: stt.engine: unknown engine \"ears\""]).await;
    check("[[agents]]\nname = \"a\"\nllm = \"x\"", &["agents[1].llm: unknown engine \"x\""]).await;
    let dialog = format!("{NUMBER}provider = \"360dialog\"\n");
    let neither = ["mine.toml: numbers[0].webhook_secret", "signature_secret"];
    check(&dialog, &neither).await;
    let empty = format!("{dialog}signature_secret = \"\"");
    check(&empty, &["numbers[0].signature_secret", "is empty"]).await;
    let header = format!("{dialog}webhook_secret = \"w\"\nwebhook_header = \"a b\"");
    check(&header, &["mine.toml: numbers[0].webhook_header", "name of an HTTP header"]).await;
}

#[tokio::test]
async fn a_language_model_needs_an_address_and_a_name() {
    let llm = |keys: &str| format!("[llm]\nengine = \"openai\"\n{keys}");
    let fine = "url = \"http://127.0.0.1:1/v1\"\nmodel = \"m\"\n";
    check(&llm("model = \"m\""), &["mine.toml: llm.url: is missing"]).await;
    check(&llm("url = \"http://a\""), &["mine.toml: llm.model: is missing"]).await;
    check(&llm("url = \"ftp://a\"\nmodel = \"m\""), &["llm.url: must begin with http"]).await;
    check(&llm("url = \"v1\""), &["mine.toml: llm.url: "]).await;
    check(&llm(&format!("{fine}temperature = 2.1")), &["llm.temperature: must be 0 to 2"]).await;
    check(&llm(&format!("{fine}api_key = \"a b\"")), &["llm.api_key: has a character"]).await;
    check(&llm(&format!("{fine}timeout_ms = 0")), &["llm.timeout_ms: must be at least 1"]).await;
    let own = "[[agents]]\nname = \"a\"\nllm = ";
    check(&format!("{own}\"openai\""), &["mine.toml: agents[1].llm: url: is missing"]).await;
    let keys = "{ engine = \"openai\", url = \"http://a\", model = \" \" }";
    check(&format!("{own}{keys}"), &["mine.toml: agents[1].llm: model: is missing"]).await;
    let nowhere = "[[agents]]\nname = \"a\"\ntimezone = \"Madrid\"";
    check(nowhere, &["agents[1].timezone: there is no time zone \"Madrid\""]).await;
    load(&format!("{}[[agents]]\nname = \"a\"\ntimezone = \"Asia/Kolkata\"", llm(fine)), &[])
        .unwrap();
}

#[tokio::test]
async fn a_word_of_a_vocabulary_that_cannot_be_heard_is_refused_by_its_place() {
    let agent = |words: &str| format!("[[agents]]\nname = \"a\"\nvocabulary = {words}");
    check(&agent("[\"Hark\", \" \"]"), &["mine.toml: agents[1].vocabulary[1]: is empty"]).await;
    check(&agent(r#"["a\nb"]"#), &["agents[1].vocabulary[0]: has a line break"]).await;
    check(&agent("\"Hark\""), &["agents[1].vocabulary: invalid type"]).await;
    let config = load(&agent("[\"Dr. Özdemir\"]"), &[]).unwrap();
    assert_eq!(config.agents[1].vocabulary, ["Dr. Özdemir"]);
    assert!(config.agents[0].vocabulary.is_empty());
}

#[tokio::test]
async fn a_voice_that_cannot_work_is_refused_by_its_key() {
    let server = "[tts]\nengine = \"openai\"\nurl = \"http://127.0.0.1:1/v1\"\nmodel = \"m\"\n";
    check("[tts]\nengine = \"openai\"", &["mine.toml: tts.url: is missing"]).await;
    let url = "[tts]\nengine = \"openai\"\nurl = \"http://127.0.0.1:1/v1\"";
    check(url, &["mine.toml: tts.model: is missing"]).await;
    check(&server.replace("http:", "ftp:"), &["mine.toml: tts.url: must begin with"]).await;
    for (key, value) in [
        ("speed", "2.5"),
        ("speed", "nan"),
        ("sample_rate", "24"),
        ("parallel", "0"),
        ("timeout_ms", "0"),
        ("first_audio_timeout_ms", "9000000"),
    ] {
        let words = format!("mine.toml: tts.{key}: must be");
        check(&format!("{server}{key} = {value}"), &[&words]).await;
    }
    check("[tts]\nspeed = 0.4", &["mine.toml: tts.speed: must be from 0.5 to 2"]).await;
    let own = "[[agents]]\nname = \"a\"\ntts = { speed = 3 }";
    check(own, &["mine.toml: agents[1].tts: speed: must be from 0.5 to 2"]).await;
    check("[[agents]]\nname = \"a\"\ntts = \"openai\"", &["agents[1].tts: url: is missing"]).await;
}

#[tokio::test]
async fn variables_are_named_when_they_are_wrong() {
    let check = async |name: &str, value: &str, words: &str| {
        says(&Hark::new().env(name, value), &["serve"], &[words]).await;
    };
    check("HARK__SERVER__LISEN", "1", "HARK__SERVER__LISEN: server.lisen: unknown").await;
    let skips = "HARK__NUMBERS__1__ACCESS_TOKEN: numbers[1].access_token: numbers has 0 entries";
    check("HARK__NUMBERS__1__ACCESS_TOKEN", "a", skips).await;
    let turn = "HARK__LIMITS__TURN_SECONDS: limits.turn_seconds: invalid type";
    check("HARK__LIMITS__TURN_SECONDS", "soon", turn).await;
    check("WHATSAPP_VOICE_AGENT_ID", "x", "WHATSAPP_VOICE_AGENT_ID: default_agent").await;
}

#[test]
fn a_secret_is_never_part_of_an_error() {
    for toml in [
        "[webhook]\nverify_token = 4711",
        "[webhook]\nverify_token = \"4711\n",
        "[llm]\napi_key = 4711",
        "[[agents]]\nname = \"a\"\ntts = { api_key = 4711 }",
    ] {
        let error = load(toml, &[]).unwrap_err();
        assert!(!error.contains("4711"), "{error}");
    }
}

#[test]
fn an_engines_secret_is_not_shown() {
    let toml = "[tts]\napi_key = \"4711\"\n[[agents]]\nname = \"a\"\nllm = \"scripted\"";
    let config = load(toml, &[]).unwrap();
    let shown = format!("{config:?} {:?}", config.engines(1).unwrap());
    assert!(shown.contains("\"api_key\"") && !shown.contains("4711"), "{shown}");
}

#[test]
fn a_variable_for_an_engines_text_is_the_text_it_is() {
    let variables = [("HARK__LLM__MODEL", "4.10"), ("HARK__LLM__TEXT", "true")];
    let config = load("", &variables).unwrap();
    assert_eq!(config.llm.text("model"), Some("4.10"));
    assert_eq!(config.llm.text("text"), Some("true"));
}

#[test]
fn secrets_of_variables_stay_the_text_they_are() {
    for text in ["12345", "12.50", "true", "[1]", "0x10", "007", "1e5", "-1"] {
        let variables = [
            ("HARK__NUMBERS__0__ACCESS_TOKEN", text),
            ("HARK__NUMBERS__0__BUSINESS_ID", text),
            ("HARK__NUMBERS__0__PHONE_NUMBER_ID", "106"),
            ("HARK__NUMBERS__0__APP_SECRET", text),
        ];
        let config = load("", &variables).unwrap();
        let number = &config.numbers[0];
        assert_eq!(number.access_token.as_ref().unwrap().expose_secret(), text);
        assert_eq!(number.app_secret.as_ref().unwrap().expose_secret(), text);
        assert_eq!(number.business_id.as_deref(), Some(text));
    }
}

#[test]
fn lists_are_filled_by_index_in_the_order_of_numbers() {
    let names: Vec<String> =
        (0..12).map(|i| format!("HARK__NUMBERS__0__MEDIA_HOSTS__{i}")).collect();
    let variables: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "h")).collect();
    let config = load(NUMBER, &variables).unwrap();
    assert_eq!(config.numbers[0].media_hosts(), vec!["h"; 12]);
    let gap = load(NUMBER, &[("HARK__NUMBERS__0__MEDIA_HOSTS__1", "h")]).unwrap_err();
    assert!(gap.contains("media_hosts has 0 entries, so 1 skips one"), "{gap}");
}

#[test]
fn a_variable_wins_over_the_file_and_over_its_secret_file() {
    let variable = ("HARK__NUMBERS__0__ACCESS_TOKEN", "mine");
    for toml in [NUMBER.to_owned(), NUMBER.replace("access_token =", "access_token_file =")] {
        let config = load(&toml, &[variable]).unwrap();
        assert_eq!(config.numbers[0].access_token.as_ref().unwrap().expose_secret(), "mine");
    }
}

#[test]
fn aliases_fill_what_numbers_leave_open() {
    let bare = NUMBER.replace("access_token = \"token\"\n", "");
    let url = "NEXT_PUBLIC_META_WHATSAPP_API_URL";
    let token = ("NEXT_PUBLIC_META_WHATSAPP_API_TOKEN", "public");
    let config = load(&bare, &[token, (url, "https://graph.example/v23.0/")]).unwrap();
    let number = &config.numbers[0];
    assert_eq!(number.access_token.as_ref().unwrap().expose_secret(), "public");
    assert_eq!(number.api_url().as_str(), "https://graph.example/");
    assert_eq!(number.api_version(), "v23.0");
    let config = load(NUMBER, &[token, (url, "https://proxy.example/meta/v23.0")]).unwrap();
    let number = &config.numbers[0];
    assert_eq!(number.access_token.as_ref().unwrap().expose_secret(), "token");
    assert_eq!(number.api_url().as_str(), "https://proxy.example/meta");
    assert_eq!(number.api_version(), "v23.0");
    let set = format!("{NUMBER}api_url = \"http://a\"\napi_version = \"v1\"");
    let config = load(&set, &[(url, "https://graph.example/v23.0")]).unwrap();
    assert_eq!(config.numbers[0].api_url().as_str(), "http://a/");
    assert_eq!(config.numbers[0].api_version(), "v1");
    load(NUMBER, &[(url, ""), ("PORT", ""), ("WHATSAPP_VOICE_AGENT_ID", "")]).unwrap();
}

#[test]
fn relative_paths_are_relative_to_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let sub = folder.path().join("etc");
    std::fs::create_dir_all(sub.join("secrets")).unwrap();
    std::fs::write(sub.join("secrets/token"), " from a file\n").unwrap();
    let toml = NUMBER.replace("access_token = \"token\"", "access_token_file = \"secrets/token\"")
        + "[store]\nurl = \"sqlite://data/hark.db\"\n[stt]\nmodels_dir = \"models\"\n\
           model = \"../m/tiny.bin\"\n[tts]\nvoices_dir = \"voices\"\n[[agents]]\nname = \"a\"\nknowledge = [\"faq.csv\"]";
    std::fs::write(sub.join("hark.toml"), toml).unwrap();
    let config = config::load(Some(&sub.join("hark.toml")), &BTreeMap::new()).unwrap();
    assert_eq!(config.numbers[0].access_token.as_ref().unwrap().expose_secret(), "from a file");
    assert_eq!(config.store.address().beside(), sub.join("data/hark.db"));
    assert_eq!(whisper(&config).models_dir, Some(sub.join("models")));
    let voices = sub.join("voices").display().to_string();
    assert_eq!(config.tts.text("voices_dir"), Some(voices.as_str()));
    assert_eq!(whisper(&config).model, sub.join("../m/tiny.bin").display().to_string());
    assert_eq!(config.agents[1].knowledge.as_deref(), Some(&[sub.join("faq.csv")][..]));
}

#[test]
fn a_node_has_its_hosts_name_unless_it_has_one() {
    assert_eq!(load("[queue]\nnode = \"left\"", &[]).unwrap().queue.node(), "left");
    let host = load("", &[]).unwrap().queue.node();
    assert!(!host.is_empty() && host == host.trim(), "{host:?}");
}

#[tokio::test]
async fn an_argument_wins_over_the_variable_over_port_over_the_file() {
    let file = format!("[server]\nlisten = \"127.0.0.1:0\"\n{NUMBER}{SCRIPTED}");
    let check = async |hark: Hark, arguments: &[&str], host: &str| {
        let running = hark.file("hark.toml", &file).start(arguments).await;
        assert!(running.address.starts_with(host), "{}", running.address);
    };
    let listen = ("HARK__SERVER__LISTEN", "127.0.0.2:0");
    check(Hark::new(), &["serve"], "127.0.0.1:").await;
    check(Hark::new().env("PORT", "0"), &["serve"], "0.0.0.0:").await;
    check(Hark::new().env("PORT", "0").env(listen.0, listen.1), &["serve"], "127.0.0.2:").await;
    let argued = ["serve", "--listen", "127.0.0.3:0"];
    check(Hark::new().env(listen.0, listen.1), &argued, "127.0.0.3:").await;
}

#[tokio::test]
async fn an_agents_own_table_overrides_the_sections() {
    let file = "[llm]\nengine = \"scripted\"\ntext = \"from the section\"\n[tts]\n\
                engine = \"scripted\"\n[[agents]]\nname = \"own\"\nllm = { text = \"my own\" }\n";
    let hark = Hark::new().file("hark.toml", file);
    for (agent, answer) in [("hark", "from the section"), ("own", "my own")] {
        let ran = hark.run(&["ask", "--text", "hi", "--agent", agent, "--json"]).await;
        assert_eq!(ran.json(0)[0]["reply"]["text"], answer);
    }
    let hark = hark.env("WHATSAPP_VOICE_AGENT_ID", "own");
    let ran = hark.run(&["ask", "--text", "hi", "--json"]).await;
    assert_eq!(ran.json(0)[0]["reply"]["text"], "my own");
}

#[test]
fn the_window_is_cut_as_the_model_allows_unless_told_otherwise() {
    let cut = |toml: &str, variables: &[(&str, &str)]| {
        whisper(&load(toml, variables).unwrap()).cut_audio_ctx
    };
    let variable = |value| [("HARK__STT__CUT_AUDIO_CTX", value)];
    assert_eq!(cut("", &[]), CutAudioCtx::Auto);
    assert_eq!(cut("[stt]\ncut_audio_ctx = true", &[]), CutAudioCtx::Cut);
    assert_eq!(cut("[stt]\ncut_audio_ctx = true", &variable("false")), CutAudioCtx::Whole);
    assert_eq!(cut("[stt]\ncut_audio_ctx = false", &variable("auto")), CutAudioCtx::Auto);
    let refused = load("", &variable("maybe")).unwrap_err();
    assert!(refused.starts_with("HARK__STT__CUT_AUDIO_CTX: stt.cut_audio_ctx: must"), "{refused}");
}

#[cfg(feature = "stt-whisper")]
#[tokio::test]
async fn without_a_model_only_what_hears_is_refused_with_the_line_that_pulls_one() {
    let file = format!("{NUMBER}[stt]\nmodel = \"base\"\n");
    let hark = Hark::new().file("hark.toml", file).file("a.ogg", "not heard anyway");
    for arguments in [&["serve"][..], &["ask", "a.ogg"], &["transcribe", "a.ogg"]] {
        says(&hark, arguments, &["stt.model: no model `base`", "\nhark models pull base"]).await;
    }
    assert_eq!(hark.run(&["ask", "--text", "when do you open"]).await.code, 0);
    assert_eq!(hark.run(&["say", "hello"]).await.code, 0);
}

#[tokio::test]
async fn wrong_usage_ends_with_2() {
    for arguments in [&[][..], &["sing"], &["ask"], &["serve", "--lisen", "1"], &["transcribe"]] {
        let ran = Hark::new().run(arguments).await;
        assert_eq!((ran.code, ran.text()), (2, ""), "{arguments:?}");
        assert!(ran.stderr.contains("Usage:"), "{}", ran.stderr);
    }
}

#[test]
fn every_language_has_every_sentence() {
    let defaults: toml::Table = include_str!("../../src/config/default.toml").parse().unwrap();
    // The fallback is in English only: nothing is known of a turn that failed altogether.
    let messages = defaults["messages"].as_table().unwrap().iter();
    for (name, texts) in messages.filter(|(name, _)| *name != "fallback") {
        for language in lang::ALL {
            assert!(texts.get(language.code).is_some(), "messages.{name} has no {}", language.code);
        }
    }
}
