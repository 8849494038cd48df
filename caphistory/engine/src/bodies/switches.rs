//! Reads switches: which labels lead to which statement, and what runs behind them.

use std::sync::LazyLock;

use rustc_hash::FxHashSet;

use super::leaving::{always_leaves, breaks};
use super::{BodyReader, Guard};
use crate::guards;
use crate::intern::{Expr, Sym};
use crate::tree::{Field, Kind, Node};

/// Labels that lead to one statement of a switch: each guard keeps its own list, as in `conditions`.
const MOST_LABELS: usize = 1_000;

impl<'t, 'c, 'a> BodyReader<'t, 'c, 'a> {
    pub(super) fn switch(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        let (Some(condition), Some(body)) = (node.field(Field::Condition), node.field(Field::Body))
        else {
            self.through(node, conditional, depth);
            return;
        };
        self.visit(condition, conditional, depth + 1);
        let subject = self.as_given(self.expression(condition), condition.end());
        // Without a case that is not configured, its label goes elsewhere.
        let here = (self.condition_at)(self.offset(node));
        let mut all = vec![];
        let mut seen = FxHashSet::default();
        for case in body
            .named_children()
            .filter(|case| case.kind() == Kind::CaseStatement)
        {
            let label = self.case_label(case);
            let sure = here == (self.condition_at)(self.offset(case));
            if sure && label != guards::unknown() && seen.insert(label) {
                all.push(label);
            }
        }
        let all = Expr::tuple("labels", &all);
        let mut own: Vec<Expr> = vec![];
        let mut plain = true;
        for child in body.named_children() {
            if child.kind() != Kind::CaseStatement {
                self.visit(child, true, depth + 1);
                continue;
            }
            let label = self.case_label(child);
            own.push(label);
            plain = plain && label != guards::unknown() && own.len() <= MOST_LABELS;
            // Where a label is an expression, nothing is known; one alone guards nothing.
            let value = child.field(Field::Value);
            let alone = child.named_children().all(|one| Some(one) == value);
            if alone || !plain || subject == guards::unknown() {
                self.visit(child, true, depth + 1);
            } else {
                let mut guard = Guard::new(condition, true, child);
                let labels = Expr::tuple("labels", &own);
                guard.expr = Some(Expr::tuple("case", &[subject, labels, all]));
                self.under.push(guard);
                self.visit(child, true, depth + 1);
                self.under.pop();
            }
            if always_leaves(child) {
                own.clear();
                plain = true;
            }
        }
    }

    /// The condition under which what follows a switch runs: one of the labels that do not leave
    /// the function; None where other values go on too.
    pub(super) fn behind_switch(&self, node: Node<'t>) -> Option<Expr> {
        let (condition, body) = (node.field(Field::Condition)?, node.field(Field::Body)?);
        let here = (self.condition_at)(self.offset(node));
        let (mut all, mut staying, mut own) = (vec![], vec![], vec![]);
        let mut stays = false;
        for case in body.named_children() {
            if case.kind() == Kind::Comment {
                continue;
            }
            let label = self.case_label(case);
            let sure = here == (self.condition_at)(self.offset(case));
            if case.kind() != Kind::CaseStatement || label == guards::unknown() || !sure {
                return None;
            }
            all.push(label);
            own.push(label);
            stays = stays || breaks(case, 0);
            if always_leaves(case) {
                staying.extend(if stays {
                    std::mem::take(&mut own)
                } else {
                    vec![]
                });
                own.clear();
                stays = false;
            }
        }
        staying.extend(own);
        let default = Expr::text("default");
        let subject = self.as_given(self.expression(condition), condition.end());
        let useless = staying.is_empty() || staying.len() > MOST_LABELS;
        if useless || !all.contains(&default) || staying.contains(&default) {
            return None;
        }
        let (staying, all) = (
            Expr::tuple(guards::STAYING, &staying),
            Expr::tuple("labels", &all),
        );
        Some(Expr::tuple("case", &[subject, staying, all])).filter(|_| subject != guards::unknown())
    }

    pub(super) fn case(&mut self, node: Node<'t>, depth: u32) {
        let label = node.field(Field::Value);
        let outer = self.case;
        let above = node.parent().and_then(Node::parent);
        if above.is_none_or(|above| above.kind() != Kind::SwitchStatement) {
            // a case within a block of another one
            for guard in &mut self.under {
                let tuple = guard.expr.and_then(Expr::as_tuple);
                if tuple.is_some_and(|(head, _)| head == "case") {
                    guard.expr = Some(guards::unknown());
                }
            }
        }
        // sys_ipc looks at a version number inside "case MSGRCV:" (from 1.1.10 on).
        if let Some(label) = label.filter(|label| label.kind() == Kind::Identifier) {
            self.case = Sym::latin1(label.bytes(self.code));
        }
        let statements: Vec<_> = node
            .named_children()
            .filter(|&child| Some(child) != label)
            .collect();
        self.branch(|reader| reader.sequence(&statements, true, depth));
        self.case = outer;
    }

    pub(super) fn case_label(&self, case: Node<'t>) -> Expr {
        static DEFAULT: LazyLock<Expr> = LazyLock::new(|| Expr::text("default"));
        let Some(label) = case.field(Field::Value) else {
            return *DEFAULT;
        };
        let found = self.expression(label);
        // "case SIOCDEVPRIVATE + 1:"
        let next =
            matches!(found.as_tuple(), Some(("+", [_, number])) if number.as_sym().is_some());
        if found.as_sym().is_some() || next {
            found
        } else {
            guards::unknown()
        }
    }
}
