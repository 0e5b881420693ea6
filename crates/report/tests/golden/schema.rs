//! Every plan as JSON is as docs/plan.schema.json says. `cargo xtask policy` asks a real validator the same of real plans.

use serde_json::Value as Json;

/// Checks a plan against the schema.
#[track_caller]
fn check(plan: &Json) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/plan.schema.json");
    let text = std::fs::read_to_string(path).expect("the schema is there");
    let root: Json = serde_json::from_str(&text).expect("the schema is JSON");
    let mut wrong = Vec::new();
    Checker { root: &root }.check(&root, plan, "plan", &mut wrong);
    assert!(wrong.is_empty(), "{}\n{plan:#}", wrong.join("\n"));
}

/// Knows the part of JSON Schema that the schema is written in, and refuses any other.
struct Checker<'a> {
    root: &'a Json,
}

impl Checker<'_> {
    fn check(&self, schema: &Json, value: &Json, at: &str, wrong: &mut Vec<String>) {
        for (keyword, says) in schema.as_object().expect("a schema is an object") {
            match keyword.as_str() {
                "$schema" | "$defs" | "title" | "description" => {}
                "$ref" => {
                    let name = says.as_str().and_then(|it| it.strip_prefix('#')).expect("local");
                    let schema = self.root.pointer(name).expect("it leads somewhere");
                    self.check(schema, value, at, wrong);
                }
                "type" => {
                    let is = |name: &Json| is_of(value, name.as_str().expect("a name"));
                    let fits = says.as_array().map_or_else(|| is(says), |it| it.iter().any(is));
                    if !fits {
                        wrong.push(format!("{at} is no {says}: {value}"));
                    }
                }
                "const" if value == says => {}
                "const" => wrong.push(format!("{at} is not {says}: {value}")),
                "enum" if says.as_array().expect("a list").contains(value) => {}
                "enum" => wrong.push(format!("{at} is none of {says}: {value}")),
                "minimum" if value.as_i64() >= says.as_i64() => {}
                "minimum" => wrong.push(format!("{at} is below {says}: {value}")),
                "pattern" => self.pattern(says, value, at, wrong),
                "required" => {
                    for name in says.as_array().expect("a list") {
                        if value.get(name.as_str().expect("a name")).is_none() {
                            wrong.push(format!("{at} has no {name}"));
                        }
                    }
                }
                // Together with `additionalProperties`, which stands beside it everywhere.
                "properties" => assert!(schema["additionalProperties"] != Json::Null),
                "additionalProperties" => self.members(schema, says, value, at, wrong),
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(says, item, &format!("{at}[{index}]"), wrong);
                    }
                }
                "anyOf" => {
                    let fits = says.as_array().expect("a list").iter().any(|schema| {
                        let mut wrong = Vec::new();
                        self.check(schema, value, at, &mut wrong);
                        wrong.is_empty()
                    });
                    if !fits {
                        wrong.push(format!("{at} is none of what it may be: {value}"));
                    }
                }
                other => panic!("`{other}` is not used in this schema"),
            }
        }
    }

    fn members(
        &self,
        schema: &Json,
        others: &Json,
        value: &Json,
        at: &str,
        wrong: &mut Vec<String>,
    ) {
        for (name, member) in value.as_object().into_iter().flatten() {
            let at = format!("{at}.{name}");
            match (schema["properties"].get(name), others) {
                (Some(schema), _) => self.check(schema, member, &at, wrong),
                (None, Json::Bool(false)) => wrong.push(format!("{at} is not in the schema")),
                (None, Json::Bool(true)) => {}
                (None, schema) => self.check(schema, member, &at, wrong),
            }
        }
    }

    #[expect(clippy::unused_self, reason = "one of the keywords")]
    fn pattern(&self, says: &Json, value: &Json, at: &str, wrong: &mut Vec<String>) {
        let text = value.as_str().unwrap_or_default();
        let is_hex = text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let fits = match says.as_str().expect("a text") {
            "^[0-9a-f]{64}$" => text.len() == 64 && is_hex,
            "^[0-9a-f]*$" => is_hex,
            "^[0-9]+\\.[0-9]+\\.[0-9]+$" => {
                text.split('.').filter(|part| part.parse::<u32>().is_ok()).count() == 3
            }
            other => panic!("the pattern `{other}` is not used in this schema"),
        };
        if !fits {
            wrong.push(format!("{at} does not match {says}: {value}"));
        }
    }
}

fn is_of(value: &Json, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type `{other}`"),
    }
}

#[test]
fn every_golden_plan_is_as_the_schema_says() {
    for golden in crate::plans::golden() {
        check(&golden.making.json());
    }
}

#[test]
#[should_panic(expected = "plan.surprise is not in the schema")]
fn what_the_schema_does_not_know_is_found() {
    let mut json = crate::support::Making::new().json();
    json["surprise"] = true.into();
    check(&json);
}
