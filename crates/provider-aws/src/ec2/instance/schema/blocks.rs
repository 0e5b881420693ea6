//! The nested blocks of `aws_instance`.

use reconcile_model::Value;
use reconcile_model::normalize::Normalize;
use reconcile_model::schema::{Attribute, Check, Kind, Literal};

use super::{TAGS, one};
use crate::ec2::ebs;
use crate::ec2::instance::spot;

pub(super) const LAUNCH_TEMPLATE: &[Attribute] = &[
    Attribute::optional_computed("id", Kind::String)
        .replace()
        .recomputed_by(&["name"])
        .doc("The template's id."),
    Attribute::optional_computed("name", Kind::String)
        .replace()
        .recomputed_by(&["id"])
        .doc("The template's name."),
    Attribute::optional("version", Kind::String)
        .default(Literal::String("$Default"))
        .replace()
        .check(Check::Length(1, 255))
        .doc("A version's number, `$Latest`, or `$Default`; with the latter two, a version that comes later changes nothing."),
];

pub(super) const NETWORK_INTERFACE: &[Attribute] = &[
    Attribute::required("device_index", Kind::Int)
        .replace()
        .doc("The place it is attached at; 0 is the primary one."),
    Attribute::required("network_interface_id", Kind::String)
        .replace()
        .doc("The network interface's id."),
    Attribute::optional("network_card_index", Kind::Int)
        .default(Literal::Int(0))
        .replace()
        .doc("The network card it is attached to."),
    Attribute::optional("delete_on_termination", Kind::Bool)
        .default(Literal::Bool(false))
        .replace()
        .check(Check::Rule(is_false))
        .doc("Whether it is deleted with the instance; AWS takes only `false` for one that exists already."),
];

pub(super) const PRIVATE_DNS: &[Attribute] = &[
    Attribute::optional_computed("hostname_type", Kind::String)
        .restart()
        .check(Check::OneOf(&["ip-name", "resource-name"]))
        .doc("Whether the name holds the address or the instance's id."),
    Attribute::optional_computed("enable_resource_name_dns_a_record", Kind::Bool)
        .doc("Whether the id's name resolves to the IPv4 address."),
    Attribute::optional_computed("enable_resource_name_dns_aaaa_record", Kind::Bool)
        .doc("Whether the id's name resolves to the IPv6 address."),
];

pub(super) const NETWORK_PERFORMANCE: &[Attribute] =
    &[Attribute::optional_computed("bandwidth_weighting", Kind::String)
        .restart()
        .check(Check::OneOf(&["default", "vpc-1", "ebs-1"]))
        .doc("What gets the larger share.")];

const DELETE_ON_TERMINATION: Attribute = Attribute::optional("delete_on_termination", Kind::Bool)
    .default(Literal::Bool(true))
    .doc("Whether the volume is deleted with the instance.");
const ENCRYPTED: Attribute = Attribute::optional_computed("encrypted", Kind::Bool)
    .replace()
    .doc("Whether the volume is encrypted; as the account's default says when left out.");
const IOPS: Attribute = Attribute::optional_computed("iops", Kind::Int)
    .recomputed_by(&["volume_type", "volume_size"])
    .doc("I/O operations a second, for gp3, io1, and io2.");
const KMS_KEY_ID: Attribute = Attribute::optional_computed("kms_key_id", Kind::String)
    .replace()
    .normalize(Normalize::Rule(ebs::kms_key))
    .doc("The KMS key to encrypt with: its id or ARN.");
const VOLUME_TAGS: Attribute = Attribute::optional("tags", TAGS).doc("Tags for the volume.");
const VOLUME_TAGS_ALL: Attribute = Attribute::computed("tags_all", TAGS)
    .recomputed_by(&["tags"])
    .doc("The volume's tags; null where the spec does not tag it here.");
const THROUGHPUT: Attribute = Attribute::optional_computed("throughput", Kind::Int)
    .recomputed_by(&["volume_type"])
    .check(Check::Range(125, 2000))
    .doc("MiB a second, for gp3.");
const VOLUME_ID: Attribute = Attribute::computed("volume_id", Kind::String).doc("The volume's id.");
const VOLUME_SIZE: Attribute = Attribute::optional_computed("volume_size", Kind::Int)
    .check(Check::Range(1, 65_536))
    .doc("The size in GiB; it can grow and not shrink.");
const VOLUME_TYPE: Attribute = Attribute::optional_computed("volume_type", Kind::String)
    .check(Check::OneOf(ebs::VOLUME_TYPES))
    .doc("The volume's type.");

pub(super) const ROOT_BLOCK_DEVICE: &[Attribute] = &[
    DELETE_ON_TERMINATION,
    Attribute::computed("device_name", Kind::String).doc("The device, which the image decides."),
    ENCRYPTED,
    IOPS,
    KMS_KEY_ID,
    VOLUME_TAGS,
    VOLUME_TAGS_ALL,
    THROUGHPUT,
    VOLUME_ID,
    VOLUME_SIZE,
    VOLUME_TYPE,
];

pub(super) const EBS_BLOCK_DEVICE: &[Attribute] = &[
    DELETE_ON_TERMINATION,
    Attribute::required("device_name", Kind::String)
        .replace()
        .doc("The device to attach it at, such as `/dev/sdf`."),
    ENCRYPTED,
    IOPS,
    KMS_KEY_ID,
    Attribute::optional_computed("snapshot_id", Kind::String)
        .replace()
        .doc("The snapshot to fill it from."),
    VOLUME_TAGS,
    VOLUME_TAGS_ALL,
    THROUGHPUT,
    VOLUME_ID,
    VOLUME_SIZE,
    VOLUME_TYPE,
];

pub(super) const EPHEMERAL_BLOCK_DEVICE: &[Attribute] = &[
    Attribute::required("device_name", Kind::String).replace().doc("The device."),
    Attribute::optional("no_device", Kind::Bool)
        .replace()
        .doc("Whether the image's volume at this device is left out."),
    Attribute::optional("virtual_name", Kind::String)
        .replace()
        .doc("The instance store volume, such as `ephemeral0`."),
];

pub(super) const METADATA_OPTIONS: &[Attribute] = &[
    Attribute::optional_computed("http_endpoint", Kind::String)
        .check(Check::OneOf(&["enabled", "disabled"]))
        .doc("Whether the service answers at all."),
    Attribute::optional_computed("http_protocol_ipv6", Kind::String)
        .check(Check::OneOf(&["enabled", "disabled"]))
        .doc("Whether it answers over IPv6."),
    Attribute::optional_computed("http_put_response_hop_limit", Kind::Int)
        .check(Check::Range(1, 64))
        .doc("How many hops a session token may travel; 2 lets containers have it."),
    Attribute::optional_computed("http_tokens", Kind::String)
        .check(Check::OneOf(&["optional", "required"]))
        .doc("Whether a session token is needed (IMDSv2)."),
    Attribute::optional_computed("instance_metadata_tags", Kind::String)
        .check(Check::OneOf(&["enabled", "disabled"]))
        .doc("Whether the instance's tags can be read from within."),
];

pub(super) const CREDIT_SPECIFICATION: &[Attribute] =
    &[Attribute::optional_computed("cpu_credits", Kind::String)
        .check(Check::OneOf(&["standard", "unlimited"]))
        .doc("Whether it may burst beyond its credits, at a price.")];

pub(super) const MAINTENANCE_OPTIONS: &[Attribute] =
    &[Attribute::optional_computed("auto_recovery", Kind::String)
        .check(Check::OneOf(&["default", "disabled"]))
        .doc("Whether it moves to other hardware by itself.")];

pub(super) const CPU_OPTIONS: &[Attribute] = &[
    Attribute::optional_computed("amd_sev_snp", Kind::String)
        .replace()
        .check(Check::OneOf(&["enabled", "disabled"]))
        .doc("Whether AMD SEV-SNP encrypts its memory."),
    Attribute::optional_computed("core_count", Kind::Int).restart().doc("How many cores."),
    Attribute::optional_computed("threads_per_core", Kind::Int)
        .restart()
        .check(Check::Range(1, 2))
        .doc("How many threads a core runs; 1 switches hyperthreading off."),
];

pub(super) const ENCLAVE_OPTIONS: &[Attribute] =
    &[Attribute::optional_computed("enabled", Kind::Bool)
        .replace()
        .doc("Whether enclaves can be run.")];

pub(super) const CAPACITY_RESERVATION: &[Attribute] = &[
    Attribute::optional_computed("capacity_reservation_preference", Kind::String)
        .restart()
        .recomputed_by(&["capacity_reservation_target"])
        .check(Check::OneOf(&["open", "none", "capacity-reservations-only"]))
        .doc("Whether any matching reservation may be used."),
    Attribute::optional("capacity_reservation_target", Kind::Blocks(&one(CAPACITY_TARGET)))
        .restart()
        .doc("The reservation to use."),
];

const CAPACITY_TARGET: &[Attribute] = &[
    Attribute::optional("capacity_reservation_id", Kind::String)
        .restart()
        .doc("A Capacity Reservation."),
    Attribute::optional("capacity_reservation_resource_group_arn", Kind::String)
        .restart()
        .doc("A resource group of Capacity Reservations."),
];

pub(super) const MARKET_OPTIONS: &[Attribute] = &[
    Attribute::optional_computed("market_type", Kind::String)
        .replace()
        .check(Check::OneOf(&["spot", "capacity-block"]))
        .doc("How it is bought."),
    Attribute::optional_computed("spot_options", Kind::Blocks(&one(SPOT_OPTIONS)))
        .doc("The terms of a Spot request."),
];

const SPOT_OPTIONS: &[Attribute] = &[
    Attribute::optional_computed("instance_interruption_behavior", Kind::String)
        .replace()
        .check(Check::OneOf(&["hibernate", "stop", "terminate"]))
        .doc("What happens when AWS takes the capacity back."),
    Attribute::optional_computed("max_price", Kind::String)
        .replace()
        .normalize(Normalize::Rule(spot::price))
        .doc("The most to pay for an hour, in US dollars."),
    Attribute::optional_computed("spot_instance_type", Kind::String)
        .replace()
        .check(Check::OneOf(&["one-time", "persistent"]))
        .doc("Whether the request stays open after an interruption."),
    Attribute::optional_computed("valid_until", Kind::String)
        .replace()
        .normalize(Normalize::Rule(spot::time))
        .doc("When a persistent request ends, in RFC 3339."),
];

fn is_false(value: &Value) -> Result<(), String> {
    match value.as_bool() {
        Some(true) => {
            Err("must be false: only interfaces made at launch can be deleted with the instance"
                .to_owned())
        }
        Some(false) | None => Ok(()),
    }
}
