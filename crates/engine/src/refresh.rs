//! Reading the live state of everything recorded: a few calls for each type, all types at once.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::try_join_all;
use reconcile_applier::Providers as _;
use reconcile_model::{
    Address, Mode, Object, ObjectId, ObjectState, ObjectStatus, Schema, SchemaSet, Snapshot, Value,
};
use reconcile_planner::{Live, Observation};
use reconcile_provider::{Depth, Observed, Provider, ProviderError, Target};
use reconcile_spec::Spec;

use crate::providers::Providers;

/// How often, and after what waits, an object that is not found and was created lately is looked for again: reads are
/// eventually consistent, and one miss of a young object proves nothing.
const SECOND_LOOKS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// How old an object must be, in seconds, for one miss to count.
const YOUNG: u64 = 300;

/// How often an object is looked for after that which a crash left incomplete: it was never seen, so that it cannot be seen
/// says nothing until it would have to be.
const LATER_LOOKS: Duration = Duration::from_secs(5);

/// How old such an object must be, in seconds, for a miss to count.
const UNSEEN: u64 = 120;

/// What is read together: a provider configuration, a Region, and a type.
type Group<'a> = (&'a str, Option<&'a str>, &'a str);

/// Reads every recorded object.
///
/// `now` is in seconds since the Unix epoch.
///
/// # Errors
///
/// The first call that fails, after the retries that reads get.
pub(crate) async fn refresh(
    spec: &Spec,
    prior: &Snapshot,
    schemas: &SchemaSet,
    providers: &Providers,
    now: u64,
) -> Result<Observation, ProviderError> {
    let mut groups: BTreeMap<Group<'_>, Vec<(&Address, &ObjectState)>> = BTreeMap::new();
    for (address, object) in prior.objects() {
        if address.resource.mode == Mode::Managed {
            let key = (&*object.provider, object.region.as_deref(), address.type_name());
            groups.entry(key).or_default().push((address, object));
        }
    }
    let reads = groups.into_iter().map(|((provider, region, type_name), objects)| async move {
        let provider = providers.settler(provider, region).provider();
        let schema = schemas.get(Mode::Managed, type_name);
        let found = read(spec, schema, &*provider, type_name, &objects, now).await?;
        Ok::<_, ProviderError>((objects, found))
    });
    let mut observation = Observation::default();
    for (objects, mut found) in try_join_all(reads).await? {
        for (address, object) in objects {
            let live = found.remove(&object.id).map_or(Live::Gone, |it| Live::Present(it.object));
            observation.insert(address.clone(), object.id.clone(), live);
        }
    }
    Ok(observation)
}

/// Returns what is recorded of an object. One that a crash left incomplete was never read: what it lacks then matters,
/// too.
fn to_be_read<'a>(schema: Option<&Schema>, object: &'a ObjectState) -> Cow<'a, Object> {
    match (schema, object.status) {
        (Some(schema), ObjectStatus::Incomplete) => {
            let mut all = object.attributes.clone();
            for attribute in schema.attributes {
                all.entry(attribute.name.to_owned()).or_insert(Value::Unknown);
            }
            Cow::Owned(all)
        }
        _ => Cow::Borrowed(&object.attributes),
    }
}

/// Reads the objects of one type; those that are missing and young a few times more.
async fn read(
    spec: &Spec,
    schema: Option<&Schema>,
    provider: &dyn Provider,
    type_name: &str,
    objects: &[(&Address, &ObjectState)],
    now: u64,
) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
    let none = BTreeSet::new();
    let target = |(address, object): &(&Address, &'_ ObjectState)| {
        let block = spec.blocks.get(&address.resource);
        (object.id.clone(), block.map_or(&none, |block| &block.arguments))
    };
    let all: Vec<_> = objects.iter().map(target).collect();
    let recorded: Vec<Cow<'_, Object>> =
        objects.iter().map(|(_, object)| to_be_read(schema, object)).collect();
    let targets: Vec<Target<'_>> = recorded
        .iter()
        .zip(&all)
        .map(|(recorded, (id, arguments))| Target { id, recorded, arguments })
        .collect();
    let mut found = provider.read(type_name, &targets, Depth::Full).await?;
    let mut waits = SECOND_LOOKS.into_iter();
    let mut waited = Duration::ZERO;
    loop {
        let soon = waits.next();
        let missing: Vec<Target<'_>> = targets
            .iter()
            .zip(objects)
            .filter(|(target, (_, object))| {
                let was_seen = object.status != ObjectStatus::Incomplete;
                let young = if soon.is_some() { YOUNG } else { UNSEEN };
                let is_young = |at| now.saturating_sub(at) + waited.as_secs() < young;
                (soon.is_some() || !was_seen)
                    && object.created_at.is_some_and(is_young)
                    && !found.contains_key(target.id)
            })
            .map(|(target, _)| *target)
            .collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let wait = soon.unwrap_or(LATER_LOOKS);
        tokio::time::sleep(wait).await;
        waited += wait;
        found.append(&mut provider.read(type_name, &missing, Depth::Full).await?);
    }
}
