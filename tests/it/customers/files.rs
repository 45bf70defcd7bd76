//! Files of customers as the world saves them: other encodings, doubled numbers, too large, no table.

use std::fmt::Write as _;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::harness::TestApp;
use crate::harness::api::{ApiAnswer, ApiCall};
use crate::program::Hark;

/// A request that imports.
fn import(app: &TestApp, admin: &str) -> ApiCall {
    app.api(admin, Method::POST, "/customers/import")
}

async fn send(app: &TestApp, admin: &str, contents: impl Into<reqwest::Body>) -> ApiAnswer {
    import(app, admin).stream("text/csv", contents.into()).send().await
}

async fn names(app: &TestApp, admin: &str) -> Vec<String> {
    let listed = app.api_get(admin, "/customers").send().await.expect(200);
    let names = listed["items"].as_array().unwrap().iter();
    names.map(|row| row["name"].as_str().unwrap_or_default().to_owned()).collect()
}

fn counts(answer: &Value) -> [u64; 4] {
    ["imported", "updated", "unchanged", "left_out"].map(|key| answer[key].as_u64().unwrap())
}

#[tokio::test]
async fn every_encoding_and_separator_is_read() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    let utf16 = |text: &str| -> Vec<u8> {
        [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat()
    };
    for (bytes, name) in [
        (b"\xef\xbb\xbfphone,name\n+4930111111,J\xc3\xb6rg\n".to_vec(), "Jörg"),
        (
            b"Telefon;Name;Ort\r\n+49 30 222 222;J\xfcrgen M\xfcller;K\xf6ln\r\n".to_vec(),
            "Jürgen Müller",
        ),
        (utf16("phone\tname\r\n+4930333333\tŁukasz\r\n"), "Łukasz"),
        (
            b"sep=;\nm\xf3vil;nombre\n+34600111222;Bego\xf1a N\xfa\xf1ez, se\xf1ora\n".to_vec(),
            "Begoña Núñez, señora",
        ),
    ] {
        let answer = send(&app, &admin, bytes).await.expect(200);
        assert_eq!(counts(&answer), [1, 0, 0, 0], "{answer}");
        assert_eq!(names(&app, &admin).await[0], name);
    }
}

#[tokio::test]
async fn doubled_numbers_and_broken_rows_are_named_and_the_rest_is_taken() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    let file = b"phone,name,plan\n+49 30 111111,Ann,gold\n0049(30)111111,Eve,x\nbroken,Bob,x\n\
                 +49 30 222222,J\xfcrgen,x\n+49 30 333333,J\xc3\xb6rg,x\n+49 30 444444,Ida,x,y,z\n";
    let answer = send(&app, &admin, file.to_vec()).await.expect(200);
    assert_eq!(counts(&answer), [3, 0, 0, 3], "{answer}");
    let problems = answer["problems"].as_array().unwrap();
    for (problem, (line, words)) in problems.iter().zip([
        (3, "has the phone number of line 2, which is taken; this line is left out"),
        (4, "is no phone number: write it with its country's code"),
        (5, "in another encoding than the rest"),
        (7, "has 5 columns where the header has 3"),
    ]) {
        assert_eq!(problem["line"], line, "{problem}");
        assert!(problem["problem"].as_str().unwrap().contains(words), "{problem}");
    }
    assert_eq!((problems.len(), &answer["more_problems"]), (4, &json!(0)));
    assert_eq!(names(&app, &admin).await, ["Jörg", "Jürgen", "Ann"]);
    // The same again changes nothing, and a change is counted.
    let again = send(&app, &admin, file.to_vec()).await.expect(200);
    assert_eq!(counts(&again), [0, 0, 3, 3]);
    let other = "phone,plan,town\n+4930111111,,Köln\n";
    let changed = send(&app, &admin, other).await.expect(200);
    assert_eq!(counts(&changed), [0, 1, 0, 0]);
    let found = app.api_get(&admin, "/customers?q=ann").send().await.expect(200);
    assert_eq!(found["items"][0]["fields"], json!({ "town": "Köln" }));
}

#[tokio::test]
async fn a_file_that_is_no_table_of_people_is_refused_whole() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    for (contents, words) in [
        (&b""[..], "the file has no rows"),
        (b"name,plan\nAnn,gold\n", "must name the columns, one of them phone or user_id"),
        (b"PK\x03\x04rest", "this is a spreadsheet"),
        (b"phone,name\0\n", "its letters cannot be read"),
    ] {
        let refused = send(&app, &admin, contents.to_vec()).await;
        let said = refused.problem(422, "invalid");
        assert!(said.contains(words), "{said}");
    }
    let json = import(&app, &admin).json(&json!({})).send().await;
    assert!(json.problem(415, "media-type").contains("text/csv"));
    let large = vec![b'x'; (32 << 20) + 1];
    send(&app, &admin, large.clone()).await.problem(413, "too-large");
    let part = Part::bytes(large).file_name("c.csv");
    import(&app, &admin)
        .form(Form::new().part("file", part))
        .send()
        .await
        .problem(413, "too-large");
    assert!(names(&app, &admin).await.is_empty());
}

#[tokio::test]
async fn a_form_is_taken_and_a_key_imports_once() {
    let app = TestApp::start().await;
    let admin = app.token("admin").await;
    let form = |name: &str| {
        let contents = format!("phone,name\n+4930111111,{name}\n");
        Form::new().part("file", Part::bytes(contents.into_bytes()).file_name("c.csv"))
    };
    let send =
        |name: &str| import(&app, &admin).header("Idempotency-Key", "k").form(form(name)).send();
    let first = send("Ann").await.expect(200);
    assert_eq!(counts(&first), [1, 0, 0, 0]);
    assert_eq!(send("Ann").await.expect(200), first, "the answer that it had");
    send("Eve").await.problem(422, "invalid");
    let two = form("Ann").part("file", Part::bytes(b"phone\n".to_vec()).file_name("d.csv"));
    let refused = import(&app, &admin).form(two).send().await;
    assert!(refused.problem(422, "invalid").contains("one file"));
}

#[tokio::test]
async fn a_terminal_says_which_lines_are_left_out() {
    let mut many = "phone,name\n".to_owned();
    for n in 0..1_500 {
        writeln!(many, "none,Person {n}").unwrap();
    }
    let hark =
        Hark::new().file("c.csv", "phone,name\n+4930111111,Ann\nx,Bob\n").file("many.csv", many);
    let ran = hark.run(&["contacts", "import", "c.csv"]).await;
    assert_eq!((ran.code, ran.text()), (1, "imported 1, updated 0, unchanged 0, left out 1\n"));
    assert!(ran.stderr.contains("line 3: the phone number is no phone number"), "{}", ran.stderr);
    let ran = hark.run(&["contacts", "import", "many.csv"]).await;
    assert!(ran.stderr.contains("and 500 more problems"), "{}", ran.text());
    let absent = hark.run(&["contacts", "import", "nothing.csv"]).await;
    assert!(absent.code == 1 && absent.stderr.contains("nothing.csv"), "{}", absent.stderr);
    let stdin = hark.run_with(&["contacts", "import", "-"], b"phone,plan\n4930111111,gold\n").await;
    assert_eq!((stdin.code, stdin.text()), (0, "imported 0, updated 1, unchanged 0, left out 0\n"));
    let shown = hark.run(&["contacts", "show", "+49 30 111111"]).await;
    assert!(
        shown.text().contains("+4930111111  Ann  (import)\n  plan: gold\n"),
        "{}",
        shown.text()
    );
    let nobody = hark.run(&["contacts", "show", "Bob"]).await;
    assert!(nobody.code == 1 && nobody.stderr.contains("nothing is known of Bob"));
}
