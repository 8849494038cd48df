//! Where control goes in a function: in goes a statement, out come those that run before or behind
//! it, or what a jump leaves. No value is looked at.

use crate::tree::{Field, Kind, Node};

const LOOK_BACK: usize = 16;
const LEVELS: usize = 6;

/// Calls `found` with the statements that run before one, the nearest first.
pub(crate) fn each_before<'t>(statement: Node<'t>, mut found: impl FnMut(Node<'t>)) {
    let mut at = Some(statement);
    for _ in 0..LEVELS {
        let Some(node) = at else {
            break;
        };
        let mut sibling = node.previous();
        for _ in 0..LOOK_BACK {
            let Some(statement) = sibling else {
                break;
            };
            found(statement);
            sibling = statement.previous();
        }
        at = node.parent();
    }
}

/// Whether a statement is or ends with a return, a goto or a break.
pub(crate) fn leaves(statement: Node) -> bool {
    let mut last = statement;
    while matches!(last.kind(), Kind::CompoundStatement | Kind::ElseClause)
        && let Some(inner) = last
            .named_children()
            .filter(|child| child.kind() != Kind::Comment)
            .last()
    {
        last = inner;
    }
    is_leaving(last.kind())
}

/// Whether a statement of this kind leaves for elsewhere.
pub(crate) fn is_leaving(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ReturnStatement
            | Kind::GotoStatement
            | Kind::BreakStatement
            | Kind::ContinueStatement
    )
}

/// The statement that holds an expression, outside of the statements that are an expression
/// (`({ … })`).
pub(super) fn statement_of(expression: Node<'_>) -> Option<Node<'_>> {
    let mut found = None;
    let mut above = expression.parent();
    while let Some(node) = above {
        match node.kind() {
            Kind::ExpressionStatement
            | Kind::Declaration
            | Kind::ReturnStatement
            | Kind::IfStatement
            | Kind::WhileStatement
            | Kind::DoStatement
            | Kind::ForStatement
            | Kind::SwitchStatement
                if found.is_none() =>
            {
                found = Some(node);
            }
            Kind::ParenthesizedExpression | Kind::ArgumentList | Kind::BinaryExpression => {
                found = None;
            }
            _ => {}
        }
        above = node.parent();
    }
    found
}

pub(super) fn holds(node: Node, inner: Node) -> bool {
    node.start() <= inner.start() && inner.end() <= node.end()
}

/// Whether a call is handed something by this text.
pub(super) fn has_argument(call: Node, name: &[u8], code: &[u8]) -> bool {
    let arguments = call.field(Field::Arguments);
    let mut arguments = arguments.into_iter().flat_map(Node::named_children);
    arguments.any(|one| one.bytes(code) == name)
}

/// The first statement inside of one.
pub(super) fn first_statement(node: Node<'_>) -> Option<Node<'_>> {
    let value = node.field(Field::Value);
    let shown = |child: &Node| {
        !matches!(child.kind(), Kind::StatementIdentifier | Kind::Comment) && Some(*child) != value
    };
    node.named_children().find(shown)
}

/// The loop or switch that a break or continue leaves.
pub(super) fn breakable<'t>(node: Node<'t>, switches: bool, code: &[u8]) -> Option<Node<'t>> {
    let mut above = node.parent();
    while let Some(node) = above {
        match node.kind() {
            kind if is_loop(kind) => return Some(node),
            Kind::SwitchStatement if switches => return Some(node),
            _ => above = node.parent(),
        }
    }
    // "for_each_task(p) { …; continue; }", "list_for_each(p) if (…) break;"
    let mut inner = node;
    while let Some(above) = inner.parent() {
        let looped = inner.previous().is_some_and(|before| {
            before.kind() == Kind::ExpressionStatement && !before.bytes(code).ends_with(b";")
        });
        let block = inner.kind() == Kind::CompoundStatement;
        if looped || block && above.kind() == Kind::CompoundStatement {
            return Some(inner);
        }
        inner = above;
    }
    None
}

pub(super) enum Behind<'t> {
    /// The next statement, and whether it stands behind a loop whose body ends.
    Statement(Node<'t>, bool),
    Bound,
    End,
}

/// What runs behind a statement: behind the if, loop or block that it ends, if nothing else.
pub(super) fn behind<'t>(statement: Node<'t>, bound: Option<Node<'t>>) -> Behind<'t> {
    let mut node = statement;
    let mut looped = false;
    loop {
        if Some(node) == bound {
            return Behind::Bound;
        }
        let Some(above) = node.parent() else {
            return Behind::End;
        };
        let listed = matches!(
            above.kind(),
            Kind::CompoundStatement | Kind::CaseStatement | Kind::TranslationUnit
        );
        if listed {
            let mut next = node.next();
            while let Some(one) = next.filter(|one| one.kind() == Kind::Comment) {
                next = one.next();
            }
            match next {
                Some(next) if above.kind() != Kind::TranslationUnit => {
                    return Behind::Statement(next, looped);
                }
                _ => {}
            }
        }
        if !above.holds_statements() || above.kind() == Kind::TranslationUnit {
            return Behind::End;
        }
        looped |= is_loop(above.kind());
        node = above;
    }
}

pub(super) fn is_loop(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ForStatement | Kind::WhileStatement | Kind::DoStatement
    )
}

/// Whether a labelled statement comes to a return at once: "out: return rc;" stands before the
/// label that goes back to it in inet_create of 2.6.
pub(super) fn returns(label: Node) -> bool {
    let mut at = Some(label);
    for _ in 0..LOOK_BACK {
        let Some(node) = at else {
            return false;
        };
        at = match node.kind() {
            Kind::LabeledStatement => first_statement(node),
            Kind::ExpressionStatement => match behind(node, None) {
                Behind::Statement(next, _) => Some(next),
                _ => None,
            },
            kind => return kind == Kind::ReturnStatement,
        };
    }
    false
}

/// What a statement returns, if it is or ends with a return.
pub(super) fn returned_value(statement: Node<'_>) -> Option<Node<'_>> {
    let mut last = statement;
    while last.kind() == Kind::CompoundStatement {
        last = last.named_children().last()?;
    }
    (last.kind() == Kind::ReturnStatement)
        .then(|| last.first_named())
        .flatten()
}
