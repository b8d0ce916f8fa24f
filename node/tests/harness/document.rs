//! The OpenRPC document: how it is joined from its parts, and validators of what it describes.

use std::{collections::BTreeSet, fs, path::PathBuf};

use cairn_protocol::resources::Resource;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// Files of `node/openrpc/parts`, in the order of the document.
const PARTS: [&str; 12] = [
    "types",
    "transaction",
    "eth_blocks",
    "eth_transactions",
    "eth_state",
    "eth_calls",
    "eth_logs",
    "eth_node",
    "txpool",
    "debug",
    "zkevm",
    "cairn",
];

/// Described in the parts, but not served yet: left out of the document.
pub const UNSERVED: &[&str] = &[];

/// Described in the parts, but not read yet: the parameters of a method from a position on.
pub const UNREAD: &[(&str, usize)] = &[];

pub fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("openrpc").join(file)
}

pub fn read(file: &str) -> Value {
    let path = path(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

pub fn write(file: &str, value: &Value) {
    fs::write(path(file), serde_json::to_string_pretty(value).unwrap() + "\n").unwrap();
}

/// Calls of each method, as `node/openrpc/examples.json` has them: parameters, the result, and whether it `varies` from
/// run to run or refers to something that only its caller has (`unbound`).
pub fn examples() -> Map<String, Value> {
    let Value::Object(examples) = read("examples.json") else { panic!("examples.json is no object") };
    examples
}

/// The document as its parts make it.
pub fn joined() -> Value {
    let mut document = read("parts/header.json");
    let errors = document.as_object_mut().unwrap().remove("errors").unwrap();
    let (mut methods, mut schemas) = (Vec::new(), Map::new());
    let examples = examples();
    for part in PARTS {
        let mut part = read(&format!("parts/{part}.json"));
        for mut method in part["methods"].as_array_mut().map(std::mem::take).unwrap_or_default() {
            let name = method["name"].as_str().unwrap().to_owned();
            if UNSERVED.contains(&name.as_str()) {
                continue;
            }
            method["examples"] = pairings(&method, examples.get(&name).unwrap_or(&json!([])));
            methods.push(method);
        }
        for (name, schema) in part["schemas"].as_object().into_iter().flatten() {
            assert!(schemas.insert(name.clone(), schema.clone()).is_none(), "two schemas {name}");
        }
    }
    schemas.insert("Counters".to_owned(), rows(&json!({"$ref": "#/components/schemas/Quantity64"})));
    schemas.insert("CircuitRows".to_owned(), rows(&json!({"type": "integer", "minimum": 0})));
    document["methods"] = methods.into();
    document["components"] = json!({"schemas": schemas, "errors": errors});
    document
}

/// The schema of an object with a `number` for each resource.
fn rows(number: &Value) -> Value {
    let properties =
        Resource::ALL.map(|r| (r.name().to_owned(), json!({"description": r.help(), "allOf": [number]})));
    json!({
        "type": "object",
        "description": "What proving uses, or has room for.",
        "required": Resource::ALL.map(Resource::name),
        "properties": Map::from_iter(properties),
        "additionalProperties": false,
    })
}

/// The examples of a method in OpenRPC's form.
fn pairings(method: &Value, examples: &Value) -> Value {
    let name = method["name"].as_str().unwrap();
    let pairing = |(i, example): (usize, &Value)| {
        let params = example["params"].as_array().unwrap().iter().zip(method["params"].as_array().unwrap());
        let params: Vec<_> =
            params.map(|(value, param)| json!({"name": param["name"], "value": value})).collect();
        json!({
            "name": format!("{name} {}", i + 1),
            "params": params,
            "result": {"name": method["result"]["name"], "value": example["result"]},
        })
    };
    examples.as_array().unwrap().iter().enumerate().map(pairing).collect()
}

/// A method of the document.
pub struct Method {
    pub name: String,
    /// Whether each parameter is required.
    pub required: Vec<bool>,
    /// Codes that its errors may have.
    pub errors: BTreeSet<i64>,
    pub result: Validator,
}

/// A schema of a document with `components`.
pub fn validator(components: &Value, schema: &Value) -> Validator {
    let whole = json!({"components": components, "allOf": [schema]});
    jsonschema::draft7::new(&whole).unwrap()
}

/// Every method of a document.
pub fn methods(document: &Value) -> Vec<Method> {
    let components = &document["components"];
    let method = |m: &Value| {
        let code = |e: &Value| {
            let name = e["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            components["errors"][name]["code"].as_i64().expect(name)
        };
        Method {
            name: m["name"].as_str().unwrap().to_owned(),
            required: m["params"].as_array().unwrap().iter().map(|p| p["required"] == true).collect(),
            errors: m["errors"].as_array().unwrap().iter().map(code).collect(),
            result: validator(components, &m["result"]["schema"]),
        }
    };
    document["methods"].as_array().unwrap().iter().map(method).collect()
}
