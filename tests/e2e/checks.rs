//! Checks: against a load balancer over two servers, before and after an apply, and where nothing answers.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::web::{LoadBalancer, WebServer, nginx};
use crate::support::{CommandOutput, World};

/// The tutorial's last step, on any address.
const PAGE: &str = r#"
variable:
  address: { type: string }
  attempts: { type: number, default: 1 }
check:
  page:
    data:
      http:
        page:
          url: http://${var.address}/
          requests: 6
          attempts: ${var.attempts}
          interval: 200ms
    assert:
      - condition: ${data.http.page.status_code == 200}
        error_message: It answers with ${data.http.page.status_code}.
      - condition: ${length(data.http.page.distinct_bodies) == 2}
        error_message: Only ${join(" and ", data.http.page.distinct_bodies)} answers.
"#;

fn page(address: SocketAddr) -> World {
    let mut world = World::with_spec(PAGE);
    world.set("RECONCILE_VAR_address", &address.to_string());
    world
}

#[test]
fn both_servers_answer_through_the_load_balancer() {
    let Some(nginx) = nginx() else { return };
    let (one, two) = (WebServer::start("one"), WebServer::start("two"));
    let folder = tempfile::tempdir().expect("a folder");
    let balancer = LoadBalancer::start(&nginx, folder.path(), &[one.address, two.address]);
    let world = page(balancer.address);
    world.run(&["check"]).success().says("passed  check.page").says("1 check: 1 passed.");
    world.run(&["plan"]).success().says("1 check: 1 passed.");
    world.run(&["apply", "--auto-approve"]).success().says("check.page: Passed after");

    // One server is down: the balancer says so for every other request.
    let place = two.address;
    drop(two);
    let output = world.run(&["check"]).code(1).says("failed  check.page");
    output.says("It answers with 502.").says("data.http.page.status_code == 200");
    let output = world.run(&["plan"]).success().says("1 check: 1 failed.");
    output.says("Warning: check.page: an assertion does not hold").says("It answers with 502.");
    let output = world.run(&["apply", "--auto-approve"]).success();
    output.says("check.page: Failed after").says("Warning: check.page: an assertion does not hold");

    // Both servers say the same: the load balancer is fine, and yet only one page is there.
    let two = WebServer::start_at(place, "one");
    world.run(&["check"]).code(1).says("Only one answers.").never_says("It answers with");
    drop(two);

    // Nothing listens at all.
    let address = balancer.address;
    drop(balancer);
    let output = world.run(&["check"]).code(1).says("error   check.page");
    output
        .says("cannot read data.http.page")
        .says(&format!("GET (http://{address}/): the connection was refused."));
    world.run(&["plan"]).success().says("1 check: 1 could not be told.");
}

#[test]
fn attempts_outlast_a_slow_start() {
    let Some(nginx) = nginx() else { return };
    let one = WebServer::start("one");
    // A port that is free now, and has a server a second later.
    let two = WebServer::start("two");
    let place = two.address;
    drop(two);
    let folder = tempfile::tempdir().expect("a folder");
    let balancer = LoadBalancer::start(&nginx, folder.path(), &[one.address, place]);
    let world = page(balancer.address);
    world.run(&["check"]).code(1).says("It answers with 502.");
    let late = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(1));
        let two = WebServer::start_at(place, "two");
        std::thread::sleep(Duration::from_secs(20));
        drop(two);
    });
    world.run(&["check", "--var", "attempts=60"]).success().says("1 check: 1 passed.");
    late.join().expect("it ends well");
}

#[test]
fn a_check_is_known_after_apply_and_a_failed_one_is_a_warning() {
    let server = WebServer::start("one");
    let spec = format!(
        r#"
resource: {{ aws_ebs_volume: {{ data: {{ availability_zone: ap-northeast-2a, size: 1 }} }} }}
check:
  volume:
    data: {{ http: {{ volume: {{ url: "http://{}/${{aws_ebs_volume.data.id}}" }} }} }}
    assert:
      condition: ${{data.http.volume.response_body == "two"}}
      error_message: It says ${{data.http.volume.response_body}} of ${{aws_ebs_volume.data.id}}.
  size:
    assert: {{ condition: "${{aws_ebs_volume.data.size == 1}}", error_message: too small }}
  instances:
    data: {{ aws_instances: {{ all: {{ instance_state_names: [running] }} }} }}
    assert: {{ condition: "${{length(data.aws_instances.all.ids) == 0}}", error_message: something runs }}
"#,
        server.address
    );
    let world = World::with_spec(&spec);
    let plan = world.run(&["plan"]).success();
    plan.says("3 checks: 2 passed, 1 known after apply only (check.volume).");
    // Not applied yet, so it cannot be told.
    world.run(&["check", "--name", "volume"]).code(1).says("unknown check.volume");
    let applied = world.run(&["apply", "--auto-approve"]).success();
    applied
        .says("Apply complete!")
        .says("check.size: Passed after")
        .says("check.instances: Passed after")
        .says("check.volume: Failed after")
        .says("It says one of vol-");
    world.run(&["plan", "--detailed-exitcode"]).success().says("2 passed, 1 failed");
    let fingerprint = |output: &CommandOutput| {
        let is_one = |it: &&str| it.len() == 64 && it.bytes().all(|b| b.is_ascii_hexdigit());
        let found = output.stdout.split_whitespace().find(is_one).map(str::to_owned);
        found.expect("a plan with changes has a fingerprint")
    };
    let json: Value = serde_json::from_str(&world.run(&["plan", "--json"]).success().stdout)
        .expect("the plan is JSON");
    let statuses = json["checks"].as_array().expect("the checks are there").iter();
    let statuses: Vec<String> =
        statuses.map(|it| format!("{} {}", it["address"]["to_display"], it["status"])).collect();
    assert_eq!(
        statuses,
        [r#""check.volume" "fail""#, r#""check.size" "pass""#, r#""check.instances" "pass""#]
    );
    let told = world.run(&["check", "--json"]).code(1).stdout;
    let told: Value = serde_json::from_str(&told).expect("the result is JSON");
    assert_eq!(told["checks"], json["checks"]);
    world.run(&["check", "--name", "check.size"]).success().never_says("check.volume");
    world.run(&["check", "--name", "sice"]).code(1).says("There are: volume, size, instances.");
    // What a check says is no part of what is approved.
    world.edit("main.yaml", "check:\n", "output: { new: { value: 1 } }\ncheck:\n");
    let before = world.run(&["plan"]).success().says("1 failed");
    drop(server);
    let after = world.run(&["plan"]).success().says("1 could not be told");
    assert_eq!(fingerprint(&after), fingerprint(&before));
    world.run(&["destroy", "--auto-approve"]).success().never_says("check.");
    world.assert_empty();
}

#[test]
fn no_secret_is_in_what_a_check_says() {
    let world = World::with_spec(
        r#"
variable: { token: { type: string, default: hush-hush, sensitive: true } }
check:
  a:
    data: { http: { a: { url: "http://127.0.0.1:1/${var.token}", request_headers: { X-Token: "${var.token}" } } } }
    assert: { condition: '${data.http.a.status_code == 200}', error_message: "${var.token}" }
  b:
    assert: { condition: '${var.token == "x"}', error_message: "It is ${var.token}." }
"#,
    );
    let runs: [&[&str]; 5] = [
        &["check"],
        &["check", "--json"],
        &["plan"],
        &["plan", "--json"],
        &["apply", "--auto-approve", "--json", "--events", "events.jsonl"],
    ];
    for arguments in runs {
        let output = world.run(arguments);
        assert!(output.stdout.contains("check.b"), "{output}");
        output.never_says("hush-hush");
    }
    world.run(&["check"]).code(1).says("GET: the connection was refused.");
    std::fs::remove_file(world.path("main.yaml")).expect("the spec can be removed");
    world.assert_nowhere("hush-hush");
}

/// The name of the emulated load balancer does not resolve: that is a warning, and costs a few seconds at most.
#[test]
#[expect(clippy::disallowed_methods, reason = "the binary waits in real time")]
fn the_shipped_check_warns_where_nothing_can_answer() {
    let world = World::with_stack("lab-web");
    world.run(&["plan"]).success().says("1 check: 1 known after apply only (check.page).");
    let applied = world.run(&["apply", "--auto-approve"]).success();
    applied
        .says("Apply complete!")
        .says("Warning: check.page: cannot read data.http.page")
        .says("its name does not resolve");
    let started = Instant::now();
    let plan = world.run(&["plan", "--detailed-exitcode"]).success();
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    plan.says("1 check: 1 could not be told.");
    world.destroy();
}

#[test]
fn a_data_source_can_be_read_outside_of_checks() {
    let server = WebServer::start("ami-0123");
    let world = World::with_spec(&format!(
        r#"
data: {{ http: {{ page: {{ url: "http://{}/" }} }} }}
output: {{ page: {{ value: "${{data.http.page.response_body}}" }} }}
"#,
        server.address
    ));
    world.converge();
    world.run(&["output", "--name", "page"]).success().says("ami-0123");
    drop(server);
    let output = world.run(&["plan"]).code(1).says("Cannot read data.http.page");
    output.says("the connection was refused").says("main.yaml:4");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the binary waits in real time")]
fn interrupting_a_check_leaves_what_was_applied() {
    let world = World::with_spec(
        r#"
resource: { aws_ebs_volume: { data: { availability_zone: ap-northeast-2a, size: 1 } } }
check:
  page:
    data: { http: { page: { url: "http://127.0.0.1:1/", attempts: 100, interval: 1s } } }
    assert: { condition: '${data.http.page.status_code == 200}', error_message: x }
"#,
    );
    let mut command = world.command(&["apply", "--auto-approve", "--events", "events.jsonl"]);
    let mut child = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary can be run");
    let started = Instant::now();
    while !std::fs::read_to_string(world.path("events.jsonl"))
        .is_ok_and(|events| events.contains("check_progress"))
    {
        assert!(started.elapsed() < Duration::from_secs(60), "no check is looked at");
        std::thread::sleep(Duration::from_millis(50));
    }
    crate::support::interrupt(&child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    // The state is whole, and nobody holds its lock.
    world.run(&["plan", "--detailed-exitcode"]).success();
    world.destroy();
}

/// A precondition keeps its object from being changed, and a postcondition keeps what depends on its object from being
/// started; the object is there all the same, and recorded.
#[test]
fn conditions_stop_what_depends_on_them() {
    let spec = |most: u32| {
        format!(
            r#"
resource:
  aws_ebs_volume:
    first: {{ availability_zone: ap-northeast-2a, size: 2 }}
    second:
      availability_zone: ap-northeast-2a
      size: 1
      tags: {{ of: "${{aws_ebs_volume.first.id}}" }}
      lifecycle:
        precondition: {{ condition: '${{aws_ebs_volume.first.arn != ""}}', error_message: no arn }}
        postcondition: {{ condition: '${{length(self.id) < {most}}}', error_message: "The id is too long." }}
    third:
      availability_zone: ap-northeast-2a
      size: 1
      tags: {{ of: "${{aws_ebs_volume.second.id}}" }}
    other: {{ availability_zone: ap-northeast-2a, size: 1 }}
"#
        )
    };
    let world = World::with_spec(&spec(3));
    let output = world.run(&["apply", "--auto-approve"]).code(1).says("The id is too long.");
    output.says("skipped  aws_ebs_volume.third (waited for aws_ebs_volume.second)");
    let listed = world.run(&["state", "list"]).success().stdout;
    let listed: Vec<&str> = listed.lines().collect();
    assert_eq!(listed, ["aws_ebs_volume.first", "aws_ebs_volume.other", "aws_ebs_volume.second"]);
    assert_eq!(world.inventory()["total"], 3);
    // It is still so, and known before anything is done.
    world.run(&["plan"]).code(1).says("The id is too long.");
    world.spec(&spec(100));
    world.converge();
    assert_eq!(world.inventory()["total"], 4);

    // A condition on something that apply will tell, of an object that is known as a whole before and after.
    let guarded = |size: u32| {
        format!(
            r#"
resource:
  aws_ebs_volume:
    first: {{ availability_zone: ap-northeast-2c, size: 2 }}
    second:
      availability_zone: ap-northeast-2a
      size: {size}
      lifecycle:
        precondition: {{ condition: '${{aws_ebs_volume.first.id == ""}}', error_message: "Not now." }}
"#
        )
    };
    world.spec(&guarded(3));
    let output = world.run(&["apply", "--auto-approve"]).code(1).says("Not now.");
    output.never_says("aws_ebs_volume.second: Modifications complete");
    assert_eq!(world.attributes("aws_ebs_volume.second")["size"], 1);
    world.destroy();
}
