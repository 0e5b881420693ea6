//! The tutorial's stack lives its whole life.

use serde_json::json;

use crate::support::World;

#[test]
fn lab_web_lives_its_whole_life() {
    let world = World::with_stack("lab-web");
    world.run(&["validate"]).success().says("valid");
    world.run(&["plan", "--detailed-exitcode"]).code(2).says("11 to add");
    world
        .run(&["apply", "--auto-approve"])
        .success()
        .says("Apply complete")
        .says("http://lab-web-alb");
    world.assert_converged();

    let key = world.read("seoul-lab-web.pem");
    assert!(key.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----"), "{key}");
    let web = world.attributes("aws_instance.web_2a");
    assert_eq!(web["tags"], json!({ "Name": "lab-web-pub-2a" }));
    assert_eq!(web["user_data"], "#include https://bit.ly/Userdata");
    assert_eq!(web["availability_zone"], "ap-northeast-2a");
    let from_image = world.attributes("aws_instance.web_2c");
    assert_eq!(from_image["ami"], world.id("aws_ami_from_instance.web"));
    assert_eq!(from_image["availability_zone"], "ap-northeast-2c");
    world.run(&["output", "--name", "key_file"]).success().says("seoul-lab-web.pem");

    // Somebody opens a port by hand.
    world.call(
        "ec2",
        "AuthorizeSecurityGroupIngress",
        &json!({
            "GroupId": world.id("aws_security_group.web"),
            "IpPermissions": [{
                "IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080,
                "IpRanges": [{ "CidrIp": "0.0.0.0/0" }],
            }],
        }),
    );
    world.run(&["plan", "--detailed-exitcode"]).code(2).says("8080").says("Changed outside");
    world.converge();

    // The spec changes.
    world.edit("servers.yaml", "Name: lab-web-pub-2c", "Name: lab-web-second");
    assert_eq!(world.actions("aws_instance.web_2c"), ["update"]);
    world.converge();

    world
        .run(&["destroy", "--auto-approve"])
        .success()
        .says("Destroy complete")
        .says("seoul-lab-web.pem");
    world.assert_empty();
    assert_eq!(world.read("seoul-lab-web.pem"), key, "the private key is the user's");
}
