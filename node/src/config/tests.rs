//! Layers, descriptions and checks of the configuration.

use cairn_protocol::resources::Resource;

use std::collections::BTreeSet;

use super::{super::*, keys};

fn environment(variables: &[(&str, &str)]) -> FromEnvironment {
    FromEnvironment::new(variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))
}

fn load(
    text: &str,
    variables: &[(&str, &str)],
    overrides: &[Override],
) -> (tempfile::TempDir, Result<Config, ConfigError>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cairn.toml");
    std::fs::write(&path, text).unwrap();
    let config = Config::load(Some(&path), &environment(variables), overrides);
    (dir, config)
}

fn refusal(text: &str, variables: &[(&str, &str)]) -> String {
    load(text, variables, &[]).1.unwrap_err().to_string()
}

#[test]
fn accepts_its_own_defaults() {
    let text = Config::default().to_toml().unwrap();
    let read = load(&text, &[], &[]).1.unwrap();
    assert_eq!(read.to_toml().unwrap(), text);
    let bare = Config::load(None, &environment(&[]), &[]).unwrap();
    assert_eq!(bare.to_toml().unwrap(), text);
    assert!(bare.rpc.listen.ip().is_loopback() && bare.metrics.listen.is_none());
    assert!(bare.rpc.cors_origins.is_empty());
}

/// Every key is written, each right under a comment; and every key that serde knows is among them.
#[test]
fn accepts_only_described_keys() {
    let text = Config::default().to_toml().unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let written = |line: &str| line.split_once(" =").map(|(k, _)| k.trim_start_matches("# ").to_owned());
    let (mut section, mut found) = (String::new(), BTreeSet::new());
    for pair in lines.windows(2) {
        let [above, line] = pair else { unreachable!() };
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            assert!(above.starts_with("# "), "[{section}] has no description");
        } else if let Some(key) = written(line).filter(|k| !k.contains(' ')) {
            assert!(above.starts_with("# ") && written(above).is_none_or(|k| k.contains(' ')), "{line}");
            found.insert(format!("{section}.{key}"));
        }
    }
    let all: BTreeSet<String> = keys().unwrap().into_iter().map(|k| k.path).collect();
    assert_eq!(found, all);
    fn leaves(prefix: &str, table: &toml::Table, all: &BTreeSet<String>) {
        for (name, value) in table {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match value {
                toml::Value::Table(table) => leaves(&path, table, all),
                _ => assert!(all.contains(&path), "{path} is not described"),
            }
        }
    }
    leaves("", &toml::Table::try_from(Config::default()).unwrap(), &all);
}

#[test]
fn accepts_layers_in_order() {
    let file = "[batch]\nmax_age_s = 3\ntick_ms = 4\nmax_gas = 50000\n[rpc]\nhosts = [\"a.example\"]";
    let variables = [
        ("CAIRN_BATCH__MAX_AGE_S", "5"),
        ("CAIRN_BATCH__TICK_MS", "6"),
        ("CAIRN_BATCH__MOCK_CAPACITY__TRANSACTIONS", "7"),
        ("CAIRN_RPC__LISTEN", "127.0.0.1:9"),
        ("CAIRN_RPC__CORS_ORIGINS", "https://a.example, https://b.example"),
        ("CAIRN_RPC__HOSTS", ""),
        ("CAIRN_PROVER__MODE", "mock"),
        ("CAIRN_PROVER__SHAPES", "4, 8@7"),
        ("CAIRN_METRICS__LISTEN", "127.0.0.1:10"),
        ("CAIRN_LOG", "debug"),
        ("CAIRN_KEYS_DIR", "/keys"),
        ("PATH", "/bin"),
    ];
    let flag = Override { flag: "--batch-age", key: "batch.max_age_s", value: 8.into() };
    let config = load(file, &variables, &[flag]).1.unwrap();
    assert_eq!((config.batch.max_age_s, config.batch.tick_ms, config.batch.max_gas), (8, 6, 50_000));
    assert_eq!((config.batch.mock_capacity[Resource::Transactions], config.batch.min_age_ms), (7, 1_000));
    assert_eq!(config.rpc.listen.to_string(), "127.0.0.1:9");
    assert_eq!(config.rpc.cors_origins, ["https://a.example", "https://b.example"]);
    assert!(config.rpc.hosts.is_empty());
    let shapes = ["4", "8@7"].map(|text| text.parse().unwrap());
    assert_eq!((config.prover.mode, config.prover.shapes), (ProofMode::Mock, shapes.to_vec()));
    assert_eq!(config.metrics.listen.unwrap().port(), 10);
}

/// Each key can be set by its variable: that of its default sets it to its default.
#[test]
fn accepts_every_key_from_the_environment() {
    for key in keys().unwrap() {
        let name = format!("CAIRN_{}", key.path.replace('.', "__").to_ascii_uppercase());
        let text = match key.default {
            Some(toml::Value::String(text)) => text,
            Some(toml::Value::Array(list)) => {
                let entry = |v: &toml::Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
                list.iter().map(entry).collect::<Vec<_>>().join(",")
            }
            Some(value) => value.to_string(),
            None if key.path.ends_with("_url") => "http://127.0.0.1:1".to_owned(),
            None => "127.0.0.1:1".to_owned(),
        };
        Config::load(None, &environment(&[(&name, &text)]), &[]).unwrap_or_else(|e| panic!("{name}: {e}"));
    }
}

#[test]
fn rejects_what_is_not_known_by_name_and_source() {
    let error = refusal("[rpc]\nlisten_on = 1", &[]);
    assert!(error.contains("listen_on") && error.contains("cairn.toml"), "{error}");
    let error = refusal("[rcp]\nlisten = 1", &[]);
    assert!(error.contains("rcp") && error.contains("cairn.toml"), "{error}");
    let error = refusal("[batch.mock_capacity]\nslot = 1", &[]);
    assert!(error.contains("slot") && error.contains("cairn.toml"), "{error}");
    let error = refusal("", &[("CAIRN_RPC__LISTN", "1")]);
    assert_eq!(error, "environment variable CAIRN_RPC__LISTN: there is no key rpc.listn");
    let error = refusal("", &[("CAIRN_KEY_DIR", "1")]);
    assert!(error.contains("CAIRN_KEY_DIR") && error.contains("CAIRN_KEYS_DIR"), "{error}");
}

#[test]
fn rejects_wrong_values_by_key_source_and_range() {
    for (text, variables, parts) in [
        ("[rpc]\nlisten = \"here\"", vec![], ["rpc.listen", "cairn.toml", "socket address"]),
        ("", vec![("CAIRN_RPC__LISTEN", "here")], ["rpc.listen", "CAIRN_RPC__LISTEN", "socket address"]),
        ("", vec![("CAIRN_RPC__MAX_BATCH_ENTRIES", "-1")], ["rpc.max_batch_entries", "-1", "u32"]),
        ("", vec![("CAIRN_PROVER__MODE", "fake")], ["prover.mode", "fake", "groth16"]),
        ("[rpc]\nmax_batch_entries = 0", vec![], ["rpc.max_batch_entries", "= 0", "between 1 and 100000"]),
        ("[rpc]\nnamespaces = [\"eht\"]", vec![], ["rpc.namespaces", "\"eht\"", "one of eth, net"]),
        ("[rpc]\ncors_origins = [\"a.example\"]", vec![], ["rpc.cors_origins", "\"a.example\"", "https://"]),
        ("[rpc]\nhosts = [\"a:80\"]", vec![], ["rpc.hosts", "\"a:80\"", "without a port"]),
        ("[shutdown]\ngrace_s = 0", vec![], ["shutdown.grace_s", "= 0", "between 1 and 600"]),
        ("[l1]\nurl = \"ws://host/secret\"", vec![], ["l1.url", "ws://host/…", "http://"]),
        ("[rpc\nlisten = 1", vec![], ["cairn.toml", "line 1", ""]),
        ("[prover]\nshapes = [0]", vec![], ["prover.shapes", "cairn.toml", "0 is no circuit shape"]),
        ("", vec![("CAIRN_PROVER__SHAPES", "1,8@99")], ["prover.shapes", "\"8@99\"", "from 1 to 10"]),
        ("[prover]\nshapes = [8, \"8@6\"]", vec![], ["prover.shapes", "\"8@6\"", "each shape once"]),
        ("[prover]\nshapes = [\"1@7\", 8]", vec![], ["prover.shapes", "the largest shape, 8@6", "fits 1@7"]),
        ("[prover]\nshapes = []", vec![], ["prover.shapes", "[]", "there is no circuit shape"]),
    ] {
        let error = refusal(text, &variables);
        assert!(parts.iter().all(|part| error.contains(part)), "{text} {variables:?}: {error}");
    }
    let both = refusal("[rpc]\nmax_connections = 0\n[pool]\nmax_transactions = 0", &[]);
    assert!(both.contains("rpc.max_connections") && both.contains("pool.max_transactions"), "{both}");
}

#[test]
fn rejects_to_show_secrets() {
    const SECRET: &str = "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a";
    let file = format!("[l1]\naggregator_key = \"{SECRET}\"");
    let config = load(&file, &[("CAIRN_L1__SEQUENCER_KEY", SECRET)], &[]).1.unwrap();
    assert_eq!(config.l1.sequencer_key.as_ref().unwrap().reveal(), SECRET);
    assert_eq!(config.l1.aggregator_key.as_ref().unwrap().reveal(), SECRET);
    for shown in [config.to_toml().unwrap(), format!("{config:?}"), format!("{config:#?}")] {
        assert!(!shown.contains(&SECRET[..8]), "{shown}");
    }
    // Nor do errors repeat them: too long a number, a missing quote, a number, a key twice.
    let digits = "12345678901234567";
    for text in [
        format!("[l1]\nsequencer_key = {}", digits.repeat(3)),
        format!("[l1]\nsequencer_key = {digits}"),
        format!("[l1]\nsequencer_key = \"{digits}"),
        format!("[l1]\nsequencer_key = [\"{digits}\"]"),
        format!("[l1]\nsequencer_key = 0x{SECRET}"),
        format!("[l1]\nsequencer_key = \"{digits}\"\nsequencer_key_file = \"file\""),
    ] {
        let error = refusal(&text, &[]);
        assert!(!error.contains(&digits[..8]) && !error.contains(&SECRET[..8]), "{error}");
    }
}
