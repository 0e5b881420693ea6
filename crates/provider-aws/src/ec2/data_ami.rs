//! `data.aws_ami`: an image to start instances from.
//!
//! # Remote API
//!
//! | verb | calls                                                     |
//! |------|-----------------------------------------------------------|
//! | read | `DescribeImages` with the filters and owners, all pages   |
//!
//! # Oddities
//!
//! - Images that are deprecated are left out unless asked for, except one's own.
//! - Anyone can publish an image under any name: a lookup without `owners` can find a stranger's.

use async_trait::async_trait;
use aws_sdk_ec2::types::{BlockDeviceMapping, Image, VolumeType};
use reconcile_model::schema::{
    Attribute, Blocks, Check, Kind, Literal, Nesting, Recovery, Schema, Timeouts,
};
use reconcile_model::{Mode, Object, Value};
use reconcile_provider::{DataSource, ErrorKind, ProviderError};
use regex::Regex;

use super::image::{self, DESCRIBED, Query};
use super::lookup;
use crate::{Aws, filters, tags};

const OPERATION: &str = "DescribeImages";

static SCHEMA: Schema = Schema {
    type_name: "aws_ami",
    mode: Mode::Data,
    version: 1,
    doc: "An image to start instances from; exactly one must match, or the newest is taken.",
    attributes: &ATTRIBUTES,
    constraints: &[],
    recovery: Recovery::None,
    timeouts: Timeouts::minutes(20, 20, 20),
    iam_read: &["ec2:DescribeImages"],
    iam_write: &[],
};

const OWN: [Attribute; 18] = [
    Attribute::optional("owners", Kind::List(&Kind::String))
        .check(Check::Length(1, 256))
        .doc("Whose images: account ids, `self`, `amazon`, `aws-marketplace`."),
    filters::FILTER,
    Attribute::optional("name_regex", Kind::String)
        .check(Check::Rule(is_regex))
        .doc("A regular expression for the name, applied to what the filters leave."),
    Attribute::optional("most_recent", Kind::Bool)
        .default(Literal::Bool(false))
        .doc("Whether the newest is taken when several match; otherwise that is an error."),
    Attribute::optional("executable_users", Kind::List(&Kind::String))
        .doc("Only images that these accounts may use; `self` for your own."),
    Attribute::optional("include_deprecated", Kind::Bool)
        .default(Literal::Bool(false))
        .doc("Whether deprecated images count."),
    Attribute::computed("id", Kind::String).doc("The image's id."),
    Attribute::computed("image_id", Kind::String).doc("The image's id."),
    Attribute::computed("name", Kind::String).doc("The image's name."),
    Attribute::computed("description", Kind::String).doc("What its owner says of it."),
    Attribute::computed("creation_date", Kind::String).doc("When it was made."),
    Attribute::computed("deprecation_time", Kind::String).doc("When it is or was deprecated."),
    Attribute::computed("last_launched_time", Kind::String)
        .doc("When an instance was last started from it."),
    Attribute::computed("state", Kind::String).doc("`available`, when it can be used."),
    Attribute::computed("state_reason", Kind::Map(&Kind::String))
        .doc("The `code` and `message` of a failure."),
    Attribute::computed("block_device_mappings", Kind::Blocks(&MAPPINGS))
        .doc("The volumes that its instances get."),
    Attribute::computed("product_codes", Kind::Blocks(&PRODUCT_CODES))
        .doc("What is to be paid for in the marketplace."),
    Attribute::computed("tags", Kind::Map(&Kind::String)).doc("Its tags."),
];

static ATTRIBUTES: [Attribute; OWN.len() + DESCRIBED.len()] = {
    let mut all = [OWN[0]; OWN.len() + DESCRIBED.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < OWN.len() { OWN[at] } else { DESCRIBED[at - OWN.len()] };
        at += 1;
    }
    all
};

static MAPPINGS: Blocks = Blocks {
    nesting: Nesting::Set,
    min: 0,
    max: None,
    attributes: &[
        Attribute::computed("device_name", Kind::String).doc("The device."),
        Attribute::computed("ebs", Kind::Map(&Kind::String))
            .doc("The volume: `snapshot_id`, `volume_size`, `volume_type`, …, all as text."),
        Attribute::computed("no_device", Kind::String).doc("Empty where a device is left out."),
        Attribute::computed("virtual_name", Kind::String).doc("The instance store volume."),
    ],
};

static PRODUCT_CODES: Blocks = Blocks {
    nesting: Nesting::Set,
    min: 0,
    max: None,
    attributes: &[
        Attribute::computed("product_code_id", Kind::String).doc("The code."),
        Attribute::computed("product_code_type", Kind::String).doc("The code's kind."),
    ],
};

/// The `aws_ami` data source.
#[derive(Debug)]
pub struct AmiData;

#[async_trait]
impl DataSource<Aws> for AmiData {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(&self, cx: &Aws, config: &Object) -> Result<Object, ProviderError> {
        let query = Query {
            filters: filters::of_blocks(config),
            owners: config.strings("owners"),
            executable_users: config.strings("executable_users"),
            include_deprecated: config.bool("include_deprecated") == Some(true),
        };
        let images = image::describe(cx, &query).await?;
        let image = choose(images, config)?;
        Ok(object(config, &image, &cx.region_name().await?))
    }
}

fn is_regex(value: &Value) -> Result<(), String> {
    match value.as_str().map(Regex::new) {
        Some(Err(error)) => {
            // The whole message draws the pattern over several lines; its last one says what is wrong.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            Err(format!("must be a regular expression: {reason}"))
        }
        Some(Ok(_)) | None => Ok(()),
    }
}

/// Returns the one image that is meant.
fn choose(mut images: Vec<Image>, config: &Object) -> Result<Image, ProviderError> {
    if let Some(pattern) = config.str("name_regex") {
        let pattern = Regex::new(pattern).map_err(|error| {
            ProviderError::new(ErrorKind::Invalid, OPERATION, format!("`name_regex`: {error}"))
        })?;
        images.retain(|image| image.name().is_some_and(|name| pattern.is_match(name)));
    }
    // By date, and by id where two are of one moment: the same answer gives the same image.
    let age = |image: &Image| (image.creation_date.clone(), image.image_id.clone());
    images.sort_by_key(age);
    let newest = config.bool("most_recent") == Some(true);
    match (images.pop(), images.len()) {
        (Some(image), 0) => Ok(image),
        (Some(image), _) if newest => Ok(image),
        (Some(_), others) => {
            let message = format!("{} images match {}", others + 1, lookup::described(config));
            Err(ProviderError::new(ErrorKind::Invalid, OPERATION, message)
                .hint("Narrow the filters, or set `most_recent: true`."))
        }
        (None, _) => {
            let message = format!("no image matches {}", lookup::described(config));
            Err(ProviderError::new(ErrorKind::NotFound, OPERATION, message)
                .hint("Image names and owners differ between Regions; deprecated images need `include_deprecated: true`."))
        }
    }
}

fn object(config: &Object, image: &Image, region: &str) -> Object {
    let mut object = config.clone();
    object.extend(image::described(image, region));
    let mappings: Vec<Object> = image.block_device_mappings().iter().map(mapping).collect();
    let product_codes: Vec<Object> = image
        .product_codes()
        .iter()
        .map(|code| {
            Object::new()
                .with("product_code_id", code.product_code_id())
                .with("product_code_type", code.product_code_type().map(|it| it.as_str()))
        })
        .collect();
    let reason = image
        .state_reason()
        .map(|reason| Object::new().with("code", reason.code()).with("message", reason.message()));
    let users = reconcile_model::tags::users(&tags::from_ec2(image.tags()));
    object
        .with("image_id", image.image_id())
        .with("creation_date", image.creation_date())
        .with("last_launched_time", image.last_launched_time())
        .with("state", image::state(image))
        .with("state_reason", reason.unwrap_or_default())
        .with("block_device_mappings", mappings)
        .with("product_codes", product_codes)
        .with("tags", users)
}

fn mapping(mapping: &BlockDeviceMapping) -> Object {
    let number = |value: Option<i32>| value.unwrap_or_default().to_string();
    let flag = |value: Option<bool>| value.unwrap_or_default().to_string();
    let ebs = mapping.ebs().map(|ebs| {
        Object::new()
            .with("delete_on_termination", flag(ebs.delete_on_termination()))
            .with("encrypted", flag(ebs.encrypted()))
            .with("iops", number(ebs.iops()))
            .with("snapshot_id", ebs.snapshot_id().unwrap_or_default())
            .with("throughput", number(ebs.throughput()))
            .with("volume_size", number(ebs.volume_size()))
            .with("volume_type", ebs.volume_type().map_or("", VolumeType::as_str))
    });
    Object::new()
        .with("device_name", mapping.device_name())
        .with("ebs", ebs.unwrap_or_default())
        .with("no_device", mapping.no_device())
        .with("virtual_name", mapping.virtual_name())
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::EbsBlockDevice;

    use super::*;

    fn image(id: &str, name: &str, date: &str) -> Image {
        let ebs = EbsBlockDevice::builder().volume_size(8).volume_type(VolumeType::Gp3).build();
        let mapping = BlockDeviceMapping::builder().device_name("/dev/xvda").ebs(ebs).build();
        Image::builder()
            .image_id(id)
            .name(name)
            .creation_date(date)
            .root_device_name("/dev/xvda")
            .block_device_mappings(mapping)
            .build()
    }

    fn images() -> Vec<Image> {
        vec![
            image("ami-2", "al2023-new", "2026-11-02T00:00:00.000Z"),
            image("ami-1", "al2023-old", "2025-01-01T00:00:00.000Z"),
        ]
    }

    #[test]
    fn the_newest_is_taken_only_on_request() {
        let newest = Object::new().with("most_recent", true);
        assert_eq!(choose(images(), &newest).unwrap().image_id(), Some("ami-2"));
        let error = choose(images(), &Object::new().with("owners", vec!["amazon"])).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert_eq!(error.message, r#"2 images match `owners: ["amazon"]`"#);
    }

    #[test]
    fn a_pattern_narrows_and_nothing_is_an_error_that_says_what_was_sought() {
        let old = Object::new().with("name_regex", "^al2023-o");
        assert_eq!(choose(images(), &old).unwrap().image_id(), Some("ami-1"));
        let error = choose(images(), &Object::new().with("name_regex", "^x")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
        assert_eq!(error.message, r#"no image matches `name_regex: "^x"`"#);
    }

    #[test]
    fn the_answer_has_every_attribute_and_no_other() {
        let object = object(&Object::new().with("most_recent", true), &images()[0], "us-east-1");
        for attribute in SCHEMA.attributes.iter().filter(|attribute| !attribute.is_argument()) {
            assert!(object.contains_key(attribute.name), "{}", attribute.name);
        }
        for name in object.keys() {
            assert!(SCHEMA.attribute(name).is_some(), "{name}");
        }
        let mapping = object.block("block_device_mappings").unwrap();
        assert_eq!(mapping.map("ebs").unwrap().str("volume_size"), Some("8"));
    }

    #[test]
    fn patterns_are_checked() {
        assert!(is_regex(&"^a".into()).is_ok());
        assert!(is_regex(&"(".into()).is_err());
    }
}
