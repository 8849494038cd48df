//! What a function gives to whoever called it or sent it a request: in goes what it returns or is
//! about to reply, out comes the outcome, with what it leaves in a variable of its caller.

use super::assignments::{OUT, each_set};
use super::control_flow::{
    Behind, behind, each_before, has_argument, holds, returned_value, statement_of,
};
use super::errors::error;
use super::run::{Run, State};
use super::values::{Value, converted};
use crate::effects::{Given, Outcome};
use crate::intern::{Sym, SymList};
use crate::tree::{Field, Kind, Node};

/// What sends an error to whoever asked: as netlink's answer to a message (from 2.1.15 on), as the
/// completion of a request to io_uring (5.1).
const REPLIES: [&[u8]; 6] = [
    b"netlink_ack",
    b"io_req_set_res",
    b"io_req_defer_failed",
    b"io_submit_fail_init",
    b"io_queue_async",
    b"kiocb_done",
];

impl<'t, 'c> Run<'_, 't, 'c> {
    /// The answer to a request that is refused.
    pub(super) fn reply(&mut self, call: Node<'t>, state: &mut State<'t, 'c>) -> Option<Outcome> {
        let name = call.field(Field::Function)?.bytes(self.flow.code);
        if !REPLIES.contains(&name) {
            return None;
        }
        let arguments: Vec<_> = call.field(Field::Arguments)?.named_children().collect();
        arguments.iter().find_map(|&argument| {
            let known = self.value(argument, state, 0);
            match known.value {
                Value::Error(name) if known.rests || state.decided => {
                    Some(Outcome::Reply(Sym::latin1(name)))
                }
                Value::Given if known.rests && self.given == Given::Error => {
                    Some(Outcome::Reply(Sym::default()))
                }
                Value::Left => Some(Outcome::Reply(Sym::default())),
                _ => None,
            }
        })
    }

    pub(super) fn returned(
        &mut self,
        value: Option<Node<'t>>,
        state: &mut State<'t, 'c>,
    ) -> Outcome {
        let Some(value) = value else {
            return state.rejoined();
        };
        let known = self.value(value, state, 0);
        let left = || {
            let out = state.variables.iter().find(|(name, _)| *name == OUT);
            let out = match out {
                Some((_, known)) => *known,
                None => self.flow.held_before(self.start, OUT),
            };
            match out.value {
                _ if !state.fresh.is_empty() => Some(error(state.fresh)),
                Value::Error(name) => Some(error(name)),
                Value::Given if self.given == Given::Error => Some(Outcome::Same),
                Value::Left => Some(Outcome::Reason),
                _ => None,
            }
        };
        let leave = |outcome: Outcome| match outcome {
            Outcome::Error(name) => Outcome::Left(name),
            Outcome::Reason | Outcome::Same => Outcome::Left(Sym::default()),
            other => other,
        };
        match known.value {
            Value::Error(name) => error(name),
            Value::Either(choice) => choice.outcome(),
            Value::Negative => left().unwrap_or(Outcome::Error(Sym::default())),
            Value::Given => match state.turned {
                Some(errors) => Outcome::Turned(SymList::new(&errors.map(Sym::latin1))),
                None => Outcome::Same,
            },
            Value::Left => Outcome::Reason,
            Value::Zero | Value::One | Value::Named(_) | Value::Less => {
                let plain = if matches!(known.value, Value::Zero | Value::Less) {
                    Outcome::Zero
                } else {
                    Outcome::One
                };
                if known.rests && known.value == Value::One {
                    return plain;
                }
                match (state.within, left()) {
                    (Some(denied), _) => denied,
                    // What is returned in any case: "if (dump()) code |= DUMPED; … return 1;".
                    (None, None) if !known.rests && !state.decided && state.granted.is_none() => {
                        Outcome::GoesOn
                    }
                    (None, Some(left)) if plain == Outcome::Zero && state.fresh.is_empty() => {
                        leave(left)
                    }
                    (None, Some(left)) if plain == Outcome::Zero => left,
                    _ => plain,
                }
            }
            // A result of the function's own work.
            Value::Unknown => match state.within {
                Some(denied) => denied,
                // "return found + more;"
                None if known.rests && !(self.given == Given::False && is_sum(value)) => {
                    Outcome::Unknown
                }
                // "if (capable(…)) return true; return unprivileged;": the other way does not help.
                None => match state.granted {
                    Some(true) => Outcome::Zero,
                    Some(false) => Outcome::One,
                    None => self.last_word(value, state),
                },
            },
        }
    }
}

impl<'t> Run<'_, 't, '_> {
    /// What a function returns that has the last word where the privilege is missing: in a branch
    /// that only those enter, or behind "if (capable(…)) return 0;". Or what is handed the error of
    /// the call itself, which comes out of it if it is a macro: "return each(label, ask(…));".
    fn last_word(&self, value: Node<'t>, state: &State<'t, '_>) -> Outcome {
        let is_of_those = self.spared || state.until.is_some();
        let is_handed = holds(value, self.call) && self.given == Given::Error;
        let is_last = is_handed || state.decided && is_of_those && !state.leaving;
        let name = is_last.then(|| self.made_by(value)).flatten();
        name.map_or(Outcome::GoesOn, Outcome::Of)
    }

    /// What is returned at once of a call that is handed the error of the call itself: "error =
    /// fn_for_each(label, profile, ask(profile)); return error;".
    pub(super) fn returned_at_once(&self, statement: Node<'t>) -> Option<Outcome> {
        let assignment = statement
            .first_named()
            .filter(|_| self.given == Given::Error)?;
        let is_handed = |value: &Node| *value != self.call && holds(*value, self.call);
        let value = assignment.field(Field::Right).filter(is_handed)?;
        let Behind::Statement(next, _) = behind(statement, None) else {
            return None;
        };
        let returned = returned_value(next).filter(|_| next.kind() == Kind::ReturnStatement)?;
        let variable = assignment.field(Field::Left)?;
        let is_same = variable.bytes(self.flow.code) == returned.bytes(self.flow.code);
        let is_call = value.kind() == Kind::CallExpression;
        let name = (is_same && is_call && converted(value, self.flow.code).is_none())
            .then(|| self.made_by(returned))
            .flatten()?;
        Some(Outcome::Of(name))
    }

    /// The function that a returned value comes from: itself called, or where the variable was set
    /// last. One that is handed the variable ("rc = smk_bu_note(…, rc);") gives it back.
    fn made_by(&self, value: Node<'t>) -> Option<Sym> {
        let code = self.flow.code;
        let called = |value: Node<'t>| {
            let function = value.field(Field::Function)?;
            let is_named = function.kind() == Kind::Identifier && value != self.call;
            is_named.then(|| Sym::latin1(function.bytes(code)))
        };
        if value.kind() != Kind::Identifier {
            return called(value);
        }
        let mut found = None;
        each_before(statement_of(value)?, |before| {
            each_set(before, code, &mut |name, set| {
                if found.is_none() && name == value.bytes(code) {
                    let call = set.filter(|set| set.kind() == Kind::CallExpression);
                    let hands_back = call.is_some_and(|call| has_argument(call, name, code));
                    if !hands_back {
                        found = Some(call.and_then(called));
                    }
                }
            });
        });
        found.flatten()
    }
}

fn is_sum(node: Node) -> bool {
    let sign = node.field(Field::Operator).map(Node::kind);
    node.kind() == Kind::BinaryExpression && matches!(sign, Some(Kind::Plus | Kind::Minus))
}
