//! A world that can be put back to where a run begins.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::Scenario;
use crate::support::World;

/// How often a running child is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// How long one run may take before it counts as hanging, in seconds.
const HANGING: usize = 600;

/// As many looks.
const LOOKS: usize = HANGING * 50;

/// A world as a scenario's run finds it, as often as one likes.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) scenario: Scenario,
    kept: TempDir,
}

/// How a run ended.
pub(crate) struct Ended {
    /// `None` when it was killed.
    pub(crate) code: Option<i32>,
    /// Its result.
    pub(crate) stdout: String,
    /// All that it said.
    pub(crate) told: String,
}

impl Stage {
    /// Makes the world, applies the stack if the scenario says so, and keeps all of it.
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let mut world = (scenario.folder)();
        if scenario.is_applied {
            world.run(&["apply", "--auto-approve"]).success();
        }
        for (name, value) in scenario.variables {
            world.set(&format!("RECONCILE_VAR_{name}"), value);
        }
        // The first call makes the account, so that there is one to save.
        world.call("ec2", "DescribeVpcs", &serde_json::json!({}));
        world.save();
        let kept = tempfile::tempdir().expect("a temporary folder");
        copy(&world.path(""), kept.path());
        Self { world, scenario: *scenario, kept }
    }

    /// Puts the world back to where the run begins.
    pub(crate) fn begin(&self) {
        self.world.restore();
        let folder = self.world.path("");
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("an entry").path();
            let removed =
                if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.expect("it can be removed");
        }
        copy(self.kept.path(), &folder);
    }

    /// Returns the scenario's command line.
    pub(crate) fn arguments(&self) -> [&'static str; 2] {
        [self.scenario.command, "--auto-approve"]
    }

    /// Starts the scenario's run.
    pub(crate) fn start(&self) -> Child {
        let mut command = self.world.command(&self.arguments());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("the binary can be run")
    }

    /// Runs a command to its end, or for ten minutes.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        // Files do not fill up as pipes do.
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [stdout, stderr] = ["stdout", "stderr"].map(|name| folder.path().join(name));
        let mut child = self
            .world
            .command(arguments)
            .stdout(File::create(&stdout).expect("a file"))
            .stderr(File::create(&stderr).expect("a file"))
            .spawn()
            .expect("the binary can be run");
        let mut code = None;
        let mut hangs = true;
        for _ in 0..LOOKS {
            if let Some(status) = child.try_wait().expect("it is our child") {
                (code, hangs) = (status.code(), false);
                break;
            }
            sleep(LOOK);
        }
        if hangs {
            child.kill().expect("it runs");
            child.wait().expect("it was killed");
        }
        let text = |path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        let (stdout, mut told) = (text(&stdout), text(&stderr));
        if hangs {
            told.push_str("It was still running after ten minutes.");
        }
        Ended { code, told: format!("{stdout}{told}"), stdout }
    }

    /// Starts the scenario's run, and kills it once an ordered fault has struck. Tells whether it came to that.
    pub(crate) fn kill_at_fault(&self) -> bool {
        let mut child = self.start();
        for _ in 0..HANGING {
            if self.world.waits_for_fault(Duration::from_secs(1)) {
                child.kill().expect("it is our child");
                child.wait().expect("it was killed");
                return true;
            }
            if child.try_wait().expect("it is our child").is_some() {
                return false;
            }
        }
        child.kill().expect("it is our child");
        child.wait().expect("it was killed");
        false
    }

    /// Returns the calls that are still under way.
    pub(crate) fn held(&self) -> Vec<String> {
        let log = self.world.calls()["log"].clone();
        let held = log.as_array().into_iter().flatten().filter(|entry| entry["seconds"].is_null());
        held.filter_map(|entry| entry["operation"].as_str()).map(str::to_owned).collect()
    }

    /// Starts the scenario's run, and kills it at the `nth` change to the disk, or lets it end with 0.
    ///
    /// Returns the changes that it made or was about to make.
    pub(crate) fn kill_at_change(&self, nth: usize) -> Result<Vec<String>, String> {
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/support/kill_at.py");
        let ours = self.world.command(&self.arguments());
        // Python has our environment and the binary its own: a shim that finds Python may need HOME.
        let mut command = std::process::Command::new("python3");
        command.arg(script).arg(self.world.path("")).arg(nth.to_string()).args(["env", "-i"]);
        for (name, value) in ours.get_envs() {
            let value = value.expect("nothing is taken out of an empty environment");
            let mut assignment = name.to_owned();
            assignment.push("=");
            assignment.push(value);
            command.arg(assignment);
        }
        command.arg(ours.get_program()).args(ours.get_args());
        command.current_dir(self.world.path("")).stdin(Stdio::null());
        let output = command.output().expect("Python can be run");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = told.lines().last().unwrap_or_default();
        let Ok(report) = serde_json::from_str::<Value>(last) else {
            return Err(format!("{told}{}", String::from_utf8_lossy(&output.stderr)));
        };
        let changes = report["changes"].as_array().into_iter().flatten();
        Ok(changes.filter_map(Value::as_str).map(str::to_owned).collect())
    }
}

/// Copies what is in a folder into another, which is there.
fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("it has a name"));
        if path.is_dir() {
            fs::create_dir(&target).expect("the folder can be made");
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("the file can be copied");
        }
    }
}
