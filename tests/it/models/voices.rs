//! Pulling voices: two files, of which a server may be the only one who knows the SHA-256.

use hark::models::lock::ModelLock;
use hark::models::pull::{Progress, PullError, Pulled, Wanted};
use hark::models::sum::Sum;
use hark::models::voices::{self, ListedVoice, VoiceFile};
use hex::encode;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::server::{Answer, Server};
use super::{Folder, PACE, file, names};
use crate::program::{Hark, Ran};

/// What is written beside the voice.
const CARD: &[u8] =
    br#"{"audio":{"sample_rate":22050},"espeak":{"voice":"de"},"language":{"code":"de_DE"},
"inference":{"noise_scale":0.6,"length_scale":1,"noise_w":0.8},
"phoneme_id_map":{"_":[0],"^":[1],"$":[2],"a":[3]}}"#;

fn sha256(bytes: &[u8]) -> String {
    encode(Sha256::digest(bytes))
}

/// A row of the catalogue whose files are those of tests.
fn voice() -> ListedVoice {
    let described = |bytes: &[u8]| VoiceFile {
        bytes: bytes.len() as u64,
        sum: Sum::Md5(encode(Md5::digest(bytes))),
    };
    ListedVoice {
        name: "de_DE-small-low".into(),
        from: Some("someone/voices/resolve/0123abcd/de".into()),
        file: "de_DE-small-low.onnx".into(),
        graph: described(&file()),
        card: Some(described(CARD)),
        ..voices::named("de_DE-kerstin-low").unwrap().clone()
    }
}

/// An honest server of the voice's files, whatever their names.
async fn honest() -> Server {
    Server::start(|_, asked| {
        let is_card = asked.path.ends_with("onnx.json");
        Answer::honest(&if is_card { CARD.to_vec() } else { file() }, asked)
    })
    .await
}

/// Pulls the files of the voice; returns what became of each, and the sums that were shown.
async fn pull(folder: &Folder, mirror: &Url) -> Result<(Vec<Pulled>, Vec<String>), PullError> {
    let (mut pulled, mut shown) = (Vec::new(), Vec::new());
    for wanted in Wanted::voice(&voice(), mirror)? {
        let report = |progress: Progress<'_>| {
            if let Progress::Pinned { sha256 } = progress {
                shown.push(sha256.to_owned());
            }
        };
        pulled.push(folder.get(&wanted, PACE, report).await?);
    }
    Ok((pulled, shown))
}

#[tokio::test]
async fn the_first_pull_compares_md5_and_pins_the_sha256() {
    let (server, folder) = (honest().await, Folder::new());
    let (pulled, shown) = pull(&folder, &server.url).await.unwrap();
    assert_eq!(pulled, [Pulled::Downloaded; 2]);
    assert_eq!(shown, [sha256(CARD), sha256(&file())]);
    let paths: Vec<String> = server.asked().into_iter().map(|asked| asked.path).collect();
    let path = "/someone/voices/resolve/0123abcd/de/de_DE-small-low.onnx";
    assert_eq!(paths, [format!("{path}.json"), path.to_owned()], "the graph comes last");
    let files = ["de_DE-small-low.onnx", "de_DE-small-low.onnx.json", "models.lock"];
    assert_eq!(folder.names(), files);
    let lock = ModelLock::read(folder.0.path()).unwrap();
    let pinned = lock.get("de_DE-small-low.onnx").unwrap();
    assert_eq!(pinned.sha256, sha256(&file()));
    assert!(pinned.from.ends_with(path), "{pinned:?}");

    let again = pull(&folder, &server.url).await.unwrap();
    assert_eq!(again, (vec![Pulled::Already; 2], Vec::new()));
}

#[tokio::test]
async fn other_bytes_than_md5_allows_are_refused_and_pinned_nowhere() {
    let server = Server::start(|_, asked| {
        let is_card = asked.path.ends_with("onnx.json");
        Answer::whole(&if is_card { CARD.to_vec() } else { vec![7; 200_001] })
    })
    .await;
    let folder = Folder::new();
    let error = pull(&folder, &server.url).await.unwrap_err().to_string();
    let due = encode(Md5::digest(file()));
    assert!(error.contains(&format!("expected md5 {due}")), "{error}");
    assert_eq!(folder.names(), ["de_DE-small-low.onnx.json", "models.lock"]);
}

#[tokio::test]
async fn a_file_that_was_put_there_by_hand_is_pinned_too() {
    let (server, folder) = (honest().await, Folder::new());
    std::fs::write(folder.0.path().join("de_DE-small-low.onnx"), file()).unwrap();
    let (pulled, shown) = pull(&folder, &server.url).await.unwrap();
    assert_eq!((pulled[1], shown.len()), (Pulled::Already, 2));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_later_pull_holds_the_file_to_the_first() {
    let (server, folder) = (honest().await, Folder::new());
    pull(&folder, &server.url).await.unwrap();
    // As if the first had brought another file of the same MD5.
    let lock = folder.0.path().join("models.lock");
    let text = std::fs::read_to_string(&lock).unwrap();
    std::fs::write(&lock, text.replace(&sha256(&file()), &"ab".repeat(32))).unwrap();
    let error = pull(&folder, &server.url).await.unwrap_err();
    assert!(matches!(error, PullError::Checksum { expected: Sum::Pinned(_), .. }), "{error}");
    assert!(folder.read("de_DE-small-low.onnx") == file(), "what is there stays");
}

fn hark() -> Hark {
    let hark = Hark::new();
    let cache = hark.path("cache").display().to_string();
    hark.env("XDG_CACHE_HOME", &cache)
}

/// Runs `hark models` and shows it.
async fn run(hark: &Hark, arguments: &[&str]) -> Ran {
    hark.run(&[&["models"], arguments].concat()).await
}

/// Checks how a command ended and that it said these words.
#[track_caller]
fn says(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, code, "{}{}", ran.text(), ran.stderr);
    for word in words {
        let said = ran.stderr.contains(word) || ran.text().contains(word);
        assert!(said, "says nothing of {word}: {}{}", ran.text(), ran.stderr);
    }
}

#[tokio::test]
async fn a_voice_at_an_address_is_pinned_verified_and_found() {
    let (server, hark) = (honest().await, hark());
    let url = server.url.join("deep/mine.onnx").unwrap();
    let pull = ["pull", url.as_str(), "--sha256", &sha256(&file())];
    let ran = run(&hark, &pull).await;
    let pinned =
        [&*sha256(CARD), "models.lock", "does not know its licence", "[tts] voice = \"mine\""];
    says(&ran, 0, &pinned);
    assert_eq!(ran.text().trim(), hark.path("cache/hark/models/mine.onnx").display().to_string());
    says(&run(&hark, &pull).await, 0, &["mine.onnx is there already"]);
    says(&run(&hark, &["verify"]).await, 0, &["mine.onnx.json", "ok "]);

    let card = hark.path("cache/hark/models/mine.onnx.json");
    std::fs::write(&card, "{}").unwrap();
    let ran = run(&hark, &["verify"]).await;
    says(&ran, 1, &["damaged ", "which models.lock has of an earlier pull", url.as_str()]);
    says(&run(&hark, &pull).await, 0, &["mine.onnx.json is complete"]);
    says(&run(&hark, &["verify", card.to_str().unwrap()]).await, 0, &["ok "]);
}

#[tokio::test]
async fn a_card_that_changes_on_its_server_is_told() {
    let server = Server::start(|_, asked| {
        let is_card = asked.path.ends_with("onnx.json");
        Answer::honest(&if is_card { b"{}".to_vec() } else { file() }, asked)
    })
    .await;
    let hark = hark();
    let pinned = format!("[\"mine.onnx.json\"]\nsha256 = \"{}\"\nfrom = \"\"\n", sha256(CARD));
    let hark = hark.file("cache/hark/models/models.lock", pinned);
    let url = server.url.join("mine.onnx").unwrap();
    let ran = run(&hark, &["pull", url.as_str(), "--sha256", &sha256(&file())]).await;
    says(&ran, 1, &["checksum of mine.onnx.json differs", "models.lock", "remove the rows of"]);
    let both = ["--sha256", &sha256(&file()), "--sha256", &sha256(b"{}")];
    let ran = run(&hark, &[&["pull", url.as_str()], &both[..]].concat()).await;
    says(&ran, 0, &["mine.onnx.json is complete", &sha256(b"{}")]);
}

#[tokio::test]
async fn a_voice_at_a_path_is_copied_with_its_card() {
    let hark = hark().file("got/mine.onnx", file()).file("got/mine.onnx.json", CARD);
    let ran = run(&hark, &["pull", "got/mine.onnx", "--sha256", &sha256(b"other")]).await;
    says(&ran, 1, &["checksum of mine.onnx differs", &sha256(&file())]);
    assert_eq!(names(&hark.path("cache/hark/models")), [""; 0], "nothing is believed of it");
    let ran = run(&hark, &["pull", "got/mine.onnx", "--sha256", &sha256(&file())]).await;
    says(&ran, 0, &["mine.onnx.json: sha256", "mine.onnx is complete"]);
    let here = names(&hark.path("cache/hark/models"));
    assert_eq!(here, ["mine.onnx", "mine.onnx.json", "models.lock"]);
    says(
        &run(&hark, &["pull", "got/none.onnx", "--sha256", &sha256(b"")]).await,
        2,
        &["none.onnx"],
    );
}

#[tokio::test]
async fn a_voice_without_a_card_on_the_server_is_refused() {
    let server = Server::start(|_, asked| match &*asked.path {
        "/mine.onnx" => Answer::honest(&file(), asked),
        _ => Answer::new("404 Not Found", ""),
    })
    .await;
    let url = server.url.join("mine.onnx").unwrap();
    let ran = run(&hark(), &["pull", url.as_str(), "--sha256", &sha256(&file())]).await;
    says(&ran, 1, &["mine.onnx.json answered 404", "NAME.onnx.json beside NAME.onnx"]);
}

#[tokio::test]
async fn a_licence_that_asks_for_something_has_to_be_accepted() {
    let server = Server::start(|_, _| Answer::new("404 Not Found", "")).await;
    let mirror = ["--mirror", server.url.as_str()];
    let pull =
        async |arguments: &[&str]| run(&hark(), &[&["pull"], arguments, &mirror].concat()).await;
    let words = ["CC-BY-4.0", "credit", "SIWIS", "--accept-licence"];
    says(&pull(&["fr_FR-siwis-low"]).await, 2, &words);
    assert_eq!(server.asked().len(), 0);
    let accepted = pull(&["fr_FR-siwis-low", "--accept-licence"]).await;
    says(&accepted, 1, &["fr_FR-siwis-low.onnx.json answered 404"]);
    says(&pull(&["nl_NL-alex-medium"]).await, 1, &["answered 404"]);
    let paths: Vec<String> = server.asked().into_iter().map(|asked| asked.path).collect();
    assert!(
        paths[0].contains("/resolve/c10ece1aade47bb51c153c893d14e5bf8e5b7117/fr/"),
        "{paths:?}"
    );

    let joe = hark().file("en_US-joe-medium.onnx", file());
    let sum = sha256(&file());
    let pull = ["pull", "./en_US-joe-medium.onnx", "--sha256", &sum];
    says(&run(&joe, &pull).await, 2, &["for research only", "en_US-lessac", "--accept-licence"]);
    says(&run(&joe, &[&pull[..], &["--accept-licence"]].concat()).await, 0, &["research only"]);
}

#[tokio::test]
async fn voices_that_are_not_offered_and_slips_are_told() {
    let pull = async |name: &str, words: &[&str]| {
        says(&run(&hark(), &["pull", name]).await, 2, words);
    };
    pull("en_US-joe-medium", &["does not offer", "for research only"]).await;
    pull("emma", &["does not offer", "British"]).await;
    pull("de_DE-kerstn-low", &["did you mean `de_DE-kerstin-low`?"]).await;
    pull("thorsten", &["did you mean `de_DE-thorsten-low`?"]).await;
    says(&run(&hark(), &["pull", "kore", "--sha256", &sha256(b"")]).await, 2, &["hark knows"]);
}

#[tokio::test]
async fn the_list_of_voices_has_licences_and_what_is_here() {
    let hark = hark().file("models/kore.onnx", "cut");
    let ran = run(&hark, &["list", "--voices"]).await;
    says(&ran, 0, &["CC0-1.0", "CC-BY-4.0", "en_US-joe-medium: ", "emma, fable: ", "16 kHz"]);
    let line = |name: &str| ran.text().lines().find(|line| line.starts_with(name)).unwrap();
    assert!(
        line("kore ").ends_with("models/kore.onnx (damaged or incomplete)"),
        "{}",
        line("kore ")
    );
    assert!(line("fenrir ").ends_with(" -"), "{}", line("fenrir "));
    let heart = if cfg!(built_in_voice) { "built in" } else { " -" };
    assert!(line("heart ").ends_with(heart), "{}", line("heart "));
    let rows = &hark.run(&["models", "list", "--voices", "--json"]).await.json(0)[0];
    assert_eq!(rows.as_array().unwrap().len(), 11);
    let siwis =
        rows.as_array().unwrap().iter().find(|row| row["name"] == "fr_FR-siwis-low").unwrap();
    assert_eq!(siwis["files"][1]["md5"], "fcb614122005d70f27e4e61e58b4bb56");
    assert_eq!(
        (siwis["rate_hz"].as_u64(), siwis["language"].as_str()),
        (Some(16_000), Some("fr-FR"))
    );

    let ran = run(&hark, &["verify", "kore"]).await;
    says(&ran, 1, &["3 bytes instead of 7936868", "hark models pull kore"]);
    says(&run(&hark, &["verify", "fenrir"]).await, 1, &["hark models pull fenrir"]);
}
