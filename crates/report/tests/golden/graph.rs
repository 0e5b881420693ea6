//! Graphs in each form.

use reconcile_model::{Action, Dependencies, ReplaceOrder, ResourceAddress};
use reconcile_report::{Graph, graph};

use crate::support::Making;

fn managed(name: &str) -> ResourceAddress {
    let (kind, name) = name.split_once('.').unwrap();
    ResourceAddress::managed(kind, name)
}

fn needs(names: &[&str]) -> Dependencies {
    names.iter().map(|name| managed(name)).collect()
}

/// A stack of two servers in a group, from an image, with an output.
fn stack() -> Graph {
    let mut graph = Graph::new();
    let image = ResourceAddress::data("aws_ami", "linux");
    graph.block(&image, &needs(&[]));
    graph.block(&managed("aws_security_group.web"), &needs(&[]));
    let of_servers: Dependencies =
        needs(&["aws_security_group.web"]).iter().cloned().chain([image]).collect();
    graph.block(&managed("aws_instance.web"), &of_servers);
    graph.block(&managed("aws_key_pair.lab"), &needs(&[]));
    // What the way through the instance implies is not drawn.
    let of_output = needs(&["aws_instance.web", "aws_security_group.web"]);
    graph.output("address", &of_output);
    graph
}

/// The same, planned: the group is replaced, both servers change, and one that left the spec goes.
fn planned() -> Graph {
    let mut making = Making::new();
    let group = crate::support::live_group(vec![]);
    making.plan("aws_security_group.web", &crate::support::group(vec![]), Some(&group)).action =
        Action::Replace(ReplaceOrder::DeleteThenCreate);
    let live = crate::support::live_instance();
    for name in ["aws_instance.web[\"a\"]", "aws_instance.web[\"b\"]"] {
        making.plan(name, &crate::support::instance(), Some(&live)).action = Action::Update;
    }
    making.delete("aws_instance.old", &live).dependencies = needs(&["aws_security_group.web"]);
    let mut graph = stack();
    graph.color(&making.plan);
    graph
}

#[test]
fn dot() {
    insta::assert_snapshot!(graph::dot(&stack()));
    insta::assert_snapshot!(graph::dot(&planned()));
}

#[test]
fn mermaid() {
    insta::assert_snapshot!(graph::mermaid(&stack()));
    insta::assert_snapshot!(graph::mermaid(&planned()));
}

#[test]
fn a_picture_has_every_node_and_says_what_is_done() {
    let picture = graph::svg(&planned());
    for said in [
        "<title>aws_security_group.web: replace</title>",
        "<title>aws_instance.web: update</title>",
        "<title>aws_instance.old: delete</title>",
        "<title>aws_key_pair.lab</title>",
        "data-node=\"output.address\"",
        ">~ ×2</text>",
        ">-/+</text>",
    ] {
        assert!(picture.contains(said), "{said} is not in:\n{picture}");
    }
    let edges = picture.matches("class=\"edge\"").count();
    assert_eq!(edges, 4, "{picture}");
    assert_eq!(picture, graph::svg(&planned()), "the same graph is the same bytes");
}

#[test]
fn nothing_in_a_name_is_markup() {
    let hostile = "a\"]; x -> y; //</text><script>alert(1)</script>&#39;\n\u{202e}";
    let mut graph = Graph::new();
    graph.block(&ResourceAddress::managed("t", hostile), &needs(&[]));
    graph.output(hostile, &needs(&[]));

    let dot = graph::dot(&graph);
    // Three strings on the line, and every quote in them is escaped.
    let line = dot.lines().find(|line| line.contains("\"t.a")).unwrap();
    assert_eq!(line.replace("\\\\", "").replace("\\\"", "").matches('"').count(), 4, "{line}");
    assert_eq!(dot.lines().count(), 6, "{dot}");

    let mermaid = graph::mermaid(&graph);
    for line in mermaid.lines().skip(1) {
        assert_eq!(line.matches('"').count(), 2, "{line}");
        assert!(!line.contains('<') && !line.contains("]]"), "{line}");
    }

    let svg = graph::svg(&graph);
    assert!(!svg.contains("<script") && !svg.contains('\u{202e}'), "{svg}");
    assert!(svg.contains("&lt;script&gt;"), "{svg}");
}

#[test]
fn five_hundred_blocks_are_drawn() {
    let mut graph = Graph::new();
    let name = |at: usize| ResourceAddress::managed("aws_instance", &format!("n{at:03}"));
    graph.block(&name(0), &needs(&[]));
    for at in 1..500_usize {
        // A tree of three branches a node, and some ways across.
        let across = (at % 7 == 0).then(|| name(at / 2));
        let needed: Dependencies = [name((at - 1) / 3)].into_iter().chain(across).collect();
        graph.block(&name(at), &needed);
    }
    let svg = graph::svg(&graph);
    assert_eq!(svg.matches("class=\"node").count(), 500);
    assert!(svg.len() < 400_000, "{} bytes", svg.len());
}
