//! `data.aws_instance`: an instance that is there.
//!
//! # Remote API
//!
//! `DescribeInstances`, `DescribeVolumes`, `DescribeInstanceCreditSpecifications`, `DescribeInstanceAttribute` for the
//! protections and, on request, for user data; `GetPasswordData` on request.

use std::collections::BTreeSet;

use async_trait::async_trait;
use reconcile_model::schema::{Blocks, Constraint, Literal, Nesting, Recovery, Timeouts};
use reconcile_model::tags::users;
use reconcile_model::{Attribute, Kind, Mode, Object, Schema, Value};
use reconcile_provider::{DataSource, ProviderError};

use super::instance::object::{described, set_credits};
use super::instance::read::{self, Attributes, Found, Surroundings, Wanted};
use super::instance::volumes::{self, Shown};
use super::instance::{is_there, user_data};
use super::lookup;
use crate::call::Call;
use crate::{Aws, filters, tags};

const DESCRIBE: Call = Call::read("DescribeInstances");

/// The `aws_instance` data source.
#[derive(Debug)]
pub struct InstanceData;

const STRINGS: Kind = Kind::Set(&Kind::String);
const TAGS: Kind = Kind::Map(&Kind::String);

const fn flag(name: &'static str) -> Attribute {
    Attribute::computed(name, Kind::Bool)
}

const fn int(name: &'static str) -> Attribute {
    Attribute::computed(name, Kind::Int)
}

const fn text(name: &'static str) -> Attribute {
    Attribute::computed(name, Kind::String)
}

const fn one(attributes: &'static [Attribute]) -> Blocks {
    Blocks { nesting: Nesting::List, min: 0, max: None, attributes }
}

const fn many(attributes: &'static [Attribute]) -> Blocks {
    Blocks { nesting: Nesting::Set, min: 0, max: None, attributes }
}

static SCHEMA: Schema = Schema {
    type_name: "aws_instance",
    mode: Mode::Data,
    version: 1,
    doc: "An instance that is there; exactly one must match.",
    attributes: &[
        Attribute::optional("instance_id", Kind::String)
            .refers_to("aws_instance", "id")
            .doc("The id it must have."),
        Attribute::optional("instance_tags", TAGS).doc("Tags that it must have."),
        filters::FILTER,
        Attribute::optional("get_user_data", Kind::Bool)
            .default(Literal::Bool(false))
            .doc("Whether to read its user data."),
        Attribute::optional("get_password_data", Kind::Bool)
            .default(Literal::Bool(false))
            .doc("Whether to read the encrypted administrator password of a Windows instance."),
        text("id").doc("Its id."),
        text("ami").doc("The image it was started from."),
        text("arn").doc("Its ARN."),
        flag("associate_public_ip_address").doc("Whether it was given a public IPv4 address."),
        text("availability_zone").doc("The Availability Zone."),
        Attribute::computed("credit_specification", Kind::Blocks(&CREDIT_SPECIFICATION))
            .doc("CPU credits of burstable types."),
        flag("disable_api_stop").doc("Whether it is protected from being stopped."),
        flag("disable_api_termination").doc("Whether it is protected from termination."),
        Attribute::computed("ebs_block_device", Kind::Blocks(&EBS_BLOCK_DEVICE))
            .doc("Its volumes but for the root volume."),
        flag("ebs_optimized").doc("Whether volumes have bandwidth of their own."),
        Attribute::computed("enclave_options", Kind::Blocks(&ENCLAVE_OPTIONS))
            .doc("Whether it can run Nitro Enclaves."),
        Attribute::computed("ephemeral_block_device", Kind::Blocks(&EPHEMERAL_BLOCK_DEVICE))
            .doc("Instance store volumes; EC2 does not tell of them."),
        text("host_id").doc("The Dedicated Host it runs on."),
        text("host_resource_group_arn").doc("The host resource group it runs in."),
        text("iam_instance_profile").doc("The IAM instance profile's name."),
        text("instance_state").doc("Its state, such as `running`."),
        text("instance_type").doc("Its type."),
        Attribute::computed("ipv6_addresses", STRINGS).doc("Its IPv6 addresses."),
        text("key_name").doc("Its key pair."),
        text("launch_time").doc("When it was last started."),
        Attribute::computed("maintenance_options", Kind::Blocks(&MAINTENANCE_OPTIONS))
            .doc("What happens when the hardware fails."),
        Attribute::computed("metadata_options", Kind::Blocks(&METADATA_OPTIONS))
            .doc("Who can reach the instance metadata service, and how."),
        flag("monitoring").doc("Whether CloudWatch gets detailed metrics."),
        text("network_interface_id").doc("The network interface at device index 0."),
        text("outpost_arn").doc("The Outpost it runs on."),
        text("password_data").doc("The administrator password, encrypted, in base64."),
        text("placement_group").doc("The placement group's name."),
        int("placement_partition_number").doc("The partition within a partition placement group."),
        text("private_dns").doc("The private DNS name."),
        Attribute::computed("private_dns_name_options", Kind::Blocks(&PRIVATE_DNS))
            .doc("How the private DNS name is made."),
        text("private_ip").doc("The primary private IPv4 address."),
        text("public_dns").doc("The public DNS name."),
        text("public_ip").doc("The public IPv4 address."),
        Attribute::computed("root_block_device", Kind::Blocks(&ROOT_BLOCK_DEVICE))
            .doc("The root volume."),
        Attribute::computed("secondary_private_ips", STRINGS)
            .doc("Further private IPv4 addresses."),
        Attribute::computed("security_groups", STRINGS).doc("Its security groups' names."),
        flag("source_dest_check").doc("Whether traffic must be from or to the instance itself."),
        text("subnet_id").doc("Its subnet."),
        Attribute::computed("tags", TAGS).doc("Its tags."),
        text("tenancy").doc("Whether the hardware is shared."),
        text("user_data").doc("Its user data, when asked for."),
        text("user_data_base64").doc("Its user data in base64, when asked for."),
        Attribute::computed("vpc_security_group_ids", STRINGS).doc("Its security groups' ids."),
    ],
    constraints: &[Constraint::AtLeastOne(&["instance_id", "instance_tags", "filter"])],
    recovery: Recovery::None,
    timeouts: Timeouts::minutes(20, 20, 20),
    iam_read: &[
        "ec2:DescribeInstanceAttribute",
        "ec2:DescribeInstanceCreditSpecifications",
        "ec2:DescribeInstances",
        "ec2:DescribeVolumes",
        "ec2:GetPasswordData",
    ],
    iam_write: &[],
};

static CREDIT_SPECIFICATION: Blocks = one(&[text("cpu_credits").doc("`standard` or `unlimited`.")]);
static ENCLAVE_OPTIONS: Blocks = one(&[flag("enabled").doc("Whether enclaves can be run.")]);
static MAINTENANCE_OPTIONS: Blocks =
    one(&[text("auto_recovery").doc("Whether it moves to other hardware by itself.")]);

static METADATA_OPTIONS: Blocks = one(&[
    text("http_endpoint").doc("Whether the service answers at all."),
    text("http_protocol_ipv6").doc("Whether it answers over IPv6."),
    int("http_put_response_hop_limit").doc("How many hops a session token may travel."),
    text("http_tokens").doc("Whether a session token is needed (IMDSv2)."),
    text("instance_metadata_tags").doc("Whether its tags can be read from within."),
]);

static PRIVATE_DNS: Blocks = one(&[
    flag("enable_resource_name_dns_a_record")
        .doc("Whether the id's name resolves to the IPv4 address."),
    flag("enable_resource_name_dns_aaaa_record")
        .doc("Whether the id's name resolves to the IPv6 address."),
    text("hostname_type").doc("Whether the name holds the address or the id."),
]);

const VOLUME: [Attribute; 11] = [
    flag("delete_on_termination").doc("Whether the volume is deleted with the instance."),
    text("device_name").doc("The device."),
    flag("encrypted").doc("Whether it is encrypted."),
    int("iops").doc("I/O operations a second."),
    text("kms_key_id").doc("The KMS key."),
    Attribute::computed("tags", TAGS).doc("Its tags."),
    Attribute::computed("tags_all", TAGS).doc("Its tags."),
    int("throughput").doc("MiB a second."),
    text("volume_id").doc("Its id."),
    int("volume_size").doc("The size in GiB."),
    text("volume_type").doc("The type of volume."),
];

static ROOT_BLOCK_DEVICE: Blocks = one(&VOLUME);
static EBS_BLOCK_DEVICE: Blocks = many(&FURTHER_VOLUME);

const FURTHER_VOLUME: [Attribute; VOLUME.len() + 1] = {
    let snapshot = text("snapshot_id").doc("The snapshot it was filled from.");
    let mut all = [snapshot; VOLUME.len() + 1];
    let mut at = 0;
    while at < VOLUME.len() {
        all[at] = VOLUME[at];
        at += 1;
    }
    all
};

static EPHEMERAL_BLOCK_DEVICE: Blocks = many(&[
    text("device_name").doc("The device."),
    text("virtual_name").doc("The instance store volume."),
]);

#[async_trait]
impl DataSource<Aws> for InstanceData {
    fn schema(&self) -> &'static Schema {
        &SCHEMA
    }

    async fn read(&self, cx: &Aws, config: &Object) -> Result<Object, ProviderError> {
        let mut filters = lookup::filters(config, &[("instance_id", "instance-id")]);
        filters.extend(filters::of_tags(&config.string_map("instance_tags")));
        let mut found = read::describe(cx, filters).await?;
        // What is terminated shows for an hour, and is nobody's.
        found.retain(|found| is_there(&found.instance));
        let found = lookup::one(found, DESCRIBE, "instance", config)?;
        let wanted = Wanted {
            user_data: config.bool("get_user_data") == Some(true),
            password: config.bool("get_password_data") == Some(true),
            disable_api_stop: true,
            disable_api_termination: true,
            shutdown_behavior: false,
        };
        let id = found.instance.instance_id.clone().unwrap_or_default();
        let instances = [&found.instance];
        let (around, mut attributes) = futures::try_join!(
            read::surroundings(cx, &instances, BTreeSet::new(), &instances),
            read::attributes(cx, vec![(id.clone(), wanted)]),
        )?;
        let attributes = attributes.remove(&id).unwrap_or_default();
        Ok(object(config, &found, &around, &attributes, &cx.region_name().await?))
    }
}

fn object(
    config: &Object,
    found: &Found,
    around: &Surroundings,
    attributes: &Attributes,
    region: &str,
) -> Object {
    let instance = &found.instance;
    let mut object = described(found, region);
    object.set("network_interface_id", object.value("primary_network_interface_id").clone());
    volumes::set(&mut object, instance, &around.volumes, &Shown::Everything);
    set_credits(&mut object, instance, around);
    object.set("ephemeral_block_device", Vec::<Object>::new());
    object.set("tags", users(&tags::from_ec2(instance.tags())));
    object.set("disable_api_stop", attributes.disable_api_stop);
    object.set("disable_api_termination", attributes.disable_api_termination);
    object.set("password_data", attributes.password.clone().flatten());
    let data = attributes.user_data.clone().flatten();
    user_data::set(&mut object, data.as_deref(), false);
    object.set("user_data_base64", data);
    let told = |name: &str| object.get(name).or_else(|| config.get(name)).cloned();
    SCHEMA
        .attributes
        .iter()
        .map(|it| (it.name.to_owned(), told(it.name).unwrap_or(Value::Null)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_sdk_ec2::types::{Instance, Tag};

    use super::*;

    #[test]
    fn the_answer_has_every_attribute() {
        let instance = Instance::builder()
            .instance_id("i-1")
            .tags(Tag::builder().key("Name").value("web").build())
            .tags(Tag::builder().key("reconcile:stack").value("lab").build())
            .build();
        let found = Found { instance, owner: "123456789012".to_owned() };
        let mut around = Surroundings::default();
        around.credits.insert("i-1".to_owned(), "standard".to_owned());
        let attributes = Attributes {
            user_data: Some(Some("IyEvYmluL3No".to_owned())),
            ..Attributes::default()
        };
        let config = Object::new().with("instance_id", "i-1").with("get_user_data", true);
        let object = object(&config, &found, &around, &attributes, "ap-northeast-2");
        assert_eq!(object.len(), SCHEMA.attributes.len());
        assert_eq!(object.str("user_data"), Some("#!/bin/sh"));
        assert_eq!(object.str("user_data_base64"), Some("IyEvYmluL3No"));
        assert_eq!(object.string_map("tags"), BTreeMap::from([("Name".into(), "web".into())]));
        assert_eq!(object.bool("get_user_data"), Some(true));
        let credits = object.block("credit_specification");
        assert_eq!(credits.and_then(|it| it.str("cpu_credits")), Some("standard"));
    }
}
