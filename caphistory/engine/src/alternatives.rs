//! Which other tests would do as well as one: `capable(A) || capable(B)`, be it in one condition or
//! in two that lead to the same refusal.
//!
//! An alternative is a tuple of the name of what is called and its arguments (as `facts::Call` has
//! them), `uid0`, `owner`: a comparison of a uid of the caller with that of something else, or
//! `limit`: one of how much is asked for with how much is allowed.

use crate::effects::Outcome;
use crate::implications::implied;
use crate::intern::{Expr, Sym};
use crate::limits::{exceeds, is_resource_limit};
use crate::outcomes::{Flow, each_before, each_set, leaves};
use crate::places::Places;
use crate::tree::{Field, Kind, Node};
use crate::uids::{is_own, is_root, is_root_user, is_uid};

pub const OWNER: &str = "owner";
pub const UID0: &str = "uid0";
/// Who stays within a limit needs no privilege.
pub const LIMIT: &str = "limit";
const DEEPEST: u32 = 20;
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

    /// Whether one side is a uid of the caller and the other one that of something else: not an
    /// argument, which a caller of setuid is free to choose.
    fn compares_owner(&self, one: Node<'t>, other: Node<'t>) -> bool {
        let sides = [one, other].map(|side| self.source(side));
        let own = sides.map(|side| is_own(side.bytes(self.flow.code)));
        match own {
            [true, false] => self.is_of_object(sides[1]),
            [false, true] => self.is_of_object(sides[0]),
            _ => false,
        }
    }

    fn is_of_object(&self, node: Node) -> bool {
        let text = node.bytes(self.flow.code);
        let found = |word: &[u8]| memchr::memmem::find(text, word).is_some();
        !matches!(node.kind(), Kind::Identifier | Kind::NumberLiteral)
            && found(b"uid")
            && !found(b"make_kuid")
            && !is_of_super_block(text)
    }

    /// What a local variable was set to before, if it is one.
    fn source(&self, node: Node<'t>) -> Node<'t> {
        if node.kind() != Kind::Identifier {
            return node;
        }
        let name = node.bytes(self.flow.code);
        let mut found = None;
        if let Some(statement) = statement(self.expression) {
            each_before(statement, |one| {
                each_set(one, self.flow.code, &mut |set, value| {
                    if set == name {
                        found = found.or(value);
                    }
                });
            });
        }
        found.unwrap_or(node)
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
