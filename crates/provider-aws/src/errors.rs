//! Errors of the SDK, by what can be done about them.
//!
//! By error code, from tables, never by substring: EC2's list is "Error codes for the Amazon EC2 API", ELBv2's are the
//! error shapes of its service model.

use aws_config::SdkConfig;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::http::Response;
use reconcile_provider::error::Execution;
use reconcile_provider::{ErrorKind, ProviderError};

use crate::call::Call;

/// Something with the same natural key exists.
const EXISTS: &[&str] = &[
    "DuplicateListener",
    "DuplicateLoadBalancerName",
    "DuplicateTargetGroupName",
    "IdempotentParameterMismatch",
    "InvalidAMIName.Duplicate",
    "InvalidGroup.Duplicate",
    "InvalidKeyPair.Duplicate",
    "InvalidPermission.Duplicate",
    "PriorityInUse",
];

/// Something still uses the object.
const IN_USE: &[&str] = &[
    "DependencyViolation",
    "InvalidGroup.InUse",
    "InvalidNetworkInterface.InUse",
    "InvalidSnapshot.InUse",
    "ResourceInUse",
    "VolumeInUse",
];

/// The object, or one it needs, is not in a state that allows the call.
const NOT_READY: &[&str] = &[
    "ConcurrentCreateImageNoRebootLimitExceeded",
    "ConcurrentTagAccess",
    "IncorrectInstanceState",
    "IncorrectModificationState",
    "IncorrectState",
    "InstanceNotInCorrectState",
    "InvalidAMIID.Unavailable",
    "InvalidTarget",
    "PendingSnapshotLimitExceeded",
    "SnapshotCreationPerVolumeRateExceeded",
];

/// The rate limit was hit; the call was not executed.
const THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// The service failed.
const TRANSIENT: &[&str] = &[
    "HealthUnavailable",
    "InternalError",
    "InternalFailure",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServerInternal",
    "ServiceUnavailable",
    "Unavailable",
];

/// There is no capacity at present. EC2 sends these with HTTP 500, so they are looked up before the status is.
const CAPACITY: &[&str] = &[
    "InsufficientAddressCapacity",
    "InsufficientCapacity",
    "InsufficientHostCapacity",
    "InsufficientInstanceCapacity",
    "InsufficientVolumeCapacity",
    "ReservationCapacityExceeded",
    "UnfulfillableCapacity",
];

/// The account's quota is used up.
const QUOTA: &[&str] = &[
    "AttachmentLimitExceeded",
    "InstanceLimitExceeded",
    "KeyPairLimitExceeded",
    "MaxIOPSLimitExceeded",
    "NetworkInterfaceLimitExceeded",
    "RulesPerSecurityGroupLimitExceeded",
    "SecurityGroupLimitExceeded",
    "SecurityGroupsPerInstanceLimitExceeded",
    "SecurityGroupsPerInterfaceLimitExceeded",
    "SnapshotLimitExceeded",
    "TagLimitExceeded",
    "TargetGroupAssociationLimit",
    "TooManyActions",
    "TooManyListeners",
    "TooManyLoadBalancers",
    "TooManyRegistrationsForTargetId",
    "TooManyRules",
    "TooManyTags",
    "TooManyTargetGroups",
    "TooManyTargets",
    "TooManyUniqueTargetGroupsPerLoadBalancer",
    "VcpuLimitExceeded",
    "VolumeLimitExceeded",
];

/// The credentials do not allow it, with what the user can do about it.
const DENIED: &[(&str, &str)] = &[
    ("AccessDenied", NO_PERMISSION),
    ("AccessDeniedException", NO_PERMISSION),
    ("AuthFailure", BAD_CREDENTIALS),
    ("ExpiredToken", EXPIRED),
    ("ExpiredTokenException", EXPIRED),
    ("IncompleteSignature", BAD_CREDENTIALS),
    ("InvalidClientTokenId", BAD_CREDENTIALS),
    ("MissingAuthenticationToken", BAD_CREDENTIALS),
    ("OperationNotPermitted", PROTECTED),
    ("OptInRequired", "Subscribe to the service, or enable the Region, in the AWS console."),
    ("PendingVerification", "AWS is still verifying the account; try again in a few hours."),
    ("RequestExpired", EXPIRED),
    ("SignatureDoesNotMatch", BAD_CREDENTIALS),
    (
        "TagPolicyViolation",
        "The organization's tag policy forbids a tag; look at `tags` and `default_tags`.",
    ),
    ("UnauthorizedOperation", NO_PERMISSION),
    ("UnrecognizedClientException", BAD_CREDENTIALS),
];

const NO_PERMISSION: &str = "Allow the action in an IAM policy of the user or role you run as \
    (`aws sts get-caller-identity` tells who that is).";
const BAD_CREDENTIALS: &str = "Check the access key and its secret (`aws sts get-caller-identity`), and that the Region is enabled.";
const EXPIRED: &str =
    "Log in again (`aws sso login`, or new temporary credentials), and check this machine's clock.";
const PROTECTED: &str =
    "The object is protected; switch the protection off in the spec and apply that first.";

/// Returns the error of a call, classified.
pub(crate) fn classify<E>(call: Call, error: SdkError<E, Response>) -> ProviderError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    use ErrorKind::{Invalid, Transient};
    let plain = |kind, message: String| ProviderError::new(kind, call.name, message);
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            service_error(call, status, context.err())
        }
        SdkError::ConstructionFailure(_) => {
            plain(Invalid, format!("the request could not be built: {}", innermost(&error)))
        }
        SdkError::TimeoutError(_) => {
            unknown_outcome(plain(Transient, "no answer in time".to_owned()))
        }
        SdkError::DispatchFailure(ref failure) => {
            let message = innermost(&error);
            if failure.is_user() {
                return plain(Invalid, message);
            }
            if let Some(credentials) = find_source::<CredentialsError>(&error) {
                return credentials_error(call.name, credentials);
            }
            let error = plain(Transient, format!("the endpoint cannot be reached: {message}"))
                .hint("Check the network, the Region, and AWS_ENDPOINT_URL if it is set.");
            let refused = failure
                .as_connector_error()
                .is_some_and(|it| io_kind(it) == Some(std::io::ErrorKind::ConnectionRefused));
            // A refused connection carried no request.
            if refused { error } else { unknown_outcome(error) }
        }
        SdkError::ResponseError(_) => {
            let message = format!("the answer could not be read: {}", innermost(&error));
            unknown_outcome(plain(Transient, message))
        }
        _ => unknown_outcome(plain(Transient, DisplayErrorContext(&error).to_string())),
    }
}

fn service_error(call: Call, status: u16, error: &dyn ServiceError) -> ProviderError {
    let code = error.code().unwrap_or_default();
    let kind = kind(call, status, code);
    let message = match error.message() {
        Some(message) if !message.is_empty() => message.to_owned(),
        _ => format!("HTTP status {status} without a message"),
    };
    let mut classified = ProviderError::new(kind, call.name, message);
    classified.code = (!code.is_empty()).then(|| code.to_owned());
    classified.request_id = error.request_id();
    classified.hint =
        DENIED.iter().find(|(denied, _)| *denied == code).map(|(_, hint)| (*hint).to_owned());
    if kind == ErrorKind::Transient { unknown_outcome(classified) } else { classified }
}

fn kind(call: Call, status: u16, code: &str) -> ErrorKind {
    if call.gone.contains(&code) {
        return ErrorKind::NotFound;
    }
    let tables: [(&[&str], ErrorKind); 7] = [
        (EXISTS, ErrorKind::AlreadyExists),
        (IN_USE, ErrorKind::InUse),
        (NOT_READY, ErrorKind::NotReady),
        (THROTTLED, ErrorKind::Throttled),
        (CAPACITY, ErrorKind::Capacity),
        (QUOTA, ErrorKind::Quota),
        (TRANSIENT, ErrorKind::Transient),
    ];
    if let Some((_, kind)) = tables.iter().find(|(codes, _)| codes.contains(&code)) {
        return *kind;
    }
    if DENIED.iter().any(|(denied, _)| *denied == code) {
        return ErrorKind::Denied;
    }
    if REFERENCES.contains(&code) {
        return ErrorKind::MissingReference;
    }
    if status >= 500 { ErrorKind::Transient } else { ErrorKind::Invalid }
}

/// Something that the request refers to does not exist, or is not visible yet.
const REFERENCES: &[&str] = &[
    "CertificateNotFound",
    "InvalidAMIID.NotFound",
    "InvalidAttachment.NotFound",
    "InvalidGroup.NotFound",
    "InvalidInstanceID.NotFound",
    "InvalidKeyPair.NotFound",
    "InvalidNetworkInterfaceID.NotFound",
    "InvalidPermission.NotFound",
    "InvalidPlacementGroup.Unknown",
    "InvalidSecurityGroupID.NotFound",
    "InvalidSecurityGroupRuleId.NotFound",
    "InvalidSnapshot.NotFound",
    "InvalidSubnetID.NotFound",
    "InvalidSubnetId.NotFound",
    "InvalidVolume.NotFound",
    "InvalidVpcID.NotFound",
    "ListenerNotFound",
    "LoadBalancerNotFound",
    "RuleNotFound",
    "SubnetNotFound",
    "TargetGroupNotFound",
];

/// What is read of a service's error, whatever operation it is of.
trait ServiceError {
    fn code(&self) -> Option<&str>;
    fn message(&self) -> Option<&str>;
    fn request_id(&self) -> Option<String>;
}

impl<E: ProvideErrorMetadata> ServiceError for E {
    fn code(&self) -> Option<&str> {
        self.meta().code()
    }

    fn message(&self) -> Option<&str> {
        self.meta().message()
    }

    fn request_id(&self) -> Option<String> {
        // The key under which the SDK's own `RequestId` keeps it.
        self.meta().extra("aws_request_id").map(str::to_owned)
    }
}

/// Returns the error for a configuration without a Region.
pub(crate) fn no_region() -> ProviderError {
    ProviderError::new(ErrorKind::Denied, "configuration", "no AWS Region is set").hint(
        "Write `provider: { aws: { region: ap-northeast-2 } }` in the spec, or set AWS_REGION, or `region` in the profile.",
    )
}

/// Checks that a Region's name can be one, before a name server is asked for a host that cannot exist.
pub(crate) fn check_region(region: &str) -> Result<(), ProviderError> {
    let mut parts = region.split('-');
    let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase());
    let shaped = parts.next().is_some_and(word)
        && parts.clone().count() >= 2
        && parts.next_back().is_some_and(|part| part.parse::<u8>().is_ok())
        && parts.all(word);
    if shaped {
        return Ok(());
    }
    let message = format!("`{region}` is not the name of an AWS Region");
    Err(ProviderError::new(ErrorKind::Denied, "configuration", message)
        .hint("Regions are named as `ap-northeast-2`; an Availability Zone has a letter more."))
}

/// Checks that an endpoint somebody set is one: the SDK ends the program over one that is empty.
pub(crate) fn check_endpoint(endpoint: Option<&str>) -> Result<(), ProviderError> {
    let Some(endpoint) = endpoint else { return Ok(()) };
    let host = endpoint.strip_prefix("https://").or_else(|| endpoint.strip_prefix("http://"));
    if host.is_some_and(|host| !host.is_empty() && !host.starts_with(['/', ':'])) {
        return Ok(());
    }
    let message = format!("`{endpoint}` is not the address of an endpoint");
    Err(ProviderError::new(ErrorKind::Denied, "configuration", message)
        .hint("Write AWS_ENDPOINT_URL as `https://host`, or unset it to call AWS itself."))
}

/// Resolves the credentials once, so that their absence is one clear error and not one for each call.
pub(crate) async fn check_credentials(config: &SdkConfig) -> Result<(), ProviderError> {
    let Some(provider) = config.credentials_provider() else {
        return Err(no_credentials("credentials", "no AWS credentials were found"));
    };
    match provider.provide_credentials().await {
        Ok(_) => Ok(()),
        Err(error) => Err(credentials_error("credentials", &error)),
    }
}

fn credentials_error(operation: &'static str, error: &CredentialsError) -> ProviderError {
    if let CredentialsError::CredentialsNotLoaded(_) = error {
        return no_credentials(operation, "no AWS credentials were found");
    }
    let why = innermost(error);
    no_credentials(operation, &format!("the AWS credentials could not be loaded: {why}"))
}

fn no_credentials(operation: &'static str, message: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Denied, operation, message).hint(
        "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in with `aws sso login`.",
    )
}

fn unknown_outcome(mut error: ProviderError) -> ProviderError {
    error.execution = Execution::Unknown;
    error
}

/// Returns the words of the innermost error of a chain: the outer ones only say that there is one.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut current = error;
    while let Some(source) = current.source() {
        current = source;
    }
    current.to_string()
}

fn find_source<'a, T: std::error::Error + 'static>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a T> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        current = error.source();
    }
    None
}

fn io_kind(error: &(dyn std::error::Error + 'static)) -> Option<std::io::ErrorKind> {
    find_source::<std::io::Error>(error).map(std::io::Error::kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_found_is_about_the_object_only_where_the_call_says_so() {
        let terminate = Call::mutate("TerminateInstances").gone(&["InvalidInstanceID.NotFound"]);
        assert_eq!(kind(terminate, 400, "InvalidInstanceID.NotFound"), ErrorKind::NotFound);
        let run = Call::mutate("RunInstances");
        assert_eq!(kind(run, 400, "InvalidSubnetID.NotFound"), ErrorKind::MissingReference);
    }

    #[test]
    fn capacity_is_not_mistaken_for_a_failing_service() {
        let run = Call::mutate("RunInstances");
        assert_eq!(kind(run, 500, "InsufficientInstanceCapacity"), ErrorKind::Capacity);
        assert_eq!(kind(run, 500, "Whatever"), ErrorKind::Transient);
        assert_eq!(kind(run, 400, "InvalidParameterValue"), ErrorKind::Invalid);
    }

    #[test]
    fn endpoints_have_a_scheme_and_a_host() {
        for good in [None, Some("http://127.0.0.1:5000"), Some("https://ec2.example.com/")] {
            assert!(check_endpoint(good).is_ok(), "{good:?}");
        }
        for bad in ["", "localhost:5000", "http://", "http://:80", "ftp://host"] {
            assert!(check_endpoint(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn regions_have_a_shape() {
        for good in ["ap-northeast-2", "us-gov-west-1", "cn-north-1"] {
            assert!(check_region(good).is_ok(), "{good}");
        }
        for bad in ["", "seoul", "ap-northeast-2a", "ap northeast 2", "us-1", "http://x"] {
            assert!(check_region(bad).is_err(), "{bad}");
        }
    }
}
