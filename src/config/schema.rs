//! JSON Schemas of what people write, made from the types that read it, for editors.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::Settings;
use crate::decide::policy::binding::Binding;

/// Of `starwarden.toml`.
pub fn configuration() -> Value {
    of::<Settings>("starwarden.toml")
}

/// Of a policy's binding, such as `star.toml`.
pub fn policy() -> Value {
    of::<Binding>("A policy's binding")
}

/// Of a file of labelled examples.
pub fn examples() -> Value {
    let text = "The text, as it stands in one comment.";
    let by = "Who wrote it; a colleague's is an internal note by staff.";
    let answer = "The answer it gives to this fact, which the policy reads from words.";
    Value::from(json_schema!({
        "$schema": DRAFT,
        "title": "Labelled examples", "type": "object", "additionalProperties": false,
        "properties": { "example": { "type": "array", "items": { "type": "object", "required": ["says", "by"],
            "properties": { "says": { "type": "string", "description": text },
                "by": { "enum": ["customer", "colleague"], "description": by } },
            "additionalProperties": { "type": "string", "description": answer } } } },
    }))
}

/// The draft that editors read best.
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

fn of<T: JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    Value::from(schema)
}

/// A text, or a number that is taken as one.
pub(super) fn text_or_number(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": ["string", "integer"] })
}

/// One text, or a list of them.
pub(super) fn one_or_several(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
}
