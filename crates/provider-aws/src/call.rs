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
    /// `RunInstances`, for one instance.
    RunInstances,
    /// `StartInstances`, for one instance.
    StartInstances,
    /// `StopInstances`, for one instance.
    StopInstances,
    /// `TerminateInstances`. Each instance counts besides: see [`Class::TerminatedInstance`].
    TerminateInstances,
    /// An instance that is about to be in a `TerminateInstances` call; no call of its own.
    TerminatedInstance,
    /// `CreateTags`.
    CreateTags,
    /// `DeleteTags`.
    DeleteTags,
    /// ELBv2 `Describe*`.
    ElbRead,
    /// ELBv2 mutating operations without a limit of their own.
    ElbMutate,
    /// `CreateLoadBalancer`.
    ElbCreate,
    /// `SetSubnets`.
    ElbSubnets,
    /// `RegisterTargets`.
    ElbRegister,
    /// `DeregisterTargets`.
    ElbDeregister,
}

impl Class {
    /// Tells whether operations of the class change nothing, so that they can be made again without a thought.
    pub(crate) fn is_read(self) -> bool {
        matches!(self, Self::Read | Self::ElbRead)
    }
}

/// The buckets of one account and Region.
///
/// A call takes a token of its class's bucket, and one of a second where AWS counts twice: instances besides requests,
/// and for ELBv2 all calls of the account together.
#[derive(Debug)]
pub(crate) struct Buckets {
    read: Bucket,
    mutate: Bucket,
    mutate_large: Bucket,
    run: Bucket,
    run_instances: Bucket,
    start: Bucket,
    start_instances: Bucket,
    stop_instances: Bucket,
    terminate: Bucket,
    terminate_instances: Bucket,
    create_tags: Bucket,
    delete_tags: Bucket,
    elb: Bucket,
    elb_mutate: Bucket,
    elb_create: Bucket,
    elb_subnets: Bucket,
    elb_register: Bucket,
    elb_deregister: Bucket,
}

impl Buckets {
    /// Returns AWS's published limits, scaled by `multiplier`.
    pub(crate) fn new(multiplier: f64) -> Self {
        let bucket = |capacity, refill| Bucket::new(capacity, refill, multiplier);
        Self {
            read: bucket(100.0, 20.0),
            mutate: bucket(50.0, 5.0),
            mutate_large: bucket(100.0, 5.0),
            run: bucket(5.0, 2.0),
            run_instances: bucket(1000.0, 2.0),
            start: bucket(5.0, 2.0),
            start_instances: bucket(1000.0, 2.0),
            stop_instances: bucket(1000.0, 20.0),
            terminate: bucket(100.0, 5.0),
            terminate_instances: bucket(1000.0, 20.0),
            create_tags: bucket(100.0, 10.0),
            delete_tags: bucket(100.0, 10.0),
            elb: bucket(40.0, 10.0),
            elb_mutate: bucket(20.0, 3.0),
            elb_create: bucket(10.0, 0.2),
            elb_subnets: bucket(10.0, 0.2),
            elb_register: bucket(20.0, 4.0),
            elb_deregister: bucket(20.0, 4.0),
        }
    }

    /// Returns the buckets that a call takes a token of, the scarcer one first.
    fn of(&self, class: Class) -> (&Bucket, Option<&Bucket>) {
        match class {
            Class::Read => (&self.read, None),
            Class::Mutate => (&self.mutate, None),
            Class::MutateLarge => (&self.mutate_large, None),
            Class::RunInstances => (&self.run, Some(&self.run_instances)),
            Class::StartInstances => (&self.start, Some(&self.start_instances)),
            Class::StopInstances => (&self.mutate, Some(&self.stop_instances)),
            Class::TerminateInstances => (&self.terminate, None),
            Class::TerminatedInstance => (&self.terminate_instances, None),
            Class::CreateTags => (&self.create_tags, None),
            Class::DeleteTags => (&self.delete_tags, None),
            Class::ElbRead => (&self.elb, None),
            Class::ElbMutate => (&self.elb_mutate, Some(&self.elb)),
            Class::ElbCreate => (&self.elb_create, Some(&self.elb)),
            Class::ElbSubnets => (&self.elb_subnets, Some(&self.elb)),
            Class::ElbRegister => (&self.elb_register, Some(&self.elb)),
            Class::ElbDeregister => (&self.elb_deregister, Some(&self.elb)),
        }
    }

    /// Waits until a call of the class may be made.
    pub(crate) async fn take(&self, class: Class) {
        let (first, second) = self.of(class);
        first.take().await;
        if let Some(second) = second {
            second.take().await;
        }
    }

    /// Notes that AWS throttled a call of the class. Which of two limits was hit, AWS does not say: the scarcer, most
    /// likely.
    pub(crate) fn throttled(&self, class: Class) {
        self.of(class).0.throttled();
    }

    /// Notes that AWS took a call of the class.
    pub(crate) fn accepted(&self, class: Class) {
        self.of(class).0.accepted();
    }
}
