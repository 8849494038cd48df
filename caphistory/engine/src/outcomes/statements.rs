//! Runs statements one behind the other: in goes where to start and what variables hold, out comes
//! what that comes to, or None where it reaches its bound.
//!
//! Ifs and switches are asked of `branches`, what is answered of `answers`, and what is set of
//! `expressions`. These come back here for a block of their own only: a branch that may refuse, or
//! `({ … })`.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::assignments::each_set;
use super::control_flow::{Behind, behind, breakable, first_statement, holds, leaves, returns};
use super::errors::is_errno_variable;
use super::run::{Run, State};
use super::values::{Value, Variables};
use crate::effects::{Given, Outcome};
use crate::tree::{Field, Kind, Node};

/// Statements that are run for one outcome. Of a variable that holds a result no more is asked so
/// far behind the call.
const MOST_STEPS: u32 = 300;

// "pt_error_return(regs, EPERM);" (the ptrace of sparc)
static REPORTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u)[(,]\s*-?\s*(E[A-Z][A-Z0-9]{2,})\s*[,)]").expect("a pattern")
});

impl<'t, 'c> Run<'_, 't, 'c> {
    /// What comes of running a statement and all behind it, up to the end of `bound`; None where
    /// that is reached.
    pub(super) fn follow(
        &mut self,
        start: Node<'t>,
        variables: Variables<'c>,
        decided: bool,
        bound: Option<Node<'t>>,
    ) -> Option<Outcome> {
        let mut state = State {
            variables,
            decided,
            until: None,
            leaving: false,
            fresh: b"",
            turned: None,
            within: None,
            granted: None,
        };
        let mut at = Some(start);
        while let Some(node) = at {
            self.steps += 1;
            if self.steps > MOST_STEPS {
                return Some(Outcome::GoesOn);
            }
            if !self.made
                && let Some(inside) = self.way_to_call(node)
            {
                at = Some(inside);
                continue;
            }
            let goes_on = match node.kind() {
                Kind::CompoundStatement
                | Kind::ElseClause
                | Kind::LabeledStatement
                | Kind::CaseStatement => match first_statement(node) {
                    Some(inner) => {
                        at = Some(inner);
                        continue;
                    }
                    None => node,
                },
                Kind::ExpressionStatement if self.is_whole(node) => {
                    return Some(self.returned(node.first_named(), &mut state));
                }
                Kind::ExpressionStatement | Kind::Declaration => {
                    if let Some(reply) = self.plain(node, &mut state) {
                        return Some(reply);
                    }
                    node
                }
                Kind::IfStatement => match self.if_(node, &mut state) {
                    Ok(inside) => {
                        at = Some(inside);
                        continue;
                    }
                    Err(Some(outcome)) => return Some(outcome),
                    Err(None) => node,
                },
                Kind::WhileStatement | Kind::ForStatement | Kind::DoStatement => {
                    if node == self.start
                        && let Some(condition) = node.field(Field::Condition)
                        && self.truth(condition, &mut state) == Some(true)
                        && node.kind() == Kind::WhileStatement
                        && let Some(body) = node.field(Field::Body)
                    {
                        state.decided = true;
                        state.until = Some(node);
                        if body.first_named().is_none() {
                            self.ask_again(condition, &mut state);
                        }
                        at = Some(body);
                        continue;
                    }
                    if let Some(body) = node.field(Field::Body).filter(|_| self.spared) {
                        self.nested(body, &mut state);
                    }
                    node
                }
                Kind::SwitchStatement => match self.switch(node, &mut state) {
                    Some(case) => {
                        state.decided = true;
                        state.until = Some(node);
                        at = Some(case);
                        continue;
                    }
                    None => {
                        self.nested_switch(node, &mut state);
                        node
                    }
                },
                Kind::ReturnStatement => {
                    let value = node.first_named();
                    let call = value.filter(|one| one.kind() == Kind::CallExpression);
                    if let Some(reply) = call.and_then(|call| self.reply(call, &mut state)) {
                        return Some(reply);
                    }
                    return Some(self.returned(value, &mut state));
                }
                Kind::GotoStatement => match self.flow.label(node) {
                    // A macro may go to a label of its user's: "goto out;", which returns the error.
                    None => return Some(self.left_behind(&state)),
                    // "goto retry" (the proc.c of NFS up to 2.0); not to what stands behind the call
                    // (bad_fork in do_fork of 2.2).
                    Some(label)
                        if label.start() < node.start().min(self.call.start())
                            && !returns(label) =>
                    {
                        return Some(state.rejoined());
                    }
                    Some(label) => {
                        state.leaving = true;
                        state.until = None;
                        at = Some(label);
                        continue;
                    }
                },
                Kind::BreakStatement | Kind::ContinueStatement => {
                    let own = node.kind() == Kind::BreakStatement;
                    let around = breakable(node, own, self.flow.code);
                    if !own && !state.rests() {
                        return Some(state.rejoined());
                    }
                    if own {
                        state.leaving = true;
                        state.until = None;
                    }
                    match around {
                        Some(around) => around,
                        None => return Some(Outcome::Unknown),
                    }
                }
                _ => node,
            };
            match behind(goes_on, bound) {
                // What is asked in a loop is asked of one thing among others.
                Behind::Statement(_, true) if !state.rests() && self.made => {
                    return Some(state.rejoined());
                }
                Behind::Statement(next, _) => {
                    if let Some(until) = state.until
                        && !holds(until, next)
                    {
                        state.decided = false;
                        state.until = None;
                    }
                    if !state.decided && !state.rests() && (self.made || bound.is_none()) {
                        return Some(state.rejoined());
                    }
                    at = Some(next);
                }
                Behind::Bound => {
                    self.variables = std::mem::take(&mut state.variables);
                    return match state.within {
                        None if state.fresh.is_empty() => None,
                        _ => Some(state.rejoined()),
                    };
                }
                Behind::End => return Some(state.ended()),
            }
        }
        Some(state.rejoined())
    }

    /// Takes in what the condition of a loop without a body sets when it is asked once more: "while
    /// (!(error = walk(s)) && (s = open_last(nd)) != NULL);", where a walk that is handed an error
    /// gives it back (path_openat from 5.7 on).
    fn ask_again(&mut self, condition: Node<'t>, state: &mut State<'t, 'c>) {
        self.again = true;
        self.value(condition, state, 0);
        self.again = false;
    }

    /// Takes in that those who lack the privilege go on with the same work, restricted: "if
    /// (!capable(…)) { if (wanted) return -EPERM; flags |= UNPRIVILEGED; }" (fanotify_init from 5.13
    /// on).
    fn restrict(&self, set: Node<'t>, state: &mut State<'t, 'c>) {
        let Some(Outcome::Error(errno)) = state.within else {
            return;
        };
        let is_error = matches!(self.given, Given::Error | Given::Left);
        let Some(around) = state.until.filter(|_| !is_error) else {
            return;
        };
        let goes_on = around
            .field(Field::Consequence)
            .is_some_and(|branch| holds(branch, set) && !leaves(branch));
        let left = set.field(Field::Left);
        if goes_on
            && around.field(Field::Alternative).is_none()
            && !left.is_some_and(|left| is_errno_variable(left.bytes(self.flow.code)))
        {
            state.within = Some(Outcome::Limited(errno));
        }
    }

    /// What comes of variables that rest on the call, in whatever is done with them.
    fn left_behind(&self, state: &State<'t, 'c>) -> Outcome {
        let mut kept = state.variables.iter().filter(|(_, known)| known.rests);
        match (state.rejoined(), kept.next()) {
            (Outcome::GoesOn, Some((_, known))) if known.value == Value::Given => Outcome::Same,
            (Outcome::GoesOn, _) => Outcome::Unknown,
            (other, _) => other,
        }
    }

    /// The part of an if or a loop that holds the call.
    fn way_to_call(&self, node: Node<'t>) -> Option<Node<'t>> {
        let parts = [Field::Consequence, Field::Alternative, Field::Body];
        let mut parts = parts.iter().filter_map(|field| node.field(*field));
        parts.find(|part| holds(*part, self.call))
    }

    fn is_whole(&self, statement: Node<'t>) -> bool {
        self.flow.whole.is_some() && statement.first_named() == self.flow.whole
    }

    /// Takes in what a plain statement sets or reports; an outcome where it is the reply to whoever
    /// asked.
    fn plain(&mut self, statement: Node<'t>, state: &mut State<'t, 'c>) -> Option<Outcome> {
        let code = self.flow.code;
        if statement.kind() == Kind::Declaration {
            each_set(statement, code, &mut |name, value| {
                if let Some(value) = value {
                    let known = self.value(value, state, 0);
                    state.set(name, known);
                }
            });
            return None;
        }
        let expression = statement.first_named()?;
        let known = self.value(expression, state, 0);
        if expression.kind() == Kind::AssignmentExpression {
            self.restrict(expression, state);
            if let Some(returned) = self.returned_at_once(statement) {
                return Some(returned);
            }
        }
        // "ret = kiocb_done(req, ret2, issue_flags);"
        let called = match expression.kind() {
            Kind::AssignmentExpression => expression.field(Field::Right),
            _ => Some(expression),
        };
        if let Some(called) = called.filter(|one| one.kind() == Kind::CallExpression)
            && let Some(reply) = self.reply(called, state)
        {
            return Some(reply);
        }
        if expression.kind() == Kind::CallExpression && state.decided {
            let text = statement.bytes(code);
            if text.len() < 400
                && text.ends_with(b";")
                && let Some(reported) = REPORTED.captures(text).and_then(|found| found.get(1))
            {
                state.fresh = reported.as_bytes();
            }
        }
        if let Value::Error(name) = known.value
            && (state.decided || known.rests)
        {
            state.fresh = name;
        }
        None
    }
}
