//! Secrets and addresses that a configuration has and that could not work.

use crate::program::Hark;

async fn check(toml: &str, words: &[&str]) {
    let ran = Hark::new().file("mine.toml", toml).run(&["serve", "--config", "mine.toml"]).await;
    assert_eq!(ran.code, 64, "{toml}: {}", ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "no {word:?} in: {}", ran.stderr);
    }
}

#[tokio::test]
async fn secrets_and_addresses_that_cannot_work_are_refused_with_what_to_do() {
    let number = |token: &str, secret: &str, more: &str| {
        format!(
            "[[numbers]]\nphone_number_id = \"900\"\naccess_token = \"{token}\"\n\
             app_secret = \"{secret}\"\n{more}\n"
        )
    };
    let (secret, token) = ("numbers[0].app_secret: ", "numbers[0].access_token: ");
    check(&number("t", " ", ""), &[secret, "set app_secret or app_secret_file"]).await;
    check(&number("t", "\\t\\n", ""), &[secret, "is missing"]).await;
    check(&number("t", "a\\u0007b", ""), &[secret, "not seen: copy it anew"]).await;
    check(&number("t", "ab\\n", ""), &[secret, "begins or ends with"]).await;
    check(&number("my\\ntoken", "s", ""), &[token, "line break", "copy it anew"]).await;
    check(&number("t\\u001b[0m", "s", ""), &[token, "copy it anew"]).await;
    let api = number("t", "s", "api_url = \"ftp://graph.example\"");
    check(&api, &["numbers[0].api_url: begins with ftp://", "write https://"]).await;
    check("[server]\npublic_url = \"ftp://a.example\"", &["server.public_url: ", "ftp://"]).await;
    check("[llm]\nengine = \"openai\"\nurl = \"ftp://a/v1\"\nmodel = \"m\"", &["llm.url", "http"])
        .await;
    for word in ["", " ", "a\\nb", "\\u202ea"] {
        let toml = format!("[webhook]\nverify_token = \"{word}\"");
        check(&toml, &["mine.toml: webhook.verify_token: "]).await;
    }
}
