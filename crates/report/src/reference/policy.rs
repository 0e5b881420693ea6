//! IAM policies: what a stack's types may call, and no more.

use std::collections::{BTreeMap, BTreeSet};

use reconcile_model::configuration::{Expression, ResourceConfiguration};
use reconcile_model::iam::Restriction;
use reconcile_model::{Kind, Schema};
use serde_json::{Value as Json, json};

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Planning: it reads.
    Plan,
    /// Applying, which plans too.
    Apply,
}

/// Where a state is kept on S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The partition: `aws`, `aws-cn`.
    pub partition: &'static str,
    /// The bucket's name.
    pub name: String,
    /// The key that the names of all objects of the state begin with.
    pub key: String,
    /// The KMS key that they are encrypted with: its ARN, its id, or an alias of it.
    pub kms_key: Option<String>,
}

/// A block as far as a policy minds.
#[derive(Clone, Copy, Debug)]
pub struct Used<'a> {
    /// Its type.
    pub schema: &'static Schema,
    /// What it says.
    pub says: &'a ResourceConfiguration,
}

/// Returns an IAM policy that allows what the blocks need.
///
/// Most calls of EC2 and of load balancing that read cannot be restricted to resources, and what is created has no name
/// yet; so the resource is `*`, and what restricts are the actions.
pub fn policy<'a>(
    blocks: impl Iterator<Item = Used<'a>>,
    purpose: Purpose,
    restrictions: &[Restriction],
    bucket: Option<&Bucket>,
) -> Json {
    let (mut read, mut write) = (BTreeSet::new(), BTreeSet::new());
    let mut conditional: BTreeMap<(&str, &[&str]), BTreeSet<&str>> = BTreeMap::new();
    for Used { schema, says } in blocks {
        let mut add = |action: &'static str, to: &mut BTreeSet<&'static str>| {
            let restriction = restrictions.iter().find(|it| it.action == action);
            let argument = restriction.and_then(|it| it.argument);
            if argument.is_some_and(|argument| !gives(schema, says, argument)) {
                return;
            }
            match restriction.and_then(|it| it.condition) {
                Some(condition) => {
                    conditional.entry(condition).or_default().insert(action);
                }
                None => {
                    to.insert(action);
                }
            }
        };
        for action in schema.iam_read {
            add(action, &mut read);
        }
        if purpose == Purpose::Apply {
            for action in schema.iam_write {
                add(action, &mut write);
            }
        }
    }
    write.retain(|action| !read.contains(action));
    let mut statements = Vec::new();
    for (sid, actions) in [("Read", read), ("Write", write)] {
        if !actions.is_empty() {
            statements.push(statement(sid, &actions, json!("*")));
        }
    }
    for (at, ((key, values), actions)) in conditional.into_iter().enumerate() {
        let mut statement = statement(&format!("Conditional{}", at + 1), &actions, json!("*"));
        statement["Condition"] = json!({ "StringEquals": { key: values } });
        statements.push(statement);
    }
    statements.extend(bucket.into_iter().flat_map(|bucket| state(bucket, purpose)));
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Tells whether a block gives an argument, itself or in its nested blocks. Blocks that an expression gives may have any.
fn gives(schema: &Schema, says: &ResourceConfiguration, argument: &str) -> bool {
    let by_expression = |(name, expression): (&String, &Expression)| {
        let is_blocks = schema.attribute(name).is_some_and(|it| matches!(it.kind, Kind::Blocks(_)));
        is_blocks && !matches!(expression, Expression::Blocks(_))
    };
    names(&says.expressions).contains(argument) || says.expressions.iter().any(by_expression)
}

/// Returns the names of all arguments, those of nested blocks too.
fn names(expressions: &BTreeMap<String, Expression>) -> BTreeSet<&str> {
    let mut found: BTreeSet<&str> = expressions.keys().map(String::as_str).collect();
    for expression in expressions.values() {
        if let Expression::Blocks(blocks) = expression {
            found.extend(blocks.iter().flat_map(names));
        }
    }
    found
}

fn statement(sid: &str, actions: &BTreeSet<&str>, resource: Json) -> Json {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource })
}

/// Returns what the state needs. Planning writes nothing and takes no lock.
fn state(bucket: &Bucket, purpose: Purpose) -> Vec<Json> {
    let Bucket { partition, name, key, kms_key } = bucket;
    let bucket_arn = format!("arn:{partition}:s3:::{name}");
    let mut objects = BTreeSet::from(["s3:GetObject"]);
    let mut encryption = BTreeSet::from(["kms:Decrypt"]);
    if purpose == Purpose::Apply {
        objects.extend(["s3:DeleteObject", "s3:PutObject"]);
        encryption.insert("kms:GenerateDataKey");
    }
    let own = json!([format!("{bucket_arn}/{key}"), format!("{bucket_arn}/{key}.*")]);
    let mut list = statement("StateList", &BTreeSet::from(["s3:ListBucket"]), json!(bucket_arn));
    list["Condition"] = json!({ "StringLike": { "s3:prefix": format!("{key}*") } });
    let mut statements = vec![statement("State", &objects, own), list];
    if let Some(kms_key) = kms_key {
        let (resource, alias) = match kms_key.strip_prefix("alias/") {
            Some(_) => (format!("arn:{partition}:kms:*:*:key/*"), Some(kms_key)),
            None if kms_key.starts_with("arn:") => (kms_key.clone(), None),
            None => (format!("arn:{partition}:kms:*:*:key/{kms_key}"), None),
        };
        let mut statement = statement("StateKey", &encryption, json!(resource));
        if let Some(alias) = alias {
            let condition = json!({ "kms:ResourceAliases": [alias] });
            statement["Condition"] = json!({ "ForAnyValue:StringEquals": condition });
        }
        statements.push(statement);
    }
    statements
}
