//! Terraform's documented results, both families, and the ends of prefixes.

use serde_json::json;

use crate::functions::tests::{errors, results};

#[test]
fn documented() {
    results(&[
        ("cidrcontains", json!(["192.168.2.0/20", "192.168.2.1"]), json!(true)),
        ("cidrcontains", json!(["192.168.2.0/20", "192.168.2.0/22"]), json!(true)),
        ("cidrcontains", json!(["192.168.2.0/20", "192.126.2.1"]), json!(false)),
        ("cidrcontains", json!(["192.168.2.0/20", "192.126.2.0/18"]), json!(false)),
        ("cidrcontains", json!(["fe80::/48", "fe80::1"]), json!(true)),
        ("cidrcontains", json!(["fe80::/48", "fe81::1"]), json!(false)),
        ("cidrhost", json!(["10.12.112.0/20", 16]), json!("10.12.112.16")),
        ("cidrhost", json!(["10.12.112.0/20", 268]), json!("10.12.113.12")),
        (
            "cidrhost",
            json!(["fd00:fd12:3456:7890:00a2::/72", 34]),
            json!("fd00:fd12:3456:7890::22"),
        ),
        ("cidrnetmask", json!(["172.16.0.0/12"]), json!("255.240.0.0")),
        ("cidrsubnet", json!(["172.16.0.0/12", 4, 2]), json!("172.18.0.0/16")),
        ("cidrsubnet", json!(["10.1.2.0/24", 4, 15]), json!("10.1.2.240/28")),
        (
            "cidrsubnet",
            json!(["fd00:fd12:3456:7890::/56", 16, 162]),
            json!("fd00:fd12:3456:7800:a200::/72"),
        ),
        (
            "cidrsubnets",
            json!(["10.1.0.0/16", 4, 4, 8, 4]),
            json!(["10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/24", "10.1.48.0/20"]),
        ),
        (
            "cidrsubnets",
            json!(["fd00:fd12:3456:7890::/56", 16, 16, 16, 32]),
            json!([
                "fd00:fd12:3456:7800::/72",
                "fd00:fd12:3456:7800:100::/72",
                "fd00:fd12:3456:7800:200::/72",
                "fd00:fd12:3456:7800:300::/88"
            ]),
        ),
    ]);
}

#[test]
fn edges() {
    results(&[
        ("cidrhost", json!(["10.0.0.0/24", -1]), json!("10.0.0.255")),
        ("cidrhost", json!(["10.0.0.0/24", -256]), json!("10.0.0.0")),
        ("cidrhost", json!(["10.0.0.7/32", 0]), json!("10.0.0.7")),
        ("cidrhost", json!(["::/0", -1]), json!("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")),
        ("cidrhost", json!(["::/0", i64::MIN]), json!("ffff:ffff:ffff:ffff:8000::")),
        ("cidrnetmask", json!(["0.0.0.0/0"]), json!("0.0.0.0")),
        ("cidrsubnet", json!(["10.1.2.3/16", 0, 0]), json!("10.1.0.0/16")),
        ("cidrsubnet", json!(["::/0", 0, 0]), json!("::/0")),
        ("cidrsubnet", json!(["::/0", 128, 1]), json!("::1/128")),
        ("cidrsubnet", json!(["0.0.0.0/0", 1, 1]), json!("128.0.0.0/1")),
        ("cidrsubnets", json!(["10.0.0.0/24"]), json!([])),
        ("cidrsubnets", json!(["10.0.0.0/30", 2, 1]), json!(["10.0.0.0/32", "10.0.0.2/31"])),
        (
            "cidrsubnets",
            json!(["255.255.255.254/31", 1, 1]),
            json!(["255.255.255.254/32", "255.255.255.255/32"]),
        ),
        ("cidrsubnets", json!(["::/0", 1, 1]), json!(["::/1", "8000::/1"])),
    ]);
    errors(&[
        (
            "cidrhost",
            json!(["10.0.0.0/24", 256]),
            "`hostnum` must be the number of an address in the prefix",
        ),
        (
            "cidrhost",
            json!(["10.0.0.0/24", -257]),
            "`hostnum` must be the number of an address in the prefix",
        ),
        (
            "cidrhost",
            json!(["10.0.0.0", 1]),
            "`prefix` must be a prefix in CIDR notation, like `10.0.0.0/16`: got \"10.0.0.0\"",
        ),
        (
            "cidrhost",
            json!(["10.0.0.0/33", 1]),
            "`prefix` must be a prefix in CIDR notation, like `10.0.0.0/16`: got \"10.0.0.0/33\"",
        ),
        ("cidrnetmask", json!(["::/0"]), "`prefix` must be an IPv4 prefix: IPv6 has no netmasks"),
        (
            "cidrsubnet",
            json!(["10.0.0.0/24", 9, 0]),
            "`newbits` must be at most 8: the prefix leaves no more bits of the address",
        ),
        ("cidrsubnet", json!(["10.0.0.0/24", 1, 2]), "`netnum` must fit into 1 bits"),
        (
            "cidrsubnet",
            json!(["10.0.0.0/24", -1, 0]),
            "`newbits` must be a whole number that is not negative",
        ),
        ("cidrsubnets", json!(["10.0.0.0/24", 0]), "`newbits` must be at least 1"),
        (
            "cidrsubnets",
            json!(["10.0.0.0/24", 1, 1, 1]),
            "`newbits` asks for more than is left of the prefix",
        ),
        (
            "cidrsubnets",
            json!(["::/0", 1, 1, 128]),
            "`newbits` asks for more than is left of the prefix",
        ),
        (
            "cidrcontains",
            json!(["10.0.0.0/8", "::1"]),
            "`address` must be of the same family as the prefix, IPv4 or IPv6",
        ),
        (
            "cidrcontains",
            json!(["10.0.0.0/8", "x"]),
            "`address` must be an IP address or a prefix in CIDR notation: got \"x\"",
        ),
    ]);
}
