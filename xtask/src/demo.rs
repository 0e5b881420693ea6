//! `cargo xtask demo`: the life of the lab-web stack, as a user would live it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::json;

use crate::emulator::{self, Emulator};
use crate::venv::Venv;
use crate::{cargo, run};

const STACK: &str = "lab-web";

/// Seconds that everything asynchronous takes, so that waiting can be seen.
const DURATION_SECONDS: u32 = 3;

/// Plans, applies, drifts, mends and destroys the stack, and checks that nothing is left.
pub(crate) fn run(root: &Path) -> Result<()> {
    run::must_succeed(cargo::command(root).args(["build", "--package", "reconcile-cli"]))?;
    let venv = Venv::ready(root)?;
    let emulator = Emulator::start(root, &venv, 0)?;
    let settings = format!("{{\"durations\": {DURATION_SECONDS}}}");
    emulator.control("POST", "settings", &settings)?;
    println!("\nAn AWS emulator answers at {}; no account is touched.", emulator.endpoint());

    let user = User::moves_in(root, emulator.endpoint())?;
    user.runs(&["plan", STACK], 0)?;
    user.runs(&["apply", STACK, "--auto-approve"], 0)?;
    say("Planning again finds nothing to do, which exit code 0 says too.");
    user.runs(&["plan", STACK, "--detailed-exitcode"], 0)?;
    say("Someone opens port 8080 behind the tool's back:");
    open_port(&emulator, "lab-web-sg", 8080)?;
    user.runs(&["plan", STACK, "--detailed-exitcode"], 2)?;
    user.runs(&["apply", STACK, "--auto-approve"], 0)?;
    user.runs(&["plan", STACK, "--detailed-exitcode"], 0)?;
    user.runs(&["destroy", STACK, "--auto-approve"], 0)?;

    let inventory = emulator.control("GET", "inventory", "")?;
    if inventory["total"] != 0 {
        bail!("objects are left behind:\n{inventory:#}");
    }
    let calls = emulator.control("GET", "calls?log=0", "")?;
    println!("\nNothing is left. The stack's whole life took {} API calls.", calls["total"]);
    Ok(())
}

/// Opens a port of a security group to the world, as a colleague with the AWS command line would.
fn open_port(emulator: &Emulator, group_name: &str, port: u16) -> Result<()> {
    let wanted = json!({ "Filters": [{ "Name": "group-name", "Values": [group_name] }] });
    let groups =
        emulator.control("POST", "call/ec2/DescribeSecurityGroups", &wanted.to_string())?;
    let group_id =
        groups["SecurityGroups"][0]["GroupId"].as_str().context("the stack has no such group")?;
    println!(
        "\n$ aws ec2 authorize-security-group-ingress --group-id {group_id} --protocol tcp --port {port} \
         --cidr 0.0.0.0/0"
    );
    let everyone = json!([{ "CidrIp": "0.0.0.0/0" }]);
    let permission =
        json!({ "IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": everyone });
    let rule = json!({ "GroupId": group_id, "IpPermissions": [permission] });
    emulator.control("POST", "call/ec2/AuthorizeSecurityGroupIngress", &rule.to_string())?;
    Ok(())
}

fn say(text: &str) {
    println!("\n# {text}");
}

/// Someone with a folder, the binary on the PATH, and credentials in the environment.
struct User {
    home: PathBuf,
    binary: PathBuf,
    endpoint: String,
}

impl User {
    fn moves_in(root: &Path, endpoint: String) -> Result<Self> {
        let name = format!("reconcile-demo-{}", std::process::id());
        let home = std::env::temp_dir().join(name);
        copy(&root.join("specs").join(STACK), &home.join(STACK))?;
        let binary = cargo::dev_binary(root, "reconcile")?;
        Ok(Self { home, binary, endpoint })
    }

    fn lives_in(&self, command: &mut Command) {
        command.current_dir(&self.home).envs(emulator::environment(&self.endpoint));
        // The user's own profile must not lead the demo to a real account.
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE"] {
            command.env_remove(name);
        }
        // The addresses of the emulator's load balancers lead nowhere: waiting for them would be in vain.
        command.env("RECONCILE_VAR_check_attempts", "1");
        command.env("AWS_CONFIG_FILE", self.home.join("no-config"));
        command.env("AWS_SHARED_CREDENTIALS_FILE", self.home.join("no-credentials"));
    }

    fn runs(&self, arguments: &[&str], expected: i32) -> Result<()> {
        let mut command = Command::new(&self.binary);
        self.lives_in(command.args(arguments));
        run::must_exit_with(&mut command, expected)
    }
}

impl Drop for User {
    fn drop(&mut self) {
        // A folder left in the temporary directory is no reason to fail.
        drop(fs::remove_dir_all(&self.home));
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
