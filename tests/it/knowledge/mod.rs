//! Knowledge that is added, changed, cited and removed while the service runs, by words and by meaning.

mod meaning;

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use hark::turn::PassageSource;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::harness::api::ApiAnswer;
use crate::harness::{PERSON, Setup, TestApp};
use crate::program::Hark;

const MENU: &str = "# Menu\n## Cakes\nThe lemon cake is four euros.\n\n## Pets\nYour best friend may come in on a lead.\n";

/// A page that shows this stream.
fn pdf(about: &str, stream: &[u8]) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut places = String::new();
    let length = stream.len();
    for (n, object) in [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << \
          /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
            .to_vec(),
        [format!("<< {about} /Length {length} >>\nstream\n").as_bytes(), stream, b"\nendstream"]
            .concat(),
    ]
    .into_iter()
    .enumerate()
    {
        writeln!(places, "{:010} 00000 n ", file.len()).unwrap();
        file.extend(format!("{} 0 obj\n", n + 1).bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let start = file.len();
    let trailer = format!("trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    file.extend(format!("xref\n0 5\n0000000000 65535 f \n{places}{trailer}").bytes());
    file
}

/// A page without a word on it, as a scanner makes it.
fn scan() -> Vec<u8> {
    pdf("", b"")
}

/// A small file that says it is gigabytes of text.
fn bomb() -> Vec<u8> {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    let piece = vec![b' '; 1 << 20];
    for _ in 0..2_048 {
        packed.write_all(&piece).unwrap();
    }
    pdf("/Filter /FlateDecode", &packed.finish().unwrap())
}

/// A service whose agent answers from what it knows.
fn faq() -> Setup {
    TestApp::start().set("llm.engine", "faq").set("agents.0.reply", "text")
}

/// Sends files to an agent.
async fn send(app: &TestApp, token: &str, agent: &str, files: &[(&str, &[u8])]) -> ApiAnswer {
    let mut form = Form::new();
    for (name, contents) in files {
        form = form.part("file", Part::bytes(contents.to_vec()).file_name((*name).to_owned()));
    }
    app.api(token, Method::POST, &format!("/agents/{agent}/knowledge")).form(form).send().await
}

async fn answered(app: &TestApp, question: &str) -> (String, Vec<PassageSource>) {
    app.text(PERSON, question).await;
    app.run_until_idle().await;
    let report = app.turns().await.pop().unwrap().report.unwrap();
    (app.sent_texts().pop().unwrap(), report.sources)
}

#[tokio::test]
async fn a_file_that_is_added_answers_the_next_message_and_is_cited() {
    let app = faq().await;
    let admin = app.token("admin").await;
    let (before, _) = answered(&app, "how much is the lemon cake?").await;
    assert!(!before.contains("four euros"), "{before}");
    let added = send(&app, &admin, "hark", &[("menu.md", MENU.as_bytes())]).await.expect(201);
    assert_eq!(added["items"][0]["name"], "menu.md");
    assert_eq!(added["items"][0]["passages"], 2);
    let (after, sources) = answered(&app, "how much is the lemon cake?").await;
    assert_eq!(after, "The lemon cake is four euros.");
    assert_eq!((sources[0].file.as_str(), sources[0].place.as_str()), ("menu.md", "Menu > Cakes"));

    // In the place of the one of its name.
    let dearer = MENU.replace("four", "five");
    send(&app, &admin, "hark", &[("menu.md", dearer.as_bytes())]).await.expect(201);
    assert_eq!(
        answered(&app, "how much is the lemon cake?").await.0,
        "The lemon cake is five euros."
    );
    let listed = app.api_get(&admin, "/agents/hark/knowledge").send().await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");

    let gone = app.api(&admin, Method::DELETE, "/agents/hark/knowledge/menu.md").send().await;
    gone.expect(204);
    let gone = app.api(&admin, Method::DELETE, "/agents/hark/knowledge/menu.md").send().await;
    gone.problem(404, "not-found");
    assert!(!answered(&app, "how much is the lemon cake?").await.0.contains("euros."));
    assert_eq!(answered(&app, "when do you open").await.1[0].file, "faq.csv", "the shop is back");
}

#[tokio::test]
async fn a_terminal_adds_lists_searches_and_removes_beside_the_service() {
    let app = faq().await;
    let folder = app.folder().join("menu");
    std::fs::create_dir_all(folder.join("more")).unwrap();
    std::fs::write(folder.join("menu.md"), MENU).unwrap();
    std::fs::write(folder.join("more/hours.txt"), "We open at seven.").unwrap();
    std::fs::write(folder.join("logo.png"), "x").unwrap();
    let folder = folder.display().to_string();
    let added = app.hark(&["knowledge", "add", &folder]).await;
    assert_eq!(
        added.iter().map(|file| &file["name"]).collect::<Vec<_>>(),
        ["menu.md", "more/hours.txt"]
    );
    let live = async || answered(&app, "when do you open?").await.0 == "We open at seven.";
    app.wait_until("the service knows it", live).await;
    let asked = app.hark(&["ask", "--text", "when do you open?"]).await;
    assert_eq!(asked[0]["reply"]["text"], "We open at seven.", "so does who only asks");
    let found = app.hark(&["knowledge", "search", "is there lemon cake"]).await;
    assert_eq!(
        (&found[0]["file"], &found[0]["place"]),
        (&json!("menu.md"), &json!("Menu > Cakes"))
    );
    assert_eq!(found[0]["similarity"], Value::Null);
    let shown = app.hark(&["knowledge", "show", "menu.md"]).await;
    assert_eq!(shown.len(), 2);
    assert_eq!(app.hark(&["knowledge", "list"]).await.len(), 2);
    app.hark(&["knowledge", "remove", "menu.md"]).await;
    assert_eq!(
        app.hark(&["knowledge", "list", "--agent", "hark"]).await[0]["name"],
        "more/hours.txt"
    );
}

#[tokio::test]
async fn a_file_of_the_configuration_is_shown_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("own.csv");
    std::fs::write(&file, "question,answer\nDo you sell bread?,Only on Sundays.\n").unwrap();
    let app = faq().set("agents.0.knowledge.0", &file.display().to_string()).await;
    let admin = app.token("admin").await;
    let refused = send(&app, &admin, "hark", &[("own.csv", b"question,answer\na,b\n")]).await;
    refused.problem(409, "read-only");
    send(&app, &admin, "hark", &[("menu.md", MENU.as_bytes())]).await.expect(201);
    let listed = app.api_get(&admin, "/agents/hark/knowledge").send().await.expect(200);
    let kinds: Vec<_> = listed["items"].as_array().unwrap().iter().map(|f| &f["source"]).collect();
    assert_eq!(kinds, ["file", "store"]);
    assert_eq!(answered(&app, "do you sell bread").await.0, "Only on Sundays.");
    assert_eq!(
        answered(&app, "how much is the lemon cake?").await.0,
        "The lemon cake is four euros."
    );
    let gone = app.api(&admin, Method::DELETE, "/agents/hark/knowledge/own.csv").send().await;
    gone.problem(409, "read-only");
    let passages = app.api_get(&admin, "/agents/hark/knowledge/own.csv").send().await.expect(200);
    assert_eq!(passages["items"][0]["answer"], "Only on Sundays.");
}

#[tokio::test]
async fn what_was_given_to_an_agent_goes_with_it_and_the_built_in_one_keeps_its_own() {
    let app = faq().await;
    let admin = app.token("admin").await;
    app.api_post(&admin, "/agents", &json!({ "name": "desk", "llm": "faq" }))
        .send()
        .await
        .expect(201);
    let file: (&str, &[u8]) = ("menu.md", MENU.as_bytes());
    send(&app, &admin, "desk", &[file]).await.expect(201);
    app.api(&admin, Method::DELETE, "/agents/desk").of_version(1).send().await.expect(204);
    let again = json!({ "name": "desk", "llm": "faq" });
    let again = app.api_post(&admin, "/agents", &again).send().await.expect(201);
    let path = "/agents/desk/knowledge/search?q=lemon";
    assert_eq!(app.api_get(&admin, path).send().await.expect(200)["items"], json!([]));
    let version = again["version"].as_u64().unwrap();
    app.api(&admin, Method::DELETE, "/agents/desk").of_version(version).send().await.expect(204);
    send(&app, &admin, "hark", &[file]).await.expect(201);
    assert_eq!(
        answered(&app, "how much is the lemon cake?").await.0,
        "The lemon cake is four euros."
    );
}

#[tokio::test]
async fn a_long_file_is_read_page_by_page() {
    let app = faq().await;
    let admin = app.token("admin").await;
    let rows: Vec<String> = (0..7).map(|n| format!("question {n},answer {n}")).collect();
    let csv = format!("question,answer\n{}\n", rows.join("\n"));
    send(&app, &admin, "hark", &[("long.csv", csv.as_bytes())]).await.expect(201);
    let mut answers = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/agents/hark/knowledge/long.csv?limit=3{cursor}");
        let part = app.api_get(&admin, &path).send().await.expect(200);
        let items = part["items"].as_array().unwrap().clone();
        answers.extend(items.into_iter().map(|item| item["answer"].clone()));
        let Some(next) = part["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(answers, (0..7).map(|n| format!("answer {n}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_cannot_be_used_is_named_and_nothing_of_it_is_kept() {
    let app = faq().await;
    let admin = app.token("admin").await;
    let refused = async |files: &[(&str, &[u8])]| {
        send(&app, &admin, "hark", files).await.problem(422, "invalid")
    };
    let good: (&str, &[u8]) = ("menu.md", MENU.as_bytes());
    assert!(refused(&[good, ("a.pdf", b"%PDF-1.7\nno")]).await.contains("a.pdf"));
    assert!(refused(&[good, ("a.docx", b"PK")]).await.contains("a.docx: knowledge is read from"));
    assert!(refused(&[good, ("a.txt", b"  ")]).await.contains("a.txt has no text"));
    assert!(refused(&[good, ("a.csv", b"question,answer\na")]).await.contains("a.csv"));
    assert!(refused(&[("../a.txt", b"x")]).await.contains("name"));
    let empty = app.api(&admin, Method::POST, "/agents/hark/knowledge");
    let empty = empty.stream("multipart/form-data; boundary=x", "--x--\r\n".into()).send().await;
    assert!(empty.problem(422, "invalid").contains("no file"));
    assert!(refused(&[("scan.pdf", &scan())]).await.contains("OCR"));
    let json = app.api_post(&admin, "/agents/hark/knowledge", &json!({})).send().await;
    assert!(json.problem(415, "media-type").contains("multipart/form-data"));
    assert!(refused(&[good, good]).await.contains("menu.md is there twice"));
    let nobody = send(&app, &admin, "nobody", &[good]).await;
    nobody.problem(404, "not-found");
    let operator = app.token("operator").await;
    send(&app, &operator, "hark", &[good]).await.problem(403, "forbidden");
    assert_eq!(app.hark(&["knowledge", "list"]).await[0]["name"], "faq.csv", "the demo's alone");
}

#[tokio::test]
async fn a_pdf_is_read_in_a_process_with_limits() {
    let hark = Hark::new().file("bomb.pdf", bomb()).file("scan.pdf", scan());
    let hark = hark.file("words.pdf", pdf("", b"BT /F1 12 Tf (We open at nine.) Tj ET"));
    for (file, code, words) in [
        ("bomb.pdf", 1, "bomb.pdf: takes more than 1024 MiB of memory to read: save it anew"),
        ("scan.pdf", 1, "scan.pdf: has no text"),
        ("words.pdf", 0, ""),
    ] {
        let ran = hark.run(&["knowledge", "add", file]).await;
        assert!(ran.code == code && ran.stderr.contains(words), "{file}: {ran:?}");
    }
    let found = hark.run(&["knowledge", "search", "when do you open"]).await;
    let found = String::from_utf8(found.stdout).unwrap();
    assert!(found.starts_with("words.pdf, page 1"), "{found}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_and_while_it_comes() {
    let app = faq().await;
    let admin = app.token("admin").await;
    let path = "/agents/hark/knowledge";
    // What curl announces of two gigabytes.
    let head = format!(
        "POST /api/v1{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin}\r\n\
         Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 2147483648\r\n\r\n"
    );
    let answer = app.raw(head.as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 413") && answer.contains("urn:hark:problem:too-large"),
        "{answer}"
    );
    // And what announces nothing.
    let pieces = (0..70).map(|_| Ok::<_, std::io::Error>(vec![b'a'; 1 << 20]));
    let start = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n";
    let pieces = std::iter::once(Ok(start.to_vec())).chain(pieces);
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    let sent = app.api(&admin, Method::POST, path).stream("multipart/form-data; boundary=x", body);
    sent.send().await.problem(413, "too-large");
    assert_eq!(
        answered(&app, "when do you open").await.1[0].file,
        "faq.csv",
        "it answers all the same"
    );
}

#[tokio::test]
async fn the_same_request_twice_is_answered_once() {
    let app = faq().await;
    let admin = app.token("admin").await;
    let send = async |text: &str| {
        let part = Part::text(text.to_owned()).file_name("a.txt");
        let call = app.api(&admin, Method::POST, "/agents/hark/knowledge");
        let call = call.header("Idempotency-Key", "k1").form(Form::new().part("file", part));
        call.send().await
    };
    let first = send("Tea is two euros.").await.expect(201);
    assert_eq!(send("Tea is two euros.").await.expect(201), first);
    send("Tea is three euros.").await.problem(422, "invalid");
}
