//! Whole plans as text.

use insta::assert_snapshot;
use reconcile_model::plan::PlanMode;
use reconcile_report::{Style, TextOptions};

use crate::plans;
use crate::support::{Making, instance, live_instance};

fn check_lines(text: &str, expect: &[&str]) {
    for line in expect {
        assert!(text.lines().any(|it| it.trim() == *line), "{line:?} is not in\n{text}");
    }
}

#[test]
fn create() {
    let making = plans::create();
    assert_snapshot!(making.text(80), @r#"
    Stack lab-web would change:
      + create

      # aws_instance.web_2a will be created
      # new in the spec: main.yaml:12
      + resource "aws_instance" "web_2a" {
          + ami                    = "ami-0abc"
          + instance_type          = "t3.micro"
          + subnet_id              = "subnet-2a"
          + vpc_security_group_ids = [(known after apply)]
          + tags                   = {
              + "Name" = "lab-web-pub-2a"
              + "tier" = "web"
            }
            # (known after apply: associate_public_ip_address, id, arn, private_ip,
            # public_ip)

          + metadata_options {
              + http_tokens = "required"
                # (known after apply: http_put_response_hop_limit)
            }
          + root_block_device {
              + volume_size = 8
                # (known after apply: volume_type, encrypted, volume_id)
            }
        }

      # aws_security_group.web will be created
      # new in the spec: main.yaml:12
      + resource "aws_security_group" "web" {
          + name        = "lab-web-sg"
          + description = "web servers"
            # (known after apply: id, arn)

          + ingress {
              + description = "ssh"
              + protocol    = "tcp"
              + from_port   = 22
              + to_port     = 22
              + cidr_blocks = ["0.0.0.0/0"]
              + self        = false
            }
        }

    Changes to outputs:
      + url = (known after apply)

    Newly exposed:
      ! aws_security_group.web: tcp port 22 is open to everyone (0.0.0.0/0)

    Plan: 2 to add, 0 to change, 0 to destroy, 0 to replace.
    "#);
}

#[test]
fn create_says_where_unknown_values_come_from() {
    let making = plans::create_with_sources();
    check_lines(
        &making.text(100),
        &[
            "+ ami                    = (known after apply: aws_ami_from_instance.web.id)",
            "+ subnet_id              = (known after apply: aws_subnet.a.id)",
        ],
    );
}

#[test]
fn update() {
    let making = plans::update();
    assert_snapshot!(making.text(80), @r#"
    Stack lab-web would change:
      ~ change in place

      # aws_instance.web_2a (i-0ab1) will be updated in place
      # spec changed: main.yaml:14 (instance_type, tags)
      ~ resource "aws_instance" "web_2a" {
          ~ instance_type = "t3.micro"
                         -> "t3.small"  # stops and starts the instance
          ~ tags          = {
              ~ "Name" = "lab-web-pub-2a" -> "서울-web"
              + "team" = "blue"
              - "tier" = "web"
            }
          ~ public_ip     = "203.0.113.7" -> (known after apply)
            # (7 unchanged attributes hidden)
            # (2 unchanged blocks hidden)
        }

    Plan: 0 to add, 1 to change, 0 to destroy, 0 to replace.
    "#);
}

#[test]
fn replace_both_ways() {
    let making = plans::replace_both_ways();
    assert_snapshot!(making.text(80), @r#"
    Stack lab-web would change:
    -/+ delete, then create anew
    +/- create anew, then delete the old

      # aws_instance.a (i-0ab1) will be REPLACED: deleted, then created anew
      # spec changed: main.yaml:14
    -/+ resource "aws_instance" "a" {
          ~ ami = "ami-0abc" -> "ami-0def"  # forces replacement
            # (9 attributes known after apply)
            # (5 unchanged attributes hidden)
        }

      # aws_instance.b (i-0ab1) will be REPLACED: created anew, then the old one
      #   deleted
      # spec changed: main.yaml:14
    +/- resource "aws_instance" "b" {
            # (known after apply: associate_public_ip_address,
            # metadata_options.http_put_response_hop_limit, id, arn, private_ip,
            # public_ip)
            # (6 unchanged attributes hidden)

          ~ root_block_device {
              ~ encrypted = false -> true  # forces replacement
                # (known after apply: volume_size, volume_type, volume_id)
            }
        }

      # aws_instance.c (i-0ab1) is tainted and will be REPLACED: deleted, then
      #   created anew
      # it was created and failed to become usable
    -/+ resource "aws_instance" "c" {
            # (9 attributes known after apply)
            # (6 unchanged attributes hidden)
        }

    Plan: 0 to add, 0 to change, 0 to destroy, 3 to replace.
    "#);
}

#[test]
fn forced_by_another_change() {
    let making = plans::forced_by_another_change();
    assert_snapshot!(making.text(80), @r#"
    Stack lab-web would change:
    -/+ delete, then create anew

      # aws_security_group.web (sg-1) will be REPLACED: deleted, then created anew
      # spec changed: main.yaml:14
    -/+ resource "aws_security_group" "web" {
          ~ name = "lab-web-sg" -> "other"  # forces replacement
            # (known after apply: id, arn)
            # (1 unchanged attribute hidden)
        }

      # aws_instance.web (i-0ab1) will be REPLACED: deleted, then created anew
      # forced by aws_security_group.web being replaced: subnet_id,
      #   vpc_security_group_ids
    -/+ resource "aws_instance" "web" {
          ~ subnet_id              = "subnet-2a"
                                  -> (known after apply)  # forces replacement
          ~ vpc_security_group_ids = [
              - "sg-1"
              + (known after apply)
            ]
            # (9 attributes known after apply)
            # (4 unchanged attributes hidden)
        }

    Plan: 0 to add, 0 to change, 0 to destroy, 2 to replace.
    "#);
}

#[test]
fn destructive_changes_come_first() {
    let making = plans::every_action();
    let text = making.text(80);
    let headings: Vec<&str> =
        text.lines().filter(|line| line.contains("aws_") && line.contains('#')).collect();
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
fn delete() {
    let making = plans::delete();
    assert_snapshot!(making.text(80), @r#"
    Stack lab-web would change:
      - delete

      # aws_instance.web_2a (i-0ab1) will be DESTROYED
      # it is no longer in the spec
      - resource "aws_instance" "web_2a" {
          - ami                         = "ami-0abc"
          - instance_type               = "t3.micro"
          - associate_public_ip_address = true
          - subnet_id                   = "subnet-2a"
          - vpc_security_group_ids      = ["sg-1"]
          - tags                        = {
              - "Name" = "lab-web-pub-2a"
              - "tier" = "web"
            }
            # (4 computed attributes left out)

          - metadata_options {
              - http_tokens                 = "required"
              - http_put_response_hop_limit = 2
            }
          - root_block_device {
              - volume_size = 8
              - volume_type = "gp3"
              - encrypted   = false
                # (1 computed attribute left out)
            }
        }

    Plan: 0 to add, 0 to change, 1 to destroy, 0 to replace.
    "#);
}

#[test]
fn drift() {
    let making = plans::drift();
    assert_snapshot!(making.text(80), @r#"
    Changed outside of reconcile:

      # aws_instance.web_2a (i-0ab1) was changed
      # apply undoes instance_type and leaves private_ip
      ~ resource "aws_instance" "web_2a" {
          ~ instance_type = "t3.micro" -> "t3.large"
          ~ private_ip    = "172.31.0.10" -> "172.31.0.99"
            # (9 unchanged attributes hidden)
            # (2 unchanged blocks hidden)
        }

      # aws_instance.gone (i-0ab1) was deleted
      # apply creates it again

    Stack lab-web would change:
      ~ change in place
      + create

      # aws_instance.web_2a (i-0ab1) will be updated in place
      # drifted: instance_type was "t3.micro" when recorded, is "t3.large"
      ~ resource "aws_instance" "web_2a" {
          ~ instance_type = "t3.large"
                         -> "t3.micro"  # stops and starts the instance
          ~ public_ip     = "203.0.113.7" -> (known after apply)
            # (9 unchanged attributes hidden)
            # (2 unchanged blocks hidden)
        }

      # aws_instance.gone will be created
      # it was there at the last apply and is gone: deleted outside of reconcile
      + resource "aws_instance" "gone" {
          + ami                    = "ami-0abc"
          + instance_type          = "t3.micro"
          + subnet_id              = "subnet-2a"
          + vpc_security_group_ids = ["sg-1"]
          + tags                   = {
              + "Name" = "lab-web-pub-2a"
              + "tier" = "web"
            }
            # (known after apply: associate_public_ip_address, id, arn, private_ip,
            # public_ip)

          + metadata_options {
              + http_tokens = "required"
                # (known after apply: http_put_response_hop_limit)
            }
          + root_block_device {
              + volume_size = 8
                # (known after apply: volume_type, encrypted, volume_id)
            }
        }

    Plan: 1 to add, 1 to change, 0 to destroy, 0 to replace.
    "#);
}

#[test]
fn refresh_only() {
    let making = plans::refresh_only();
    assert_snapshot!(making.text(80), @r#"
    Changed outside of reconcile:

      # aws_instance.web_2a (i-0ab1) was changed
      # apply records it and changes nothing
      ~ resource "aws_instance" "web_2a" {
          ~ private_ip = "172.31.0.10" -> "172.31.0.99"
            # (10 unchanged attributes hidden)
            # (2 unchanged blocks hidden)
        }

    No changes. Stack lab-web is left as it is; apply records how that is.
    "#);
}

#[test]
fn one_rule_of_a_set() {
    let making = plans::one_rule_of_a_set();
    assert_snapshot!(making.text(80), @r#"
    Stack lab-web would change:
      ~ change in place

      # aws_security_group.web (sg-1) will be updated in place
      # spec changed: main.yaml:14
      ~ resource "aws_security_group" "web" {
            # (4 unchanged attributes hidden)

          - ingress {
              - description = "http"
              - protocol    = "tcp"
              - from_port   = 80
              - to_port     = 80
              - cidr_blocks = ["0.0.0.0/0"]
              - self        = false
            }
          ~ ingress {
                description = "ssh"
                protocol    = "tcp"
                from_port   = 22
                to_port     = 22
              ~ cidr_blocks = [
                  - "10.0.0.0/8"
                  + "0.0.0.0/0"
                ]
                # (1 unchanged attribute hidden)
            }
          + ingress {
              + description = "dns"
              + protocol    = "udp"
              + from_port   = 53
              + to_port     = 53
              + cidr_blocks = ["192.0.2.0/24"]
              + self        = false
            }
            # (1 unchanged block hidden)
        }

    Newly exposed:
      ! aws_security_group.web: tcp port 22 is open to everyone (0.0.0.0/0)

    Plan: 0 to add, 1 to change, 0 to destroy, 0 to replace.
    "#);
}

#[test]
fn nested_blocks() {
    let making = plans::nested_blocks();
    assert_snapshot!(making.text(80), @r#"
    Stack lab-web would change:
      ~ change in place

      # aws_instance.web (i-0ab1) will be updated in place
      # spec changed: main.yaml:14 (metadata_options[0].http_tokens,
      #   root_block_device[0].volume_size)
      ~ resource "aws_instance" "web" {
            # (11 unchanged attributes hidden)

          ~ metadata_options {
              ~ http_tokens = "required" -> "optional"
                # (1 unchanged attribute hidden)
            }
          ~ root_block_device {
              ~ volume_size = 8 -> 16
                # (3 unchanged attributes hidden)
            }
        }

    Newly exposed:
      ! aws_instance.web: instance metadata answers without a token (version 1), so
        a forged request from the instance can read its credentials

    Plan: 0 to add, 1 to change, 0 to destroy, 0 to replace.
    "#);
}

#[test]
fn outputs() {
    let making = plans::outputs();
    assert_snapshot!(making.text(80), @r#"
    Changes to outputs:
      - gone  = "http://old/"
      ~ hosts = [
          - "b"
          + "d"
            # (2 unchanged elements hidden)
        ]
      + new   = {
          + "name" = "web"
          + "port" = 80
        }
      ~ token = (sensitive value)
      ~ url   = "http://old/" -> (known after apply)

    Plan: 0 to add, 0 to change, 0 to destroy, 0 to replace. Only outputs change.
    "#);
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
    check_lines(
        &text,
        &[
            "# aws_instance.web (deposed i-0ab1) will be DESTROYED",
            "# a replacement that was interrupted left it behind",
        ],
    );
}

#[test]
fn moved() {
    let making = plans::moved();
    let text = making.text(80);
    check_lines(
        &text,
        &[
            "# aws_instance.new (i-0ab1) is the same under another address",
            "# moved from aws_instance.old",
        ],
    );
}

#[test]
fn no_changes() {
    let mut making = plans::no_changes();
    assert_snapshot!(making.text(80), @"No changes. Stack lab-web is what its spec says.");
    making.plan.options.mode = PlanMode::Destroy;
    assert_snapshot!(making.text(80), @"No changes. Stack lab-web has nothing to destroy.");
}

#[test]
fn narrow_and_wide() {
    let making = plans::warnings();
    assert_snapshot!(making.text(60), @r#"
    Stack lab-web would change:
    -/+ delete, then create anew

      # aws_instance.web (i-0ab1) will be REPLACED: deleted,
      #   then created anew
      # spec changed: main.yaml:14 (ami, user_data,
      #   vpc_security_group_ids)
    -/+ resource "aws_instance" "web" {
          ~ ami                    =  # forces replacement
              - "ami-0abc"
              + "ami-0123456789abcdef0123456789abcdef"
          + user_data              =
              + "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
                xxxxxxxxxxxxxxxxxxxxxxx"
          ~ vpc_security_group_ids = [
              - "sg-1"
              + "sg-0123456789abcdef0"
              + "sg-0fedcba9876543210"
            ]
            # (9 attributes known after apply)
            # (4 unchanged attributes hidden)
        }

    Warning: The image is old
      --> main.yaml:14:7
       |
    14 |       instance_type: t3.small
       |       ^^^^^^^^^^^^^
      It was made more than two years ago, and its maker no
      longer supports it.

    Plan: 0 to add, 0 to change, 0 to destroy, 1 to replace.
    "#);
    assert_snapshot!(making.text(160), @r#"
    Stack lab-web would change:
    -/+ delete, then create anew

      # aws_instance.web (i-0ab1) will be REPLACED: deleted, then created anew
      # spec changed: main.yaml:14 (ami, user_data, vpc_security_group_ids)
    -/+ resource "aws_instance" "web" {
          ~ ami                    = "ami-0abc" -> "ami-0123456789abcdef0123456789abcdef"  # forces replacement
          + user_data              = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
          ~ vpc_security_group_ids = [
              - "sg-1"
              + "sg-0123456789abcdef0"
              + "sg-0fedcba9876543210"
            ]
            # (9 attributes known after apply)
            # (4 unchanged attributes hidden)
        }

    Warning: The image is old
      --> main.yaml:14:7
       |
    14 |       instance_type: t3.small
       |       ^^^^^^^^^^^^^
      It was made more than two years ago, and its maker no longer supports it.

    Plan: 0 to add, 0 to change, 0 to destroy, 1 to replace.
    "#);
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
