//! What is told while a run goes on: in a terminal, in plain lines, and told again from its events.

use serde_json::json;

use crate::support::terminal::Terminal;
use crate::support::{World, interrupt};

/// So many servers, which take a while to be there.
fn servers(number: usize) -> World {
    let world = World::with_spec(&format!(
        r#"
data:
  aws_ami:
    linux: {{ owners: [amazon], most_recent: true, filter: {{ name: name, values: ["al2023-ami-2023*-x86_64"] }} }}
resource:
  aws_instance:
    web:
      count: {number}
      ami: ${{data.aws_ami.linux.id}}
      instance_type: t3.micro
"#
    ));
    world.settings(&json!({ "instance_pending": 4 }));
    world
}

/// Tells whether a line is of the view of what goes on.
fn is_live(line: &str) -> bool {
    line.contains(" running ·")
        || line.trim_start().starts_with("creating   ")
        || line.contains("  and ")
}

fn apply(world: &World, columns: u16, rows: u16) -> Terminal {
    Terminal::start(world.command(&["apply", "--auto-approve"]), columns, rows)
}

#[test]
fn a_terminal_shows_what_goes_on_and_keeps_what_is_done() {
    let world = servers(2);
    let mut terminal = Terminal::start(world.command(&["apply"]), 80, 24);
    terminal.wait_for("the question", |lines| {
        lines.last().is_some_and(|line| line.contains("Only `yes` is taken as yes"))
    });
    terminal.types("yes\n");
    let shown = terminal.wait_for("the view", |lines| {
        lines.iter().filter(|line| line.contains("pending")).count() == 2
    });
    let [.., head, first, second] = shown.as_slice() else { panic!("{shown:#?}") };
    assert!(head.contains("0/2 done · 2 running ·") && head.contains(" calls ·"), "{shown:#?}");
    for (line, name) in [(first, "aws_instance.web[0]"), (second, "aws_instance.web[1]")] {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[..2], ["creating", name], "{shown:#?}");
        assert!(words[2].ends_with('s') && words[3] == "pending", "{shown:#?}");
    }
    // It counts on while nothing happens.
    let later = terminal.wait_for("time to pass", |lines| {
        lines.iter().any(|line| line.starts_with("  creating") && line.contains(" 2s "))
    });
    assert_eq!(later.len(), shown.len(), "{later:#?}");
    let (code, screen, all) = terminal.end();
    assert_eq!(code, Some(0), "{all:#?}");
    assert!(!all.iter().any(|line| is_live(line)), "{all:#?}");
    let has = |lines: &[String], text: &str| lines.iter().any(|line| line.contains(text));
    for name in ["aws_instance.web[0]", "aws_instance.web[1]"] {
        assert!(has(&screen, &format!("{name}: Creation complete after")), "{screen:#?}");
    }
    assert!(has(&screen, "Apply complete! Resources: 2 added"), "{screen:#?}");
    assert!(!has(&all, "Creating...") && !has(&all, "Still creating"), "{all:#?}");
    world.destroy();
}

#[test]
fn a_small_terminal_shows_as_much_as_it_has_room_for() {
    let world = servers(8);
    let terminal = apply(&world, 40, 10);
    let shown = terminal.wait_for("the view", |lines| {
        lines.last().is_some_and(|line| line.contains("more"))
            && lines.iter().any(|line| line.contains("8 running"))
    });
    let from = shown.iter().position(|line| line.contains("running")).expect("it is there");
    let live = &shown[from..];
    assert_eq!(live.len(), 5, "{shown:#?}");
    assert!(live[0].starts_with("0/8 done · 8 running · "), "{shown:#?}");
    assert!(live[1].starts_with("  + aws_instance.web[0]"), "{shown:#?}");
    assert_eq!(live[4], "  and 5 more", "{shown:#?}");
    let (code, screen, all) = terminal.end();
    assert_eq!(code, Some(0), "{all:#?}");
    assert!(!all.iter().any(|line| is_live(line) || line.starts_with("  + aws_")), "{all:#?}");
    // Lines that stay are broken by the terminal, as any others.
    let done = |line: &&String| line.contains(": Creation complete a");
    assert_eq!(all.iter().filter(done).count(), 8, "{all:#?}");
    assert!(screen.len() <= 10, "{screen:#?}");
    world.destroy();
}

#[test]
fn a_terminal_may_change_its_size() {
    let world = servers(3);
    let terminal = apply(&world, 80, 24);
    terminal.wait_for("the view", |lines| {
        lines.iter().filter(|line| line.starts_with("  creating   ")).count() == 3
    });
    terminal.resize(40, 12);
    let shown = terminal.wait_for("the smaller view", |lines| {
        lines.iter().filter(|line| line.starts_with("  + aws_instance")).count() == 3
    });
    let heads = shown.iter().filter(|line| line.contains(" running ·")).count();
    assert_eq!(heads, 1, "{shown:#?}");
    terminal.resize(100, 30);
    terminal.wait_for("the larger view", |lines| {
        lines.iter().filter(|line| line.starts_with("  creating   ")).count() == 3
            && lines.iter().filter(|line| line.contains(" running ·")).count() == 1
    });
    let (code, _, all) = terminal.end();
    assert_eq!(code, Some(0), "{all:#?}");
    assert!(!all.iter().any(|line| is_live(line)), "{all:#?}");
    let done = |line: &&String| line.contains(": Creation complete after");
    assert_eq!(all.iter().filter(done).count(), 3, "{all:#?}");
    world.destroy();
}

#[test]
fn an_interrupt_is_told_and_the_view_goes_on_until_all_is_done() {
    let world = servers(2);
    let terminal = apply(&world, 80, 24);
    terminal.wait_for("the view", |lines| lines.iter().any(|line| line.contains("2 running")));
    interrupt(&terminal.child);
    let shown = terminal
        .wait_for("the stopping", |lines| lines.iter().any(|line| line.contains(" stopping · ")));
    assert!(
        shown.iter().any(|line| line.starts_with("Stopping: waiting for 2 changes")),
        "{shown:#?}"
    );
    let (code, _, all) = terminal.end();
    assert_eq!(code, Some(130), "{all:#?}");
    assert!(!all.iter().any(|line| is_live(line)), "{all:#?}");
    assert_eq!(all.iter().filter(|line| line.contains("Creation complete")).count(), 2, "{all:#?}");
    world.destroy();
}

#[test]
fn without_movement_a_terminal_gets_plain_lines() {
    let world = servers(1);
    let command = world.command(&["--no-color", "apply", "--auto-approve"]);
    let (code, _, all) = Terminal::start(command, 80, 24).end();
    assert_eq!(code, Some(0), "{all:#?}");
    assert!(all.iter().any(|line| line == "aws_instance.web[0]: Creating..."), "{all:#?}");
    world.destroy();
}

#[test]
fn a_run_is_told_again_in_the_same_bytes() {
    let world = servers(2);
    // One that works, one that fails in part, and one that finds something to refresh.
    world.fault(&json!({
        "kind": "error", "operation": "RunInstances", "nth": 2, "code": "InvalidParameterValue", "message": "no",
    }));
    for (number, code) in [1, 0].into_iter().enumerate() {
        let file = format!("run-{number}.jsonl");
        let run = world.run(&["apply", "--auto-approve", "--events", &file]).code(code);
        let again = world.run(&["show", &file]).success();
        assert_eq!(again.stdout, run.stderr);
        assert!(again.stdout.contains("Creation complete"), "{again}");
        assert_eq!(again.stderr, "");
    }
    let run = world.run(&["destroy", "--auto-approve", "--json"]).success();
    world.write("destroy.jsonl", &run.stdout);
    let again = world.run(&["show", "destroy.jsonl"]).success();
    assert!(again.stdout.contains("Destroy complete! Resources: 2 destroyed."), "{again}");

    // What a newer version has to tell is passed over, what is no event is not.
    let newer = format!("{{\"event\": {{\"at\": 1, \"type\": \"sang\"}}}}\n{}", run.stdout);
    world.write("newer.jsonl", &newer);
    assert_eq!(world.run(&["show", "newer.jsonl"]).success().stdout, again.stdout);
    world.write("broken.jsonl", &format!("{}nonsense\n", run.stdout));
    world.run(&["show", "broken.jsonl"]).code(1).says("of `broken.jsonl` is no event");

    // As JSON, they are what the run printed, whatever else the lines had.
    let echoed = world.run(&["show", "newer.jsonl", "--json"]).success().stdout;
    assert_eq!(echoed, run.stdout);
    let broken = world.run(&["show", "broken.jsonl", "--json"]).code(1).stdout;
    let (before, last) = broken.trim_end().rsplit_once('\n').expect("there are several lines");
    assert_eq!(format!("{before}\n"), run.stdout);
    assert!(last.contains("of `broken.jsonl` is no event"), "{last}");
    world
        .run(&["show", "main.yaml"])
        .code(1)
        .says("is neither a saved plan nor the events of a run");
    world.run(&["show", "missing"]).code(1).says("Cannot read `missing`");

    let mut child = world
        .command(&["show", "-"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary can be run");
    let mut stdin = child.stdin.take().expect("it is piped");
    std::io::Write::write_all(&mut stdin, run.stdout.as_bytes()).expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), again.stdout);
    world.assert_empty();
}

#[test]
fn what_fails_before_it_begins_is_an_event_as_well() {
    let world = World::with_spec("output: { a: { value: '${1 + true}' } }");
    let run = world.run(&["apply", "--auto-approve", "--json"]).code(1);
    let line: serde_json::Value = serde_json::from_str(&run.stdout).expect("one line of JSON");
    assert_eq!(line["type"], "diagnostic");
    assert_eq!(line["@level"], "error");
    world.write("run.jsonl", &run.stdout);
    world.run(&["show", "run.jsonl"]).success().says("An operand of `+` must be a number");
}
