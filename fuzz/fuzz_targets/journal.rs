//! The journal's parser: no bytes make it panic, and what it takes is written again as it was.

#![no_main]

use libfuzzer_sys::fuzz_target;
use reconcile_state::journal::{Chain, decode, encode, encode_header, first_line};

/// How many bytes of a line are its checksum.
const CHECKSUM: usize = 9;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    // With the right checksums, so that most of what is tried gets further than to the first of them.
    let (mut whole, mut chain) = (Vec::new(), Chain::default());
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| line.len() > CHECKSUM) {
        chain.push(&line[CHECKSUM..], &mut whole);
    }
    check(&whole);
});

fn check(bytes: &[u8]) {
    let _header = first_line(bytes, "web");
    let Ok(decoded) = decode(bytes, "web") else { return };
    let (mut again, mut chain) = (Vec::new(), Chain::default());
    chain.push(&encode_header(&decoded.header).expect("a header"), &mut again);
    for record in &decoded.records {
        // What nests deeper than is written can still be read.
        let Ok(json) = encode(record) else { return };
        chain.push(&json, &mut again);
    }
    let twice = decode(&again, "web").expect("what was written is read");
    assert_eq!((twice.header, twice.records), (decoded.header, decoded.records));
}
