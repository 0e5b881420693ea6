//! The live view at several sizes.

use reconcile_model::{CheckResult, CheckStatus};

use super::*;

fn live(events: impl IntoIterator<Item = (u64, EventKind)>) -> Live {
    let mut live = Live::default();
    for (at, kind) in events {
        live.report(&Event { at, kind });
    }
    live
}

fn started(at: u64, address: &str, verb: Verb) -> (u64, EventKind) {
    let address = address.parse().unwrap();
    (at, EventKind::ChangeStarted { address, verb, id: None })
}

fn waits(at: u64, address: &str, verb: Verb, waiting_for: &str) -> (u64, EventKind) {
    let kind = EventKind::ChangeProgress {
        address: address.parse().unwrap(),
        verb,
        id: None,
        waiting_for: waiting_for.to_owned(),
        elapsed: Duration::ZERO,
        calls: 34,
    };
    (at, kind)
}

fn busy() -> Live {
    live([
        (0, EventKind::ApplyStarted { steps: 12 }),
        started(1000, "aws_lb.web", Verb::Create),
        started(1000, "aws_lb_target_group_attachment.web_2a", Verb::Delete),
        started(9000, "aws_instance.web_2c", Verb::Create),
        started(9000, "aws_security_group.web", Verb::Update),
        waits(20_000, "aws_lb.web", Verb::Create, "provisioning, waiting until it is ready"),
        (
            20_000,
            EventKind::RetryScheduled {
                address: "aws_security_group.web".parse().unwrap(),
                verb: Verb::Update,
                error: "DependencyViolation: it is in use".to_owned(),
                delay: Duration::from_secs(3),
            },
        ),
    ])
}

#[test]
fn the_longest_running_come_first_within_the_height() {
    insta::assert_snapshot!(busy().lines(75_500, 80, 12, Style::Plain).join("\n"), @"
    ──────────────────── 0/12 done · 4 running · 34 calls · 1m15s
      creating   aws_lb.web                             1m14s  provisioning
      destroying aws_lb_target_group_attachment.web_2a  1m14s
      creating   aws_instance.web_2c                     1m6s
      modifying  aws_security_group.web                  1m6s  next try in 3s: Depe…
    ");
    insta::assert_snapshot!(busy().lines(75_500, 80, 4, Style::Plain).join("\n"), @"
    ──────────────────── 0/12 done · 4 running · 34 calls · 1m15s
      creating   aws_lb.web                             1m14s  provisioning
      destroying aws_lb_target_group_attachment.web_2a  1m14s
      and 2 more
    ");
}

#[test]
fn a_narrow_terminal_gets_signs_and_the_ends_of_names() {
    insta::assert_snapshot!(busy().lines(75_500, 40, 12, Style::Plain).join("\n"), @"
    0/12 done · 4 running · 1m15s
      + aws_lb.web                     1m14s
      - …rget_group_attachment.web_2a  1m14s
      + aws_instance.web_2c             1m6s
      ~ aws_security_group.web          1m6s
    ");
}

#[test]
fn no_line_is_wider_than_the_terminal_and_none_too_many() {
    for columns in 0..120 {
        for rows in 0..8 {
            let lines = busy().lines(3_700_000, columns, rows, Style::Plain);
            assert!(lines.len() <= rows.max(1), "{columns}×{rows}: {lines:?}");
            // Below the signs and a time there is nothing left to give up.
            let widest = lines.iter().map(|line| width(line)).max().unwrap_or_default();
            assert!(widest <= columns.max(12), "{columns}×{rows}: {lines:?}");
        }
    }
}

#[test]
fn nothing_is_shown_when_nothing_goes_on() {
    assert!(live([]).lines(0, 80, 24, Style::Plain).is_empty());
    let refreshing = (0, EventKind::RefreshStarted { objects: 3 });
    let shown = live([refreshing.clone()]).lines(2000, 80, 24, Style::Plain);
    assert_eq!(shown, ["Refreshing 3 objects · 2s"]);
    let done = EventKind::RefreshFinished { elapsed: Duration::ZERO, calls: 3 };
    assert!(live([refreshing, (10, done)]).lines(2000, 80, 24, Style::Plain).is_empty());
}

#[test]
fn a_check_says_what_it_waits_for() {
    let mut live = live([
        (0, EventKind::CheckStarted { name: "page".to_owned() }),
        (
            5000,
            EventKind::CheckProgress {
                name: "page".to_owned(),
                attempt: 1,
                attempts: 60,
                problem: "Only one server answers.".to_owned(),
                elapsed: Duration::from_secs(5),
            },
        ),
    ]);
    insta::assert_snapshot!(live.lines(6000, 80, 24, Style::Plain).join("\n"), @"
    Looking at 1 check · 6s
      checking   check.page     6s  attempt 1 of 60: Only one server answers.
    ");
    let result = CheckResult {
        name: "page".to_owned(),
        status: CheckStatus::Pass,
        problems: Vec::new(),
        span: None,
    };
    let kind = EventKind::CheckFinished { result, elapsed: Duration::from_secs(7) };
    live.report(&Event { at: 7000, kind });
    assert!(live.lines(7000, 80, 24, Style::Plain).is_empty());
}
