//! What a plain statement sets: in goes a statement, out come the variables in it and their values.

use crate::tree::{Field, Kind, Node};

/// What a function leaves in a variable of its caller.
pub(super) const OUT: &[u8] = b"*";

/// Calls `found` with each variable that a plain statement sets, and the value if there is one:
/// "err = ret = -EPERM", "int err = -EPERM", "*err = -ENOSPC" (for `*`).
pub(crate) fn each_set<'t, 'c>(
    statement: Node<'t>,
    code: &'c [u8],
    found: &mut impl FnMut(&'c [u8], Option<Node<'t>>),
) {
    match statement.kind() {
        Kind::Declaration => {
            for declarator in statement.fields(Field::Declarator) {
                let value = declarator.field(Field::Value);
                let mut name = declarator;
                while let Some(inner) = name.field(Field::Declarator).or_else(|| {
                    (name.kind() != Kind::Identifier)
                        .then(|| name.first_named())
                        .flatten()
                }) {
                    name = inner;
                }
                if let Some(value) = value
                    && name.kind() == Kind::Identifier
                {
                    found(name.bytes(code), Some(value));
                }
            }
        }
        Kind::ExpressionStatement => {
            let mut at = statement.first_named();
            while let Some(node) = at {
                match node.kind() {
                    Kind::AssignmentExpression => {
                        let mut value = node.field(Field::Right);
                        if let Some(left) = node.field(Field::Left) {
                            while let Some(inner) =
                                value.filter(|one| one.kind() == Kind::AssignmentExpression)
                            {
                                value = inner.field(Field::Right);
                            }
                            found(variable(left, code), value);
                        }
                        at = node.field(Field::Right);
                    }
                    Kind::CommaExpression => at = node.field(Field::Left),
                    Kind::UpdateExpression => {
                        if let Some(changed) = node.field(Field::Argument) {
                            found(variable(changed, code), None);
                        }
                        break;
                    }
                    _ => break,
                }
            }
        }
        _ => {}
    }
}

/// The text by which what an assignment sets is known.
pub(super) fn variable<'c>(left: Node, code: &'c [u8]) -> &'c [u8] {
    if left.kind() == Kind::PointerExpression && code.get(left.start()) == Some(&b'*') {
        OUT
    } else {
        left.bytes(code)
    }
}
