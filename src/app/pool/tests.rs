//! The pool on the configuration's own engines.

use std::collections::BTreeMap;

use super::*;
use crate::config::Config;
use crate::pipeline::AgentSetup;

/// Returns the shipped defaults with an agent `a`, whose table is given, beside `hark`.
fn config(own: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hark.toml");
    let scripted = "[stt]\nengine = \"scripted\"\n[llm]\nengine = \"scripted\"\n[tts]\n\
                    engine = \"scripted\"\nurl = \"http://127.0.0.1:1\"\nmodel = \"m\"\n\
                    connect_timeout_ms = 100\n";
    std::fs::write(&file, format!("{scripted}[[agents]]\nname = \"a\"\n{own}\n")).unwrap();
    config::load(Some(&file), &BTreeMap::new()).unwrap()
}

async fn set_up(pool: &EnginePool, config: &Config) -> [AgentSetup; 2] {
    let default = pool.agent(config, None).await.unwrap();
    [default, pool.agent(config, Some("a")).await.unwrap()]
}

/// Returns whether the two agents share a transcriber, and a synthesizer.
async fn shared(own: &str) -> (bool, bool) {
    let pool = EnginePool::new(Places::default(), Hearing::default());
    let [a, b] = set_up(&pool, &config(own)).await;
    (Arc::ptr_eq(&a.transcriber, &b.transcriber), Arc::ptr_eq(&a.synthesizer, &b.synthesizer))
}

#[tokio::test]
async fn agents_that_want_the_same_share_it_and_no_others_do() {
    assert_eq!(shared("").await, (true, true));
    assert_eq!(shared("stt = { text = \"x\" }").await, (false, true));
    assert_eq!(shared("tts = { rtf = 0.5 }").await, (true, false));
    // Neither the language nor a key of another engine makes another engine.
    assert_eq!(shared("stt = { language = \"es\" }\ntts = { voice = \"x\" }").await, (true, true));
}

#[tokio::test]
async fn lists_of_the_same_engines_are_one_and_share_them_with_others() {
    assert_eq!(shared("tts = [\"scripted\"]").await, (true, true), "a list of one is that one");
    let list = "tts = [\"scripted\", { engine = \"scripted\", rtf = 0.5 }]";
    assert_eq!(shared(list).await, (true, false));
    let pool = EnginePool::new(Places::default(), Hearing::default());
    let spec = config(list).engines(1).unwrap().tts;
    let made = async |spec: &EngineSpec| pool.synthesizer(spec, &[]).await.unwrap();
    let (one, again) = (made(&spec).await, made(&spec).await);
    assert!(Arc::ptr_eq(&one, &again));
    assert_eq!(one.name(), "scripted, scripted");
    let voice = Arc::downgrade(&made(&config("").engines(1).unwrap().tts).await);
    assert_ne!(voice.strong_count(), 0, "the list holds it too");
    drop((one, again));
    assert_eq!(voice.strong_count(), 0);
}

#[tokio::test]
async fn two_keys_of_a_server_are_two_engines() {
    let pool = EnginePool::new(Places::default(), Hearing::default());
    let spec = config("tts = { engine = \"openai\", api_key = \"one\" }").engines(1).unwrap().tts;
    let other = spec.with([("api_key", "two".into())]);
    let made = async |spec: &EngineSpec| pool.synthesizer(spec, &[]).await.unwrap();
    let (one, again, two) = (made(&spec).await, made(&spec).await, made(&other).await);
    assert!(Arc::ptr_eq(&one, &again) && !Arc::ptr_eq(&one, &two));
}

#[tokio::test]
async fn what_no_agent_holds_is_dropped_and_made_anew() {
    let pool = EnginePool::new(Places::default(), Hearing::default());
    let config = config("stt = { text = \"x\" }");
    let [default, a] = set_up(&pool, &config).await;
    let (ears, voice) = (Arc::downgrade(&a.transcriber), Arc::downgrade(&a.synthesizer));
    drop(a);
    assert_eq!(ears.strong_count(), 0);
    assert_ne!(voice.strong_count(), 0, "it is the default agent's too");
    let again = pool.agent(&config, None).await.unwrap();
    assert!(Arc::ptr_eq(&again.transcriber, &default.transcriber));
    drop((default, again));
    assert_eq!(voice.strong_count(), 0);
}

#[tokio::test]
async fn an_agent_listens_for_its_own_list_and_the_names_of_its_own_knowledge() {
    let pool = EnginePool::new(Places::default(), Hearing::default());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faq.csv");
    let rows = "question,answer\nDo you repair the Lumivelo X2?,We do that in the shop.\n";
    std::fs::write(&file, rows).unwrap();
    let own = format!("vocabulary = [\"Hark\"]\nknowledge = [\"{}\"]", file.display());
    let [default, a] = set_up(&pool, &config(&own)).await;
    assert_eq!(a.vocabulary.words().collect::<Vec<_>>(), ["Hark", "Lumivelo X2"]);
    assert_eq!(
        (a.vocabulary.listed(), default.vocabulary.words().count()),
        (&["Hark".to_owned()][..], 0)
    );
}

#[cfg(feature = "model-micro")]
#[tokio::test]
async fn a_model_is_loaded_once_and_a_language_it_lacks_is_named() {
    let pool = EnginePool::new(Places::default(), Hearing::default());
    let own = "language = \"en\"\nstt = { engine = \"whisper\" }";
    let (english, spanish) = (config(own), config(&own.replace("\"en\"", "\"es\"")));
    let a = pool.agent(&english, Some("a")).await.unwrap();
    let b = pool.agent(&english, Some("a")).await.unwrap();
    assert!(Arc::ptr_eq(&a.transcriber, &b.transcriber));
    let error = pool.agent(&spanish, Some("a")).await.err().expect("it knows English alone");
    let error = error.downcast::<config::ConfigError>().expect("it is the operator's to mend");
    assert_eq!(error.key, "stt.model");
    let problem = "speaks \"es\", and model hark-micro-en knows only \"en\"; a multilingual";
    assert!(error.problem.contains(problem), "{error}");
}

#[tokio::test]
async fn a_model_that_is_missing_is_refused_or_replaced_if_that_was_asked_for() {
    let own = "stt = { engine = \"whisper\", model = \"nowhere/none.bin\" }";
    let config = config(own);
    let strict = EnginePool::new(Places::default(), Hearing::default());
    let error = strict.agent(&config, Some("a")).await.err().expect("there is no such model");
    assert!(error.to_string().contains("stt.model: no model `"), "{error}");
    let hearing = Hearing { scripted_without_model: true, ..Hearing::default() };
    let demo = EnginePool::new(Places::default(), hearing);
    assert_eq!(demo.agent(&config, Some("a")).await.unwrap().transcriber.name(), "scripted");
    let deaf = EnginePool::new(Places::default(), Hearing { deaf: true, ..Hearing::default() });
    assert_eq!(deaf.agent(&config, Some("a")).await.unwrap().transcriber.name(), "none");
}

/// Knows some languages.
struct Ears(&'static [&'static str]);

#[async_trait::async_trait]
impl Transcriber for Ears {
    fn name(&self) -> &'static str {
        "whisper/ggml-tiny.en"
    }

    fn knows(&self, language: &LanguageCode) -> bool {
        self.0.contains(&language.primary())
    }

    fn languages(&self) -> Vec<LanguageCode> {
        self.0.iter().copied().map(LanguageCode::from).collect()
    }

    async fn transcribe(
        &self,
        _: Utterance,
        _: &tokio_util::sync::CancellationToken,
    ) -> Result<Transcript, SttError> {
        Ok(Transcript::default())
    }
}

#[test]
fn a_language_that_is_not_understood_is_named_with_the_way_out() {
    let check = |knows, languages: &[&str], problem: Option<&str>| {
        let languages: Vec<LanguageCode> = languages.iter().copied().map(Into::into).collect();
        let unheard = Unheard::find(&Ears(knows), &languages);
        assert_eq!(unheard.map(|unheard| unheard.problem).as_deref(), problem);
    };
    let tiny = "and model ggml-tiny.en knows";
    let pull = "a multilingual one: hark models pull tiny";
    check(&["en"], &["en", "en-GB"], None);
    check(&["en"], &["en", "es"], Some(&format!("\"es\", {tiny} only \"en\"; {pull}")));
    check(&["en", "es"], &["es-MX"], None);
    check(&["en", "es"], &[], None);
    let codes = format!("\"klingon\", {tiny} these languages: en, es");
    check(&["en", "es"], &["klingon"], Some(&codes));
}
