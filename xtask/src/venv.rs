//! Virtual environments: made on first use, remade when their pins change.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run;

/// What moto and boto3 need.
const OLDEST_PYTHON: (u32, u32) = (3, 10);

/// Names a Python 3 goes by, the likeliest first.
const NAMES: [&str; 7] =
    ["python3", "python", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10"];

/// A virtual environment that holds exactly what `tests/NAME/requirements.txt` pins.
pub(crate) struct Venv {
    root: PathBuf,
    /// Whose packages they are: `emulator`, `policy`.
    name: &'static str,
    folder: PathBuf,
}

impl Venv {
    /// Returns the emulator's environment, making it first if there is none for the pins as they are now.
    ///
    /// Fails with what to install when this machine has no fitting Python.
    pub(crate) fn ready(root: &Path) -> Result<Self> {
        Self::of(root, "emulator")
    }

    /// Returns the environment of `tests/NAME`, in the same way.
    pub(crate) fn of(root: &Path, name: &'static str) -> Result<Self> {
        let target = root.join("target");
        fs::create_dir_all(&target)?;
        let folder = target.join(format!("{name}-venv"));
        let venv = Self { root: root.to_path_buf(), name, folder };
        let pins = fs::read_to_string(venv.requirements())?;
        // Two tasks started together must not both make it.
        let lock = File::create(target.join(format!("{name}-venv.lock")))?;
        lock.lock()?;
        if !venv.holds(&pins) {
            venv.make(&pins)?;
        }
        Ok(venv)
    }

    fn requirements(&self) -> PathBuf {
        self.root.join(format!("tests/{}/requirements.txt", self.name))
    }

    fn stamp(&self) -> PathBuf {
        self.folder.join("installed-requirements.txt")
    }

    /// Whether the environment was finished, for these very pins, and still runs.
    fn holds(&self, pins: &str) -> bool {
        fs::read_to_string(self.stamp()).is_ok_and(|installed| installed == pins)
            && Command::new(self.interpreter())
                .arg("--version")
                .output()
                .is_ok_and(|output| output.status.success())
    }

    fn make(&self, pins: &str) -> Result<()> {
        let python = find_python()?;
        println!("Installing the Python packages of tests/{} (once) …", self.name);
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        let mut create = Command::new(&python);
        create.args(["-m", "venv"]).arg(&self.folder);
        run::quietly(&mut create).context(
            "cannot make a virtual environment; on Debian and Ubuntu it needs a package of its own: \
             sudo apt install python3-venv",
        )?;
        let mut install = Command::new(self.interpreter());
        install
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(self.requirements());
        run::quietly(&mut install).context(
            "cannot install Python packages from PyPI; is there a network, \
             and is `pip config list` right about it?",
        )?;
        // Written last: an environment without it was not finished.
        fs::write(self.stamp(), pins)?;
        Ok(())
    }

    fn interpreter(&self) -> PathBuf {
        if cfg!(windows) {
            self.folder.join("Scripts/python.exe")
        } else {
            self.folder.join("bin/python")
        }
    }

    /// Returns the environment's Python, which finds the packages of `tests/NAME` and writes nothing
    /// beside their sources.
    pub(crate) fn python(&self) -> Command {
        let mut command = Command::new(self.interpreter());
        command
            .env("PYTHONPATH", self.root.join("tests").join(self.name))
            .env("PYTHONPYCACHEPREFIX", self.root.join(format!("target/{}-pycache", self.name)))
            .env("PYTHONUNBUFFERED", "1");
        command
    }
}

fn find_python() -> Result<String> {
    let mut too_old = Vec::new();
    for name in NAMES {
        let script = "import sys; print(*sys.version_info[:2])";
        let Ok(output) = Command::new(name).args(["-c", script]).output() else { continue };
        let text = String::from_utf8_lossy(&output.stdout);
        let mut numbers = text.split_whitespace().map(str::parse::<u32>);
        let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { continue };
        if (major, minor) >= OLDEST_PYTHON {
            return Ok(name.to_owned());
        }
        too_old.push(format!("{name} is {major}.{minor}"));
    }
    let (major, minor) = OLDEST_PYTHON;
    let found = if too_old.is_empty() { "none was found".to_owned() } else { too_old.join(", ") };
    bail!("the emulator needs Python {major}.{minor} or newer on the PATH; {found}")
}
