//! The HTML plan in a real browser: what it shows, and what its buttons and keys do.
//!
//! `cargo xtask test` finds or installs Chromium and says where it is in `RECONCILE_TEST_CHROMIUM`; without that, these tests
//! are skipped, each with a line that says so. `UPDATE=1` takes the pictures of docs/reviewing.md anew.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod chromium;
#[path = "../golden/plans.rs"]
#[expect(dead_code, reason = "the tests of other formats use the rest")]
mod plans;
#[path = "../golden/support.rs"]
#[expect(dead_code, reason = "the tests of other formats use the rest")]
mod support;
mod tour;

use std::path::Path;

use chromium::{Page, Picture, Scheme};
use tour::tour;

/// How many changes are on the screen.
const SHOWN: &str = "document.querySelectorAll('.card.change:not([hidden])').length";

/// The id of the change that the keys are about.
const CURRENT: &str = "(document.querySelector('.card.current') || {}).id || ''";

#[test]
fn filters_show_what_fits_them() {
    let Some(mut page) = Page::new() else { return };
    page.open(&tour().html());
    assert_eq!(page.number(SHOWN), 6.0);
    assert_eq!(page.text("document.getElementById('status').textContent"), "");

    page.click(".chip.update");
    assert_eq!(page.number(SHOWN), 3.0);
    assert_eq!(page.text("document.getElementById('status').textContent"), "3 of 6 changes shown");
    // Its group has nothing to show, nor has the list.
    let headings = "[...document.querySelectorAll('.group:not([hidden]) .group-heading')].map((it) => it.textContent).join()";
    assert_eq!(page.text(headings), "Destroyed or replaced,Created");
    assert_eq!(page.number("document.querySelectorAll('.list li:not([hidden])').length"), 3.0);
    page.click(".chip.update");
    assert_eq!(page.number(SHOWN), 6.0);

    page.eval("document.getElementById('type').value = 'aws_security_group'; document.getElementById('type').dispatchEvent(new Event('change', { bubbles: true }))");
    assert_eq!(page.number(SHOWN), 1.0);
    page.eval("document.getElementById('type').value = ''; document.getElementById('type').dispatchEvent(new Event('change', { bubbles: true }))");

    // Text finds names and what is in differences, every word of it.
    page.key("/");
    page.types("BASTION");
    assert_eq!(page.number(SHOWN), 1.0);
    page.key("Escape");
    assert_eq!(page.number(SHOWN), 6.0);
    page.key("/");
    page.types("instance listen");
    assert_eq!(page.number(SHOWN), 2.0);
    // What does not fit is faint in the graph.
    let faint = "[...document.querySelectorAll('.node.dim')].map((it) => it.dataset.node)";
    let faint = page.eval(faint).to_string();
    assert!(faint.contains("aws_security_group.web") && !faint.contains("web_2c"), "{faint}");
    page.types(" nowhere");
    assert_eq!(page.number(SHOWN), 0.0);
}

#[test]
fn keys_walk_open_and_switch() {
    let Some(mut page) = Page::new() else { return };
    page.open(&tour().html());
    let ids = "[...document.querySelectorAll('.card.change')].map((it) => it.id)";
    let ids: Vec<String> = serde_json::from_value(page.eval(ids)).unwrap();
    page.key("j");
    assert_eq!(page.text(CURRENT), ids[0]);
    page.key("j");
    page.key("j");
    assert_eq!(page.text(CURRENT), ids[2]);
    page.key("k");
    assert_eq!(page.text(CURRENT), ids[1]);
    assert_eq!(
        page.text("document.querySelector('.list a[aria-current]').hash"),
        format!("#{}", ids[1])
    );
    let on_screen = "(() => { const box = document.querySelector('.card.current').getBoundingClientRect(); return box.top >= 0 && box.top < innerHeight })()";
    assert!(page.is(on_screen));

    let open = "document.querySelector('.card.current').open";
    let before = page.is(open);
    page.key("Enter");
    assert_eq!(page.is(open), !before);
    page.key("Enter");

    let all_open = "[...document.querySelectorAll('.card.change')].every((it) => it.open)";
    assert!(page.is(all_open), "few changes are all open");
    page.key("o");
    assert!(page.is("[...document.querySelectorAll('.card.change')].every((it) => !it.open)"));
    page.key("o");
    assert!(page.is(all_open));

    page.key("?");
    assert!(page.is("document.getElementById('help').open"));
    // Behind the list, keys do nothing.
    page.key("j");
    assert_eq!(page.text(CURRENT), ids[1]);
    page.key("Escape");
    assert!(!page.is("document.getElementById('help').open"));

    page.key("/");
    page.types("j");
    assert_eq!(
        page.text(CURRENT),
        "",
        "a letter in a field is a letter, and what is hidden is not current"
    );
}

#[test]
fn unified_and_side_by_side_show_the_same() {
    let Some(mut page) = Page::new() else { return };
    page.open(&tour().html());
    let halves = "(() => { const row = document.querySelector('[data-block=\"aws_instance.web_2a\"] .row:not(.same)'); const [a, b] = [...row.children].map((it) => it.getBoundingClientRect()); return { a: a.top, b: b.top, left: a.left, right: b.left, bottom: a.bottom } })()";
    let unified = page.eval(halves);
    assert_eq!(unified["bottom"], unified["b"], "one below the other: {unified}");
    // What is not on the screen is not laid out, and has no text that is shown.
    let told = "new Promise((done) => { const it = document.querySelector('.card.change.replace .diff'); it.scrollIntoView({ block: 'center', behavior: 'instant' }); requestAnimationFrame(() => requestAnimationFrame(() => done(it.innerText))) })";
    let before = page.text(told);
    assert!(before.contains("ami-0abc") && before.contains("ami-0fed"), "{before}");

    page.click("#view");
    assert!(page.is("document.getElementById('view').getAttribute('aria-pressed') === 'true'"));
    let split = page.eval(halves);
    assert_eq!(split["a"], split["b"], "side by side: {split}");
    assert!(split["left"].as_f64() < split["right"].as_f64(), "{split}");
    page.key("v");
    assert_eq!(page.text(told), before);

    // Of a script of seven lines, the changed one is there once as it was and once as it will be.
    let script = page
        .text("document.querySelector('[data-block=\"aws_instance.web_2c\"] .diff').textContent");
    assert_eq!(script.matches("listen 80;").count(), 1, "{script}");
    assert_eq!(script.matches("listen 8080;").count(), 1, "{script}");
    let marked = "[...document.querySelectorAll('[data-block=\"aws_instance.web_2c\"] .diff :is(del, ins)')].map((it) => it.textContent)";
    let marked = page.eval(marked).to_string();
    assert!(marked.contains("\"80\"") && marked.contains("\"8080\""), "{marked}");
}

#[test]
fn the_graph_is_drawn_in_the_colors_of_what_is_done_and_leads_there() {
    let Some(mut page) = Page::new() else { return };
    page.open(&tour().html());
    for (node, color) in [
        ("aws_instance.web_2a", [0xf9, 0xec, 0xf9]),
        ("aws_instance.web_2b", [0xe9, 0xf6, 0xec]),
        ("aws_instance.bastion", [0xfd, 0xec, 0xeb]),
        ("aws_security_group.web", [0xfc, 0xf3, 0xdc]),
    ] {
        let place = page.eval(&format!(
            "(() => {{ const it = document.querySelector('.node[data-node=\"{node}\"]'); it.scrollIntoView({{ block: 'center', inline: 'center', behavior: 'instant' }}); const box = it.querySelector('rect').getBoundingClientRect(); return [box.x, box.y, box.width, box.height] }})()"
        ));
        let [x, y, width, height]: [f64; 4] = serde_json::from_value(place).unwrap();
        let picture = page.picture(false);
        assert_eq!(picture.at(x + 5.0, y + height / 2.0), color, "{node}");
        assert!(picture.colors(x, y, width, height) > 20, "{node} has a name");
    }
    // A bow from a node to what it leans on is drawn where it is said to be.
    let edges: Vec<String> = serde_json::from_value(page.eval(
        "[...document.querySelectorAll('.edge')].map((it) => it.dataset.from + ' ' + it.dataset.to)",
    ))
    .unwrap();
    assert!(edges.contains(&"aws_instance.bastion aws_security_group.web".to_owned()), "{edges:?}");
    // It fits its frame; on a screen where nothing could be read any more, it scrolls.
    let fits = "(() => { const it = document.querySelector('.canvas'); return it.scrollWidth <= it.clientWidth })()";
    assert!(page.is(fits));
    page.size(300, 900);
    assert!(!page.is(fits));
    page.size(1440, 900);
    // What a longer way implies is not drawn.
    assert!(!edges.contains(&"aws_instance.web_2c aws_security_group.web".to_owned()), "{edges:?}");

    page.eval("document.querySelector('.card[data-block=\"aws_instance.bastion\"]').open = false");
    page.click(".node[data-node='aws_instance.bastion']");
    assert!(page.is("document.querySelector('.card[data-block=\"aws_instance.bastion\"]').open"));
    assert!(page.text(CURRENT).starts_with("change-aws_instance.bastion"));
    // Nothing is done to it: it leads nowhere.
    assert!(page.is(
        "document.querySelector('.node[data-node=\"aws_instance.builder\"]').closest('a') === null"
    ));
}

/// Contrast as WCAG 2 defines it, of each text with the ground that it stands on; all under 4.5.
const TOO_FAINT: &str = r#"(() => {
  const rgb = (text) => text.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((it) => { it /= 255; return it <= .04045 ? it / 12.92 : ((it + .055) / 1.055) ** 2.4 });
    return .2126 * R + .7152 * G + .0722 * B;
  };
  const ground = (it) => {
    for (; it; it = it.parentElement) {
      const color = rgb(getComputedStyle(it).backgroundColor);
      if (color.length < 4 || color[3] > .99) return color;
    }
    return [255, 255, 255];
  };
  const faint = [];
  let count = 0;
  for (const it of document.querySelectorAll('main *, .side *, .bar *')) {
    if (it.closest('svg') || ![...it.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const [a, b] = [light(rgb(getComputedStyle(it).color)), light(ground(it))];
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    count += 1;
    if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} ${it.tagName}.${it.className}: ${it.textContent.slice(0, 30)}`);
  }
  for (const it of document.querySelectorAll('svg .node text')) {
    const rect = it.parentElement.querySelector('rect');
    const [a, b] = [it, rect].map((one) => light(rgb(getComputedStyle(one).fill)));
    const contrast = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    count += 1;
    if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} svg: ${it.textContent}`);
  }
  return { count, faint };
})()"#;

#[test]
fn light_and_dark_are_readable_and_follow_the_reader() {
    let Some(mut page) = Page::new() else { return };
    page.open(&tour().html());
    let mut lightness = Vec::new();
    for scheme in [Scheme::Light, Scheme::Dark] {
        page.scheme(scheme);
        let found = page.eval(TOO_FAINT);
        assert!(found["count"].as_f64() > Some(100.0), "{found}");
        assert_eq!(found["faint"], serde_json::json!([]), "{scheme:?}");
        lightness.push(page.picture(false).lightness());
    }
    assert!(lightness[0] > 215.0 && lightness[1] < 60.0, "{lightness:?}");
    // The button overrides the system, both ways.
    page.click("#theme");
    assert!(page.picture(false).lightness() > 215.0);
    page.scheme(Scheme::Light);
    page.key("t");
    assert!(page.picture(false).lightness() < 60.0);
}

#[test]
fn paper_has_all_of_it_in_light() {
    let Some(mut page) = Page::new() else { return };
    page.open(&tour().html());
    page.key("o");
    page.key("/");
    page.types("nowhere");
    assert_eq!(page.number(SHOWN), 0.0);
    page.size(800, 1100);
    let closed = page.picture(true);
    page.paper();
    let hidden = "[...document.querySelectorAll('.card .diff')].filter((it) => !it.getBoundingClientRect().height).length";
    assert_eq!(
        page.number(hidden),
        0.0,
        "every difference is on the paper, closed or filtered or not"
    );
    let faint = "[...document.querySelectorAll('.node')].filter((it) => getComputedStyle(it).opacity !== '1').length";
    assert_eq!(page.number(faint), 0.0, "and every block in the graph");
    assert_eq!(page.text("getComputedStyle(document.querySelector('.bar')).display"), "none");
    let paper = page.picture(true);
    assert!(paper.lightness() > 215.0, "dark ink on white, whatever the system says");
    assert!(closed.height > 0 && paper.height > 0);
    let pdf = page.print();
    assert!(pdf.starts_with(b"%PDF") && pdf.len() > 20_000, "{} bytes", pdf.len());
}

#[test]
fn a_narrow_screen_is_not_scrolled_sideways() {
    let Some(mut page) = Page::new() else { return };
    for html in [tour().html(), plans::hostile().html(), plans::long_strings().html()] {
        page.size(380, 800);
        page.open(&html);
        let wide = page.number("document.documentElement.scrollWidth");
        assert!(wide <= 380.0, "{wide} pixels of 380");
    }
}

#[test]
fn without_the_script_it_is_all_there() {
    let Some(mut page) = Page::new() else { return };
    let html = tour().html();
    let (before, rest) = html.split_once("<script>").unwrap();
    let (_, after) = rest.split_once("</script>").unwrap();
    page.open(&format!("{before}{after}"));
    assert!(
        page.is(
            "document.querySelector('.tools').hidden && document.querySelector('.filter').hidden"
        )
    );
    assert!(page.is("[...document.querySelectorAll('details')].every((it) => it.open)"));
    let shown = page.text("document.body.textContent");
    for said in ["ami-0fed", "aws_instance.bastion", "Newly exposed", "debugging", "--expect"] {
        assert!(shown.contains(said), "{said}");
    }
    // Closing and opening is the browser's own.
    page.click(".card.change > summary");
    assert!(!page.is("document.querySelector('.card.change').open"));
}

#[test]
fn nothing_in_a_plan_runs_or_loads() {
    let Some(mut page) = Page::new() else { return };
    for golden in [plans::hostile(), tour()] {
        page.open(&golden.html());
        assert_eq!(page.number("document.querySelectorAll('script').length"), 1.0);
        let strange = "document.querySelectorAll('img, iframe, object, embed, link, base, form[action], [onerror], [onclick], [style], b > script').length";
        assert_eq!(page.number(strange), 0.0);
        // What looks like markup is shown as it is.
        assert!(page.text("document.title").starts_with("lab-web: "));
        let outside = "[...document.querySelectorAll('[href], [src]')].filter((it) => !(it.getAttribute('href') || it.getAttribute('src')).startsWith('#')).length";
        assert_eq!(page.number(outside), 0.0);
    }
    let shown = page.text("document.body.innerText");
    assert!(shown.contains("aws_instance.web_2b"));
    let asked: Vec<String> =
        page.asked().iter().filter(|it| !it.starts_with("file:")).cloned().collect();
    assert!(asked.is_empty(), "{asked:?}");
    // Were something to slip through, the policy would stop it.
    let stopped = page.eval(
        "new Promise((done) => { const stopped = []; addEventListener('securitypolicyviolation', (event) => { stopped.push(event.effectiveDirective); if (stopped.length === 3) done(stopped.sort().join()) }); \
         const script = document.createElement('script'); script.textContent = 'window.ran = true'; document.body.append(script); \
         const image = document.createElement('img'); image.src = 'http://127.0.0.1:9/x.png'; document.body.append(image); \
         const style = document.createElement('style'); style.textContent = 'body { display: none }'; document.body.append(style) })",
    );
    assert_eq!(stopped, "img-src,script-src-elem,style-src-elem");
    assert!(page.is("window.ran === undefined"));
}

#[test]
fn what_is_hostile_is_shown_as_it_is() {
    let Some(mut page) = Page::new() else { return };
    page.open(&plans::hostile().html());
    page.key("o");
    let shown = page.text("document.querySelector('main').textContent");
    for text in ["<script>alert(1)</script>", "&lt;b&gt; &amp; ", "<img src=x onerror=alert(1)>"] {
        assert!(shown.contains(text), "{text}");
    }
    assert!(!shown.contains(['\u{202e}', '\u{200b}', '\u{1b}']), "what deceives is escaped");
    // Every card is reached by its link.
    let lost = "[...document.querySelectorAll('.list a')].filter((it) => !document.getElementById(decodeURIComponent(it.hash.slice(1)))).length";
    assert_eq!(page.number(lost), 0.0);
}

#[test]
fn five_hundred_changes_stay_quick() {
    let Some(mut page) = Page::new() else { return };
    let html = plans::five_hundred_apart().html();
    assert!(html.len() < 4_000_000, "{} bytes", html.len());
    page.open(&html);
    assert_eq!(page.number(SHOWN), 500.0);
    // Time in the page's own script; a loaded machine is slow, and a page that lays out everything again is slower.
    let typed = "(() => { const text = document.getElementById('text'); const start = performance.now(); for (const word of ['s', 'se', 'ser', 'server_04']) { text.value = word; text.dispatchEvent(new Event('input', { bubbles: true })) } return performance.now() - start })()";
    let milliseconds = page.number(typed);
    assert_eq!(page.number(SHOWN), 10.0);
    assert!(milliseconds < 3_000.0, "{milliseconds} ms for four letters");
    page.key("Escape");
    page.eval("document.getElementById('text').value = ''; document.getElementById('text').dispatchEvent(new Event('input', { bubbles: true }))");
    page.eval("document.getElementById('text').blur()");
    page.key("k");
    assert!(page.text(CURRENT).contains("server_"));
    let on_screen = "(() => { const box = document.querySelector('.card.current').getBoundingClientRect(); return box.top >= 0 && box.top < innerHeight })()";
    assert!(page.is(on_screen));
}

#[test]
fn the_page_has_landmarks_names_and_headings_in_order() {
    let Some(mut page) = Page::new() else { return };
    page.open(&tour().html());
    assert_eq!(page.text("document.documentElement.lang"), "en");
    assert_eq!(page.number("document.querySelectorAll('main').length"), 1.0);
    assert_eq!(page.number("document.querySelectorAll('h1').length"), 1.0);
    let unnamed = "[...document.querySelectorAll('button, input, select, a')].filter((it) => !it.textContent.trim() && !it.getAttribute('aria-label') && !it.labels?.length).length";
    assert_eq!(page.number(unnamed), 0.0);
    let skipped = "(() => { let last = 0; const wrong = []; for (const it of document.querySelectorAll('main :is(h1, h2, h3, h4)')) { const level = Number(it.tagName[1]); if (level > last + 1) wrong.push(it.textContent); last = level } return wrong.join() })()";
    assert_eq!(page.text(skipped), "");
    let twice = "(() => { const ids = [...document.querySelectorAll('[id]')].map((it) => it.id); return ids.length - new Set(ids).size })()";
    assert_eq!(page.number(twice), 0.0);
    // The first stop of the keyboard skips what is the same on every page.
    page.key("Tab");
    assert_eq!(page.text("document.activeElement.className"), "skip");
    page.key("Enter");
    assert_eq!(page.text("document.activeElement.id"), "main");
}

/// The pictures of docs/reviewing.md. They are compared for what is on them, not for their pixels: fonts differ.
#[test]
fn the_pictures_of_the_tour_show_what_they_are_of() {
    let Some(mut page) = Page::new() else { return };
    page.open(&tour().html());
    page.size(1360, 860);
    let overview = page.picture(false);
    check(&overview, "plan-page", 1360, 860);

    page.key("v");
    page.click("[data-block='aws_instance.web_2c'] summary h4");
    page.eval("document.querySelector('[data-block=\"aws_instance.web_2c\"]').open = true");
    page.eval("document.querySelector('[data-block=\"aws_instance.web_2c\"]').scrollIntoView({ block: 'start', behavior: 'instant' })");
    check(&page.picture(false), "plan-side-by-side", 1360, 860);

    page.scheme(Scheme::Dark);
    page.key("v");
    page.key("g");
    let dark = page.picture(false);
    check(&dark, "plan-graph-dark", 1360, 860);
    assert!(dark.lightness() < 60.0 && overview.lightness() > 215.0);

    page.scheme(Scheme::Light);
    page.size(400, 860);
    page.eval("scrollTo({ top: 0, behavior: 'instant' })");
    check(&page.picture(false), "plan-narrow", 400, 860);
}

/// Checks that there is something on a picture from top to bottom, and keeps it when asked to.
fn check(picture: &Picture, name: &str, width: usize, height: usize) {
    assert_eq!((picture.width, picture.height), (width, height), "{name}");
    for part in 0..4 {
        let top = (height * part / 4) as f64;
        let colors = picture.colors(0.0, top, width as f64, height as f64 / 4.0);
        assert!(colors > 30, "part {part} of {name} has {colors} colors");
    }
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/pictures/{name}.png"));
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &picture.png).unwrap();
    }
    let kept = std::fs::metadata(&file).map(|it| it.len()).unwrap_or_default();
    assert!((5_000..400_000).contains(&kept), "{} has {kept} bytes", file.display());
}
