//! Members that a function gives a value where its caller left them 0, before it does anything else
//! with them: `if (!addr->port) addr->port = free_port();`.
//!
//! In goes the syntax of an if, out comes the member's place; what it holds behind the if is what the
//! caller gave, or that value, and it is plain which.

use memchr::memmem;

use super::BodyReader;
use super::statements::jump;
use crate::guards;
use crate::intern::Expr;
use crate::lexer::is_word;
use crate::tree::{Field, Kind, Node};

impl<'t, 'c, 'a> BodyReader<'t, 'c, 'a> {
    /// Takes down that an if does nothing else first than to fill a member that is 0.
    pub(super) fn note_fill(&mut self, node: Node<'t>) {
        let Some((target, value)) = filling(node, self.code) else {
            return;
        };
        let place = self.expression(target);
        let Some(place) = place.as_sym().filter(|name| name.text().starts_with('$')) else {
            return;
        };
        let stands_alone = node.parent().and_then(Node::parent);
        let stands_alone = stands_alone.is_some_and(|one| one.kind() == Kind::FunctionDefinition);
        let configured = (self.condition_at)(self.offset(node));
        let Some(member) = target.field(Field::Field).filter(|_| stands_alone) else {
            return;
        };
        if self.looped
            || !configured.is_empty()
            || !is_first(self.code, node, member.bytes(self.code))
        {
            return;
        }
        self.filled.insert(place);
        let asked = Expr::text(&format!("{}'", place.text()));
        let given = guards::condition(value, self.code, &self.places.locals);
        let given = Expr::tuple("when", &[Expr::tuple("!", &[asked]), given]);
        let key = (self.offset(target), place.text());
        self.body.sets.insert(key, (place, given));
        self.body.sure.insert(key, true);
    }
}

/// The member that an if fills first where it is 0, and with what.
fn filling<'t>(node: Node<'t>, code: &[u8]) -> Option<(Node<'t>, Node<'t>)> {
    let asked = asked_for_zero(node.field(Field::Condition)?, code)?;
    let mut first = node.field(Field::Consequence)?;
    if first.kind() == Kind::CompoundStatement {
        first = first.first_named()?;
    }
    let set = first.first_named()?;
    let is_set = first.kind() == Kind::ExpressionStatement
        && set.kind() == Kind::AssignmentExpression
        && set.field(Field::Operator)?.kind() == Kind::Assign
        && node.field(Field::Alternative).is_none();
    let (target, value) = (set.field(Field::Left)?, set.field(Field::Right)?);
    let is_same = target.kind() == Kind::FieldExpression && target.bytes(code) == asked;
    (is_set && is_same && value.kind() == Kind::CallExpression).then_some((target, value))
}

/// What a condition only asks for whether it is 0: `!x`, `x == 0`.
fn asked_for_zero<'c>(condition: Node<'_>, code: &'c [u8]) -> Option<&'c [u8]> {
    let mut inner = condition;
    while inner.kind() == Kind::ParenthesizedExpression {
        inner = inner.last_named()?;
    }
    match inner.kind() {
        Kind::UnaryExpression if inner.bytes(code).starts_with(b"!") => {
            Some(inner.field(Field::Argument)?.bytes(code))
        }
        Kind::BinaryExpression => match inner.sides()? {
            (Kind::Equal, left, right) if right.bytes(code) == b"0" => Some(left.bytes(code)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether code names a member nowhere before an if, and comes to none of the places that do behind
/// it but through that.
fn is_first(code: &[u8], node: Node, member: &[u8]) -> bool {
    let named = memmem::find_iter(code, member).filter(|at| is_member(code, *at, member.len()));
    let named: Vec<usize> = named.collect();
    let last = named.last().copied().unwrap_or_default();
    let skipped = &code[node.start()..last.max(node.start())];
    let before = &code[..node.start()];
    let mut jumps = memmem::find_iter(before, b"goto").filter_map(|at| jump(before, at));
    named.iter().all(|at| *at > node.start()) && !jumps.any(|label| has_label(skipped, label))
}

/// Whether the word at an offset is a member's name where it is used.
fn is_member(code: &[u8], at: usize, length: usize) -> bool {
    let before = &code[..at];
    let ends = code.get(at + length).is_none_or(|byte| !is_word(*byte));
    ends && (before.ends_with(b"->") || before.ends_with(b"."))
}

/// Whether a label stands in code.
fn has_label(code: &[u8], label: &[u8]) -> bool {
    memmem::find_iter(code, label).any(|at| {
        let before = at.checked_sub(1).and_then(|before| code.get(before));
        let mut behind = code[at + label.len()..].iter();
        let next = behind.find(|byte| !byte.is_ascii_whitespace());
        before.is_none_or(|byte| !is_word(*byte)) && next == Some(&b':')
    })
}
