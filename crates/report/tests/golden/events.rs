//! A run, told as it happens and told again from a recording.

use std::io;
use std::time::Duration;

use insta::assert_snapshot;
use reconcile_model::{
    CheckResult, CheckStatus, Diagnostic, Event, EventKind,
    event::{FORMAT_VERSION, Outcome, Verb},
    plan::Counts,
};
use reconcile_report::{
    Reporter, TextOptions,
    events::{Human, Json, Read, line, read_line},
};

use crate::support::address;

/// A moment of the test's run, in milliseconds.
const START: u64 = 1_767_225_600_000;

/// Records events, each so many milliseconds after the start.
#[derive(Default)]
struct Recording(Vec<Event>);

impl Recording {
    fn at(&mut self, after: u64, kind: EventKind) -> &mut Self {
        self.0.push(Event { at: START + after, kind });
        self
    }

    fn started(&mut self, after: u64, name: &str, verb: Verb, id: Option<&str>) -> &mut Self {
        let (address, id) = (address(name), id.map(Into::into));
        self.at(after, EventKind::ChangeStarted { address, verb, id })
    }

    fn waits(&mut self, after: u64, name: &str, verb: Verb, waiting_for: &str) -> &mut Self {
        let elapsed = Duration::from_millis(after);
        let waiting_for = waiting_for.to_owned();
        let (address, id) = (address(name), Some("i-1".into()));
        self.at(
            after,
            EventKind::ChangeProgress { address, verb, id, waiting_for, elapsed, calls: 9 },
        )
    }

    fn ended(&mut self, after: u64, name: &str, verb: Verb, outcome: Outcome) -> &mut Self {
        let (id, elapsed) = (Some("i-1".into()), Duration::from_millis(after));
        let (address, notes) = (address(name), vec![]);
        self.at(
            after,
            EventKind::ChangeFinished { address, verb, id, elapsed, outcome, notes, calls: 9 },
        )
    }

    /// Two checks: one holds at once, the other never does.
    fn checked(&mut self) -> &mut Self {
        let (page, health) = ("page".to_owned(), "health".to_owned());
        let of = |name: &str, status, problems| CheckResult {
            name: name.to_owned(),
            status,
            problems,
            span: None,
        };
        self.at(126_000, EventKind::CheckStarted { name: page })
            .at(126_000, EventKind::CheckStarted { name: health });
        for attempt in 1..=12 {
            let after = 126_000 + 5_000 * u64::from(attempt);
            self.at(
                after,
                EventKind::CheckProgress {
                    name: "health".to_owned(),
                    attempt,
                    attempts: 13,
                    problem: "Only one server answers.".to_owned(),
                    elapsed: Duration::from_millis(after - 126_000),
                },
            );
        }
        let failed =
            Diagnostic::warning("An assertion does not hold").detail("Only one server answers.");
        self.at(
            126_200,
            EventKind::CheckFinished {
                result: of("page", CheckStatus::Pass, vec![]),
                elapsed: Duration::from_millis(200),
            },
        )
        .at(
            191_000,
            EventKind::CheckFinished {
                result: of("health", CheckStatus::Fail, vec![failed]),
                elapsed: Duration::from_secs(65),
            },
        )
    }

    fn finished(&mut self, done: Counts, failed: usize, skipped: usize) -> &mut Self {
        let elapsed = Duration::from_secs(125);
        self.at(125_000, EventKind::ApplyFinished { done, failed, skipped, elapsed, calls: 57 })
    }
}

fn human(events: &[Event]) -> String {
    let mut reporter = Human::new(Vec::new(), TextOptions::default());
    events.iter().for_each(|event| reporter.report(event));
    String::from_utf8(reporter.finish().unwrap()).unwrap()
}

/// A run with everything in it.
fn run() -> Vec<Event> {
    let mut it = Recording::default();
    let (version, stack) = ("0.1.0".to_owned(), "lab-web".to_owned());
    it.at(0, EventKind::RunStarted { format_version: FORMAT_VERSION, version, stack })
        .at(1, EventKind::RefreshStarted { objects: 12 })
        .at(400, EventKind::RefreshFinished { elapsed: Duration::from_millis(399), calls: 8 })
        .at(
            500,
            EventKind::PlanFinished {
                changes: Counts { create: 3, ..Counts::default() },
                fingerprint: "00ff".to_owned(),
            },
        )
        .at(600, EventKind::ApplyStarted { steps: 4 })
        .started(1_000, "aws_instance.web", Verb::Create, None)
        .started(1_000, "aws_lb.web", Verb::Create, None)
        .started(1_000, "aws_security_group.old", Verb::Delete, Some("sg-9"));
    // Far more often than is told.
    for after in (2_000..=65_000).step_by(1_000) {
        it.waits(after, "aws_instance.web", Verb::Create, "state `pending`, waiting for `running`");
    }
    it.at(
        33_000,
        EventKind::RetryScheduled {
            address: address("aws_security_group.old"),
            verb: Verb::Delete,
            error: "DependencyViolation: resource sg-9 has a dependent object".to_owned(),
            delay: Duration::from_millis(2500),
        },
    );
    let failure = Diagnostic::error("EC2 refused the load balancer")
        .detail("SubnetNotFound: the subnet subnet-1 does not exist.")
        .hint("look at what `subnets` gives.");
    it.ended(26_500, "aws_instance.web", Verb::Create, Outcome::Done)
        .ended(
            27_000,
            "aws_lb.web",
            Verb::Create,
            Outcome::Failed { diagnostic: Box::new(failure) },
        )
        .ended(
            27_000,
            "aws_lb_listener.http[0]",
            Verb::Create,
            Outcome::Skipped { because_of: Some(address("aws_lb.web")) },
        )
        .at(27_100, EventKind::RunStopping { in_flight: 1 })
        .ended(
            27_200,
            "aws_ebs_volume.data[\"b\"]",
            Verb::Update,
            Outcome::Skipped { because_of: None },
        )
        .at(
            28_000,
            EventKind::ChangeFinished {
                address: address("aws_key_pair.web"),
                verb: Verb::Delete,
                id: Some("seoul-lab-web".into()),
                elapsed: Duration::from_millis(420),
                outcome: Outcome::Done,
                notes: vec!["seoul-lab-web.pem is left where it is.".to_owned()],
                calls: 9,
            },
        )
        .at(
            29_000,
            EventKind::Message { diagnostic: Diagnostic::warning("The clock was set back") },
        )
        .at(29_100, EventKind::Recovered { what: "aws_lb.web: it was created".to_owned() })
        .finished(Counts { create: 1, delete: 1, ..Counts::default() }, 1, 2)
        .checked();
    it.0
}

#[test]
fn a_run_in_plain_lines() {
    assert_snapshot!(human(&run()), @r#"
    Refreshing 12 objects...
    Refreshed in 0.3s (8 calls).
    aws_instance.web: Creating...
    aws_lb.web: Creating...
    aws_security_group.old: Destroying... [id=sg-9]
    aws_instance.web: Still creating... [31s elapsed, id=i-1] state `pending`, waiting for `running`
    aws_instance.web: Still creating... [1m1s elapsed, id=i-1] state `pending`, waiting for `running`
    aws_security_group.old: Still destroying... next try in 2s: DependencyViolation: resource sg-9 has a dependent object
    aws_instance.web: Creation complete after 26s [id=i-1]
    aws_lb.web: Creation failed after 27s [id=i-1]: EC2 refused the load balancer
    Stopping: waiting for 1 change in flight, nothing new starts. Interrupt again to stop at once.
    aws_key_pair.web: Destruction complete after 0.4s [id=seoul-lab-web]
    aws_key_pair.web: Note: seoul-lab-web.pem is left where it is.
    Warning: The clock was set back

    Settled after an interrupted run: aws_lb.web: it was created.

    Error: EC2 refused the load balancer
      in aws_lb.web
      SubnetNotFound: the subnet subnet-1 does not exist.
      help: look at what `subnets` gives.

    Apply incomplete. Resources: 1 added, 0 changed, 1 destroyed. (2m5s, 57 calls)
      failed   aws_lb.web (creation: EC2 refused the load balancer)
      skipped  aws_ebs_volume.data["b"] (the run was stopped)
      skipped  aws_lb_listener.http[0] (waited for aws_lb.web)
    What was done is recorded: apply again to go on from here.

    check.page: Checking...
    check.health: Checking...
    check.health: Still checking... [30s elapsed, attempt 6 of 13] Only one server answers.
    check.health: Still checking... [1m0s elapsed, attempt 12 of 13] Only one server answers.
    check.page: Passed after 0.2s
    check.health: Failed after 1m5s

    Warning: check.health: an assertion does not hold
      Only one server answers.
    "#);
}

#[test]
fn a_run_that_went_well() {
    let mut it = Recording::default();
    it.finished(Counts { create: 3, update: 1, replace: 1, ..Counts::default() }, 0, 0);
    assert_snapshot!(human(&it.0), @"

    Apply complete! Resources: 3 added, 1 changed, 0 destroyed, 1 replaced. (2m5s, 57 calls)
    ");
    let mut it = Recording::default();
    it.finished(Counts { delete: 9, ..Counts::default() }, 0, 0);
    assert_snapshot!(human(&it.0), @"

    Destroy complete! Resources: 9 destroyed. (2m5s, 57 calls)
    ");
}

#[test]
fn a_recorded_run_is_told_again_in_the_same_bytes() {
    let events = run();
    let mut recorder = Json::new(Vec::new());
    events.iter().for_each(|event| recorder.report(event));
    let recorded = String::from_utf8(recorder.finish().unwrap()).unwrap();
    assert_eq!(recorded.lines().count(), events.len());
    let replayed: Vec<Event> = recorded.lines().map(read).collect();
    assert_eq!(replayed, events);
    assert_eq!(human(&replayed), human(&events));
}

#[test]
fn lines_are_those_of_terraform() {
    let events = run();
    let of = |type_name: &str| -> serde_json::Value {
        let lines = events.iter().map(|event| serde_json::from_str(&line(event)).unwrap());
        let mut found = lines.filter(|line: &serde_json::Value| line["type"] == type_name);
        let mut line = found.next().unwrap();
        line.as_object_mut().unwrap().shift_remove("event");
        line
    };
    assert_snapshot!(format!("{:#}", of("apply_start")), @r#"
    {
      "@level": "info",
      "@message": "aws_instance.web: Creating...",
      "@module": "reconcile.ui",
      "@timestamp": "2026-01-01T00:00:01.000Z",
      "type": "apply_start",
      "hook": {
        "resource": {
          "addr": "aws_instance.web",
          "module": "",
          "resource": "aws_instance.web",
          "implied_provider": "aws",
          "resource_type": "aws_instance",
          "resource_name": "web",
          "resource_key": null,
          "mode": "managed"
        },
        "action": "create"
      }
    }
    "#);
    assert_snapshot!(format!("{:#}", of("apply_complete")), @r#"
    {
      "@level": "info",
      "@message": "aws_instance.web: Creation complete after 26s",
      "@module": "reconcile.ui",
      "@timestamp": "2026-01-01T00:00:26.500Z",
      "type": "apply_complete",
      "hook": {
        "resource": {
          "addr": "aws_instance.web",
          "module": "",
          "resource": "aws_instance.web",
          "implied_provider": "aws",
          "resource_type": "aws_instance",
          "resource_name": "web",
          "resource_key": null,
          "mode": "managed"
        },
        "action": "create",
        "id_key": "id",
        "id_value": "i-1",
        "elapsed_seconds": 26
      }
    }
    "#);
    assert_snapshot!(of("apply_progress")["hook"]["waiting_for"], @r#""state `pending`, waiting for `running`""#);
    assert_snapshot!(of("apply_errored")["diagnostic"]["summary"], @r#""EC2 refused the load balancer""#);
    assert_snapshot!(of("change_summary")["changes"], @r#"{"add":3,"change":0,"import":0,"remove":0,"forget":0,"operation":"plan"}"#);
    assert_snapshot!(of("version")["ui"], @r#""1.2""#);
    assert_snapshot!(of("diagnostic")["@level"], @r#""warn""#);
}

/// Returns the event of a line.
fn read(line: &str) -> Event {
    match read_line(line) {
        Ok(Read::Event(event)) => *event,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn what_is_no_event_is_refused_and_a_kind_of_the_future_is_passed_over() {
    for line in
        ["", "{}", "[1]", r#"{"event": {"at": 1}}"#, r#"{"event": {"at": 1, "type": "recovered"}}"#]
    {
        assert!(read_line(line).is_err(), "{line}");
    }
    let new = r#"{"event": {"at": 1, "type": "sang", "song": ["la"]}}"#;
    assert_eq!(read_line(new).unwrap(), Read::Unknown);
    let more = r#"{"event": {"at": 1, "type": "recovered", "what": "x", "who": "y"}}"#;
    assert!(matches!(read_line(more).unwrap(), Read::Event(_)));
}

#[test]
fn an_error_in_writing_is_kept_for_the_end() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut reporter = (Human::new(Full, TextOptions::default()), Json::new(Full));
    run().iter().for_each(|event| reporter.report(event));
    let kind = |result: io::Result<Full>| result.err().map(|error| error.kind());
    assert_eq!(kind(reporter.0.finish()), Some(io::ErrorKind::StorageFull));
    assert_eq!(kind(reporter.1.finish()), Some(io::ErrorKind::StorageFull));
}
