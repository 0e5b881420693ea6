//! A world to test in: a folder, an account on the emulator, and the binary.

mod http;
pub(crate) mod terminal;
pub(crate) mod walk;
pub(crate) mod web;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// The Region that all worlds are in.
pub(crate) const REGION: &str = "ap-northeast-2";

/// A folder, an account, and the binary.
pub(crate) struct World {
    folder: TempDir,
    key: String,
    endpoint: String,
    environment: BTreeMap<String, String>,
}

/// What a command came to.
pub(crate) struct CommandOutput {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    command: String,
}

impl World {
    /// Returns a world with an empty folder and an account that nobody else has.
    pub(crate) fn new() -> Self {
        let endpoint = std::env::var_os("RECONCILE_TEST_ENDPOINT")
            .expect(
                "RECONCILE_TEST_ENDPOINT is not set: run `cargo xtask test`, or `cargo xtask emulator` and set it to its endpoint",
            )
            .into_string()
            .expect("an endpoint is text");
        let key = format!("AKIA{}", uuid::Uuid::new_v4().simple()).to_uppercase();
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder, key, endpoint, environment: BTreeMap::new() }
    }

    /// Returns a world whose folder holds a spec, `main.yaml`, with a provider block put before it.
    pub(crate) fn with_spec(spec: &str) -> Self {
        let world = Self::new();
        world.spec(spec);
        world
    }

    /// Writes `main.yaml` anew: the stack `test` in the Region, and then `spec`.
    pub(crate) fn spec(&self, spec: &str) {
        let head = format!("stack: test\nprovider: {{ aws: {{ region: {REGION} }} }}\n");
        self.write("main.yaml", &(head + spec));
    }

    /// Copies one of the ready-made stacks of `specs/` into the folder.
    pub(crate) fn with_stack(name: &str) -> Self {
        let mut world = Self::new();
        // The addresses of the emulator's load balancers lead nowhere: waiting for them would be in vain.
        world.set("RECONCILE_VAR_check_attempts", "1");
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs").join(name);
        for entry in std::fs::read_dir(&from).expect("the stack is there") {
            let path = entry.expect("the folder can be read").path();
            if path.extension().is_some_and(|it| it == "yaml") {
                let target = world.path(path.file_name().expect("a file").to_str().expect("UTF-8"));
                std::fs::copy(&path, target).expect("the file can be copied");
            }
        }
        world
    }

    /// Sets an environment variable for the commands.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// Returns the path of a file in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        std::fs::write(path, content).expect("the file can be written");
    }

    /// Reads a file of the folder.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("the file can be read")
    }

    /// Replaces a text in `main.yaml`, which must have it.
    pub(crate) fn edit(&self, file: &str, from: &str, to: &str) {
        let text = self.read(file);
        assert!(text.contains(from), "{file} has no `{from}`");
        self.write(file, &text.replace(from, to));
    }

    /// Returns the command, ready to be started: in the folder, with nothing of our environment but what is set here.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reconcile"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", &self.key)
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            // Where there is no network, a name that does not resolve is known at once.
            .env("RES_OPTIONS", "timeout:1 attempts:1")
            .envs(&self.environment)
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end.
    #[must_use = "assert how it ended, or snapshot it"]
    pub(crate) fn run(&self, arguments: &[&str]) -> CommandOutput {
        let output = self.command(arguments).output().expect("the binary can be run");
        CommandOutput {
            code: output.status.code(),
            stdout: self.readable(&output.stdout),
            stderr: self.readable(&output.stderr),
            command: arguments.join(" "),
        }
    }

    /// Runs a line as a user pastes it into a shell.
    #[must_use = "assert how it ended, or snapshot it"]
    pub(crate) fn shell(&self, line: &str) -> CommandOutput {
        let binary = Path::new(env!("CARGO_BIN_EXE_reconcile"));
        let folder = binary.parent().expect("a binary is in a folder").display().to_string();
        let ours = self.command(&[]);
        let mut command = Command::new("sh");
        command.args(["-c", line]).current_dir(self.folder.path()).env_clear();
        command.stdin(Stdio::null());
        for (name, value) in ours.get_envs() {
            if let Some(value) = value {
                command.env(name, value);
            }
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = path.to_string_lossy();
        let output = command.env("PATH", format!("{folder}:{path}")).output().expect("a shell");
        CommandOutput {
            code: output.status.code(),
            stdout: self.readable(&output.stdout),
            stderr: self.readable(&output.stderr),
            command: line.to_owned(),
        }
    }

    /// Applies the spec, which must succeed, and checks that planning again finds nothing to do.
    pub(crate) fn converge(&self) {
        self.run(&["apply", "--auto-approve"]).success();
        self.assert_converged();
    }

    /// Checks that there is nothing to do.
    pub(crate) fn assert_converged(&self) {
        self.run(&["plan", "--detailed-exitcode"]).success();
    }

    /// Plans, and returns the plan as JSON.
    pub(crate) fn plan_json(&self) -> Value {
        let output = self.run(&["plan", "--json"]).success();
        serde_json::from_str(&output.stdout).expect("the plan is JSON")
    }

    /// Returns what the plan does to an address: `["update"]`, with `["no-op"]` for nothing at all.
    pub(crate) fn actions(&self, address: &str) -> Vec<String> {
        let plan = self.plan_json();
        let changes = plan["resource_changes"].as_array().expect("a list");
        let change = changes.iter().find(|change| change["address"] == address);
        let Some(change) = change else { return vec!["no-op".to_owned()] };
        let actions = change["change"]["actions"].as_array().expect("a list");
        actions.iter().map(|action| action.as_str().expect("text").to_owned()).collect()
    }

    /// Returns the recorded attributes of an address.
    pub(crate) fn attributes(&self, address: &str) -> Value {
        let output = self.run(&["show", "--json"]).success();
        let state: Value = serde_json::from_str(&output.stdout).expect("the state is JSON");
        let resources = state["values"]["root_module"]["resources"].as_array().cloned();
        let found = resources.into_iter().flatten().find(|it| it["address"] == address);
        found.unwrap_or_else(|| panic!("{address} is not recorded"))["values"].clone()
    }

    /// Returns the recorded id of an address.
    pub(crate) fn id(&self, address: &str) -> String {
        self.attributes(address)["id"].as_str().expect("an id").to_owned()
    }

    /// Destroys the stack, which must succeed, and checks that the account holds nothing of ours.
    pub(crate) fn destroy(&self) {
        self.run(&["destroy", "--auto-approve"]).success();
        self.assert_empty();
    }

    /// Checks that the account holds nothing but what AWS put there, and that the emulator knew every call.
    pub(crate) fn assert_empty(&self) {
        let inventory = self.inventory();
        assert_eq!(inventory["total"], 0, "{inventory:#}");
        assert_eq!(self.calls()["unimplemented"], json!([]));
    }

    /// Makes an API call behind the tool's back.
    pub(crate) fn call(&self, service: &str, operation: &str, parameters: &Value) -> Value {
        self.control("POST", &format!("call/{service}/{operation}"), Some(parameters))
    }

    /// Returns every object that AWS did not make itself, by kind.
    pub(crate) fn inventory(&self) -> Value {
        self.control("GET", "inventory", None)
    }

    /// Returns how many calls were made, in all and by operation.
    pub(crate) fn calls(&self) -> Value {
        self.control("GET", "calls", None)
    }

    /// Returns every call that was made, in order.
    pub(crate) fn call_log(&self) -> Value {
        self.calls()["log"].clone()
    }

    /// Forgets the calls made so far.
    pub(crate) fn forget_calls(&self) {
        self.control("POST", "reset?what=calls", None);
    }

    /// Changes the emulator's settings for this world.
    pub(crate) fn settings(&self, settings: &Value) {
        self.control("POST", "settings", Some(settings));
    }

    /// Orders a fault, or a list of them, for this world.
    pub(crate) fn fault(&self, fault: &Value) {
        self.control("POST", "faults", Some(fault));
    }

    /// Withdraws every fault; calls that one of them held go on.
    pub(crate) fn forget_faults(&self) {
        self.control("DELETE", "faults", None);
    }

    /// Keeps what is in the account, to be put back by [`World::restore`]. Nothing may be on its way.
    pub(crate) fn save(&self) {
        self.control("POST", "save", None);
    }

    /// Puts back what was in the account, and withdraws every fault and forgets the calls made so far.
    pub(crate) fn restore(&self) {
        self.control("POST", "restore", None);
    }

    /// Waits for an ordered fault to strike, at most so long, and tells whether one has.
    pub(crate) fn waits_for_fault(&self, at_most: Duration) -> bool {
        let path = format!("faults?struck_within={}", at_most.as_secs_f32());
        let faults = self.control("GET", &path, None);
        let mut faults = faults["faults"].as_array().into_iter().flatten();
        faults.any(|fault| fault["struck"].as_u64() > Some(0))
    }

    /// Waits until an ordered fault has struck.
    #[track_caller]
    pub(crate) fn wait_for_fault(&self) {
        assert!(self.waits_for_fault(Duration::from_secs(30)), "no fault has struck in 30 s");
    }

    /// Checks that a text is in no file of the folder.
    pub(crate) fn assert_nowhere(&self, text: &str) {
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("the folder can be read") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let bytes = std::fs::read(&path).expect("the file can be read");
                    let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
                    assert!(!found, "a secret is in {}", path.display());
                }
            }
        }
    }

    fn control(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!("/_emulator/{path}{separator}access_key={}", self.key);
        http::request(&self.endpoint, method, &path, body)
    }

    /// Returns output with the folder's random name taken out.
    fn readable(&self, bytes: &[u8]) -> String {
        let folder = self.folder.path().to_str().expect("UTF-8").to_owned();
        String::from_utf8_lossy(bytes).replace(&folder, "[folder]")
    }
}

/// Sends a process what Ctrl-C sends.
pub(crate) fn interrupt(child: &Child) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status();
    assert!(sent.expect("kill is there").success());
}

impl CommandOutput {
    /// Checks that it ended with 0.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        self.code(0)
    }

    /// Checks how it ended.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Returns it with each run of white space as one space, for texts that may be broken into lines anywhere.
    pub(crate) fn unwrapped(mut self) -> Self {
        for text in [&mut self.stdout, &mut self.stderr] {
            *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        self
    }

    /// Checks that it said something.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "no `{text}` in {self}");
        self
    }

    /// Checks that it did not say something.
    #[track_caller]
    pub(crate) fn never_says(self, text: &str) -> Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "`{text}` in {self}");
        self
    }
}

impl fmt::Display for CommandOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "$ reconcile {}", self.command)?;
        f.write_str(&self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "------- stderr -------\n{}", self.stderr)?;
        }
        match self.code {
            Some(0) => Ok(()),
            Some(code) => writeln!(f, "[exit status: {code}]"),
            None => writeln!(f, "[killed]"),
        }
    }
}
