//! Images, as the resource types and data sources about them share them: describing, and what is told of one.

use aws_sdk_ec2::types::{BlockDeviceMapping, Filter, Image};
use reconcile_model::{Attribute, Kind, Object, Value};
use reconcile_provider::ProviderError;

use crate::Aws;
use crate::arn;
use crate::call::Call;

const DESCRIBE_IMAGES: Call = Call::read("DescribeImages");

/// Which images to describe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pub(crate) filters: Vec<Filter>,
    pub(crate) owners: Vec<String>,
    pub(crate) executable_users: Vec<String>,
    pub(crate) include_deprecated: bool,
}

/// Returns the images that match.
pub(crate) async fn describe(cx: &Aws, query: &Query) -> Result<Vec<Image>, ProviderError> {
    let some = |values: &[String]| Some(values.to_vec()).filter(|values| !values.is_empty());
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let page = cx
            .ec2(DESCRIBE_IMAGES, |ec2| {
                ec2.describe_images()
                    .set_filters(Some(query.filters.clone()).filter(|all| !all.is_empty()))
                    .set_owners(some(&query.owners))
                    .set_executable_users(some(&query.executable_users))
                    .set_include_deprecated(query.include_deprecated.then_some(true))
                    .max_results(1000)
                    .set_next_token(token.clone())
                    .send()
            })
            .await?;
        found.extend(page.images.unwrap_or_default());
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// Returns the state's name: `available`.
pub(crate) fn state(image: &Image) -> &str {
    image.state().map_or("unknown", |state| state.as_str())
}

/// Returns the mapping of the root device.
fn root(image: &Image) -> Option<&BlockDeviceMapping> {
    image.block_device_mappings().iter().find(|it| it.device_name() == image.root_device_name())
}

/// The attributes that [`described`] sets, in the order of the reference page; `id` and tags are each type's own.
pub(crate) const DESCRIBED: [Attribute; 23] = [
    Attribute::computed("architecture", Kind::String).doc("The processor's, such as `x86_64`."),
    Attribute::computed("arn", Kind::String).doc("The image's ARN."),
    Attribute::computed("boot_mode", Kind::String).doc("How it boots: `uefi`, `legacy-bios`."),
    Attribute::computed("ena_support", Kind::Bool).doc("Whether it has the ENA network driver."),
    Attribute::computed("hypervisor", Kind::String).doc("The hypervisor it is for."),
    Attribute::computed("image_location", Kind::String)
        .doc("The owner's account and the image's name."),
    Attribute::computed("image_owner_alias", Kind::String)
        .doc("The owner's alias: `amazon`, `self`."),
    Attribute::computed("image_type", Kind::String).doc("The type of image."),
    Attribute::computed("imds_support", Kind::String)
        .doc("`v2.0` when its instances need a token for their metadata."),
    Attribute::computed("kernel_id", Kind::String).doc("The kernel, of old images."),
    Attribute::computed("owner_id", Kind::String).doc("The account that owns it."),
    Attribute::computed("platform", Kind::String).doc("`windows`; null otherwise."),
    Attribute::computed("platform_details", Kind::String).doc("What is billed for its software."),
    Attribute::computed("public", Kind::Bool).doc("Whether everyone can use it."),
    Attribute::computed("ramdisk_id", Kind::String).doc("The RAM disk, of old images."),
    Attribute::computed("root_device_name", Kind::String).doc("The root volume's device."),
    Attribute::computed("root_snapshot_id", Kind::String).doc("The root volume's snapshot."),
    Attribute::computed("sriov_net_support", Kind::String)
        .doc("Whether it has the older enhanced network driver."),
    Attribute::computed("tpm_support", Kind::String).doc("`v2.0` when it supports NitroTPM."),
    Attribute::computed("uefi_data", Kind::String).doc("Its UEFI variables; EC2 does not tell."),
    Attribute::computed("usage_operation", Kind::String).doc("The operation it is billed under."),
    Attribute::computed("virtualization_type", Kind::String).doc("`hvm` or `paravirtual`."),
    Attribute::computed("root_device_type", Kind::String).doc("`ebs` or `instance-store`."),
];

/// Returns what EC2 tells of an image that is of one shape everywhere.
pub(crate) fn described(image: &Image, region: &str) -> Object {
    let id = image.image_id().unwrap_or_default();
    let text = |value: Option<&str>| Value::from(value.filter(|text| !text.is_empty()));
    Object::new()
        .with("id", id)
        .with("architecture", image.architecture().map(|it| it.as_str()))
        .with("arn", arn::ec2(region, "", &format!("image/{id}")))
        .with("boot_mode", image.boot_mode().map(|it| it.as_str()))
        .with("ena_support", image.ena_support())
        .with("hypervisor", image.hypervisor().map(|it| it.as_str()))
        .with("image_location", text(image.image_location()))
        .with("image_owner_alias", text(image.image_owner_alias()))
        .with("image_type", image.image_type().map(|it| it.as_str()))
        .with("imds_support", image.imds_support().map(|it| it.as_str()))
        .with("kernel_id", text(image.kernel_id()))
        .with("owner_id", image.owner_id())
        .with("platform", image.platform().map(|it| it.as_str()))
        .with("platform_details", text(image.platform_details()))
        .with("public", image.public())
        .with("ramdisk_id", text(image.ramdisk_id()))
        .with("root_device_name", text(image.root_device_name()))
        .with("root_device_type", image.root_device_type().map(|it| it.as_str()))
        .with("root_snapshot_id", root(image).and_then(|it| it.ebs()?.snapshot_id()))
        .with("sriov_net_support", text(image.sriov_net_support()))
        .with("tpm_support", image.tpm_support().map(|it| it.as_str()))
        .with("uefi_data", Value::Null)
        .with("usage_operation", text(image.usage_operation()))
        .with("virtualization_type", image.virtualization_type().map(|it| it.as_str()))
        .with("name", image.name())
        .with("description", text(image.description()))
        .with("deprecation_time", text(image.deprecation_time()))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::EbsBlockDevice;

    use super::*;

    #[test]
    fn the_roots_snapshot_is_found_by_its_device() {
        let mapping = |device: &str, snapshot: &str| {
            let ebs = EbsBlockDevice::builder().snapshot_id(snapshot).build();
            BlockDeviceMapping::builder().device_name(device).ebs(ebs).build()
        };
        let image = Image::builder()
            .image_id("ami-1")
            .root_device_name("/dev/xvda")
            .block_device_mappings(mapping("/dev/sdf", "snap-2"))
            .block_device_mappings(mapping("/dev/xvda", "snap-1"))
            .build();
        let object = described(&image, "ap-northeast-2");
        assert_eq!(object.str("root_snapshot_id"), Some("snap-1"));
        assert_eq!(object.str("arn"), Some("arn:aws:ec2:ap-northeast-2::image/ami-1"));
        for attribute in &DESCRIBED {
            assert!(object.contains_key(attribute.name), "{}", attribute.name);
        }
    }
}
