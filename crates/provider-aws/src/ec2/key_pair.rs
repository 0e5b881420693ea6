//! `aws_key_pair`: the public half of an SSH key, which EC2 puts on instances.
//!
//! # Remote API
//!
//! | verb   | calls                                                                       |
//! |--------|-----------------------------------------------------------------------------|
//! | create | `ImportKeyPair`                                                             |
//! | read   | `DescribeKeyPairs`, filtered by `key-name`, with the public keys; not paged |
//! | update | `CreateTags`, `DeleteTags`                                                  |
//! | delete | `DeleteKeyPair` by the `key-…` id, which succeeds for one that is not there |
//! | find   | `DescribeKeyPairs`                                                          |
//!
//! # Oddities
//!
//! - `CreateKeyPair` tells the private key once: an answer that is lost loses the key. So the key is made here, is on
//!   the disk before EC2 hears of it, and only its public half is imported. After a crash the file is used again.
//! - The name is the object's id, as in Terraform; tags go by the `key-…` id.
//! - EC2 drops the comment of a public key and puts the key pair's name in its place.
//! - No answer brings the ARN or the owner. The account is asked for once in a run, and only for ARNs not yet recorded.

mod file;

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use aws_sdk_ec2::primitives::Blob;
use aws_sdk_ec2::types::{Filter, KeyPairInfo, ResourceType as Taggable};
use reconcile_model::normalize::Normalize;
use reconcile_model::schema::{Check, Constraint, Recovery, Timeouts};
use reconcile_model::tags::Ownership;
use reconcile_model::{Attribute, Kind, Mode, Object, ObjectId, Schema, Value};
use reconcile_provider::{
    Created, Depth, ErrorKind, Found, Notes, Observed, Operation, ProviderError, ResourceType,
    Status, Target, Update,
};

use self::file::{ED25519, FileError, PublicHalf, RSA};
use crate::call::Call;
use crate::many::{Ask, many};
use crate::{Aws, arn, filters, tags};

const IMPORT: Call = Call::mutate("ImportKeyPair");
const DESCRIBE: Call = Call::read("DescribeKeyPairs");
const DELETE: Call = Call::mutate("DeleteKeyPair").gone(&["InvalidKeyPair.NotFound"]);

/// The most characters that EC2 takes in a key pair's name.
const LONGEST_NAME: usize = 255;

/// The `aws_key_pair` resource type.
#[derive(Debug)]
pub struct KeyPair;

/// What `aws_key_pair` looks like.
pub static SCHEMA: Schema = Schema {
    type_name: "aws_key_pair",
    mode: Mode::Managed,
    version: 1,
    doc: "The public half of an SSH key, which EC2 puts on instances; with `private_key_file` the key is made here.",
    attributes: &[
        Attribute::computed("id", Kind::String).doc("The key pair's name."),
        Attribute::optional_computed("key_name", Kind::String)
            .replace()
            .check(Check::Length(1, LONGEST_NAME))
            .doc("The name; one is made up when it is left out."),
        Attribute::optional("key_name_prefix", Kind::String)
            .replace()
            .check(Check::Length(1, LONGEST_NAME - 10))
            .doc("What a made-up name begins with."),
        Attribute::optional_computed("public_key", Kind::String)
            .replace()
            .normalize(Normalize::PublicKey)
            .check(Check::Rule(is_public_key))
            .doc("The public key in OpenSSH's format, `ssh-ed25519 AAAA…` or `ssh-rsa AAAA…`."),
        Attribute::optional("private_key_file", Kind::String)
            .local()
            .replace_if(is_made_here_from_now_on)
            .check(Check::Length(1, 4096))
            .doc(
                "Where the private key is, relative to the current folder. A file that is not there is made, for its owner alone; one that is there is used. Destroying leaves it. Another path for an existing key pair is noted and moves nothing.",
            ),
        Attribute::optional_computed("key_type", Kind::String)
            .replace()
            .check(Check::OneOf(&[ED25519, RSA]))
            .doc("The type of the key to make: `ed25519`, or `rsa` with 4096 bits. Left out, `ed25519`, or the type of the key that is there."),
        Attribute::computed("key_pair_id", Kind::String).doc("The id, `key-…`."),
        Attribute::computed("fingerprint", Kind::String)
            .doc("The public key's fingerprint: MD5 for RSA, SHA-256 for Ed25519."),
        Attribute::computed("arn", Kind::String).doc("The Amazon Resource Name."),
        Attribute::optional("tags", Kind::Map(&Kind::String)).doc("The tags."),
        Attribute::computed("tags_all", Kind::Map(&Kind::String))
            .doc("The tags together with the provider's default tags."),
    ],
    constraints: &[
        Constraint::Conflicts(&["key_name", "key_name_prefix"]),
        Constraint::ExactlyOne(&["public_key", "private_key_file"]),
        Constraint::Requires("key_type", &["private_key_file"]),
    ],
    recovery: Recovery::NaturalKey(&["key_name"]),
    timeouts: Timeouts::minutes(5, 5, 5),
    iam_read: &["ec2:DescribeKeyPairs", "ec2:DescribeSecurityGroups"],
    iam_write: &["ec2:ImportKeyPair", "ec2:DeleteKeyPair", "ec2:CreateTags", "ec2:DeleteTags"],
};

#[async_trait]
impl ResourceType<Aws> for KeyPair {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn create(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        let name = name(operation, planned);
        let public = public_half(planned, &name).await?;
        let material = Blob::new(public.openssh);
        let tags = tags::specification(operation, planned, Taggable::KeyPair);
        let output = cx
            .ec2(IMPORT, |ec2| {
                ec2.import_key_pair()
                    .key_name(&name)
                    .public_key_material(material.clone())
                    .tag_specifications(tags.clone())
                    .send()
            })
            .await?;
        let id = output.key_name.unwrap_or(name);
        Ok(Created { id: id.into(), notes: public.notes })
    }

    async fn read(
        &self,
        cx: &Aws,
        targets: &[Target<'_>],
        depth: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        // The answer has no pages: one has all.
        const ASK: Ask = Ask { filter: "key-name", page: usize::MAX };
        let names = targets.iter().map(|target| target.id.0.clone()).collect();
        let described = |filter| described(cx, filter);
        let found = many(cx, ASK, names, described, |it: &KeyPairInfo| it.key_name()).await?;
        let found: BTreeMap<&str, &KeyPairInfo> =
            found.iter().filter_map(|info| Some((info.key_name()?, info))).collect();
        let mut all = BTreeMap::new();
        for target in targets {
            let Some(info) = found.get(target.id.as_str()) else { continue };
            let has_arn = target.recorded.str("arn").is_some();
            let mut observed = Object::new();
            if depth == Depth::Full || has_arn {
                observed = object(info);
            }
            if depth == Depth::Full && !has_arn {
                observed.set("arn", own_arn(cx, target.id).await?);
            }
            let ownership = Ownership::of(&tags::from_ec2(info.tags()));
            let observed = Observed { object: observed, status: Status::Ready, ownership };
            all.insert(target.id.clone(), observed);
        }
        Ok(all)
    }

    async fn update(&self, cx: &Aws, update: &Update<'_>) -> Result<Notes, ProviderError> {
        let id = update.live.string("key_pair_id").map(ObjectId::from);
        if let Some(id) = id {
            tags::update_ec2(cx, &SCHEMA, &Update { id: &id, ..*update }).await?;
        }
        Ok(Notes::new())
    }

    async fn delete(
        &self,
        cx: &Aws,
        _: &Operation,
        id: &ObjectId,
        recorded: &Object,
    ) -> Result<Notes, ProviderError> {
        // By its own id where that is known: the name may be another pair's by the time a lost call lands.
        let pair = recorded.string("key_pair_id");
        let deleted = cx
            .ec2(DELETE, |ec2| {
                let delete = ec2.delete_key_pair();
                let name = pair.is_none().then(|| id.0.clone());
                delete.set_key_pair_id(pair.clone()).set_key_name(name).send()
            })
            .await;
        match deleted {
            Ok(_) => {}
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error.about(id)),
        }
        let left = recorded.str("private_key_file").filter(|path| Path::new(path).exists());
        Ok(left.map(|path| format!("Left the private key at `{path}`.")).into_iter().collect())
    }

    async fn find(
        &self,
        cx: &Aws,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Found, ProviderError> {
        let name = name(operation, planned);
        let found = describe(cx, [name.as_str()]).await?;
        let Some(info) = found.get(&name) else { return Ok(Found::Nothing) };
        let id = ObjectId::from(name.as_str());
        let owner = Ownership::of(&tags::from_ec2(info.tags()));
        if owner.operation.as_deref() == Some(operation.id.as_str()) {
            return Ok(Found::Ours(id));
        }
        let description = format!("A key pair named `{name}` exists already.");
        Ok(Found::Foreign { id, description })
    }
}

fn name(operation: &Operation, planned: &Object) -> String {
    let prefix = planned.str("key_name_prefix").unwrap_or("reconcile-");
    planned.string("key_name").unwrap_or_else(|| operation.name(prefix, LONGEST_NAME))
}

/// Returns the public key to import: the spec's, or that of the private key's file.
async fn public_half(planned: &Object, comment: &str) -> Result<PublicHalf, ProviderError> {
    let Some(path) = planned.string("private_key_file") else {
        let openssh = planned.string("public_key").unwrap_or_default();
        return Ok(PublicHalf { openssh, notes: Notes::new() });
    };
    let key_type = planned.string("key_type");
    let comment = comment.to_owned();
    tokio::task::spawn_blocking(move || {
        file::public_half(Path::new(&path), key_type.as_deref(), &comment)
    })
    .await
    .expect("making a key does not panic")
    .map_err(FileError::into_provider_error)
}

async fn describe(
    cx: &Aws,
    names: impl IntoIterator<Item = &str>,
) -> Result<BTreeMap<String, KeyPairInfo>, ProviderError> {
    let pairs = described(cx, filters::exactly("key-name", names)).await?;
    Ok(pairs.into_iter().filter_map(|info| Some((info.key_name()?.to_owned(), info))).collect())
}

async fn described(cx: &Aws, filter: Filter) -> Result<Vec<KeyPairInfo>, ProviderError> {
    let output = cx
        .ec2(DESCRIBE, |ec2| {
            ec2.describe_key_pairs().include_public_key(true).filters(filter.clone()).send()
        })
        .await?;
    Ok(output.key_pairs.unwrap_or_default())
}

async fn own_arn(cx: &Aws, id: &ObjectId) -> Result<Option<String>, ProviderError> {
    let region = cx.region_name().await?;
    let account = cx.account().await?;
    Ok(account.map(|account| arn::ec2(&region, account, &format!("key-pair/{id}"))))
}

fn object(info: &KeyPairInfo) -> Object {
    let mut object = Object::new()
        .with("id", info.key_name())
        .with("key_name", info.key_name())
        .with("public_key", info.public_key().map(str::trim_end))
        .with("key_type", info.key_type().map(|key_type| key_type.as_str()))
        .with("key_pair_id", info.key_pair_id())
        .with("fingerprint", info.key_fingerprint());
    tags::set(&mut object, &tags::from_ec2(info.tags()));
    object
}

/// Decides that a key pair which did not come from a private key's file has to make way for one that does.
fn is_made_here_from_now_on(prior: &Object, planned: &Object) -> bool {
    prior.value("private_key_file").is_null() && !planned.value("private_key_file").is_null()
}

/// Accepts what EC2 tells back as it was sent; other formats that it imports come back in this one.
fn is_public_key(value: &Value) -> Result<(), String> {
    let Some(text) = value.as_str() else { return Ok(()) };
    let is_taken = text.starts_with("ssh-ed25519 ") || text.starts_with("ssh-rsa ");
    if is_taken && ssh_key::PublicKey::from_openssh(text.trim_end()).is_ok() {
        return Ok(());
    }
    Err("must be a public key in OpenSSH's format, `ssh-ed25519 AAAA…` or `ssh-rsa AAAA…`"
        .to_owned())
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::Tag;
    use reconcile_model::Address;
    use reconcile_model::proposed::{Renewal, propose};

    use super::*;

    const PUBLIC_KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBMrHnTrwqqSO/S4/Bs0cpNYQtF7Vw3nvNrNuCDUf2jP";

    fn operation() -> Operation {
        Operation {
            id: "0192f3c4-5b6d-7e8f-9012-3456789abcde".to_owned(),
            stack: "lab-web".to_owned(),
            address: Address::managed("aws_key_pair", "web"),
        }
    }

    fn info() -> KeyPairInfo {
        KeyPairInfo::builder()
            .key_name("web")
            .key_pair_id("key-0ab1")
            .key_type("ed25519".into())
            .key_fingerprint("wYqqy0mHPbWQIrl7x1lGhGBaHEWmJ/mrOhyJbfpLVvg=")
            .public_key(format!("{PUBLIC_KEY} web\n"))
            .tags(Tag::builder().key("team").value("lab").build())
            .tags(Tag::builder().key("reconcile:stack").value("lab-web").build())
            .build()
    }

    #[test]
    fn what_was_created_reads_back_as_planned() {
        let config = Object::new()
            .with("key_name", "web")
            .with("public_key", format!("{PUBLIC_KEY} me@host"))
            .with("tags", Object::new().with("team", "lab"));
        let live =
            object(&info()).with("arn", "arn:aws:ec2:ap-northeast-2:123456789012:key-pair/web");
        let again = propose(&SCHEMA, &config, Some(&live), &Object::new(), Renewal::IfForced);
        assert!(again.changed.is_empty(), "{:?}", again.changed);
    }

    #[test]
    fn a_key_made_here_is_known_after_apply_and_then_stays() {
        let config = Object::new()
            .with("key_name", "web")
            .with("private_key_file", "web.pem")
            .with("tags", Object::new().with("team", "lab"));
        let first = propose(&SCHEMA, &config, None, &Object::new(), Renewal::IfForced).after;
        assert!(first.value("public_key").is_unknown());
        assert!(first.value("key_type").is_unknown());
        let live = object(&info()).with("private_key_file", "web.pem").with("arn", "arn");
        let again = propose(&SCHEMA, &config, Some(&live), &Object::new(), Renewal::IfForced);
        assert!(again.changed.is_empty(), "{:?}", again.changed);
    }

    #[test]
    fn going_over_to_a_private_key_file_makes_a_new_pair() {
        let config = Object::new().with("key_name", "web").with("private_key_file", "web.pem");
        let live = object(&info()).with("arn", "arn");
        let plan = propose(&SCHEMA, &config, Some(&live), &Object::new(), Renewal::IfForced);
        assert_eq!(plan.replace.len(), 1);
        assert!(plan.after.value("public_key").is_unknown());
    }

    #[test]
    fn names_are_given_or_made_up() {
        assert_eq!(name(&operation(), &Object::new().with("key_name", "web")), "web");
        let planned =
            Object::new().with("key_name", Value::Unknown).with("key_name_prefix", "web-");
        assert_eq!(name(&operation(), &planned), "web-edcba98765");
        assert!(name(&operation(), &Object::new()).starts_with("reconcile-"));
    }

    #[test]
    fn only_openssh_public_keys_are_taken() {
        assert_eq!(is_public_key(&PUBLIC_KEY.into()), Ok(()));
        assert_eq!(is_public_key(&format!("{PUBLIC_KEY} me@host\n").into()), Ok(()));
        for bad in ["", "ssh-ed25519 AAAA", "ssh-dss AAAA", "---- BEGIN SSH2 PUBLIC KEY ----"] {
            assert!(is_public_key(&bad.into()).is_err(), "{bad}");
        }
    }
}
