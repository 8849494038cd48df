//! Which other tests would do as well as one: `capable(A) || capable(B)`, be it in one condition or
//! in two that lead to the same refusal.
//!
//! An alternative is a tuple of the name of what is called and its arguments (as `facts::Call` has
//! them), `uid0`, `owner`: a comparison of a uid of the caller with that of something else, or
//! `limit`: one of how much is asked for with how much is allowed.

use crate::declarations::declared;
use crate::effects::Outcome;
use crate::implications::implied;
use crate::intern::{Expr, Sym};
use crate::limits::{exceeds, is_resource_limit};
use crate::outcomes::{Flow, each_before, each_set, leaves};
use crate::places::Places;
use crate::tree::{Field, Kind, Node};
use crate::uids::{Id, is_root, is_root_user, is_uid, own_id};

pub const OWNER: &str = "owner";
pub const UID0: &str = "uid0";
/// Who stays within a limit needs no privilege.
pub const LIMIT: &str = "limit";
const DEEPEST: u32 = 20;
/// Ifs within each other in which a variable is set.
const NESTED: u32 = 6;
/// More are no alternatives but a mangled file.
const MOST: usize = 16;

/// One expression and the tests that are looked for around it. `failing` is its value where the
/// privilege is missing, `outcome` what the function does then.
pub struct Test<'a, 't, 'c> {
    pub flow: &'a Flow<'t, 'c>,
    pub places: &'a Places<'c>,
    pub expression: Node<'t>,
    pub failing: bool,
    pub outcome: Outcome,
}

impl<'t> Test<'_, 't, '_> {
    /// What does as well as the test, in the order of the code around it.
    pub fn alternatives(&self) -> Vec<Expr> {
        let mut found = vec![];
        let top = self.beside(&mut found);
        if !matches!(
            self.outcome,
            Outcome::GoesOn | Outcome::Of(_) | Outcome::Unknown
        ) {
            self.before(top, &mut found);
            let [passed, denying] = self.flow.passed_by(self.expression);
            for node in passed {
                self.of_leaving(node, &mut found);
            }
            for condition in denying.iter().filter_map(|one| one.field(Field::Condition)) {
                self.collect(condition, true, 0, &mut found);
            }
        }
        found.truncate(MOST);
        found
    }

    /// Those in the same condition; gives the whole of it.
    fn beside(&self, found: &mut Vec<Expr>) -> Node<'t> {
        let mut node = self.expression;
        let mut bad = self.failing;
        while let Some(above) = node.parent() {
            match above.kind() {
                Kind::ParenthesizedExpression => {}
                Kind::UnaryExpression if self.is_not(above) => bad = !bad,
                Kind::BinaryExpression => {
                    let (Some(left), Some(right)) =
                        (above.field(Field::Left), above.field(Field::Right))
                    else {
                        break;
                    };
                    let other = if left == node { right } else { left };
                    match above.field(Field::Operator).map(Node::kind) {
                        Some(Kind::AndAnd) if bad => self.collect(other, bad, 0, found),
                        Some(Kind::OrOr) if !bad => self.collect(other, bad, 0, found),
                        Some(Kind::AndAnd | Kind::OrOr) => {}
                        Some(Kind::NotEqual) if self.is_zero(other) => {}
                        Some(Kind::Equal) if self.is_zero(other) => bad = !bad,
                        _ => break,
                    }
                }
                Kind::ArgumentList => {}
                Kind::CallExpression if self.is_neutral(above) => {}
                _ => break,
            }
            node = above;
        }
        node
    }

    /// Those of conditions under which the test is asked at all.
    fn before(&self, condition: Node<'t>, found: &mut Vec<Expr>) {
        let mut around = vec![];
        let mut inner = condition;
        while let Some(above) = inner.parent() {
            if matches!(
                above.kind(),
                Kind::IfStatement | Kind::ConditionalExpression
            ) && let Some(asked) = above.field(Field::Condition)
                && asked != inner
            {
                let then = above.field(Field::Consequence) == Some(inner);
                self.collect(asked, then, 0, &mut around);
            }
            inner = above;
        }
        // "if (level > old) { if (!capable(…)) … }" (sys_iopl), "if (cmd >= SIOCDEVPRIVATE && …)": what
        // stands around says what is done, not how much.
        let others = around.into_iter().filter(|one| *one != Expr::text(LIMIT));
        let fresh: Vec<Expr> = others.filter(|one| !found.contains(one)).collect();
        found.extend(fresh);
        let Some(statement) = statement(condition) else {
            return;
        };
        each_before(statement, |one| {
            let one = one.behind_labels();
            if one.kind() == Kind::IfStatement {
                self.of_leaving(one, found);
            }
        });
    }

    /// The if that is asked wherever the test is, of one that holds nothing but another: "if (mask ==
    /// MAY_READ) if (capable(A)) return 0; if (!(mask & MAY_EXEC)) if (capable(B)) return 0;".
    fn asked_with_test(&self, node: Node<'t>) -> Node<'t> {
        let inner = node.field(Field::Consequence).map(only_statement);
        let nested = inner.filter(|inner| inner.kind() == Kind::IfStatement);
        let condition = node.field(Field::Condition);
        match (nested, condition) {
            (Some(nested), Some(condition))
                if implied(condition, &self.around(), self.flow.code) == Some(true) =>
            {
                nested
            }
            _ => node,
        }
    }

    /// The conditions of the ifs that the test stands in, with their truth there, and those beside it
    /// in its own condition, with which alone it matters: "if (S_ISDIR(mode) && capable(…))".
    fn around(&self) -> Vec<(Node<'t>, bool)> {
        let mut known = vec![];
        let mut inner = self.expression;
        while let Some(above) = inner.parent() {
            if above.kind() == Kind::IfStatement
                && let Some(asked) = above.field(Field::Condition)
                && asked != inner
            {
                known.push((asked, above.field(Field::Consequence) == Some(inner)));
            }
            if let Some((sign @ (Kind::AndAnd | Kind::OrOr), left, right)) = above.sides() {
                let other = if left == inner { right } else { left };
                known.push((other, sign == Kind::AndAnd));
            }
            inner = above;
        }
        known
    }

    /// Whether a side of `&&` or `||` leaves the whole to the other one wherever the test is asked:
    /// "if (S_ISDIR(mode) && capable(A)) goto ok; if (S_ISDIR(mode) && capable(B)) goto ok;"
    /// (exec_permission_lite of 2.6).
    fn leaves_to_other(&self, side: Node<'t>, sign: Kind) -> bool {
        implied(side, &self.around(), self.flow.code) == Some(sign == Kind::AndAnd)
    }

    /// Those of an if that leaves with something better than the test.
    fn of_leaving(&self, node: Node<'t>, found: &mut Vec<Expr>) {
        let node = self.asked_with_test(node);
        let (Some(condition), Some(then)) =
            (node.field(Field::Condition), node.field(Field::Consequence))
        else {
            return;
        };
        if !leaves(then) {
            return;
        }
        let mut own = vec![];
        self.collect(condition, false, 0, &mut own);
        if own.is_empty() {
            return;
        }
        let outcome = self.flow.left(then, self.expression);
        let better = match outcome {
            Some(Outcome::Error(_) | Outcome::Left(_) | Outcome::Reply(_) | Outcome::Unknown)
            | None => false,
            Some(other) => other != self.outcome,
        };
        if better {
            own.retain(|one| !found.contains(one));
            found.extend(own);
        }
    }

    /// The tests in a condition any one of which, if true, keeps it from being `bad`.
    fn collect(&self, node: Node<'t>, bad: bool, depth: u32, found: &mut Vec<Expr>) {
        if depth > DEEPEST || found.len() >= MOST {
            return;
        }
        let mut add = |one: Expr| {
            if !found.contains(&one) {
                found.push(one);
            }
        };
        match node.kind() {
            _ if is_uid(node, self.places) && bad => add(Expr::text(UID0)),
            _ if is_uid(node, self.places) => {}
            _ if is_resource_limit(node, self.flow.code) && !bad => add(Expr::text(LIMIT)),
            _ if is_resource_limit(node, self.flow.code) => {}
            Kind::ParenthesizedExpression => {
                if let Some(inner) = node.last_named() {
                    self.collect(inner, bad, depth + 1, found);
                }
            }
            Kind::UnaryExpression if self.is_not(node) => {
                if let Some(inner) = node.field(Field::Argument) {
                    self.collect(inner, !bad, depth + 1, found);
                }
            }
            Kind::BinaryExpression => {
                let Some((sign, left, right)) = node.sides() else {
                    return;
                };
                match sign {
                    Kind::AndAnd | Kind::OrOr => {
                        let any = (sign == Kind::AndAnd) == bad;
                        if !any && self.is_owners(node, bad, depth) {
                            return add(Expr::text(OWNER));
                        }
                        // "capable(cap) || (cap != CAP_SYS_ADMIN && capable(CAP_SYS_ADMIN))"
                        let suffices = |other: Node<'t>| {
                            any || self.names_capability(other) || self.leaves_to_other(other, sign)
                        };
                        if suffices(right) {
                            self.collect(left, bad, depth + 1, found);
                        }
                        if suffices(left) {
                            self.collect(right, bad, depth + 1, found);
                        }
                    }
                    Kind::Equal | Kind::NotEqual | Kind::Xor => {
                        let unequal = sign != Kind::Equal;
                        if self.is_zero(right) {
                            self.collect(left, bad == unequal, depth + 1, found);
                        } else if bad == unequal && self.compares_root_user(left, right) {
                            add(Expr::text(UID0));
                        } else if bad == unequal && self.compares_owner(left, right) {
                            add(Expr::text(OWNER));
                        }
                    }
                    // "n > most && !capable(…)", "n <= most || capable(…)"; "level < least" is of levels
                    // (has_pid_permissions).
                    Kind::Greater | Kind::GreaterEqual | Kind::LessEqual => {
                        let within = sign == Kind::LessEqual;
                        if bad != within && exceeds(left, right, self.flow.code) {
                            add(Expr::text(LIMIT));
                        }
                    }
                    _ => {}
                }
            }
            Kind::Identifier => {
                if let Some(value) = self.held(node) {
                    self.collect(value, bad, depth + 1, found);
                }
            }
            Kind::CallExpression => {
                let (Some(function), Some(arguments)) =
                    (node.field(Field::Function), node.field(Field::Arguments))
                else {
                    return;
                };
                let given: Vec<_> = arguments
                    .named_children()
                    .filter(|one| one.kind() != Kind::Comment)
                    .collect();
                if self.is_neutral(node) {
                    if let Some(&inner) = given.first() {
                        self.collect(inner, bad, depth + 1, found);
                    }
                    return;
                }
                let (target, pointer) = self.places.called(function);
                if bad || pointer || target.is_empty() || node == self.expression {
                    return;
                }
                if target.ends_with("uid_eq") || target.ends_with("uid_eq_kuid") {
                    if let [one, other] = given[..] {
                        let root = |side: Node| is_root(side.bytes(self.flow.code));
                        if root(one) || root(other) {
                            add(Expr::text(UID0));
                        } else if self.compares_owner(one, other) {
                            add(Expr::text(OWNER));
                        }
                    }
                    return;
                }
                let arguments: Vec<Expr> = given
                    .iter()
                    .map(|&one| Expr::sym(Sym::new(&self.places.argument(one, &target))))
                    .collect();
                add(Expr::tuple(&target, &arguments));
            }
            _ => {}
        }
    }

    fn is_not(&self, node: Node) -> bool {
        self.flow.code.get(node.start()) == Some(&b'!')
    }

    /// Whether an expression compares something with a capability.
    fn names_capability(&self, node: Node) -> bool {
        let constant = |side: Option<Node>| {
            side.is_some_and(|side| side.bytes(self.flow.code).starts_with(b"CAP_"))
        };
        node.kind() == Kind::BinaryExpression && constant(node.field(Field::Right))
    }

    fn is_zero(&self, node: Node) -> bool {
        matches!(node.bytes(self.flow.code), b"0" | b"NULL" | b"false")
    }

    fn is_neutral(&self, call: Node) -> bool {
        let name = call.field(Field::Function);
        name.is_some_and(|name| matches!(name.bytes(self.flow.code), b"likely" | b"unlikely"))
    }

    /// Whether one side is what the kernel counts of root: "p->user != &root_user".
    fn compares_root_user(&self, one: Node, other: Node) -> bool {
        [one, other]
            .iter()
            .any(|side| is_root_user(side.bytes(self.flow.code)))
    }

    /// Whether a condition is not `bad` only for who has all ids of what is acted upon, the uids among
    /// them: "uid_eq(uid, tcred->euid) && uid_eq(uid, tcred->uid) && gid_eq(gid, tcred->gid)"
    /// (__ptrace_may_access of 6.8).
    fn is_owners(&self, node: Node<'t>, bad: bool, depth: u32) -> bool {
        let mut ids = vec![];
        self.all_ids(node, bad, depth, &mut ids) && ids.contains(&Id::User)
    }

    /// Whether all parts of a condition must be comparisons of the caller's ids with those of
    /// something else to keep it from being `bad`; which ones are put into `ids`.
    fn all_ids(&self, node: Node<'t>, bad: bool, depth: u32, ids: &mut Vec<Id>) -> bool {
        if depth > DEEPEST {
            return false;
        }
        let mut compared = |one, other| {
            let found = self.compared(one, other);
            ids.extend(found);
            found.is_some()
        };
        match node.kind() {
            Kind::ParenthesizedExpression => node
                .last_named()
                .is_some_and(|inner| self.all_ids(inner, bad, depth + 1, ids)),
            Kind::UnaryExpression if self.is_not(node) => node
                .field(Field::Argument)
                .is_some_and(|inner| self.all_ids(inner, !bad, depth + 1, ids)),
            Kind::BinaryExpression => match node.sides() {
                Some((sign @ (Kind::AndAnd | Kind::OrOr), left, right)) => {
                    (sign == Kind::AndAnd) != bad
                        && self.all_ids(left, bad, depth + 1, ids)
                        && self.all_ids(right, bad, depth + 1, ids)
                }
                Some((Kind::Equal, left, right)) => !bad && compared(left, right),
                Some((Kind::NotEqual, left, right)) => bad && compared(left, right),
                _ => false,
            },
            Kind::CallExpression if !bad => {
                let function = node.field(Field::Function);
                let is_equal = function.is_some_and(|name| {
                    matches!(name.bytes(self.flow.code), b"uid_eq" | b"gid_eq")
                });
                let given = node.field(Field::Arguments).filter(|_| is_equal);
                let given: Vec<_> = given.into_iter().flat_map(Node::named_children).collect();
                matches!(given[..], [one, other] if compared(one, other))
            }
            _ => false,
        }
    }

    /// Whether one side is a uid of the caller and the other one that of something else: not an
    /// argument, which a caller of setuid is free to choose.
    fn compares_owner(&self, one: Node<'t>, other: Node<'t>) -> bool {
        self.compared(one, other) == Some(Id::User)
    }

    /// What kind of id the caller's is that is compared with that of something else.
    fn compared(&self, one: Node<'t>, other: Node<'t>) -> Option<Id> {
        let (own, others) = match [one, other].map(|side| self.own(side)) {
            [Some(id), None] => (id, other),
            [None, Some(id)] => (id, one),
            _ => return None,
        };
        self.is_of_object(self.source(others), own).then_some(own)
    }

    /// What kind of id of the caller an expression is, be it a variable that holds one wherever it
    /// was set: "if (mode & FSCREDS) uid = cred->fsuid; else uid = cred->uid;".
    fn own(&self, node: Node<'t>) -> Option<Id> {
        let known = |value: Node| own_id(value.bytes(self.flow.code));
        if node.kind() != Kind::Identifier {
            return known(node);
        }
        let (_, values) = self.setting(node)?;
        let first = known(*values.first()?)?;
        values
            .iter()
            .all(|value| known(*value) == Some(first))
            .then_some(first)
    }

    fn is_of_object(&self, node: Node, id: Id) -> bool {
        let text = node.bytes(self.flow.code);
        let found = |word: &[u8]| memchr::memmem::find(text, word).is_some();
        !matches!(node.kind(), Kind::Identifier | Kind::NumberLiteral)
            && found(id.word())
            && !found(b"make_kuid")
            && !is_of_super_block(text)
    }

    /// What a local variable was set to before, if it is one.
    fn source(&self, node: Node<'t>) -> Node<'t> {
        let value = self.setting(node).and_then(|(_, all)| all.first().copied());
        value.unwrap_or(node)
    }

    /// The condition that a local variable was set to, if it was on every way; what an if narrows it
    /// to besides is more than what most ask for: "if (attr->sigtrap) is_capable &= ns_capable(…);"
    /// (perf_check_permission of 6.8).
    fn held(&self, variable: Node<'t>) -> Option<Node<'t>> {
        let (setting, values) = self.setting(variable)?;
        let [value] = values[..] else {
            return None;
        };
        let is_plain = setting.kind() != Kind::IfStatement;
        let is_condition = match value.kind() {
            Kind::ParenthesizedExpression | Kind::BinaryExpression => true,
            Kind::CallExpression => self.is_bool(variable),
            _ => false,
        };
        (is_plain && is_condition).then_some(value)
    }

    /// Whether a variable is declared as a bool.
    fn is_bool(&self, variable: Node<'t>) -> bool {
        let name = variable.bytes(self.flow.code);
        let mut found = false;
        if let Some(statement) = statement(variable) {
            each_before(statement, |one| {
                let is_bool = one.kind() == Kind::Declaration
                    && one
                        .field(Field::Type)
                        .is_some_and(|kind| kind.bytes(self.flow.code) == b"bool");
                let mut variables = one.fields(Field::Declarator);
                found |= is_bool
                    && variables.any(|variable| {
                        declared(variable, self.flow.code)
                            .is_some_and(|one| one.name.text().as_bytes() == name)
                    });
            });
        }
        found
    }

    /// The nearest statement before that sets a local variable, and what it sets that to: one value,
    /// or all that the ways through an if set it to.
    fn setting(&self, variable: Node<'t>) -> Option<(Node<'t>, Vec<Node<'t>>)> {
        if variable.kind() != Kind::Identifier {
            return None;
        }
        let name = variable.bytes(self.flow.code);
        let mut found = None;
        each_before(statement(variable)?, |one| {
            if found.is_none() {
                let mut values = vec![];
                self.values_set(one, name, 0, &mut values);
                found = (!values.is_empty()).then_some((one, values));
            }
        });
        found
    }

    fn values_set(&self, node: Node<'t>, name: &[u8], depth: u32, found: &mut Vec<Node<'t>>) {
        if depth > NESTED {
            return;
        }
        if matches!(
            node.kind(),
            Kind::IfStatement | Kind::ElseClause | Kind::CompoundStatement
        ) {
            for child in node.named_children() {
                self.values_set(child, name, depth + 1, found);
            }
            return;
        }
        each_set(node, self.flow.code, &mut |set, value| {
            if set == name && !self.is_compound(node) {
                found.extend(value);
            }
        });
    }

    /// Whether a statement is "x &= …".
    fn is_compound(&self, statement: Node) -> bool {
        statement
            .first_named()
            .filter(|one| one.kind() == Kind::AssignmentExpression)
            .and_then(|one| one.field(Field::Operator))
            .is_some_and(|sign| sign.bytes(self.flow.code) != b"=")
    }
}

/// Whether a uid is one that a whole file system is kept for (`EXT3_SB(sb)->s_resuid`): it owns
/// nothing that is acted upon. Members of super blocks begin with `s_`, those of a reserved pool
/// with `rp_` (UBIFS).
fn is_of_super_block(uid: &[u8]) -> bool {
    let member = uid.rsplit(|byte| matches!(byte, b'.' | b'>')).next();
    member.is_some_and(|name| name.starts_with(b"s_") || name.starts_with(b"rp_"))
}

/// What a block holds, if that is one statement.
fn only_statement(block: Node<'_>) -> Node<'_> {
    let mut children = block.named_children();
    match (children.next(), children.next()) {
        (Some(only), None) if block.kind() == Kind::CompoundStatement => only,
        _ => block,
    }
}

/// The statement that holds an expression.
fn statement(expression: Node<'_>) -> Option<Node<'_>> {
    let mut at = Some(expression);
    while let Some(node) = at {
        let within = node.parent().is_none_or(|above| {
            matches!(above.kind(), Kind::CompoundStatement | Kind::CaseStatement)
        });
        if within {
            return Some(node);
        }
        at = node.parent();
    }
    None
}
