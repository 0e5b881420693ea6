//! Plans as HTML: what is on the page, element by element. How it looks and what it does is tested in a browser.

use crate::plans::{five_hundred, golden};

/// Returns what a page says: neither its style, its script, nor the drawing, which have tests of their own. Each block
/// begins a line.
fn said(html: &str) -> String {
    let (_, main) = html.split_once("<main ").unwrap();
    let (main, _) = main.split_once("</main>").unwrap();
    let main = match main.split_once("<svg ") {
        Some((before, rest)) => format!("{before}<svg/>{}", rest.split_once("</svg>").unwrap().1),
        None => main.to_owned(),
    };
    let mut out = format!("<main {main}</main>\n");
    let blocks = ["<section", "<h1", "<h2", "<h3", "<h4", "<details", "<summary", "<ul", "<li"];
    let more = ["<dl", "<dt", "<dd", "<p", "<div", "<button", "<span class=\"l ", "</section"];
    for block in blocks.into_iter().chain(more) {
        out = out.replace(block, &format!("\n{block}"));
    }
    let lines = out.lines().map(str::trim_end).filter(|line| !line.is_empty());
    // A fingerprint is of the whole plan; here it would only hide which bytes changed.
    let lines = lines.filter(|line| !line.contains("id=\"fingerprint\""));
    let lines = lines.map(|line| match line.split_once("--expect ") {
        Some((before, rest)) => format!("{before}--expect …{}", &rest[64..]),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_golden_plans_say() {
    for golden in golden() {
        let is_large = golden.name.starts_with("five_hundred") || golden.name == "one_huge";
        if !is_large {
            insta::assert_snapshot!(golden.name, said(&golden.making.html()));
        }
    }
}

#[test]
fn elements_are_closed_and_ids_are_unique() {
    for golden in golden() {
        let html = golden.making.html();
        let body = html.split_once("<body>").unwrap().1.split_once("<script>").unwrap().0;
        let count = |text: &str| body.matches(text).count();
        for name in ["details", "summary", "section", "div", "ul", "li", "pre", "svg", "g", "a"] {
            let opened = count(&format!("<{name} ")) + count(&format!("<{name}>"));
            assert_eq!(opened, count(&format!("</{name}>")), "{name} of {}", golden.name);
        }
        let mut ids: Vec<&str> =
            body.split(" id=\"").skip(1).filter_map(|it| it.split('"').next()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all, "ids of {}", golden.name);
    }
}

#[test]
fn the_same_plan_is_the_same_bytes_and_not_too_many() {
    let html = five_hundred().html();
    assert_eq!(html, five_hundred().html());
    assert!(html.len() < 1_000_000, "{} bytes", html.len());
    assert!(!html.contains("http://") && !html.contains("https://"), "it names no other place");
}
