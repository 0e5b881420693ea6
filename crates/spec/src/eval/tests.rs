//! Expressions and their values.

use crate::testing::{loaded, told};
use crate::{Inputs, Scope, Sources, load};

const PRELUDE: &str = r#"
variable:
  list: { default: [a, b, c] }
  map: { default: { x: 1, y: 2 } }
  null_one: { default: null }
  secret: { default: hunter2, sensitive: true }
  secrets: { default: { user: me, password: hunter2 }, sensitive: true }
  number: { type: number, default: 7 }
  objects: { default: [{ name: one, size: 1 }, { name: two, size: 2 }] }
resource:
  aws_lb:
    one: { name: alb }
    many: { count: 3, name: "alb-${count.index}" }
    each: { for_each: { a: 1, b: 2 }, name: "${each.key}" }
locals:
  part_unknown: { known: 1, unknown: "${aws_lb.one.dns_name}" }
  zones: [a, b]
"#;

/// Evaluates an expression in the scope of static checks, and writes its value or what is wrong with it.
fn eval(expression: &str) -> String {
    let quoted = expression.replace('\'', "''");
    let text = format!("{PRELUDE}  it: '{quoted}'\n");
    let sources = Sources::from_texts("test", [("main.yaml", text.as_str())]);
    match load(&sources, &Inputs::default(), &crate::testing::schemas()) {
        Err(found) => format!("error: {}", told(&found)),
        Ok(loaded) => {
            let mut scope = Scope::new(&loaded.spec);
            crate::load::sample_into(&mut scope);
            let cell = loaded.spec.local_names.iter().position(|name| name == "it").unwrap();
            format!("{:?}", scope.cell(cell).as_ref().unwrap())
        }
    }
}

fn check(table: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (expression, expected) in table {
        let found = eval(expression);
        if found != *expected {
            wrong.push(format!("{expression}\n  found    {found}\n  expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn literals_and_operators() {
    check(&[
        ("plain text", r#""plain text""#),
        ("${1}", "1"),
        ("${-1.5}", "-1.5"),
        ("${1e3}", "1000"),
        ("${true}", "true"),
        ("${null}", "null"),
        (r#"${"a\n\"b\""}"#, r#""a\n\"b\"""#),
        ("${[1, \"a\", null]}", r#"[1, "a", null]"#),
        (r#"${{ a = 1, "b c" = 2, (var.list[0]) = 3 }}"#, r#"{"a": 3, "b c": 2}"#),
        ("${1 + 2 * 3}", "7"),
        ("${(1 + 2) * 3}", "9"),
        ("${7 / 2}", "3.5"),
        ("${-7 % 3}", "-1"),
        ("${\"5\" + 1}", "6"),
        ("${9223372036854775807 + 1}", "9223372036854776000"),
        ("${1 == 1.0}", "true"),
        ("${1 == \"1\"}", "false"),
        ("${[1, 2] == [1, 2]}", "true"),
        ("${{ a = 1 } == { a = 2 }}", "false"),
        ("${null == var.null_one}", "true"),
        ("${1 < 2 && 2 <= 2 && 3 > 2 && 2 >= 2 && 1 != 2}", "true"),
        ("${!true || false}", "false"),
        ("${-var.number}", "-7"),
        ("${true ? \"a\" : 1 / 0}", r#""a""#),
        ("${\"true\" ? 1 : 2}", "1"),
        ("${false && 1 / 0 == 1}", "false"),
        ("${true || 1 / 0 == 1}", "true"),
    ]);
}

#[test]
fn templates() {
    check(&[
        ("a ${1} b ${true} c ${1.50}", r#""a 1 b true c 1.5""#),
        ("$${not} %%{this} $5 100%", r#""${not} %{this} $5 100%""#),
        ("${\"inner ${var.number}\"}", r#""inner 7""#),
        ("%{ if var.number > 5 }big%{ else }small%{ endif }", r#""big""#),
        ("%{ if false }x%{ endif }", r#""""#),
        ("%{ for x in var.list }<${x}>%{ endfor }", r#""<a><b><c>""#),
        ("%{ for i, x in var.list }${i}${x} %{ endfor }", r#""0a 1b 2c ""#),
        ("a   ${~ 1 ~}   b", r#""a1b""#),
        ("x %{~ for x in var.list ~} ${x} %{~ endfor ~} y", r#""xabcy""#),
        ("%{ if true }${1}%{ endif }", r#""1""#),
        (
            "a ${[1]}",
            "error: 18:12 «[1]» Cannot put a list into a text. Between `${` and `}` in a longer text stands a string, a number, or a bool. / Pick one of its parts, or write it as text with `jsonencode()` or `join()`.",
        ),
        (
            "a ${var.null_one}",
            "error: 18:12 «var.null_one» Cannot put null into a text. Between `${` and `}` in a longer text stands a string, a number, or a bool. / Give a value for this case, as in `${x == null ? \"\" : x}`.",
        ),
    ]);
}

#[test]
fn traversals_and_splats() {
    check(&[
        ("${var.list[1]}", r#""b""#),
        ("${var.list[\"1\"]}", r#""b""#),
        ("${var.list.2}", r#""c""#),
        ("${var.map.x + var.map[\"y\"]}", "3"),
        ("${var.objects[*].name}", r#"["one", "two"]"#),
        ("${var.objects.*.name}", r#"["one", "two"]"#),
        (
            "${var.objects[*].name[0]}",
            "error: 18:30 «0» Only lists and maps take an index. The value is a string.",
        ),
        ("${var.objects.*.name[0]}", r#""one""#),
        ("${var.null_one[*]}", "[]"),
        ("${var.number[*]}", "[7]"),
        ("${[[1, 2], [3]][*][0]}", "[1, 3]"),
        ("${aws_lb.one.name}", r#""alb""#),
        ("${aws_lb.one[*].name}", r#"["alb"]"#),
        ("${aws_lb.each[\"a\"].name}", "(known after apply)"),
        ("${length(aws_lb.many)}", "3"),
        ("${length(aws_lb.each)}", "2"),
        ("${[for key, lb in aws_lb.each : key]}", r#"["a", "b"]"#),
        ("${var.map.z}", "error: 18:18 «z» There is no attribute `z` here. It has `x` and `y`."),
        (
            "${var.list[3]}",
            "error: 18:19 «3» The index is beyond the end of the list. The list has 3 items, at index 0 to 2.",
        ),
        (
            "${var.list[-1]}",
            "error: 18:19 «-1» The index must be a whole number from zero up. This is another number.",
        ),
        (
            "${var.objects.name}",
            "error: 18:22 «name» There is no attribute `name` here. The value is a list, which has no attributes. / For the attribute of each item write `[*].name`, for that of one item give its index, as in `[0].name`.",
        ),
    ]);
}

#[test]
fn for_expressions() {
    check(&[
        ("${[for x in var.list : upper(x)]}", r#"["A", "B", "C"]"#),
        ("${[for i, x in var.list : i if x != \"b\"]}", "[0, 2]"),
        ("${{ for k, v in var.map : k => v + 1 }}", r#"{"x": 2, "y": 3}"#),
        ("${{ for o in var.objects : o.name => o.size }}", r#"{"one": 1, "two": 2}"#),
        ("${{ for x in [\"a\", \"b\", \"a\"] : x => 1... }}", r#"{"a": [1, 1], "b": [1]}"#),
        ("${[for x in [1, 2] : [for y in [10, 20] : x * y]]}", "[[10, 20], [20, 40]]"),
        ("${[for x in [1] : [for x in [2] : x]]}", "[[2]]"),
        (
            "${{ for x in [1, 1] : \"k\" => x }}",
            "error: 18:30 «\"k\"» The key \"k\" comes out twice / Add `...` after the value to gather the values of one key in a list.",
        ),
        (
            "${[for x in 5 : x]}",
            "error: 18:20 «5» What `for` runs over must be a list or a map. This is a number.",
        ),
    ]);
}

#[test]
fn unknown_values() {
    let unknown = "(known after apply)";
    check(&[
        ("${aws_lb.one.dns_name}", unknown),
        ("http://${aws_lb.one.dns_name}/", unknown),
        ("${[aws_lb.one.dns_name, 1]}", "[(known after apply), 1]"),
        ("${{ a = aws_lb.one.id }}", r#"{"a": (known after apply)}"#),
        ("${local.part_unknown.known}", "1"),
        ("${keys(local.part_unknown)}", r#"["known", "unknown"]"#),
        ("${aws_lb.one.id == \"x\"}", unknown),
        ("${[aws_lb.one.id, 1] == [1, 2]}", "false"),
        ("${aws_lb.one.id == \"x\" && false}", "false"),
        ("${aws_lb.one.id == \"x\" || true}", "true"),
        ("${aws_lb.one.id == \"x\" && true}", unknown),
        ("${aws_lb.one.id == \"x\" ? 1 : 2}", unknown),
        ("${[for x in [aws_lb.one.id, 2] : x]}", "[(known after apply), 2]"),
        ("${[for x in [aws_lb.one.id] : x if x != \"\"]}", unknown),
        ("${{ for x in [aws_lb.one.id] : x => 1 }}", unknown),
        ("${aws_lb.many[*].id}", unknown),
        ("${length([aws_lb.one.id, aws_lb.one.id])}", "2"),
        ("${upper(aws_lb.one.id)}", unknown),
    ]);
}

#[test]
fn sensitive_values() {
    let hidden = "(sensitive value)";
    check(&[
        ("${var.secret}", hidden),
        ("a ${var.secret}", hidden),
        ("${[var.secret, 1]}", "[(sensitive value), 1]"),
        ("${var.secrets.user}", hidden),
        ("${var.secret == \"x\"}", hidden),
        ("${[var.secret] == [\"x\"]}", hidden),
        ("${var.secret == \"hunter2\" ? 1 : 2}", hidden),
        ("${var.list[length(var.secret) - 6]}", hidden),
        ("${[for x in var.secrets : x]}", hidden),
        ("${[for x in var.list : x if x != var.secret]}", hidden),
        ("${{ (var.secret) = 1 }}", hidden),
        ("${upper(var.secret)}", hidden),
        ("${nonsensitive(var.secret)}", r#""hunter2""#),
        ("${length(var.list)}", "3"),
        ("${true ? 1 : var.secret}", "1"),
        ("${aws_lb.one.id == \"\" ? 1 : var.secret}", hidden),
        ("%{ for x in var.secrets }${x}%{ endfor }", hidden),
        (
            "${var.map[var.secret]}",
            "error: 18:18 «var.secret» The map has no such key. The key is sensitive and is not shown.",
        ),
        (
            "${var.secrets.usr}",
            "error: 18:22 «usr» There is no attribute `usr` here. The object is sensitive, so its attributes are not listed.",
        ),
    ]);
}

#[test]
fn try_can_and_calls() {
    check(&[
        ("${try(var.map.z, var.map.x)}", "1"),
        ("${try(1 / 0, \"d\")}", r#""d""#),
        ("${can(var.map.z)}", "false"),
        ("${can(var.map.x)}", "true"),
        ("${max([1, 5, 3]...)}", "5"),
        ("${element(local.zones, 3)}", r#""b""#),
        (
            "${try(1 / 0)}",
            "error: 18:10 «try(1 / 0)» None of the arguments of `try` has a value. The last one fails: division by zero.",
        ),
        (
            "${max(1...)}",
            "error: 18:14 «1» What stands before `...` must be a list. This is a number.",
        ),
        (
            "${lenght(var.list)}",
            "error: 18:10 «lenght» There is no function `lenght` / Did you mean `length`?",
        ),
        ("${1 / 0}", "error: 18:14 «0» Division by zero"),
        ("${!5}", "error: 18:11 «5» The operand of `!` must be true or false. This is a number."),
        ("${1 + [2]}", "error: 18:14 «[2]» An operand of `+` must be a number. This is a list."),
        ("${[] ? 1 : 2}", "error: 18:10 «[]» The condition must be true or false. This is a list."),
    ]);
}

#[test]
fn nesting_is_bounded_and_fits_the_stack() {
    let parens = |depth| format!("${{{}1{}}}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(eval(&parens(60)), "1");
    assert!(eval(&parens(10_000)).contains("nested too deeply"));
    let chain = |length| format!("${{{}1}}", "1 + ".repeat(length));
    assert_eq!(eval(&chain(100)), "101");
    assert!(eval(&chain(5_000)).contains("nested too deeply"));
    let lists = |depth| format!("${{{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(eval(&lists(60)).starts_with("[[["));
    assert!(eval(&lists(10_000)).contains("nested too deeply"));
    for open in
        ["{a=", "[for x in [1] : ", "f(", "!", "-", "\"${", "true ? 1 : ", "x[", "%{if true}"]
    {
        let text = format!("${{{}", open.repeat(2_000));
        assert!(eval(&text).starts_with("error"), "{open}");
        let text = open.repeat(2_000);
        eval(&text);
    }
    let deepest = format!("${{{}{}1{}}}", "!".repeat(20), "(-".repeat(20), ")".repeat(20));
    eval(&deepest);
}

#[test]
fn a_templatefile_sees_its_variables_alone() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "main.yaml",
        "stack: t\noutput:\n  a: { value: \"${templatefile(\\\"t.tftpl\\\", { name = \\\"x\\\", all = [1, 2] })}\" }\n  b: { value: \"${try(templatefile(\\\"bad.tftpl\\\", {}), \\\"failed\\\")}\" }\n",
    );
    write("t.tftpl", "Hi ${name}%{ for i in all } ${i}%{ endfor }\n");
    write("bad.tftpl", "${missing} ${aws_lb.a.id}");
    let sources = crate::read_sources(folder.path(), &[]).unwrap();
    let loaded = load(&sources, &Inputs::default(), &crate::testing::schemas()).unwrap();
    let scope = Scope::new(&loaded.spec);
    let value = |name: &str| format!("{:?}", scope.output(&loaded.spec.outputs[name]).unwrap());
    assert_eq!(value("a"), r#""Hi x 1 2\n""#);
    assert_eq!(value("b"), r#""failed""#);
}

#[test]
fn files_outside_the_folder_are_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("stack");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(folder.path().join("secret"), "s").unwrap();
    std::os::unix::fs::symlink(folder.path().join("secret"), inside.join("link")).unwrap();
    for path in ["../secret", "link", "/etc/hostname"] {
        let text = format!("stack: t\noutput: {{ a: {{ value: '${{file(\"{path}\")}}' }} }}");
        std::fs::write(inside.join("main.yaml"), text).unwrap();
        let sources = crate::read_sources(&inside, &[]).unwrap();
        let found = load(&sources, &Inputs::default(), &crate::testing::schemas()).unwrap_err();
        assert!(told(&found).contains("outside the spec's folder"), "{}", told(&found));
        let sources = crate::read_sources(&inside, &["/".into()]).unwrap();
        assert!(load(&sources, &Inputs::default(), &crate::testing::schemas()).is_ok());
    }
}

#[test]
fn an_instance_knows_its_key() {
    let loaded = loaded(
        "resource: { aws_lb: { a: { count: 2, name: 'n${count.index}' }, b: { for_each: { x: 1 }, name: '${each.key}${each.value}' } } }",
    );
    let scope = Scope::new(&loaded.spec);
    let block = &loaded.spec.blocks[0];
    let key = reconcile_model::InstanceKey::Index(1);
    assert_eq!(scope.configure(block, Some(&key)).unwrap().str("name"), Some("n1"));
    let block = &loaded.spec.blocks[1];
    let key = reconcile_model::InstanceKey::Name("x".into());
    assert_eq!(scope.configure(block, Some(&key)).unwrap().str("name"), Some("x1"));
}
