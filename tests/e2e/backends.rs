//! Where the state is kept: S3 and folders, several runs at once, a run that loses its lock, and moving between places.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{REGION, World};

const GROUP: &str = "resource: { aws_security_group: { a: { name: a, description: a } } }\n";
const TWO: &str = r#"
resource:
  aws_security_group:
    a: { name: a, description: a }
    b: { name: b, description: "after ${aws_security_group.a.id}" }
"#;

/// Returns a world whose spec keeps its state in a bucket of its own, and the bucket's name.
fn in_s3(spec: &str) -> (World, String) {
    let world = World::new();
    let bucket = format!("states-{}", uuid::Uuid::new_v4().simple());
    world.call("s3", "CreateBucket", &json!({ "Bucket": bucket }));
    write(&world, &bucket, spec);
    (world, bucket)
}

fn write(world: &World, bucket: &str, spec: &str) {
    let backend = format!(
        "backend: {{ s3: {{ bucket: {bucket}, key: teams/test.json, region: {REGION}, lease_seconds: 5 }} }}\n"
    );
    world.spec(&(backend + spec));
}

fn keys(world: &World, bucket: &str) -> Vec<String> {
    let listed = world.call("s3", "ListObjectsV2", &json!({ "Bucket": bucket }));
    let listed = listed["Contents"].as_array().expect("a list");
    listed.iter().map(|it| it["Key"].as_str().expect("a key").to_owned()).collect()
}

fn object(world: &World, bucket: &str, key: &str) -> String {
    let found = world.call("s3", "GetObject", &json!({ "Bucket": bucket, "Key": key }));
    found["Body"].as_str().expect("a text").to_owned()
}

/// Starts an apply in the background.
fn start(world: &World, arguments: &[&str]) -> Child {
    let mut command = world.command(&["apply", "--auto-approve"]);
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().expect("the binary can be run")
}

fn end(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let sent = std::process::Command::new("kill").args([name, &child.id().to_string()]).status();
    assert!(sent.expect("there is `kill`").success());
}

#[test]
fn a_stack_lives_its_life_in_s3() {
    let (world, bucket) = in_s3(GROUP);
    world.converge();
    assert!(!world.path("state").exists(), "nothing is kept in a folder");
    let state: Value =
        serde_json::from_str(&object(&world, &bucket, "teams/test.json")).expect("JSON");
    assert_eq!(state["stack"], "test");
    world.run(&["state", "list"]).success().says("aws_security_group.a");
    world.run(&["unlock"]).success().says("Nobody holds the lock");
    world
        .run(&["plan", "--state-dir", "x"])
        .code(1)
        .says("`--state-dir` is for a state in a folder");
    let pulled = world.run(&["state", "pull"]).success().stdout;
    assert_eq!(pulled, object(&world, &bucket, "teams/test.json"), "byte for byte");
    world.edit("main.yaml", "description: a", "description: b");
    world.converge();
    let keys = keys(&world, &bucket);
    assert!(keys.len() <= 7, "older generations are deleted: {keys:?}");
    world.destroy();
}

#[test]
fn a_bucket_that_cannot_be_used_is_told_with_a_cure() {
    let (world, bucket) = in_s3(GROUP);
    world.edit("main.yaml", &bucket, "no-such-bucket-of-ours");
    world.run(&["apply", "--auto-approve"]).code(1).says("NoSuchBucket").says("aws s3 mb");
    write(&world, &bucket, GROUP);
    world.fault(&json!({ "kind": "error", "service": "s3", "operation": "*", "code": "AccessDenied", "status": 403, "times": 0 }));
    world.run(&["plan"]).code(1).says("AccessDenied").says("s3:ListBucket");
    world.forget_faults();
    world.edit("main.yaml", &format!("region: {REGION}, lease"), "region: eu-west-1, lease");
    world.run(&["plan"]).code(1).says(&format!("is in {REGION}, not in eu-west-1"));
    let mut world = world;
    write(&world, &bucket, GROUP);
    world.set("AWS_ACCESS_KEY_ID", "");
    world.set("AWS_SECRET_ACCESS_KEY", "");
    world.run(&["plan"]).code(1).says("no AWS credentials were found");
}

#[test]
fn answers_of_s3_that_are_lost_do_no_harm() {
    let (world, _) = in_s3(TWO);
    for (kind, nth) in
        [("cut-before", 1), ("cut-after", 2), ("cut-after", 4), ("cut-after", 6), ("truncate", 7)]
    {
        world
            .fault(&json!({ "kind": kind, "service": "s3", "operation": "PutObject", "nth": nth }));
    }
    world.fault(&json!({ "kind": "error", "service": "s3", "operation": "PutObject", "code": "ConditionalRequestConflict", "nth": 8 }));
    world.fault(&json!({ "kind": "http", "service": "s3", "operation": "*", "status": 503, "nth": 5, "times": 2 }));
    world.converge();
    assert_eq!(world.inventory()["security_groups"].as_array().map(Vec::len), Some(2));
    world.destroy();
}

#[test]
fn of_several_runs_at_once_one_works_and_the_others_say_who() {
    for (is_s3, count) in [(true, 2), (true, 8), (false, 2), (false, 8)] {
        let world = if is_s3 { in_s3(TWO).0 } else { World::with_spec(TWO) };
        world.fault(
            &json!({ "kind": "delay-after", "operation": "CreateSecurityGroup", "seconds": 2 }),
        );
        let impatient: Vec<Child> = (0..count).map(|_| start(&world, &[])).collect();
        let ended: Vec<_> = impatient.into_iter().map(end).collect();
        let worked = ended.iter().filter(|(code, _)| *code == Some(0)).count();
        assert!(worked >= 1, "{ended:?}");
        for (code, stderr) in &ended {
            let told = stderr.contains("locked by") && stderr.contains("reconcile apply");
            assert!(*code == Some(0) || told, "{stderr}");
        }
        let patient: Vec<Child> =
            (0..count).map(|_| start(&world, &["--lock-timeout", "10m"])).collect();
        for (code, stderr) in patient.into_iter().map(end) {
            assert_eq!(code, Some(0), "{stderr}");
        }
        assert_eq!(world.calls()["operations"]["CreateSecurityGroup"], 2, "each was made once");
        world.assert_converged();
        world.destroy();
    }
}

#[test]
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "the binary waits in real time")]
fn a_run_that_was_stopped_past_its_lease_writes_nothing_any_more() {
    let (world, bucket) = in_s3(TWO);
    world.fault(
        &json!({ "kind": "delay-after", "operation": "CreateSecurityGroup", "seconds": 300 }),
    );
    let stopped = start(&world, &[]);
    world.wait_for_fault();
    signal(&stopped, "-STOP");
    world
        .run(&["apply", "--auto-approve"])
        .code(1)
        .unwrapped()
        .says("locked by")
        .says("ends by itself");
    // Nobody unlocks; who waits gets it, and settles what the other one left.
    let began = Instant::now();
    world
        .run(&["apply", "--auto-approve", "--lock-timeout", "2m"])
        .success()
        .says("Waiting for the lock");
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    let before: Vec<String> =
        keys(&world, &bucket).iter().map(|key| object(&world, &bucket, key)).collect();
    world.forget_faults();
    signal(&stopped, "-CONT");
    let (code, stderr) = end(stopped);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(stderr.contains("was lost"), "{stderr}");
    let after: Vec<String> =
        keys(&world, &bucket).iter().map(|key| object(&world, &bucket, key)).collect();
    assert_eq!(before, after, "it wrote nothing");
    assert_eq!(world.calls()["operations"]["CreateSecurityGroup"], 2, "and made no call");
    world.assert_converged();
    world.destroy();
}

#[test]
fn after_a_kill_nobody_has_to_unlock_and_the_impatient_can() {
    let (world, _) = in_s3(TWO);
    world.fault(
        &json!({ "kind": "delay-before", "operation": "CreateSecurityGroup", "seconds": 300 }),
    );
    let mut killed = start(&world, &[]);
    world.wait_for_fault();
    killed.kill().expect("it is there");
    killed.wait().expect("it ends");
    world.forget_faults();
    world.run(&["unlock"]).code(1).says("There is nobody to ask").says("--force");
    world
        .run(&["state", "list"])
        .success()
        .unwrapped()
        .says("An operation is open: create aws_security_group.a");
    world.run(&["plan"]).success().says("An earlier run was interrupted");
    world.run(&["unlock", "--force"]).success().says("The lock is free");
    world.run(&["apply", "--auto-approve"]).success();
    world.assert_converged();
    world.destroy();
}

#[test]
#[cfg(unix)]
fn a_local_lock_names_its_holder_and_ends_with_it() {
    let world = World::with_spec(TWO);
    world.fault(
        &json!({ "kind": "delay-before", "operation": "CreateSecurityGroup", "seconds": 300 }),
    );
    let mut run = start(&world, &[]);
    world.wait_for_fault();
    let process = format!("process {}", run.id());
    world.run(&["unlock"]).code(1).unwrapped().says(&process).says("ends with that process");
    world.run(&["unlock", "--force"]).code(1).unwrapped().says(&process);
    run.kill().expect("it is there");
    run.wait().expect("it ends");
    world.forget_faults();
    world.run(&["unlock"]).success().says("Nobody holds the lock");
    world.converge();
    world.destroy();
}

#[test]
fn a_state_moves_there_and_back() {
    let (world, bucket) = in_s3(GROUP);
    let s3 = format!("s3://{bucket}/teams/test.json?region={REGION}");
    world.spec(GROUP);
    world.converge();
    write(&world, &bucket, GROUP);
    world.run(&["state", "migrate", "--from", "local"]).success().says("1 instance.");
    world.assert_converged();
    world
        .run(&["state", "migrate", "--from", "local"])
        .success()
        .says("was moved to")
        .says("before");
    // An old spec finds no empty stack.
    world.spec(GROUP);
    world.run(&["plan"]).code(1).unwrapped().says("was moved to s3://");
    world.run(&["apply", "--auto-approve"]).code(1).unwrapped().says("was moved to s3://");
    world.run(&["state", "migrate", "--from", &s3]).success();
    world.assert_converged();
    write(&world, &bucket, GROUP);
    world.run(&["plan"]).code(1).unwrapped().says("was moved to state/test.json");
    // Another state is not written over.
    world.spec(GROUP);
    world.run(&["state", "migrate", "--to", "local:other"]).success();
    world.run(&["state", "migrate", "--from", "local:other"]).success();
    world.write(
        "elsewhere/test.json",
        &world.read("state/test.json").replace("\"lineage\": \"", "\"lineage\": \"x"),
    );
    world.run(&["state", "migrate", "--to", "local:elsewhere"]).code(1);
    world.assert_converged();
    world.destroy();
}

#[test]
fn a_state_is_pulled_edited_and_pushed() {
    let world = World::with_spec(GROUP);
    world.run(&["state", "pull"]).code(1).says("There is no state");
    world.converge();
    let pulled = world.run(&["state", "pull"]).success().stdout;
    assert_eq!(pulled, world.read("state/test.json"));
    world.write("same.json", &pulled);
    world.run(&["state", "push", "same.json"]).success().says("Nothing was changed");
    let edited: String = pulled
        .lines()
        .filter(|line| !line.contains("\"checksum\""))
        .map(|line| format!("{line}\n"))
        .collect();
    world.write("damaged.json", &pulled.replace("\"name\": \"a\"", "\"name\": \"b\""));
    world.run(&["state", "push", "damaged.json"]).code(1).says("checksum");
    let serial =
        edited.lines().find(|line| line.contains("\"serial\"")).expect("a serial").to_owned();
    world.write("older.json", &edited.replace(&serial, "  \"serial\": 1,"));
    world.run(&["state", "push", "older.json"]).code(1).says("has the serial 1");
    let lineage =
        edited.lines().find(|line| line.contains("\"lineage\"")).expect("a lineage").to_owned();
    world.write("other.json", &edited.replace(&lineage, "  \"lineage\": \"another\","));
    world.run(&["state", "push", "other.json"]).code(1).says("has the lineage another");
    world.write("edited.json", &edited.replace("\"description\": \"a\"", "\"description\": \"z\""));
    world.run(&["state", "push", "edited.json"]).success().says("has what was pushed");
    assert!(world.run(&["state", "pull"]).success().stdout.contains("\"description\": \"z\""));
    world.run(&["state", "push", "same.json", "--force"]).success().says("has what was pushed");
    world.assert_converged();
    world.destroy();
}
