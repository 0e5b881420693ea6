//! IAM actions that not every block of a type needs, or not for every service.
//!
//! What is listed here gives more away than a description of an object would: a password, a secret, a role.

use reconcile_model::iam::Restriction;

/// The restrictions, by action.
///
/// `iam:PassedToService` and `iam:AWSServiceName` are documented for these very actions in the IAM manual, "Grant a user
/// permissions to pass a role to an AWS service" and "Create a service-linked role"; China has its own name of EC2.
pub static RESTRICTIONS: &[Restriction] = &[
    only_with("acm:DescribeCertificate", "certificate_arn"),
    only_with("cognito-idp:DescribeUserPoolClient", "authenticate_cognito"),
    only_with("ec2:GetPasswordData", "get_password_data"),
    Restriction {
        action: "iam:CreateServiceLinkedRole",
        argument: None,
        condition: Some(("iam:AWSServiceName", &["elasticloadbalancing.amazonaws.com"])),
    },
    Restriction {
        action: "iam:PassRole",
        argument: Some("iam_instance_profile"),
        condition: Some(("iam:PassedToService", &["ec2.amazonaws.com", "ec2.amazonaws.com.cn"])),
    },
];

const fn only_with(action: &'static str, argument: &'static str) -> Restriction {
    Restriction { action, argument: Some(argument), condition: None }
}
