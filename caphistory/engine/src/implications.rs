//! What a condition says about another one: in go two conditions, out comes whether the second
//! holds wherever the first does, as far as their text tells.

use crate::tree::{Field, Kind, Node};

const DEEPEST: u32 = 20;
/// Choices among the known conditions whose sides are tried: more are no test of permission.
const MOST_CASES: u32 = 3;

/// Whether a condition is true or false wherever the conditions `known` have the truth beside them;
/// None where they do not tell: "mask == MAY_READ" leaves "!(mask & MAY_EXEC)" true.
pub fn implied<'t>(condition: Node<'t>, known: &[(Node<'t>, bool)], code: &[u8]) -> Option<bool> {
    let mut facts = vec![];
    for (one, truth) in known {
        facts_of(*one, *truth, code, 0, &mut facts);
    }
    Implied { facts, code }.in_each_case(condition, 0)
}

/// Conditions without `&&` and `!`, each with its truth.
struct Implied<'t, 'c> {
    facts: Vec<(Node<'t>, bool)>,
    code: &'c [u8],
}

impl<'t> Implied<'t, '_> {
    /// The truth of a condition that it has whichever side of an `||` that is true makes that true:
    /// "if (mask == MAY_READ || (S_ISDIR(mode) && !(mask & MAY_WRITE)))" (vfs_permission of 2.6).
    fn in_each_case(&self, condition: Node<'t>, depth: u32) -> Option<bool> {
        if let Some(truth) = self.truth(condition, 0) {
            return Some(truth);
        }
        if depth >= MOST_CASES {
            return None;
        }
        let (at, sides, truth) = self
            .facts
            .iter()
            .enumerate()
            .find_map(|(at, (one, truth))| {
                let (sign, left, right) = one.sides()?;
                let is_choice = sign == if *truth { Kind::OrOr } else { Kind::AndAnd };
                is_choice.then_some((at, [left, right], *truth))
            })?;
        let [one, other] = sides.map(|side| {
            let mut facts = self.facts.clone();
            facts.remove(at);
            facts_of(side, truth, self.code, 0, &mut facts);
            let code = self.code;
            Implied { facts, code }.in_each_case(condition, depth + 1)
        });
        one.filter(|_| one == other)
    }

    fn truth(&self, node: Node<'t>, depth: u32) -> Option<bool> {
        if depth > DEEPEST {
            return None;
        }
        let text = node.bytes(self.code);
        let same = self
            .facts
            .iter()
            .find(|(one, _)| one.bytes(self.code) == text);
        if let Some((_, truth)) = same {
            return Some(*truth);
        }
        match node.kind() {
            Kind::ParenthesizedExpression => self.truth(node.last_named()?, depth + 1),
            Kind::UnaryExpression if is_not(node, self.code) => {
                Some(!self.truth(node.field(Field::Argument)?, depth + 1)?)
            }
            Kind::BinaryExpression => {
                let (sign, left, right) = node.sides()?;
                match sign {
                    Kind::AndAnd | Kind::OrOr => {
                        let settles = sign == Kind::OrOr;
                        let one = self.truth(left, depth + 1);
                        let other = self.truth(right, depth + 1);
                        match (one, other) {
                            _ if one == Some(settles) || other == Some(settles) => Some(settles),
                            (Some(_), Some(_)) => Some(!settles),
                            _ => None,
                        }
                    }
                    Kind::And => self.has_flag(left, right),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// Whether a variable that is known to equal one flag has another one.
    fn has_flag(&self, variable: Node<'t>, flag: Node<'t>) -> Option<bool> {
        let flag = flag_name(flag, self.code)?;
        self.facts.iter().find_map(|(one, truth)| {
            let (sign, left, right) = one.sides()?;
            let is_of_it = left.bytes(self.code) == variable.bytes(self.code);
            let equals = flag_name(right, self.code).filter(|_| is_of_it)?;
            (*truth && sign == Kind::Equal).then_some(equals == flag)
        })
    }
}

/// The parts of a condition that each have a truth of their own if the whole has this one.
fn facts_of<'t>(
    node: Node<'t>,
    truth: bool,
    code: &[u8],
    depth: u32,
    facts: &mut Vec<(Node<'t>, bool)>,
) {
    if depth > DEEPEST {
        return;
    }
    let inner = match node.kind() {
        Kind::ParenthesizedExpression => node.last_named().map(|one| (one, truth)),
        Kind::UnaryExpression if is_not(node, code) => {
            node.field(Field::Argument).map(|one| (one, !truth))
        }
        _ => None,
    };
    if let Some((inner, truth)) = inner {
        return facts_of(inner, truth, code, depth + 1, facts);
    }
    match node.sides() {
        Some((Kind::AndAnd, left, right)) if truth => {
            facts_of(left, truth, code, depth + 1, facts);
            facts_of(right, truth, code, depth + 1, facts);
        }
        Some((Kind::OrOr, left, right)) if !truth => {
            facts_of(left, truth, code, depth + 1, facts);
            facts_of(right, truth, code, depth + 1, facts);
        }
        _ => facts.push((node, truth)),
    }
}

fn is_not(node: Node, code: &[u8]) -> bool {
    code.get(node.start()) == Some(&b'!')
}

/// The name of a constant that is a flag: MAY_READ.
fn flag_name<'c>(node: Node, code: &'c [u8]) -> Option<&'c [u8]> {
    let name = node.bytes(code);
    let capital = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    (node.kind() == Kind::Identifier && name.iter().all(capital)).then_some(name)
}
