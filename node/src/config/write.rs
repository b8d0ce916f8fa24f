//! The configuration as a file that says what each key is: the text is the key's doc comment.

use std::fmt::Write;

use cairn_protocol::resources::Resource;
use documented::{Documented, DocumentedFields};

use super::{
    BatchSection, ChainSection, Config, ConfigError, HealthSection, L1Section, MetricsSection, PoolSection,
    ProverSection, RpcConfig, ShutdownSection,
};

/// A table of keys.
struct Section {
    name: &'static str,
    docs: &'static str,
    keys: Vec<(&'static str, &'static str)>,
}

/// What there is to know of a key.
pub(super) struct Key {
    /// As in `rpc.listen`.
    pub path: String,
    /// None where nothing is the default.
    pub default: Option<toml::Value>,
}

fn section<T: Documented + DocumentedFields>(name: &'static str) -> Section {
    let keys = T::FIELD_NAMES.iter().copied().zip(T::FIELD_DOCS.iter().copied());
    Section { name, docs: T::DOCS, keys: keys.collect() }
}

/// Sections in the order in which they are written. A section in another comes right after it.
fn sections() -> Vec<Section> {
    let capacity = BatchSection::get_field_docs("mock_capacity").unwrap_or_default();
    let mut batch = section::<BatchSection>("batch");
    batch.keys.retain(|(name, _)| *name != "mock_capacity");
    vec![
        section::<ChainSection>("chain"),
        section::<RpcConfig>("rpc"),
        section::<PoolSection>("pool"),
        batch,
        Section {
            name: "batch.mock_capacity",
            docs: capacity,
            keys: Resource::ALL.map(|resource| (resource.name(), resource.help())).to_vec(),
        },
        section::<L1Section>("l1"),
        section::<ProverSection>("prover"),
        section::<HealthSection>("health"),
        section::<MetricsSection>("metrics"),
        section::<ShutdownSection>("shutdown"),
    ]
}

fn get<'a>(root: &'a toml::Table, section: &str, key: &str) -> Option<&'a toml::Value> {
    let mut table = root;
    for part in section.split('.') {
        table = table.get(part)?.as_table()?;
    }
    table.get(key)
}

/// Every key.
pub(super) fn keys() -> Result<Vec<Key>, ConfigError> {
    let defaults = toml::Table::try_from(Config::default())?;
    let mut found = Vec::new();
    for Section { name, keys, .. } in sections() {
        for (key, _) in keys {
            found.push(Key { path: format!("{name}.{key}"), default: get(&defaults, name, key).cloned() });
        }
    }
    Ok(found)
}

pub(super) fn to_toml(config: &Config) -> Result<String, ConfigError> {
    let values = toml::Table::try_from(config)?;
    let mut text = String::new();
    // Writing to a string does not fail.
    let mut line = |l: std::fmt::Arguments<'_>| _ = writeln!(text, "{l}");
    for (i, Section { name, docs, keys }) in sections().iter().enumerate() {
        if i > 0 {
            line(format_args!(""));
        }
        comment(&mut line, docs);
        line(format_args!("[{name}]"));
        for (key, docs) in keys {
            comment(&mut line, docs);
            match get(&values, name, key) {
                Some(value) => line(format_args!("{key} = {value}")),
                None => line(format_args!("# {key} =")),
            }
        }
    }
    Ok(text)
}

fn comment(line: &mut impl FnMut(std::fmt::Arguments<'_>), docs: &str) {
    docs.lines().for_each(|l| line(format_args!("# {l}")));
}
