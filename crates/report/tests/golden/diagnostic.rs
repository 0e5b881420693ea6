//! Problems and their places.

use insta::assert_snapshot;
use reconcile_model::{Diagnostic, Span};
use reconcile_report::{Style, TextOptions, diagnostic};

use crate::support::address;

fn span(line: usize, column: usize, length: usize, text: &str) -> Span {
    Span { file: "specs/main.yaml".into(), line, column, length, text: text.into() }
}

fn text(diagnostics: &[Diagnostic], width: usize) -> String {
    diagnostic::text(diagnostics, &TextOptions { width, style: Style::Plain })
}

fn unknown_argument() -> Diagnostic {
    Diagnostic::error("Unknown argument `instance_typ`")
        .detail("An `aws_instance` has no such argument.")
        .hint("did you mean `instance_type`?")
        .at(span(12, 7, 12, "      instance_typ: t3.micro"))
        .about(&address("aws_instance.web"))
}

#[test]
fn one_error() {
    assert_snapshot!(text(&[unknown_argument()], 80), @"
    Error: Unknown argument `instance_typ`
      --> specs/main.yaml:12:7
       |
    12 |       instance_typ: t3.micro
       |       ^^^^^^^^^^^^
      in aws_instance.web
      An `aws_instance` has no such argument.
      help: did you mean `instance_type`?
    ");
}

#[test]
fn several_with_a_count() {
    let several = [
        unknown_argument(),
        Diagnostic::warning("The variable `date` is not used").at(span(3, 3, 4, "  date: {}")),
        Diagnostic::error("No credentials were found")
            .detail("Neither the environment nor a profile gives any. Without them nothing can be read, and so nothing can be planned.")
            .hint("set AWS_PROFILE, or run `aws sso login`."),
    ];
    assert_snapshot!(text(&several, 60), @"
    Error: Unknown argument `instance_typ`
      --> specs/main.yaml:12:7
       |
    12 |       instance_typ: t3.micro
       |       ^^^^^^^^^^^^
      in aws_instance.web
      An `aws_instance` has no such argument.
      help: did you mean `instance_type`?

    Warning: The variable `date` is not used
     --> specs/main.yaml:3:3
      |
    3 |   date: {}
      |   ^^^^

    Error: No credentials were found
      Neither the environment nor a profile gives any. Without
      them nothing can be read, and so nothing can be planned.
      help: set AWS_PROFILE, or run `aws sso login`.

    2 errors and 1 warning.
    ");
}

#[test]
fn the_mark_stands_under_wide_characters_and_tabs() {
    let wide = Diagnostic::error("Wrong").at(span(1, 7, 2, "이름: \"서울\" # x"));
    assert_snapshot!(text(&[wide], 80), @r#"
    Error: Wrong
     --> specs/main.yaml:1:7
      |
    1 | 이름: "서울" # x
      |          ^^^
    "#);
    let tab = Diagnostic::error("Tabs").at(span(2, 2, 3, "\tabc: 1"));
    assert_snapshot!(text(&[tab], 80), @"
    Error: Tabs
     --> specs/main.yaml:2:2
      |
    2 |     abc: 1
      |     ^^^
    ");
}

#[test]
fn a_long_line_is_shown_around_the_mark() {
    let line = format!("{}bad{}", "x".repeat(200), "y".repeat(200));
    let long = Diagnostic::error("Wrong").at(span(1, 201, 3, &line));
    let shown = text(&[long], 60);
    assert!(shown.lines().all(|line| line.chars().count() <= 60), "{shown}");
    assert_snapshot!(shown, @"
    Error: Wrong
     --> specs/main.yaml:1:201
      |
    1 | …xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxbad…
      |                                                     ^^^
    ");
}

#[test]
fn places_past_the_line_do_no_harm() {
    for (column, length) in [(0, 0), (1, 99), (50, 1), (usize::MAX, usize::MAX)] {
        let odd = Diagnostic::error("Wrong").at(span(1, column, length, "short"));
        assert!(text(&[odd], 80).contains('^'));
    }
    let nowhere = Diagnostic::error("Empty file").at(span(1, 1, 1, ""));
    assert_snapshot!(text(&[nowhere], 80), @"
    Error: Empty file
     --> specs/main.yaml:1:1
    ");
}

#[test]
fn as_json() {
    let json = diagnostic::json(&[unknown_argument(), Diagnostic::warning("Old")]);
    assert_snapshot!(format!("{json:#}"), @r#"
    {
      "format_version": "1.0",
      "valid": false,
      "error_count": 1,
      "warning_count": 1,
      "diagnostics": [
        {
          "severity": "error",
          "summary": "Unknown argument `instance_typ`",
          "detail": "An `aws_instance` has no such argument.",
          "hint": "did you mean `instance_type`?",
          "address": "aws_instance.web",
          "range": {
            "filename": "specs/main.yaml",
            "start": {
              "line": 12,
              "column": 7
            },
            "end": {
              "line": 12,
              "column": 19
            }
          },
          "snippet": {
            "context": null,
            "code": "      instance_typ: t3.micro",
            "start_line": 12,
            "highlight_start_offset": 6,
            "highlight_end_offset": 18,
            "values": []
          }
        },
        {
          "severity": "warning",
          "summary": "Old",
          "detail": ""
        }
      ]
    }
    "#);
}
