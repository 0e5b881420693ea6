//! Programs that some tests need and cargo cannot build: a browser, a web server.
//!
//! Nothing else leans on them: where they are not there and cannot be installed, the tests that need them are skipped,
//! and the task says so at its end.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run;

/// A program that tests start.
struct Program {
    /// What it is called on the PATH; the first that is found is taken.
    names: &'static [&'static str],
    /// The package it is in on Debian and its kin.
    package: &'static str,
    /// The environment variable that tells tests where it is.
    variable: &'static str,
    /// What is not tested without it.
    tests: &'static str,
}

const PROGRAMS: [Program; 2] = [
    Program {
        names: &["chromium", "chromium-browser", "google-chrome"],
        package: "chromium",
        variable: "RECONCILE_TEST_CHROMIUM",
        tests: "the HTML plan in a browser",
    },
    Program {
        names: &["nginx"],
        package: "nginx",
        variable: "RECONCILE_TEST_NGINX",
        tests: "checks against a load balancer over two web servers",
    },
];

/// Where daemons are that are not on everyone's PATH.
const SYSTEM_FOLDERS: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Where each program is, or that it is missing.
pub(crate) struct Programs {
    places: Vec<(&'static Program, Option<PathBuf>)>,
}

impl Programs {
    /// Looks for the programs. What is missing is installed where that needs nobody's word: on Debian, as root.
    pub(crate) fn ready() -> Self {
        let found = Self::found();
        let missing = found.missing();
        if missing.is_empty() || !can_install() {
            return found;
        }
        install(&missing);
        Self::found()
    }

    fn found() -> Self {
        Self { places: PROGRAMS.iter().map(|program| (program, place(program))).collect() }
    }

    fn missing(&self) -> Vec<&'static str> {
        let missing = self.places.iter().filter(|(_, place)| place.is_none());
        missing.map(|(program, _)| program.package).collect()
    }

    /// Returns what tells tests where the programs are.
    pub(crate) fn environment(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        self.places
            .iter()
            .filter_map(|(program, place)| Some((program.variable, place.as_deref()?)))
    }

    /// Returns what was not tested, and what to install for it; nothing when all programs are there.
    pub(crate) fn skipped(&self) -> Option<String> {
        let missing = self.missing();
        if missing.is_empty() {
            return None;
        }
        let skipped = self.places.iter().filter(|(_, place)| place.is_none());
        let tests: Vec<&str> = skipped.map(|(program, _)| program.tests).collect();
        Some(format!(
            "SKIPPED: {}. Install what these tests need, then run the task again: \
             sudo apt-get install {}",
            tests.join("; "),
            missing.join(" ")
        ))
    }
}

/// Returns where a program is: where its variable says, or on the PATH.
fn place(program: &Program) -> Option<PathBuf> {
    if let Some(given) = env::var_os(program.variable) {
        return Some(given.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        env::split_paths(&path).chain(SYSTEM_FOLDERS.map(PathBuf::from)).collect();
    let places = program.names.iter().flat_map(|name| folders.iter().map(move |it| it.join(name)));
    places.into_iter().find(|place| place.is_file())
}

/// Tells whether this is Debian or its kin, and we are root, as in a container of continuous integration.
fn can_install() -> bool {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|it| it.stdout == b"0\n");
    is_root && Path::new("/etc/debian_version").exists()
}

/// Installs packages. Where that fails, it is told, and the tests are skipped.
fn install(packages: &[&str]) {
    println!("\nInstalling what tests need (once): {} …", packages.join(", "));
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]).args(arguments);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        // A server that is installed for tests shall not start by itself: at this runlevel none does.
        apt.env("RUNLEVEL", "1");
        run::quietly(&mut apt)
    };
    let mut arguments = vec!["install", "--yes", "--quiet", "--no-install-recommends"];
    arguments.extend(packages);
    if let Err(error) = apt(&["update", "--quiet"]).and_then(|_| apt(&arguments)) {
        println!("It failed: {error:#}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_with_its_cure() {
        let [chromium, nginx] = &PROGRAMS;
        let here = Some(PathBuf::from("/usr/sbin/nginx"));
        let programs = Programs { places: vec![(chromium, None), (nginx, here.clone())] };
        let said = programs.skipped().unwrap();
        assert!(said.contains("SKIPPED: the HTML plan in a browser."), "{said}");
        assert!(said.ends_with("sudo apt-get install chromium"), "{said}");
        let told: Vec<_> = programs.environment().collect();
        assert_eq!(told, [("RECONCILE_TEST_NGINX", Path::new("/usr/sbin/nginx"))]);

        let all = Programs { places: vec![(chromium, here.clone()), (nginx, here)] };
        assert_eq!(all.skipped(), None);
    }
}
