//! The snapshot's parser: no bytes make it panic, and what it takes is written again as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reconcile_state::format::{decode, decode_pushed, encode};
use reconcile_state::verify::verify;

fuzz_target!(|bytes: &[u8]| {
    let _whole = decode(bytes, "web").is_ok();
    // Without a checksum, so that most of what is tried gets further than that.
    let Ok(snapshot) = decode_pushed(bytes, "web") else { return };
    let _problems = verify(&snapshot);
    let Ok(encoded) = encode(&snapshot) else { return };
    let again = decode(&encoded.bytes, "web").expect("what was written is read");
    assert_eq!(again.snapshot, snapshot);
});
