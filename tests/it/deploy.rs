//! The files of deploy/ are what they say: they parse, name only what they have, and hark takes the
//! configuration that they give it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use hark::config::{Config, Environment};
use hark::store::StoreAddress;
use secrecy::ExposeSecret as _;
use serde_json::Value;

/// Reads a file of deploy/ with a YAML parser.
fn yaml(name: &str) -> Value {
    const AS_JSON: &str =
        "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name);
    let mut python = Command::new("python3");
    python.args(["-c", AS_JSON]).stdin(std::fs::File::open(file).unwrap());
    let ran = python.output().expect("python3 is not installed: make deps installs it");
    assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

fn keys(object: &Value) -> BTreeSet<String> {
    object.as_object().expect("it is an object").keys().cloned().collect()
}

/// Reads hark's configuration from variables; secrets lie in files of a folder.
fn config(variables: impl Iterator<Item = (String, String)>) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let here = |value: &str| value.replace("/run/secrets", &folder.path().display().to_string());
    let environment: Environment = variables.map(|(name, value)| (name, here(&value))).collect();
    for value in environment.values().filter(|value| value.starts_with('/')) {
        if Path::new(value).parent() == Some(folder.path()) {
            std::fs::write(value, "secret\n").unwrap();
        }
    }
    let file = folder.path().join("hark.toml");
    std::fs::write(&file, "[[numbers]]\nphone_number_id = \"1065403522\"\n").unwrap();
    hark::config::load(Some(&file), &environment).unwrap_or_else(|problems| panic!("{problems}"))
}

fn is_shared(config: &Config) -> bool {
    matches!(config.store.address(), StoreAddress::Postgres { .. }) && config.redis.url.is_some()
}

#[test]
fn the_compose_file_names_what_it_has_and_gives_each_node_its_own_name() {
    let compose = yaml("compose.yaml");
    let services = compose["services"].as_object().unwrap();
    let (names, secrets) = (keys(&compose["services"]), keys(&compose["secrets"]));
    let (volumes, mut nodes) = (keys(&compose["volumes"]), BTreeSet::new());
    for (name, service) in services {
        let list = |key: &str| service[key].as_array().cloned().unwrap_or_default();
        for secret in list("secrets") {
            let secret = secret.as_str().or_else(|| secret["source"].as_str()).unwrap().to_owned();
            assert!(secrets.contains(&secret), "{name}: {secret}");
        }
        for volume in list("volumes") {
            let source = volume.as_str().unwrap().split(':').next().unwrap().to_owned();
            let there = match source.strip_prefix("./") {
                // The operator's own.
                Some("hark.toml" | "faq.csv") => true,
                Some(file) => {
                    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file).exists()
                }
                None => volumes.contains(&source),
            };
            assert!(there, "{name}: {source}");
        }
        let depends_on = match &service["depends_on"] {
            Value::Array(names) => names.iter().map(|it| it.as_str().unwrap().to_owned()).collect(),
            Value::Null => BTreeSet::new(),
            conditions => keys(conditions),
        };
        assert!(depends_on.is_subset(&names), "{name}: {depends_on:?}");
        assert!(service["healthcheck"]["test"].is_array(), "{name}");
        assert_eq!(service["networks"], serde_json::json!(["inside"]), "{name}");
        if service["image"] == "hark" {
            assert_eq!(service["command"], serde_json::json!(["hark", "serve"]));
            let variables = service["environment"].as_object().unwrap().iter();
            let config = config(variables.map(|(name, value)| {
                (name.clone(), value.as_str().unwrap_or_else(|| panic!("{name} is no text")).into())
            }));
            assert!(is_shared(&config), "{name}");
            assert_eq!(config.queue.node(), *name);
            nodes.insert(name.clone());
        }
    }
    assert_eq!(nodes.len(), 2);
    assert_eq!(keys(&yaml("compose.gpu.yaml")["services"]), nodes);
    let proxy = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/Caddyfile.nodes"),
    );
    let proxy = proxy.unwrap();
    for node in nodes {
        assert!(proxy.contains(&format!("{node}:8080")), "the proxy does not know {node}");
    }
}

#[test]
fn cloud_run_gives_a_configuration_of_several_instances() {
    let service = yaml("cloud-run.yaml");
    let container = &service["spec"]["template"]["spec"]["containers"][0];
    let variables = container["env"].as_array().unwrap().iter().map(|variable| {
        let value = variable["value"].as_str().unwrap_or("00112233445566778899aabbccddeeff");
        (variable["name"].as_str().unwrap().to_owned(), value.to_owned())
    });
    let config = config(variables);
    assert!(is_shared(&config));
    assert!(config.store.secret_key.is_some());
    let StoreAddress::Postgres { url, .. } = config.store.address() else { panic!("a file") };
    // A socket has no host before which a password could stand.
    assert!(url.expose_secret().contains("password=0011"), "it has its password");
    assert!(!config.store.address().to_string().contains("0011"));
}
