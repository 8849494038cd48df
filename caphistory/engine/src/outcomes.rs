//! What a function does about what a call in it returns, read from the syntax around the call.
//!
//! A call is assumed to give 0, 1 or an error, and the code behind it is run with that, as far as
//! its text tells: an error variable, a goto and a negation are followed; a condition that does not
//! rest on the call is taken to let the call decide.

use std::cell::{OnceCell, RefCell};
use std::sync::LazyLock;

use regex::bytes::Regex;
use rustc_hash::FxHashMap;

use crate::facts::{Given, Outcome};
use crate::intern::Sym;
use crate::refusals::EXHAUSTED;
use crate::tree::{Field, Kind, Node};
use crate::uids::is_root;

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
/// What a function leaves in a variable of its caller.
const OUT: &[u8] = b"*";
const LOOK_BACK: usize = 16;
const LEVELS: usize = 6;
/// Statements that are run for one outcome. Of a variable that holds a result no more is asked so
/// far behind the call.
const MOST_STEPS: u32 = 300;
/// Expressions, blocks or branches within each other.
const DEEPEST: u32 = 40;

// "pt_error_return(regs, EPERM);" (the ptrace of sparc)
static REPORTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u)[(,]\s*-?\s*(E[A-Z][A-Z0-9]{2,})\s*[,)]").expect("a pattern")
});

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Value<'c> {
    Unknown,
    Zero,
    One,
    Negative,
    Error(&'c [u8]),
    /// A constant by its name, of which nobody knows more than that it is no error: NO_QUOTA.
    Named(&'c [u8]),
    /// What the call gave.
    Given,
    /// The error that the call left in a variable.
    Left,
    /// Something that is more where the privilege is there: "if (suser()) mode = 0777;".
    Less,
}

/// A value, and whether it rests on what the call gave.
#[derive(Clone, Copy, Debug)]
struct Known<'c> {
    value: Value<'c>,
    rests: bool,
}

const UNKNOWN: Known<'static> = constant(Value::Unknown);

const fn constant(value: Value<'_>) -> Known<'_> {
    Known {
        value,
        rests: false,
    }
}

/// What variables hold, by their text.
type Variables<'c> = Vec<(&'c [u8], Known<'c>)>;

/// The syntax tree of one function or macro.
pub struct Flow<'t, 'c> {
    pub code: &'c [u8],
    labels: OnceCell<FxHashMap<&'c [u8], Node<'t>>>,
    /// The expression that a macro is.
    pub whole: Option<Node<'t>>,
    before: RefCell<Option<(usize, Variables<'c>)>>,
}

impl<'t, 'c> Flow<'t, 'c> {
    pub fn new(code: &'c [u8]) -> Flow<'t, 'c> {
        Flow {
            code,
            labels: OnceCell::new(),
            whole: None,
            before: RefCell::new(None),
        }
    }

    /// What the function does if an expression in it, a call or a uid, gives this.
    pub fn outcome(&self, call: Node<'t>, given: Given) -> Outcome {
        let Some(statement) = statement_of(call) else {
            return Outcome::Unknown;
        };
        let is_error = matches!(given, Given::Error | Given::Left);
        let is_whole = self
            .whole
            .is_some_and(|whole| statement.end() >= whole.end());
        if statement.kind() == Kind::ExpressionStatement
            && statement.first_named() == Some(call)
            && !(is_whole && self.whole == Some(call))
            && (!is_error || self.reason(call).is_none())
        {
            return Outcome::GoesOn;
        }
        let mut run = Run::new(self, call, statement, given);
        run.follow(statement, Vec::new(), false, None)
            .unwrap_or(Outcome::GoesOn)
    }

    /// The variable in which a call may leave an error: `&err`, or `err` where that is a pointer
    /// (empty).
    pub fn reason(&self, call: Node<'t>) -> Option<&'c [u8]> {
        let arguments = call.field(Field::Arguments)?;
        arguments.named_children().find_map(|argument| {
            let (inner, address) = match argument.kind() {
                Kind::PointerExpression if self.code.get(argument.start()) == Some(&b'&') => {
                    (argument.field(Field::Argument)?, true)
                }
                _ => (argument, false),
            };
            let name = inner.bytes(self.code);
            let named = is_errno_variable(name);
            let found = if address { name } else { b"" };
            (named && inner.kind() == Kind::Identifier).then_some(found)
        })
    }

    /// What running a statement comes to by itself; None where it is left behind.
    pub fn left(&self, statement: Node<'t>, call: Node<'t>) -> Option<Outcome> {
        let mut run = Run::new(self, call, statement, Given::False);
        run.made = true;
        run.follow(statement, Vec::new(), true, Some(statement))
    }

    /// The ifs behind a call that gives 0 which are passed by on the way to its outcome, and those
    /// whose own refusal that is.
    pub fn passed_by(&self, call: Node<'t>) -> [Vec<Node<'t>>; 2] {
        let Some(statement) = statement_of(call) else {
            return [vec![], vec![]];
        };
        let mut run = Run::new(self, call, statement, Given::False);
        run.follow(statement, Vec::new(), false, None);
        [run.passed, run.denying]
    }

    /// Whether a call that gives 0 decides alone about the error that the function returns: not in
    /// "if (!f() && a)", nor where an if within what it decides about refuses.
    pub fn decides_alone(&self, call: Node<'t>) -> bool {
        let mut node = call;
        while let Some(above) = node.parent() {
            match above.kind() {
                Kind::ParenthesizedExpression | Kind::UnaryExpression | Kind::ArgumentList => {}
                Kind::CallExpression if converted(above, self.code).is_some() => {}
                Kind::IfStatement => {
                    let [_, denying] = self.passed_by(call);
                    return denying.is_empty();
                }
                _ => return false,
            }
            node = above;
        }
        false
    }

    /// The labelled statement that a goto leads to.
    fn label(&self, goto: Node<'t>) -> Option<Node<'t>> {
        let labels = self.labels.get_or_init(|| {
            let mut found = FxHashMap::default();
            let mut waiting = vec![goto.root()];
            while let Some(node) = waiting.pop() {
                if node.kind() == Kind::LabeledStatement
                    && let Some(name) = node.field(Field::Label)
                {
                    found.insert(name.bytes(self.code), node);
                }
                if node.holds_statements() {
                    waiting.extend(node.named_children());
                }
            }
            found
        });
        labels
            .get(goto.field(Field::Label)?.bytes(self.code))
            .copied()
    }

    /// What a variable holds before a statement, if a constant: the nearest assignment wins.
    fn held_before(&self, statement: Node<'t>, name: &[u8]) -> Known<'c> {
        let mut cached = self.before.borrow_mut();
        if cached
            .as_ref()
            .is_none_or(|(at, _)| *at != statement.start())
        {
            *cached = Some((statement.start(), self.assigned_before(statement)));
        }
        let variables = cached.as_ref().map_or(&[][..], |(_, found)| found);
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map_or(UNKNOWN, |(_, known)| *known)
    }

    fn assigned_before(&self, statement: Node<'t>) -> Variables<'c> {
        let mut found = Variables::new();
        each_before(statement, |node| {
            each_set(node, self.code, &mut |name, value| {
                if found.iter().all(|(known, _)| *known != name) {
                    let value = value.map_or(Value::Unknown, |value| literal(value, self.code, 0));
                    found.push((name, constant(value)));
                }
            });
        });
        found
    }
}

/// Calls `found` with the statements that run before one, the nearest first.
pub fn each_before<'t>(statement: Node<'t>, mut found: impl FnMut(Node<'t>)) {
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

/// Calls `found` with each variable that a plain statement sets, and the value if there is one:
/// "err = ret = -EPERM", "int err = -EPERM", "*err = -ENOSPC" (for `*`).
pub fn each_set<'t, 'c>(
    statement: Node<'t>,
    code: &'c [u8],
    found: &mut impl FnMut(&'c [u8], Option<Node<'t>>),
) {
    match statement.kind() {
        Kind::Declaration => {
            for declarator in statement.fields(Field::Declarator) {
                let value = declarator.field(Field::Value);
                let mut name = declarator;
                while let Some(inner) = name.field(Field::Declarator).or_else(|| {
                    (name.kind() != Kind::Identifier)
                        .then(|| name.first_named())
                        .flatten()
                }) {
                    name = inner;
                }
                if let Some(value) = value
                    && name.kind() == Kind::Identifier
                {
                    found(name.bytes(code), Some(value));
                }
            }
        }
        Kind::ExpressionStatement => {
            let mut at = statement.first_named();
            while let Some(node) = at {
                match node.kind() {
                    Kind::AssignmentExpression => {
                        let mut value = node.field(Field::Right);
                        if let Some(left) = node.field(Field::Left) {
                            while let Some(inner) =
                                value.filter(|one| one.kind() == Kind::AssignmentExpression)
                            {
                                value = inner.field(Field::Right);
                            }
                            found(variable(left, code), value);
                        }
                        at = node.field(Field::Right);
                    }
                    Kind::CommaExpression => at = node.field(Field::Left),
                    Kind::UpdateExpression => {
                        if let Some(changed) = node.field(Field::Argument) {
                            found(variable(changed, code), None);
                        }
                        break;
                    }
                    _ => break,
                }
            }
        }
        _ => {}
    }
}

/// The text by which what an assignment sets is known.
fn variable<'c>(left: Node, code: &'c [u8]) -> &'c [u8] {
    if left.kind() == Kind::PointerExpression && code.get(left.start()) == Some(&b'*') {
        OUT
    } else {
        left.bytes(code)
    }
}

/// What an expression of constants is.
fn literal<'c>(node: Node, code: &'c [u8], depth: u32) -> Value<'c> {
    if depth > DEEPEST {
        return Value::Unknown;
    }
    match node.kind() {
        Kind::Identifier => named_constant(node.bytes(code)),
        Kind::Null => Value::Zero,
        Kind::SizeofExpression => Value::One,
        Kind::NumberLiteral => {
            let digits = node.bytes(code);
            let zero = digits
                .iter()
                .all(|byte| matches!(byte, b'0' | b'x' | b'X' | b'u' | b'U' | b'l' | b'L'));
            if digits.starts_with(b"-") {
                Value::Negative
            } else if zero {
                Value::Zero
            } else {
                Value::One
            }
        }
        Kind::UnaryExpression if code.get(node.start()) == Some(&b'-') => {
            let inner = node.field(Field::Argument);
            negative(inner.map_or(Value::Unknown, |one| literal(one, code, depth + 1)))
        }
        Kind::ParenthesizedExpression | Kind::CastExpression => node
            .field(Field::Value)
            .or_else(|| node.last_named())
            .map_or(Value::Unknown, |one| literal(one, code, depth + 1)),
        Kind::CallExpression => match converted(node, code) {
            Some(argument) => literal(argument, code, depth + 1),
            None => Value::Unknown,
        },
        // "true" and "false" are words of the grammar.
        _ => named_constant(node.bytes(code)),
    }
}

fn negative(value: Value<'_>) -> Value<'_> {
    match value {
        Value::One => Value::Negative,
        other => other,
    }
}

fn named_constant(name: &[u8]) -> Value<'_> {
    match name {
        b"NULL" | b"false" | b"FALSE" => Value::Zero,
        b"true" | b"TRUE" => Value::One,
        _ if is_errno(name) => Value::Error(name),
        _ if is_root(name) => Value::Zero,
        _ if is_upper(name) => Value::Named(name),
        _ => Value::Unknown,
    }
}

/// Whether a name is one of an error: EPERM, E2BIG.
fn is_errno(name: &[u8]) -> bool {
    let capital = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (name.len() > 3 || name == b"EIO") && name[0] == b'E' && name.iter().all(capital)
}

/// Whether a variable's name says that it holds an error.
fn is_errno_variable(name: &[u8]) -> bool {
    name.starts_with(b"err") || name.starts_with(b"ret") || matches!(name, b"rc" | b"res")
}

fn is_upper(name: &[u8]) -> bool {
    let capital = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    name.len() > 1 && name[0].is_ascii_uppercase() && name.iter().all(capital)
}

/// The argument of a call that only gives it back in another form: ERR_PTR(…), XFS_ERROR(…).
fn converted<'t>(call: Node<'t>, code: &[u8]) -> Option<Node<'t>> {
    let name = call.field(Field::Function)?.bytes(code);
    let upper = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'_');
    let neutral = matches!(name, b"likely" | b"unlikely" | b"cpu_to_le32" | b"nfserrno");
    let converts =
        name.iter().all(upper) && !matches!(name, b"IS_ERR" | b"IS_ERR_OR_NULL" | b"IS_ERR_VALUE");
    let mut arguments = call.field(Field::Arguments)?.named_children();
    let argument = arguments.next()?;
    (arguments.next().is_none() && (neutral || converts)).then_some(argument)
}

/// The statement that holds an expression, outside of the statements that are an expression
/// (`({ … })`).
fn statement_of(expression: Node<'_>) -> Option<Node<'_>> {
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

fn holds(node: Node, inner: Node) -> bool {
    node.start() <= inner.start() && inner.end() <= node.end()
}

/// The code behind one call that gives something.
struct Run<'d, 't, 'c> {
    flow: &'d Flow<'t, 'c>,
    call: Node<'t>,
    start: Node<'t>,
    given: Given,
    steps: u32,
    passed: Vec<Node<'t>>,
    denying: Vec<Node<'t>>,
    /// Whether the call was made.
    made: bool,
    /// Whether 0 was returned where the privilege is there: what is behind runs for the others.
    spared: bool,
    /// What variables held at the bound that was reached last.
    variables: Variables<'c>,
}

/// Where a run is: `decided` says that the code runs only because of what the call gave, and until
/// the end of which statement; `leaving` that a goto or break led here, where what a nested if
/// denies has nothing to do with the call (copy_to_user behind `err_out:` in the userfaultfd.c of
/// 6.8).
struct State<'t, 'c> {
    variables: Variables<'c>,
    decided: bool,
    until: Option<Node<'t>>,
    leaving: bool,
    /// An error that was set or reported because of the call.
    fresh: &'c [u8],
    /// What a nested if or switch denies.
    within: Option<Outcome>,
    /// What is returned where the privilege is there: "if (capable(…)) return true;".
    granted: Option<bool>,
}

impl<'t, 'c> State<'t, 'c> {
    fn rests(&self) -> bool {
        self.variables.iter().any(|(_, known)| known.rests)
    }

    fn set(&mut self, name: &'c [u8], known: Known<'c>) {
        match self.variables.iter_mut().find(|(one, _)| *one == name) {
            Some((_, held)) => *held = known,
            None => self.variables.push((name, known)),
        }
    }

    /// What is left behind the code that the call decided about.
    fn rejoined(&self) -> Outcome {
        match self.within {
            Some(denied) => denied,
            None if self.fresh.is_empty() => Outcome::GoesOn,
            None => error(self.fresh),
        }
    }
}

fn error(name: &[u8]) -> Outcome {
    Outcome::Error(Sym::latin1(name))
}

/// Whether an error is one that a missing privilege gives, not a fault of the work behind.
fn is_refusal(outcome: Outcome) -> bool {
    let name = outcome.errno();
    match name.text() {
        "EPERM" | "EACCES" => true,
        // Of memory for the work itself.
        "ENOMEM" => false,
        other => EXHAUSTED.contains(&other),
    }
}

fn is_error(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Error(_))
}

impl<'d, 't, 'c> Run<'d, 't, 'c> {
    fn new(flow: &'d Flow<'t, 'c>, call: Node<'t>, start: Node<'t>, given: Given) -> Self {
        Run {
            flow,
            call,
            start,
            given,
            steps: 0,
            passed: vec![],
            denying: vec![],
            made: false,
            spared: false,
            variables: vec![],
        }
    }

    /// What comes of running a statement and all behind it, up to the end of `bound`; None where
    /// that is reached.
    fn follow(
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
                Behind::End => return Some(state.rejoined()),
            }
        }
        Some(state.rejoined())
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
        if expression.kind() == Kind::CallExpression
            && let Some(reply) = self.reply(expression, state)
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

    /// The answer to a request that is refused.
    fn reply(&mut self, call: Node<'t>, state: &mut State<'t, 'c>) -> Option<Outcome> {
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

    /// Where an if leads: into one of its sides, to an outcome, or past it.
    fn if_(
        &mut self,
        node: Node<'t>,
        state: &mut State<'t, 'c>,
    ) -> Result<Node<'t>, Option<Outcome>> {
        let Some(condition) = node.field(Field::Condition) else {
            return Err(None);
        };
        let known = self.value(condition, state, 0);
        let (then, otherwise) = (
            node.field(Field::Consequence),
            node.field(Field::Alternative),
        );
        let side = |truth: bool| if truth { then } else { otherwise };
        match self.truth_of(known.value) {
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
                // "if (capable(…)) return 0;" denies behind the statement.
                if known.rests && side(!truth).is_some_and(leaves) {
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

    /// Takes in what variables are not set to, since the call gave what it gave.
    fn grant(&mut self, node: Node<'t>, state: &mut State<'t, 'c>, depth: u32) {
        let code = self.flow.code;
        each_set(node, code, &mut |name, value| {
            let is_one = value.is_some_and(|value| literal(value, code, 0) == Value::One);
            if is_one {
                let less = Known {
                    value: Value::Less,
                    rests: true,
                };
                state.set(name, less);
                return;
            }
            // "error = -ENOMEM; if (locked <= limit || capable(…)) error = apply(…);", "slot = NULL;
            // if (tasks < MANY || !current->uid) slot = find();"
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

    /// "if (!suser()) { if (changes) return -EPERM; … goto exit; }": what every driver of a serial
    /// port does to TIOCSSERIAL.
    fn nested(&mut self, then: Node<'t>, state: &mut State<'t, 'c>) {
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
    /// -EPERM; } }".
    fn nested_switch(&mut self, node: Node<'t>, state: &mut State<'t, 'c>) {
        if !state.decided || state.leaving || state.within.is_some() || state.until.is_none() {
            return;
        }
        let body = node.field(Field::Body);
        let cases = body.into_iter().flat_map(Node::named_children);
        for case in cases.filter(|one| one.kind() == Kind::CaseStatement) {
            let found = self.follow(case, state.variables.clone(), true, Some(node));
            state.within = found.filter(|one| is_error(*one));
            if state.within.is_some() {
                self.denying.push(node);
                return;
            }
        }
    }

    /// Whether a statement returns 0: "if (capable(…)) return 0;".
    fn returns_zero(&self, statement: Node<'t>) -> bool {
        let mut last = Some(statement);
        while let Some(one) = last.filter(|one| one.kind() == Kind::CompoundStatement) {
            last = one.named_children().last();
        }
        let value = last.filter(|one| one.kind() == Kind::ReturnStatement);
        let value = value.and_then(Node::first_named);
        value.is_some_and(|value| literal(value, self.flow.code, 0) == Value::Zero)
    }

    /// The truth that a statement returns: "return true;".
    fn returned_truth(&self, statement: Node<'t>) -> Option<bool> {
        let mut last = statement;
        while last.kind() == Kind::CompoundStatement {
            last = last.named_children().last()?;
        }
        let value = (last.kind() == Kind::ReturnStatement).then(|| last.first_named())??;
        match (
            literal(value, self.flow.code, 0),
            value.bytes(self.flow.code),
        ) {
            (Value::One, _) => Some(true),
            (_, b"false") => Some(false),
            _ => None,
        }
    }

    /// The case of a switch over what the call gave.
    fn switch(&mut self, node: Node<'t>, state: &mut State<'t, 'c>) -> Option<Node<'t>> {
        let known = self.value(node.field(Field::Condition)?, state, 0);
        if !known.rests {
            return None;
        }
        let truth = self.truth_of(known.value)?;
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

    fn returned(&mut self, value: Option<Node<'t>>, state: &mut State<'t, 'c>) -> Outcome {
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
            Value::Negative => left().unwrap_or(Outcome::Error(Sym::default())),
            Value::Given => Outcome::Same,
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
                    None => Outcome::GoesOn,
                },
            },
        }
    }

    // Expressions.

    fn truth(&mut self, node: Node<'t>, state: &mut State<'t, 'c>) -> Option<bool> {
        let known = self.value(node, state, 0);
        self.truth_of(known.value)
    }

    fn truth_of(&self, value: Value<'c>) -> Option<bool> {
        match value {
            Value::Unknown | Value::Named(_) | Value::Less => None,
            Value::Zero => Some(false),
            Value::One | Value::Negative | Value::Error(_) | Value::Left => Some(true),
            Value::Given => Some(matches!(self.given, Given::True | Given::Error)),
        }
    }

    fn value(&mut self, node: Node<'t>, state: &mut State<'t, 'c>, depth: u32) -> Known<'c> {
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
                    Some(b'!') => match self.truth_of(known.value) {
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
                Value::Error(_) | Value::Negative | Value::Left => Some(true),
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
            .or_else(|| self.handed_error(node, state))
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
    /// sctp_error(sk, flags, err)".
    fn other_form(
        &mut self,
        call: Node<'t>,
        name: &[u8],
        state: &mut State<'t, 'c>,
        depth: u32,
    ) -> Option<Known<'c>> {
        let arguments: Vec<_> = call.field(Field::Arguments)?.named_children().collect();
        if arguments.len() > 1 && memchr::memmem::find(name, b"err").is_none() {
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

    /// The constant error that a call is handed where something is refused, which it takes down and
    /// gives back: "return audit_policy(label, op, \"not admin\", -EACCES)".
    fn handed_error(&self, call: Node<'t>, state: &State<'t, 'c>) -> Option<Known<'c>> {
        if !state.decided || holds(call, self.call) {
            return None;
        }
        let last = call.field(Field::Arguments)?.named_children().last()?;
        let value = literal(last, self.flow.code, 0);
        matches!(value, Value::Error(_)).then_some(Known { value, rests: true })
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
        let truth = self.truth_of(known.value);
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
        let (Some(operator), Some(left), Some(right)) = (
            node.field(Field::Operator),
            node.field(Field::Left),
            node.field(Field::Right),
        ) else {
            return UNKNOWN;
        };
        let sign = operator.kind();
        let one = self.value(left, state, depth);
        if sign == Kind::AndAnd && holds(right, self.call) {
            self.assume(left, state);
        }
        let other = self.value(right, state, depth);
        let rests = one.rests || other.rests;
        let mut truths = (self.truth_of(one.value), self.truth_of(other.value));
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
            _ => self.compared(sign, one.value, other.value),
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

    /// Takes in that a comparison with an error holds, since the call behind its && is made: "if (err
    /// == -ENOSPC && may_retry()) goto retry; return err;".
    fn assume(&self, left: Node<'t>, state: &mut State<'t, 'c>) {
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

    fn compared(&self, sign: Kind, one: Value<'c>, other: Value<'c>) -> Option<bool> {
        let (subject, object, sign) = match (one, other) {
            (Value::Unknown | Value::Less, _) | (_, Value::Unknown | Value::Less) => return None,
            (Value::Zero, _) => (other, one, mirrored(sign)),
            (_, Value::Given | Value::Left) => (other, one, mirrored(sign)),
            _ => (one, other, sign),
        };
        let given = match subject {
            Value::Given => Some(self.given),
            Value::Left => Some(Given::Error),
            _ => None,
        };
        if let (Value::Named(first), Value::Named(second)) = (subject, object) {
            let equal = first == second;
            return match sign {
                Kind::Equal => Some(equal),
                Kind::NotEqual => Some(!equal),
                _ => None,
            };
        }
        let is_negative = match subject {
            Value::Error(_) | Value::Negative | Value::Left => true,
            Value::Given => self.given == Given::Error,
            _ => false,
        };
        let truth = self.truth_of(subject)?;
        let equal = match object {
            Value::Zero => {
                return match sign {
                    Kind::Equal => Some(!truth),
                    Kind::NotEqual => Some(truth),
                    Kind::Less => Some(is_negative),
                    Kind::GreaterEqual => Some(!is_negative),
                    Kind::Greater => Some(truth && !is_negative),
                    Kind::LessEqual => Some(!truth || is_negative),
                    _ => None,
                };
            }
            Value::One => truth && !is_negative,
            Value::Negative => is_negative,
            // The error that a missing privilege gives is this one as a rule.
            Value::Error(name) if given.is_some() => {
                given == Some(Given::Error) && name == b"EPERM"
            }
            Value::Named(_) if given.is_some() => given == Some(Given::True),
            Value::Error(name) => subject == Value::Error(name),
            _ => return None,
        };
        match sign {
            Kind::Equal => Some(equal),
            Kind::NotEqual => Some(!equal),
            _ => None,
        }
    }
}

fn is_sum(node: Node) -> bool {
    let sign = node.field(Field::Operator).map(Node::kind);
    node.kind() == Kind::BinaryExpression && matches!(sign, Some(Kind::Plus | Kind::Minus))
}

fn mirrored(sign: Kind) -> Kind {
    match sign {
        Kind::Less => Kind::Greater,
        Kind::Greater => Kind::Less,
        Kind::LessEqual => Kind::GreaterEqual,
        Kind::GreaterEqual => Kind::LessEqual,
        other => other,
    }
}

/// The first statement inside of one.
fn first_statement(node: Node<'_>) -> Option<Node<'_>> {
    let value = node.field(Field::Value);
    let shown = |child: &Node| {
        !matches!(child.kind(), Kind::StatementIdentifier | Kind::Comment) && Some(*child) != value
    };
    node.named_children().find(shown)
}

fn breakable<'t>(node: Node<'t>, switches: bool, code: &[u8]) -> Option<Node<'t>> {
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

enum Behind<'t> {
    /// The next statement, and whether it stands behind a loop whose body ends.
    Statement(Node<'t>, bool),
    Bound,
    End,
}

/// What runs behind a statement: behind the if, loop or block that it ends, if nothing else.
fn behind<'t>(statement: Node<'t>, bound: Option<Node<'t>>) -> Behind<'t> {
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

fn is_loop(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ForStatement | Kind::WhileStatement | Kind::DoStatement
    )
}

/// Whether a labelled statement comes to a return at once: "out: return rc;" stands before the
/// label that goes back to it in inet_create of 2.6.
fn returns(label: Node) -> bool {
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

/// Whether a statement is or ends with a return, a goto or a break.
pub fn leaves(statement: Node) -> bool {
    let mut last = statement;
    while matches!(last.kind(), Kind::CompoundStatement | Kind::ElseClause)
        && let Some(inner) = last
            .named_children()
            .filter(|child| child.kind() != Kind::Comment)
            .last()
    {
        last = inner;
    }
    matches!(
        last.kind(),
        Kind::ReturnStatement
            | Kind::GotoStatement
            | Kind::BreakStatement
            | Kind::ContinueStatement
    )
}
