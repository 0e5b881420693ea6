//! What a spec says comes out as constants and references, as Terraform lists them.

use reconcile_model::configuration::Expression;
use reconcile_model::{Configuration, ResourceAddress};

use crate::testing::loaded;

const SPEC: &str = r#"
stack: lab
provider:
  aws:
    - { region: ap-northeast-2, default_tags: { tags: { team: web } } }
    - { alias: west, region: us-west-2, profile: "${local.profile}" }
variable:
  size: { type: string, default: t3.micro, description: how large }
  secret: { type: string, default: hunter2, sensitive: true }
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
      count: '${length(data.aws_ami.linux.names) + 1}'
      ami: ${local.image}
      instance_type: ${var.size}
      vpc_security_group_ids: ['${aws_security_group.web.id}', sg-1]
      user_data: '%{ if true }a%{ endif }b'
      password: hunter2hunter2
      root_block_device: { volume_size: 8, iops: '${count.index}' }
      tags: { Name: "web-${count.index}", Path: '${path.module}', '${var.size}': '${upper("a")}' }
  aws_security_group:
    web:
      name: web
      ingress:
        - { from_port: "80" }
        - { from_port: '${3 + 5}' }
  aws_lb:
    one:
      subnets: '${aws_instance.web[*].subnet_id}'
      name: '${aws_instance.web[0].tags["Path"]}${aws_instance.web[count.index + 0].id}'
      count: 1
      depends_on: [aws_security_group.web]
    each:
      for_each: { a: x }
      name: '${[for k in ["a"] : "${k}-${each.value}"][0]}'
output:
  url: { value: 'http://${aws_lb.one[0].dns_name}/', description: the page, depends_on: [aws_lb.each] }
  secret: { value: hunter2, sensitive: true }
"#;

fn configuration() -> Configuration {
    loaded(SPEC).spec.configuration()
}

#[track_caller]
fn says(block: &str, argument: &str, wanted: &str) {
    let (type_name, name) = block.split_once('.').expect("a type and a name");
    let block = &configuration().resources[&ResourceAddress::managed(type_name, name)];
    let expression = match argument {
        "count" => block.count.as_ref(),
        "for_each" => block.for_each.as_ref(),
        argument => block.expressions.get(argument),
    };
    assert_eq!(told(expression.expect("the block says it")), wanted);
}

fn told(expression: &Expression) -> String {
    match expression {
        Expression::Constant(value) => format!("{value:?}"),
        Expression::References(names) => format!("<{}>", names.join(" ")),
        Expression::Blocks(blocks) => {
            let blocks = blocks.iter().map(|block| {
                let says = block.iter().map(|(name, it)| format!("{name}={}", told(it)));
                format!("{{{}}}", says.collect::<Vec<_>>().join(" "))
            });
            blocks.collect()
        }
    }
}

#[test]
fn references_are_listed_in_the_order_in_which_they_are_written() {
    says("aws_instance.web", "ami", "<local.image>");
    says("aws_instance.web", "instance_type", "<var.size>");
    says("aws_instance.web", "vpc_security_group_ids", "<aws_security_group.web.id>");
    says("aws_instance.web", "count", "<data.aws_ami.linux.names>");
    says("aws_instance.web", "tags", "<var.size count.index path.module>");
}

#[test]
fn a_constant_key_is_part_of_a_reference_and_another_is_not() {
    says("aws_lb.one", "subnets", "<aws_instance.web>");
    says(
        "aws_lb.one",
        "name",
        r#"<aws_instance.web[0].tags["Path"] aws_instance.web count.index>"#,
    );
}

#[test]
fn names_that_a_for_binds_are_no_references() {
    says("aws_lb.each", "name", "<each.value>");
    says("aws_lb.each", "for_each", r#"{"a": "x"}"#);
}

#[test]
fn what_leans_on_nothing_is_a_constant() {
    says("aws_security_group.web", "ingress", r#"{from_port="80"}{from_port=8}"#);
    says("aws_instance.web", "user_data", r#""ab""#);
    says("aws_instance.web", "root_block_device", "{iops=<count.index> volume_size=8}");
    says("aws_lb.one", "count", "1");
}

#[test]
fn secrets_are_marked() {
    says("aws_instance.web", "password", "(sensitive value)");
    let configuration = configuration();
    assert_eq!(told(&configuration.outputs["secret"].expression), "(sensitive value)");
    assert!(configuration.variables["secret"].sensitive);
    let sealed = serde_json::to_string(&configuration.sealed("salt")).expect("it is sealed");
    assert!(!sealed.contains("hunter2"), "{sealed}");
    assert_eq!(
        serde_json::from_str::<Configuration>(&sealed).expect("it can be read").sealed("salt"),
        configuration.sealed("salt")
    );
}

#[test]
fn the_rest_comes_along() {
    let configuration = configuration();
    let block = &configuration.resources[&ResourceAddress::managed("aws_lb", "one")];
    assert_eq!(block.depends_on, ["aws_security_group.web"]);
    assert_eq!(block.provider, "aws");
    let url = &configuration.outputs["url"];
    assert_eq!(told(&url.expression), "<aws_lb.one[0].dns_name>");
    assert_eq!(url.depends_on, ["aws_lb.each"]);
    assert_eq!(url.description.as_deref(), Some("the page"));
    assert_eq!(configuration.variables["size"].description.as_deref(), Some("how large"));
    let west = &configuration.providers["aws.west"];
    assert_eq!(west.alias.as_deref(), Some("west"));
    assert_eq!(told(&west.expressions["profile"]), "<local.profile>");
    let tags = &configuration.providers["aws"].expressions["default_tags"];
    assert_eq!(told(tags), r#"{tags={"team": "web"}}"#);
    assert_eq!(told(&configuration.locals["image"]), "<data.aws_ami.linux.id>");
}
