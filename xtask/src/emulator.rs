//! The emulator's process, which ends with whoever started it.

use std::fs;
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::http;
use crate::venv::Venv;

/// How often a starting emulator is asked for, and for how long: 60 seconds, of which a slow
/// machine needs ten to import moto.
const POLL: Duration = Duration::from_millis(50);
const POLLS: u32 = 1200;

/// A running emulator. Dropping it stops it; so does the end of this process, however it comes,
/// because the emulator exits when its standard input closes.
pub(crate) struct Emulator {
    child: Child,
    port: u16,
    _stdin: ChildStdin,
}

impl Emulator {
    /// Starts an emulator on a port of the loopback interface, 0 for a free one, and waits until it
    /// answers.
    pub(crate) fn start(root: &Path, venv: &Venv, port: u16) -> Result<Self> {
        let port_file = root.join(format!("target/emulator-{}.port", std::process::id()));
        if port_file.exists() {
            fs::remove_file(&port_file)?;
        }
        let mut child = venv
            .python()
            .args(["-m", "reconcile_emulator", "--exit-with-stdin", "--port", &port.to_string()])
            .arg("--port-file")
            .arg(&port_file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("cannot start the emulator")?;
        let stdin = child.stdin.take().context("standard input was asked to be a pipe")?;
        let mut emulator = Self { child, port, _stdin: stdin };
        emulator.port = emulator.wait_for_port(&port_file)?;
        fs::remove_file(&port_file)?;
        emulator
            .control("GET", "health", "")
            .context("the emulator started but does not answer")?;
        Ok(emulator)
    }

    fn wait_for_port(&mut self, port_file: &Path) -> Result<u16> {
        for _ in 0..POLLS {
            if let Ok(text) = fs::read_to_string(port_file) {
                return text.trim().parse().context("the emulator's port file holds no port");
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the emulator ended before it answered ({status}); what it said is above");
            }
            sleep(POLL);
        }
        bail!("the emulator did not start within {} seconds", (POLL * POLLS).as_secs())
    }

    /// Where the emulator answers.
    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port it answers on.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sends a control request about the account of the access key `test`.
    pub(crate) fn control(&self, method: &str, what: &str, body: &str) -> Result<Value> {
        http::request(self.port, method, &format!("/_emulator/{what}"), body)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // Either call fails only when the process is already gone.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a client's environment must hold to talk to the emulator.
pub(crate) fn environment(endpoint: &str) -> [(&'static str, String); 5] {
    [
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_ACCESS_KEY_ID", "test".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
        ("AWS_REGION", "ap-northeast-2".to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
}

/// Runs the emulator until it is interrupted.
pub(crate) fn run_in_foreground(root: &Path, port: u16) -> Result<()> {
    let venv = Venv::ready(root)?;
    let mut emulator = Emulator::start(root, &venv, port)?;
    println!("The emulator answers at {}. In another terminal:\n", emulator.endpoint());
    for (name, value) in environment(&emulator.endpoint()) {
        println!("export {name}={value}");
    }
    println!("\ntests/emulator/README.md says how to steer it. Ctrl-C ends it.");
    let status = emulator.child.wait()?;
    if !status.success() {
        bail!("the emulator ended by itself ({status})");
    }
    Ok(())
}
