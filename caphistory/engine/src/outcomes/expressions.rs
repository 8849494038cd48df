//! What an expression is where the call gave what it gave: in goes the expression, out comes what
//! is known of it, and the state takes in what it sets.

use super::assignments::{OUT, variable};
use super::control_flow::{first_statement, has_argument, holds};
use super::errors::{error, is_errno_variable, is_refusal, refusals};
use super::run::{Run, State};
use super::values::{
    Choice, DEEPEST, Known, UNKNOWN, Value, compared, constant, converted, literal, named_constant,
    negative,
};
use crate::effects::Given;
use crate::tree::{Field, Kind, Node};

impl<'t, 'c> Run<'_, 't, 'c> {
    pub(super) fn truth(&mut self, node: Node<'t>, state: &mut State<'t, 'c>) -> Option<bool> {
        let known = self.value(node, state, 0);
        known.value.truth(self.given)
    }

    pub(super) fn value(
        &mut self,
        node: Node<'t>,
        state: &mut State<'t, 'c>,
        depth: u32,
    ) -> Known<'c> {
        if depth > DEEPEST {
            return UNKNOWN;
        }
        if node == self.call {
            self.made = true;
            self.take_reason(state);
            return Known {
                value: Value::Given,
                rests: true,
            };
        }
        let depth = depth + 1;
        let code = self.flow.code;
        match node.kind() {
            Kind::ParenthesizedExpression | Kind::CastExpression => {
                let inner = node.field(Field::Value).or_else(|| node.last_named());
                inner.map_or(UNKNOWN, |inner| self.value(inner, state, depth))
            }
            Kind::CompoundStatement => self.statement_expression(node, state, depth),
            Kind::UnaryExpression => {
                let Some(operand) = node.field(Field::Argument) else {
                    return UNKNOWN;
                };
                let known = self.value(operand, state, depth);
                let value = match code.get(node.start()) {
                    Some(b'!') => match known.value.truth(self.given) {
                        Some(true) => Value::Zero,
                        Some(false) => Value::One,
                        None => Value::Unknown,
                    },
                    Some(b'-') => negative(known.value),
                    _ => Value::Unknown,
                };
                Known { value, ..known }
            }
            Kind::BinaryExpression => self.binary(node, state, depth),
            Kind::ConditionalExpression => self.conditional(node, state, depth),
            Kind::AssignmentExpression => {
                let (Some(left), Some(right)) = (node.field(Field::Left), node.field(Field::Right))
                else {
                    return UNKNOWN;
                };
                let mut known = self.value(right, state, depth);
                let sign = node.field(Field::Operator).map_or(Kind::Other, Node::kind);
                let name = variable(left, code);
                if sign != Kind::Assign && !known.rests {
                    let held = state.variables.iter().find(|(known, _)| *known == name);
                    known = match held {
                        Some((_, held)) if held.value == Value::Less => *held,
                        _ => UNKNOWN,
                    };
                }
                if let Some(handed) = self.handed_back(right, name, state) {
                    known = handed;
                }
                // "if (!capable(…)) limit = min(limit, low);"
                if state.decided && state.until.is_some() && is_minimum(right, code) {
                    known.value = Value::Less;
                }
                if state.decided && known.value != Value::Unknown {
                    known.rests = true;
                }
                state.set(name, known);
                known
            }
            Kind::CommaExpression => {
                let mut last = UNKNOWN;
                for side in [Field::Left, Field::Right] {
                    if let Some(side) = node.field(side) {
                        last = self.value(side, state, depth);
                    }
                }
                last
            }
            Kind::CallExpression => self.called(node, state, depth),
            Kind::NumberLiteral | Kind::Null | Kind::SizeofExpression => {
                constant(literal(node, code, 0))
            }
            Kind::Identifier
            | Kind::FieldExpression
            | Kind::SubscriptExpression
            | Kind::PointerExpression => {
                let name = variable(node, code);
                let held = state.variables.iter().find(|(known, _)| *known == name);
                match (held, named_constant(name)) {
                    (Some((_, known)), _) => *known,
                    (None, Value::Unknown) => Known {
                        rests: holds(node, self.call),
                        ..self.flow.held_before(self.start, name)
                    },
                    (None, fixed) => constant(fixed),
                }
            }
            _ => Known {
                value: named_constant(node.bytes(code)),
                rests: holds(node, self.call),
            },
        }
    }

    /// A call that fails may say why in a variable that it is handed.
    fn take_reason(&mut self, state: &mut State<'t, 'c>) {
        let value = match self.given {
            Given::Error => Value::Given,
            Given::Left => Value::Left,
            _ => return,
        };
        if let Some(name) = self.flow.reason(self.call)
            && (!name.is_empty() || self.given == Given::Left)
        {
            let name = if name.is_empty() { OUT } else { name };
            state.set(name, Known { value, rests: true });
        }
    }

    fn called(&mut self, node: Node<'t>, state: &mut State<'t, 'c>, depth: u32) -> Known<'c> {
        let code = self.flow.code;
        if let Some(argument) = converted(node, code) {
            return self.value(argument, state, depth);
        }
        let name = node
            .field(Field::Function)
            .map_or(&b""[..], |one| one.bytes(code));
        let first = node
            .field(Field::Arguments)
            .and_then(|arguments| arguments.first_named());
        if let (b"IS_ERR" | b"IS_ERR_OR_NULL" | b"IS_ERR_VALUE" | b"PTR_ERR_OR_ZERO", Some(first)) =
            (name, first)
        {
            let known = self.value(first, state, depth);
            let is_error = match known.value {
                Value::Unknown | Value::Named(_) | Value::Less => None,
                Value::Error(_) | Value::Either(_) | Value::Negative | Value::Left => Some(true),
                Value::Given => Some(self.given == Given::Error),
                Value::Zero => Some(name == b"IS_ERR_OR_NULL"),
                Value::One => Some(false),
            };
            let is_error = match known.value {
                Value::Given if name == b"IS_ERR_OR_NULL" => Some(self.given != Given::True),
                _ => is_error,
            };
            let value = match is_error {
                Some(true) => Value::One,
                Some(false) => Value::Zero,
                None => Value::Unknown,
            };
            return Known { value, ..known };
        }
        if let Some(known) = self
            .other_form(node, name, state, depth)
            .or_else(|| self.handed_error(node, state, depth))
            .or_else(|| self.given_back(node, state))
            .or_else(|| self.taken_down(node, state))
        {
            return known;
        }
        // "a(capable(X) ? FORCE : 0)": what is handed on is another function's matter.
        if holds(node, self.call) {
            for argument in node
                .field(Field::Arguments)
                .into_iter()
                .flat_map(Node::named_children)
            {
                if holds(argument, self.call) {
                    self.value(argument, state, depth);
                }
            }
        }
        UNKNOWN
    }

    /// An error that a call gives back in another form: "ret = bch2_err_class(ret)", "return
    /// sctp_error(sk, flags, err)". "if (bch2_err_matches(ret, …))" asks which error that is.
    fn other_form(
        &mut self,
        call: Node<'t>,
        name: &[u8],
        state: &mut State<'t, 'c>,
        depth: u32,
    ) -> Option<Known<'c>> {
        let arguments: Vec<_> = call.field(Field::Arguments)?.named_children().collect();
        let is_tested = call.parent().is_some_and(|above| {
            matches!(
                above.kind(),
                Kind::ParenthesizedExpression | Kind::UnaryExpression | Kind::BinaryExpression
            )
        });
        let is_of_errors = memchr::memmem::find(name, b"err").is_some() && !is_tested;
        if arguments.len() > 1 && !is_of_errors {
            return None;
        }
        let argument = arguments.into_iter().find(|one| {
            one.kind() == Kind::Identifier && is_errno_variable(one.bytes(self.flow.code))
        })?;
        let known = self.value(argument, state, depth);
        let is_error = match known.value {
            Value::Error(_) | Value::Left => true,
            Value::Given => self.given == Given::Error,
            _ => false,
        };
        (known.rests && is_error).then_some(known)
    }

    /// The error that a call is handed last where something is refused, which it takes down and gives
    /// back: "return audit_policy(label, op, \"not admin\", -EACCES)", "return audit_caps(profile, cap,
    /// error);".
    fn handed_error(
        &mut self,
        call: Node<'t>,
        state: &mut State<'t, 'c>,
        depth: u32,
    ) -> Option<Known<'c>> {
        if holds(call, self.call) {
            return None;
        }
        let last = call.field(Field::Arguments)?.named_children().last()?;
        let constant = literal(last, self.flow.code, 0);
        if let Value::Error(_) = constant {
            let value = constant;
            return state.decided.then_some(Known { value, rests: true });
        }
        let is_returned = call
            .parent()
            .is_some_and(|above| above.kind() == Kind::ReturnStatement);
        let is_variable =
            last.kind() == Kind::Identifier && is_errno_variable(last.bytes(self.flow.code));
        if !is_returned || !is_variable {
            return None;
        }
        let known = self.value(last, state, depth);
        (known.rests && matches!(known.value, Value::Error(_))).then_some(known)
    }

    /// The error that the call gave, where it is handed on as the loop comes round.
    fn given_back(&self, call: Node<'t>, state: &State<'t, 'c>) -> Option<Known<'c>> {
        if !self.again || self.given != Given::Error {
            return None;
        }
        let arguments = call.field(Field::Arguments)?.named_children();
        let mut names = arguments.map(|one| one.bytes(self.flow.code));
        let held = |name| {
            let mut variables = state.variables.iter();
            variables.find(|(one, known)| *one == name && known.value == Value::Given)
        };
        names.find_map(held).map(|(_, known)| *known)
    }

    /// The error in a variable that is set to what a call makes of it: "rc = smk_bu_inode(inode, mode,
    /// rc);", which takes the error down and gives it back (Smack from 3.20 on).
    fn handed_back(
        &self,
        value: Node<'t>,
        name: &[u8],
        state: &State<'t, 'c>,
    ) -> Option<Known<'c>> {
        let is_call = value.kind() == Kind::CallExpression && !holds(value, self.call);
        if !is_call || !has_argument(value, name, self.flow.code) {
            return None;
        }
        let mut variables = state.variables.iter();
        let (_, known) = variables.find(|(one, _)| *one == name)?;
        (known.rests && self.is_failure(known.value)).then_some(*known)
    }

    /// The error of a call that was written into a struct, which what takes down refusals gives back:
    /// "ad->error = f(…); return aa_audit(type, profile, ad, show);".
    fn taken_down(&self, call: Node<'t>, state: &State<'t, 'c>) -> Option<Known<'c>> {
        if self.given != Given::Error || holds(call, self.call) {
            return None;
        }
        let (_, known) = state.variables.iter().find(|(name, known)| {
            let member = memchr::memmem::find(name, b"->");
            let parts = member.map(|at| (&name[..at], &name[at + 2..]));
            known.value == Value::Given
                && parts.is_some_and(|(owner, member)| {
                    is_errno_variable(member) && has_argument(call, owner, self.flow.code)
                })
        })?;
        Some(*known)
    }

    /// Of ({ …; x; }) the last is its value.
    fn statement_expression(
        &mut self,
        node: Node<'t>,
        state: &mut State<'t, 'c>,
        depth: u32,
    ) -> Known<'c> {
        let (Some(first), Some(last)) = (first_statement(node), node.last_named()) else {
            return UNKNOWN;
        };
        let value = (last.kind() == Kind::ExpressionStatement)
            .then(|| last.first_named())
            .flatten();
        let Some(value) = value.filter(|_| holds(node, self.call)) else {
            return UNKNOWN;
        };
        if holds(last, self.call) {
            return self.value(value, state, depth);
        }
        let start = std::mem::replace(&mut self.start, first);
        let variables = state.variables.clone();
        let left = self.follow(first, variables, state.decided, Some(node));
        self.start = start;
        if left.is_some() {
            return UNKNOWN;
        }
        state.variables = std::mem::take(&mut self.variables);
        self.value(value, state, depth)
    }

    fn conditional(&mut self, node: Node<'t>, state: &mut State<'t, 'c>, depth: u32) -> Known<'c> {
        let Some(condition) = node.field(Field::Condition) else {
            return UNKNOWN;
        };
        let known = self.value(condition, state, depth);
        let truth = known.value.truth(self.given);
        let mut side = |field: Field| match node.field(field) {
            Some(side) => self.value(side, state, depth),
            // "f() ?: g()"
            None => known,
        };
        let found = match truth {
            Some(true) => side(Field::Consequence),
            Some(false) => side(Field::Alternative),
            None => {
                let (one, other) = (side(Field::Consequence), side(Field::Alternative));
                match (one.rests, other.rests) {
                    _ if one.value == other.value => one,
                    (false, false) => either_error(condition, one, other, self.flow.code),
                    (true, false) => one,
                    (false, true) => other,
                    _ => UNKNOWN,
                }
            }
        };
        Known {
            value: found.value,
            rests: found.rests || known.rests,
        }
    }

    fn binary(&mut self, node: Node<'t>, state: &mut State<'t, 'c>, depth: u32) -> Known<'c> {
        let Some((sign, left, right)) = node.sides() else {
            return UNKNOWN;
        };
        let one = self.value(left, state, depth);
        if sign == Kind::AndAnd && holds(right, self.call) {
            self.assume(left, state);
        }
        let other = self.value(right, state, depth);
        let rests = one.rests || other.rests;
        let mut truths = (one.value.truth(self.given), other.value.truth(self.given));
        // "raised = 0; if (more) raised = 1; if (raised && !f())": the call is made, so it is not 0.
        let settled = Some(sign == Kind::OrOr);
        if !one.rests && truths.0 == settled && holds(right, self.call) {
            truths.0 = None;
        }
        let truth = match sign {
            Kind::AndAnd | Kind::OrOr | Kind::Or => {
                let settles = sign != Kind::AndAnd;
                match truths {
                    (Some(first), Some(second)) if settles => Some(first || second),
                    (Some(first), Some(second)) => Some(first && second),
                    // What does not rest on the call lets it decide.
                    (Some(first), None) if one.rests || first == settles => Some(first),
                    (None, Some(second)) if other.rests || second == settles => Some(second),
                    _ => None,
                }
            }
            _ => compared(sign, one.value, other.value, self.given),
        };
        // A constant beside the call does not decide alone.
        let less = one.value == Value::Less || other.value == Value::Less;
        let value = match truth {
            Some(true) => Value::One,
            Some(false) => Value::Zero,
            None if less => Value::Less,
            None => Value::Unknown,
        };
        Known { value, rests }
    }

    /// The error that a variable holds, if any: the constant that it was set to, or the only refusal
    /// that the function gives.
    fn error_in(&self, name: &[u8]) -> Option<Value<'c>> {
        let held = self.flow.held_before(self.start, name).value;
        if let Value::Error(_) = held {
            return Some(held);
        }
        match refusals(self.call.root().bytes(self.flow.code))[..] {
            [only] => Some(Value::Error(only.text().as_bytes())),
            _ => None,
        }
    }

    /// Takes in that a comparison with an error holds, since the call behind its && is made: "if (err
    /// == -ENOSPC && may_retry()) goto retry; return err;". Or that there is one, which is an error of
    /// the function itself: "if (rc != 0 && capable(…)) rc = 0; return rc;" (smk_tskacc).
    fn assume(&self, left: Node<'t>, state: &mut State<'t, 'c>) {
        if let Some(name) = error_variable(left, self.flow.code)
            && let Some(value) = self.error_in(name)
        {
            return state.set(name, Known { value, rests: true });
        }
        let sides = [Field::Operator, Field::Left, Field::Right].map(|field| left.field(field));
        let [Some(sign), Some(variable), Some(constant)] = sides else {
            return;
        };
        let value = literal(constant, self.flow.code, 0);
        if sign.kind() == Kind::Equal
            && variable.kind() == Kind::Identifier
            && matches!(value, Value::Error(_))
        {
            let name = variable.bytes(self.flow.code);
            state.set(name, Known { value, rests: true });
        }
    }
}

/// The variable that a condition asks for an error in: "rc", "rc != 0", "rc < 0".
fn error_variable<'c>(condition: Node, code: &'c [u8]) -> Option<&'c [u8]> {
    let condition = condition.bare();
    let is_comparison = condition.kind() == Kind::BinaryExpression;
    let variable = match condition.field(Field::Operator).map(Node::kind) {
        Some(Kind::NotEqual | Kind::Less) if is_comparison => {
            let zero = condition.field(Field::Right)?.bytes(code) == b"0";
            condition.field(Field::Left).filter(|_| zero)?
        }
        _ => condition,
    };
    let name = variable.bytes(code);
    (variable.kind() == Kind::Identifier && is_errno_variable(name)).then_some(name)
}

fn is_minimum(value: Node, code: &[u8]) -> bool {
    let function = value.field(Field::Function);
    function.is_some_and(|one| matches!(one.bytes(code), b"min" | b"min_t"))
}

/// What fails either way: "return (mask & MAY_WRITE) ? -EPERM : -ENODATA;", with the error that a
/// missing privilege gives as a rule where no flag tells.
fn either_error<'c>(
    condition: Node,
    one: Known<'c>,
    other: Known<'c>,
    code: &'c [u8],
) -> Known<'c> {
    let (Value::Error(with), Value::Error(without)) = (one.value, other.value) else {
        return UNKNOWN;
    };
    let usual = match is_refusal(error(without)) && !is_refusal(error(with)) {
        true => other,
        false => one,
    };
    let (Value::Error(name), Some((variable, flag))) = (usual.value, flag_test(condition, code))
    else {
        return usual;
    };
    let value = Value::Either(Choice {
        usual: name,
        variable,
        flag,
        with,
        without,
    });
    Known { value, ..usual }
}

/// The variable and the flag of "(mask & MAY_WRITE)".
fn flag_test<'c>(condition: Node, code: &'c [u8]) -> Option<(&'c [u8], &'c [u8])> {
    let condition = condition.bare();
    let is_test = condition.field(Field::Operator).map(Node::kind) == Some(Kind::And);
    let variable = condition.field(Field::Left).filter(|_| is_test)?;
    let flag = condition.field(Field::Right)?;
    let are_names = [variable, flag].map(Node::kind) == [Kind::Identifier; 2];
    are_names.then(|| (variable.bytes(code), flag.bytes(code)))
}
