//! One mistake each, with exactly what is said about it.

use super::check;

#[test]
fn what_is_not_yaml() {
    check(
        "",
        &["The spec is empty. There is nothing in `main.yaml`. / Begin with a `resource` section."],
    );
    check(
        "# nothing",
        &["The spec is empty. There is nothing in `main.yaml`. / Begin with a `resource` section."],
    );
    check(
        "- a",
        &[
            "1:1 «-» A spec is a mapping of sections. This is a list. / Begin with `resource:`, and indent what belongs to it.",
        ],
    );
    check(
        "resource: [",
        &[
            "1:11 «[» Not YAML. The `[` is not closed. / Close it with `]`, and put `,` between what stands inside.",
        ],
    );
    check(
        "resource:\n\taws_lb: {}",
        &[
            "2:1 «\t» Not YAML. A tab stands in the indentation. / Indent with spaces: YAML takes no tabs there.",
        ],
    );
    check(
        "---\na: 1\n---\nb: 2",
        &[
            "3:1 «-» A spec's file holds one document. A second one begins here, after `---`. / Put it into a file of its own in the same folder.",
        ],
    );
    check(
        "resource: { aws_lb: { a: { name: b, name: c } } }",
        &[
            "1:37 «name» The key `name` is given twice. It was given on line 1 already. / Remove one of the two, or merge them.",
        ],
    );
}

#[test]
fn unquoted_expressions() {
    let told = |place: &str, text: &str| {
        format!(
            "{place} «{text}» An expression inside `[ ]` or `{{ }}` must be quoted. There, YAML reads the `{{` of `${{` as the start of a mapping. / Put it in quotes: `\"{text}\"`."
        )
    };
    check(
        "resource: { aws_lb: { a: { subnets: [${aws_lb.b.id}] } } }",
        &[&told("1:38", "${aws_lb.b.id}")],
    );
    check(
        "resource:\n  aws_lb:\n    a: { subnets: [\n      ${aws_lb.b.id},\n    ] }",
        &[&told("4:7", "${aws_lb.b.id}")],
    );
    check(
        "resource:\n  aws_lb:\n    a: { name: web-${var.name} }",
        &[&told("3:16", "web-${var.name}")],
    );
    check(
        "resource:\n  aws_lb:\n    a:\n      name: ${true ? \"a\" : \"b\"}",
        &[
            "4:26 «:» Not YAML. `: ` and ` #` mean something to YAML, inside an expression too. / Put the value in quotes: `'${true ? \"a\" : \"b\"}'`.",
        ],
    );
    check(
        "resource: { aws_lb: { a: { name: \"${var[\"a\"]}\" } } }",
        &[
            "1:42 «a» Not YAML. The quotes end, and something follows. / Inside double quotes, write `\\\"` for `\"`; or put the whole in single quotes.",
        ],
    );
}

#[test]
fn sections_and_types() {
    check(
        "resorce: {}",
        &[
            "1:1 «resorce» There is no section `resorce`. There are `stack`, `provider`, `backend`, `variable`, `locals`, `data`, `resource`, `output`, `check`, `import`, `moved`, and `removed`. / Did you mean `resource`?",
        ],
    );
    check(
        "module: {a: {}}",
        &[
            "1:1 «module» There is no section `module`. Modules are not supported yet. / Put the module's blocks into files of this folder; `locals` and `for_each` save repetition.",
        ],
    );
    check(
        "resource:\n  aws_lbb:\n    a: {}",
        &["2:3 «aws_lbb» There is no resource type `aws_lbb` / Did you mean `aws_lb`?"],
    );
    check(
        "resource: { aws_ami: { a: {} } }",
        &[
            "1:13 «aws_ami» There is no resource type `aws_ami` / It is a data source: put it under `data`.",
        ],
    );
    check(
        "stack: a/b",
        &[
            "1:8 «a/b» This cannot name a stack. It names the state: up to 128 letters, digits, `-`, `_`, and `.`, beginning with a letter or digit.",
        ],
    );
    check(
        "backend: { s4: {} }",
        &["1:12 «s4» There is no backend `s4`. There are `s3` and `local`. / Did you mean `s3`?"],
    );
    check(
        "backend: { s3: { bucket: states, key: k } }",
        &["1:12 «s3» The backend `s3` needs `region`"],
    );
    check(
        "backend: { s3: { bucket: B, key: /k, region: seoul, endpoint: host, lease_seconds: 1 } }",
        &[
            "1:26 «B» This cannot be the `bucket` of a backend. A bucket's name has 3 to 63 lower-case letters, digits, `-`, and `.`, beginning and ending with a letter or digit.",
            "1:34 «/k» This cannot be the `key` of a backend. It names an object, such as `teams/web.json`: up to 900 bytes without control characters, not beginning or ending with `/`.",
            "1:46 «seoul» This cannot be the `region` of a backend. A Region has a name such as `ap-northeast-2`.",
            "1:63 «host» This cannot be the `endpoint` of a backend. It is an address such as `https://s3.example.com`.",
            "1:84 «1» This cannot be the `lease_seconds` of a backend. It is a whole number of seconds from 5 to 3600.",
        ],
    );
    check(
        "provider: { aws: { acces_key: x } }",
        &[
            "1:20 «acces_key» There is no `acces_key` in a provider. It takes `alias`, `region`, `profile`, `default_tags`, and `rate_limit_multiplier`.",
        ],
    );
}

#[test]
fn references() {
    check(
        "resource: { aws_lb: { web: {}, x: { name: \"${aws_lb.webb.dns_name}\" } } }",
        &[
            "1:53 «webb» There is no `aws_lb.webb` in the spec. Of this type there is `web` and `x`. / Did you mean `aws_lb.web`?",
        ],
    );
    check(
        "resource: { aws_lb: { web: {}, x: { name: \"a ${aws_lb.web.dnsname} b\" } } }",
        &["1:59 «dnsname» `aws_lb` has no attribute `dnsname` / Did you mean `dns_name`?"],
    );
    check(
        "resource: { aws_lb: { a: { count: 2 }, b: { name: \"${aws_lb.a.id}\" }, c: { name: \"${aws_lb.a[2].id}\" }, d: { name: \"${aws_lb.c[0].id}\" } } }",
        &[
            "1:54 «aws_lb.a» `aws_lb.a` needs an index. The block has `count`: there are several instances. / Write `aws_lb.a[0].id` for one, `aws_lb.a[*].id` for all, or `aws_lb.a[count.index].id` to pair them up.",
            "1:94 «2» The index is beyond the end of the list. The list has 2 items, at index 0 to 1.",
            "1:128 «0» `aws_lb.c` takes no index. The block has neither `count` nor `for_each`: there is one instance. / Write `aws_lb.c` without the index.",
        ],
    );
    check(
        "resource: { aws_lb: { a: { for_each: [x] }, b: { name: '${aws_lb.a[\"y\"].id}' }, c: { subnets: '${aws_lb.a[*].id}' } } }",
        &[
            "1:68 «\"y\"» The map has no key \"y\". Its keys are `x`.",
            "1:107 «*» A splat works on lists. `aws_lb.a` has `for_each`, so it is a map. / Write `values(aws_lb.a)[*]`.",
        ],
    );
    check(
        "locals: { a: '${var.x}', b: '${foo}', c: '${1 +}', d: '${terraform.workspace}', e: '${1', f: '${timestamp()}' }",
        &[
            "1:21 «x» There is no variable `x` / Declare it: `variable: { x: { type: string } }`.",
            "1:32 «foo» `foo` alone stands for nothing. A reference has at least two parts, such as `var.name`, `local.name`, or `aws_instance.web`. / For the text itself, put it in quotes: `\"foo\"`; for a `${…}` that the shell is to see, write `$${…}`.",
            "1:48 «}» Not an expression. A value is missing here.",
            "1:58 «terraform» There are no workspaces. Each stack has one state. / Use a variable, and one stack for each environment.",
            "1:87 «1» Not an expression. A `${` is not closed. / Add the missing `}`; for a `${` that stands for itself, write `$${`.",
            "1:97 «timestamp» `timestamp` cannot be called in a spec. The reason: its result is another one each time, so no plan would ever be empty; pass the time in as a variable.",
        ],
    );
    check(
        "resource: { aws_lb: { a: { name: '${count.index}' }, b: { count: 1, name: '${each.key}${self.id}' } } }",
        &[
            "1:37 «count» There is no `count.index` here. It exists only inside a block that has `count`.",
            "1:78 «each» There is no `each` here. The block has `count`, not `for_each`. / Use `count.index`.",
            "1:89 «self» There is no `self` here. `self` is the object of a `postcondition`, and of nothing else. / Mention other resources by their addresses; what a resource's own arguments have in common goes into `locals`.",
        ],
    );
}

#[test]
fn arguments() {
    check(
        "resource: { aws_instance: { web: {} } }",
        &["1:29 «web» `aws_instance` needs the argument `ami`"],
    );
    check(
        "resource: { aws_instance: { web: { ami: [a], instance_typ: t3.micro, instance_type: t3.mikro, id: x, monitoring: yes } } }",
        &[
            "1:36 «ami» `ami` must be a string. This is a list. / Write it without the brackets.",
            "1:46 «instance_typ» `aws_instance` has no argument `instance_typ` / Did you mean `instance_type`?",
            "1:85 «t3.mikro» `instance_type` must be one of `t3.micro` and `t3.small`. It is \"t3.mikro\". / Did you mean `t3.micro`?",
            "1:95 «id» `id` cannot be set. AWS decides it. / Remove the line.",
            "1:114 «yes» `monitoring` must be `true` or `false`. This is a string. / Write `true`: in YAML 1.2, `yes` and `on` are texts.",
        ],
    );
    check(
        "resource: { aws_instance: { web: { ami: a, user_data: x, user_data_base64: y, root_block_device: { iops: 3, volume_size: 1.5 } } } }",
        &[
            "1:58 «user_data_base64» `user_data` and `user_data_base64` exclude each other / Keep one of them.",
            "1:122 «1.5» `volume_size` must be a whole number. This is a fraction.",
        ],
    );
    check(
        "resource: { aws_instance: { web: { ami: a, root_block_device: { iops: 3 } } } }",
        &["1:65 «iops» `root_block_device.iops` needs `root_block_device.volume_size` beside it"],
    );
    check(
        "resource: { aws_instance: { web: { ami: a, root_block_device: [{ volume_size: 0 }, {}] } } }",
        &[
            "1:44 «root_block_device» `root_block_device` is possible at most once. It is given twice.",
            "1:79 «0» `volume_size` must be between 1 and 16384. It is 0.",
        ],
    );
    check(
        "resource: { aws_security_group: { web: { name: a, ingress: { from_port: 80, cidr_blocks: [10.0.0.1, 10.0.0.0/8] } } } }",
        &[
            "1:91 «10.0.0.1» `cidr_blocks` must be an IPv4 range in CIDR notation, such as `10.0.0.0/16`. It is \"10.0.0.1\". / For this one address, write `10.0.0.1/32`.",
        ],
    );
    check(
        "resource: { aws_instance: { a: { ami: a, dynamic: {}, provisioner: {}, count: 1, for_each: [] } } }",
        &[
            "1:42 «dynamic» There are no `dynamic` blocks. An argument that takes blocks takes an expression, too. / Give the argument itself a list, as in `ingress: ${[for port in var.ports : {…}]}`.",
            "1:55 «provisioner» There are no `provisioner` blocks. A spec is data: nothing in it is executed. / Use `user_data`, or an image that has what you need.",
            "1:82 «for_each» `count` and `for_each` exclude each other / Keep one of them.",
        ],
    );
}

#[test]
fn cycles() {
    check(
        "resource: { aws_lb: { a: { name: \"${aws_lb.b.id}\" }, b: { name: \"${aws_lb.a.id}\" } } }",
        &[
            "1:37 «aws_lb.b» A cycle: aws_lb.a → aws_lb.b → aws_lb.a. `aws_lb.a` needs `aws_lb.b` (main.yaml:1:37). `aws_lb.b` needs `aws_lb.a` (main.yaml:1:68). / Break it at one place, for instance with a resource of its own for what connects two others.",
        ],
    );
    check(
        "resource: { aws_lb: { a: { name: \"${aws_lb.a.id}\" } } }",
        &[
            "1:37 «aws_lb.a» `aws_lb.a` mentions itself. It has no value yet while its own arguments are evaluated. / Write the value out, or move it to `locals`, and mention that here.",
        ],
    );
    check(
        "locals: { a: \"${local.b}\", b: \"x${local.a}\" }",
        &[
            "1:17 «local.b» A cycle: local.a → local.b → local.a. `local.a` needs `local.b` (main.yaml:1:17). `local.b` needs `local.a` (main.yaml:1:35). / Break it at one place, for instance with a resource of its own for what connects two others.",
        ],
    );
    check(
        "resource: { aws_lb: { a: { depends_on: [aws_lb.b] }, b: { for_each: '${toset([aws_lb.a.name])}' } } }",
        &[
            "1:41 «aws_lb.b» A cycle: aws_lb.a → aws_lb.b → aws_lb.b (for_each) → aws_lb.a. `aws_lb.a` needs `aws_lb.b` (main.yaml:1:41). `aws_lb.b` needs `aws_lb.b (for_each)` (main.yaml:1:54). `aws_lb.b (for_each)` needs `aws_lb.a` (main.yaml:1:79). / Break it at one place, for instance with a resource of its own for what connects two others.",
        ],
    );
}

#[test]
fn meta_arguments() {
    check(
        "resource: { aws_lb: { a: { depends_on: aws_lb.b, provider: aws.x, timeouts: { create: 5, delet: 1m }, lifecycle: { prevent_destroy: maybe, ignore_changes: [nam], replace_triggered_by: [data.aws_ami.x] } } } }\ndata: { aws_ami: { x: {} } }",
        &[
            "1:40 «aws_lb.b» `depends_on` must be a list / Write it in brackets, as in `[aws_instance.web]`.",
            "1:60 «aws.x» There is no provider `aws.x`. There is `aws`. / Add it under `provider`, with its `alias`.",
            "1:87 «5» `create` must be a duration / Write hours, minutes, and seconds, as in `90s`, `10m`, or `1h30m`.",
            "1:90 «delet» There is no `delet` in `timeouts`. It takes `create`, `read`, `update`, and `delete`. / Did you mean `delete`?",
            "1:133 «maybe» `prevent_destroy` must be `true` or `false`. This is a string.",
            "1:157 «nam» `aws_lb` has no argument `nam` / Did you mean `name`?",
            "1:186 «data.aws_ami.x» A data source cannot trigger a replacement. Only what is managed changes by a plan.",
        ],
    );
    check(
        "resource: { aws_lb: { a: { lifecycle: { precondition: { condition: x, error_message: y } } }, b: { lifecycle: { precondition: { condition: '${true}' } } } } }",
        &[
            "1:68 «x» A condition must be an expression / Write it as `${…}`.",
            "1:127 «{» A precondition needs `error_message`",
        ],
    );
    check(
        "resource: { aws_lb: { a: { count: '${-1}' }, b: { count: x }, c: { for_each: 5 }, d: { for_each: [a, a] } } }",
        &[
            "1:35 «'${-1}'» `count` must be a whole number from zero up. It is -1.",
            "1:58 «x» `count` must be a whole number from zero up. It is a string that is no number.",
            "1:78 «5» `for_each` must be a map, or a list of strings. It is a number. / For so many instances, use `count`.",
            "1:98 «[» `for_each` has a key twice. It is \"a\". / Remove duplicates with `toset()`.",
        ],
    );
}

#[test]
fn secrets() {
    check(
        "output: { a: { value: \"${var.p}\" } }\nvariable: { p: { sensitive: true, default: x } }",
        &[
            "1:23 «\"${var.p}\"» The output `a` is made from a sensitive value. An output is printed and recorded, and its value must not be. / Add `sensitive: true` to the output; or, if the result gives nothing away, wrap the expression in `nonsensitive()`.",
        ],
    );
    check(
        "resource:\n  aws_instance:\n    web:\n      ami: a\n      password: short\n",
        &[
            "5:7 «password» `password` has a value that is not possible. It is sensitive and is not shown.",
        ],
    );
    let found = crate::testing::load_text(
        "variable:\n  p:\n    sensitive: true\n    type: number\n    default: hunter2\nresource:\n  aws_instance:\n    web: { ami: a, password: hunter3 }\n",
    );
    let found = serde_json::to_string(&found.unwrap_err()).unwrap();
    assert!(!found.contains("hunter"), "{found}");
}
