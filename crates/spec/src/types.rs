//! Type constraints of variables, in Terraform's notation, and the conversions they stand for.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is no type and no constant is refused, whatever else the parser knows"
)]

use std::collections::BTreeMap;
use std::fmt;

use hcl_edit::expr::{Expression, ObjectKey};
use reconcile_model::{Number, Object, Path, Value};

use crate::eval::Failure;
use crate::expression::parse;
use crate::place::Range;
use crate::suggest::did_you_mean;

/// A type constraint.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    Any,
    String,
    Number,
    Bool,
    List(Box<Self>),
    Set(Box<Self>),
    Map(Box<Self>),
    Object(BTreeMap<String, Member>),
    Tuple(Vec<Self>),
}

/// A member of an object type.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Member {
    kind: Type,
    /// For `optional(…)`: what the member is when it is left out.
    default: Option<Value>,
}

/// Why a value is not of a type.
#[derive(Debug)]
pub(crate) struct Mismatch {
    pub(crate) path: Path,
    pub(crate) wanted: String,
    pub(crate) found: String,
}

/// Reads a type constraint.
pub(crate) fn parse_type(text: &str) -> Result<Type, Vec<Failure>> {
    let expr = parse::parse_bare(text.trim()).map_err(|mut failures| {
        for failure in &mut failures {
            "Not a type".clone_into(&mut failure.summary);
        }
        failures
    })?;
    read(&expr).map_err(|failure| vec![failure])
}

fn range(expr: &impl hcl_edit::Span) -> Range {
    Range::new(expr.span().unwrap_or_default())
}

fn read(expr: &Expression) -> Result<Type, Failure> {
    match expr {
        Expression::Variable(name) => match name.as_str() {
            "any" => Ok(Type::Any),
            "string" => Ok(Type::String),
            "number" => Ok(Type::Number),
            "bool" => Ok(Type::Bool),
            "list" => Ok(Type::List(Box::new(Type::Any))),
            "set" => Ok(Type::Set(Box::new(Type::Any))),
            "map" => Ok(Type::Map(Box::new(Type::Any))),
            other => Err(no_type(other, range(expr))),
        },
        Expression::Parenthesis(inner) => read(inner.inner()),
        Expression::FuncCall(call) => {
            let arguments: Vec<&Expression> = call.args.iter().collect();
            let name = call.name.name.as_str();
            match (name, arguments.as_slice()) {
                ("list", [item]) => Ok(Type::List(Box::new(read(item)?))),
                ("set", [item]) => Ok(Type::Set(Box::new(read(item)?))),
                ("map", [item]) => Ok(Type::Map(Box::new(read(item)?))),
                ("tuple", [Expression::Array(items)]) => {
                    Ok(Type::Tuple(items.iter().map(read).collect::<Result<_, _>>()?))
                }
                ("object", [Expression::Object(members)]) => {
                    let member = |(key, value): (&ObjectKey, &hcl_edit::expr::ObjectValue)| {
                        Ok((member_name(key)?, read_member(value.expr())?))
                    };
                    Ok(Type::Object(members.iter().map(member).collect::<Result<_, _>>()?))
                }
                ("list" | "set" | "map", _) => {
                    Err(Failure::new(range(expr), format!("`{name}` takes one type"))
                        .hint(format!("Write `{name}(string)`.")))
                }
                ("tuple", _) => Err(Failure::new(range(expr), "`tuple` takes a list of types")
                    .hint("Write `tuple([string, number])`.".to_owned())),
                ("object", _) => Err(Failure::new(range(expr), "`object` takes a mapping of types")
                    .hint("Write `object({ name = string, size = number })`.".to_owned())),
                ("optional", _) => Err(Failure::new(range(expr), "`optional` stands only in an object's members")),
                (other, _) => Err(no_type(other, range(&call.name.name))),
            }
        }
        other => Err(Failure::new(range(other), "Not a type")
            .detail("A type is `string`, `number`, `bool`, `any`, `list(…)`, `set(…)`, `map(…)`, `object({…})`, or `tuple([…])`.")),
    }
}

fn no_type(name: &str, at: Range) -> Failure {
    let known = ["string", "number", "bool", "any", "list", "set", "map", "object", "tuple"];
    Failure::new(at, format!("There is no type `{name}`")).hint(did_you_mean(name, known).or_else(|| {
        Some("Types are `string`, `number`, `bool`, `any`, `list(…)`, `set(…)`, `map(…)`, `object({…})`, and `tuple([…])`.".to_owned())
    }))
}

fn member_name(key: &ObjectKey) -> Result<String, Failure> {
    match key {
        ObjectKey::Ident(name) => Ok(name.as_str().to_owned()),
        ObjectKey::Expression(Expression::String(name)) => Ok(name.as_str().to_owned()),
        ObjectKey::Expression(other) => {
            Err(Failure::new(range(other), "A member's name must be a plain name"))
        }
    }
}

fn read_member(expr: &Expression) -> Result<Member, Failure> {
    let Expression::FuncCall(call) = expr else {
        return Ok(Member { kind: read(expr)?, default: None });
    };
    if call.name.name.as_str() != "optional" {
        return Ok(Member { kind: read(expr)?, default: None });
    }
    let arguments: Vec<&Expression> = call.args.iter().collect();
    let (kind, default) = match arguments.as_slice() {
        [kind] => (read(kind)?, Value::Null),
        [kind, default] => {
            let kind = read(kind)?;
            let value = constant(default)?;
            let value = kind.convert(&value).map_err(|mismatch| {
                Failure::new(range(*default), "The default is not of the member's type")
                    .detail(format!("It must be {}, and is {}.", mismatch.wanted, mismatch.found))
            })?;
            (kind, value)
        }
        _ => {
            return Err(Failure::new(range(expr), "`optional` takes a type and a default")
                .hint("Write `optional(string)` or `optional(string, \"default\")`.".to_owned()));
        }
    };
    Ok(Member { kind, default: Some(default) })
}

/// Returns the value of an expression that mentions nothing.
pub(crate) fn constant(expr: &Expression) -> Result<Value, Failure> {
    let number = |number: &hcl_edit::Number| match number.as_i64() {
        Some(whole) => Some(Number::from(whole)),
        None => number.as_f64().and_then(Number::from_f64),
    };
    Ok(match expr {
        Expression::Null(_) => Value::Null,
        Expression::Bool(flag) => (*flag.value()).into(),
        Expression::Number(value) => number(value.value()).map_or(Value::Null, Value::Number),
        Expression::String(text) => text.as_str().into(),
        Expression::Array(items) => {
            Value::List(items.iter().map(constant).collect::<Result<_, _>>()?)
        }
        Expression::Object(members) => {
            let mut object = Object::new();
            for (key, value) in members {
                let name = match key {
                    ObjectKey::Ident(name) => name.as_str().to_owned(),
                    ObjectKey::Expression(key) => match constant(key)? {
                        Value::String(text) => text,
                        Value::Number(number) => number.to_string(),
                        _ => return Err(Failure::new(range(key), "A key must be a string")),
                    },
                };
                object.insert(name, constant(value.expr())?);
            }
            Value::Map(object)
        }
        Expression::Parenthesis(inner) => constant(inner.inner())?,
        Expression::StringTemplate(_)
        | Expression::HeredocTemplate(_)
        | Expression::Variable(_)
        | Expression::Conditional(_)
        | Expression::FuncCall(_)
        | Expression::Traversal(_)
        | Expression::UnaryOp(_)
        | Expression::BinaryOp(_)
        | Expression::ForExpr(_) => {
            return Err(Failure::new(range(expr), "Only constants are possible here"));
        }
    })
}

impl Type {
    /// Tells whether a text given on a command line stands for itself rather than being an expression.
    pub(crate) fn is_primitive(&self) -> bool {
        matches!(self, Self::Any | Self::String | Self::Number | Self::Bool)
    }

    /// Converts a value to the type, as Terraform does.
    pub(crate) fn convert(&self, value: &Value) -> Result<Value, Mismatch> {
        self.convert_at(value, &Path::default())
    }

    fn convert_at(&self, value: &Value, path: &Path) -> Result<Value, Mismatch> {
        let mismatch = |found: &str| Mismatch {
            path: path.clone(),
            wanted: self.to_string(),
            found: found.to_owned(),
        };
        match (self, value) {
            (_, Value::Null | Value::Unknown | Value::Sealed(_)) | (Self::Any, _) => {
                Ok(value.clone())
            }
            (_, Value::Sensitive(inner)) => Ok(self.convert_at(inner, path)?.sensitive()),
            (Self::String, _) => match crate::eval::to_text(value) {
                Ok(Some(text)) => Ok(Value::from(&*text)),
                Ok(None) => Ok(Value::Unknown),
                Err(found) => Err(mismatch(found)),
            },
            (Self::Number, _) => match crate::eval::to_number(value) {
                Ok(number) => Ok(number.map_or(Value::Unknown, Value::Number)),
                Err(found) => Err(mismatch(found)),
            },
            (Self::Bool, _) => match crate::eval::to_bool(value) {
                Ok(flag) => Ok(flag.map_or(Value::Unknown, Value::from)),
                Err(found) => Err(mismatch(found)),
            },
            (Self::List(item), Value::List(items)) => items_at(item, items, path).map(Value::List),
            (Self::Set(item), Value::List(items)) => {
                let mut items = items_at(item, items, path)?;
                items.sort();
                items.dedup();
                Ok(Value::List(items))
            }
            (Self::Tuple(kinds), Value::List(items)) if kinds.len() == items.len() => {
                let convert = |(index, (kind, item)): (usize, (&Self, &Value))| {
                    kind.convert_at(item, &path.index(index))
                };
                Ok(Value::List(
                    kinds.iter().zip(items).enumerate().map(convert).collect::<Result<_, _>>()?,
                ))
            }
            (Self::Tuple(_), Value::List(items)) => {
                Err(mismatch(&format!("a list of {}", items.len())))
            }
            (Self::Map(item), Value::Map(members)) => {
                let convert = |(key, value): (&String, &Value)| {
                    Ok((key.clone(), item.convert_at(value, &path.name(key))?))
                };
                Ok(Value::Map(members.iter().map(convert).collect::<Result<_, _>>()?))
            }
            (Self::Object(kinds), Value::Map(members)) => {
                let mut object = Object::new();
                for (name, member) in kinds {
                    let path = path.name(name);
                    let value = match (members.get(name), &member.default) {
                        (None | Some(Value::Null), Some(default)) => default.clone(),
                        (Some(value), _) => member.kind.convert_at(value, &path)?,
                        (None, None) => {
                            return Err(Mismatch {
                                path,
                                wanted: member.kind.to_string(),
                                found: "missing".to_owned(),
                            });
                        }
                    };
                    object.insert(name.clone(), value);
                }
                Ok(Value::Map(object))
            }
            (
                Self::List(_) | Self::Set(_) | Self::Map(_) | Self::Object(_) | Self::Tuple(_),
                other,
            ) => Err(mismatch(other.kind_name())),
        }
    }
}

fn items_at(kind: &Type, items: &[Value], path: &Path) -> Result<Vec<Value>, Mismatch> {
    items
        .iter()
        .enumerate()
        .map(|(index, item)| kind.convert_at(item, &path.index(index)))
        .collect()
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any value"),
            Self::String => f.write_str("a string"),
            Self::Number => f.write_str("a number"),
            Self::Bool => f.write_str("a bool"),
            Self::List(_) => f.write_str("a list"),
            Self::Set(_) => f.write_str("a set"),
            Self::Map(_) => f.write_str("a map"),
            Self::Object(members) => {
                f.write_str("an object with ")?;
                let names: Vec<&str> = members.keys().map(String::as_str).collect();
                f.write_str(&crate::suggest::list(names))
            }
            Self::Tuple(kinds) => write!(f, "a list of {}", kinds.len()),
        }
    }
}
