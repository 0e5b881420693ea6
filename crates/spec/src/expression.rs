//! Expressions as they are evaluated: the tree of the HCL parser with every name looked up already.
//!
//! Each node knows which bytes of its scalar it came from, so that an error can point at the operand that caused it.

pub(crate) mod lower;
pub(crate) mod parse;
pub(crate) mod walk;

use std::sync::Arc;

use hcl_edit::expr::{BinaryOperator, UnaryOperator};
use reconcile_model::Value;

use crate::functions::Function;
use crate::place::Range;

/// An expression.
#[derive(Debug)]
pub(crate) struct Expr {
    pub(crate) kind: ExprKind,
    /// The bytes of the scalar's text it was written as.
    pub(crate) at: Range,
}

/// The kinds of expression.
#[derive(Debug)]
pub(crate) enum ExprKind {
    /// A constant.
    Literal(Value),
    /// Parts joined to one string.
    Template(Vec<Expr>),
    /// `%{ for }`: the body once for each item, joined.
    TemplateFor(Box<ForLoop>),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `{ a = b }`.
    Object(Vec<(Expr, Expr)>),
    /// A name.
    Root(Root),
    /// Steps into a value.
    Traverse(Box<Expr>, Vec<Step>),
    /// `-a`, `!a`.
    Unary(UnaryOperator, Box<Expr>),
    /// `a + b`.
    Binary(BinaryOperator, Box<(Expr, Expr)>),
    /// `a ? b : c`.
    Conditional(Box<(Expr, Expr, Expr)>),
    /// `f(a, b...)`.
    Call(Box<Call>),
    /// `[for …]` and `{for …}`.
    For(Box<ForLoop>),
    /// An expression that is the same for every instance of its block: its value is that of a cell, by index.
    Once(usize, Arc<Expr>),
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Root {
    /// `var.name`, by its index.
    Variable(usize),
    /// `local.name`, by the index of its cell.
    Cell(usize),
    /// `aws_instance.web` or `data.aws_ami.linux`, by its index.
    Block(usize),
    /// A name bound by an enclosing `for`, counted from the outermost.
    Bound(usize),
    /// A constant of the run, such as `path.module`.
    Constant(Value),
    /// A name of the object given to `templatefile`.
    Given(Arc<str>),
    /// `count.index`.
    CountIndex,
    /// `each.key`.
    EachKey,
    /// `each.value`.
    EachValue,
    /// `self`.
    SelfValue,
}

/// A step into a value.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) kind: StepKind,
    pub(crate) at: Range,
}

/// The kinds of step.
#[derive(Debug)]
pub(crate) enum StepKind {
    /// `.name`.
    Attribute(Arc<str>),
    /// `[key]` and `.0`.
    Index(Expr),
    /// `[*]` and `.*`, with the steps taken into each item.
    Splat(Vec<Step>),
}

/// What is called.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Callee {
    /// An ordinary function.
    Function(&'static Function),
    /// `try`, which takes the first argument that evaluates.
    Try,
    /// `can`, which tells whether its argument evaluates.
    Can,
}

/// A function call.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) name: Arc<str>,
    pub(crate) callee: Callee,
    pub(crate) arguments: Vec<Expr>,
    /// Whether the last argument is a list that gives the rest of the arguments (`f(list...)`).
    pub(crate) expand: bool,
}

/// A `for` expression or directive.
#[derive(Debug)]
pub(crate) struct ForLoop {
    /// Whether the key is bound too, before the value.
    pub(crate) binds_key: bool,
    pub(crate) collection: Expr,
    /// For objects, the key of each member.
    pub(crate) key: Option<Expr>,
    pub(crate) value: Expr,
    pub(crate) condition: Option<Expr>,
    /// Whether values of one key are gathered in a list (`...`).
    pub(crate) grouping: bool,
}

/// A scalar that holds an expression: what is needed to evaluate it and to say where it stands.
#[derive(Debug)]
pub(crate) struct Scalar {
    /// Shared with the cell of a part that is evaluated once.
    pub(crate) expr: Arc<Expr>,
    /// The scalar's text, for finding places in it.
    pub(crate) text: Arc<str>,
    pub(crate) style: crate::place::Style,
}
