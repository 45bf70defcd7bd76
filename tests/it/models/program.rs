//! `hark models` as people and scripts use it.

use serde_json::Value;

use super::names;
use super::server::{Answer, Server};
use crate::program::Hark;

/// The smallest model that is downloaded, and its size.
const SILERO: (&str, usize) = ("silero-v6.2.0", 885_098);

/// The program with a cache folder of its own.
fn hark() -> Hark {
    let hark = Hark::new();
    let cache = hark.path("cache").display().to_string();
    hark.env("XDG_CACHE_HOME", &cache)
}

/// Lets the program pull `name` from a server that lies in one way: it says so in these words,
/// fails, and leaves nothing behind.
async fn shows(
    lie: &str,
    name: &str,
    words: &[&str],
    answer: impl Fn() -> Answer + Send + Sync + 'static,
) {
    let server = Server::start(move |_, _| answer()).await;
    let (hark, mirror) = (hark(), server.url.to_string());
    let ran = hark.run(&["models", "pull", name, "--mirror", &mirror]).await;
    eprintln!("# {lie}\n$ hark models pull {name} --mirror {mirror}\n{}", ran.stderr);
    assert_eq!((ran.code, ran.text()), (1, ""), "{lie}: {}", ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "{lie}: {}\nsays nothing of {word}", ran.stderr);
    }
    assert_eq!(names(&hark.path("cache/hark/models")), [""; 0], "{lie}");
    assert_eq!(server.asked().len(), 1, "{lie}");
}

#[tokio::test]
async fn the_program_is_not_fooled() {
    let (name, bytes) = SILERO;
    let page = "<!DOCTYPE html><title>Sign in to the guest network</title>";
    shows("a login page", "tiny", &["hark: ", "web page", "login"], move || {
        Answer::new("200 OK\nContent-Type: text/html", page)
    })
    .await;
    shows("a login page that is called a file", "tiny", &["web page"], move || {
        Answer::whole(page.as_bytes())
    })
    .await;
    shows("a short length", "tiny", &["announces 12 bytes where 77691713 are due"], || {
        Answer::whole(b"not a model!")
    })
    .await;
    shows("a long length", name, &["announces 885099 bytes where 885098 are due"], move || {
        Answer::new(&format!("200 OK\nContent-Length: {}", bytes + 1), vec![1; bytes])
    })
    .await;
    let sha256 = "expected sha256 2aa269b785eeb53a82983a20501ddf7c1d9c48e33ab63a41391ac6c9f7fb6987";
    shows("the right length, other bytes", name, &["checksum", sha256, "got  "], move || {
        Answer::whole(&vec![b'x'; bytes])
    })
    .await;
    shows("bytes without end", name, &["sends more than the 885098 bytes"], || {
        Answer::new("200 OK", vec![b'x'; 65536]).for_ever()
    })
    .await;
    shows("no such file", "large-v3-turbo-q5_0", &["answered 404", "no such file"], || {
        Answer::new("404 Not Found", "")
    })
    .await;
}

#[tokio::test]
async fn the_program_asks_for_a_pinned_revision_and_sends_no_secret() {
    let server = Server::start(|_, _| Answer::new("404 Not Found", "")).await;
    let mirror = server.url.to_string();
    for name in ["base.en", "ggml-base.en", "ggml-base.en.bin"] {
        assert_eq!(hark().run(&["models", "pull", name, "--mirror", &mirror]).await.code, 1);
    }
    for asked in server.asked() {
        assert_eq!(
            asked.path,
            "/ggerganov/whisper.cpp/resolve/5359861c739e955e79d9a303bcbc70fb988958b1/\
             ggml-base.en.bin"
        );
        assert!(!asked.head.contains("authorization") && !asked.head.contains("cookie"));
    }
}

#[tokio::test]
async fn a_model_goes_where_it_will_be_found() {
    let server = Server::start(|_, _| Answer::new("404 Not Found", "")).await;
    let mirror = server.url.to_string();
    // The folder is made before the server is asked.
    let check = async |hark: Hark, more: &[&str], folder: &str| {
        let arguments = [&["models", "pull", "tiny", "--mirror", &mirror], more].concat();
        let ran = hark.run(&arguments).await;
        assert!(ran.stderr.contains("answered 404"), "{}", ran.stderr);
        assert!(hark.path(folder).is_dir(), "{folder}: {}", ran.stderr);
    };
    check(hark(), &[], "cache/hark/models").await;
    check(hark().env("HARK_MODELS", "mine"), &[], "mine").await;
    let file = "[stt]\nmodels_dir = \"ours\"\n";
    let both = || hark().env("HARK_MODELS", "mine").file("hark.toml", file);
    check(both(), &[], "ours").await;
    check(both(), &["--dir", "other"], "other").await;

    let ran = Hark::new().run(&["models", "pull", "tiny", "--mirror", &mirror]).await;
    assert!(ran.code == 1 && ran.stderr.contains("--dir"), "{}", ran.stderr);
    assert_eq!(server.asked().len(), 4);
}

#[tokio::test]
async fn a_damaged_file_is_replaced_where_it_lies() {
    let server = Server::start(|_, _| Answer::whole(&vec![1; SILERO.1])).await;
    let (mirror, damaged) = (server.url.to_string(), "models/ggml-silero-v6.2.0.bin");
    let hark = hark().file(damaged, "cut");
    // The part is beside it: it is in use, so it stays as it is.
    let part = format!("{damaged}.part");
    std::fs::write(hark.path(&part), "").unwrap();
    let held = std::fs::File::open(hark.path(&part)).unwrap();
    held.lock().unwrap();
    let ran = hark.run(&["models", "pull", SILERO.0, "--mirror", &mirror]).await;
    assert!(ran.code == 1 && ran.stderr.contains(&part), "{}", ran.stderr);
    assert!(ran.stderr.contains("another `hark models pull`"), "{}", ran.stderr);
}

#[tokio::test]
async fn wrong_names_and_mirrors_are_wrong_usage() {
    let check = async |arguments: &[&str], words: &[&str]| {
        let ran = hark().run(&[&["models"], arguments].concat()).await;
        assert_eq!((ran.code, ran.text()), (2, ""), "{arguments:?}");
        for word in words {
            assert!(ran.stderr.contains(word), "{arguments:?}: {}", ran.stderr);
        }
    };
    check(&["pull", "tny"], &["did you mean `tiny`?", "large-v3-turbo-q8_0"]).await;
    check(&["pull", "silero-vad"], &["did you mean `silero-v6.2.0`?"]).await;
    check(&["pull", "../../etc/passwd"], &["knows no such model", "known: "]).await;
    check(&["verify", "gpt"], &["knows no such model"]).await;
    check(&["pull"], &["Usage:"]).await;
    check(&[], &["Usage:"]).await;
    for mirror in ["ftp://a/", "huggingface.co", "https://a:b@c/", "https://a/?b"] {
        check(&["pull", "tiny", "--mirror", mirror], &["--mirror"]).await;
    }
}

#[tokio::test]
async fn the_list_says_what_there_is_and_what_is_here() {
    let hark = hark().file("models/ggml-tiny.bin", "cut").file("cache/hark/models/x.bin", "");
    let ran = hark.run(&["models", "list"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    println!("$ hark models list\n{}", ran.text());
    let line = |name: &str| {
        let line = ran.text().lines().find(|line| line.split(' ').next() == Some(name));
        line.unwrap_or_else(|| panic!("no {name}: {}", ran.text())).to_owned()
    };
    for words in ["77.7 MB", "multilingual", "fast", "MIT", "models/ggml-tiny.bin (damaged"] {
        assert!(line("tiny").contains(words), "{}", line("tiny"));
    }
    for words in ["190 MB", "English", "moderate"] {
        assert!(line("small.en-q5_1").contains(words), "{}", line("small.en-q5_1"));
    }
    assert!(line("base").ends_with(" -"), "{}", line("base"));
    assert!(ran.text().contains("v6.2.0 is part of hark"), "{}", ran.text());

    let rows = &hark.run(&["models", "list", "--json"]).await.json(0)[0];
    let rows = rows.as_array().expect("an array");
    let row = |name: &str| rows.iter().find(|row| row["name"] == name).expect(name);
    let tiny = row("tiny");
    assert_eq!(tiny["path"], "models/ggml-tiny.bin");
    assert_eq!((&tiny["size_fits"], &tiny["built_in"]), (&Value::Bool(false), &Value::Bool(false)));
    assert_eq!((&tiny["languages"], &tiny["kind"]), (&"multilingual".into(), &"whisper".into()));
    let url = tiny["url"].as_str().unwrap();
    assert!(url.starts_with("https://huggingface.co/ggerganov/whisper.cpp/resolve/"), "{url}");
    assert!(url.ends_with("/ggml-tiny.bin"), "{url}");
    assert_eq!(row("hark-micro-en")["built_in"], cfg!(feature = "model-micro"));
    assert_eq!(row(SILERO.0)["kind"], "vad");
    assert_eq!(rows.len(), 32);
}

#[tokio::test]
async fn verify_reads_every_file_and_fails_on_a_damaged_one() {
    let built_in = usize::from(cfg!(feature = "model-micro")) + usize::from(cfg!(built_in_voice));
    let sound = include_bytes!("../../../models/hark-micro-en.bin");
    let good = hark().file("models/hark-micro-en.bin", sound).file("models/ggml-mine.bin", "?");
    let good = good.file("models/ggml-base.bin.part", "half");
    let ran = good.run(&["models", "verify"]).await;
    assert_eq!(ran.code, 0, "{}{}", ran.text(), ran.stderr);
    println!("$ hark models verify\n{}", ran.text());
    let lines: Vec<&str> = ran.text().lines().collect();
    assert_eq!(lines.len(), 3 + built_in, "{lines:?}");
    let [base, micro, part] = lines[built_in..] else { panic!("{lines:?}") };
    assert!(base.starts_with("unknown ") && base.contains("models/ggml-mine.bin"), "{base}");
    assert!(micro.starts_with("ok ") && micro.contains("models/hark-micro-en.bin"), "{micro}");
    assert!(part.starts_with("unfinished ") && part.contains("pull base"), "{part}");

    let damaged = hark().file("models/ggml-tiny.bin", "cut");
    let mut flipped = sound.to_vec();
    flipped[1_000_000] ^= 1;
    let damaged = damaged.file("cache/hark/models/hark-micro-en.bin", flipped);
    let found = &damaged.run(&["models", "verify", "--json"]).await.json(1)[0];
    let found: Vec<&Value> = found.as_array().expect("an array").iter().collect();
    assert_eq!(found.len(), 2 + built_in, "{found:?}");
    let (tiny, micro) = (found[built_in], found[built_in + 1]);
    assert_eq!((&tiny["status"], &tiny["model"]), (&"damaged".into(), &"tiny".into()));
    let problem = tiny["problem"].as_str().unwrap();
    assert!(problem.contains("3 bytes instead of 77691713"), "{problem}");
    assert!(problem.contains("hark models pull tiny"), "{problem}");
    assert_eq!(micro["status"], "damaged");
    assert!(micro["problem"].as_str().unwrap().contains("sha256"), "{micro}");

    assert_eq!(damaged.run(&["models", "verify", "tiny"]).await.code, 1);
    assert_eq!(damaged.run(&["models", "verify", "base"]).await.code, 1);
    assert_eq!(good.run(&["models", "verify", "./models/hark-micro-en.bin"]).await.code, 0);
    assert_eq!(good.run(&["models", "verify", "hark-micro-en"]).await.code, 0);
}

#[cfg(feature = "model-micro")]
#[tokio::test]
async fn what_is_built_in_needs_no_pull() {
    let arguments = ["models", "pull", "hark-micro-en", "--mirror", "http://127.0.0.1:9"];
    let ran = hark().run(&arguments).await;
    assert!(ran.code == 0 && ran.stderr.contains("part of this program"), "{}", ran.stderr);
}

#[tokio::test]
async fn without_a_way_out_it_ends_at_once_and_names_the_ways_around() {
    let hark = hark();
    // Nobody listens there, and no name ends in `.invalid`; waiting is 1, 2, 4 and 8 s.
    for (mirror, host) in [("http://127.0.0.1:9", "127.0.0.1"), ("https://a.invalid", "a.invalid")]
    {
        let started = std::time::Instant::now();
        let ran = hark.run(&["models", "pull", "base", "--mirror", mirror]).await;
        assert!(started.elapsed().as_secs() < 15, "{:?}", started.elapsed());
        assert_eq!((ran.code, ran.text()), (1, ""));
        let file = hark.path("cache/hark/models/ggml-base.bin").display().to_string();
        for word in [
            &format!("hark: {host} cannot be reached"),
            "--mirror URL",
            "https://huggingface.co/ggerganov/whisper.cpp/resolve/",
            &file,
            "147951465",
            "sha256  60ed5bc3dd14eea856493d334349b405782ddcaf0028d4b5df4088345fba2efe",
        ] {
            assert!(ran.stderr.contains(word), "{word}: {}", ran.stderr);
        }
        assert!(!ran.stderr.contains("trying again"), "{}", ran.stderr);
    }
}
