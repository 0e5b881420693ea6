//! The scripts of the pull-request workflow, against a stand-in for GitHub's API on loopback.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::support::World;

const GROUP: &str = "resource: { aws_security_group: { a: { name: a, description: a } } }\n";
const MERGE: &str = "3e6e39e0f6bb1f29ac5a5e6d5e5f0ab1c2d3e4f5";
const HEAD: &str = "aaaabbbbccccddddeeeeffff0000111122223333";

/// The stand-in, and what it knows.
struct GitHub {
    server: Child,
    port: String,
    state: PathBuf,
}

impl GitHub {
    fn new(world: &World, state: &Value) -> Self {
        let path = world.path("github.json");
        std::fs::write(&path, state.to_string()).expect("the file can be written");
        let mut server = Command::new("python3")
            .arg(root().join("tests/github/server.py"))
            .arg(&path)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 can be run");
        let mut port = String::new();
        let mut lines = BufReader::new(server.stdout.take().expect("it is a pipe"));
        lines.read_line(&mut port).expect("it tells its port");
        Self { server, port: port.trim().to_owned(), state: path }
    }

    fn state(&self) -> Value {
        let text = std::fs::read_to_string(&self.state).expect("the file is there");
        serde_json::from_str(&text).expect("it is JSON")
    }

    fn set(&self, name: &str, value: Value) {
        let mut state = self.state();
        state[name] = value;
        std::fs::write(&self.state, state.to_string()).expect("the file can be written");
    }

    fn comments(&self) -> Vec<Value> {
        self.state()["comments"].as_array().cloned().unwrap_or_default()
    }

    /// Runs a script of an action, in the world's folder, with what Actions sets.
    fn run(&self, world: &World, script: &str, environment: &[(&str, &str)]) -> Output {
        let path = root().join(".github/actions").join(script);
        let program = if script.ends_with(".sh") { "bash" } else { "python3" };
        // The world's own command brings the account along.
        let mut command = world.command(&[]);
        let kept: Vec<_> =
            command.get_envs().map(|(k, v)| (k.to_owned(), v.map(Into::into))).collect();
        command = Command::new(program);
        command.arg(path).current_dir(world.path(".")).env_clear();
        for (name, value) in kept {
            let value: std::ffi::OsString = value.unwrap_or_default();
            command.env(name, value);
        }
        std::fs::write(world.path("output"), "").expect("the file can be written");
        command
            .env("GITHUB_API_URL", format!("http://127.0.0.1:{}", self.port))
            .env("GITHUB_TOKEN", "t0ken")
            .env("GITHUB_REPOSITORY", "o/r")
            .env("GITHUB_OUTPUT", world.path("output"))
            .env("RETRY_SECONDS", "0.01")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("RECONCILE", env!("CARGO_BIN_EXE_reconcile"))
            .env("SPEC", ".")
            .envs(environment.iter().copied())
            .output()
            .expect("the script can be run")
    }
}

impl Drop for GitHub {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[track_caller]
fn ends(output: &Output, code: i32) -> String {
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

/// Returns the outputs that a step has set.
fn outputs(world: &World) -> Value {
    let text = world.read("output");
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), Value::from(value))).collect()
}

fn plan(github: &GitHub, world: &World, arguments: &str) -> Output {
    let folder = world.path("made").display().to_string();
    let summary = world.path("summary.md").display().to_string();
    let environment =
        [("FOLDER", &*folder), ("GITHUB_STEP_SUMMARY", &*summary), ("ARGUMENTS", arguments)];
    github.run(world, "reconcile-plan/plan.sh", &environment)
}

fn comment(github: &GitHub, world: &World) -> Output {
    let markdown = world.path("made/plan.md").display().to_string();
    let given = outputs(world);
    let text = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
    let environment = [
        ("PULL_REQUEST", "7"),
        ("HEAD_SHA", HEAD),
        ("RUN_URL", "https://github.com/o/r/actions/runs/1"),
        ("PLAN_MARKDOWN", &*markdown),
        ("STACK", &*text("stack")),
        ("FINGERPRINT", &*text("fingerprint")),
    ];
    github.run(world, "reconcile-plan/comment.py", &environment)
}

fn apply(github: &GitHub, world: &World) -> Output {
    let environment = [("COMMIT", MERGE), ("BRANCH", "main"), ("ARGUMENTS", "")];
    github.run(world, "reconcile-apply/apply.sh", &environment)
}

fn pull_request() -> Value {
    json!({
        "number": 7, "merged": true, "baseRefName": "main", "headRefOid": HEAD,
        "mergeCommit": { "oid": MERGE }, "author": { "login": "proposer" },
    })
}

fn review(body: &str) -> Value {
    json!({
        "state": "APPROVED", "body": body, "submittedAt": "2026-11-25T10:00:00Z",
        "lastEditedAt": null, "authorCanPushToRepository": true,
        "author": { "__typename": "User", "login": "reviewer" }, "commit": { "oid": HEAD },
    })
}

fn github(world: &World) -> GitHub {
    let commits = json!({ MERGE: [pull_request()] });
    GitHub::new(world, &json!({ "token": "t0ken", "commits": commits, "page": 2 }))
}

#[test]
fn a_plan_is_commented_in_place_and_applied_once_approved() {
    let world = World::with_spec(GROUP);
    let github = github(&world);
    // Other comments come first, one of which only looks like ours.
    let forged = "<!-- reconcile plan of . -->\nreconcile approve test 00";
    let other =
        |id: i64, body: &str| json!({ "id": id, "body": body, "user": { "login": "proposer" } });
    github.set("comments", json!([other(1, "hello"), other(2, forged), other(3, "again")]));

    ends(&plan(&github, &world, ""), 0);
    let made = outputs(&world);
    assert_eq!(made["stack"], "test");
    assert_eq!(made["changes"], "true");
    let fingerprint = made["fingerprint"].as_str().expect("a fingerprint").to_owned();
    assert!(world.read("made/plan.html").contains("aws_security_group"));
    assert!(world.read("summary.md").contains("aws_security_group.a"));
    github.set("failures", 2.into());
    ends(&comment(&github, &world), 0);
    let comments = github.comments();
    assert_eq!(comments.len(), 4);
    assert_eq!(comments[1]["body"], forged, "somebody else's comment is left alone");
    let body = comments[3]["body"].as_str().expect("text").to_owned();
    let approval = format!("reconcile approve test {fingerprint}");
    assert!(body.contains(&approval), "{body}");
    assert!(body.contains("aws_security_group.a"), "{body}");

    // The proposal changes, and so does the comment.
    world.edit("main.yaml", "description: a", "description: b");
    ends(&plan(&github, &world, ""), 0);
    let changed = outputs(&world)["fingerprint"].as_str().expect("a fingerprint").to_owned();
    assert_ne!(changed, fingerprint);
    ends(&comment(&github, &world), 0);
    assert_eq!(github.comments().len(), 4);
    let body = github.comments()[3]["body"].as_str().expect("text").to_owned();
    assert!(body.contains(&changed) && !body.contains(&fingerprint), "{body}");

    // Nobody approved it; then somebody approved what it was before.
    assert!(ends(&apply(&github, &world), 1).contains("No review of #7 approves a plan of test"));
    github.set("reviews", json!({ "7": [review(&approval)] }));
    assert!(ends(&apply(&github, &world), 1).contains("not the one that was approved"));
    world.assert_empty();

    let approval = format!("Looks right.\n\n    reconcile approve test {changed}\n");
    github.set("reviews", json!({ "7": [review(&approval)] }));
    assert!(ends(&apply(&github, &world), 0).contains("reviewer approved"));
    assert_eq!(outputs(&world)["applied"], "true");
    world.assert_converged();

    // A merge that changes nothing needs nobody.
    github.set("reviews", json!({}));
    assert!(ends(&apply(&github, &world), 0).contains("nothing to apply"));
    assert_eq!(outputs(&world)["applied"], "false");
    world.destroy();
}

#[test]
fn only_a_reviewer_approves() {
    let world = World::with_spec(GROUP);
    let github = github(&world);
    let line = format!("reconcile approve test {}", "a".repeat(64));
    let changed = |name: &str, value: Value| {
        let mut review = review(&line);
        review[name] = value;
        review
    };
    let later = |mut review: Value, state: &str| {
        review["state"] = state.into();
        review["submittedAt"] = "2026-11-25T11:00:00Z".into();
        review
    };
    let user = |kind: &str, login: &str| json!({ "__typename": kind, "login": login });
    let other = format!("reconcile approve test {}", "b".repeat(64));
    let mut of_another = review(&other);
    of_another["author"] = user("User", "another");
    let environment = [("COMMIT", MERGE), ("BRANCH", "main"), ("STACK", "test")];
    let find = |reviews: Vec<Value>| {
        github.set("reviews", json!({ "7": reviews }));
        github.run(&world, "reconcile-apply/approved.py", &environment)
    };

    for (reviews, why) in [
        (vec![], "No review of #7"),
        (vec![changed("state", "COMMENTED".into())], "No review of #7"),
        (vec![changed("author", user("User", "proposer"))], "is the proposer's own"),
        (vec![changed("author", user("Bot", "github-actions"))], "is not a person's"),
        (vec![changed("author", Value::Null)], "is not a person's"),
        (vec![changed("authorCanPushToRepository", false.into())], "may not push"),
        (vec![changed("commit", json!({ "oid": MERGE }))], "is of an earlier commit"),
        (vec![changed("lastEditedAt", "2026-11-25T10:30:00Z".into())], "was edited"),
        (vec![changed("body", format!("{line}\n{other}").into())], "names several plans"),
        (vec![changed("body", line.replace("test", "another").into())], "No review of #7"),
        (vec![changed("body", format!("> not {line}").into())], "No review of #7"),
        (vec![review(&line), later(review(""), "CHANGES_REQUESTED")], "No review of #7"),
        (vec![review(&line), later(review(""), "DISMISSED")], "No review of #7"),
        (vec![review(&line), of_another.clone()], "approve different plans of test"),
    ] {
        let text = ends(&find(reviews.clone()), 1);
        assert!(text.contains(why), "{why} is not in {text}");
        assert_eq!(world.read("output"), "", "{reviews:?}");
    }

    // The newest word of each counts, on whichever page it is.
    let mut newer = review(&other);
    newer["submittedAt"] = "2026-11-25T12:00:00Z".into();
    let idle = |_| changed("state", "COMMENTED".into());
    let many: Vec<Value> = (0..5).map(idle).chain([newer, review(&line)]).collect();
    ends(&find(many), 0);
    assert_eq!(outputs(&world)["fingerprint"], "b".repeat(64));
    assert_eq!(outputs(&world)["pull-request"], "7");

    // A commit that no pull request brought.
    for pull in [json!({ "merged": false }), json!({ "baseRefName": "evil" })] {
        let mut of = pull_request();
        of.as_object_mut().expect("an object").extend(pull.as_object().expect("an object").clone());
        github.set("commits", json!({ MERGE: [of] }));
        let text = ends(&find(vec![review(&line)]), 1);
        assert!(text.contains("is not the merge of one pull request into main"), "{text}");
    }
    github.set("commits", json!({}));
    assert!(ends(&find(vec![review(&line)]), 1).contains("nobody approved it"));
}

#[test]
fn a_plan_that_fails_is_said_in_the_same_comment() {
    let world = World::with_spec(GROUP);
    let github = github(&world);
    ends(&plan(&github, &world, ""), 0);
    ends(&comment(&github, &world), 0);
    world.edit("main.yaml", "description: a", "descriptoin: a");
    assert!(ends(&plan(&github, &world, ""), 1).contains("descriptoin"));
    ends(&comment(&github, &world), 0);
    let comments = github.comments();
    assert_eq!(comments.len(), 1);
    let body = comments[0]["body"].as_str().expect("text");
    assert!(body.contains("failed") && body.contains("description"), "{body}");
    assert!(!body.contains("reconcile approve"), "{body}");
}

#[test]
fn arguments_reach_the_plan_as_they_are() {
    let world = World::with_spec(
        "variable: { note: { type: string } }\noutput: { note: { value: '${var.note}' } }\n",
    );
    let github = github(&world);
    let note = "$(touch pwned) 'a' \"b\" `c` *";
    ends(&plan(&github, &world, &format!("--var\nnote={note}")), 0);
    let json: Value = serde_json::from_str(&world.read("made/terraform.json")).expect("JSON");
    assert_eq!(json["variables"]["note"]["value"], note);
    assert!(!world.path("pwned").exists());
}

#[test]
fn a_proposal_cannot_reach_out_of_its_folder() {
    let world = World::with_spec(GROUP);
    let github = github(&world);
    // Its own binary is not run.
    world.write("reconcile", "#!/bin/sh\ntouch pwned\n");
    for script in ["reconcile-plan/plan.sh", "reconcile-apply/apply.sh"] {
        let environment = [("RECONCILE", "./reconcile"), ("FOLDER", "made")];
        let text = ends(&github.run(&world, script, &environment), 1);
        assert!(text.contains("must be absolute"), "{text}");
    }
    assert!(!world.path("pwned").exists());

    // Links within it are fine; others are not followed.
    std::os::unix::fs::symlink("main.yaml", world.path("link.txt")).expect("a link");
    ends(&plan(&github, &world, ""), 0);
    std::os::unix::fs::symlink("/proc/self/environ", world.path("z.yaml")).expect("a link");
    let text = ends(&plan(&github, &world, ""), 1);
    assert!(text.contains("z.yaml leads out of the proposal"), "{text}");
    assert!(!text.contains("secret"), "{text}");
}

#[test]
fn what_is_wrong_with_github_is_told() {
    let world = World::with_spec(GROUP);
    let github = github(&world);
    let environment = [("COMMIT", MERGE), ("BRANCH", "main"), ("STACK", "test")];
    github.set("token", "another".into());
    let text = ends(&github.run(&world, "reconcile-apply/approved.py", &environment), 1);
    assert!(text.contains("::error::") && text.contains("Bad credentials"), "{text}");
    github.set("failures", 99.into());
    let text = ends(&github.run(&world, "reconcile-apply/approved.py", &environment), 1);
    assert!(text.contains("502 Bad Gateway"), "{text}");
    let text = ends(&github.run(&world, "reconcile-apply/approved.py", &[]), 1);
    assert!(text.contains("COMMIT is not set"), "{text}");
}
