//! The golden plans: one for each thing that a plan can say. Every format shows every one of them.

use reconcile_model::{
    Action, CheckResult, CheckStatus, Diagnostic, InstanceKey, Object, Reason, ReplaceOrder,
    ResourceAddress, Span, Value,
    plan::{Cause, CauseKind, DriftAnswer, DriftOutcome, PlanMode},
    proposed::Renewal,
};
use reconcile_report::configuration::{Expression, ResourceConfiguration};

use crate::support::{
    Making, address, at, drift_cause, group, instance, live_group, live_instance, live_listener,
    object, rule,
};

/// What is planted in plans and must be in no output.
pub(crate) const OLD_SECRET: &str = "hunter2-old";
/// What takes the place of the old secret.
pub(crate) const NEW_SECRET: &str = "hunter2-new";

/// A plan with a name, for snapshots and messages.
pub(crate) struct Golden {
    pub(crate) name: &'static str,
    pub(crate) making: Making,
}

/// A golden plan's name, and what makes it.
type Maker = (&'static str, fn() -> Making);

/// Returns all golden plans.
pub(crate) fn golden() -> Vec<Golden> {
    let all: [Maker; 30] = [
        ("create", create),
        ("create_with_sources", create_with_sources),
        ("update", update),
        ("replace_both_ways", replace_both_ways),
        ("forced_by_another_change", forced_by_another_change),
        ("every_action", every_action),
        ("delete", delete),
        ("drift", drift),
        ("drift_of_many", drift_of_many),
        ("refresh_only", refresh_only),
        ("moved", moved),
        ("moved_and_changed", moved_and_changed),
        ("imported", imported),
        ("deposed", deposed),
        ("sensitive", sensitive),
        ("unknown", unknown),
        ("one_rule_of_a_set", one_rule_of_a_set),
        ("nested_blocks", nested_blocks),
        ("lists_and_maps", lists_and_maps),
        ("outputs", outputs),
        ("long_strings", long_strings),
        ("json_and_base64", json_and_base64),
        ("unicode", unicode),
        ("hostile", hostile),
        ("warnings", warnings),
        ("checks", checks),
        ("no_changes", no_changes),
        ("five_hundred", five_hundred),
        ("five_hundred_apart", five_hundred_apart),
        ("one_huge", one_huge),
    ];
    all.into_iter().map(|(name, make)| Golden { name, making: make() }).collect()
}

pub(crate) fn create() -> Making {
    let mut making = Making::new();
    let config = instance().with("vpc_security_group_ids", vec![Value::Unknown]);
    making.plan("aws_instance.web_2a", &config, None);
    making.plan("aws_security_group.web", &group(vec![rule(22, "ssh", "0.0.0.0/0")]), None);
    making.output("url", Value::Null, Value::Unknown);
    making
}

/// A create whose unknown arguments come from other blocks, and whose own id another one uses.
pub(crate) fn create_with_sources() -> Making {
    let mut making = Making::new();
    let config = instance().with("subnet_id", Value::Unknown).with("ami", Value::Unknown);
    making.plan("aws_instance.web_2a", &config, None);
    let listener = Object::new().with("port", 80_i64).with("document", Value::Unknown);
    making.plan("test_listener.http", &listener, None);
    let references = |name: &str| Expression::References(vec![name.to_owned()]);
    let mut configure = |block: ResourceAddress, expressions: &[(&str, &str)]| {
        let expressions =
            expressions.iter().map(|(name, from)| ((*name).to_owned(), references(from)));
        let block_configuration = ResourceConfiguration {
            expressions: expressions.collect(),
            ..ResourceConfiguration::default()
        };
        making.configuration.resources.insert(block, block_configuration);
    };
    configure(
        ResourceAddress::managed("aws_instance", "web_2a"),
        &[("ami", "aws_ami_from_instance.web.id"), ("subnet_id", "aws_subnet.a.id")],
    );
    configure(
        ResourceAddress::managed("test_listener", "http"),
        &[("document", "aws_instance.web_2a.private_ip")],
    );
    making
}

pub(crate) fn update() -> Making {
    let mut making = Making::new();
    let config = instance()
        .with("instance_type", "t3.small")
        .with("tags", object(serde_json::json!({ "Name": "서울-web", "team": "blue" })));
    making.plan("aws_instance.web_2a", &config, Some(&live_instance()));
    making
}

pub(crate) fn replace_both_ways() -> Making {
    let mut making = Making::new();
    let config = instance().with("ami", "ami-0def");
    making.plan("aws_instance.a", &config, Some(&live_instance()));
    let config = instance().with("root_block_device", vec![Object::new().with("encrypted", true)]);
    making.plan("aws_instance.b", &config, Some(&live_instance())).action =
        Action::Replace(ReplaceOrder::CreateThenDelete);
    let change =
        making.plan_with("aws_instance.c", &instance(), Some(&live_instance()), Renewal::Always);
    change.reason = Reason::Tainted;
    making
}

pub(crate) fn forced_by_another_change() -> Making {
    let mut making = Making::new();
    making.plan(
        "aws_security_group.web",
        &group(vec![]).with("name", "other"),
        Some(&live_group(vec![])),
    );
    let config = instance()
        .with("vpc_security_group_ids", vec![Value::Unknown])
        .with("subnet_id", Value::Unknown);
    let change = making.plan("aws_instance.web", &config, Some(&live_instance()));
    let upstream = ResourceAddress::managed("aws_security_group", "web");
    for (path, cause) in change.changed.iter().zip(&mut change.causes) {
        if ["vpc_security_group_ids", "subnet_id"].map(Some).contains(&path.attribute()) {
            *cause = Cause { kind: CauseKind::Upstream(vec![upstream.clone()]), ..cause.clone() };
        }
    }
    making
}

pub(crate) fn every_action() -> Making {
    let mut making = Making::new();
    making.plan("aws_instance.a_new", &instance(), None);
    making.plan(
        "aws_instance.b_changed",
        &instance().with("tags", Object::new()),
        Some(&live_instance()),
    );
    making.plan(
        "aws_instance.c_replaced",
        &instance().with("ami", "ami-1"),
        Some(&live_instance()),
    );
    making.delete("aws_instance.d_gone", &live_instance());
    making.delete("aws_instance.e_all[2]", &live_instance()).reason = Reason::KeyGone;
    let image = object(serde_json::json!({ "owners": ["amazon"] }));
    making.plan("data.aws_ami.linux", &image.with("name_regex", Value::Unknown), None);
    let left = making.delete("aws_instance.f_left", &live_instance());
    left.action = Action::Forget;
    left.reason = Reason::Forgotten;
    left.span = Some(at(40));
    making.plan("aws_instance.g_same", &instance(), Some(&live_instance()));
    making
}

pub(crate) fn delete() -> Making {
    let mut making = Making::new();
    making.delete("aws_instance.web_2a", &live_instance());
    making
}

pub(crate) fn drift() -> Making {
    let recorded = live_instance();
    let live = recorded.clone().with("instance_type", "t3.large").with("private_ip", "172.31.0.99");
    let mut making = Making::new();
    let change = making.plan("aws_instance.web_2a", &instance(), Some(&live));
    change.reason = Reason::Drifted;
    change.causes[0] = drift_cause("t3.micro");
    making.drift("aws_instance.web_2a", &recorded, Some(&live)).answers = vec![
        DriftAnswer {
            outcome: DriftOutcome::Undone,
            spec: Some("t3.micro".into()),
            span: Some(at(14)),
        },
        DriftAnswer { outcome: DriftOutcome::Left, spec: None, span: None },
    ];
    making.plan("aws_instance.gone", &instance(), None).reason = Reason::Missing;
    making.drift("aws_instance.gone", &recorded, None);
    making
}

/// A fleet that somebody gave another type by hand, one of it apart, and of which some are gone.
pub(crate) fn drift_of_many() -> Making {
    let mut making = Making::new();
    let recorded = |n: usize| {
        live_instance()
            .with("id", format!("i-0{n:03}"))
            .with("private_ip", format!("172.31.0.{}", 10 + n))
    };
    for n in 0..6 {
        let name = format!("aws_instance.web[{n}]");
        let live =
            recorded(n).with("instance_type", if n == 4 { "t3.2xlarge" } else { "t3.large" });
        let change = making.plan(&name, &instance(), Some(&live));
        change.reason = Reason::Drifted;
        change.causes[0] = drift_cause("t3.micro");
        // What the spec says of one of them stands elsewhere.
        let span = Some(at(if n == 2 { 20 } else { 14 }));
        let (outcome, spec) = (DriftOutcome::Undone, Some("t3.micro".into()));
        making.drift(&name, &recorded(n), Some(&live)).answers =
            vec![DriftAnswer { outcome, spec, span }];
    }
    for n in 6..9 {
        let name = format!("aws_instance.web[{n}]");
        making.plan(&name, &instance(), None).reason = Reason::Missing;
        making.drift(&name, &recorded(n), None);
    }
    making
}

pub(crate) fn refresh_only() -> Making {
    let recorded = live_instance();
    let live = recorded.clone().with("private_ip", "172.31.0.99");
    let mut making = Making::new();
    making.plan.options.mode = PlanMode::RefreshOnly;
    making.drift("aws_instance.web_2a", &recorded, Some(&live)).answers = vec![DriftAnswer {
        outcome: DriftOutcome::Overwritten,
        spec: Some("172.31.0.1".into()),
        span: Some(at(14)),
    }];
    making
}

pub(crate) fn moved() -> Making {
    let mut making = Making::new();
    let change = making.plan("aws_instance.new", &instance(), Some(&live_instance()));
    change.previous_address = Some(address("aws_instance.old"));
    making
}

pub(crate) fn moved_and_changed() -> Making {
    let mut making = Making::new();
    let config = instance().with("instance_type", "t3.small");
    let change = making.plan("aws_instance.new[0]", &config, Some(&live_instance()));
    change.previous_address = Some(address("aws_instance.old"));
    making
}

pub(crate) fn imported() -> Making {
    let mut making = Making::new();
    making.plan("aws_instance.kept", &instance(), Some(&live_instance())).imported = true;
    let config = instance().with("instance_type", "t3.small");
    making.plan("aws_instance.put_right", &config, Some(&live_instance())).imported = true;
    making
}

pub(crate) fn deposed() -> Making {
    let mut making = Making::new();
    let change = making.delete("aws_instance.web", &live_instance());
    change.reason = Reason::Deposed;
    change.deposed = true;
    making
}

/// Returns arguments with a secret everywhere that one can be: by the schema, nested, and by the expression's mark.
pub(crate) fn secretive(secret: &str) -> Object {
    let marked = || Value::from(secret).sensitive();
    object(serde_json::json!({
        "port": 80,
        "password": secret,
        "login": [{ "name": "same", "secret": secret }, { "name": "b", "secret": secret }],
    }))
    .with("document", Value::from(format!("{secret}\nline\n")).sensitive())
    .with("policy", Value::from(format!("{{\"a\": \"{secret}\"}}")).sensitive())
    .with("stages", vec![Value::from("open"), marked()])
    .with("settings", Object::new().with("open", "x").with("key", marked()))
}

/// Adds changes and an output that hold secrets.
pub(crate) fn plant_secrets(making: &mut Making) {
    let (old, new) = (live_listener(&secretive(OLD_SECRET)), secretive(NEW_SECRET));
    making.plan("test_listener.planted_new", &new, None);
    making.plan("test_listener.planted_changed", &new, Some(&old));
    making.delete("test_listener.planted_gone", &old);
    let drift = making.drift("test_listener.planted_changed", &old, Some(&live_listener(&new)));
    drift.answers = drift
        .changed
        .iter()
        .map(|path| DriftAnswer {
            outcome: DriftOutcome::Undone,
            spec: new.at(path).cloned(),
            span: None,
        })
        .collect();
    making.output(
        "planted",
        Value::from(OLD_SECRET).sensitive(),
        vec![Value::from(NEW_SECRET).sensitive()],
    );
}

pub(crate) fn sensitive() -> Making {
    let mut making = Making::new();
    plant_secrets(&mut making);
    making
}

pub(crate) fn unknown() -> Making {
    let mut making = Making::new();
    let config = instance()
        .with("subnet_id", Value::Unknown)
        .with("tags", Object::new().with("Name", Value::Unknown).with("tier", "web"))
        .with("metadata_options", Value::Unknown);
    making.plan("aws_instance.new", &config, None);
    let config = instance()
        .with("vpc_security_group_ids", vec![Value::from("sg-1"), Value::Unknown])
        .with("user_data", Value::Unknown)
        .with("tags", Value::Unknown);
    making.plan("aws_instance.web", &config, Some(&live_instance()));
    let rules = vec![rule(80, "http", "0.0.0.0/0").with("cidr_blocks", vec![Value::Unknown])];
    making.plan(
        "aws_security_group.web",
        &group(rules),
        Some(&live_group(vec![rule(80, "http", "10.0.0.0/8")])),
    );
    making.output("hosts", vec!["a"], vec![Value::from("a"), Value::Unknown]);
    making
}

pub(crate) fn one_rule_of_a_set() -> Making {
    let before = vec![
        rule(22, "ssh", "10.0.0.0/8"),
        rule(80, "http", "0.0.0.0/0"),
        rule(443, "https", "10.1.2.3/8"),
    ];
    let after = vec![
        // The same rule as before: the host bits say nothing.
        rule(443, "https", "10.0.0.0/8"),
        rule(22, "ssh", "0.0.0.0/0"),
        object(serde_json::json!({
            "description": "dns", "protocol": "udp", "from_port": 53, "to_port": 53,
            "cidr_blocks": ["192.0.2.0/24"],
        })),
    ];
    let mut making = Making::new();
    making.plan("aws_security_group.web", &group(after), Some(&live_group(before)));
    making
}

pub(crate) fn nested_blocks() -> Making {
    let config = instance()
        .with("metadata_options", vec![Object::new().with("http_tokens", "optional")])
        .with("root_block_device", vec![Object::new().with("volume_size", 16_i64)]);
    let mut making = Making::new();
    making.plan("aws_instance.web", &config, Some(&live_instance()));
    making
}

pub(crate) fn lists_and_maps() -> Making {
    let before = object(serde_json::json!({
        "port": 80,
        "stages": ["build", "test", "stage", "ship"],
        "settings": { "a": "1", "b": "2", "c": "3" },
    }));
    let after = object(serde_json::json!({
        "port": 80,
        "stages": ["lint", "build", "stage", "canary", "ship"],
        "settings": { "a": "1", "b": "two", "d": "4" },
    }));
    let mut making = Making::new();
    making.plan("test_listener.a", &after, Some(&live_listener(&before)));
    making
}

pub(crate) fn outputs() -> Making {
    let mut making = Making::new();
    making.output("gone", "http://old/", Value::Null);
    making.output("hosts", vec!["a", "b", "c"], vec!["a", "c", "d"]);
    making.output("new", Value::Null, object(serde_json::json!({ "port": 80, "name": "web" })));
    making.output("same", 1_i64, 1_i64);
    making.output("token", Value::from("old").sensitive(), Value::from("new").sensitive());
    making.output("url", "http://old/", Value::Unknown);
    making
}

/// A script that is edited, a line that does not fit, and a new script.
pub(crate) fn long_strings() -> Making {
    let script: String = (1..=40).map(|n| format!("echo step {n}\n")).collect();
    let edited = script.replace("step 9\n", "step nine\n").replace("echo step 30\n", "");
    let mut making = Making::new();
    let prior = live_instance().with("user_data", script.as_str());
    making.plan("aws_instance.edited", &instance().with("user_data", edited), Some(&prior));
    let line = |word: &str| format!("{}{word}{}", "a".repeat(150), "z".repeat(150));
    let listener = |word: &str| Object::new().with("port", 80_i64).with("document", line(word));
    making.plan("test_listener.line", &listener("new"), Some(&live_listener(&listener("old"))));
    let mut fresh = instance().with("user_data", format!("#!/bin/sh\n\tset -e\n\n{script}"));
    fresh.set("ami", "ami-".to_owned() + &"0123456789abcdef".repeat(20));
    making.plan("aws_instance.fresh", &fresh, None);
    making
}

pub(crate) fn json_and_base64() -> Making {
    let policy = |effect: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"{effect}","Action":"s3:GetObject"}}]}}"#
        )
    };
    let listener = |effect: &str| Object::new().with("port", 80_i64).with("policy", policy(effect));
    let mut making = Making::new();
    making.plan("test_listener.a", &listener("Deny"), Some(&live_listener(&listener("Allow"))));
    // A script of two lines, before and after an edit.
    let before = live_instance().with("user_data_base64", "IyEvYmluL3NoCmVjaG8gb25lCg==");
    let config = instance().with("user_data_base64", "IyEvYmluL3NoCmVjaG8gdHdvCg==");
    making.plan("aws_instance.web", &config, Some(&before));
    making
}

pub(crate) fn unicode() -> Making {
    let tags = object(serde_json::json!({
        "Name": "서울-웹-2a", "이름": "값", "emoji": "👩‍💻🚀", "accent": "e\u{301}te\u{301}",
    }));
    let mut making = Making::new();
    making.plan("aws_instance.all[\"서울\"]", &instance().with("tags", tags), None);
    let script = |word: &str| format!("#!/bin/sh\necho 안녕하세요\necho {word}\necho 끝\n");
    making.plan(
        "aws_instance.changed",
        &instance().with("user_data", script("세계 🌏")),
        Some(&live_instance().with("user_data", script("서울"))),
    );
    making
}

/// Strings that could break out of where a format puts them, or look like something else on a screen.
pub(crate) const HOSTILE: [&str; 8] = [
    "</details></summary><script>alert(1)</script>",
    "```\n````\n~~~~~\n</details>\n# not a heading\n",
    "@octocat please see #1, https://evil.example/ and [this](https://evil.example/) <img src=x onerror=alert(1)>",
    "a\u{1b}[2K\u{1b}[1A\u{202e}b\u{200b}c\r\n\u{2028}d",
    "&lt;b&gt; &amp; \"quotes\" 'single' `code` $(touch /tmp/x)",
    "| table | cell |\n| --- | --- |\n- item\n+ item\n> quote\n",
    "+ not an addition\n- not a removal\n@@ -1 +1 @@\n",
    "]]><!-- comment --> <?php ?> {{ template }} %{ if true } ${var.x}",
];

pub(crate) fn hostile() -> Making {
    let mut making = Making::new();
    for (at, text) in HOSTILE.iter().enumerate() {
        let key = InstanceKey::Name((*text).into());
        let tags = Object::new().with("Name", *text).with(text, "x");
        let name = format!("aws_instance.new[\"{at}\"]");
        let change =
            making.plan(&name, &instance().with("tags", tags).with("user_data", *text), None);
        change.address.key = Some(key);
        let listener = |text: String| Object::new().with("port", 80_i64).with("document", text);
        let name = format!("test_listener.changed_{at}");
        let prior = live_listener(&listener(format!("before\n{text}\nafter\n")));
        making.plan(&name, &listener(format!("before\nx {text}\nafter\n")), Some(&prior));
        making.output(&format!("out_{at}"), Value::Null, *text);
    }
    let warning = Diagnostic::warning(HOSTILE[2]).detail(HOSTILE[0]).hint(HOSTILE[1]);
    making.plan.warnings.push(warning.clone());
    let (name, problems) = (HOSTILE[1].to_owned(), vec![warning]);
    let check = CheckResult { name, status: CheckStatus::Fail, problems, span: None };
    making.plan.checks.push(check);
    making
}

pub(crate) fn warnings() -> Making {
    let config = instance()
        .with("ami", "ami-0123456789abcdef0123456789abcdef")
        .with("user_data", "x".repeat(70))
        .with("vpc_security_group_ids", vec!["sg-0123456789abcdef0", "sg-0fedcba9876543210"]);
    let mut making = Making::new();
    making.plan("aws_instance.web", &config, Some(&live_instance()));
    making.plan.warnings.push(
        Diagnostic::warning("The image is old")
            .detail("It was made more than two years ago, and its maker no longer supports it.")
            .at(at(14)),
    );
    making
}

/// Returns checks that ended in every way.
pub(crate) fn results() -> Vec<CheckResult> {
    let span = Span {
        file: "main.yaml".into(),
        line: 7,
        column: 18,
        length: 45,
        text: "      condition: ${data.http.page.status_code == 200}".into(),
    };
    let of = |name: &str, status, problems| CheckResult {
        name: name.to_owned(),
        status,
        problems,
        span: None,
    };
    let fails = Diagnostic::warning("An assertion does not hold")
        .detail("The page answers with 503.")
        .at(span);
    let unread = Diagnostic::warning("Cannot read data.http.api")
        .detail("GET (http://127.0.0.1:1/): the connection was refused.");
    let unknown = Diagnostic::warning("An assertion is known after apply only")
        .detail("It mentions something that apply will tell.");
    vec![
        of("page", CheckStatus::Fail, vec![fails]),
        of("api", CheckStatus::Error, vec![unread]),
        of("new", CheckStatus::Unknown, vec![unknown]),
        of("disk", CheckStatus::Pass, vec![]),
    ]
}

/// Those checks beside a change.
pub(crate) fn checks() -> Making {
    let mut making = update();
    making.plan.checks = results();
    making
}

pub(crate) fn no_changes() -> Making {
    let mut making = Making::new();
    making.plan("aws_instance.web", &instance(), Some(&live_instance()));
    making.output("url", "http://a/", "http://a/");
    making
}

/// Five hundred changes as a stack makes them: many instances of few blocks, and some blocks of their own.
pub(crate) fn five_hundred() -> Making {
    let mut making = Making::new();
    for n in 0..300 {
        let config = instance()
            .with("subnet_id", ["subnet-2a", "subnet-2b", "subnet-2c"][n % 3])
            .with("user_data", format!("#!/bin/sh\nexec 2>&1\necho \"fleet {n}\" > /index.html\n"))
            .with("tags", Object::new().with("Name", format!("fleet-{n:03}")).with("tier", "web"));
        making.plan(&format!("aws_instance.web[{n}]"), &config, None);
    }
    for n in 0..60 {
        let rules = vec![rule(443, "https", &format!("10.{n}.0.0/16"))];
        let config = group(rules).with("name", format!("team-{n}"));
        making.plan(&format!("aws_security_group.team[\"t{n}\"]"), &config, None);
    }
    let live = |n: usize| live_instance().with("id", format!("i-{n:04x}"));
    for n in 0..40 {
        let config = instance().with("instance_type", "t3.small");
        making.plan(&format!("aws_instance.api[{n}]"), &config, Some(&live(n)));
    }
    for n in 0..20 {
        let config = instance().with("ami", "ami-0new");
        making.plan(&format!("aws_instance.db[{n}]"), &config, Some(&live(100 + n)));
    }
    for n in 0..30 {
        making.delete(&format!("aws_instance.old[{n}]"), &live(200 + n)).reason = Reason::KeyGone;
    }
    for n in 0..50 {
        let script = |word: &str| format!("#!/bin/sh\nset -e\necho {n}\n{word} {n}\necho done\n");
        let config = |word: &str| Object::new().with("port", 80_i64).with("document", script(word));
        let prior = live_listener(&config("start"));
        making.plan(&format!("test_listener.l{n:02}"), &config("restart"), Some(&prior));
    }
    making
}

/// Five hundred changes that have nothing in common, more than any comment holds.
pub(crate) fn five_hundred_apart() -> Making {
    let mut making = Making::new();
    let script = |n: usize, word: &str| -> String {
        (0..12).map(|line| format!("{word} {n} {line} 서울\n")).collect()
    };
    for n in 0..500 {
        let name = format!("aws_instance.server_{n:03}");
        let config = instance().with("user_data", script(n, "run"));
        let prior = live_instance().with("user_data", script(n, "start"));
        match n % 5 {
            0 => drop(making.plan(&name, &config, None).id.take()),
            1 => drop(making.plan(&name, &config, Some(&prior)).id.take()),
            2 => {
                making.plan(&name, &config.with("ami", "ami-0new"), Some(&prior));
            }
            3 => {
                making.delete(&name, &prior);
            }
            _ => {
                let live = prior.clone().with("user_data", script(n, "drift"));
                let change = making.plan(
                    &name,
                    &instance().with("user_data", script(n, "start")),
                    Some(&live),
                );
                change.reason = Reason::Drifted;
                making.drift(&name, &prior, Some(&live));
            }
        }
    }
    making
}

/// One change that is longer than a comment by itself.
pub(crate) fn one_huge() -> Making {
    let script = |word: &str| -> String {
        (0..1200).map(|line| format!("{word} {line} and so on\n")).collect()
    };
    let mut making = Making::new();
    let prior = live_instance().with("user_data", script("start"));
    let config = instance().with("user_data", script("run")).with("ami", "ami-0new");
    making.plan("aws_instance.huge", &config, Some(&prior));
    making.plan("aws_instance.small", &instance(), None);
    making
}
