//! The API operations: their names, which rate limit they count against, and which errors are about the object itself.

use reconcile_provider::throttle::Bucket;

/// One API operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call {
    /// Its name, as in the API reference and in IAM.
    pub(crate) name: &'static str,
    /// The rate limit it counts against.
    pub(crate) class: Class,
    /// The error codes that say that the very object the call is about does not exist. The same codes about anything
    /// else are a missing reference: `InvalidSubnetID.NotFound` from `RunInstances` does not say that the instance is gone.
    pub(crate) gone: &'static [&'static str],
}

impl Call {
    /// Returns an operation that changes nothing.
    pub(crate) const fn read(name: &'static str) -> Self {
        Self { name, class: Class::Read, gone: &[] }
    }

    /// Returns an operation that changes something.
    pub(crate) const fn mutate(name: &'static str) -> Self {
        Self { name, class: Class::Mutate, gone: &[] }
    }

    /// Sets the rate limit it counts against.
    pub(crate) const fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Sets the codes that say that the object itself is gone.
    pub(crate) const fn gone(mut self, codes: &'static [&'static str]) -> Self {
        self.gone = codes;
        self
    }
}

/// The classes of operations that share a rate limit.
///
/// Buckets and rates are AWS's published ones, per account and Region: "Request throttling for the Amazon EC2 API" and
/// "Request throttling for the Elastic Load Balancing API".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// EC2 `Describe*`, filtered or paginated.
    Read,
    /// EC2 mutating operations without a limit of their own.
    Mutate,
    /// EC2 mutating operations with the larger bucket: volumes, snapshots, network interfaces, images, metadata options.
    MutateLarge,
    /// `RunInstances` and `StartInstances`.
    RunInstances,
    /// `TerminateInstances`.
    TerminateInstances,
    /// `CreateTags` and `DeleteTags`.
    Tags,
    /// ELBv2 `Describe*`.
    ElbRead,
    /// ELBv2 mutating operations without a limit of their own.
    ElbMutate,
    /// `CreateLoadBalancer` and `SetSubnets`.
    ElbCreate,
    /// `RegisterTargets` and `DeregisterTargets`.
    ElbTargets,
}

impl Class {
    /// Tells whether operations of the class change nothing, so that they can be made again without a thought.
    pub(crate) fn is_read(self) -> bool {
        matches!(self, Self::Read | Self::ElbRead)
    }
}

/// The buckets of one account and Region.
#[derive(Debug)]
pub(crate) struct Buckets {
    read: Bucket,
    mutate: Bucket,
    mutate_large: Bucket,
    run_instances: Bucket,
    terminate_instances: Bucket,
    tags: Bucket,
    elb_read: Bucket,
    elb_mutate: Bucket,
    elb_create: Bucket,
    elb_targets: Bucket,
}

impl Buckets {
    pub(crate) const fn new() -> Self {
        Self {
            read: Bucket::new(100.0, 20.0),
            mutate: Bucket::new(50.0, 5.0),
            mutate_large: Bucket::new(100.0, 5.0),
            run_instances: Bucket::new(5.0, 2.0),
            terminate_instances: Bucket::new(100.0, 5.0),
            tags: Bucket::new(100.0, 10.0),
            elb_read: Bucket::new(40.0, 10.0),
            elb_mutate: Bucket::new(20.0, 3.0),
            elb_create: Bucket::new(10.0, 0.2),
            elb_targets: Bucket::new(20.0, 4.0),
        }
    }

    pub(crate) fn of(&self, class: Class) -> &Bucket {
        match class {
            Class::Read => &self.read,
            Class::Mutate => &self.mutate,
            Class::MutateLarge => &self.mutate_large,
            Class::RunInstances => &self.run_instances,
            Class::TerminateInstances => &self.terminate_instances,
            Class::Tags => &self.tags,
            Class::ElbRead => &self.elb_read,
            Class::ElbMutate => &self.elb_mutate,
            Class::ElbCreate => &self.elb_create,
            Class::ElbTargets => &self.elb_targets,
        }
    }
}
