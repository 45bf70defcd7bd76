//! What packagers and shells ask the program for: its version, completions and manual.

use tokio::process::Command;

use crate::harness::TestApp;
use crate::program::Hark;

#[tokio::test]
async fn the_version_says_what_the_program_is_made_of() {
    let long = Hark::new().run(&["--version"]).await;
    let lines: Vec<&str> = long.text().lines().collect();
    let first = format!("hark {} (", env!("CARGO_PKG_VERSION"));
    assert!(lines[0].starts_with(&first) && lines[0].ends_with(')'), "{lines:?}");
    let names: Vec<&str> = lines[1..].iter().filter_map(|l| l.split_whitespace().next()).collect();
    assert_eq!(names, ["features", "model", "voice", "gpu", "whisper"]);
    assert_eq!(lines[1].contains("model-micro"), cfg!(feature = "model-micro"));
    assert_eq!(lines[2].ends_with("hark-micro-en"), cfg!(feature = "model-micro"));
    let short = Hark::new().run(&["-V"]).await;
    assert_eq!(short.text(), format!("hark {}\n", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn bash_completes_commands_and_flags() {
    let hark = Hark::new();
    let script = hark.run(&["completions", "bash"]).await;
    assert_eq!((script.code, script.stderr.as_str()), (0, ""));
    let hark = hark.file("hark.bash", &script.stdout);
    let complete = async |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let (at, last) = (words.len() - 1, words.last().unwrap());
        let ask = format!(
            "source hark.bash && COMP_WORDS=({line}) COMP_CWORD={at} && _hark hark '{last}' \
             '{}' && echo \"${{COMPREPLY[@]}}\"",
            words[at - 1]
        );
        let said = Command::new("bash").args(["-c", &ask]).current_dir(hark.path("")).output();
        String::from_utf8(said.await.unwrap().stdout).unwrap()
    };
    assert_eq!(complete("hark tran").await, "transcribe\n");
    assert_eq!(complete("hark models p").await, "pull\n");
    assert_eq!(complete("hark voices li").await, "listen\n");
    assert_eq!(complete("hark doctor --j").await, "--json\n");
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let ran = hark.run(&["completions", shell]).await;
        assert!(ran.code == 0 && ran.text().contains("transcribe"), "{shell}: {}", ran.stderr);
    }
    assert_eq!(hark.run(&["completions", "cmd"]).await.code, 2);
}

#[tokio::test]
async fn the_manual_has_a_page_for_every_command() {
    let hark = Hark::new();
    let page = hark.run(&["man"]).await;
    assert!(page.text().contains(".TH hark 1") && page.text().contains("64 bad"), "{page:?}");
    let written = hark.run(&["man", "--dir", "man1"]).await;
    assert_eq!((written.code, written.stderr.as_str()), (0, ""));
    let names: Vec<&str> = written.text().lines().collect();
    for name in
        ["hark.1", "hark-serve.1", "hark-models-pull.1", "hark-voices-listen.1", "hark-man.1"]
    {
        assert!(names.contains(&format!("man1/{name}").as_str()), "{name}: {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("help")), "{names:?}");
    let pull = std::fs::read_to_string(hark.path("man1/hark-models-pull.1")).unwrap();
    assert!(pull.contains("mirror") && pull.contains("hark models pull"), "{pull}");
}

#[tokio::test]
async fn the_metrics_say_what_runs_and_on_what_it_hears() {
    let app = TestApp::start().await;
    let metrics = app.metrics().await;
    let line = metrics.lines().find(|line| line.starts_with("hark_build_info{")).unwrap();
    for label in ["version=\"0.", "commit=\"", "gpu=\""] {
        assert!(line.contains(label), "{line}");
    }
}

#[cfg(feature = "model-micro")]
#[tokio::test]
async fn the_metrics_name_the_device_of_a_model() {
    let number = "[server]\nlisten = \"127.0.0.1:0\"\nadmin_listen = \"127.0.0.1:0\"\n[[numbers]]\nphone_number_id = \"900\"\n\
                  access_token = \"t\"\napp_secret = \"s\"\n[stt]\ndevice = 1\n";
    let service = Hark::new().file("hark.toml", number).start(&["serve"]).await;
    let client = hark::remote::http_client();
    let admin = service.said_one_of(&["admin.address="]).await;
    let metrics = client.get(format!("http://{}/metrics", admin.trim())).send().await.unwrap();
    let metrics = metrics.text().await.unwrap();
    let expected = "hark_stt_device_info{engine=\"whisper/hark-micro-en\",device=\"cpu\"} 1";
    assert!(metrics.contains(expected), "{metrics}");
    assert_eq!(service.stop().await, 0);
}
