//! Bad input: every spec in `tests/bad-input`, and some that are made here because no repository should hold them, with
//! exactly what is said about each.
//!
//! A case is a file or a folder, beside it the recorded `.stderr`. `UPDATE=1` records anew; read the difference before
//! you commit it. A case whose spec says `# Run with: …` is given these arguments.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// The folder of the cases.
fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/bad-input")
}

/// Runs a command where nothing of AWS can be found, and where whoever calls it all the same is told something else:
/// the port is closed.
fn reconcile(folder: &Path, arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_reconcile"))
        .current_dir(folder)
        .env_clear()
        .env("HOME", home.path())
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .args(arguments)
        .output()
        .unwrap()
}

/// Runs `validate` and `plan` on a spec, and returns what both say on standard error.
fn refusal(folder: &Path, spec: &str, more: &[String]) -> String {
    let state = tempfile::tempdir().unwrap();
    let state_dir = state.path().to_str().unwrap();
    let mut texts = Vec::new();
    for start in [vec!["validate", spec], vec!["plan", spec, "--state-dir", state_dir]] {
        let arguments: Vec<&str> =
            start.iter().copied().chain(more.iter().map(String::as_str)).collect();
        let output = reconcile(folder, &arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?} in {folder:?}:\n{stderr}");
        assert!(output.stdout.is_empty(), "{arguments:?} writes to standard output");
        assert!(!stderr.contains("panicked"), "{stderr}");
        texts.push(stderr);
    }
    assert_eq!(texts[0], texts[1], "`plan` says something else than `validate` about {spec}");
    assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0, "a refused spec has no state");
    texts.remove(0)
}

/// Returns the arguments that a spec asks for.
fn arguments_of(spec: &Path) -> Vec<String> {
    let Ok(text) = fs::read_to_string(spec) else { return Vec::new() };
    let line = text.lines().find_map(|line| line.strip_prefix("# Run with: "));
    // Enough of a shell: words, of which those in single quotes have spaces.
    let mut words = Vec::new();
    for (index, part) in line.unwrap_or_default().split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The differences found so far.
#[derive(Default)]
struct Differences(Mutex<String>);

impl Differences {
    fn compare(&self, name: &str, recorded: &Path, said: &str) {
        let expected = fs::read_to_string(recorded).unwrap_or_default();
        if expected == said {
            return;
        }
        if std::env::var_os("UPDATE").is_some() {
            fs::write(recorded, said).unwrap();
            return;
        }
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(text, "--- {name}: recorded\n{expected}\n--- {name}: said\n{said}");
    }

    fn finish(self) {
        let text = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        assert!(text.is_empty(), "{text}\nUPDATE=1 records what is said now.");
    }
}

/// A case: the folder to run in, and the spec's name in it.
fn collect() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for group in fs::read_dir(cases()).unwrap() {
        let group = group.unwrap().path();
        if !group.is_dir() || group.ends_with("generated") {
            continue;
        }
        for case in fs::read_dir(&group).unwrap() {
            let case = case.unwrap().path();
            if case.is_dir() || case.extension().is_some_and(|end| end == "yaml") {
                let name = case.file_name().unwrap().to_str().unwrap().to_owned();
                found.push((group.clone(), name));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_bad_spec_is_told_exactly_what_is_wrong() {
    let all = collect();
    assert!(all.len() >= 90, "{} cases", all.len());
    let (differences, next) = (Differences::default(), AtomicUsize::new(0));
    let work = || {
        while let Some((group, name)) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            let spec = group.join(name);
            let first = match fs::read_dir(&spec) {
                Ok(entries) => entries
                    .map(|entry| entry.unwrap().path())
                    .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
                    .min()
                    .unwrap(),
                Err(_) => spec.clone(),
            };
            let text = fs::read(&first).unwrap();
            assert!(text.starts_with(b"# "), "{first:?} does not begin by saying what is wrong");
            let said = refusal(group, name, &arguments_of(&first));
            differences.compare(&spec.display().to_string(), &spec.with_extension("stderr"), &said);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(work);
        }
    });
    differences.finish();
}

#[test]
fn every_recording_has_its_case() {
    let names: Vec<PathBuf> = collect()
        .into_iter()
        .map(|(group, name)| group.join(name).with_extension("stderr"))
        .collect();
    for (group, _) in collect() {
        for entry in fs::read_dir(group).unwrap() {
            let path = entry.unwrap().path();
            let is_recording = path.extension().is_some_and(|end| end == "stderr");
            assert!(!is_recording || names.contains(&path), "{path:?} belongs to no case");
        }
    }
}

/// Compares what is said about a spec in a folder of its own, made by `make`, with `generated/NAME.stderr`.
fn generated(name: &str, spec: &str, make: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let said = refusal(folder.path(), spec, &[]);
    let differences = Differences::default();
    let recorded = cases().join("generated").join(name).with_extension("stderr");
    differences.compare(name, &recorded, &said);
    differences.finish();
}

/// Compares what is said about one file.
fn generated_file(name: &str, content: impl AsRef<[u8]>) {
    generated(name, "spec.yaml", |folder| fs::write(folder.join("spec.yaml"), content).unwrap());
}

#[test]
fn files_that_are_no_text() {
    generated_file("empty", "");
    generated_file("only_a_byte_order_mark", "\u{feff}");
    generated_file("only_spaces", " \n\n  \n");
    generated_file("latin_1", b"# Caf\xe9\nresource:\n");
    generated_file("latin_1_further_down", b"# fine\nresource:\n  aws_lb: # na\xefve\n");
    generated_file("utf_16", b"\xff\xfer\0e\0s\0o\0u\0r\0c\0e\0:\0\n\0");
    generated_file("nul_bytes", "resource:\n  aws_lb:\n    we\0b: {}\n");
    generated_file("escape_sequences", "resource:\n  \"aws_lb\\u001b[2J\":\n    web: {}\n");
    generated_file("picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    generated_file(
        "byte_order_mark_and_a_mistake",
        "\u{feff}resorce: {}\r\nlocals: { a: '${b}' }\r\n",
    );
}

#[test]
fn files_that_are_too_large() {
    // A file of 100 MB that takes no room on the disk.
    generated("large_file", "spec.yaml", |folder| {
        let file = fs::File::create(folder.join("spec.yaml")).unwrap();
        file.set_len(100_000_000).unwrap();
    });
    generated("large_file_in_a_folder", ".", |folder| {
        fs::write(folder.join("a.yaml"), "stack: web\n").unwrap();
        fs::File::create(folder.join("b.yaml")).unwrap().set_len(100_000_000).unwrap();
        fs::File::create(folder.join("c.yml")).unwrap().set_len(100_000_001).unwrap();
    });
    generated_file("long_line", format!("locals:\n  a: {}\n", "x".repeat(4_000_000)));
    let script = "x".repeat(2_000_000);
    generated_file(
        "long_expression",
        format!("locals:\n  a: |\n    ${{1 + }}{}\n", wrapped(&script)),
    );
}

/// Returns a text on lines of 1000 characters, indented for a block.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let (mut rest, width) = (text, 1000);
    while !rest.is_empty() {
        let (line, more) = rest.split_at(width.min(rest.len()));
        let _ = write!(out, "\n    {line}");
        rest = more;
    }
    out
}

#[test]
fn documents_that_explode() {
    let mut bomb =
        String::from("locals:\n  a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..30 {
        let items = vec![format!("*a{}", level - 1); 9].join(", ");
        let _ = writeln!(bomb, "  a{level}: &a{level} [{items}]");
    }
    generated_file("alias_bomb", &bomb);
    let mut locals = String::from("locals:\n  a0: [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..30 {
        let items = vec![format!("local.a{}", level - 1); 9].join(", ");
        let _ = writeln!(locals, "  a{level}: '${{[{items}]}}'");
    }
    generated_file("locals_bomb", &locals);
    generated_file(
        "deep_lists",
        format!("locals:\n  a: {}{}\n", "[".repeat(5000), "]".repeat(5000)),
    );
    let lists = format!("locals:\n  a: {}{}\n", "[".repeat(130), "]".repeat(130));
    generated_file("less_deep_lists", lists);
    generated_file("deep_lists_not_closed", format!("locals:\n  a: {}\n", "[".repeat(30_000)));
    generated_file("deep_mappings", {
        let mut text = String::from("locals:\n");
        for level in 1..300 {
            let _ = writeln!(text, "{}a:", "  ".repeat(level));
        }
        text
    });
    generated_file("large_range", "locals:\n  a: '${range(2000000)}'\n");
    generated_file("large_repetition", "locals:\n  a: '${format(\"%1000000000s\", \"\")}'\n");
}

#[test]
fn expressions_that_are_too_deep() {
    let parentheses =
        format!("locals:\n  a: '${{{}1{}}}'\n", "(".repeat(10_000), ")".repeat(10_000));
    generated_file("parentheses", parentheses);
    generated_file(
        "parentheses_not_closed",
        format!("locals:\n  a: '${{{}}}'\n", "(".repeat(10_000)),
    );
    generated_file("negations", format!("locals:\n  a: '${{{}true}}'\n", "!".repeat(10_000)));
    generated_file("sums", format!("locals:\n  a: '${{1{}}}'\n", " + 1".repeat(7_000)));
    generated_file(
        "conditionals",
        format!("locals:\n  a: '${{{}1}}'\n", "true ? 1 : ".repeat(2_500)),
    );
    generated_file(
        "calls",
        format!("locals:\n  a: '${{{}1{}}}'\n", "abs(".repeat(6_000), ")".repeat(6_000)),
    );
    generated_file(
        "steps",
        format!("locals:\n  b: {{}}\n  a: '${{local.b{}}}'\n", ".c".repeat(10_000)),
    );
    generated_file(
        "templates",
        format!("locals:\n  a: '{}x{}'\n", "${\"".repeat(2_000), "\"}".repeat(2_000)),
    );
    generated_file("directives", format!("locals:\n  a: '{}x'\n", "%{ if true }".repeat(2_500)));
}

#[test]
fn chains_as_long_as_a_spec() {
    // The chain itself is fine, so what is told is the mistake at its end, and that it runs in a circle.
    let chain = |links: usize, last: &str| {
        let mut text = String::from("locals:\n");
        for link in 0..links {
            let _ = writeln!(text, "  a{link}: ${{local.a{}}}", link + 1);
        }
        format!("{text}  a{links}: {last}\n")
    };
    generated_file("chain_with_a_mistake", chain(100_000, "${lenght(1)}"));
    generated_file("chain_in_a_circle", chain(20_000, "${local.a0}"));
    let mut wrapped = String::from("locals:\n  a0: x\n");
    for link in 1..2_000 {
        let _ = writeln!(wrapped, "  a{link}: ['${{local.a{}}}']", link - 1);
    }
    generated_file("chain_that_nests", wrapped);
}

#[test]
fn paths_that_lead_nowhere() {
    generated("missing_path", "nothing.yaml", |_| {});
    generated("missing_folder", "nothing/at/all", |_| {});
    generated("folder_without_yaml", ".", |folder| fs::write(folder.join("main.tf"), "").unwrap());
    generated("folder_with_hidden_files", ".", |folder| {
        fs::write(folder.join(".main.yaml"), "stack: x\n").unwrap();
    });
    generated("folder_of_empty_files", ".", |folder| {
        fs::write(folder.join("a.yaml"), "# nothing\n").unwrap();
        fs::write(folder.join("b.yml"), "").unwrap();
    });
    generated("name_of_the_folder", "my stack!", |folder| {
        fs::create_dir(folder.join("my stack!")).unwrap();
        fs::write(folder.join("my stack!/main.yaml"), "locals: { a: 1 }\n").unwrap();
    });
    generated("broken_files", ".", |folder| {
        // Each broken file is told; what the good one mentions may be in them, so that is not.
        fs::write(folder.join("a.yaml"), "locals: [\n").unwrap();
        fs::write(folder.join("b.yaml"), "locals: { a: '${local.b}' }\n").unwrap();
        fs::write(folder.join("c.yaml"), b"locals: \xff\n").unwrap();
    });
}

#[cfg(unix)]
#[test]
fn files_out_of_reach() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("secret.txt"), "hunter2").unwrap();
    generated("link_out_of_the_folder", ".", |folder| {
        symlink(secret.path().join("secret.txt"), folder.join("inside.txt")).unwrap();
        symlink(secret.path(), folder.join("folder")).unwrap();
        let spec = "locals:\n  a: ${file(\"inside.txt\")}\n  b: ${file(\"folder/secret.txt\")}\n  c: ${fileset(\".\", \"**\")}\n  d: ${filesha256(\"../../../../../../etc/passwd\")}\n  e: ${file(\"~/.ssh/id_ed25519\")}\n";
        fs::write(folder.join("main.yaml"), format!("stack: web\n{spec}")).unwrap();
    });
    generated("broken_link", "main.yaml", |folder| {
        symlink(folder.join("nothing"), folder.join("main.yaml")).unwrap();
    });
    generated("link_to_itself", "main.yaml", |folder| {
        symlink("main.yaml", folder.join("main.yaml")).unwrap();
    });
    // A superuser reads every file.
    let is_unreadable = |path: &Path| fs::read(path).is_err();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("main.yaml");
    fs::write(&path, "locals: { a: 1 }\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    if is_unreadable(&path) {
        let said = refusal(folder.path(), "main.yaml", &[]);
        assert_eq!(
            said,
            "Error: Cannot read the file `main.yaml`\n  Permission denied (os error 13).\n"
        );
    }
}

#[test]
fn as_json_the_same_is_told() {
    let folder = cases().join("arguments");
    let output = reconcile(&folder, &["validate", "--json", "everything_at_once.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.is_empty());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["valid"], false);
    let text = refusal(&folder, "everything_at_once.yaml", &[]);
    let summaries = text.lines().filter_map(|line| line.strip_prefix("Error: "));
    let diagnostics = json["diagnostics"].as_array().unwrap();
    assert!(summaries.eq(diagnostics.iter().map(|it| it["summary"].as_str().unwrap())));
    assert_eq!(json["error_count"], diagnostics.len());
}
