//! Whole plans as Markdown: what they look like, and that they are what a comment can take.

use insta::assert_snapshot;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use reconcile_model::{Action, CheckResult, CheckStatus, Diagnostic};
use reconcile_report::markdown::{LIMIT, MarkdownOptions, plan};

use crate::plans::{self, Golden};
use crate::support::{Making, schemas};

/// Plans whose text is too long for a file that somebody reads.
const LONG: [&str; 3] = ["five_hundred", "five_hundred_apart", "one_huge"];

fn markdown(making: &Making, limit: usize) -> String {
    let apply = ["reconcile", "apply", "specs/lab-web"].map(str::to_owned).to_vec();
    let options = MarkdownOptions { apply, limit, ..MarkdownOptions::default() };
    plan(&making.plan, &schemas(), &making.configuration, &options)
}

/// What a parser of CommonMark finds.
#[derive(Debug, Default)]
struct Found {
    headings: Vec<String>,
    /// The languages of the fences.
    fences: Vec<String>,
    /// How many folds there are.
    folds: usize,
    /// What stands in code.
    code: Vec<String>,
    /// What stands as text outside of code.
    prose: String,
}

/// Parses Markdown, and checks that everything that opens closes, and that nothing is in it that we did not put there.
#[expect(clippy::wildcard_enum_match_arm, reason = "whatever else the parser finds is an error")]
fn check(name: &str, text: &str) -> Found {
    let mut found = Found::default();
    let mut open = 0_i32;
    let mut in_heading = false;
    let mut in_fence = false;
    let mut html = String::new();
    for (event, range) in Parser::new_ext(text, Options::all()).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                let CodeBlockKind::Fenced(language) = kind else {
                    panic!("{name}: an indented block: {}", &text[range])
                };
                let block = &text[range];
                let ticks = block.len() - block.trim_start_matches('`').len();
                assert!(ticks >= 3, "{name}: {block}");
                let last = block.trim_end().lines().last().unwrap();
                assert_eq!(last, "`".repeat(ticks), "{name}: a fence that is not closed");
                found.fences.push(language.to_string());
                in_fence = true;
            }
            Event::End(TagEnd::CodeBlock) => in_fence = false,
            Event::Text(_) if in_fence => {}
            Event::Start(Tag::Heading { .. }) => {
                in_heading = true;
                found.headings.push(String::new());
            }
            Event::End(TagEnd::Heading(_)) => in_heading = false,
            Event::Text(content) => {
                found.prose.push_str(&content);
                if in_heading {
                    found.headings.last_mut().unwrap().push_str(&content);
                }
            }
            Event::Code(content) => {
                if in_heading {
                    found.headings.last_mut().unwrap().push_str(&content);
                }
                found.code.push(content.to_string());
            }
            Event::Html(line) => {
                open += line.matches("<details>").count() as i32;
                open -= line.matches("</details>").count() as i32;
                assert!((0..=1).contains(&open), "{name}: folds in folds: {line}");
                found.folds += line.matches("<details>").count();
                html.push_str(&line);
            }
            Event::Start(
                Tag::Paragraph | Tag::List(_) | Tag::Item | Tag::BlockQuote(_) | Tag::HtmlBlock,
            )
            | Event::End(
                TagEnd::Paragraph
                | TagEnd::List(_)
                | TagEnd::Item
                | TagEnd::BlockQuote(_)
                | TagEnd::HtmlBlock,
            )
            | Event::Start(Tag::Strong)
            | Event::End(TagEnd::Strong)
            | Event::Rule
            | Event::SoftBreak => {}
            other => panic!("{name}: {other:?} at {}", &text[range]),
        }
    }
    assert_eq!(open, 0, "{name}: a fold that is not closed");
    let tags = ["details", "summary", "code"];
    let bare = tags.iter().fold(html.clone(), |html, tag| {
        html.replace(&format!("<{tag}>"), "").replace(&format!("</{tag}>"), "")
    });
    assert!(!bare.contains(['<', '>']), "{name}: {bare}");
    // GitHub makes links of these wherever they are not in code.
    let mut prose = found.prose.clone();
    for code in html.split("<code>").skip(1) {
        let (code, rest) = code.split_once("</code>").unwrap();
        found.code.push(code.to_owned());
        prose.push_str(rest);
    }
    assert!(!prose.contains(['@', '#']) && !prose.contains("://"), "{name}: {prose}");
    found
}

#[test]
fn golden_plans() {
    for Golden { name, making } in plans::golden() {
        let text = markdown(&making, LIMIT);
        check(name, &text);
        if !LONG.contains(&name) {
            let text = text.replace(&making.plan.fingerprint(), "FINGERPRINT");
            insta::with_settings!({ snapshot_suffix => name, omit_expression => true }, {
                assert_snapshot!("markdown", text);
            });
        }
    }
}

#[test]
fn the_same_plan_is_the_same_bytes() {
    for Golden { name, making } in plans::golden().into_iter().filter(|it| !LONG.contains(&it.name))
    {
        assert_eq!(markdown(&making, LIMIT), markdown(&making, LIMIT), "{name}");
    }
}

#[test]
fn every_length_is_held_and_says_what_it_leaves_out() {
    for Golden { name, making } in plans::golden() {
        let whole = markdown(&making, usize::MAX);
        assert!(!whole.contains("**Shortened**"), "{name}");
        let limits: &[usize] = match name {
            "five_hundred_apart" => &[9_000, LIMIT],
            _ => &[8_000, 12_000, 20_000, 40_000, LIMIT],
        };
        for &limit in limits {
            let text = markdown(&making, limit);
            // GitHub's characters are at most as many as bytes.
            assert!(text.len() <= limit || name == "hostile", "{name}: {} of {limit}", text.len());
            assert_eq!(text.contains("**Shortened**"), text != whole, "{name} in {limit}");
            check(name, &text);
        }
    }
}

#[test]
fn five_hundred_changes_fit() {
    for making in [plans::five_hundred(), plans::five_hundred_apart(), plans::one_huge()] {
        let text = markdown(&making, LIMIT);
        assert!(text.len() < 65_536 && text.encode_utf16().count() < 65_536);
        let found = check("five hundred", &text);
        assert!(found.fences.contains(&"sh".to_owned()), "{:?}", found.fences);
    }
    let text = markdown(&plans::five_hundred_apart(), LIMIT);
    assert!(text.len() > LIMIT * 9 / 10, "there is room for more: {}", text.len());
    // What is destroyed is named whatever becomes of the rest.
    let Making { plan, .. } = plans::five_hundred_apart();
    for change in plan.changes.iter().filter(|it| it.action.is_destructive()) {
        assert!(text.contains(&format!("`{} ", change.address)), "{}", change.address);
    }
}

#[test]
fn every_change_is_named_once() {
    for Golden { name, making } in plans::golden() {
        if LONG.contains(&name) || ["hostile", "drift_of_many"].contains(&name) {
            continue;
        }
        let found = check(name, &markdown(&making, LIMIT));
        for change in making.plan.changes.iter().filter(|it| it.action != Action::NoOp) {
            let address = change.address.to_string().replace('"', "&quot;");
            let is_named = |code: &&String| {
                let name = code.split(" (").next().unwrap_or_default();
                name.replace('"', "&quot;") == address
            };
            let drifted = making.plan.drift.iter().any(|it| it.address == change.address);
            let named = found.code.iter().filter(is_named).count();
            assert_eq!(named, 1 + usize::from(drifted), "{name}: {address} in {:?}", found.code);
        }
    }
}

#[test]
fn what_destroys_is_in_view_and_the_rest_folds() {
    let found = check("every_action", &markdown(&plans::every_action(), LIMIT));
    let headings: Vec<&str> = found.headings.iter().map(String::as_str).collect();
    assert_eq!(
        headings,
        [
            "Plan for lab-web: 1 to replace, 2 to destroy, 1 to change, 1 to add, 1 to read, 1 to forget",
            "Destroyed or replaced",
            "aws_instance.c_replaced (i-0ab1) will be REPLACED: deleted, then created anew: ami",
            "aws_instance.d_gone (i-0ab1) will be DESTROYED",
            "aws_instance.e_all[2] (i-0ab1) will be DESTROYED",
            "Changed in place",
            "Created",
            "Read during apply",
            "Moved or forgotten",
        ]
    );
    assert_eq!(found.folds, 4);
}

#[test]
fn signs_stand_in_the_first_column() {
    let text = markdown(&plans::one_rule_of_a_set(), LIMIT);
    for line in [
        "! ingress {",
        "!   cidr_blocks = [\"10.0.0.0/8\"] -> [\"0.0.0.0/0\"]",
        "-   from_port   = 80",
        "+   from_port   = 53",
        "    from_port   = 22",
        "! aws_security_group.web: tcp port 22 is open to everyone (0.0.0.0/0)",
    ] {
        assert!(text.lines().any(|it| it == line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn what_checks_found_is_in_view_and_leaves_room() {
    let mut making = plans::checks();
    let found = check("checks", &markdown(&making, LIMIT));
    assert!(found.code.contains(&"check.disk".to_owned()), "{:?}", found.code);
    // A check may tell the whole page that it got, and there may be very many of them.
    let page = format!("{}\n", "서".repeat(90)).repeat(200);
    for n in 0..1000 {
        let problem = Diagnostic::warning("An assertion does not hold").detail(page.clone());
        let (name, status) = (format!("page_{n}"), CheckStatus::Fail);
        making.plan.checks.push(CheckResult { name, status, problems: vec![problem], span: None });
    }
    let text = markdown(&making, 12_000);
    assert!(text.len() <= 12_000, "{}", text.len());
    assert!(text.contains("Warning: check.page_0: an assertion does not hold\n"), "{text}");
    assert!(text.contains(" more, which are in the plan's other formats\n"), "{text}");
    assert!(text.contains("- 1001 failed: `check.page`, `check.page_0`, "), "{text}");
    check("many checks", &text);
}

#[test]
fn it_ends_with_the_command_and_the_fingerprint() {
    let making = plans::update();
    let apply = ["reconcile", "apply", "my spec", "--target", "aws_instance.web[\"a\"]"];
    let options = MarkdownOptions {
        apply: apply.map(str::to_owned).to_vec(),
        withheld: vec!["password".to_owned()],
        ..MarkdownOptions::default()
    };
    let text = plan(&making.plan, &schemas(), &making.configuration, &options);
    let fingerprint = making.plan.fingerprint();
    let end = format!(
        "---\n\nTo apply this plan and no other:\n\n```sh\nreconcile apply 'my spec' --target 'aws_instance.web[\"a\"]' --expect {fingerprint}\n```\n\nSensitive variables have to be given again: `password`.\n\nFingerprint: `{fingerprint}`\n"
    );
    assert!(text.ends_with(&end), "{text}");
    assert!(!markdown(&plans::no_changes(), LIMIT).contains("Fingerprint"));
    assert!(markdown(&plans::refresh_only(), LIMIT).contains("Fingerprint"));
}
