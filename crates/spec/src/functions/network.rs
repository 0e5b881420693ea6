//! IP networks in CIDR notation, of both families.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use reconcile_model::Value;

use super::call::{Args, Function, NUMBER, TEXT};
use super::fault::Fault;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::whole(
        "cidrcontains(prefix, address)",
        "Whether an address or a prefix lies within the prefix, of the same family.",
        &[TEXT, TEXT],
        contains,
    ),
    Function::whole(
        "cidrhost(prefix, hostnum)",
        "The address with this number in the prefix, counted from its end when negative.",
        &[TEXT, NUMBER],
        host,
    ),
    Function::whole("cidrnetmask(prefix)", "The netmask of an IPv4 prefix.", &[TEXT], |args| {
        match parse(args, 0)? {
            IpNet::V4(net) => Ok(net.netmask().to_string().into()),
            IpNet::V6(_) => Err(Fault::at(0, "must be an IPv4 prefix: IPv6 has no netmasks")),
        }
    }),
    Function::whole(
        "cidrsubnet(prefix, newbits, netnum)",
        "The subnet with this number among those longer by so many bits.",
        &[TEXT, NUMBER, NUMBER],
        subnet,
    ),
    Function::whole(
        "cidrsubnets(prefix, newbits...)",
        "Subnets one after the other, each longer by so many bits.",
        &[TEXT, NUMBER.rest()],
        subnets,
    ),
];

/// A prefix as numbers, the same for both families.
struct Prefix {
    net: IpNet,
    base: u128,
    width: u32,
    length: u32,
}

impl Prefix {
    fn of(net: IpNet) -> Self {
        let (base, width) = match net.network() {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        Self { net, base, width, length: u32::from(net.prefix_len()) }
    }

    /// Returns the address of a number.
    fn address(&self, number: u128) -> IpAddr {
        match self.net {
            IpNet::V4(_) => Ipv4Addr::from(u32::try_from(number).unwrap_or(u32::MAX)).into(),
            IpNet::V6(_) => Ipv6Addr::from(number).into(),
        }
    }

    /// Returns the greatest number that the bits after the prefix hold.
    fn last(&self) -> u128 {
        ones(self.width - self.length)
    }

    /// Returns the length of a subnet, unless the addresses are too short for it.
    fn longer(&self, bits: usize) -> Option<u32> {
        let length = self.length.checked_add(u32::try_from(bits).ok()?)?;
        (length <= self.width).then_some(length)
    }
}

fn ones(bits: u32) -> u128 {
    u128::MAX.checked_shr(128 - bits).unwrap_or(0)
}

fn parse(args: &Args<'_>, index: usize) -> Result<IpNet, Fault> {
    let text = args.text(index);
    text.parse::<IpNet>().map_err(|_| {
        Fault::at(index, "must be a prefix in CIDR notation, like `10.0.0.0/16`").quoting(text)
    })
}

fn too_long(argument: usize, prefix: &Prefix) -> Fault {
    let left = prefix.width - prefix.length;
    Fault::at(
        argument,
        format!("must be at most {left}: the prefix leaves no more bits of the address"),
    )
}

fn contains(args: &Args<'_>) -> Result<Value, Fault> {
    let (outer, inner) = (parse(args, 0)?, args.text(1));
    let inner = match inner.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => inner.parse::<IpNet>().map_err(|_| {
            Fault::at(1, "must be an IP address or a prefix in CIDR notation").quoting(inner)
        })?,
    };
    match (outer, inner) {
        (IpNet::V4(_), IpNet::V4(_)) | (IpNet::V6(_), IpNet::V6(_)) => {
            Ok(outer.contains(&inner).into())
        }
        (IpNet::V4(_), IpNet::V6(_)) | (IpNet::V6(_), IpNet::V4(_)) => {
            Err(Fault::at(1, "must be of the same family as the prefix, IPv4 or IPv6"))
        }
    }
}

fn host(args: &Args<'_>) -> Result<Value, Fault> {
    let prefix = Prefix::of(parse(args, 0)?);
    let number = args.whole(1)?;
    let magnitude = u128::from(number.unsigned_abs());
    let host = if number < 0 { prefix.last().checked_sub(magnitude - 1) } else { Some(magnitude) };
    let host = host.filter(|host| *host <= prefix.last());
    let host =
        host.ok_or_else(|| Fault::at(1, "must be the number of an address in the prefix"))?;
    Ok(prefix.address(prefix.base | host).to_string().into())
}

fn subnet(args: &Args<'_>) -> Result<Value, Fault> {
    let prefix = Prefix::of(parse(args, 0)?);
    let (bits, number) = (args.count(1)?, args.count(2)? as u128);
    let length = prefix.longer(bits).ok_or_else(|| too_long(1, &prefix))?;
    if number > ones(length - prefix.length) {
        return Err(Fault::at(2, format!("must fit into {bits} bits")));
    }
    let offset = number.checked_shl(prefix.width - length).unwrap_or(0);
    Ok(format!("{}/{length}", prefix.address(prefix.base | offset)).into())
}

fn subnets(args: &Args<'_>) -> Result<Value, Fault> {
    let prefix = Prefix::of(parse(args, 0)?);
    let end = prefix.base | prefix.last();
    let mut next = Some(prefix.base);
    let mut subnets: Vec<String> = Vec::new();
    for index in 1..=args.from(1).len() {
        let bits = args.count(index)?;
        if bits == 0 {
            return Err(Fault::at(index, "must be at least 1"));
        }
        let length = prefix.longer(bits).ok_or_else(|| too_long(index, &prefix))?;
        // A subnet begins at a multiple of its own size.
        let inside = ones(prefix.width - length);
        let start = next.and_then(|next| Some(next.checked_add(inside)? & !inside));
        let start = start.filter(|start| (start | inside) <= end);
        let start =
            start.ok_or_else(|| Fault::at(index, "asks for more than is left of the prefix"))?;
        subnets.push(format!("{}/{length}", prefix.address(start)));
        next = (start | inside).checked_add(1);
    }
    Ok(subnets.into())
}

#[cfg(test)]
mod tests;
