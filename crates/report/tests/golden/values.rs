//! Values that do not fit on one line, and values that could deceive.

use insta::assert_snapshot;
use reconcile_model::Object;

use crate::support::{Making, instance, live_instance, live_listener};

/// Returns the lines between the braces of the only change of a plan.
fn body(making: &Making, width: usize) -> String {
    let text = making.text(width);
    let lines = text.lines().skip_while(|line| !line.ends_with('{')).skip(1);
    lines.take_while(|line| *line != "    }").collect::<Vec<_>>().join("\n")
}

/// Plans a listener with one argument changed.
fn changed(name: &str, before: &str, after: &str) -> Making {
    let config = |text: &str| Object::new().with("port", 80_i64).with(name, text);
    let mut making = Making::new();
    making.plan("test_listener.a", &config(after), Some(&live_listener(&config(before))));
    making
}

#[test]
fn scripts_are_line_diffs() {
    let before: String = (1..=20).map(|n| format!("echo {n}\n")).collect();
    let after = before.replace("echo 9\n", "echo nine\n").replace("echo 17\n", "");
    assert_snapshot!(body(&changed("document", &before, &after), 80), @"
    ~ document = <<-EOT
          # (5 unchanged lines hidden)
          echo 6
          echo 7
          echo 8
        - echo 9
        + echo nine
          echo 10
          echo 11
          echo 12
          echo 13
          echo 14
          echo 15
          echo 16
        - echo 17
          echo 18
          echo 19
          echo 20
      EOT
      # (2 unchanged attributes hidden)
    ");
    let making = changed("document", "a\nb\n", "a\nb");
    assert_snapshot!(body(&making, 80), @"
    ~ document = <<-EOT
          # (2 unchanged lines hidden)
          # the line end at the end is removed
      EOT
      # (2 unchanged attributes hidden)
    ");
}

#[test]
fn new_scripts_are_shown_whole() {
    let mut making = Making::new();
    let script = "#!/bin/sh\n\tset -e\n\nyum -y install httpd && systemctl enable --now httpd.service # and then wait\n";
    making.plan("aws_instance.web", &instance().with("user_data", script), None);
    assert_snapshot!(body(&making, 60), @r#"
    + ami                    = "ami-0abc"
    + instance_type          = "t3.micro"
    + subnet_id              = "subnet-2a"
    + user_data              = <<-EOT
        + #!/bin/sh
        +     set -e
        +
        + yum -y install httpd && systemctl enable --now
          ↪  httpd.service # and then wait
      EOT
    + vpc_security_group_ids = ["sg-1"]
    + tags                   = {
        + "Name" = "lab-web-pub-2a"
        + "tier" = "web"
      }
      # (known after apply: associate_public_ip_address,
      # id, arn, private_ip, public_ip)

    + metadata_options {
        + http_tokens = "required"
          # (known after apply:
          # http_put_response_hop_limit)
      }
    + root_block_device {
        + volume_size = 8
          # (known after apply: volume_type, encrypted,
          # volume_id)
      }
    "#);
}

#[test]
fn base64_is_decoded() {
    // "#include https://bit.ly/Userdata", and a script of two lines before and after an edit.
    let mut making = Making::new();
    let config =
        instance().with("user_data_base64", "I2luY2x1ZGUgaHR0cHM6Ly9iaXQubHkvVXNlcmRhdGE=");
    making.plan("aws_instance.web", &config, Some(&live_instance()));
    assert_snapshot!(body(&making, 80), @r##"
    + user_data_base64 = base64encode("#include https://bit.ly/Userdata")
      # (11 unchanged attributes hidden)
      # (2 unchanged blocks hidden)
    "##);
    let before = live_instance().with("user_data_base64", "IyEvYmluL3NoCmVjaG8gb25lCg==");
    let config = instance().with("user_data_base64", "IyEvYmluL3NoCmVjaG8gdHdvCg==");
    let mut making = Making::new();
    making.plan("aws_instance.web", &config, Some(&before));
    assert_snapshot!(body(&making, 80), @"
    ~ user_data_base64 = base64encode(<<-EOT
          #!/bin/sh
        - echo one
        + echo two
      EOT)
      # (11 unchanged attributes hidden)
      # (2 unchanged blocks hidden)
    ");
    let binary = live_instance().with("user_data_base64", "AAEC");
    let mut making = Making::new();
    making.plan("aws_instance.web", &instance().with("user_data_base64", "AAED"), Some(&binary));
    assert!(body(&making, 80).contains(r#"~ user_data_base64 = "AAEC" -> "AAED""#));
}

#[test]
fn json_is_spread_over_lines() {
    let before =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject"}]}"#;
    let after =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject"}]}"#;
    assert_snapshot!(body(&changed("policy", before, after), 80), @r#"
    ~ policy = jsonencode(
          {
            "Statement": [
              {
                "Action": "s3:GetObject",
        -       "Effect": "Allow"
        +       "Effect": "Deny"
              }
            ],
            "Version": "2012-10-17"
          }
      )
      # (2 unchanged attributes hidden)
    "#);
    // No rule says that a document's spaces mean nothing: the change is shown for what it is.
    let making = changed("document", "{\"a\": 1}", "{ \"a\": 1 }");
    assert_snapshot!(body(&making, 80), @r#"
    ~ document = "{\"a\": 1}" -> "{ \"a\": 1 }"
      # (2 unchanged attributes hidden)
    "#);
    // One does for a policy.
    let making = changed("policy", "{\"a\": 1}", "{ \"a\": 1 }");
    assert!(making.text(80).starts_with("No changes."));
}

#[test]
fn long_strings_are_shown_around_what_changes() {
    let before = format!("{}old{}", "a".repeat(100), "z".repeat(100));
    let after = format!("{}new{}", "a".repeat(100), "z".repeat(100));
    assert_snapshot!(body(&changed("document", &before, &after), 80), @"
    ~ document =
        - …aaaaaaaaaaaaaaaaaaaaaaaaoldzzzzzzzzzzzzzzzzzzzzzzzz…
        + …aaaaaaaaaaaaaaaaaaaaaaaanewzzzzzzzzzzzzzzzzzzzzzzzz…
      # (2 unchanged attributes hidden)
    ");
    let mut making = Making::new();
    let config = Object::new().with("port", 80_i64).with("document", "x".repeat(3000));
    making.plan("test_listener.a", &config, None);
    let text = body(&making, 80);
    assert!(text.contains("characters more)") && text.lines().count() < 25, "{text}");
}

#[test]
fn lists_are_aligned() {
    let stages = |names: &[&str]| Object::new().with("port", 80_i64).with("stages", names.to_vec());
    let mut making = Making::new();
    let before = stages(&["build", "test", "stage", "ship"]);
    let after = stages(&["lint", "build", "stage", "canary", "ship"]);
    making.plan("test_listener.a", &after, Some(&live_listener(&before)));
    assert_snapshot!(body(&making, 80), @r#"
    ~ stages = [
        + "lint"
        - "test"
        + "canary"
          # (3 unchanged elements hidden)
      ]
      # (2 unchanged attributes hidden)
    "#);
}

#[test]
fn text_cannot_deceive() {
    let making = changed("document", "safe", "a\u{1b}[2K\u{202e}b \"quoted\"\t서울");
    assert_snapshot!(body(&making, 80), @r#"
    ~ document = "safe" -> "a\u{1b}[2K\u{202e}b \"quoted\"\t서울"
      # (2 unchanged attributes hidden)
    "#);
    let making = changed("document", "one\ntwo", "one\ntwo\u{1b}[1A\u{1b}[2K\r");
    assert!(!making.text(80).contains(['\u{1b}', '\r']));
}
