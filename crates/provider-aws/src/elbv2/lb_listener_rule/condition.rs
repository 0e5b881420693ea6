//! Conditions: which requests a rule applies to.
//!
//! ELBv2 answers for host headers and path patterns in an old way and a new one, both at once; either will do.

use aws_sdk_elasticloadbalancingv2::types::{
    HostHeaderConditionConfig, HttpHeaderConditionConfig, HttpRequestMethodConditionConfig,
    PathPatternConditionConfig, QueryStringConditionConfig, QueryStringKeyValuePair, RuleCondition,
    SourceIpConditionConfig,
};
use reconcile_model::normalize::Normalize;
use reconcile_model::schema::{Attribute, Blocks, Check, Kind, Nesting};
use reconcile_model::{Object, Value};

/// The blocks that hold conditions; all of them have to be met.
pub(super) const CONDITIONS: Kind = Kind::Blocks(&Blocks {
    nesting: Nesting::Set,
    min: 1,
    max: Some(5),
    attributes: &[
        Attribute::optional("host_header", Kind::Blocks(&VALUES))
            .doc("Patterns of which one has to match the `Host` header."),
        Attribute::optional("http_header", Kind::Blocks(&HTTP_HEADER))
            .doc("Patterns of which one has to match a header of this name."),
        Attribute::optional("http_request_method", Kind::Blocks(&METHODS))
            .doc("The methods of which the request's has to be one."),
        Attribute::optional("path_pattern", Kind::Blocks(&VALUES))
            .doc("Patterns of which one has to match the path."),
        Attribute::optional("query_string", Kind::Blocks(&QUERY))
            .doc("Patterns of which one has to match a part of the query."),
        Attribute::optional("source_ip", Kind::Blocks(&RANGES))
            .doc("Ranges of which one has to hold the client's address."),
    ],
});

const VALUES: Blocks = Blocks {
    nesting: Nesting::List,
    min: 0,
    max: Some(1),
    attributes: &[Attribute::required("values", Kind::Set(&Kind::String))
        .check(Check::Length(1, 128))
        .doc("The patterns; `*` stands for any characters, `?` for one.")],
};

const HTTP_HEADER: Blocks = Blocks {
    nesting: Nesting::List,
    min: 0,
    max: Some(1),
    attributes: &[
        Attribute::required("http_header_name", Kind::String)
            .check(Check::Length(1, 40))
            .doc("The header's name; case does not count."),
        Attribute::required("values", Kind::Set(&Kind::String))
            .check(Check::Length(1, 128))
            .doc("The patterns; `*` stands for any characters, `?` for one."),
    ],
};

const METHODS: Blocks = Blocks {
    nesting: Nesting::List,
    min: 0,
    max: Some(1),
    attributes: &[Attribute::required("values", Kind::Set(&Kind::String))
        .check(Check::Length(1, 40))
        .doc("The methods, in capitals.")],
};

const QUERY: Blocks = Blocks {
    nesting: Nesting::Set,
    min: 0,
    max: None,
    attributes: &[
        Attribute::optional("key", Kind::String)
            .check(Check::Length(1, 128))
            .doc("The pattern of the parameter's name; any name otherwise."),
        Attribute::required("value", Kind::String)
            .check(Check::Length(1, 128))
            .doc("The pattern of the parameter's value."),
    ],
};

const RANGES: Blocks = Blocks {
    nesting: Nesting::List,
    min: 0,
    max: Some(1),
    attributes: &[Attribute::required("values", Kind::Set(&Kind::String))
        .check(Check::Cidr)
        .normalize(Normalize::Cidr)
        .doc("The ranges, in CIDR notation.")],
};

const NAMES: &[&str] = &[
    "host_header",
    "http_header",
    "http_request_method",
    "path_pattern",
    "query_string",
    "source_ip",
];

/// Checks that each condition says one thing.
pub(super) fn check(config: &Object) -> Vec<(&'static str, String)> {
    let given = |condition: &Object, name: &str| {
        let value = condition.value(name);
        !value.is_null() && value.as_list().is_none_or(|items| !items.is_empty())
    };
    let is_wrong = |it: &&Object| NAMES.iter().filter(|name| given(it, name)).count() != 1;
    let wrong = config.blocks("condition").filter(is_wrong);
    let why = format!("needs exactly one of `{}` in each block", NAMES.join("`, `"));
    wrong.map(|_| ("condition", why.clone())).take(1).collect()
}

/// Returns the conditions of a request, in an order that depends on nothing but what they say.
pub(super) fn to_elbv2(object: &Object) -> Vec<RuleCondition> {
    let mut conditions: Vec<(Value, RuleCondition)> = object
        .blocks("condition")
        .filter_map(|block| Some((Value::Map(block.clone()), condition(block)?)))
        .collect();
    conditions.sort_by(|(a, _), (b, _)| a.cmp(b));
    conditions.into_iter().map(|(_, condition)| condition).collect()
}

fn condition(block: &Object) -> Option<RuleCondition> {
    let name = NAMES.iter().find(|name| block.block(name).is_some())?;
    let inner = block.block(name)?;
    let values = Some(sorted(inner.strings("values")));
    let condition = RuleCondition::builder().field(name.replace('_', "-"));
    let condition = match *name {
        "host_header" => condition
            .host_header_config(HostHeaderConditionConfig::builder().set_values(values).build()),
        "http_header" => condition.http_header_config(
            HttpHeaderConditionConfig::builder()
                .set_http_header_name(inner.string("http_header_name"))
                .set_values(values)
                .build(),
        ),
        "http_request_method" => condition.http_request_method_config(
            HttpRequestMethodConditionConfig::builder().set_values(values).build(),
        ),
        "path_pattern" => condition
            .path_pattern_config(PathPatternConditionConfig::builder().set_values(values).build()),
        "query_string" => condition.query_string_config(
            QueryStringConditionConfig::builder().set_values(Some(pairs(block))).build(),
        ),
        _ => condition
            .source_ip_config(SourceIpConditionConfig::builder().set_values(values).build()),
    };
    Some(condition.build())
}

fn pairs(block: &Object) -> Vec<QueryStringKeyValuePair> {
    let mut pairs: Vec<(Option<String>, Option<String>)> =
        block.blocks("query_string").map(|it| (it.string("key"), it.string("value"))).collect();
    pairs.sort();
    let pair =
        |(key, value)| QueryStringKeyValuePair::builder().set_key(key).set_value(value).build();
    pairs.into_iter().map(pair).collect()
}

fn sorted(mut values: Vec<String>) -> Vec<String> {
    values.sort();
    values
}

/// Returns conditions that were read.
pub(super) fn from_elbv2(conditions: &[RuleCondition]) -> Vec<Object> {
    conditions.iter().map(object).collect()
}

fn object(condition: &RuleCondition) -> Object {
    let values = |values: Option<&[String]>| {
        let values = values.filter(|it| !it.is_empty()).unwrap_or_else(|| condition.values());
        Object::new().with("values", values.to_vec())
    };
    let (name, blocks) = match condition.field().unwrap_or_default() {
        "host-header" => {
            ("host_header", vec![values(condition.host_header_config().map(|it| it.values()))])
        }
        "http-header" => {
            let config = condition.http_header_config();
            let block = values(config.map(HttpHeaderConditionConfig::values))
                .with("http_header_name", config.and_then(|it| it.http_header_name()));
            ("http_header", vec![block])
        }
        "http-request-method" => (
            "http_request_method",
            vec![values(condition.http_request_method_config().map(|it| it.values()))],
        ),
        "path-pattern" => {
            ("path_pattern", vec![values(condition.path_pattern_config().map(|it| it.values()))])
        }
        "query-string" => {
            let pairs = condition.query_string_config().map(|it| it.values()).unwrap_or_default();
            let pair = |it: &QueryStringKeyValuePair| {
                Object::new().with("key", it.key()).with("value", it.value())
            };
            ("query_string", pairs.iter().map(pair).collect())
        }
        "source-ip" => {
            ("source_ip", vec![values(condition.source_ip_config().map(|it| it.values()))])
        }
        // A kind that ELBv2 got since: it shows as a condition that the spec does not have.
        _ => return Object::new(),
    };
    let empty = NAMES.iter().map(|name| ((*name).to_owned(), Value::List(Vec::new())));
    empty.collect::<Object>().with(name, blocks)
}

#[cfg(test)]
mod tests {
    use reconcile_model::normalize::canonical_value;

    use super::*;

    static CONDITION: Attribute = Attribute::required("condition", CONDITIONS);

    fn of(name: &str, inner: Vec<Object>) -> Object {
        Object::new().with(name, inner)
    }

    fn values(values: &[&str]) -> Vec<Object> {
        vec![Object::new().with("values", values.to_vec())]
    }

    #[test]
    fn conditions_read_back_as_they_are_sent() {
        let header = Object::new().with("http_header_name", "X-Lab").with("values", vec!["on"]);
        let query = vec![
            Object::new().with("key", "v").with("value", "2"),
            Object::new().with("value", "*beta*"),
        ];
        let planned = Object::new().with(
            "condition",
            vec![
                of("path_pattern", values(&["/static/*", "/img/*"])),
                of("host_header", values(&["*.example.com"])),
                of("http_request_method", values(&["GET", "HEAD"])),
                of("http_header", vec![header]),
                of("query_string", query),
                of("source_ip", values(&["10.0.0.0/8"])),
            ],
        );
        let sent = to_elbv2(&planned);
        assert_eq!(sent.len(), 6);
        let read = Value::from(from_elbv2(&sent));
        assert_eq!(
            canonical_value(&CONDITION, &read),
            canonical_value(&CONDITION, planned.value("condition"))
        );
        let read = Object::new().with("condition", read);
        let fields = |it: &[RuleCondition]| {
            let mut all: Vec<_> = it.iter().map(|it| it.field().map(str::to_owned)).collect();
            all.sort();
            all
        };
        assert_eq!(fields(&to_elbv2(&read)), fields(&sent));
    }

    #[test]
    fn the_old_way_to_say_it_is_read_too() {
        let old = RuleCondition::builder().field("path-pattern").values("/static/*").build();
        let read = from_elbv2(&[old]);
        assert_eq!(read[0].block("path_pattern").unwrap().strings("values"), ["/static/*"]);
    }

    #[test]
    fn a_condition_says_one_thing() {
        let wrong =
            |condition: Object| check(&Object::new().with("condition", vec![condition])).len();
        let one = of("path_pattern", values(&["/*"]));
        assert_eq!(wrong(one.clone()), 0);
        assert_eq!(wrong(one.with("source_ip", Value::Unknown)), 1);
        assert_eq!(wrong(Object::new()), 1);
    }
}
