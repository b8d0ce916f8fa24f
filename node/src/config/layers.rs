//! Where values come from: defaults < file < environment < command line. Every error names the key and its source.

use std::path::Path;

use figment::{
    Figment, Metadata, Profile, Provider,
    providers::Serialized,
    value::{Dict, Map, Value},
};

use super::{Config, ConfigError, write::keys};

/// What every variable of the environment that is a key starts with.
const PREFIX: &str = "CAIRN_";
/// Between section and key.
const SEPARATOR: &str = "__";

/// Variables that are not keys.
pub const VARIABLES: [&str; 4] = ["CAIRN_CONFIG", "CAIRN_KEYS_DIR", "CAIRN_LOG", "CAIRN_LOG_JSON"];

/// The part of the environment that is ours.
#[derive(Clone, Default)]
pub struct FromEnvironment(Vec<(String, String)>);

impl FromEnvironment {
    /// That of the process. A variable of ours that is not UTF-8 is taken with replacement characters, and refused where
    /// its key does not allow them.
    #[must_use]
    pub fn of_process() -> Self {
        Self::new(
            std::env::vars_os()
                .map(|(k, v)| (k.to_string_lossy().into_owned(), v.to_string_lossy().into_owned())),
        )
    }

    /// Of these variables, those that are ours.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let ours = |name: &str| name.starts_with(PREFIX) && !VARIABLES.contains(&name);
        Self(variables.into_iter().filter(|(name, _)| ours(name)).collect())
    }
}

/// A key that the command line sets.
#[derive(Clone, Debug)]
pub struct Override {
    /// As the user writes it, `--rpc-listen`.
    pub flag: &'static str,
    /// As in `rpc.listen`.
    pub key: &'static str,
    pub value: Value,
}

/// One layer: a name and a tree of values.
struct Layer {
    metadata: Metadata,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        self.metadata.clone()
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

fn layer(name: String, values: Dict) -> Layer {
    let metadata = Metadata::named(name).interpolater(|_, keys| keys.join("."));
    Layer { metadata, values }
}

/// `a.b.c` and a value as a tree.
fn nest(key: &str, value: Value) -> Dict {
    match key.split_once('.') {
        None => Dict::from([(key.to_owned(), value)]),
        Some((section, rest)) => Dict::from([(section.to_owned(), nest(rest, value).into())]),
    }
}

pub(super) fn extract(
    path: Option<&Path>,
    environment: &FromEnvironment,
    overrides: &[Override],
) -> Result<Config, ConfigError> {
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(path) = path {
        figment = figment.merge(layer(path.display().to_string(), read(path)?));
    }
    for (name, text) in &environment.0 {
        let (key, value) = variable(name, text)?;
        figment = figment.merge(layer(format!("environment variable {name}"), nest(&key, value)));
    }
    for Override { flag, key, value } in overrides {
        figment = figment.merge(layer(format!("command line ({flag})"), nest(key, value.clone())));
    }
    figment.extract().map_err(|e| Box::new(e).into())
}

fn read(path: &Path) -> Result<Dict, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
    let table: toml::Table = toml::from_str(&text).map_err(|e| {
        let start = e.span().map_or(0, |span| span.start.min(text.len()));
        let line = text.as_bytes()[..start].iter().filter(|b| **b == b'\n').count() + 1;
        ConfigError::Parse { path: path.to_owned(), line, message: e.message().to_owned() }
    })?;
    Ok(Value::serialize(table).map_err(Box::new)?.into_dict().unwrap_or_default())
}

/// The key of a variable, and its text in the type that the key's default has.
fn variable(name: &str, text: &str) -> Result<(String, Value), ConfigError> {
    let path = name.strip_prefix(PREFIX).unwrap_or(name);
    if !path.contains(SEPARATOR) {
        return Err(ConfigError::UnknownVariable { name: name.to_owned() });
    }
    let key = path.split(SEPARATOR).map(str::to_ascii_lowercase).collect::<Vec<_>>().join(".");
    let known = keys()?.into_iter().find(|known| known.path == key);
    let Some(known) = known else { return Err(ConfigError::UnknownKey { name: name.to_owned(), key }) };
    let value = match known.default {
        // Keys without a default are texts: paths, addresses and secrets.
        None | Some(toml::Value::String(_)) => Value::from(text),
        Some(toml::Value::Array(_)) => list(text),
        Some(_) => scalar(text),
    };
    Ok((key, value))
}

/// A number or a truth value; a text if it is neither, which the key then refuses.
fn scalar(text: &str) -> Value {
    let text = text.trim();
    match text.parse::<u64>() {
        Ok(number) => number.into(),
        Err(_) => text.parse::<bool>().map_or_else(|_| text.into(), Into::into),
    }
}

/// Entries between commas; nothing is no entry.
fn list(text: &str) -> Value {
    text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(scalar).collect::<Vec<_>>().into()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
