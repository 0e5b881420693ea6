//! What narrows an IAM action down further than the type that needs it.

/// An action that only some blocks of a type need, or that is needed for some services only.
#[derive(Clone, Copy, Debug)]
pub struct Restriction {
    /// The action: `iam:PassRole`.
    pub action: &'static str,
    /// The argument without which a block does not need the action, at any depth.
    pub argument: Option<&'static str>,
    /// A condition key, and the values with which the action is needed: `iam:PassedToService`.
    pub condition: Option<(&'static str, &'static [&'static str])>,
}
