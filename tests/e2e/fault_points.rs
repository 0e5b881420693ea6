//! Every call fails in every way, in turn: afterwards one plain run ends with the same world as an undisturbed one.
//!
//! A point is one call of a run and one way in which it goes wrong. A sample of them runs with all tests: every way in every
//! scenario. `RECONCILE_TEST_WALK=all` walks through all of them, and a number through so many.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::World;

/// How many worlds are walked through at once.
const WORKERS: usize = 4;

/// A run to be disturbed.
struct Scenario {
    name: &'static str,
    /// Returns a world in which the run is due.
    prepare: fn() -> World,
    command: &'static [&'static str],
}

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "create", prepare: fresh, command: &["apply", "--auto-approve"] },
    Scenario { name: "replace", prepare: to_be_replaced, command: &["apply", "--auto-approve"] },
    Scenario { name: "destroy", prepare: applied, command: &["destroy", "--auto-approve"] },
];

fn fresh() -> World {
    World::with_stack("lab-web")
}

fn applied() -> World {
    let world = fresh();
    world.run(&["apply", "--auto-approve"]).success();
    world
}

/// Another key replaces both servers and the image between them, another port the target group with all that uses it.
fn to_be_replaced() -> World {
    let world = applied();
    world.edit("servers.yaml", "key_name: seoul-lab-web", "key_name: other-lab-web");
    world.edit(
        "balancer.yaml",
        "port: 80\n      protocol: HTTP\n      vpc_id",
        "port: 8080\n      protocol: HTTP\n      vpc_id",
    );
    world
}

/// A way in which a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    CutBefore,
    CutAfter,
    Truncated,
    FailedBefore,
    FailedAfter,
    Throttled,
    Capacity,
    Interrupted,
    InterruptedTwice,
}

impl Way {
    const ALL: [Self; 9] = [
        Self::CutBefore,
        Self::CutAfter,
        Self::Truncated,
        Self::FailedBefore,
        Self::FailedAfter,
        Self::Throttled,
        Self::Capacity,
        Self::Interrupted,
        Self::InterruptedTwice,
    ];

    /// Returns the fault that makes the call go wrong so.
    fn fault(self, nth: usize) -> Value {
        let fault = match self {
            Self::CutBefore => json!({ "kind": "cut-before" }),
            Self::CutAfter => json!({ "kind": "cut-after" }),
            Self::Truncated => json!({ "kind": "truncate" }),
            Self::FailedBefore => json!({ "kind": "http", "status": 500 }),
            Self::FailedAfter => json!({ "kind": "http", "status": 500, "executed": true }),
            Self::Throttled => {
                json!({ "kind": "error", "code": "RequestLimitExceeded", "status": 503, "times": 4 })
            }
            Self::Capacity => {
                json!({ "kind": "error", "code": "InsufficientInstanceCapacity", "status": 500 })
            }
            Self::Interrupted => json!({ "kind": "delay-after", "seconds": 1 }),
            Self::InterruptedTwice => json!({ "kind": "delay-after", "seconds": 600 }),
        };
        let mut fault = fault;
        fault["operation"] = json!("*");
        fault["nth"] = json!(nth);
        fault
    }

    /// Tells whether it says something about this call that another way does not.
    fn applies(self, call: &Call) -> bool {
        match self {
            // What a read did before its answer was lost is nothing.
            Self::CutBefore | Self::FailedAfter => call.mutates,
            Self::Capacity => matches!(call.operation.as_str(), "RunInstances" | "StartInstances"),
            Self::Interrupted | Self::InterruptedTwice => call.mutates,
            Self::CutAfter | Self::Truncated | Self::FailedBefore | Self::Throttled => true,
        }
    }
}

/// One call of one scenario's run, and how it goes wrong.
#[derive(Clone, Copy)]
struct Point {
    /// The scenario's index.
    at: usize,
    /// Which call, from 1.
    nth: usize,
    way: Way,
}

/// A call of an undisturbed run.
struct Call {
    operation: String,
    mutates: bool,
}

/// A run in which nothing goes wrong.
struct Undisturbed {
    calls: Vec<Call>,
    /// What is there at its end.
    objects: BTreeMap<String, usize>,
}

impl Scenario {
    fn undisturbed(&self) -> Undisturbed {
        let world = (self.prepare)();
        world.forget_calls();
        world.run(self.command).success();
        let log = world.calls()["log"].as_array().expect("a list").clone();
        let calls = log
            .iter()
            .map(|entry| {
                let operation = entry["operation"].as_str().expect("text").to_owned();
                let reads = ["Describe", "Get", "List"].iter().any(|it| operation.starts_with(it));
                Call { mutates: !reads, operation }
            })
            .collect();
        Undisturbed { calls, objects: objects(&world) }
    }

    /// Disturbs the run at one point, and returns what is wrong after a plain run.
    fn disturb(
        &self,
        nth: usize,
        way: Way,
        objects_then: &BTreeMap<String, usize>,
    ) -> Option<String> {
        let world = (self.prepare)();
        world.fault(&way.fault(nth));
        let first = match way {
            Way::Interrupted => interrupt(&world, self.command, 1),
            Way::InterruptedTwice => interrupt(&world, self.command, 2),
            Way::CutBefore
            | Way::CutAfter
            | Way::Truncated
            | Way::FailedBefore
            | Way::FailedAfter
            | Way::Throttled
            | Way::Capacity => {
                let output = world.run(self.command);
                if !matches!(output.code, Some(0 | 1)) {
                    return Some(format!("ended with {:?}: {output}", output.code));
                }
                output.to_string()
            }
        };
        world.forget_faults();
        let again = world.run(self.command);
        if again.code != Some(0) {
            return Some(format!("wedged: {again}\nafter: {first}"));
        }
        let now = objects(&world);
        if now != *objects_then {
            return Some(format!(
                "{now:#?} instead of {objects_then:#?}\nafter: {first}\nand {again}"
            ));
        }
        if !self.command.contains(&"destroy") {
            let plan = world.run(&["plan", "--detailed-exitcode"]);
            if plan.code != Some(0) {
                return Some(format!("not converged: {plan}\nafter: {first}"));
            }
            let destroyed = world.run(&["destroy", "--auto-approve"]);
            let left = world.inventory()["total"].clone();
            if destroyed.code != Some(0) || left != 0 {
                return Some(format!("{left} left after {destroyed}\nafter: {first}"));
            }
        }
        let unknown = world.calls()["unimplemented"].clone();
        (unknown != json!([])).then(|| format!("the emulator lacks {unknown}"))
    }
}

/// Returns how many objects there are of each kind and address.
fn objects(world: &World) -> BTreeMap<String, usize> {
    let mut objects = BTreeMap::new();
    let inventory = world.inventory();
    for (kind, list) in inventory.as_object().expect("an object") {
        for object in list.as_array().into_iter().flatten() {
            let address = object["tags"]["reconcile:address"].as_str().unwrap_or("-");
            *objects.entry(format!("{kind} of {address}")).or_default() += 1;
        }
    }
    objects
}

/// Runs a command, and interrupts it once or twice while a call of it hangs.
fn interrupt(world: &World, command: &[&str], times: usize) -> String {
    let child = world
        .command(command)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be run");
    if world.waits_for_fault(Duration::from_secs(30)) {
        for _ in 0..times {
            let pid = child.id().to_string();
            let _sent = std::process::Command::new("kill").args(["-INT", &pid]).status();
            std::thread::sleep(Duration::from_millis(150));
        }
    }
    let output = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 1 | 130)), "{:?} {told}", output.status);
    told
}

/// Returns every point there is.
fn all_points(runs: &[Undisturbed]) -> Vec<Point> {
    let mut points = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        for way in Way::ALL {
            let calls = (1..).zip(&run.calls).filter(|(_, call)| way.applies(call));
            points.extend(calls.map(|(nth, _)| Point { at, nth, way }));
        }
    }
    points
}

/// Returns the points to try: those that the environment asks for, or one of each way in each scenario, each time another
/// call of the run.
fn chosen(all: &[Point]) -> Vec<Point> {
    let asked = std::env::var_os("RECONCILE_TEST_WALK").map(|it| it.into_string().expect("text"));
    match asked.as_deref() {
        Some("all") => all.to_vec(),
        Some(count) => {
            let count: usize = count.parse().expect("`all` or a number");
            all.iter().copied().step_by(all.len().div_ceil(count)).collect()
        }
        None => all
            .chunk_by(|a, b| (a.at, a.way) == (b.at, b.way))
            .enumerate()
            .map(|(index, same)| same[(index * 7 + 3) % same.len()])
            .collect(),
    }
}

#[test]
#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the walk's table is for whoever runs it"
)]
fn one_plain_run_mends_what_any_fault_left() {
    let runs: Vec<Undisturbed> = SCENARIOS.iter().map(Scenario::undisturbed).collect();
    let all = all_points(&runs);
    let points = chosen(&all);
    let next = AtomicUsize::new(0);
    let problems: Mutex<Vec<(usize, Way, String)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(&Point { at, nth, way }) =
                    points.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    if let Some(problem) = SCENARIOS[at].disturb(nth, way, &runs[at].objects) {
                        eprintln!("{} call {nth} {way:?}: {problem}", SCENARIOS[at].name);
                        problems.lock().expect("no panic").push((at, way, problem));
                    }
                }
            });
        }
    });
    let problems = problems.into_inner().expect("no panic");
    let mut table = format!("{} of {} points:\n", points.len(), all.len());
    for (at, scenario) in SCENARIOS.iter().enumerate() {
        for way in Way::ALL {
            let tried = points.iter().filter(|it| (it.at, it.way) == (at, way)).count();
            let wrong = problems.iter().filter(|it| (it.0, it.1) == (at, way)).count();
            let name = scenario.name;
            writeln!(table, "{name:10} {way:?}: {tried} tried, {wrong} wrong").expect("a string");
        }
    }
    println!("{table}");
    assert!(problems.is_empty(), "{table}\n{}", problems[0].2);
}

/// What is new may be invisible for half a minute, to reads and to the calls that use it.
#[test]
fn half_a_minute_of_eventual_consistency() {
    let world = fresh();
    world.settings(&json!({ "hidden_seconds": 30, "hidden_from_writes": true }));
    world.run(&["apply", "--auto-approve"]).success();
    world.assert_converged();
    world.settings(&json!({ "hidden_seconds": 0, "hidden_from_writes": false }));
    world.destroy();
}

/// What AWS takes on and fails at later is replaced by the next run.
#[test]
fn what_fails_later_is_replaced_by_the_next_run() {
    for operation in ["RunInstances", "CreateImage", "CreateLoadBalancer"] {
        let world = fresh();
        world.fault(&json!({
            "kind": "outcome", "operation": operation, "code": "Server.InternalError", "message": "it failed",
        }));
        world.run(&["apply", "--auto-approve"]).code(1).says("The next apply replaces it");
        world.converge();
        world.destroy();
    }
}
