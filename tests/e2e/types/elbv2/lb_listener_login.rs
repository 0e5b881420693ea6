//! Listeners that make clients log in: a secret inside a block, which ELBv2 never tells.

use super::lb_listener::listener;
use crate::support::World;

const ADDRESS: &str = "aws_lb_listener.it";

#[test]
fn a_login_converges_and_its_secret_is_nowhere() {
    let login = listener(
        r#"
      load_balancer_arn: ${aws_lb.it.arn}
      port: 443
      protocol: HTTPS
      certificate_arn: arn:aws:acm:ap-northeast-2:123456789012:certificate/one
      default_action:
        - type: authenticate-oidc
          authenticate_oidc:
            issuer: https://login.example.org
            authorization_endpoint: https://login.example.org/auth
            token_endpoint: https://login.example.org/token
            user_info_endpoint: https://login.example.org/info
            client_id: web
            client_secret: ${var.secret}
        - { type: forward, target_group_arn: "${aws_lb_target_group.blue.arn}" }
"#,
    );
    let mut world =
        World::with_spec(&format!("variable: {{ secret: {{ sensitive: true }} }}\n{login}"));
    world.set("RECONCILE_VAR_secret", "correct-horse");
    world.converge();
    assert_eq!(world.attributes(ADDRESS)["default_action"][0]["type"], "authenticate-oidc");
    world.assert_nowhere("correct-horse");
    world.run(&["plan", "--refresh-only", "--detailed-exitcode"]).success();

    world.set("RECONCILE_VAR_secret", "battery-staple");
    assert_eq!(world.actions(ADDRESS), ["update"]);
    world.converge();
    world.assert_nowhere("battery-staple");
    world.destroy();
}
