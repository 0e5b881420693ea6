//! The invented types: their schemas, and the calls they share.

use std::collections::BTreeMap;

use async_trait::async_trait;
use reconcile_model::schema::{Blocks, Literal, Nesting, Recovery, Timeouts};
use reconcile_model::tags::{self, Ownership};
use reconcile_model::{Attribute, Kind, Mode, Object, ObjectId, Schema, Value};
use reconcile_provider::{
    Created, DataSource, Depth, ErrorKind, Found, Notes, Observed, Operation, ProviderError,
    Registry, ResourceType, Status, Target, Update,
};

use crate::cloud::Cloud;
use crate::fault::Call;
use crate::store::{Store, Stored, references};

/// Every invented type.
pub static REGISTRY: Registry<Cloud> = Registry {
    resources: &[&Fake(&BLOB), &Fake(&GROUP), &Fake(&LINK), &Fake(&SERVER)],
    data: &[&Lookup],
};

/// What all the schemas have in common.
const COMMON: Schema = Schema {
    type_name: "",
    mode: Mode::Managed,
    version: 1,
    doc: "",
    attributes: &[],
    constraints: &[],
    recovery: Recovery::None,
    timeouts: Timeouts::minutes(5, 5, 5),
    iam_read: &[],
    iam_write: &[],
};

static BLOB: Schema = Schema {
    type_name: "fake_blob",
    doc: "Content that only the tag of its operation finds again.",
    attributes: &[
        Attribute::computed("id", Kind::String),
        Attribute::required("content", Kind::String),
        Attribute::computed("etag", Kind::String).recomputed_by(&["content"]),
        Attribute::optional("tags", Kind::Map(&Kind::String)),
        Attribute::computed("tags_all", Kind::Map(&Kind::String)),
    ],
    recovery: Recovery::OperationTag,
    ..COMMON
};

static GROUP: Schema = Schema {
    type_name: "fake_group",
    doc: "Rules under a name that can exist once. Its rules are set after it was created.",
    attributes: &[
        Attribute::computed("id", Kind::String),
        Attribute::required("name", Kind::String).replace(),
        Attribute::optional("description", Kind::String).replace(),
        Attribute::optional(
            "rule",
            Kind::Blocks(&Blocks {
                nesting: Nesting::Set,
                min: 0,
                max: None,
                attributes: &[
                    Attribute::required("port", Kind::Int),
                    Attribute::required("cidr", Kind::String),
                ],
            }),
        ),
        Attribute::optional("tags", Kind::Map(&Kind::String)),
        Attribute::computed("tags_all", Kind::Map(&Kind::String)),
    ],
    recovery: Recovery::NaturalKey(&["name"]),
    ..COMMON
};

static LINK: Schema = Schema {
    type_name: "fake_link",
    doc: "An attachment of a server to a group.",
    attributes: &[
        Attribute::computed("id", Kind::String),
        Attribute::required("server", Kind::String).replace().refers_to("fake_server", "id"),
        Attribute::required("group", Kind::String).replace().refers_to("fake_group", "id"),
        Attribute::optional("weight", Kind::Int).default(Literal::Int(1)),
    ],
    recovery: Recovery::NaturalKey(&["server", "group"]),
    ..COMMON
};

static SERVER: Schema = Schema {
    type_name: "fake_server",
    doc: "A server in groups; it is made with a client token.",
    attributes: &[
        Attribute::computed("id", Kind::String),
        Attribute::required("image", Kind::String).replace(),
        Attribute::optional("size", Kind::String).default(Literal::String("small")).restart(),
        Attribute::optional_computed("zone", Kind::String).replace(),
        Attribute::optional("groups", Kind::Set(&Kind::String)).refers_to("fake_group", "id"),
        Attribute::optional("labels", Kind::Map(&Kind::String)),
        Attribute::optional("ports", Kind::List(&Kind::Int)),
        Attribute::optional("note", Kind::String),
        Attribute::optional("password", Kind::String).sensitive().write_only(),
        Attribute::computed("address", Kind::String).recomputed_by(&["size"]),
        Attribute::optional("tags", Kind::Map(&Kind::String)),
        Attribute::computed("tags_all", Kind::Map(&Kind::String)),
    ],
    recovery: Recovery::ClientToken,
    ..COMMON
};

static LOOKUP: Schema = Schema {
    type_name: "fake_lookup",
    mode: Mode::Data,
    doc: "A group by its name.",
    attributes: &[
        Attribute::required("name", Kind::String),
        Attribute::computed("id", Kind::String),
        Attribute::computed("rules", Kind::Int),
    ],
    ..COMMON
};

/// Returns the schema of a type that the cloud has.
pub(crate) fn schema(type_name: &str) -> &'static Schema {
    [&BLOB, &GROUP, &LINK]
        .into_iter()
        .find(|schema| schema.type_name == type_name)
        .unwrap_or(&SERVER)
}

/// A resource type: what the schema does not say, all of them have in common.
struct Fake(&'static Schema);

impl Fake {
    fn check_references(
        &self,
        store: &Store,
        call: Call,
        object: &Object,
    ) -> Result<(), ProviderError> {
        let is_there = |id: &String| {
            store.objects.get(&ObjectId::from(id.as_str())).is_some_and(|it| it.gone_at.is_none())
        };
        match references(self.0, object).into_iter().find(|id| !is_there(id)) {
            None => Ok(()),
            Some(id) => {
                Err(refused(ErrorKind::MissingReference, call, &format!("there is no {id}")))
            }
        }
    }

    /// Returns the id of a new object.
    fn id(&self, number: u64, planned: &Object) -> String {
        match self.0.type_name {
            "fake_link" => format!(
                "{}/{}",
                planned.str("server").unwrap_or_default(),
                planned.str("group").unwrap_or_default()
            ),
            other => format!("{}-{number}", other.trim_start_matches("fake_")),
        }
    }

    fn observed(&self, stored: &Stored, now: tokio::time::Instant) -> Observed {
        let mut object = stored.object.clone();
        object.retain(|name, _| self.0.attribute(name).is_none_or(|it| !it.write_only));
        if self.0.is_taggable() {
            let all = tags::users(&stored.tags);
            object.set("tags", all.clone());
            object.set("tags_all", all);
        }
        let status = match stored.gone_at {
            Some(_) => Status::Pending("deleting".to_owned()),
            None if stored.is_broken => Status::Failed("broken".to_owned()),
            None if now < stored.ready_at => Status::Pending("creating".to_owned()),
            None => Status::Ready,
        };
        Observed { object, status, ownership: Ownership::of(&stored.tags) }
    }
}

/// Returns what the cloud makes of an attribute that is left to it.
fn decided(name: &str, id: &str, number: u64) -> Value {
    match name {
        "id" => id.into(),
        "zone" => "zone-a".into(),
        "address" => format!("10.{}.{}.{}", number >> 16, (number >> 8) & 255, number & 255).into(),
        "etag" => format!("etag-{number}").into(),
        _ => Value::Null,
    }
}

fn refused(kind: ErrorKind, call: Call, message: &str) -> ProviderError {
    let mut error = ProviderError::new(kind, call.name(), message);
    error.code = Some(format!("{kind:?}"));
    error
}

#[async_trait]
impl ResourceType<Cloud> for Fake {
    fn schema(&self) -> &'static Schema {
        self.0
    }

    async fn create(
        &self,
        cx: &Cloud,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Created, ProviderError> {
        let schema = self.0;
        let work = |store: &mut Store, moment: &crate::cloud::Moment| {
            match schema.recovery {
                Recovery::ClientToken => {
                    if let Some(id) = store.by_operation(&operation.id) {
                        return Ok(Created::new(id.clone()));
                    }
                }
                Recovery::NaturalKey(_) if store.by_key(schema, planned).is_some() => {
                    let message = "there is one like it";
                    return Err(refused(ErrorKind::AlreadyExists, Call::Create, message));
                }
                Recovery::NaturalKey(_) | Recovery::OperationTag | Recovery::None => {}
            }
            self.check_references(store, Call::Create, planned)?;
            let number = store.number();
            let id = self.id(number, planned);
            let mut object = Object::new();
            for attribute in schema.attributes {
                let value = planned.value(attribute.name);
                let value = match attribute.name {
                    "tags" | "tags_all" => continue,
                    "rule" => Value::List(Vec::new()),
                    name if !value.is_known() => decided(name, &id, number),
                    _ => value.clone(),
                };
                object.set(attribute.name, value);
            }
            let tags = operation.tags(planned.string_map("tags_all"));
            let id = ObjectId::from(id);
            store.insert(schema, &id, moment.born(schema, object, tags, &operation.id));
            Ok(Created::new(id))
        };
        cx.call(Call::Create, schema.type_name, work).await
    }

    async fn read(
        &self,
        cx: &Cloud,
        targets: &[Target<'_>],
        _: Depth,
    ) -> Result<BTreeMap<ObjectId, Observed>, ProviderError> {
        let work = |store: &mut Store, moment: &crate::cloud::Moment| {
            let found = targets.iter().filter_map(|target| {
                let stored = store.objects.get(target.id)?;
                let is_seen =
                    stored.visible_at <= moment.now && stored.type_name == self.0.type_name;
                is_seen.then(|| (target.id.clone(), self.observed(stored, moment.now)))
            });
            Ok(found.collect())
        };
        cx.call(Call::Read, self.0.type_name, work).await
    }

    async fn update(&self, cx: &Cloud, update: &Update<'_>) -> Result<Notes, ProviderError> {
        let schema = self.0;
        let work = |store: &mut Store, moment: &crate::cloud::Moment| {
            let is_there = store.objects.get(update.id).is_some_and(|it| it.gone_at.is_none());
            if !is_there {
                return Err(
                    refused(ErrorKind::NotFound, Call::Update, "it is gone").about(update.id)
                );
            }
            self.check_references(store, Call::Update, update.planned)?;
            let number = store.number();
            store.change(schema, update.id, |stored| {
                let mut touched = Vec::new();
                for attribute in schema.attributes.iter().filter(|it| it.is_argument()) {
                    let name = attribute.name;
                    let differs = attribute.write_only || update.changes(schema, name);
                    if name != "tags" && update.planned.value(name).is_known() && differs {
                        stored.object.set(name, update.planned.value(name).clone());
                        touched.push(name);
                    }
                }
                let moved = schema.attributes.iter().filter(|attribute| {
                    attribute.recomputed_by.iter().any(|cause| touched.contains(cause))
                });
                for attribute in moved {
                    stored.object.set(attribute.name, decided(attribute.name, "", number));
                }
                if update.restart {
                    stored.ready_at = moment.now + moment.timing.ready;
                }
                if update.planned.value("tags_all").is_known() {
                    stored.tags.retain(|key, _| !tags::is_users(key));
                    stored.tags.extend(update.planned.string_map("tags_all"));
                }
            });
            Ok(Notes::new())
        };
        cx.call(Call::Update, schema.type_name, work).await
    }

    async fn delete(
        &self,
        cx: &Cloud,
        _: &Operation,
        id: &ObjectId,
        _: &Object,
    ) -> Result<Notes, ProviderError> {
        let work = |store: &mut Store, moment: &crate::cloud::Moment| match store
            .objects
            .get(id)
            .map(|it| it.gone_at)
        {
            None | Some(Some(_)) => Ok(Notes::new()),
            Some(None) if store.is_used(id) => {
                Err(refused(ErrorKind::InUse, Call::Delete, "something uses it").about(id))
            }
            Some(None) if moment.timing.gone.is_zero() => {
                store.remove(self.0, id);
                Ok(Notes::new())
            }
            Some(None) => {
                store.leave(id, moment.now + moment.timing.gone);
                Ok(Notes::new())
            }
        };
        cx.call(Call::Delete, self.0.type_name, work).await
    }

    async fn find(
        &self,
        cx: &Cloud,
        operation: &Operation,
        planned: &Object,
    ) -> Result<Found, ProviderError> {
        let work = |store: &mut Store, moment: &crate::cloud::Moment| {
            let id = match self.0.recovery {
                Recovery::NaturalKey(_) => store.by_key(self.0, planned),
                Recovery::ClientToken | Recovery::OperationTag | Recovery::None => {
                    store.by_operation(&operation.id)
                }
            };
            let Some(id) = id else { return Ok(Found::Nothing) };
            let Some(stored) = store.objects.get(id) else { return Ok(Found::Nothing) };
            if stored.gone_at.is_some() || stored.visible_at > moment.now {
                return Ok(Found::Nothing);
            }
            if stored.operation == operation.id {
                return Ok(Found::Ours(id.clone()));
            }
            let description = format!("{id} is there already");
            Ok(Found::Foreign { id: id.clone(), description })
        };
        cx.call(Call::Find, self.0.type_name, work).await
    }
}

/// The data source: a group by its name.
struct Lookup;

#[async_trait]
impl DataSource<Cloud> for Lookup {
    fn schema(&self) -> &'static Schema {
        &LOOKUP
    }

    async fn read(&self, cx: &Cloud, config: &Object) -> Result<Object, ProviderError> {
        let work = |store: &mut Store, _: &crate::cloud::Moment| {
            let found =
                store.by_key(&GROUP, config).and_then(|id| Some((id, store.objects.get(id)?)));
            let Some((id, stored)) = found else {
                let name = config.str("name").unwrap_or_default();
                let message = format!("there is no group named `{name}`");
                return Err(refused(ErrorKind::NotFound, Call::ReadData, &message));
            };
            let rules = i64::try_from(stored.object.list("rule").len()).unwrap_or(i64::MAX);
            Ok(Object::new()
                .with("name", config.value("name").clone())
                .with("id", id.as_str())
                .with("rules", rules))
        };
        cx.call(Call::ReadData, LOOKUP.type_name, work).await
    }
}
