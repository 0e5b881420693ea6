//! The plan of the tour in docs/reviewing.md: a bit of everything that a reviewer meets.

use reconcile_model::{
    Action, Reason, ReplaceOrder, ResourceAddress, Value,
    plan::{DriftAnswer, DriftOutcome},
};

use crate::support::{
    Making, drift_cause, group, instance, live_group, live_instance, object, rule,
};

fn needs(making: &mut Making, names: &[&str]) {
    let address = |name: &&str| {
        let (kind, name) = name.rsplit_once('.').unwrap();
        match kind.strip_prefix("data.") {
            Some(kind) => ResourceAddress::data(kind, name),
            None => ResourceAddress::managed(kind, name),
        }
    };
    let needed = names.iter().map(address).collect();
    making.plan.changes.last_mut().unwrap().dependencies = needed;
}

fn script(port: u16) -> String {
    format!(
        "#!/bin/bash\nset -euo pipefail\ndnf install -y nginx\ncat > /etc/nginx/conf.d/web.conf <<'EOF'\n\
         server {{ listen {port}; root /srv/web; }}\nEOF\nsystemctl enable --now nginx\n"
    )
}

/// A plan that replaces one server, changes another and their group, adds one, and deletes one.
pub(crate) fn tour() -> Making {
    let mut making = Making::new();

    let image = object(serde_json::json!({ "owners": ["amazon"], "name_regex": "al2023" }));
    making.plan("data.aws_ami.linux", &image, None).action = Action::NoOp;

    let ssh = rule(22, "ssh", "198.51.100.0/24");
    let recorded = live_group(vec![ssh.clone(), rule(80, "http", "0.0.0.0/0")]);
    let live = live_group(vec![
        ssh.clone(),
        rule(80, "http", "0.0.0.0/0"),
        rule(8080, "debugging", "0.0.0.0/0"),
    ]);
    let spec = group(vec![ssh, rule(80, "http", "0.0.0.0/0"), rule(443, "https", "0.0.0.0/0")]);
    let change = making.plan("aws_security_group.web", &spec, Some(&live));
    change.causes[0] = drift_cause(recorded.value("ingress").clone());
    let answer = DriftAnswer { outcome: DriftOutcome::Undone, spec: None, span: None };
    making.drift("aws_security_group.web", &recorded, Some(&live)).answers = vec![answer];

    let live = live_instance();
    making.plan("aws_instance.web_2a", &instance().with("ami", "ami-0fed"), Some(&live)).action =
        Action::Replace(ReplaceOrder::CreateThenDelete);
    needs(&mut making, &["aws_security_group.web", "data.aws_ami.linux"]);

    let prior = live.clone().with("user_data", script(80));
    let config = instance()
        .with("user_data", script(8080))
        .with("tags", object(serde_json::json!({ "Name": "lab-web-pub-2c", "tier": "web" })));
    making.plan("aws_instance.web_2c", &config, Some(&prior));
    needs(&mut making, &["aws_security_group.web", "aws_instance.web_2a"]);

    let config = instance().with("vpc_security_group_ids", vec![Value::Unknown]);
    making.plan("aws_instance.web_2b", &config.with("user_data", script(8080)), None);
    needs(&mut making, &["aws_security_group.web", "data.aws_ami.linux"]);

    making.delete("aws_instance.bastion", &live.clone().with("id", "i-0ba5")).reason =
        Reason::NotInSpec;
    needs(&mut making, &["aws_security_group.web"]);

    for zone in ["a", "b", "c"] {
        let name = format!("aws_instance.worker[\"{zone}\"]");
        making.plan(&name, &instance().with("instance_type", "t3.small"), Some(&live));
        needs(&mut making, &["aws_security_group.web"]);
    }
    making.plan("aws_instance.builder", &instance(), Some(&live));
    needs(&mut making, &["aws_instance.web_2c"]);

    making.output("address", "203.0.113.7", Value::Unknown);
    making
}
