//! What is written is what is read, whatever it is.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use reconcile_model::{
    Address, InstanceKey, Number, Object, ObjectId, ObjectState, ObjectStatus, ResourceAddress,
    ResourceState, Snapshot, Value,
};
use reconcile_state::{StateChange, format, journal};

use crate::fixtures::*;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|it| Number::from_f64(it).map_or(Value::Null, Value::Number)),
        any::<String>().prop_map(Value::from),
        Just(Value::Sealed("sha256:00".to_owned())),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::List),
            btree_map("[$a-z]{0,8}", inner, 0..6)
                .prop_map(|members| Value::Map(members.into_iter().collect())),
        ]
    })
}

fn object_of_values() -> impl Strategy<Value = Object> {
    btree_map("[a-z_]{1,8}", value(), 0..6).prop_map(|members| members.into_iter().collect())
}

fn block() -> impl Strategy<Value = ResourceAddress> {
    ("aws_[a-z]{1,6}", "[a-z][a-z0-9_-]{0,6}")
        .prop_map(|(type_name, name)| ResourceAddress::managed(&type_name, &name))
}

fn instance() -> impl Strategy<Value = Address> {
    let key = prop_oneof![
        any::<u16>().prop_map(|index| InstanceKey::Index(usize::from(index))),
        any::<String>().prop_map(|name| InstanceKey::Name(name.into())),
    ];
    (block(), option::of(key)).prop_map(|(block, key)| block.instance(key))
}

prop_compose! {
    fn any_object()(
        id in any::<String>(),
        status in 0..4_usize,
        attributes in object_of_values(),
        schema_version in any::<u32>(),
        region in option::of("[a-z0-9-]{1,14}"),
        dependencies in vec(block(), 0..4),
        created_at in option::of(any::<u64>()),
        create_before_destroy in any::<bool>(),
        timeouts in btree_map("create|update|delete", any::<u64>(), 0..3),
        operation in option::of(any::<String>()),
    ) -> ObjectState {
        let statuses = [
            ObjectStatus::Ready,
            ObjectStatus::Incomplete,
            ObjectStatus::Tainted,
            ObjectStatus::Deleting,
        ];
        ObjectState {
            id: ObjectId(id),
            status: statuses[status],
            attributes,
            schema_version,
            provider: "aws.east".to_owned(),
            region,
            dependencies: dependencies.into_iter().collect(),
            created_at,
            create_before_destroy,
            timeouts,
            operation,
        }
    }
}

prop_compose! {
    fn snapshot()(
        resources in btree_map(
            instance(),
            (option::of(any_object()), vec(any_object(), 0..3))
                .prop_map(|(current, deposed)| ResourceState { current, deposed }),
            0..8,
        ),
        outputs in object_of_values(),
        serial in any::<u64>(),
        lineage in any::<String>(),
    ) -> Snapshot {
        Snapshot { stack: "web".to_owned(), lineage, serial, resources, outputs }
    }
}

proptest! {
    #[test]
    fn snapshots_round_trip(snapshot in snapshot()) {
        let encoded = format::encode(&snapshot).unwrap();
        let decoded = format::decode(&encoded.bytes, "web").unwrap();
        prop_assert_eq!(&decoded.snapshot, &snapshot);
        prop_assert_eq!(&decoded.checksum, &encoded.checksum);
        prop_assert_eq!(format::encode(&decoded.snapshot).unwrap(), encoded);
    }

    #[test]
    fn journals_round_trip(objects in vec((instance(), any_object()), 0..8)) {
        let header = journal::Header::of(&Snapshot::new("web", LINEAGE), None);
        let records: Vec<_> = objects
            .into_iter()
            .map(|(address, object)| {
                let object = Box::new(object);
                change(StateChange::SetCurrent { address, object })
            })
            .collect();
        let (mut bytes, mut chain) = (Vec::new(), journal::Chain::default());
        chain.push(&journal::encode_header(&header).unwrap(), &mut bytes);
        for record in &records {
            chain.push(&journal::encode(record).unwrap(), &mut bytes);
        }
        let decoded = journal::decode(&bytes, "web").unwrap();
        prop_assert_eq!(decoded.header, header);
        prop_assert_eq!(decoded.records, records);
        prop_assert_eq!((decoded.good_bytes, decoded.torn_bytes), (bytes.len(), 0));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in vec(any::<u8>(), 0..200)) {
        format::decode(&bytes, "web").unwrap_err();
        journal::decode(&bytes, "web").ok();
    }
}

#[test]
fn what_could_not_be_read_is_not_written() {
    let mut deep = Value::Null;
    for _ in 0..130 {
        deep = Value::List(vec![deep]);
    }
    let mut snapshot = Snapshot::new("web", LINEAGE);
    snapshot.outputs.set("deep", deep);
    let error = format::encode(&snapshot).unwrap_err();
    assert!(matches!(error, format::FormatError::TooDeep), "{error}");
    let replace = StateChange::Replace { snapshot: Box::new(snapshot) };
    let error = journal::encode(&change(replace)).unwrap_err();
    assert!(matches!(error, journal::JournalError::TooDeep), "{error}");
}

#[test]
fn the_deepest_that_is_written_can_be_read() {
    let mut snapshot = Snapshot::new("web", LINEAGE);
    let mut deep = Value::Null;
    loop {
        deep = Value::List(vec![deep]);
        snapshot.outputs.set("deep", deep.clone());
        let Ok(encoded) = format::encode(&snapshot) else { break };
        assert_eq!(format::decode(&encoded.bytes, "web").unwrap().snapshot, snapshot);
    }
}

#[test]
fn what_is_sensitive_is_written_sealed_or_not_at_all() {
    let mut snapshot = Snapshot::new("web", LINEAGE);
    snapshot.outputs.set("password", Value::from("hunter2").sensitive());
    let error = format::encode(&snapshot).unwrap_err();
    let format::FormatError::Unwritable { source } = error else { panic!("{error}") };
    assert!(!source.to_string().contains("hunter2"), "{source}");
}

#[test]
fn maps_of_timeouts_are_in_order() {
    let mut state = object("i-1");
    state.timeouts = BTreeMap::from([("update".to_owned(), 2), ("create".to_owned(), 1)]);
    state.dependencies = ["b", "a"].map(|name| ResourceAddress::managed("aws_vpc", name)).into();
    let json = serde_json::to_string(&state).unwrap();
    assert!(json.contains(r#""timeouts":{"create":1,"update":2}"#), "{json}");
    assert!(json.contains(r#""dependencies":["aws_vpc.a","aws_vpc.b"]"#), "{json}");
}
