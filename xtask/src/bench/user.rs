//! One who uses the release binary, and a stopwatch.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::emulator::{self, Emulator};
use crate::venv::Venv;
use crate::{cargo, http, run};

/// Starts a command, waits for it, and tells what it took: only its parent can ask the system for that.
const STOPWATCH: &str = "
import json, os, sys, time
began = time.perf_counter()
child = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(child, 0)
took = time.perf_counter() - began
with open(sys.argv[1], 'w') as out:
    json.dump({'seconds': took, 'cpu': usage.ru_utime + usage.ru_stime, 'kib': usage.ru_maxrss,
               'code': os.waitstatus_to_exitcode(status)}, out)
";

/// The binary, the emulator, and where files may be put.
pub(crate) struct Bench<'a> {
    pub(crate) root: &'a Path,
    pub(crate) binary: PathBuf,
    venv: &'a Venv,
    emulator: &'a Emulator,
    folder: PathBuf,
}

/// What one run of the binary took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Took {
    pub(crate) seconds: f64,
    /// Seconds of processor time, the system's included.
    pub(crate) cpu: f64,
    /// The most memory that was resident, in MiB.
    pub(crate) mib: f64,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(
        root: &'a Path,
        venv: &'a Venv,
        emulator: &'a Emulator,
        dev: bool,
    ) -> Result<Self> {
        let mut binary = cargo::dev_binary(root, "reconcile")?;
        if !dev {
            let name = binary.file_name().context("the binary has a name")?.to_owned();
            let target = binary.parent().and_then(Path::parent).context("it is in a folder")?;
            binary = target.join("release").join(name);
        }
        let folder = std::env::temp_dir().join(format!("reconcile-bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        Ok(Self { root, binary, venv, emulator, folder })
    }

    /// Returns a user with an account and a folder of their own, which holds the spec.
    pub(crate) fn user(&self, name: &str, spec: &Path) -> Result<User<'_>> {
        let home = self.folder.join(name);
        fs::create_dir_all(&home)?;
        if spec.is_dir() {
            for entry in fs::read_dir(spec)? {
                let path = entry?.path();
                if path.extension().is_some_and(|it| it == "yaml") {
                    fs::copy(&path, home.join(path.file_name().context("a file has a name")?))?;
                }
            }
        } else {
            fs::copy(spec, home.join("main.yaml"))?;
        }
        let key = format!("AKIABENCH{}", name.to_uppercase().replace(['-', '_'], ""));
        Ok(User { bench: self, home, key })
    }
}

impl Drop for Bench<'_> {
    fn drop(&mut self) {
        // A folder left in the temporary directory is no reason to fail.
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// One who uses the binary.
pub(crate) struct User<'a> {
    bench: &'a Bench<'a>,
    pub(crate) home: PathBuf,
    key: String,
}

impl User<'_> {
    /// Runs the binary, which must succeed.
    pub(crate) fn runs(&self, arguments: &[&str]) -> Result<Took> {
        self.times(Command::new(&self.bench.binary).args(arguments).current_dir(&self.home))
    }

    /// Runs any program as this user, which must succeed.
    pub(crate) fn times(&self, timed: &Command) -> Result<Took> {
        let out = self.home.join("took.json");
        let mut command = self.bench.venv.python();
        command.args(["-c", STOPWATCH]).arg(&out).arg(timed.get_program()).args(timed.get_args());
        self.lives_in(&mut command);
        command.current_dir(timed.get_current_dir().unwrap_or(&self.home));
        let output = command.output().context("cannot start the stopwatch")?;
        let took: Value = serde_json::from_slice(&fs::read(&out).context("it took no time")?)?;
        fs::remove_file(out)?;
        if took["code"] != 0 {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            bail!("`{}` exited with {}\n{said}", run::shown(timed), took["code"]);
        }
        let number = |name: &str| took[name].as_f64().context("the stopwatch tells numbers");
        let took =
            Took { seconds: number("seconds")?, cpu: number("cpu")?, mib: number("kib")? / 1024.0 };
        println!("{}: {took:.3?}", run::shown(timed));
        Ok(took)
    }

    /// Runs the binary several times, and returns the medians.
    pub(crate) fn runs_often(&self, times: usize, arguments: &[&str]) -> Result<Took> {
        let all: Vec<Took> =
            (0..times).map(|_| self.runs(arguments)).collect::<Result<Vec<_>>>()?;
        let median = |of: fn(&Took) -> f64| median(all.iter().map(of).collect());
        let (seconds, cpu, mib) =
            (median(|it| it.seconds), median(|it| it.cpu), median(|it| it.mib));
        Ok(Took { seconds, cpu, mib })
    }

    fn lives_in(&self, command: &mut Command) {
        command
            .envs(emulator::environment(&self.bench.emulator.endpoint()))
            .env("AWS_ACCESS_KEY_ID", &self.key)
            .env("AWS_CONFIG_FILE", self.home.join("no-config"))
            .env("AWS_SHARED_CREDENTIALS_FILE", self.home.join("no-credentials"));
        for name in ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_PROFILE"] {
            command.env_remove(name);
        }
    }

    /// Changes a file of the spec.
    pub(crate) fn edits(&self, from: &str, to: &str) -> Result<()> {
        let path = self.home.join("main.yaml");
        let text = fs::read_to_string(&path)?;
        if !text.contains(from) {
            bail!("main.yaml has no `{from}`");
        }
        Ok(fs::write(path, text.replace(from, to))?)
    }

    /// Returns the calls made since they were last forgotten.
    pub(crate) fn calls(&self) -> Result<Value> {
        self.asks("GET", "calls?log=0", "")
    }

    pub(crate) fn forgets_calls(&self) -> Result<()> {
        self.asks("POST", "reset?what=calls", "").map(drop)
    }

    pub(crate) fn sets(&self, settings: &Value) -> Result<()> {
        self.asks("POST", "settings", &settings.to_string()).map(drop)
    }

    pub(crate) fn settings(&self) -> Result<Value> {
        self.asks("GET", "settings", "")
    }

    /// Sends a control request about this user's account.
    fn asks(&self, method: &str, what: &str, body: &str) -> Result<Value> {
        let separator = if what.contains('?') { '&' } else { '?' };
        let path = format!("/_emulator/{what}{separator}access_key={}", self.key);
        http::request(self.bench.emulator.port(), method, &path, body)
    }
}

/// Returns the middle one of some numbers.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Returns a count of an answer.
pub(crate) fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}
