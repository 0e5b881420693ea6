//! Files of every version of the formats, kept for ever: what was once written can still be read.

use reconcile_model::{Object, Value};
use reconcile_state::load::{Current, Names, Previous, load};
use reconcile_state::{PendingStatus, format, journal};

const SNAPSHOT: &[u8] = include_bytes!("../formats/v1.json");
const JOURNAL: &[u8] = include_bytes!("../formats/v1.journal");

#[test]
fn snapshots_of_version_1_are_read() {
    let format::Decoded { snapshot, .. } = format::decode(SNAPSHOT, "web").unwrap();
    assert_eq!(snapshot.serial, 12);
    assert_eq!(snapshot.outputs.str("url"), Some("http://web-1.elb.amazonaws.com/"));
    let addresses: Vec<_> = snapshot.resources.keys().map(ToString::to_string).collect();
    assert_eq!(
        addresses,
        [r#"aws_instance.web["2a"]"#, "aws_security_group.web", "data.aws_ami.linux",]
    );
    // Today's writer gives the same bytes, or the version has to be raised.
    assert_eq!(format::encode(&snapshot).unwrap().bytes, SNAPSHOT);
}

#[test]
fn journals_of_version_1_are_read() {
    let decoded = journal::decode(JOURNAL, "web").unwrap();
    assert_eq!((decoded.records.len(), decoded.torn_bytes), (9, 0));
    let current = Current { snapshot: Some(SNAPSHOT.to_vec()), journal: Some(JOURNAL.to_vec()) };
    let names = Names {
        snapshot: "v1.json".to_owned(),
        backup: "v1.json.backup".to_owned(),
        journal: "v1.journal".to_owned(),
        journal_backup: "v1.journal.backup".to_owned(),
    };
    let loaded = load("web", &names, &current, || Ok(Previous::default()), "").unwrap();
    let view = loaded.into_view();
    assert_eq!(view.snapshot.serial, 20, "a carried operation is no new write");
    let statuses: Vec<_> = view.pending.iter().map(|operation| &operation.status).collect();
    assert!(matches!(statuses[..], [PendingStatus::Abandoned, PendingStatus::Intended]));
}

#[test]
fn a_line_adds_up_to_all_before_it() {
    let mut so_far = Vec::new();
    for line in JOURNAL.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        so_far.extend_from_slice(&line[9..]);
        assert_eq!(&line[..9], format!("{:08x} ", crc32fast::hash(&so_far)).as_bytes());
    }
}

#[test]
fn a_state_is_edited_by_taking_its_checksum_out() {
    let text = String::from_utf8(SNAPSHOT.to_vec()).unwrap();
    let edited: String = text.lines().filter(|line| !line.contains("checksum")).collect();
    let edited = edited.replace("http://", "https://");
    format::decode(edited.as_bytes(), "web").unwrap_err();
    let snapshot = format::decode_pushed(edited.as_bytes(), "web").unwrap();
    assert_eq!(snapshot.outputs.str("url"), Some("https://web-1.elb.amazonaws.com/"));
    let careless = text.replace("http://", "https://");
    format::decode_pushed(careless.as_bytes(), "web").unwrap_err();
    format::decode_pushed(edited.as_bytes(), "db").unwrap_err();
}

#[test]
fn secrets_are_digests() {
    let format::Decoded { snapshot, .. } = format::decode(SNAPSHOT, "web").unwrap();
    let sealed = snapshot.objects().find_map(|(_, object)| object.attributes.get("user_data"));
    assert!(matches!(sealed, Some(Value::Sealed(_))));
    assert_ne!(Object::new(), snapshot.outputs);
}
