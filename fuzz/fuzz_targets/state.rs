//! The four parts of a state put together: no parts make it panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reconcile_state::load::{Current, Names, Previous, load};

fuzz_target!(|parts: (Option<&[u8]>, Option<&[u8]>, Option<&[u8]>, Option<&[u8]>)| {
    let owned = |part: Option<&[u8]>| part.map(<[u8]>::to_vec);
    let name = |ending: &str| format!("web.{ending}");
    let names = Names {
        snapshot: name("json"),
        backup: name("json.backup"),
        journal: name("journal"),
        journal_backup: name("journal.backup"),
    };
    let (snapshot, journal, before, between) = parts;
    let current = Current { snapshot: owned(snapshot), journal: owned(journal) };
    let previous = || Ok(Previous { snapshot: owned(before), journal: owned(between) });
    if let Ok(loaded) = load("web", &names, &current, previous, "lineage") {
        let _view = loaded.into_view();
    }
});
