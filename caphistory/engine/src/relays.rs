//! What an expression passes on: the calls and uid tests that it is made of.

use crate::places::Places;
use crate::tree::{Field, Kind, Node};
use crate::uids::is_uid;

const DEEPEST: u32 = 20;
const UID: &str = "uid0";

/// The names that an expression calls if it is made of nothing but calls and uid tests joined by
/// `!`, `&&` and `||` (a uid test is named `uid0`); empty for any other expression. `uid_tests`
/// are the offsets of the uid tests in the code.
pub fn relayed(expression: Node, places: &Places, uid_tests: &[i64]) -> Vec<String> {
    let mut found = vec![];
    if add(expression, places, uid_tests, 0, &mut found).is_none() {
        found.clear();
    }
    found
}

/// Adds at least one name, or gives None.
fn add(
    node: Node,
    places: &Places,
    uid_tests: &[i64],
    depth: u32,
    found: &mut Vec<String>,
) -> Option<()> {
    let tests_uid = || {
        uid_tests
            .iter()
            .any(|&at| node.start() as i64 <= at && at < node.end() as i64)
    };
    if depth > DEEPEST {
        return None;
    }
    match node.kind() {
        Kind::CallExpression => {
            let function = node.field(Field::Function)?;
            if function.kind() != Kind::Identifier {
                return None;
            }
            found.push(if tests_uid() {
                UID.into()
            } else {
                places.text(function).into_owned()
            });
        }
        Kind::ParenthesizedExpression => {
            let mut inner = node.named_children();
            let only = inner.next()?;
            if inner.next().is_some() {
                return None;
            }
            add(only, places, uid_tests, depth + 1, found)?;
        }
        Kind::UnaryExpression if places.code.get(node.start()) == Some(&b'!') => {
            let operand = node.field(Field::Argument)?;
            if is_uid(operand, places) {
                found.push(UID.into());
            } else {
                add(operand, places, uid_tests, depth + 1, found)?;
            }
        }
        Kind::BinaryExpression => {
            let left = node.field(Field::Left)?;
            let right = node.field(Field::Right)?;
            match node.field(Field::Operator)?.kind() {
                Kind::Equal if tests_uid() => found.push(UID.into()),
                Kind::AndAnd | Kind::OrOr => {
                    add(left, places, uid_tests, depth + 1, found)?;
                    add(right, places, uid_tests, depth + 1, found)?;
                }
                _ => return None,
            }
        }
        _ => return None,
    }
    Some(())
}
