//! What a missing privilege does, read from the syntax around a check.
//!
//! A check stands in a decision (an if, a `?:`); following the side that is taken when the check
//! fails leads to a return, a goto, or on.

use std::cell::{Cell, OnceCell};
use std::sync::LazyLock;

use regex::bytes::Regex;
use rustc_hash::FxHashMap;

use crate::facts::Effect;
use crate::places::is_word;
use crate::tree::{Field, Kind, Node};

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

static ERRNO: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?-u)\b(E[A-Z][A-Z0-9]{2,})\b"));
static NEGATIVE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?-u)\A\(?\s*-\s*\d+\s*\)?\z"));
// "pt_error_return(regs, EPERM);" (the ptrace of sparc)
static REPORTED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?-u)[(,]\s*-?\s*(E[A-Z][A-Z0-9]{2,})\s*[,)]"));
static VARIABLE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?-u)\A[-(\s]*(?:ERR_PTR\s*\(\s*)?(\w+)[)\s]*\z"));

/// What a function leaves in a variable of its caller.
const OUT: &[u8] = b"*";
const LOOK_BACK: usize = 16;
const LEVELS: usize = 6;
/// Bytes of a statement: what sets an error is short.
const LONGEST: usize = 400;
const DEEPEST: u32 = 20;

/// An effect, and the error (`EPERM`) that it comes with, or nothing.
pub type Outcome<'c> = (Effect, &'c [u8]);

/// Nothing is known.
pub const UNKNOWN: Outcome<'static> = (Effect::Unknown, b"");
const LIMIT: Outcome<'static> = (Effect::Limit, b"");

/// The errors that variables hold, by name; an empty one for any other value.
type Known<'c> = FxHashMap<&'c [u8], &'c [u8]>;

/// The ifs and conditional expressions of one syntax tree, each with its outcomes.
pub struct Decisions<'t, 'c> {
    code: &'c [u8],
    labels: OnceCell<FxHashMap<&'c [u8], Node<'t>>>,
}

impl<'t, 'c> Decisions<'t, 'c> {
    pub fn new(code: &'c [u8]) -> Decisions<'t, 'c> {
        Decisions {
            code,
            labels: OnceCell::new(),
        }
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
}

/// An if statement or conditional expression; outcomes are worked out when first asked for.
pub struct Decision<'t, 'c> {
    node: Node<'t>,
    outcomes: [Cell<Option<Outcome<'c>>>; 2],
}

impl<'t, 'c> Decision<'t, 'c> {
    /// The decision that an if statement or conditional expression makes.
    pub fn new(node: Node<'t>) -> Decision<'t, 'c> {
        Decision {
            node,
            outcomes: [Cell::new(None), Cell::new(None)],
        }
    }

    /// The effect of the condition being `truth`.
    pub fn when(&self, truth: bool, among: &Decisions<'t, 'c>) -> Outcome<'c> {
        let known = &self.outcomes[usize::from(truth)];
        known.get().unwrap_or_else(|| {
            let found = match self.node.kind() {
                Kind::ConditionalExpression => self.ternary(truth, among),
                _ => self.statement(truth, among),
            };
            known.set(Some(found));
            found
        })
    }

    fn side(&self, truth: bool) -> Option<Node<'t>> {
        self.node.field(if truth {
            Field::Consequence
        } else {
            Field::Alternative
        })
    }

    fn ternary(&self, truth: bool, among: &Decisions<'t, 'c>) -> Outcome<'c> {
        let effect = self.side(truth).map_or(UNKNOWN, |side| {
            value(side.bytes(among.code), &Known::default())
        });
        let mut above = self.node.parent();
        while let Some(node) = above.filter(|node| node.kind() == Kind::ParenthesizedExpression) {
            above = node.parent();
        }
        if effect == UNKNOWN && above.is_some_and(|node| node.kind() != Kind::ReturnStatement) {
            return LIMIT; // "resvport = capable(…) ? 1 : 0"
        }
        effect
    }

    fn statement(&self, truth: bool, among: &Decisions<'t, 'c>) -> Outcome<'c> {
        let mut way = Way { among, steps: 0 };
        if let Some(taken) = self.side(truth) {
            return way.follow(&[taken], &self.before(among.code), b"", false);
        }
        if truth {
            return UNKNOWN;
        }
        // "if (capable(…)) return 0;" denies behind the statement.
        if self.side(true).is_some_and(leaves) {
            let effect = way.follow(&behind(self.node), &self.before(among.code), b"", false);
            return if effect.0 == Effect::Deny {
                effect
            } else {
                LIMIT
            };
        }
        LIMIT
    }

    /// What variables hold on the way to the decision: the nearest assignment wins.
    fn before(&self, code: &'c [u8]) -> Known<'c> {
        let mut known = Known::default();
        let mut at = Some(self.node);
        for _ in 0..LEVELS {
            let Some(node) = at else {
                break;
            };
            let mut sibling = node.previous();
            for _ in 0..LOOK_BACK {
                let Some(statement) = sibling else {
                    break;
                };
                if matches!(
                    statement.kind(),
                    Kind::ExpressionStatement | Kind::Declaration
                ) {
                    each_assignment(statement.bytes(code), |name, errno| {
                        known.entry(name).or_insert(errno);
                    });
                }
                sibling = statement.previous();
            }
            at = node.parent();
        }
        known
    }
}

/// What happens from a statement on, through blocks, labels and breaks.
struct Way<'d, 't, 'c> {
    among: &'d Decisions<'t, 'c>,
    steps: u32,
}

impl<'t, 'c> Way<'_, 't, 'c> {
    /// The effect of running statements. `before` is what variables hold, by name; `fresh` is an
    /// error that was set on this way, or empty; `leaving` is set behind a goto or break, where
    /// what a nested if denies has nothing to do with the check (copy_to_user behind `err_out:`
    /// in the userfaultfd.c of 6.8).
    fn follow(
        &mut self,
        statements: &[Node<'t>],
        before: &Known<'c>,
        fresh: &'c [u8],
        leaving: bool,
    ) -> Outcome<'c> {
        self.steps += 1;
        if self.steps > DEEPEST {
            return UNKNOWN;
        }
        let mut known = before.clone();
        let mut fresh = fresh;
        let mut within = UNKNOWN; // what a nested if does
        for &statement in statements {
            match statement.kind() {
                Kind::ExpressionStatement | Kind::Declaration => {
                    let set = set(statement.bytes(self.among.code), &mut known);
                    if !set.is_empty() {
                        fresh = set;
                    }
                }
                Kind::CompoundStatement | Kind::ElseClause | Kind::LabeledStatement => {
                    let effect = self.follow(&inside(statement), &known, fresh, leaving);
                    if effect != LIMIT {
                        return effect;
                    }
                }
                Kind::IfStatement if is_else_if(statement) => {
                    // "if (suser()) … else if (gid == …) … else return -EPERM" (sys_setgid of
                    // 2.0): what the last else does is what a missing privilege comes to.
                    return match statement.field(Field::Alternative) {
                        Some(last) => self.follow(&[last], &known, fresh, false),
                        None => LIMIT,
                    };
                }
                Kind::IfStatement if within.0 != Effect::Deny && !leaving => {
                    // "if (!suser()) { if (changes) return -EPERM; … goto exit; }": what every
                    // driver of a serial port does to TIOCSSERIAL.
                    within = match statement.field(Field::Consequence) {
                        Some(then) => self.follow(&[then], &known, b"", false),
                        None => UNKNOWN,
                    };
                }
                Kind::ReturnStatement
                | Kind::GotoStatement
                | Kind::BreakStatement
                | Kind::ContinueStatement => {
                    let effect = self.leave(statement, &known, fresh);
                    let nested = within.0 == Effect::Deny && effect.0 != Effect::Deny;
                    return if nested { within } else { effect };
                }
                _ => {}
            }
        }
        if within.0 == Effect::Deny {
            within
        } else if fresh.is_empty() {
            LIMIT
        } else {
            (Effect::Deny, fresh)
        }
    }

    fn leave(&mut self, statement: Node<'t>, known: &Known<'c>, fresh: &'c [u8]) -> Outcome<'c> {
        if statement.kind() == Kind::ReturnStatement {
            let returned = statement.first_named();
            let text = returned.map_or(&b""[..], |node| node.bytes(self.among.code));
            let effect = value(text, known);
            let left = if fresh.is_empty() {
                known.get(OUT).copied()
            } else {
                Some(fresh)
            };
            let nothing = matches!(text.trim_ascii(), b"" | b"0" | b"NULL");
            return match left {
                Some(left) if effect == UNKNOWN && !left.is_empty() && nothing => {
                    (Effect::Deny, left)
                }
                _ => effect,
            };
        }
        if !fresh.is_empty() {
            return (Effect::Deny, fresh);
        }
        match statement.kind() {
            Kind::ContinueStatement => LIMIT,
            Kind::GotoStatement => {
                let Some(label) = self.among.label(statement) else {
                    return UNKNOWN;
                };
                let mut behind = vec![label];
                behind.extend(following(label));
                if label.start() < statement.start() && !returns(&behind) {
                    return LIMIT; // "goto retry" (the proc.c of NFS up to 2.0)
                }
                self.follow(&behind, known, b"", true)
            }
            _ => {
                let mut switch = statement.parent();
                while let Some(node) = switch.filter(|node| !is_breakable(node.kind())) {
                    switch = node.parent();
                }
                match switch {
                    Some(switch) => self.follow(&following(switch), known, b"", true),
                    None => UNKNOWN,
                }
            }
        }
    }
}

fn is_breakable(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::SwitchStatement | Kind::ForStatement | Kind::WhileStatement | Kind::DoStatement
    )
}

/// Takes an assignment in; the error that it sets or reports, or empty.
fn set<'c>(text: &'c [u8], known: &mut Known<'c>) -> &'c [u8] {
    let mut errno: &[u8] = b"";
    each_assignment(text, |name, value| {
        known.insert(name, value);
        if !value.is_empty() {
            errno = value;
        }
    });
    if errno.is_empty()
        && text.len() < LONGEST
        && text.trim_ascii_end().ends_with(b";")
        && let Some(reported) = REPORTED.captures(text).and_then(|found| found.get(1))
    {
        errno = reported.as_bytes();
    }
    errno
}

fn inside(statement: Node) -> Vec<Node> {
    let shown = |child: &Node| child.kind() != Kind::StatementIdentifier;
    statement.named_children().filter(shown).collect()
}

fn is_else_if(statement: Node) -> bool {
    statement
        .parent()
        .is_some_and(|above| above.kind() == Kind::ElseClause)
}

fn following(node: Node) -> Vec<Node> {
    std::iter::successors(node.next(), |node| node.next())
        .take(LOOK_BACK)
        .collect()
}

/// Whether statements come to a return at once: "out: return rc;" stands before the label that
/// goes back to it in inet_create of 2.6.
fn returns(statements: &[Node]) -> bool {
    let mut statements = statements.to_vec();
    loop {
        let mut within = None;
        for statement in &statements {
            match statement.kind() {
                Kind::ExpressionStatement => {}
                Kind::LabeledStatement => {
                    let inner = inside(*statement);
                    if inner
                        .first()
                        .is_some_and(|one| one.kind() != Kind::ExpressionStatement)
                    {
                        within = Some(inner);
                        break;
                    }
                }
                kind => return kind == Kind::ReturnStatement,
            }
        }
        match within {
            Some(inner) => statements = inner,
            None => return false,
        }
    }
}

/// What runs behind a statement: behind the if or block that it ends, if nothing else
/// (`if (a) if (capable(…)) return 0;`: vfs_permission in the namei.c of 2.2).
fn behind(node: Node) -> Vec<Node> {
    let mut at = Some(node);
    while let Some(node) = at.filter(|node| {
        matches!(
            node.kind(),
            Kind::IfStatement | Kind::ElseClause | Kind::CompoundStatement | Kind::LabeledStatement
        )
    }) {
        let found = following(node);
        let above = node.parent();
        if !found.is_empty() && above.is_some_and(|above| above.kind() != Kind::IfStatement) {
            return found;
        }
        at = above;
    }
    vec![]
}

fn leaves(statement: Node) -> bool {
    let mut last = statement;
    while last.kind() == Kind::CompoundStatement
        && let Some(inner) = last.last_named()
    {
        last = inner;
    }
    matches!(
        last.kind(),
        Kind::ReturnStatement | Kind::GotoStatement | Kind::BreakStatement
    )
}

/// The effect of returning an expression.
fn value<'c>(text: &'c [u8], known: &Known<'c>) -> Outcome<'c> {
    if let Some(errno) = ERRNO.find(text) {
        return (Effect::Deny, errno.as_bytes());
    }
    if NEGATIVE.is_match(text) {
        return (Effect::Deny, b"");
    }
    VARIABLE
        .captures(text)
        .and_then(|variable| variable.get(1))
        .and_then(|name| known.get(name.as_bytes()))
        .filter(|held| !held.is_empty())
        .map_or(UNKNOWN, |held| (Effect::Deny, held))
}

/// Calls `found` with the variables that a statement sets, each with the error that it sets
/// them to, or with nothing. Also "*err = -ENOSPC" (the balloc.c of ext2), "code =
/// XFS_ERROR(EPERM)", "ERR_PTR(-EPERM)".
fn each_assignment<'c>(text: &'c [u8], mut found: impl FnMut(&'c [u8], &'c [u8])) {
    if text.len() > LONGEST {
        return;
    }
    let mut behind = 0; // the last assignment
    for sign in memchr::memchr_iter(b'=', text) {
        if sign < behind || text.get(sign + 1) == Some(&b'=') {
            continue;
        }
        let end = back(text, sign, behind, is_white);
        let start = back(text, end, 0, is_word);
        if start == end || start < behind {
            continue;
        }
        let before = back(text, start, behind, is_white);
        let star = before > behind && text.get(before - 1) == Some(&b'*');
        let errno = assigned(text, ahead(text, sign + 1, is_white));
        behind = match &errno {
            Some(range) => range.end,
            None => ahead(text, sign + 1, is_white),
        };
        let errno = errno.and_then(|range| text.get(range)).unwrap_or_default();
        match text.get(start..end) {
            Some(_) if star && errno.is_empty() => {}
            Some(_) if star => found(OUT, errno),
            Some(name) => found(name, errno),
            None => {}
        }
    }
}

/// Where the error stands that an expression at an offset is.
fn assigned(text: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let macro_end = ahead(text, at, |b| b.is_ascii_uppercase() || b == b'_');
    let opening = ahead(text, macro_end, is_white);
    let called = (macro_end > at && text.get(opening) == Some(&b'(')).then_some(opening + 1);
    called.into_iter().chain([at]).find_map(|start| {
        let start = ahead(text, start, |b| matches!(b, b'-' | b'(') || is_white(b));
        let end = ahead(text, start, |b| {
            b.is_ascii_uppercase() || b.is_ascii_digit()
        });
        let [b'E', second, _, _, ..] = text.get(start..end)? else {
            return None;
        };
        if !second.is_ascii_uppercase() || text.get(end).is_some_and(|&b| is_word(b)) {
            return None;
        }
        // Not a macro, a member or an element of that name.
        let after = text.get(ahead(text, end, is_white));
        let part = matches!(after, Some(b'(' | b'.' | b'['))
            || text.get(end..).is_some_and(|rest| rest.starts_with(b"->"));
        (!part).then_some(start..end)
    })
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The first offset from `at` on that holds no such byte.
fn ahead(text: &[u8], at: usize, such: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|&&byte| such(byte)).count()
}

/// The first offset from which on up to `at` there are only such bytes.
fn back(text: &[u8], at: usize, earliest: usize, such: impl Fn(u8) -> bool) -> usize {
    let before = text.get(earliest..at).unwrap_or_default();
    at - before.iter().rev().take_while(|&&byte| such(byte)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assignments(text: &str) -> Vec<(String, String)> {
        let mut all = vec![];
        each_assignment(text.as_bytes(), |name, errno| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            all.push((text(name), text(errno)));
        });
        all
    }

    #[test]
    fn errors_that_are_assigned() {
        let pairs = |all: &[(&str, &str)]| -> Vec<(String, String)> {
            all.iter().map(|&(a, b)| (a.into(), b.into())).collect()
        };
        assert_eq!(assignments("err = -EPERM;"), pairs(&[("err", "EPERM")]));
        assert_eq!(assignments("*err = -ENOSPC;"), pairs(&[("*", "ENOSPC")]));
        assert_eq!(assignments("*p = 1;"), pairs(&[]));
        assert_eq!(
            assignments("c = XFS_ERROR(EPERM);"),
            pairs(&[("c", "EPERM")])
        );
        assert_eq!(
            assignments("c = ERR_PTR(-EPERM);"),
            pairs(&[("c", "EPERM")])
        );
        assert_eq!(
            assignments("a = b = EPERM;"),
            pairs(&[("a", ""), ("b", "EPERM")])
        );
        assert_eq!(assignments("a = EFOO(1), b == c"), pairs(&[("a", "")]));
        assert_eq!(assignments("a = EFOO ->b"), pairs(&[("a", "EFOO")]));
        assert_eq!(assignments("a += 1; b <= c; p->x=2"), pairs(&[("x", "")]));
    }
}
