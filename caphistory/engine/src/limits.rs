//! Which comparisons ask whether something stays within a limit: in goes an expression, out comes
//! whether its text tells so.

use crate::tree::{Field, Kind, Node};

/// Whether an expression reads a resource limit of a task: `rlimit(RLIMIT_MEMLOCK)`,
/// `current->rlim[RLIMIT_MEMLOCK].rlim_cur`.
pub fn is_resource_limit(node: Node, code: &[u8]) -> bool {
    let is_read = matches!(
        node.kind(),
        Kind::CallExpression | Kind::FieldExpression | Kind::SubscriptExpression
    );
    is_read && memchr::memmem::find(node.bytes(code), b"RLIMIT_").is_some()
}

/// Whether "amount > bound" asks for more than a limit allows, one that variables or a named
/// constant tell: not "ttl > 1", which tells one kind from another, nor "new->nice > p->nice", which
/// compares with what is there already, nor "level(x) >= LEVEL_HIGH".
pub fn exceeds(amount: Node, bound: Node, code: &[u8]) -> bool {
    if is_resource_limit(bound, code) {
        return true;
    }
    let is_amount = matches!(
        amount.kind(),
        Kind::Identifier
            | Kind::FieldExpression
            | Kind::SubscriptExpression
            | Kind::BinaryExpression
            | Kind::ParenthesizedExpression
    );
    let is_bound = matches!(bound.kind(), Kind::Identifier | Kind::FieldExpression);
    is_amount && is_bound && last_name(amount, code) != last_name(bound, code)
}

/// `nice` of `p->nice`.
fn last_name<'c>(node: Node, code: &'c [u8]) -> &'c [u8] {
    node.field(Field::Field).unwrap_or(node).bytes(code)
}
