//! The shapes of stack that are measured: specs of as many resources as are asked for.

use std::fmt::Write as _;

/// How many lines go into one file: a spec's files are bounded.
const LINES: usize = 20_000;

/// A shape of stack.
pub(crate) struct Shape {
    /// Its name.
    pub(crate) name: &'static str,
    /// Writes the spec of so many resources, as files.
    pub(crate) files: fn(usize) -> Vec<String>,
    /// Whether its resources can be made only one after the other. Then its apply is a matter of waiting and not of this
    /// program, and nothing after the first plan is measured.
    pub(crate) is_chain: bool,
}

/// All shapes.
pub(crate) const SHAPES: [Shape; 5] = [
    Shape { name: "count", files: count, is_chain: false },
    Shape { name: "each", files: each, is_chain: false },
    Shape { name: "blocks", files: blocks, is_chain: false },
    Shape { name: "chain", files: chain, is_chain: true },
    Shape { name: "fleet", files: fleet, is_chain: false },
];

/// Two blocks with `count`: servers, and a link to each by its index.
fn count(size: usize) -> Vec<String> {
    let half = size.saturating_sub(1) / 2;
    let rest = size.saturating_sub(1) - half;
    vec![format!(
        "resource:
  fake_group: {{ web: {{ name: web }} }}
  fake_server:
    web: {{ count: {rest}, image: linux, groups: [\"${{fake_group.web.id}}\"] }}
  fake_link:
    web:
      count: {half}
      server: ${{fake_server.web[count.index].id}}
      group: ${{fake_group.web.id}}
"
    )]
}

/// Two blocks with `for_each` over a map in `locals`: servers, and a link to each by its key.
fn each(size: usize) -> Vec<String> {
    let half = size.saturating_sub(1) / 2;
    let rest = size.saturating_sub(1) - half;
    let head = format!(
        "resource:
  fake_group: {{ web: {{ name: web }} }}
  fake_server:
    web:
      for_each: ${{merge(local.linked, local.others)}}
      image: ${{each.value}}
      groups: [\"${{fake_group.web.id}}\"]
      labels: {{ name: \"web-${{each.key}}\" }}
  fake_link:
    web:
      for_each: ${{local.linked}}
      server: ${{fake_server.web[each.key].id}}
      group: ${{fake_group.web.id}}
locals:
  others: {{ {} }}
",
        if rest > half { "last: linux" } else { "" }
    );
    let mut files = vec![head];
    let mut keys = String::from("locals:\n  linked:\n");
    for index in 0..half {
        let _ = writeln!(keys, "    k{index}: linux");
    }
    files.push(keys);
    files
}

/// As many blocks as resources: groups of eight servers, each with a link, that refer to each other by name.
fn blocks(size: usize) -> Vec<String> {
    let mut files = Files::default();
    for index in 0..size {
        let group = index / 17;
        match index % 17 {
            0 => files.resource(&format!("fake_group: {{ g{group}: {{ name: g{group} }} }}")),
            at if at % 2 == 1 => files.resource(&format!(
                "fake_server: {{ s{index}: {{ image: linux, groups: [\"${{fake_group.g{group}.id}}\"] }} }}"
            )),
            _ => files.resource(&format!(
                "fake_link: {{ l{index}: {{ server: \"${{fake_server.s{}.id}}\", group: \"${{fake_group.g{group}.id}}\" }} }}",
                index - 1
            )),
        }
    }
    files.done()
}

/// A chain: each server mentions the one before it, every other one through a local.
fn chain(size: usize) -> Vec<String> {
    let mut files = Files::default();
    files.resource("fake_server: { s0: { image: linux } }");
    for index in 1..size {
        let before = format!("fake_server.s{}.id", index - 1);
        let mut name = before.clone();
        if index % 2 == 0 {
            files.local(&format!("b{index}: \"${{{before}}}\""));
            name = format!("local.b{index}");
        }
        files.resource(&format!(
            "fake_server: {{ s{index}: {{ image: linux, note: \"${{{name}}}\" }} }}"
        ));
    }
    files.done()
}

/// A fleet of web sites of forty resources each: a group with rules, servers with labels and tags, and links.
fn fleet(size: usize) -> Vec<String> {
    let mut files = Files::default();
    files.local("common: { team: web, stage: lab }");
    files.local("ports: [80, 443]");
    let mut left = size;
    let mut site = 0;
    while left > 0 {
        let servers = (left - 1).min(39).div_ceil(2);
        let links = (left - 1).min(39) - servers;
        files.resource(&format!(
            "fake_group:
    site{site}:
      name: site-{site}
      description: the servers of site {site}
      rule: '${{[for port in local.ports : {{ port = port, cidr = \"10.{}.{}.0/24\" }}]}}'
      tags: ${{merge(local.common, {{ Name = \"site-{site}\" }})}}",
            site / 256 % 256,
            site % 256
        ));
        files.resource(&format!(
            "fake_server:
    site{site}:
      count: {servers}
      image: linux
      size: '${{count.index < 2 ? \"large\" : \"small\"}}'
      groups: [\"${{fake_group.site{site}.id}}\"]
      ports: ${{local.ports}}
      labels: {{ site: \"{site}\", name: '${{format(\"web-%03d\", count.index)}}' }}
      note: |
        # cloud-config of ${{fake_group.site{site}.name}}
        packages: [nginx]
      tags: ${{merge(local.common, {{ Name = \"site-{site}-${{count.index}}\" }})}}"
        ));
        files.resource(&format!(
            "fake_link:
    site{site}:
      count: {links}
      server: ${{fake_server.site{site}[count.index].id}}
      group: ${{fake_group.site{site}.id}}
      weight: '${{fake_server.site{site}[count.index].size == \"large\" ? 2 : 1}}'"
        ));
        left -= 1 + servers + links;
        site += 1;
    }
    files.output("servers", "${length(fake_server.site0)}");
    files.done()
}

/// A spec in the making, as files of bounded length.
#[derive(Default)]
struct Files {
    done: Vec<String>,
    resources: String,
    locals: String,
    outputs: String,
    lines: usize,
}

impl Files {
    /// Adds a resource, in the lines that come below `resource:`.
    fn resource(&mut self, text: &str) {
        let _ = writeln!(self.resources, "- {text}");
        self.grown(text);
    }

    fn local(&mut self, text: &str) {
        let _ = writeln!(self.locals, "  {text}");
        self.grown(text);
    }

    fn output(&mut self, name: &str, value: &str) {
        let _ = writeln!(self.outputs, "  {name}: {{ value: '{value}' }}");
        self.grown("");
    }

    fn grown(&mut self, text: &str) {
        self.lines += text.lines().count();
        if self.lines > LINES {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let mut file = String::new();
        for (section, text) in [
            ("resource", &mut self.resources),
            ("locals", &mut self.locals),
            ("output", &mut self.outputs),
        ] {
            if !text.is_empty() {
                let _ = write!(file, "{section}:\n{text}");
                text.clear();
            }
        }
        self.done.push(file);
        self.lines = 0;
    }

    fn done(mut self) -> Vec<String> {
        self.cut();
        self.done
    }
}
