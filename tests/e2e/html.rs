//! `reconcile plan --format html`: the page of a real plan.

use crate::support::World;

#[test]
fn a_plan_is_one_page_that_says_how_to_apply_it() {
    let world = World::with_stack("lab-web");
    let page = world.run(&["plan", "--format", "html"]).success().stdout;
    assert!(page.starts_with("<!DOCTYPE html>"), "{page}");
    let plan = world.plan_json();
    let fingerprint = plan["reconcile"]["fingerprint"].as_str().unwrap();
    assert!(page.contains(&format!("reconcile apply . --expect {fingerprint}")), "{page}");
    for change in plan["resource_changes"].as_array().unwrap() {
        let address = change["address"].as_str().unwrap();
        assert!(page.contains(&format!("data-block=\"{address}\"")), "{address}");
        assert!(page.contains(&format!("data-node=\"{address}\"")), "{address}");
    }
    // The graph is the spec's: outputs have their ways too.
    assert!(page.contains("data-from=\"output.url\" data-to=\"aws_lb.web\""), "{page}");
    let again = world.run(&["plan", "--format", "html"]).success().stdout;
    assert!(page == again, "the same plan is the same bytes");
}
