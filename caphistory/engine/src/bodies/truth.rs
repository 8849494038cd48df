//! Reads expressions that are true or false, the tests of uids among them.

use super::{BodyReader, DEEPEST, Guard};
use crate::alternatives::Test;
use crate::effects::{Given, Outcome};
use crate::facts::UidTest;
use crate::identity_changes::is_of_change;
use crate::intern::{ExprList, Sym};
use crate::tree::{Field, Kind, Node};
use crate::uids::is_uid;

impl<'t, 'c, 'a> BodyReader<'t, 'c, 'a> {
    pub(super) fn ternary(&mut self, node: Node<'t>, conditional: bool, depth: u32, decides: bool) {
        let Some(condition) = node.field(Field::Condition) else {
            return;
        };
        self.decide(condition, conditional, depth + 1, true);
        for (field, truth) in [(Field::Consequence, true), (Field::Alternative, false)] {
            let Some(side) = node.field(field) else {
                continue;
            };
            self.under.push(Guard::new(condition, truth, side));
            let known = self.tell_kinds(condition, truth, side.start(), side.end());
            self.branch(|reader| {
                if decides {
                    reader.decide(side, true, depth + 1, decides);
                } else {
                    reader.visit(side, true, depth + 1);
                }
            });
            self.kinds.truncate(known);
            self.under.pop();
        }
    }

    /// Visits an expression that is true or false; `decides` says that an if or `?:` asks for it.
    pub(super) fn decide(&mut self, node: Node<'t>, conditional: bool, depth: u32, decides: bool) {
        if depth > DEEPEST {
            return;
        }
        match node.kind() {
            Kind::ParenthesizedExpression => {
                for child in node.named_children() {
                    self.decide(child, conditional, depth + 1, decides);
                }
            }
            Kind::UnaryExpression => match node.field(Field::Argument) {
                Some(operand) if self.code.get(node.start()) == Some(&b'!') => {
                    self.decide(operand, conditional, depth + 1, decides);
                }
                _ => self.through(node, conditional, depth + 1),
            },
            Kind::BinaryExpression => self.decide_binary(node, conditional, depth + 1, decides),
            Kind::CallExpression => {
                if is_uid(node, &self.places) {
                    self.uid_test(node, conditional, true);
                }
                self.call(node, conditional, depth + 1);
            }
            Kind::ConditionalExpression if decides => {
                self.ternary(node, conditional, depth + 1, decides);
            }
            _ if is_uid(node, &self.places) => self.uid_test(node, conditional, true),
            _ => self.visit(node, conditional, depth + 1),
        }
    }

    pub(super) fn decide_binary(
        &mut self,
        node: Node<'t>,
        conditional: bool,
        depth: u32,
        decides: bool,
    ) {
        let Some((sign, left, right)) = node.sides() else {
            self.through(node, conditional, depth + 1);
            return;
        };
        match sign {
            Kind::AndAnd | Kind::OrOr => {
                self.decide(left, conditional, depth + 1, decides);
                let truth = sign == Kind::AndAnd;
                self.under.push(Guard::new(left, truth, right));
                let known = self.tell_kinds(left, truth, right.start(), right.end());
                self.branch(|reader| reader.decide(right, true, depth + 1, decides));
                self.kinds.truncate(known);
                self.under.pop();
            }
            Kind::Equal | Kind::NotEqual => {
                for (side, other) in [(left, right), (right, left)] {
                    if is_zero(other.bytes(self.code)) {
                        self.decide(side, conditional, depth + 1, decides);
                        return;
                    }
                }
                self.through(node, conditional, depth + 1);
            }
            _ => self.through(node, conditional, depth + 1),
        }
    }

    /// `failing` is what the expression gives for everybody but root.
    pub(super) fn uid_test(&mut self, node: Node<'t>, conditional: bool, failing: bool) {
        if is_of_change(node, &self.roots, self.code) {
            return;
        }
        let given = if failing { Given::True } else { Given::False };
        let outcome = self.outcomes.outcome(node, given);
        let at = self.offset(node);
        let condition = (self.condition_at)(at);
        let test = UidTest {
            line: self.row(node),
            text: Sym::latin1(node.bytes(self.code)),
            outcome,
            instead: self.instead(node, failing, outcome),
            condition,
            guards: self.guards(condition),
            conditional,
        };
        self.body.uid_tests.entry(at).or_insert(test);
    }

    /// What does as well as a test that gives `failing` where the privilege is missing.
    pub(super) fn instead(
        &self,
        expression: Node<'t>,
        failing: bool,
        outcome: Outcome,
    ) -> ExprList {
        let test = Test {
            flow: &self.outcomes,
            places: &self.places,
            expression,
            failing,
            outcome,
        };
        ExprList::new(&test.alternatives())
    }
}

fn is_zero(code: &[u8]) -> bool {
    let zero: [&[u8]; 5] = [
        b"0",
        b"GLOBAL_ROOT_UID",
        b"ROOT_UID",
        b"(uid_t)0",
        b"(uid_t) 0",
    ];
    zero.contains(&code.trim_ascii())
}
