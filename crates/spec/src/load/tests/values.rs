//! What a loaded spec says, and how its values follow what is known.

use reconcile_model::{InstanceKey, Object, Path, Value};

use crate::testing::{loaded, told};
use crate::{Expansion, IgnoreChanges, Instances, Scope, TriggerKey, When};

const SPEC: &str = r#"
stack: lab
provider:
  aws:
    - { region: ap-northeast-2, default_tags: { tags: { team: web } } }
    - { alias: west, region: us-west-2, profile: "${local.profile}" }
backend: { s3: { bucket: states, key: lab.json, region: eu-west-1 } }
locals:
  profile: ops
  image: ${data.aws_ami.linux.id}
data:
  aws_ami:
    linux: { owners: [amazon] }
resource:
  aws_instance:
    web:
      provider: aws.west
      count: 2
      ami: ${local.image}
      tags: { Name: "web-${count.index}", Version: 1.10, Zip: 01234 }
      timeouts: { create: 1h30m }
      lifecycle:
        create_before_destroy: true
        ignore_changes: [ami, 'tags["Name"]']
        replace_triggered_by: [aws_security_group.web, aws_security_group.web.name, 'aws_lb.each["a"]']
        precondition: { condition: '${data.aws_ami.linux.id != "bad"}', error_message: "no ${data.aws_ami.linux.id}" }
        postcondition: { condition: '${self.private_ip != ""}', error_message: no address }
  aws_security_group:
    web:
      name: web
      ingress: { from_port: "80" }
  aws_lb:
    one: { subnets: '${aws_instance.web[*].subnet_id}', depends_on: [aws_security_group.web] }
    each: { for_each: { a: x }, name: '${each.value}' }
    later: { for_each: '${toset(aws_instance.web[*].private_ip)}' }
    counted: { count: '${length(data.aws_ami.linux.names)}' }
output:
  url: { value: 'http://${aws_lb.one.dns_name}/', description: the page }
  secret: { value: '${sensitive("x")}', sensitive: true }
"#;

#[test]
fn a_spec_says_what_it_says() {
    let loaded = loaded(SPEC);
    let spec = &loaded.spec;
    assert_eq!(told(&loaded.warnings), "");
    assert_eq!(spec.stack, "lab");
    assert_eq!(
        format!("{:?}", spec.backend),
        r#"Some({"s3": {"bucket": "states", "key": "lab.json", "region": "eu-west-1"}})"#
    );
    assert_eq!(spec.providers.keys().collect::<Vec<_>>(), ["aws", "aws.west"]);
    let web = &spec.blocks[&reconcile_model::ResourceAddress::managed("aws_instance", "web")];
    assert_eq!(web.provider, "aws.west");
    assert!(web.is_repeated() && web.lifecycle.create_before_destroy);
    assert_eq!(web.timeouts["create"], 5400);
    assert_eq!(web.arguments.iter().collect::<Vec<_>>(), ["ami", "tags"]);
    assert_eq!(
        web.lifecycle.ignore_changes,
        IgnoreChanges::Paths(vec![Path::root("ami"), Path::root("tags").name("Name")])
    );
    let triggers: Vec<String> = web
        .lifecycle
        .replace_triggered_by
        .iter()
        .map(|it| format!("{} {:?} {}", it.resource, it.key, it.path))
        .collect();
    assert_eq!(
        triggers,
        [
            "aws_security_group.web None ",
            "aws_security_group.web None name",
            "aws_lb.each Some(Key(Name(\"a\"))) "
        ]
    );
    assert_eq!(
        TriggerKey::CountIndex.resolve(Some(&InstanceKey::Index(3))),
        Some(InstanceKey::Index(3))
    );
    let needs = |name: &str| {
        let address = name.parse().unwrap();
        spec.dependencies(&address).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        needs("aws_instance.web"),
        ["aws_lb.each", "aws_security_group.web", "data.aws_ami.linux"]
    );
    assert_eq!(needs("aws_lb.later"), ["aws_instance.web"]);
    assert_eq!(spec.digest.len(), 64);
}

#[test]
fn values_follow_what_is_known() {
    let loaded = loaded(SPEC);
    let spec = &loaded.spec;
    let block =
        |name: &str| &spec.blocks[&name.parse::<reconcile_model::ResourceAddress>().unwrap()];
    let mut scope = Scope::new(spec);
    let key = InstanceKey::Index(1);
    let web = scope.configure(block("aws_instance.web"), Some(&key)).unwrap();
    assert_eq!(
        format!("{web:?}"),
        r#"{"ami": (known after apply), "tags": {"Name": "web-1", "Version": "1.10", "Zip": "01234"}}"#
    );
    let group = scope.configure(block("aws_security_group.web"), None).unwrap();
    assert_eq!(format!("{group:?}"), r#"{"ingress": [{"from_port": 80}], "name": "web"}"#);
    let ami = |id: &str| Value::Map(Object::new().with("id", id).with("names", vec!["a", "b"]));
    scope.set(block("data.aws_ami.linux"), Instances::One(ami("ami-1")));
    let image = |scope: &Scope<'_>| {
        scope.configure(block("aws_instance.web"), Some(&key)).unwrap().string("ami")
    };
    assert_eq!(image(&scope).as_deref(), Some("ami-1"));
    scope.set_instance(&block("data.aws_ami.linux").address.instance(None), ami("ami-2"));
    assert_eq!(
        image(&scope).as_deref(),
        Some("ami-2"),
        "a local is evaluated again when what it mentions changes"
    );
    assert_eq!(scope.expand(block("aws_lb.counted")), Ok(Expansion::Count(2)));
    assert_eq!(scope.expand(block("aws_lb.one")), Ok(Expansion::One));
    assert_eq!(
        scope.expand(block("aws_lb.each")),
        Ok(Expansion::Each([("a".into(), "x".into())].into()))
    );
    let unknown = scope.expand(block("aws_lb.later")).unwrap_err();
    assert_eq!(
        told(&unknown),
        "35:24 «'${toset(aws_instance.web[*].private_ip)}'» `for_each` of `aws_lb.later` is known only after apply. It depends on `aws_instance.web`, and the instances must be known to plan them. / Use keys that the spec knows, with what is unknown in the values; or apply with `--target aws_instance.web` first."
    );
    let servers =
        ["10.0.0.1", "10.0.0.2"].map(|ip| Value::Map(Object::new().with("private_ip", ip)));
    scope.set(block("aws_instance.web"), Instances::Count(servers.to_vec()));
    let Ok(Expansion::Each(keys)) = scope.expand(block("aws_lb.later")) else { panic!() };
    assert_eq!(keys.len(), 2);
    let names: Vec<String> = scope
        .references(block("aws_instance.web"), "ami")
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(names, ["data.aws_ami.linux"]);
    assert_eq!(
        format!("{:?}", scope.provider("aws").unwrap()),
        r#"{"default_tags": {"team": "web"}, "region": "ap-northeast-2"}"#
    );
    assert_eq!(
        format!("{:?}", scope.provider("aws.west").unwrap()),
        r#"{"default_tags": {}, "profile": "ops", "region": "us-west-2"}"#
    );
    assert_eq!(format!("{:?}", scope.output(&spec.outputs["url"]).unwrap()), "(known after apply)");
    assert_eq!(
        format!("{:?}", scope.output(&spec.outputs["secret"]).unwrap()),
        "(sensitive value)"
    );
}

#[test]
fn conditions_are_checked_when_they_are_known() {
    let loaded = loaded(SPEC);
    let spec = &loaded.spec;
    let web = &spec.blocks[&reconcile_model::ResourceAddress::managed("aws_instance", "web")];
    let mut scope = Scope::new(spec);
    let key = InstanceKey::Index(0);
    assert_eq!(scope.conditions(web, Some(&key), When::Before, None), []);
    let bad = Value::Map(Object::new().with("id", "bad"));
    let image: reconcile_model::ResourceAddress = "data.aws_ami.linux".parse().unwrap();
    scope.set(&spec.blocks[&image], Instances::One(bad));
    let found = scope.conditions(web, Some(&key), When::Before, None);
    assert_eq!(
        told(&found),
        "26:36 «'${data.aws_ami.linux.id != \"bad\"}'» A condition does not hold. no bad"
    );
    let without = Value::Map(Object::new().with("private_ip", ""));
    let found = scope.conditions(web, Some(&key), When::After, Some(&without));
    assert_eq!(
        told(&found),
        "27:37 «'${self.private_ip != \"\"}'» A condition does not hold. no address"
    );
    assert_eq!(found[0].address.as_ref().unwrap().to_string(), "aws_instance.web[0]");
}
