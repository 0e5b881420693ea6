//! A few resource types, and plans over them.

use std::collections::{BTreeMap, BTreeSet};

use reconcile_model::{
    Action, Address, Attribute, Diff, Kind, Mode, Object, ObjectId, Path, Plan, Reason,
    ReplaceOrder, Schema, SchemaSet, Span, Value,
    diff::Status,
    normalize::Normalize,
    plan::{Cause, CauseKind, Change, Drift, FORMAT_VERSION, OutputChange, PlanOptions},
    proposed::{Renewal, changed_paths, propose},
    schema::{Blocks, Literal, Nesting, Recovery, Timeouts},
    snapshot::ObjectStatus,
};
use reconcile_report::{Configuration, Style, TextOptions};

static RULE: &[Attribute] = &[
    Attribute::optional("description", Kind::String),
    Attribute::required("protocol", Kind::String).normalize(Normalize::Protocol),
    Attribute::required("from_port", Kind::Int),
    Attribute::required("to_port", Kind::Int),
    Attribute::optional("cidr_blocks", Kind::Set(&Kind::String)).normalize(Normalize::Cidr),
    Attribute::optional("self", Kind::Bool).default(Literal::Bool(false)),
];

static ROOT_DEVICE: &[Attribute] = &[
    Attribute::optional_computed("volume_size", Kind::Int),
    Attribute::optional_computed("volume_type", Kind::String),
    Attribute::optional_computed("encrypted", Kind::Bool).replace(),
    Attribute::computed("volume_id", Kind::String),
];

static METADATA: &[Attribute] = &[
    Attribute::optional_computed("http_tokens", Kind::String),
    Attribute::optional_computed("http_put_response_hop_limit", Kind::Int),
];

const fn one(attributes: &'static [Attribute]) -> Blocks {
    Blocks { nesting: Nesting::List, min: 0, max: Some(1), attributes }
}

const fn schema(type_name: &'static str, attributes: &'static [Attribute]) -> Schema {
    Schema {
        type_name,
        mode: Mode::Managed,
        version: 1,
        doc: "",
        attributes,
        constraints: &[],
        recovery: Recovery::None,
        timeouts: Timeouts::minutes(1, 1, 1),
        iam_read: &[],
        iam_write: &[],
    }
}

static INSTANCE: Schema = schema(
    "aws_instance",
    &[
        Attribute::required("ami", Kind::String).replace(),
        Attribute::required("instance_type", Kind::String).restart(),
        Attribute::optional_computed("associate_public_ip_address", Kind::Bool).replace(),
        Attribute::optional_computed("subnet_id", Kind::String).replace(),
        Attribute::optional("user_data", Kind::String),
        Attribute::optional("user_data_base64", Kind::String).normalize(Normalize::Base64),
        Attribute::optional_computed("vpc_security_group_ids", Kind::Set(&Kind::String)),
        Attribute::optional_computed("metadata_options", Kind::Blocks(&one(METADATA))),
        Attribute::optional_computed("root_block_device", Kind::Blocks(&one(ROOT_DEVICE))),
        Attribute::optional("tags", Kind::Map(&Kind::String)),
        Attribute::computed("tags_all", Kind::Map(&Kind::String)),
        Attribute::computed("id", Kind::String),
        Attribute::computed("arn", Kind::String),
        Attribute::computed("private_ip", Kind::String),
        Attribute::computed("public_ip", Kind::String).recomputed_by(&["instance_type"]),
    ],
);

static GROUP: Schema = schema(
    "aws_security_group",
    &[
        Attribute::required("name", Kind::String).replace(),
        Attribute::optional("description", Kind::String)
            .default(Literal::String("Managed by reconcile"))
            .replace(),
        Attribute::optional(
            "ingress",
            Kind::Blocks(&Blocks { nesting: Nesting::Set, min: 0, max: None, attributes: RULE }),
        ),
        Attribute::computed("id", Kind::String),
        Attribute::computed("arn", Kind::String),
    ],
);

static LISTENER: Schema = schema(
    "test_listener",
    &[
        Attribute::required("port", Kind::Int),
        Attribute::optional("policy", Kind::String).normalize(Normalize::Json),
        Attribute::optional("document", Kind::String),
        Attribute::optional("password", Kind::String).sensitive(),
        Attribute::optional("stages", Kind::List(&Kind::String)),
        Attribute::optional(
            "login",
            Kind::Blocks(&Blocks {
                nesting: Nesting::Set,
                min: 0,
                max: None,
                attributes: &[
                    Attribute::required("name", Kind::String),
                    Attribute::optional("secret", Kind::String).sensitive(),
                ],
            }),
        ),
        Attribute::optional("settings", Kind::Map(&Kind::String)),
        Attribute::computed("id", Kind::String),
    ],
);

static IMAGE: Schema = Schema {
    mode: Mode::Data,
    ..schema(
        "aws_ami",
        &[
            Attribute::optional("owners", Kind::List(&Kind::String)),
            Attribute::optional("name_regex", Kind::String),
            Attribute::computed("id", Kind::String),
        ],
    )
};

pub(crate) fn schemas() -> SchemaSet {
    [&INSTANCE, &GROUP, &LISTENER, &IMAGE].into_iter().collect()
}

pub(crate) fn object(json: serde_json::Value) -> Object {
    Object::from_json(&json).unwrap()
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub(crate) fn at(line: usize) -> Span {
    let text = "      instance_type: t3.small".into();
    Span { file: "main.yaml".into(), line, column: 7, length: 13, text }
}

pub(crate) fn spec_cause(line: usize) -> Cause {
    Cause { kind: CauseKind::Spec, span: Some(at(line)), recorded: None }
}

pub(crate) fn drift_cause(recorded: impl Into<Value>) -> Cause {
    Cause { kind: CauseKind::Drift, span: None, recorded: Some(recorded.into()) }
}

/// A way to show a plan.
pub(crate) type Format = (&'static str, fn(&Making) -> String);

/// Every format there is. A new one is added here, and is then tested on every golden plan.
pub(crate) const FORMATS: [Format; 6] = [
    ("text", |making| making.text_with(&TextOptions { width: 80, style: Style::Plain })),
    ("narrow text", |making| making.text_with(&TextOptions { width: 50, style: Style::Plain })),
    ("colored text", |making| making.text_with(&TextOptions { width: 80, style: Style::Ansi })),
    ("Markdown", |making| {
        let Making { plan, configuration } = making;
        let options = reconcile_report::markdown::MarkdownOptions::default();
        reconcile_report::markdown::plan(plan, &schemas(), configuration, &options)
    }),
    ("HTML", Making::html),
    ("JSON", Making::json_text),
];

/// A plan in the making.
pub(crate) struct Making {
    pub(crate) plan: Plan,
    pub(crate) configuration: Configuration,
}

impl Making {
    pub(crate) fn new() -> Self {
        let plan = Plan {
            format_version: FORMAT_VERSION,
            stack: "lab-web".into(),
            lineage: "0b9a".into(),
            serial: 7,
            spec_digest: "5e1f".into(),
            options: PlanOptions::default(),
            variables: Object::new(),
            changes: vec![],
            steps: vec![],
            outputs: BTreeMap::new(),
            drift: vec![],
            warnings: vec![],
            checks: vec![],
        };
        Self { plan, configuration: Configuration::default() }
    }

    /// Plans one instance as the planner does; the reason and the causes can be changed afterwards.
    pub(crate) fn plan(
        &mut self,
        name: &str,
        config: &Object,
        prior: Option<&Object>,
    ) -> &mut Change {
        self.plan_with(name, config, prior, Renewal::IfForced)
    }

    pub(crate) fn plan_with(
        &mut self,
        name: &str,
        config: &Object,
        prior: Option<&Object>,
        renewal: Renewal,
    ) -> &mut Change {
        let address = address(name);
        let schemas = schemas();
        let schema = schemas.get(address.resource.mode, address.type_name()).unwrap();
        let proposal = propose(schema, config, prior, &Object::new(), renewal);
        if let Some(prior) = prior {
            diff_agrees(schema, prior, &proposal.after, &proposal.changed);
        }
        let renews = !proposal.replace.is_empty() || renewal == Renewal::Always;
        let (action, reason) = match prior {
            None if schema.mode == Mode::Data => (Action::Read, Reason::ArgumentsUnknown),
            None => (Action::Create, Reason::New),
            Some(_) if renews => {
                (Action::Replace(ReplaceOrder::DeleteThenCreate), Reason::CannotUpdate)
            }
            Some(_) if proposal.changed.is_empty() => (Action::NoOp, Reason::Unchanged),
            Some(_) => (Action::Update, Reason::SpecChanged),
        };
        let causes = proposal.changed.iter().map(|path| cause(config, path)).collect();
        self.push(Change {
            address,
            previous_address: None,
            imported: false,
            id: prior.and_then(|prior| prior.str("id")).map(ObjectId::from),
            deposed: false,
            action,
            before: prior.cloned(),
            after: Some(proposal.after),
            changed: proposal.changed,
            replace: proposal.replace,
            restart: proposal.restart,
            reason,
            causes,
            dependencies: Default::default(),
            provider: "aws".into(),
            create_before_destroy: false,
            timeouts: BTreeMap::new(),
            status: ObjectStatus::Ready,
            span: Some(at(12)),
        })
    }

    /// Plans one instance that goes.
    pub(crate) fn delete(&mut self, name: &str, prior: &Object) -> &mut Change {
        let change = self.plan(name, prior, Some(prior));
        change.action = Action::Delete;
        change.reason = Reason::NotInSpec;
        change.after = None;
        change.span = None;
        change
    }

    pub(crate) fn drift(
        &mut self,
        name: &str,
        recorded: &Object,
        live: Option<&Object>,
    ) -> &mut Drift {
        let address = address(name);
        let schemas = schemas();
        let schema = schemas.get(address.resource.mode, address.type_name()).unwrap();
        let changed = live.map(|live| changed_paths(schema, recorded, live)).unwrap_or_default();
        self.plan.drift.push(Drift {
            address,
            deposed: None,
            before: recorded.clone(),
            after: live.cloned(),
            changed,
            answers: vec![],
        });
        self.plan.drift.last_mut().unwrap()
    }

    pub(crate) fn output(&mut self, name: &str, before: impl Into<Value>, after: impl Into<Value>) {
        let (before, after) = (before.into(), after.into());
        let action = match (before.is_null(), after.is_null()) {
            _ if before == after => Action::NoOp,
            (true, _) => Action::Create,
            (_, true) => Action::Delete,
            (false, false) => Action::Update,
        };
        let output = OutputChange { action, before, after, sensitive: false };
        self.plan.outputs.insert(name.into(), output);
    }

    fn push(&mut self, change: Change) -> &mut Change {
        self.plan.changes.push(change);
        self.plan.changes.last_mut().unwrap()
    }

    /// Returns the plan as plain text.
    pub(crate) fn text(&self, width: usize) -> String {
        let text = self.text_of_any_width(width);
        for line in text.lines() {
            let long = unicode_width::UnicodeWidthStr::width(line);
            assert!(long <= width, "a line of {long} columns: {line}");
        }
        text
    }

    /// Returns the plan as plain text, lines that must stay whole as long as they are.
    pub(crate) fn text_of_any_width(&self, width: usize) -> String {
        let text = self.text_with(&TextOptions { width, style: Style::Plain });
        for line in text.lines() {
            assert!(!line.ends_with(' '), "a line ends in a space: {line:?}");
        }
        // A fingerprint is of the whole plan; here it would only hide which bytes changed.
        text.lines()
            .filter(|line| !line.starts_with("Fingerprint: "))
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub(crate) fn text_with(&self, options: &TextOptions) -> String {
        reconcile_report::text::plan(&self.plan, &schemas(), &self.configuration, options)
    }

    /// Returns the plan as an HTML page.
    pub(crate) fn html(&self) -> String {
        let graph = reconcile_report::Graph::of_plan(&self.plan);
        let options = reconcile_report::html::HtmlOptions {
            apply: ["reconcile", "apply", "specs/lab-web"].map(str::to_owned).to_vec(),
            withheld: Vec::new(),
        };
        reconcile_report::html::plan(&self.plan, &schemas(), &self.configuration, &graph, &options)
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.json_text()).unwrap()
    }

    pub(crate) fn json_text(&self) -> String {
        let (mut out, schemas) = (Vec::new(), schemas());
        let json = reconcile_report::json::plan(&self.plan, &schemas, &self.configuration);
        reconcile_report::json::write(&json, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }
}

/// A diff shows what planning calls changed, and nothing else.
fn diff_agrees(schema: &Schema, before: &Object, after: &Object, changed: &[Path]) {
    let diff = Diff::of_objects(Some(schema), Some(before), Some(after), &Default::default());
    let shown: BTreeSet<String> = diff
        .attributes
        .iter()
        .filter(|node| node.status != Status::Unchanged)
        .map(|node| node.path.to_string())
        .collect();
    let planned = changed.iter().filter_map(Path::attribute).map(str::to_owned).collect();
    assert_eq!(shown, planned);
}

/// Returns the cause that the planner finds for what a spec's change makes: the spec says, or AWS computes.
fn cause(config: &Object, path: &Path) -> Cause {
    if config.at(path).is_some_and(|value| !value.is_null()) {
        spec_cause(14)
    } else {
        Cause { kind: CauseKind::Computed, span: None, recorded: None }
    }
}

/// Returns the arguments of an instance.
pub(crate) fn instance() -> Object {
    object(serde_json::json!({
        "ami": "ami-0abc",
        "instance_type": "t3.micro",
        "subnet_id": "subnet-2a",
        "vpc_security_group_ids": ["sg-1"],
        "metadata_options": [{ "http_tokens": "required" }],
        "root_block_device": [{ "volume_size": 8 }],
        "tags": { "Name": "lab-web-pub-2a", "tier": "web" },
    }))
}

/// Returns that instance as it is after it was created.
pub(crate) fn live_instance() -> Object {
    let mut live = propose(&INSTANCE, &instance(), None, &Object::new(), Renewal::IfForced).after;
    live.extend(object(serde_json::json!({
        "id": "i-0ab1",
        "arn": "arn:aws:ec2:ap-northeast-2:123456789012:instance/i-0ab1",
        "private_ip": "172.31.0.10",
        "public_ip": "203.0.113.7",
        "associate_public_ip_address": true,
        "metadata_options": [{ "http_tokens": "required", "http_put_response_hop_limit": 2 }],
        "root_block_device": [{
            "volume_size": 8, "volume_type": "gp3", "encrypted": false, "volume_id": "vol-1",
        }],
    })));
    live
}

pub(crate) fn rule(port: i64, description: &str, cidr: &str) -> Object {
    object(serde_json::json!({
        "description": description, "protocol": "tcp", "from_port": port, "to_port": port,
        "cidr_blocks": [cidr],
    }))
}

pub(crate) fn group(rules: Vec<Object>) -> Object {
    Object::new()
        .with("name", "lab-web-sg")
        .with("description", "web servers")
        .with("ingress", rules)
}

/// Returns a group as it is after it was created.
pub(crate) fn live_group(rules: Vec<Object>) -> Object {
    let config = group(rules);
    let mut live = propose(&GROUP, &config, None, &Object::new(), Renewal::IfForced).after;
    live.extend(object(serde_json::json!({ "id": "sg-1", "arn": "arn:aws:ec2:sg-1" })));
    live
}

/// Returns an object of the test type as it is after it was created from these arguments.
pub(crate) fn live_listener(config: &Object) -> Object {
    let mut live = propose(&LISTENER, config, None, &Object::new(), Renewal::IfForced).after;
    live.set("id", "l-1");
    live
}
