//! MCP servers: the official SDK's own server, over streamable HTTP on a port of its own.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{answered, asking, calls, told, tool};
use crate::harness::Setup;
use crate::openai::chat::{Chat, Script};
use crate::program::Hark;

const TOKEN: &str = "Bearer t0ken-of-the-crm";

/// Knows customers.
#[derive(Clone, Default)]
struct Crm {
    called: Arc<Mutex<Vec<String>>>,
    listed: Arc<AtomicUsize>,
}

fn described(name: &'static str) -> Tool {
    let schema = json!({
        "type": "object", "properties": { "q": { "type": "string" } }, "required": ["q"],
    });
    Tool::new(name, "Knows customers.", schema.as_object().cloned().unwrap())
}

impl ServerHandler for Crm {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    /// A list in two parts.
    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.listed.fetch_add(1, Ordering::SeqCst);
        let mut list = ListToolsResult::default();
        if page.and_then(|page| page.cursor).is_none() {
            list.tools = vec![described("find_customer"), described("find_order")];
            list.next_cursor = Some("2".to_owned());
        } else {
            list.tools =
                ["facts", "fail", "hang", "huge", "vast", "delete all"].map(described).to_vec();
        }
        Ok(list)
    }

    async fn call_tool(
        &self,
        call: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let q = call.arguments.as_ref().map(|all| all["q"].to_string()).unwrap_or_default();
        self.called.lock().unwrap().push(format!("{}({q})", call.name));
        let text = |text: String| CallToolResult::success(vec![ContentBlock::text(text)]);
        Ok(match &*call.name {
            "find_customer" => text(format!("Ada, who asks for {q}")),
            "facts" => CallToolResult::structured(json!({ "since": 2019 })),
            "fail" => CallToolResult::error(vec![ContentBlock::text("the ledger is closed")]),
            "huge" => text("x".repeat(70_000)),
            "vast" => text("x".repeat(3 << 20)),
            "hang" => std::future::pending().await,
            _ => return Err(ErrorData::invalid_params("no such tool", None)),
        }
        .into())
    }
}

/// A server that runs, until it is dropped.
struct Running {
    address: SocketAddr,
    crm: Crm,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    async fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), Crm::default()).await
    }

    async fn at(address: SocketAddr, crm: Crm) -> Self {
        let own = crm.clone();
        let service: StreamableHttpService<Crm, LocalSessionManager> = StreamableHttpService::new(
            move || Ok(own.clone()),
            Arc::default(),
            StreamableHttpServerConfig::default(),
        );
        // Who has no token is nobody.
        let door = from_fn(async |request: Request, next: Next| {
            match request.headers().get("authorization") {
                Some(token) if token == TOKEN => next.run(request).await,
                _ => StatusCode::UNAUTHORIZED.into_response(),
            }
        });
        let router = Router::new().nest_service("/mcp", service).layer(door);
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, crm, task }
    }

    /// Restarts it: the same address, and no session of before.
    async fn restart(self) -> Self {
        let (address, crm) = (self.address, self.crm.clone());
        drop(self);
        // The port is free once the connections are closed.
        for _ in 0..500 {
            if TcpListener::bind(address).await.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self::at(address, crm).await
    }

    fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    fn called(&self) -> Vec<String> {
        self.crm.called.lock().unwrap().clone()
    }
}

async fn with_server(
    scripts: impl IntoIterator<Item = Script>,
    url: &str,
    token: &str,
) -> (Setup, Chat) {
    let (setup, chat) = asking(scripts).await;
    let key = |key: &str| format!("agents.0.mcp.0.{key}");
    let setup = setup.set(&key("name"), "crm").set(&key("url"), url);
    let setup = setup.set(&key("headers.authorization"), token).set(&key("timeout_ms"), "2000");
    (setup, chat)
}

fn call(name: &str) -> Script {
    calls("", &[("c1", name, "{\"q\":\"tea\"}")])
}

/// Names of the tools that a model was offered.
fn offered(chat: &Chat) -> Vec<String> {
    let asked = chat.asked().pop().unwrap();
    let tools = asked.body["tools"].as_array().cloned().unwrap_or_default();
    tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_servers_tools_are_offered_and_called_over_one_session() {
    let server = Running::start().await;
    let scripts = [
        call("find_customer"),
        Script::says("Ada."),
        call("facts"),
        Script::says("Since 2019."),
        call("fail"),
        Script::says("Closed."),
        call("huge"),
        Script::says("Too much."),
        call("hang"),
        Script::says("Too long."),
        call("vast"),
        Script::says("Far too much."),
        call("find_customer"),
        Script::says("Ada."),
    ];
    let (setup, chat) = with_server(scripts, &server.url(), TOKEN).await;
    let setup = setup.set("agents.0.mcp.0.timeout_ms", "1500");
    // A tool of our own has a name that the server has too.
    let app = tool(setup, 0, "find_order", "http://127.0.0.1:1/{id}").await;
    for (words, outcome) in [
        ("Ada, who asks for \"tea\"", "answered"),
        ("{\"since\":2019}", "answered"),
        ("the tool failed: the ledger is closed", "failed"),
        ("more than 64 KiB", "too_large"),
        ("did not answer within 1500 ms", "timed_out"),
        ("because it sent more than 1 MiB", "unreachable"),
        // Over a new session.
        ("Ada, who asks for \"tea\"", "answered"),
    ] {
        let report = answered(&app, "who am I").await;
        let asked = chat.asked();
        assert!(told(asked.last().unwrap()).contains(words), "{}", told(asked.last().unwrap()));
        assert_eq!(report.tools[0].outcome.name(), outcome);
    }
    app.sent();
    assert_eq!(
        offered(&chat),
        [
            "find_order",
            "find_customer",
            "crm_find_order",
            "facts",
            "fail",
            "hang",
            "huge",
            "vast",
            "crm_delete_all"
        ]
    );
    assert_eq!(server.crm.listed.load(Ordering::SeqCst), 4, "one list a session, in two parts");
    assert_eq!(server.called()[0], "find_customer(\"tea\")");
    let metrics = app.metrics().await;
    assert!(metrics.contains("hark_tool_seconds_count{tool=\"crm\",outcome=\"failed\"}"));
}

#[tokio::test]
async fn only_allowed_tools_are_offered() {
    let server = Running::start().await;
    let (setup, chat) = with_server([Script::says("Hello.")], &server.url(), TOKEN).await;
    let app = setup.set("agents.0.mcp.0.tools.0", "facts").await;
    answered(&app, "hello").await;
    app.sent();
    assert_eq!(offered(&chat), ["facts"]);
}

#[tokio::test]
async fn a_session_that_the_server_forgot_is_begun_again() {
    let server = Running::start().await;
    let scripts = [
        call("find_customer"),
        Script::says("Ada."),
        call("find_customer"),
        Script::says("Ada again."),
    ];
    let (setup, _) = with_server(scripts, &server.url(), TOKEN).await;
    let app = setup.await;
    assert_eq!(answered(&app, "who am I").await.reply.text, "Ada.");
    let server = server.restart().await;
    let report = answered(&app, "who am I").await;
    app.sent();
    assert_eq!(report.reply.text, "Ada again.");
    assert_eq!(report.tools[0].outcome.name(), "answered", "{:?}", report.tools[0].result.reveal());
    assert_eq!(server.called().len(), 2);
}

#[tokio::test]
async fn a_server_that_is_away_leaves_its_people_answered_and_is_on_record() {
    let (setup, chat) =
        with_server([Script::says("Hello.")], "http://127.0.0.1:1/mcp", TOKEN).await;
    let app = setup.await;
    let report = answered(&app, "hello").await;
    assert_eq!(report.reply.text, "Hello.");
    let [tool] = &report.tools[..] else { panic!("{:?}", report.tools) };
    assert_eq!((tool.name.as_str(), tool.outcome.name()), ("crm", "unreachable"));
    assert!(offered(&chat).is_empty());
    // A wrong token, likewise; what the server may repeat of it is told nobody.
    let server = Running::start().await;
    let (setup, _) =
        with_server([Script::says("Hello.")], &server.url(), "Bearer wr0ng-token").await;
    let refused = setup.await;
    let report = answered(&refused, "hello").await;
    assert_eq!(report.tools[0].outcome.name(), "unreachable");
    assert!(!report.tools[0].result.reveal().contains("wr0ng"));
    app.sent();
    refused.sent();
}

#[tokio::test]
async fn the_doctor_shakes_hands_and_names_tools_that_are_not_there() {
    let server = Running::start().await;
    let file = |tools: &str| {
        format!(
            "[llm]\nengine = \"scripted\"\n[stt]\nengine = \"scripted\"\n[tts]\nengine = \"scripted\"\n\
             [[agents]]\nname = \"hark\"\n[[agents.mcp]]\nname = \"crm\"\nurl = \"{}\"\n\
             headers = {{ authorization = \"{TOKEN}\" }}\n{tools}",
            server.url()
        )
    };
    let ran = Hark::new().file("hark.toml", file("")).run(&["doctor"]).await;
    assert!(
        ran.text().contains("MCP server crm: tools find_customer, find_order, facts"),
        "{}",
        ran.text()
    );
    let wrong = file("tools = [\"facts\", \"fact\"]\n");
    let ran = Hark::new().file("hark.toml", &wrong).run(&["doctor", "--json"]).await;
    let findings: Vec<Value> = ran.json(1)[0]["findings"].as_array().unwrap().clone();
    let found = findings.iter().find(|one| one["key"] == "agents[0].mcp[0].tools[1]").unwrap();
    assert!(found["message"].as_str().unwrap().contains("has no tool fact"), "{found}");
    assert!(!findings.iter().any(|one| one["key"] == "agents[0].mcp[0].url"), "{findings:?}");
}
