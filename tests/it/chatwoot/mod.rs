//! The bridge to Chatwoot: the real program between the real service and a server of our own that
//! speaks Chatwoot's API.

mod api;
mod desk;
mod story;
mod trouble;

use serde_json::{Value, json};

use self::desk::{ACCOUNT, FakeDesk, INBOX, SECRET, TOKEN};
use crate::harness::{PERSON, TestApp};
use crate::program::{Hark, Running};

/// A service, a Chatwoot, and what starts bridges between them.
struct Between {
    app: TestApp,
    desk: FakeDesk,
    hark: Hark,
    /// Of an operator.
    token: String,
}

impl Between {
    async fn of(app: TestApp) -> Self {
        let token = app.token("operator").await;
        let desk = FakeDesk::start().await;
        let hark = Hark::new()
            .env("HARK_TOKEN", &token)
            .env("CHATWOOT_TOKEN", TOKEN)
            .env("CHATWOOT_WEBHOOK_SECRET", SECRET);
        Self { app, desk, hark, token }
    }

    fn arguments(&self) -> Vec<String> {
        let (account, inbox) = (ACCOUNT.to_string(), INBOX.to_string());
        let (chatwoot, app) = (self.desk.url(), self.app.address(""));
        let words = [
            "bridge",
            "chatwoot",
            "--hark",
            &app,
            "--chatwoot",
            &chatwoot,
            "--account",
            &account,
            "--inbox",
            &inbox,
            "--listen",
            "127.0.0.1:0",
        ];
        words.map(str::to_owned).to_vec()
    }

    /// Starts a bridge; returns when Chatwoot knows where it listens.
    async fn bridge(&self) -> Running {
        let arguments = self.arguments();
        let running = self.hark.spawn(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let url = running.said_one_of(&["webhook URL of the inbox: "]).await;
        self.desk.calls(&url);
        running
    }

    /// Waits until so many messages are in Chatwoot; returns them in lines.
    async fn desk_has(&self, many: usize) -> Vec<String> {
        let what = format!("{many} messages in Chatwoot");
        self.app.wait_until(&what, &async || self.desk.messages().len() >= many).await;
        self.desk.lines()
    }

    /// Waits until hark has sent so many messages.
    async fn person_has(&self, many: usize) {
        let what = format!("{many} messages to the person");
        self.app.wait_until(&what, &async || self.app.sent().len() >= many).await;
        self.app.run_until_done().await;
    }

    /// Lets the person ask for a person; returns the conversation in Chatwoot once the ticket is taken
    /// and its history is there.
    async fn ticket(&self) -> i64 {
        self.app.text(PERSON, "human please").await;
        self.app.run_until_done().await;
        let notes =
            async || self.desk.lines().iter().any(|line| line.starts_with("note: hark: a person"));
        self.app.wait_until("the history", &notes).await;
        self.desk.conversations().last().unwrap()["id"].as_i64().unwrap()
    }

    /// The tickets of hark, the latest first.
    async fn tickets(&self) -> Vec<Value> {
        let list = self.app.api_get(&self.token, "/tickets").send().await.expect(200);
        list["items"].as_array().unwrap().clone()
    }

    /// Waits until there is a ticket in this state.
    async fn wait_for_ticket(&self, state: &str) {
        let is = async || self.tickets().await.iter().any(|ticket| ticket["state"] == state);
        self.app.wait_until(&format!("a ticket is {state}"), &is).await;
    }

    /// Checks that a bridge has logged no word of a person, no number and no token.
    fn logs_nothing_personal(&self, bridge: &Running) {
        let said = bridge.said();
        for word in [PERSON, TOKEN, &self.token, "Saturday", "human please", "spoken"] {
            assert!(!said.contains(word), "{word}: {said}");
        }
    }

    /// Checks that the bridge asked Chatwoot for nothing that it should not.
    fn ends_well(&self) {
        assert_eq!(self.desk.wrong(), Vec::<String>::new());
        let sources: Vec<Value> =
            self.desk.messages().iter().map(|m| m["source_id"].clone()).collect();
        let named: Vec<&Value> = sources.iter().filter(|source| source.is_string()).collect();
        let distinct: std::collections::HashSet<String> =
            named.iter().map(ToString::to_string).collect();
        assert_eq!(distinct.len(), named.len(), "nothing is there twice: {sources:?}");
    }
}

/// An operator of hark, who stands for the desk.
async fn staff(app: &TestApp) {
    let admin = app.token("admin").await;
    let desk = json!({ "name": "The desk" });
    app.api_post(&admin, "/operators", &desk).send().await.expect(201);
}
