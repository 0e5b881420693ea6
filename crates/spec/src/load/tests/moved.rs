//! `moved` and `removed` blocks: what they say, in which order moves are followed, and what is wrong with them.

use super::check;
use crate::Fate;
use crate::testing::loaded;

/// Returns the moves of a spec, in their order.
fn moves(text: &str) -> Vec<String> {
    let moved = loaded(&format!("resource: {{}}\n{text}")).spec.moved;
    moved.iter().map(|it| format!("{} > {}", it.from, it.to)).collect()
}

#[test]
fn moves_are_read_as_they_are_written() {
    assert_eq!(moves("moved: { from: aws_lb.a, to: aws_lb.b }"), ["aws_lb.a > aws_lb.b"]);
    assert_eq!(moves("moved:"), [""; 0]);
    assert_eq!(
        moves(
            "moved:\n  - { from: '${aws_lb.a[0]}', to: 'aws_lb.b[\"x\"]' }\n  - from: aws_lb.c[1]\n    to: aws_lb.d"
        ),
        ["aws_lb.a[0] > aws_lb.b[\"x\"]", "aws_lb.c[1] > aws_lb.d"]
    );
    let twice = "moved: [{ from: aws_lb.a, to: aws_lb.b }, { from: aws_lb.a, to: aws_lb.b }]";
    assert_eq!(moves(twice), ["aws_lb.a > aws_lb.b"]);
}

#[test]
fn moves_are_followed_in_order() {
    // What moves on after what moves there.
    assert_eq!(
        moves("moved: [{ from: aws_lb.b, to: aws_lb.c }, { from: aws_lb.a, to: aws_lb.b }]"),
        ["aws_lb.a > aws_lb.b", "aws_lb.b > aws_lb.c"]
    );
    // One instance before all that is at the same address, and after what brought the block there.
    assert_eq!(
        moves(
            "moved: [{ from: aws_lb.a, to: aws_lb.b }, { from: 'aws_lb.b[0]', to: aws_lb.c }, { from: 'aws_lb.a[1]', to: aws_lb.d }]"
        ),
        ["aws_lb.a[1] > aws_lb.d", "aws_lb.a > aws_lb.b", "aws_lb.b[0] > aws_lb.c"]
    );
    assert_eq!(
        moves(
            "moved: [{ from: aws_lb.x, to: 'aws_lb.b[0]' }, { from: aws_lb.a, to: aws_lb.b }, { from: 'aws_lb.y[0]', to: 'aws_lb.a[5]' }]"
        ),
        ["aws_lb.y[0] > aws_lb.a[5]", "aws_lb.a > aws_lb.b", "aws_lb.x > aws_lb.b[0]"]
    );
}

#[test]
fn a_long_chain_is_followed_without_recursion() {
    let pairs = (0..20_000).rev();
    let pairs = pairs.map(|at| format!("  - {{ from: aws_lb.l{at}, to: aws_lb.l{} }}\n", at + 1));
    let moved = moves(&format!("moved:\n{}", pairs.collect::<String>()));
    assert_eq!(
        (&*moved[0], &*moved[19_999]),
        ("aws_lb.l0 > aws_lb.l1", "aws_lb.l19999 > aws_lb.l20000")
    );
}

#[test]
fn moves_that_cannot_be_followed() {
    check(
        "moved: [{ from: aws_lb.a, to: aws_lb.b }, { from: aws_lb.b, to: aws_lb.c }, { from: aws_lb.c, to: aws_lb.a }]",
        &[
            "1:17 «aws_lb.a» `moved` blocks make a circle. Each has to be followed before another: `aws_lb.a` to `aws_lb.b`, `aws_lb.c` to `aws_lb.a`, `aws_lb.b` to `aws_lb.c`. / Remove one of them; what is to trade places moves by `reconcile state mv`, by way of a third address.",
        ],
    );
    check(
        "moved: [{ from: aws_lb.a, to: aws_lb.b }, { from: aws_lb.a, to: aws_lb.c }, { from: aws_lb.d, to: aws_lb.b }]",
        &[
            "1:51 «aws_lb.a» `aws_lb.a` moves to two addresses. At main.yaml:1:17, `aws_lb.a` moves to `aws_lb.b` already. / Remove one of the two.",
            "1:85 «aws_lb.d» Two resources move to `aws_lb.b`. At main.yaml:1:17, `aws_lb.a` moves to `aws_lb.b` already. / Remove one of the two.",
        ],
    );
    check(
        "moved: { from: aws_lb.a, to: aws_lb.a }",
        &[
            "1:30 «aws_lb.a» `aws_lb.a` is moved to where it is / Remove the `moved` block, or correct one of the two.",
        ],
    );
    check(
        "moved: { from: aws_lb.a, to: aws_instance.a }",
        &[
            "1:30 «aws_instance.a» `aws_lb.a` cannot become `aws_instance.a`. An object keeps its type when it moves. / To let go of the one and make the other, write a `removed` block for the one instead.",
        ],
    );
}

#[test]
fn what_moved_is_not_in_the_spec() {
    let spec = "resource: { aws_lb: { a: {}, b: { count: 2 } } }\n";
    check(
        &format!(
            "{spec}moved: [{{ from: aws_lb.a, to: aws_lb.c }}, {{ from: aws_lb.b, to: aws_lb.d }}]"
        ),
        &[
            "2:17 «aws_lb.a» `aws_lb.a` moved, and still is in the spec. It is defined at main.yaml:1:23. / Rename that block to `aws_lb.c`, or remove the `moved` block.",
            "2:51 «aws_lb.b» `aws_lb.b` moved, and still is in the spec. It is defined at main.yaml:1:30. / Rename that block to `aws_lb.d`, or remove the `moved` block.",
        ],
    );
    check(
        &format!("{spec}moved: {{ from: aws_lb.a, to: 'aws_lb.c[0]' }}"),
        &[
            "2:16 «aws_lb.a» `aws_lb.a` moved, and still is in the spec. It is defined at main.yaml:1:23. / Rename that block to `aws_lb.c[0]`, or remove the `moved` block.",
        ],
    );
    // The block has no such instance; of one with a count, planning tells.
    check(
        &format!(
            "{spec}moved: [{{ from: 'aws_lb.a[0]', to: aws_lb.c }}, {{ from: aws_lb.b, to: 'aws_lb.b[1]' }}]"
        ),
        &[],
    );
}

#[test]
fn addresses_that_are_none() {
    let endings = "[{ from: aws_lb, to: 1 }, { from: 'aws_lb.a[count.index]', to: [] }, { from: module.net.aws_lb.a, to: data.aws_ami.a }, { from: aws_bl.a }, { form: aws_lb.a, to: aws_lb.b, why: not }, aws_lb.a]";
    let no_address = "`from` must be an address. It names a resource, or one instance of it by a constant key; nothing is evaluated here. / Write it as in `aws_instance.web`, `aws_instance.web[0]`, or `aws_instance.web[\"a\"]`.";
    check(
        &format!("moved: {endings}"),
        &[
            &format!("1:17 «aws_lb» {no_address}"),
            &format!("1:29 «1» {}", no_address.replace("from", "to")),
            &format!("1:42 «'aws_lb.a[count.index]'» {no_address}"),
            "1:71 «[» `to` must be an address. This is a list. / Write it as in `aws_instance.web`.",
            "1:85 «module.net.aws_lb.a» Modules are not supported yet. All resources are in one module, so nothing is recorded in another. / Name a resource, as in `aws_instance.web`.",
            "1:110 «data.aws_ami.a» `data.aws_ami.a` is a data source. It is read anew each time, and nothing is recorded of it. / Rename its block, and that is all.",
            "1:128 «{» A `moved` block needs `to` / Write `{ from: aws_instance.old, to: aws_instance.new }`.",
            "1:136 «aws_bl.a» There is no resource type `aws_bl` / Did you mean `aws_lb`?",
            "1:150 «form» There is no `form` in a `moved` block. It takes `from` and `to`. / Did you mean `from`?",
            "1:180 «why» There is no `why` in a `moved` block. It takes `from` and `to`.",
            "1:192 «aws_lb.a» Expected a mapping for a `moved` block. This is a string.",
        ],
    );
}

#[test]
fn addresses_with_a_key_are_quoted() {
    let told = |place: &str, text: &str, quoted: &str| {
        format!(
            "{place} «{text}» An address with a key must be quoted inside `[ ]` or `{{ }}`. There, YAML reads the `[` as the start of a list. / Put it in quotes: `{quoted}`."
        )
    };
    check(
        "moved: [{ from: aws_lb.a[0], to: aws_lb.b }]",
        &[&told("1:17", "aws_lb.a[0]", "\"aws_lb.a[0]\"")],
    );
    check(
        "moved:\n  - { from: aws_lb.a, to: aws_lb.b[\"x\"] }",
        &[&told("2:27", "aws_lb.b[\"x\"]", "'aws_lb.b[\"x\"]'")],
    );
    check(
        "resource: { aws_lb: { a: { depends_on: [aws_lb.b[0], aws_lb.c] } } }",
        &[&told("1:41", "aws_lb.b[0]", "\"aws_lb.b[0]\"")],
    );
    assert_eq!(
        moves("moved:\n  - from: aws_lb.a[0]\n    to: aws_lb.b[\"x\"]"),
        ["aws_lb.a[0] > aws_lb.b[\"x\"]"]
    );
}

#[test]
fn what_is_removed_is_destroyed_unless_it_says_otherwise() {
    let text = "resource: {}\nremoved:\n  - { from: aws_lb.a }\n  - { from: aws_lb.b, lifecycle: { destroy: false } }\n  - { from: aws_lb.c, lifecycle: { destroy: true } }";
    let spec = loaded(text).spec;
    let fates: Vec<(String, Fate)> =
        spec.removed.iter().map(|(from, it)| (from.to_string(), it.fate)).collect();
    let expected = [("a", Fate::Destroyed), ("b", Fate::Forgotten), ("c", Fate::Destroyed)];
    assert_eq!(fates, expected.map(|(name, fate)| (format!("aws_lb.{name}"), fate)));
}

#[test]
fn what_is_removed_wrongly() {
    check(
        "resource: { aws_lb: { a: {} } }\nremoved: [{ from: aws_lb.a }, { from: aws_lb.b }, { from: aws_lb.b, lifecycle: { destroy: false } }, { from: 'aws_lb.c[0]' }, { lifecycle: { destroy: maybe, prevent_destroy: true } }]",
        &[
            "2:19 «aws_lb.a» `aws_lb.a` is removed, and still is in the spec. It is defined at main.yaml:1:23. / Remove that block, or the `removed` block.",
            "2:59 «aws_lb.b» `aws_lb.b` is removed twice. It is removed at main.yaml:2:39 already. / Remove one of the two blocks.",
            "2:110 «'aws_lb.c[0]'» A `removed` block takes whole resources. An instance leaves the spec by its `count` or `for_each`. / Leave out the key; or move the instance to an address of its own first, from `aws_lb.c[0]`, and remove that.",
            "2:127 «{» A `removed` block needs `from` / Write `{ from: aws_instance.old, lifecycle: { destroy: false } }`.",
            "2:151 «maybe» `destroy` must be `true` or `false`. This is a string.",
            "2:158 «prevent_destroy» There is no `prevent_destroy` in the `lifecycle` of a `removed` block. It takes `destroy`. / Did you mean `destroy`?",
        ],
    );
}
