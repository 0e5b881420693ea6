//! The `ingress` and `egress` blocks: rules in the groups that a spec writes them in.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::IpPermission;
use reconcile_model::normalize::Normalize;
use reconcile_model::schema::{Blocks, Check, Literal, Nesting};
use reconcile_model::{Attribute, Kind, Object, Value};

use crate::ec2::rules::{
    Details, Direction, Peer, Traffic, check_ports, group_owner, has_ports, is_description,
    is_protocol, normalize_description, normalize_group,
};

/// The shape of both kinds of block.
pub(super) static RULES: Blocks = Blocks {
    nesting: Nesting::Set,
    min: 0,
    max: None,
    attributes: &[
        Attribute::required("protocol", Kind::String)
            .normalize(Normalize::Protocol)
            .check(Check::Rule(is_protocol))
            .doc("The protocol: `tcp`, `udp`, `icmp`, `icmpv6`, `-1` for all, or its number."),
        Attribute::optional("from_port", Kind::Int).check(Check::Range(-1, 65_535)).doc(
            "The first port, or the ICMP type, -1 for all; without meaning for other protocols.",
        ),
        Attribute::optional("to_port", Kind::Int).check(Check::Range(-1, 65_535)).doc(
            "The last port, or the ICMP code, -1 for all; without meaning for other protocols.",
        ),
        Attribute::optional("cidr_blocks", Kind::Set(&Kind::String))
            .normalize(Normalize::Cidr)
            .check(Check::Cidr4)
            .doc("Ranges of IPv4 addresses on the other end."),
        Attribute::optional("ipv6_cidr_blocks", Kind::Set(&Kind::String))
            .normalize(Normalize::Cidr)
            .check(Check::Cidr6)
            .doc("Ranges of IPv6 addresses on the other end."),
        Attribute::optional("prefix_list_ids", Kind::Set(&Kind::String))
            .doc("Managed prefix lists on the other end."),
        Attribute::optional("security_groups", Kind::Set(&Kind::String))
            .normalize(Normalize::Rule(normalize_group))
            .refers_to("aws_security_group", "id")
            .doc("Security groups on the other end; another account's as `ACCOUNT/sg-…`."),
        Attribute::optional("self", Kind::Bool)
            .default(Literal::Bool(false))
            .doc("Whether the group's own members are on the other end too."),
        Attribute::optional("description", Kind::String)
            .normalize(Normalize::Rule(normalize_description))
            .check(Check::Rule(is_description))
            .doc("What the rules are for."),
    ],
};

type PeerAttribute = (&'static str, fn(&str) -> Peer);

/// The attributes that name other ends, and what each of their items names.
const PEERS: [PeerAttribute; 4] = [
    ("cidr_blocks", Peer::ipv4),
    ("ipv6_cidr_blocks", Peer::ipv6),
    ("prefix_list_ids", Peer::prefix_list),
    ("security_groups", Peer::group),
];

/// One direction's rules: what each allows, and what it says besides.
pub(super) type Rules = BTreeMap<Traffic, Details>;

/// Returns the rules that blocks stand for. `own` is the group's id, for `self`.
pub(super) fn expand<'a>(blocks: impl IntoIterator<Item = &'a Object>, own: &str) -> Rules {
    let mut rules = Rules::new();
    for block in blocks {
        for (name, peer) in PEERS {
            for text in block.strings(name) {
                let owner = (name == "security_groups").then(|| group_owner(&text)).flatten();
                let details =
                    Details { description: description(block), owner: owner.map(str::to_owned) };
                rules.entry(traffic(block, peer(&text))).or_insert(details);
            }
        }
        if block.bool("self") == Some(true) {
            let details = Details { description: description(block), owner: None };
            rules.entry(traffic(block, Peer::group(own))).or_insert(details);
        }
    }
    rules
}

fn traffic(block: &Object, peer: Peer) -> Traffic {
    let protocol = block.str("protocol").unwrap_or("-1");
    Traffic::new(protocol, block.i32("from_port"), block.i32("to_port"), peer)
}

fn description(block: &Object) -> Option<String> {
    block.string("description").filter(|text| !text.is_empty())
}

/// Reads one direction's rules from a group's permissions. `account` is the group's owner: other groups of the same
/// account are written without theirs.
pub(super) fn live(permissions: &[IpPermission], account: Option<&str>) -> Rules {
    let mut rules = Rules::new();
    for permission in permissions {
        let protocol = permission.ip_protocol().unwrap_or("-1");
        let mut add = |peer: Peer, description: Option<&str>, owner: Option<&str>| {
            let details = Details {
                description: description.filter(|text| !text.is_empty()).map(str::to_owned),
                owner: owner.filter(|owner| Some(*owner) != account).map(str::to_owned),
            };
            let (from, to) = (permission.from_port(), permission.to_port());
            rules.insert(Traffic::new(protocol, from, to, peer), details);
        };
        for range in permission.ip_ranges() {
            if let Some(text) = range.cidr_ip() {
                add(Peer::ipv4(text), range.description(), None);
            }
        }
        for range in permission.ipv6_ranges() {
            if let Some(text) = range.cidr_ipv6() {
                add(Peer::ipv6(text), range.description(), None);
            }
        }
        for list in permission.prefix_list_ids() {
            if let Some(id) = list.prefix_list_id() {
                add(Peer::prefix_list(id), list.description(), None);
            }
        }
        for group in permission.user_id_group_pairs() {
            if let Some(id) = group.group_id() {
                add(Peer::group(id), group.description(), group.user_id());
            }
        }
    }
    rules
}

/// Returns blocks that stand for the live rules, in the groups of `recorded` as far as they go.
///
/// EC2 knows rules one by one, so it cannot tell how a spec grouped them. A recorded block keeps what is live of it, as
/// it was written; what no recorded block stands for comes in blocks of its own.
pub(super) fn regroup(recorded: &[Value], live: &Rules, own: &str) -> Value {
    let mut left = live.clone();
    let mut blocks = Vec::new();
    for block in recorded.iter().filter_map(Value::as_map) {
        let wanted = description(block);
        let mut keep = |traffic: Traffic| {
            let is_live = live.get(&traffic).is_some_and(|details| details.description == wanted);
            if is_live {
                left.remove(&traffic);
            }
            is_live
        };
        let mut kept = block.clone();
        let mut any = false;
        for (name, peer) in PEERS {
            let items = block.list(name);
            let still: Vec<Value> = items
                .iter()
                .filter(|item| item.as_str().is_some_and(|text| keep(traffic(block, peer(text)))))
                .cloned()
                .collect();
            any |= !still.is_empty();
            if still.len() < items.len() {
                kept.set(name, still);
            }
        }
        if block.bool("self") == Some(true) {
            let is_live = keep(traffic(block, Peer::group(own)));
            any |= is_live;
            kept.set("self", is_live);
        }
        if any {
            blocks.push(Value::Map(kept));
        }
    }
    blocks.extend(group(left, own));
    blocks.into()
}

/// Returns blocks for rules, one for each protocol, pair of ports, and description.
fn group(rules: Rules, own: &str) -> Vec<Value> {
    let mut blocks: BTreeMap<_, BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for (Traffic { protocol, from, to, peer }, Details { description, owner }) in rules {
        let (name, text) = match peer {
            Peer::Ipv4(range) => ("cidr_blocks", range),
            Peer::Ipv6(range) => ("ipv6_cidr_blocks", range),
            Peer::PrefixList(id) => ("prefix_list_ids", id),
            Peer::Group(id) if id == own => ("self", id),
            Peer::Group(id) => match owner {
                Some(owner) => ("security_groups", format!("{owner}/{id}")),
                None => ("security_groups", id),
            },
        };
        let block = blocks.entry((protocol, from, to, description)).or_default();
        block.entry(name).or_default().push(text);
    }
    let mut values = Vec::new();
    for ((protocol, from, to, description), mut peers) in blocks {
        // Terraform's configurations say 0 for the ports of protocols that have none.
        let (from, to) = if has_ports(&protocol) { (from, to) } else { (0, 0) };
        let mut block = Object::new()
            .with("protocol", protocol)
            .with("from_port", from)
            .with("to_port", to)
            .with("self", peers.contains_key("self"))
            .with("description", description);
        for (name, _) in PEERS {
            block.set(name, peers.remove(name));
        }
        values.push(Value::Map(block));
    }
    values
}

/// Checks the blocks of a configured group. What is not known yet counts as fine.
pub(super) fn check(config: &Object) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    for direction in [Direction::Ingress, Direction::Egress] {
        let name = direction.attribute();
        let mut seen: BTreeMap<Traffic, Option<String>> = BTreeMap::new();
        for block in config.blocks(name) {
            wrong.extend(check_block(block).map(|what| (name, what)));
            if !block.is_known() {
                continue;
            }
            // The id is not known yet; nothing else can stand for the group itself.
            for (traffic, details) in expand([block], "self") {
                let before = seen.entry(traffic).or_insert_with(|| details.description.clone());
                if *before != details.description {
                    let what = "two blocks allow the same and describe it differently; EC2 keeps one description";
                    wrong.push((name, what.to_owned()));
                }
            }
        }
    }
    wrong
}

fn check_block(block: &Object) -> Option<String> {
    let is_empty =
        |value: &Value| value.is_null() || value.as_list().is_some_and(<[Value]>::is_empty);
    let own = block.value("self");
    let names_nobody = PEERS.iter().all(|(name, _)| is_empty(block.value(name)))
        && (own.is_null() || own.as_bool() == Some(false));
    if names_nobody {
        return Some(
            "a block needs one of `cidr_blocks`, `ipv6_cidr_blocks`, `prefix_list_ids`, `security_groups`, `self`"
                .to_owned(),
        );
    }
    let protocol = block.str("protocol")?;
    let is_missing = |port| block.value(port).is_null();
    let needs_ports =
        matches!(reconcile_model::normalize::protocol(protocol).as_str(), "tcp" | "udp");
    if needs_ports && (is_missing("from_port") || is_missing("to_port")) {
        return Some(format!("a block for {protocol} needs `from_port` and `to_port`"));
    }
    check_ports(protocol, block.i64("from_port"), block.i64("to_port"))
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::types::{IpRange, UserIdGroupPair};

    use super::*;

    fn block(port: i64, ranges: &[&str]) -> Object {
        Object::new()
            .with("protocol", "tcp")
            .with("from_port", port)
            .with("to_port", port)
            .with("cidr_blocks", ranges.to_vec())
            .with("self", false)
    }

    fn rules(blocks: &[Object]) -> Rules {
        expand(blocks, "sg-1")
    }

    fn values(blocks: &[Object]) -> Vec<Value> {
        blocks.iter().cloned().map(Value::Map).collect()
    }

    #[test]
    fn live_rules_come_back_in_the_recorded_blocks() {
        let blocks = [
            block(22, &["10.0.0.1/8", "192.0.2.0/24"]).with("description", "office"),
            block(80, &["0.0.0.0/0"]).with("self", true),
            Object::new()
                .with("protocol", "all")
                .with("from_port", 0)
                .with("to_port", 0)
                .with("security_groups", vec!["123456789012/sg-2"]),
        ];
        let recorded = values(&blocks);
        assert_eq!(regroup(&recorded, &rules(&blocks), "sg-1"), Value::List(recorded));
    }

    #[test]
    fn what_was_added_by_hand_is_a_block_of_its_own() {
        let ours = [block(22, &["10.0.0.0/8"])];
        let live = rules(&[ours[0].clone(), block(22, &["0.0.0.0/0"]), block(23, &["0.0.0.0/0"])]);
        let regrouped = regroup(&values(&ours), &live, "sg-1");
        let blocks = regrouped.as_list().unwrap();
        assert_eq!(blocks.len(), 3);
        assert_eq!(blocks[0], Value::Map(ours[0].clone()));
        assert_eq!(blocks[1].as_map().unwrap().strings("cidr_blocks"), ["0.0.0.0/0"]);
    }

    #[test]
    fn what_was_removed_by_hand_is_missing_in_its_block() {
        let recorded = values(&[block(22, &["10.0.0.0/8", "192.0.2.0/24"]), block(80, &["::/0"])]);
        let live = rules(&[block(22, &["10.0.0.0/8"])]);
        let regrouped = regroup(&recorded, &live, "sg-1");
        assert_eq!(regrouped, Value::List(values(&[block(22, &["10.0.0.0/8"])])));
    }

    #[test]
    fn another_description_is_another_block() {
        let recorded = values(&[block(22, &["10.0.0.0/8"])]);
        let live = rules(&[block(22, &["10.0.0.0/8"]).with("description", "by hand")]);
        let regrouped = regroup(&recorded, &live, "sg-1");
        let [only] = regrouped.as_list().unwrap() else { panic!("{regrouped:?}") };
        assert_eq!(only.as_map().unwrap().str("description"), Some("by hand"));
    }

    #[test]
    fn permissions_are_read_one_rule_at_a_time() {
        let permission = IpPermission::builder()
            .ip_protocol("tcp")
            .from_port(22)
            .to_port(22)
            .ip_ranges(IpRange::builder().cidr_ip("10.0.0.0/8").description("office").build())
            .user_id_group_pairs(UserIdGroupPair::builder().group_id("sg-1").user_id("1").build())
            .user_id_group_pairs(UserIdGroupPair::builder().group_id("sg-2").user_id("2").build())
            .build();
        let rules = live(&[permission], Some("1"));
        assert_eq!(rules.len(), 3);
        let regrouped = regroup(&[], &rules, "sg-1");
        let blocks: Vec<&Object> =
            regrouped.as_list().unwrap().iter().filter_map(Value::as_map).collect();
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks[0].strings("security_groups"), ["2/sg-2"]);
        assert_eq!(blocks[0].bool("self"), Some(true));
        assert_eq!(blocks[1].str("description"), Some("office"));
    }

    #[test]
    fn blocks_are_checked() {
        let check = |block: Object| {
            let config = Object::new().with("ingress", vec![Value::Map(block)]);
            check(&config).into_iter().map(|(_, what)| what).collect::<Vec<_>>()
        };
        assert!(check(block(22, &["10.0.0.0/8"])).is_empty());
        assert!(check(block(22, &[]).with("security_groups", Value::Unknown)).is_empty());
        assert_eq!(check(block(22, &[])).len(), 1);
        assert_eq!(check(block(22, &["10.0.0.0/8"]).with("to_port", 20)).len(), 1);
        assert_eq!(check(block(22, &["10.0.0.0/8"]).with("to_port", Value::Null)).len(), 1);
    }

    #[test]
    fn one_rule_has_one_description() {
        let blocks = [
            block(22, &["10.0.0.0/8"]).with("description", "a"),
            block(22, &["10.1.0.0/8"]).with("description", "b"),
        ];
        let config = Object::new().with("egress", values(&blocks));
        assert_eq!(check(&config).len(), 1);
    }
}
