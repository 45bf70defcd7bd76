//! A configuration with many faults: all of them are found in one reading.

use std::collections::BTreeMap;

use hark::config::{self, Config, ConfigErrors};

fn read(toml: &str) -> (Option<Config>, ConfigErrors) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, toml).unwrap();
    config::read(Some(&file), &BTreeMap::new())
}

#[test]
fn every_wrong_key_is_named_and_the_rest_is_read() {
    let toml = "[server]\nlisten = 1\n[limits]\nturn_seconds = \"x\"\naudio_seconds = 0\n\
                [[numbers]]\nphone_number_id = 106\naccess_token = \"\"\n[[numbers]]\n\
                [[agents]]\nreply = \"sing\"\n[[agents]]\nname = \"b\"\nllm = { modl = 1 }\n\
                [stt]\nstates = 0\nmodl = 1\n[tts]\nengine = \"openai\"\nspeed = 9\n";
    let (config, problems) = read(toml);
    let config = config.expect("something is left");
    assert_eq!((config.limits.turn_seconds, config.numbers.len()), (120, 2));
    let mut keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    keys.sort_unstable();
    let expected = [
        "agents[1].name",
        "agents[1].reply",
        "agents[2].llm",
        "limits.audio_seconds",
        "limits.turn_seconds",
        "numbers[0].access_token",
        "numbers[0].app_secret",
        "numbers[0].phone_number_id",
        "numbers[1].access_token",
        "numbers[1].app_secret",
        "numbers[1].phone_number_id",
        "server.listen",
        "stt.modl",
        "stt.states",
        "tts.model",
        "tts.speed",
        "tts.url",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn a_list_that_holds_something_else_leaves_nothing_to_go_on_with() {
    for toml in ["numbers = [1]", "agents = [\"a\"]"] {
        let (config, problems) = read(toml);
        assert!(config.is_none() && problems.to_string().contains("invalid type"), "{problems}");
    }
}
