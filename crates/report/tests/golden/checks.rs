//! What checks came to, in every form.

use insta::assert_snapshot;
use reconcile_report::{TextOptions, checks};

use crate::plans::results;

#[test]
fn after_a_plan() {
    assert_eq!(checks::summary(&[], &TextOptions::default()), "");
    assert_snapshot!(checks::summary(&results(), &TextOptions::default()), @"

    4 checks: 1 passed, 1 failed, 1 could not be told, 1 known after apply only (check.new).

    Warning: check.page: an assertion does not hold
     --> main.yaml:7:18
      |
    7 |       condition: ${data.http.page.status_code == 200}
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      The page answers with 503.

    Warning: check.api: cannot read data.http.api
      GET (http://127.0.0.1:1/): the connection was refused.
    ");
    assert_snapshot!(checks::summary(&results()[3..], &TextOptions::default()), @"

    1 check: 1 passed.
    ");
}

#[test]
fn as_a_result() {
    assert_snapshot!(checks::list(&results(), &TextOptions::default()), @"
    failed  check.page
    error   check.api
    unknown check.new
    passed  check.disk

    Warning: check.page: an assertion does not hold
     --> main.yaml:7:18
      |
    7 |       condition: ${data.http.page.status_code == 200}
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      The page answers with 503.

    Warning: check.api: cannot read data.http.api
      GET (http://127.0.0.1:1/): the connection was refused.

    Warning: check.new: an assertion is known after apply only
      It mentions something that apply will tell.

    4 checks: 1 passed, 1 failed, 1 could not be told, 1 known after apply only (check.new).
    ");
}

#[test]
fn as_the_member_of_terraforms_json() {
    assert_snapshot!(format!("{:#}", checks::json(&results()[..3])), @r#"
    [
      {
        "address": {
          "kind": "check",
          "name": "page",
          "to_display": "check.page"
        },
        "status": "fail",
        "instances": [
          {
            "address": {
              "to_display": "check.page"
            },
            "status": "fail",
            "problems": [
              {
                "message": "The page answers with 503."
              }
            ]
          }
        ]
      },
      {
        "address": {
          "kind": "check",
          "name": "api",
          "to_display": "check.api"
        },
        "status": "error",
        "instances": [
          {
            "address": {
              "to_display": "check.api"
            },
            "status": "error",
            "problems": [
              {
                "message": "GET (http://127.0.0.1:1/): the connection was refused."
              }
            ]
          }
        ]
      },
      {
        "address": {
          "kind": "check",
          "name": "new",
          "to_display": "check.new"
        },
        "status": "unknown",
        "instances": [
          {
            "address": {
              "to_display": "check.new"
            },
            "status": "unknown"
          }
        ]
      }
    ]
    "#);
}
