//! The documentation against the program: generated pages, examples, links, and the commands' flags.
//!
//! `UPDATE=1 cargo test -p reconcile-cli --test reference` writes the generated pages anew.

mod markdown;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use reconcile_model::{Diagnostic, Mode, Schema, SchemaSet};
use reconcile_report::reference;
use reconcile_spec::{Inputs, Sources, load, read_sources};

/// The commands, with those that `state` has.
const COMMANDS: [&[&str]; 19] = [
    &["validate"],
    &["plan"],
    &["apply"],
    &["destroy"],
    &["check"],
    &["show"],
    &["output"],
    &["graph"],
    &["import"],
    &["state", "list"],
    &["state", "show"],
    &["state", "mv"],
    &["state", "rm"],
    &["schema"],
    &["completions"],
    &["state", "pull"],
    &["state", "push"],
    &["state", "migrate"],
    &["unlock"],
];

#[test]
fn the_pages_of_types_are_in_step_with_the_schemas() {
    let pages = pages();
    let mut stale = BTreeSet::new();
    for (path, expected) in &pages {
        if !fs::read_to_string(root().join(path)).is_ok_and(|found| found == *expected) {
            stale.insert(path.clone());
        }
    }
    for mode in [Mode::Managed, Mode::Data] {
        for file in files_below(&root().join("docs").join(reference::folder(mode))) {
            stale.extend(Some(below_root(&file)).filter(|path| !pages.contains_key(path)));
        }
    }
    if std::env::var_os("UPDATE").is_none() {
        assert!(
            stale.is_empty(),
            "run `UPDATE=1 cargo test -p reconcile-cli --test reference`: {stale:#?}"
        );
        return;
    }
    for path in stale {
        let file = root().join(&path);
        match pages.get(&path) {
            Some(page) => {
                fs::create_dir_all(file.parent().expect("it is in a folder")).expect("a folder");
                fs::write(&file, page).expect("the page can be written");
            }
            None => fs::remove_file(&file).expect("the page can be removed"),
        }
    }
}

#[test]
fn the_picture_of_the_stack_is_in_step_with_it() {
    let output = Command::new(env!("CARGO_BIN_EXE_reconcile"))
        .args(["graph", "specs/lab-web", "--format", "svg"])
        .current_dir(root())
        .output()
        .expect("the binary can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let path = root().join("docs/pictures/lab-web.svg");
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().expect("it is in a folder")).expect("a folder");
        fs::write(&path, &output.stdout).expect("the picture can be written");
    }
    let is_in_step = fs::read(&path).is_ok_and(|found| found == output.stdout);
    assert!(is_in_step, "run `UPDATE=1 cargo test -p reconcile-cli --test reference`");
}

#[test]
fn every_type_has_an_example_that_is_valid_and_uses_it() {
    let mut wrong = Vec::new();
    let types = types(&schemas());
    for (name, schema) in &types {
        let loaded = read_sources(&example_of(name), &[])
            .and_then(|sources| load(&sources, &Inputs::default(), &schemas()));
        match loaded {
            Err(errors) => wrong.push(format!("{name}: {}", told(&errors))),
            Ok(loaded) => {
                let mut blocks = loaded.spec.blocks.keys();
                if !blocks.any(|it| it.mode == schema.mode && *it.type_name == *schema.type_name) {
                    wrong.push(format!("{name}: the example does not use it"));
                }
                if !loaded.warnings.is_empty() {
                    wrong.push(format!("{name}: {}", told(&loaded.warnings)));
                }
            }
        }
    }
    for file in files_below(&root().join("docs/examples")) {
        if !types.iter().any(|(name, _)| example_of(name) == file) {
            wrong.push(format!("{} is an example of no type", below_root(&file)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn specs_in_documents_are_valid() {
    let mut wrong = Vec::new();
    for file in documents() {
        for (line, spec) in markdown::fences(&read(&file), "yaml spec") {
            let sources = Sources::from_texts("document", [("document.yaml", &*spec)]);
            if let Err(errors) = load(&sources, &Inputs::default(), &schemas()) {
                wrong.push(format!("{}:{line}: {}", below_root(&file), told(&errors)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A line of the tutorials that is not in the stack would lead their readers astray.
#[test]
fn the_tutorials_quote_the_stack_as_it_is() {
    let is_spec = |file: &&PathBuf| file.extension().is_some_and(|it| it == "yaml");
    let files = files_below(&root().join("specs/lab-web"));
    let spec: String = files.iter().filter(is_spec).map(|file| read(file)).collect();
    let lines: BTreeSet<&str> = spec.lines().map(str::trim).collect();
    let mut wrong = Vec::new();
    for name in ["docs/tutorial.md", "docs/tutorial.ko.md"] {
        for (at, snippet) in markdown::fences(&read(&root().join(name)), "yaml") {
            let strange = snippet.lines().map(str::trim).filter(|line| !lines.contains(line));
            wrong.extend(strange.map(|line| format!("{name}:{at}: {line}")));
        }
    }
    assert!(wrong.is_empty(), "these lines are not in specs/lab-web:\n{}", wrong.join("\n"));
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = Vec::new();
    for file in documents() {
        for (line, link) in markdown::links(&read(&file)) {
            if link.contains("://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').map_or((&*link, None), |(p, a)| (p, Some(a)));
            let target = match path {
                "" => file.clone(),
                path => file.parent().expect("it is in a folder").join(path),
            };
            let has =
                |anchor: &str| markdown::anchors(&read(&target)).iter().any(|it| it == anchor);
            if !target.exists() || !anchor.is_none_or(has) {
                wrong.push(format!("{}:{line}: {link}", below_root(&file)));
            }
        }
    }
    assert!(wrong.is_empty(), "links that lead nowhere:\n{}", wrong.join("\n"));
}

#[test]
fn every_command_and_flag_is_in_its_section() {
    let page = read(&root().join("docs/commands.md"));
    let mut wrong = Vec::new();
    for command in COMMANDS {
        let name = command.join(" ");
        // The subcommands of `state` share a section.
        let section = markdown::section(&page, &format!("## reconcile {}", command[0]));
        if section.is_empty() {
            wrong.push(format!("no section on `{name}`"));
        }
        for flag in flags(&help(command)) {
            let is_common = ["--help", "--version", "--no-color"].contains(&&*flag);
            if !is_common && !section.contains(&format!("`{flag}")) {
                wrong.push(format!("`{name}` takes {flag}"));
            }
        }
    }
    let known = COMMANDS.iter().map(|command| command[0].to_owned()).collect();
    assert_eq!(subcommands(&help(&[])), known, "commands of the binary, and of this test");
    assert!(wrong.is_empty(), "docs/commands.md does not say: {wrong:#?}");
}

#[test]
fn every_dependency_has_its_reason() {
    let page = read(&root().join("docs/dependencies.md"));
    let manifest = read(&root().join("Cargo.toml"));
    let section = manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let names = section
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
        .filter(|name| !name.starts_with('#') && !name.starts_with("reconcile-"));
    let missing: Vec<&str> = names.filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/dependencies.md does not say why: {missing:?}");
}

#[test]
fn the_json_schema_knows_every_type_and_argument() {
    let schemas = schemas();
    let json = reference::of_spec(&schemas);
    for (name, schema) in types(&schemas) {
        let block = &json["definitions"][&name];
        assert_eq!(block["description"], schema.doc);
        for attribute in schema.attributes {
            let shape = &block["properties"][attribute.name];
            assert_eq!(shape.is_object(), attribute.is_argument(), "{name}.{}", attribute.name);
        }
        let section = match schema.mode {
            Mode::Managed => "resource",
            Mode::Data => "data",
        };
        let types = &json["properties"][section]["anyOf"][0]["properties"];
        let block = &types[schema.type_name]["additionalProperties"]["$ref"];
        assert_eq!(*block, format!("#/definitions/{name}"));
    }
}

fn schemas() -> SchemaSet {
    let mut schemas = reconcile_provider_aws::schemas();
    schemas.extend([&reconcile_provider_http::SCHEMA]);
    schemas
}

/// Returns every type with the name of its example: an address without a block's name.
fn types(schemas: &SchemaSet) -> Vec<(String, &'static Schema)> {
    let managed = schemas.all(Mode::Managed).map(|it| (it.type_name.to_owned(), it));
    let data = schemas.all(Mode::Data).map(|it| (format!("data.{}", it.type_name), it));
    managed.chain(data).collect()
}

fn example_of(name: &str) -> PathBuf {
    root().join(format!("docs/examples/{name}.yaml"))
}

/// Returns the pages as they should be, by path below the root.
fn pages() -> BTreeMap<String, String> {
    let schemas = schemas();
    let mut pages = BTreeMap::new();
    for mode in [Mode::Managed, Mode::Data] {
        let path = format!("docs/{}/README.md", reference::folder(mode));
        pages.insert(path, reference::index(mode, &schemas));
    }
    for (name, schema) in types(&schemas) {
        let example = fs::read_to_string(example_of(&name)).ok();
        let path = format!("docs/{}/{}.md", reference::folder(schema.mode), schema.type_name);
        pages.insert(path, reference::page(schema, example.as_deref(), &schemas));
    }
    pages
}

fn help(command: &[&str]) -> String {
    let mut binary = Command::new(env!("CARGO_BIN_EXE_reconcile"));
    let output = binary.args(command).arg("--help").output().expect("the binary runs");
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).expect("help is text")
}

fn flags(help: &str) -> BTreeSet<String> {
    let options = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let words = options.filter_map(|line| line.split_whitespace().find(|it| it.starts_with("--")));
    // `--plan[=<FILE>]` takes its value or leaves it.
    let names = words.filter_map(|word| word.trim_end_matches(',').split('[').next());
    names.map(str::to_owned).collect()
}

fn subcommands(help: &str) -> BTreeSet<String> {
    let after = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = after.take_while(|line| line.starts_with("  "));
    let names = lines.filter(|line| !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

fn told(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(|it| format!("{it:?}")).collect::<Vec<_>>().join("\n  ")
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the crate is in the workspace")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Returns every Markdown file of the repository.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root()).expect("the root can be read") {
        let path = entry.expect("the root can be read").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_file() {
            found.push(path);
        } else if name != "target" && !name.starts_with('.') {
            found.extend(files_below(&path));
        }
    }
    found.retain(|path| path.extension().is_some_and(|it| it == "md"));
    found.sort();
    found
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn below_root(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).to_string_lossy().replace('\\', "/")
}
