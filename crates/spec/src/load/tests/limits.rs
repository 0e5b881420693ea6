//! Files that are too large, too deep, or no text; and specs as large as they get.

use std::fmt::Write as _;

use proptest::prelude::*;

use crate::testing::{load_text, problems, schemas, told};
use crate::{Inputs, Instances, MAX_FILE_BYTES, Scope, SourceFile, Sources, load};
use reconcile_model::{InstanceKey, Object, Value};

fn of_bytes(bytes: &[u8]) -> String {
    let mut sources = Sources::from_texts("test", [("main.yaml", "")]);
    sources.files[0].bytes = bytes.to_vec();
    load(&sources, &Inputs::default(), &schemas())
        .map_or_else(|found| told(&found), |_| String::new())
}

#[test]
fn what_is_no_text_is_refused() {
    assert_eq!(
        of_bytes(b"a: \xff"),
        "The file `main.yaml` is not UTF-8. Byte 4 (line 1) is not part of any character. / Save it as UTF-8; if it is no text at all, name the right file."
    );
    assert!(of_bytes(b"\xff\xfea\0").contains("UTF-16"));
}

#[test]
fn large_files_are_refused_before_they_are_parsed() {
    let bytes = vec![b'a'; usize::try_from(MAX_FILE_BYTES).unwrap() + 1];
    assert_eq!(
        of_bytes(&bytes),
        "The file `main.yaml` is too large for a spec. It has more than 8 MiB. / Split it into several files of one folder, or use `count` and `for_each`."
    );
}

#[test]
fn alias_bombs_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = level - 1;
        let _ =
            writeln!(bomb, "a{level}: &a{level} [{}]", vec![format!("*a{before}"); 9].join(", "));
    }
    assert!(problems(&bomb).contains("expand to too much"), "{}", problems(&bomb));
    assert!(problems("a: &a [*a]").contains("inside its own anchor"), "{}", problems("a: &a [*a]"));
    let mut deep = "a0: &a0 x\n".to_owned();
    for level in 1..60 {
        let _ = writeln!(deep, "a{level}: &a{level} [[[*a{}]]]", level - 1);
    }
    assert!(problems(&deep).contains("nested too deeply"), "{}", problems(&deep));
}

#[test]
fn deep_documents_are_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let deep = |depth: usize| {
            format!("locals: {{ a: {}1{} }}", open.repeat(depth), close.repeat(depth))
        };
        assert_eq!(problems(&deep(100)), "");
        assert!(problems(&deep(200)).contains("nested too deeply"), "{}", problems(&deep(200)));
        assert!(!problems(&deep(100_000)).is_empty());
    }
    let block: String = (0..300).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(problems(&block).contains("nested too deeply"), "{}", problems(&block));
}

#[test]
fn long_lines_are_refused() {
    let found = problems(&format!("locals:\n  a: {}\n", "x".repeat(40_000)));
    assert_eq!(
        found,
        "Line 2 of `main.yaml` is too long. It has more than 32 KiB. / Break it into several; keep long texts in a file, and read it with `file()`."
    );
}

#[test]
fn locals_that_multiply_each_other_are_refused() {
    let mut spec = "locals:\n  a0: [x]\n".to_owned();
    for index in 1..30 {
        let nine = vec![format!("'${{local.a{}}}'", index - 1); 9].join(", ");
        writeln!(spec, "  a{index}: [{nine}]").unwrap();
    }
    assert!(problems(&spec).contains("too much"), "{}", problems(&spec));
    let loops = "locals:\n  a: '${range(1000)}'\n  b: '${[for x in local.a : [for y in local.a : local.a]]}'\n";
    assert!(problems(loops).contains("too large"), "{}", problems(loops));
}

#[test]
fn a_value_that_wraps_itself_through_locals_is_refused() {
    let mut spec = "locals:\n  a0: 1\n".to_owned();
    for index in 1..2000 {
        let _ = writeln!(spec, "  a{index}: ['${{local.a{}}}']", index - 1);
    }
    let found = problems(&spec);
    assert!(found.contains("nested too deeply"), "{found}");
    assert_eq!(found.lines().count(), 1, "{found}");
}

#[test]
fn a_chain_may_be_as_long_as_a_spec() {
    let count = 20_000;
    let mut spec = "locals:\n  a0: x\n".to_owned();
    for index in 1..count {
        let _ = writeln!(spec, "  a{index}: ${{local.a{}}}", index - 1);
    }
    spec += "resource:\n  aws_lb:\n    r0: {}\n";
    for index in 1..count {
        let _ = writeln!(spec, "    r{index}: {{ name: \"${{aws_lb.r{}.id}}\" }}", index - 1);
    }
    let loaded = load_text(&spec).unwrap_or_else(|found| panic!("{}", told(&found[..1])));
    let order: Vec<_> = loaded.spec.order().map(|it| it.address.to_string()).collect();
    assert_eq!(order.len(), count);
    assert_eq!(order[0], "aws_lb.r0");
    assert_eq!(order[count - 1], format!("aws_lb.r{}", count - 1));
    let closed =
        spec.replacen("r0: {}", &format!("r0: {{ name: \"${{aws_lb.r{}.id}}\" }}", count - 1), 1);
    assert!(problems(&closed).contains("A cycle: aws_lb.r0 → aws_lb.r19999 → "));
}

#[test]
fn a_large_spec_full_of_mistakes_is_told_soon() {
    let count = 20_000;
    let mut spec = "resource:\n  aws_lb:\n".to_owned();
    for index in 0..count {
        writeln!(spec, "    r{index}: {{ nam: x, name: \"${{aws_lb.x{index}.id}}\" }}").unwrap();
    }
    let found = load_text(&spec).unwrap_err();
    assert_eq!(found.len(), 2 * count);
    let first = told(&found[1..2]);
    assert!(
        first.ends_with("Of this type there are 20000 others. / Did you mean `aws_lb.r0`?"),
        "{first}"
    );
}

/// A hundred thousand instances that look up their neighbors take a time that grows with their number alone; were it
/// its square, this test would not end.
#[test]
fn many_instances_stay_linear() {
    let count = 100_000;
    let spec = format!(
        "locals: {{ ids: '${{aws_lb.a[*].id}}' }}
resource:
  aws_lb:
    a: {{ count: {count} }}
    b: {{ count: '${{length(aws_lb.a)}}', name: '${{aws_lb.a[count.index].id}}', subnets: ['${{local.ids[count.index]}}'] }}
    c: {{ for_each: '${{{{ for i, id in local.ids : \"k${{i}}\" => id }}}}', name: '${{each.value}}' }}
    d: {{ count: {count}, name: '${{element(aws_lb.a[*].id, count.index)}}', subnets: ['${{aws_lb.a.*.id[count.index]}}'] }}
"
    );
    let loaded = load_text(&spec).unwrap_or_else(|found| panic!("{}", told(&found)));
    let spec = &loaded.spec;
    let mut scope = Scope::new(spec);
    let object = |index: usize| Value::Map(Object::new().with("id", format!("lb-{index}")));
    scope.set(&spec.blocks[0], Instances::Count((0..count).map(object).collect()));
    for index in 0..count {
        let key = InstanceKey::Index(index);
        let config = scope.configure(&spec.blocks[1], Some(&key)).unwrap();
        assert_eq!(config.str("name"), Some(&*format!("lb-{index}")));
        let key = InstanceKey::Name(format!("k{index}").into());
        let config = scope.configure(&spec.blocks[2], Some(&key)).unwrap();
        assert_eq!(config.str("name"), Some(&*format!("lb-{index}")));
        let config = scope.configure(&spec.blocks[3], Some(&InstanceKey::Index(index))).unwrap();
        assert_eq!(config.str("name"), Some(&*format!("lb-{index}")));
        assert_eq!(config.strings("subnets"), [format!("lb-{index}")]);
    }
    for index in 0..count {
        let address = spec.blocks[0].address.instance(Some(InstanceKey::Index(index)));
        scope.set_instance(&address, object(index + 1));
    }
    let config = scope.configure(&spec.blocks[1], Some(&InstanceKey::Index(0))).unwrap();
    assert_eq!(config.strings("subnets"), ["lb-1"]);
    // What is kept for all instances of a block is made anew when what it mentions has changed.
    let config = scope.configure(&spec.blocks[3], Some(&InstanceKey::Index(0))).unwrap();
    assert_eq!(
        (config.str("name"), config.strings("subnets")),
        (Some("lb-1"), vec!["lb-1".into()])
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        of_bytes(&bytes);
    }

    #[test]
    fn no_yaml_makes_it_panic(text in "[ \\n:\\-{}\\[\\]a-c$%&*<>|!\"'#~0-9.,]{0,120}") {
        problems(&text);
        problems(&format!("locals:\n  a: {text}\n"));
    }

    #[test]
    fn no_expression_makes_it_panic(text in "[ a-c0-9.()\\[\\]{}$%~?:!&|=<>+*/,\"-]{0,60}") {
        let quoted = text.replace('\'', "''");
        problems(&format!("variable: {{ a: {{ default: [1, {{ b: x }}] }} }}\nlocals: {{ b: 'x${{{quoted}}}', c: '${{var.a{quoted}}}' }}"));
    }
}

#[test]
fn a_file_is_named_as_the_user_named_it() {
    let source = |name: &str, text: &str| SourceFile { name: name.into(), bytes: text.into() };
    let sources = Sources {
        files: vec![
            source("x/a.yaml", "resource: { aws_lb: { a: {} } }"),
            source("x/b.yaml", "resource: { aws_lb: { a: {} } }\noutput: { o: { value: 1 } }"),
            source("x/c.yaml", "output: { o: { value: 1 } }"),
        ],
        ..Sources::from_texts("test", [])
    };
    let found = load(&sources, &Inputs::default(), &schemas()).unwrap_err();
    assert_eq!(
        told(&found),
        "x/b.yaml1:23 «a» `aws_lb.a` is defined twice. It is defined at x/a.yaml:1:23 already. / Rename or remove one of the two.\n\
         x/c.yaml1:11 «o» The output `o` is defined twice. It is defined at x/b.yaml:2:11 already. / Rename or remove one of the two."
    );
}
