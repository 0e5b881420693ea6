//! Terraform's documented results, every verb, and times that are none.

use serde_json::json;

use crate::functions::tests::{call, errors, results};

#[test]
fn documented() {
    let time = "2018-01-02T23:12:01Z";
    results(&[
        ("formatdate", json!(["DD MMM YYYY hh:mm ZZZ", time]), json!("02 Jan 2018 23:12 UTC")),
        (
            "formatdate",
            json!(["EEEE, DD-MMM-YY hh:mm:ss ZZZ", time]),
            json!("Tuesday, 02-Jan-18 23:12:01 UTC"),
        ),
        (
            "formatdate",
            json!(["EEE, DD MMM YYYY hh:mm:ss ZZZ", "2018-01-02T23:12:01-08:00"]),
            json!("Tue, 02 Jan 2018 23:12:01 -0800"),
        ),
        ("formatdate", json!(["MMM DD, YYYY", time]), json!("Jan 02, 2018")),
        ("formatdate", json!(["HH:mmaa", time]), json!("11:12pm")),
        ("formatdate", json!(["h'h'mm", time]), json!("23h12")),
        ("formatdate", json!(["H 'o''clock' AA", time]), json!("11 o'clock PM")),
        ("timeadd", json!(["2017-11-22T00:00:00Z", "10m"]), json!("2017-11-22T00:10:00Z")),
        ("timecmp", json!(["2017-11-22T00:00:00Z", "2017-11-22T00:00:00Z"]), json!(0)),
        ("timecmp", json!(["2017-11-22T00:00:00Z", "2017-11-22T01:00:00Z"]), json!(-1)),
        ("timecmp", json!(["2017-11-22T01:00:00Z", "2017-11-22T00:00:00Z"]), json!(1)),
        ("timecmp", json!(["2017-11-22T01:00:00Z", "2017-11-22T00:00:00-01:00"]), json!(0)),
    ]);
}

#[test]
fn verbs() {
    let time = "2006-01-02T03:04:05.678+05:30";
    for (verb, shown) in [
        ("YYYY", "2006"),
        ("YY", "06"),
        ("MMMM", "January"),
        ("MMM", "Jan"),
        ("MM", "01"),
        ("M", "1"),
        ("DD", "02"),
        ("D", "2"),
        ("EEEE", "Monday"),
        ("EEE", "Mon"),
        ("hh", "03"),
        ("h", "3"),
        ("HH", "03"),
        ("H", "3"),
        ("AA", "AM"),
        ("aa", "am"),
        ("mm", "04"),
        ("m", "4"),
        ("ss", "05"),
        ("s", "5"),
        ("ZZZZZ", "+05:30"),
        ("ZZZZ", "+0530"),
        ("ZZZ", "+0530"),
        ("Z", "+05:30"),
        ("''", "'"),
        ("", ""),
        ("年YYYY", "年2006"),
        ("-''-'x'", "-'-x"),
    ] {
        results(&[("formatdate", json!([verb, time]), json!(shown))]);
    }
    for (verb, shown) in [
        ("ZZZZZ", "+00:00"),
        ("ZZZZ", "+0000"),
        ("ZZZ", "UTC"),
        ("Z", "Z"),
        ("HH H", "12 12"),
        ("AA", "AM"),
    ] {
        results(&[("formatdate", json!([verb, "2006-01-02T00:04:05Z"]), json!(shown))]);
    }
    for verb in ["Y", "YYY", "YYYYY", "A", "a", "E", "q", "ZZ", "T"] {
        let message = format!(
            "`spec` has a verb that is not understood; put plain letters between single quotes: got {verb:?}"
        );
        errors(&[("formatdate", json!([verb, time]), &message)]);
    }
    errors(&[("formatdate", json!(["'x", time]), "`spec` has a single quote that is not closed")]);
}

#[test]
fn durations() {
    let start = "2020-02-28T23:59:59+01:00";
    for (duration, end) in [
        ("1s", "2020-02-29T00:00:00+01:00"),
        ("-24h", "2020-02-27T23:59:59+01:00"),
        ("1h30m", "2020-02-29T01:29:59+01:00"),
        ("1.5h", "2020-02-29T01:29:59+01:00"),
        (".5m", "2020-02-29T00:00:29+01:00"),
        ("1000ms", "2020-02-29T00:00:00+01:00"),
        ("0", "2020-02-28T23:59:59+01:00"),
        ("-0.000001s", "2020-02-28T23:59:58+01:00"),
        ("+1m", "2020-02-29T00:00:59+01:00"),
        ("2µs1ns", "2020-02-28T23:59:59+01:00"),
    ] {
        results(&[("timeadd", json!([start, duration]), json!(end))]);
    }
    for bad in ["", "-", "1", "1d", "h", "1 h", "1..5h", ".h", "1h-1m", "99999999999999999999h"] {
        assert_eq!(
            call("timeadd", &[start.into(), bad.into()]).unwrap_err().argument,
            Some(1),
            "{bad}"
        );
    }
    errors(&[(
        "timeadd",
        json!(["9999-12-31T23:59:59Z", "1s"]),
        "the result is not in the years 0 to 9999",
    )]);
}

#[test]
fn times_that_are_none() {
    for bad in [
        "",
        "2017-01-02",
        "2017-12-02t00:00:00Z",
        "2017:01:02",
        "2017-01-02T",
        "2017-01-02T00",
        "2017-01-02T00:00:00",
        "2017-01-02T26:00:00Z",
        "2017-13-02T00:00:00Z",
        "2017-02-31T00:00:00Z",
        "2-12-02T00:00:00Z",
        "2017-01-02T00:00:60Z",
        "2017-01-02T00:00:00.Z",
        "2017-01-02T00:00:00+24:00",
        "2017-01-02T00:00:00Zulu",
        "+017-01-02T00:00:00Z",
    ] {
        assert_eq!(
            call("timecmp", &[bad.into(), bad.into()]).unwrap_err().argument,
            Some(0),
            "{bad}"
        );
    }
}
