//! Which statements the code behind them does not run after.

use super::DEEPEST;
use crate::outcomes::is_leaving;
use crate::tree::{Field, Kind, Node};

/// Whether what a statement or expression of this kind gives to variables holds within it only.
pub fn is_block(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::CompoundStatement
            | Kind::IfStatement
            | Kind::WhileStatement
            | Kind::DoStatement
            | Kind::ForStatement
            | Kind::SwitchStatement
            | Kind::CaseStatement
            | Kind::ConditionalExpression
            | Kind::BinaryExpression
    )
}

/// Which outcome of an if's condition alone leads to what follows it; None for both.
pub fn side_that_stays(statement: Node) -> Option<bool> {
    if statement
        .field(Field::Consequence)
        .is_some_and(always_leaves)
    {
        Some(false)
    } else if statement
        .field(Field::Alternative)
        .is_some_and(always_leaves)
    {
        Some(true)
    } else {
        None
    }
}

/// Whether the last of some statements is a return, a goto or the like; where a label stands before
/// it (`out: return err;` within an if of `ext3_get_block_handle`, 2.4) what leads there leaves too.
pub fn always_leaves(mut statement: Node) -> bool {
    while matches!(
        statement.kind(),
        Kind::CompoundStatement | Kind::CaseStatement | Kind::ElseClause | Kind::LabeledStatement
    ) {
        match statement
            .named_children()
            .filter(|child| child.kind() != Kind::Comment)
            .last()
        {
            Some(last) => statement = last,
            None => return false,
        }
    }
    let sides = [Field::Consequence, Field::Alternative];
    match statement.kind() {
        Kind::IfStatement => {
            let mut sides = sides.iter().map(|side| statement.field(*side));
            sides.all(|side| side.is_some_and(always_leaves))
        }
        kind => is_leaving(kind),
    }
}

/// Whether a statement of a switch may go on behind the switch.
pub fn breaks(statement: Node, depth: u32) -> bool {
    match statement.kind() {
        Kind::BreakStatement => true,
        Kind::SwitchStatement | Kind::WhileStatement | Kind::DoStatement | Kind::ForStatement => {
            false
        }
        _ if depth > DEEPEST => true,
        _ => statement
            .named_children()
            .any(|child| breaks(child, depth + 1)),
    }
}
