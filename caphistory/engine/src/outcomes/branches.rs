//! Which way an if or a switch goes: in goes the statement, out comes the side that runs since the
//! call gave what it gave, and what the sides that it may pass by refuse or would have set.

use super::assignments::each_set;
use super::control_flow::{first_statement, holds, is_loop, leaves, returned_value};
use super::errors::{is_errno_variable, is_error, is_refusal};
use super::run::{Run, State};
use super::values::{DEEPEST, Known, Value, literal};
use crate::effects::{Given, Outcome};
use crate::tree::{Field, Kind, Node};

impl<'t, 'c> Run<'_, 't, 'c> {
    /// Where an if leads: into one of its sides, to an outcome, or past it.
    pub(super) fn if_(
        &mut self,
        node: Node<'t>,
        state: &mut State<'t, 'c>,
    ) -> Result<Node<'t>, Option<Outcome>> {
        let Some(condition) = node.field(Field::Condition) else {
            return Err(None);
        };
        let (then, otherwise) = (
            node.field(Field::Consequence),
            node.field(Field::Alternative),
        );
        if otherwise.is_none()
            && let Some(errors) = then.and_then(|then| self.turned(condition, then, state))
        {
            state.turned = Some(errors);
            return Err(None);
        }
        let known = self.value(condition, state, 0);
        let side = |truth: bool| if truth { then } else { otherwise };
        match known.value.truth(self.given) {
            Some(truth) => {
                if known.rests
                    && let Some(granted) = side(!truth).filter(|side| !leaves(*side))
                {
                    self.grant(granted, state, 0);
                }
                if let Some(taken) = side(truth) {
                    if known.rests && !state.decided {
                        state.decided = true;
                        state.until = (!side(!truth).is_some_and(leaves)).then_some(node);
                    }
                    return Ok(taken);
                }
                // "if (capable(…)) return 0;" denies behind the statement, and so does "if (capable(…)) {
                // if (left > 0) return 1; } return 0;" (ext4_has_free_clusters from 2.6.37 on).
                let privileged = side(!truth).filter(|_| known.rests);
                if privileged.is_some_and(|side| leaves(side) || self.may_return(side)) {
                    state.decided = true;
                    state.until = None;
                    state.granted = side(!truth).and_then(|side| self.returned_truth(side));
                    self.spared = side(!truth).is_some_and(|side| self.returns_zero(side));
                }
                Err(None)
            }
            None if holds(condition, self.call) && !state.decided => {
                // "if (n > (capable(…) ? MANY : FEW)) return -E2BIG;"
                let refused = then
                    .filter(|_| known.rests)
                    .and_then(|then| self.follow(then, state.variables.clone(), true, Some(then)));
                Err(Some(match refused {
                    Some(outcome) if is_error(outcome) => outcome,
                    _ => Outcome::Unknown,
                }))
            }
            // "if (!capable(…)) limit = min(limit, low); if (n > limit) return -EINVAL;"
            None if known.rests
                && known.value == Value::Less
                && let Some(outcome) = self.exceeded(then, state) =>
            {
                Err(Some(outcome))
            }
            None if otherwise.is_none()
                && let Some(set) = then.filter(|then| self.takes_over(condition, *then, state)) =>
            {
                Ok(set)
            }
            // "if (suser()) … else if (gid == …) … else return -EPERM" (sys_setgid of 2.0): what
            // the last else does is what a missing privilege comes to.
            None => {
                if state.decided {
                    self.passed.push(node);
                }
                let else_if = node
                    .parent()
                    .is_some_and(|above| above.kind() == Kind::ElseClause);
                match (then, otherwise) {
                    (Some(then), Some(otherwise)) if else_if || leaves(then) => {
                        if state.decided {
                            self.nested(then, state);
                        }
                        Ok(otherwise)
                    }
                    (Some(then), Some(otherwise)) if leaves(otherwise) => Ok(then),
                    (Some(then), _) => {
                        if state.decided {
                            self.nested(then, state);
                        }
                        Err(None)
                    }
                    _ => Err(None),
                }
            }
        }
    }

    /// Whether an if takes the error of the call over where there is no other one, as there is none on
    /// the usual way: "if (!error) error = rc; return error;" (ext3_setattr).
    fn takes_over(&self, condition: Node<'t>, then: Node<'t>, state: &State<'t, 'c>) -> bool {
        let code = self.flow.code;
        let Some(variable) = negated(condition, code).filter(|name| is_errno_variable(name)) else {
            return false;
        };
        let mut taken = None;
        each_set(then, code, &mut |name, value| {
            taken = value
                .filter(|_| name == variable)
                .map(|value| value.bytes(code));
        });
        let mut known = state.variables.iter();
        taken.is_some_and(|taken| {
            known.any(|(name, known)| *name == taken && known.rests && self.is_failure(known.value))
        })
    }

    /// The error that the call may have given, and the one that takes its place: "if (rc == -EACCES) rc
    /// = -EPERM;" (process_vm_readv).
    fn turned(
        &self,
        condition: Node<'t>,
        then: Node<'t>,
        state: &State<'t, 'c>,
    ) -> Option<[&'c [u8]; 2]> {
        let code = self.flow.code;
        let (sign, left, right) = condition.bare().sides()?;
        let Value::Error(from) = literal(right, code, 0) else {
            return None;
        };
        let mut known = state.variables.iter();
        let is_given = self.given == Given::Error
            && sign == Kind::Equal
            && known.any(|(name, known)| *name == left.bytes(code) && known.value == Value::Given);
        let mut to = None;
        each_set(then, code, &mut |name, value| {
            let value = value.filter(|_| name == left.bytes(code));
            to = value.map(|value| literal(value, code, 0));
        });
        match to {
            Some(Value::Error(to)) if is_given => Some([from, to]),
            _ => None,
        }
    }

    pub(super) fn is_failure(&self, value: Value<'c>) -> bool {
        match value {
            Value::Error(_) | Value::Left => true,
            Value::Given => self.given == Given::Error,
            _ => false,
        }
    }

    /// What comes of more than those may have who lack the privilege.
    fn exceeded(&mut self, then: Option<Node<'t>>, state: &State<'t, 'c>) -> Option<Outcome> {
        let then = then?;
        match self.follow(then, state.variables.clone(), true, Some(then))? {
            Outcome::Error(errno) => Some(Outcome::Limited(errno)),
            _ => None,
        }
    }

    /// The case of a switch over what the call gave.
    pub(super) fn switch(&mut self, node: Node<'t>, state: &mut State<'t, 'c>) -> Option<Node<'t>> {
        let known = self.value(node.field(Field::Condition)?, state, 0);
        if !known.rests {
            return None;
        }
        let truth = known.value.truth(self.given)?;
        let body = node.field(Field::Body)?;
        let mut chosen = None;
        for case in body
            .named_children()
            .filter(|one| one.kind() == Kind::CaseStatement)
        {
            match case.field(Field::Value) {
                None => chosen = chosen.or(Some(case)),
                Some(label) => match literal(label, self.flow.code, 0) {
                    Value::Zero if !truth => chosen = Some(case),
                    Value::One if truth && self.given == Given::True => chosen = Some(case),
                    _ => {}
                },
            }
        }
        chosen
    }

    /// "if (!suser()) { if (changes) return -EPERM; … goto exit; }": what every driver of a serial
    /// port does to TIOCSSERIAL.
    pub(super) fn nested(&mut self, then: Node<'t>, state: &mut State<'t, 'c>) {
        if state.leaving || state.within.is_some() || state.until.is_none() && !self.spared {
            return;
        }
        let spared = state.until.is_none();
        let passed = self.passed.len();
        let found = self.follow(then, state.variables.clone(), true, Some(then));
        if spared {
            self.passed.truncate(passed);
        }
        state.within = found.filter(|one| is_error(*one) && (!spared || is_refusal(*one)));
        if state.within.is_some() {
            let around = then.parent().filter(|one| !is_loop(one.kind()));
            self.denying.extend(around);
        }
    }

    /// The same in a case of a switch: "if (!may_signal(p)) { switch (sig) { … default: return
    /// -EPERM; } }". Or where a case asks for the flag that the check has left at 0: "perm = 0; if
    /// (capable(…)) perm = 1; switch (cmd) { case KDMKTONE: if (!perm) return -EPERM; … }".
    pub(super) fn nested_switch(&mut self, node: Node<'t>, state: &mut State<'t, 'c>) {
        let is_branch = state.decided && state.until.is_some();
        if !is_branch && !self.has_zero(state) || state.leaving || state.within.is_some() {
            return;
        }
        let body = node.field(Field::Body);
        let cases = body.into_iter().flat_map(Node::named_children);
        for case in cases.filter(|one| one.kind() == Kind::CaseStatement) {
            let found = self.follow(case, state.variables.clone(), is_branch, Some(node));
            state.within = found.filter(|one| is_error(*one) && (is_branch || is_refusal(*one)));
            if state.within.is_some() {
                self.denying.push(node);
                return;
            }
        }
    }

    /// Whether a variable is 0 since the privilege is missing.
    fn has_zero(&self, state: &State<'t, 'c>) -> bool {
        let mut known = state.variables.iter().map(|(_, known)| known);
        self.given == Given::False && known.any(|known| known.rests && known.value == Value::Zero)
    }

    /// Takes in what variables are not set to, since the call gave what it gave.
    fn grant(&mut self, node: Node<'t>, state: &mut State<'t, 'c>, depth: u32) {
        let code = self.flow.code;
        each_set(node, code, &mut |name, value| {
            // "perm = 0; if (capable(…)) perm = 1;", "error = -ENOMEM; if (locked <= limit ||
            // capable(…)) error = apply(…);", "slot = NULL; if (tasks < MANY || !current->uid) slot =
            // find();"
            let kept = match state.variables.iter().find(|(known, _)| *known == name) {
                Some((_, known)) => *known,
                None => self.flow.held_before(self.start, name),
            };
            if matches!(kept.value, Value::Error(_)) || kept.value == Value::Zero {
                state.set(
                    name,
                    Known {
                        rests: true,
                        ..kept
                    },
                );
            } else if value.is_some_and(|value| literal(value, code, 0) == Value::One) {
                let less = Known {
                    value: Value::Less,
                    rests: true,
                };
                state.set(name, less);
            }
        });
        let holds_more = matches!(
            node.kind(),
            Kind::CompoundStatement | Kind::IfStatement | Kind::ElseClause
        );
        if holds_more && depth < DEEPEST {
            for child in node.named_children() {
                self.grant(child, state, depth + 1);
            }
        }
    }

    /// Whether a statement returns 0: "if (capable(…)) return 0;".
    fn returns_zero(&self, statement: Node<'t>) -> bool {
        let value = returned_value(statement);
        value.is_some_and(|value| literal(value, self.flow.code, 0) == Value::Zero)
    }

    /// Whether a block ends with an if that returns true, or what was found where the function gives
    /// NULL else: "if (files < most || capable(…)) { f = take(); if (f) { …; return f; } } … return
    /// NULL;" (get_empty_filp up to 2.6.9).
    fn may_return(&self, block: Node<'t>) -> bool {
        let last = block.named_children().last();
        let inner = last.filter(|one| one.kind() == Kind::IfStatement);
        let then = inner.and_then(|one| one.field(Field::Consequence));
        then.is_some_and(|then| {
            let is_found = returned_value(then).is_some_and(|one| one.kind() == Kind::Identifier);
            self.returned_truth(then) == Some(true) || is_found && self.ends_with_null(block)
        })
    }

    /// Whether the function that a block stands in returns NULL at its end.
    fn ends_with_null(&self, block: Node<'t>) -> bool {
        let mut outermost = block;
        let mut above = block.parent();
        while let Some(node) = above {
            if node.kind() == Kind::CompoundStatement {
                outermost = node;
            }
            above = node.parent();
        }
        let last = outermost.named_children().last();
        let behind_label = last.filter(|one| one.kind() == Kind::LabeledStatement);
        let last = behind_label.and_then(first_statement).or(last);
        let value = last.and_then(returned_value);
        value.is_some_and(|value| value.bytes(self.flow.code) == b"NULL")
    }

    /// The truth that a statement returns: "return true;".
    fn returned_truth(&self, statement: Node<'t>) -> Option<bool> {
        let value = returned_value(statement)?;
        match (
            literal(value, self.flow.code, 0),
            value.bytes(self.flow.code),
        ) {
            (Value::One, _) => Some(true),
            (_, b"false") => Some(false),
            _ => None,
        }
    }
}

/// The variable that a condition says is 0: "!error".
fn negated<'c>(condition: Node, code: &'c [u8]) -> Option<&'c [u8]> {
    let condition = condition.bare();
    let is_not =
        condition.kind() == Kind::UnaryExpression && code.get(condition.start()) == Some(&b'!');
    let argument = condition.field(Field::Argument).filter(|_| is_not)?;
    (argument.kind() == Kind::Identifier).then(|| argument.bytes(code))
}
