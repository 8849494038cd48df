//! What an expression is known to be: in goes an expression of constants or a comparison of values,
//! out comes what it is, as far as an error, 0 and 1 are told apart.

use super::errors::is_errno;
use crate::effects::{Given, Outcome};
use crate::intern::{Sym, SymList};
use crate::tree::{Field, Kind, Node};
use crate::uids::is_root;

/// Expressions, blocks or branches within each other.
pub(super) const DEEPEST: u32 = 40;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Value<'c> {
    Unknown,
    Zero,
    One,
    Negative,
    Error(&'c [u8]),
    /// One of two errors, by a flag.
    Either(Choice<'c>),
    /// A constant by its name, of which nobody knows more than that it is no error: NO_QUOTA.
    Named(&'c [u8]),
    /// What the call gave.
    Given,
    /// The error that the call left in a variable.
    Left,
    /// Something that is more where the privilege is there: "if (suser()) mode = 0777;".
    Less,
}

/// "(variable & flag) ? -with : -without", and which of the errors is given as a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Choice<'c> {
    pub(super) usual: &'c [u8],
    pub(super) variable: &'c [u8],
    pub(super) flag: &'c [u8],
    pub(super) with: &'c [u8],
    pub(super) without: &'c [u8],
}

impl Choice<'_> {
    pub(super) fn outcome(self) -> Outcome {
        let parts = [
            self.usual,
            self.variable,
            self.flag,
            self.with,
            self.without,
        ];
        Outcome::Either(SymList::new(&parts.map(Sym::latin1)))
    }
}

/// A value, and whether it rests on what the call gave.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'c> {
    pub(super) value: Value<'c>,
    pub(super) rests: bool,
}

pub(super) const UNKNOWN: Known<'static> = constant(Value::Unknown);

pub(super) const fn constant(value: Value<'_>) -> Known<'_> {
    Known {
        value,
        rests: false,
    }
}

/// What variables hold, by their text.
pub(super) type Variables<'c> = Vec<(&'c [u8], Known<'c>)>;

impl Value<'_> {
    /// Whether this is true where the call gave that; None where nobody knows.
    pub(super) fn truth(self, given: Given) -> Option<bool> {
        match self {
            Value::Unknown | Value::Named(_) | Value::Less => None,
            Value::Zero => Some(false),
            Value::One | Value::Negative | Value::Error(_) | Value::Either(_) | Value::Left => {
                Some(true)
            }
            Value::Given => Some(matches!(given, Given::True | Given::Error)),
        }
    }
}

/// Whether a comparison of two values holds where the call gave this; None where nobody knows.
pub(super) fn compared(sign: Kind, one: Value<'_>, other: Value<'_>, given: Given) -> Option<bool> {
    let failed = |value| match value {
        Value::Given => given == Given::Error,
        Value::Left => true,
        _ => false,
    };
    let (subject, object, sign) = match (one, other) {
        // "if (do_brk(from, length) != from) goto out;": an error is no address and no length.
        (value, Value::Unknown) | (Value::Unknown, value) if failed(value) => {
            return match sign {
                Kind::Equal => Some(false),
                Kind::NotEqual => Some(true),
                _ => None,
            };
        }
        (Value::Unknown | Value::Less, _) | (_, Value::Unknown | Value::Less) => return None,
        (Value::Zero, _) => (other, one, mirrored(sign)),
        (_, Value::Given | Value::Left) => (other, one, mirrored(sign)),
        _ => (one, other, sign),
    };
    let result = match subject {
        Value::Given => Some(given),
        Value::Left => Some(Given::Error),
        _ => None,
    };
    if let (Value::Named(first), Value::Named(second)) = (subject, object) {
        let equal = first == second;
        return match sign {
            Kind::Equal => Some(equal),
            Kind::NotEqual => Some(!equal),
            _ => None,
        };
    }
    let is_negative = match subject {
        Value::Error(_) | Value::Either(_) | Value::Negative | Value::Left => true,
        Value::Given => given == Given::Error,
        _ => false,
    };
    let truth = subject.truth(given)?;
    let equal = match object {
        Value::Zero => {
            return match sign {
                Kind::Equal => Some(!truth),
                Kind::NotEqual => Some(truth),
                Kind::Less => Some(is_negative),
                Kind::GreaterEqual => Some(!is_negative),
                Kind::Greater => Some(truth && !is_negative),
                Kind::LessEqual => Some(!truth || is_negative),
                _ => None,
            };
        }
        Value::One => truth && !is_negative,
        Value::Negative => is_negative,
        // The error that a missing privilege gives is this one as a rule.
        Value::Error(name) if result.is_some() => result == Some(Given::Error) && name == b"EPERM",
        Value::Named(_) if result.is_some() => result == Some(Given::True),
        Value::Error(name) => subject == Value::Error(name),
        _ => return None,
    };
    match sign {
        Kind::Equal => Some(equal),
        Kind::NotEqual => Some(!equal),
        _ => None,
    }
}

/// What an expression of constants is.
pub(super) fn literal<'c>(node: Node, code: &'c [u8], depth: u32) -> Value<'c> {
    if depth > DEEPEST {
        return Value::Unknown;
    }
    match node.kind() {
        Kind::Identifier => named_constant(node.bytes(code)),
        Kind::Null => Value::Zero,
        Kind::SizeofExpression => Value::One,
        Kind::NumberLiteral => {
            let digits = node.bytes(code);
            let zero = digits
                .iter()
                .all(|byte| matches!(byte, b'0' | b'x' | b'X' | b'u' | b'U' | b'l' | b'L'));
            if digits.starts_with(b"-") {
                Value::Negative
            } else if zero {
                Value::Zero
            } else {
                Value::One
            }
        }
        Kind::UnaryExpression if code.get(node.start()) == Some(&b'-') => {
            let inner = node.field(Field::Argument);
            negative(inner.map_or(Value::Unknown, |one| literal(one, code, depth + 1)))
        }
        Kind::ParenthesizedExpression | Kind::CastExpression => node
            .field(Field::Value)
            .or_else(|| node.last_named())
            .map_or(Value::Unknown, |one| literal(one, code, depth + 1)),
        Kind::CallExpression => match converted(node, code) {
            Some(argument) => literal(argument, code, depth + 1),
            None => Value::Unknown,
        },
        // "true" and "false" are words of the grammar.
        _ => named_constant(node.bytes(code)),
    }
}

pub(super) fn negative(value: Value<'_>) -> Value<'_> {
    match value {
        Value::One => Value::Negative,
        other => other,
    }
}

pub(super) fn named_constant(name: &[u8]) -> Value<'_> {
    match name {
        b"NULL" | b"false" | b"FALSE" => Value::Zero,
        b"true" | b"TRUE" => Value::One,
        _ if is_errno(name) => Value::Error(name),
        _ if is_root(name) => Value::Zero,
        _ if is_upper(name) => Value::Named(name),
        _ => Value::Unknown,
    }
}

fn is_upper(name: &[u8]) -> bool {
    let capital = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    name.len() > 1 && name[0].is_ascii_uppercase() && name.iter().all(capital)
}

/// The argument of a call that only gives it back in another form: ERR_PTR(…), XFS_ERROR(…).
pub(super) fn converted<'t>(call: Node<'t>, code: &[u8]) -> Option<Node<'t>> {
    let name = call.field(Field::Function)?.bytes(code);
    let upper = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'_');
    let neutral = matches!(name, b"likely" | b"unlikely" | b"cpu_to_le32" | b"nfserrno");
    let converts =
        name.iter().all(upper) && !matches!(name, b"IS_ERR" | b"IS_ERR_OR_NULL" | b"IS_ERR_VALUE");
    let mut arguments = call.field(Field::Arguments)?.named_children();
    let argument = arguments.next()?;
    (arguments.next().is_none() && (neutral || converts)).then_some(argument)
}

fn mirrored(sign: Kind) -> Kind {
    match sign {
        Kind::Less => Kind::Greater,
        Kind::Greater => Kind::Less,
        Kind::LessEqual => Kind::GreaterEqual,
        Kind::GreaterEqual => Kind::LessEqual,
        other => other,
    }
}
