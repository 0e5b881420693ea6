//! Amazon Resource Names of EC2 objects, which EC2 seldom tells.

/// Returns the ARN of an EC2 object: `resource` is its kind and id, as in `instance/i-0ab1`.
pub(crate) fn ec2(region: &str, account: &str, resource: &str) -> String {
    format!("arn:{}:ec2:{region}:{account}:{resource}", partition(region))
}

/// Returns the partition that a Region is in (AWS General Reference, "Amazon Resource Names").
pub(crate) fn partition(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "aws-cn",
        Some("us") if region.starts_with("us-gov-") => "aws-us-gov",
        Some("us") if region.starts_with("us-iso-") => "aws-iso",
        Some("us") if region.starts_with("us-isob-") => "aws-iso-b",
        _ => "aws",
    }
}

/// Returns the domain that the names of a Region's service endpoints end with.
pub(crate) fn dns_suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_follow_the_region() {
        let arn = ec2("ap-northeast-2", "123456789012", "instance/i-0ab1");
        assert_eq!(arn, "arn:aws:ec2:ap-northeast-2:123456789012:instance/i-0ab1");
        assert_eq!(partition("us-gov-west-1"), "aws-us-gov");
        assert_eq!(partition("cn-north-1"), "aws-cn");
        assert_eq!(partition("us-east-1"), "aws");
    }
}
