//! Of which kinds a file must be where code goes on: a condition goes in
//! (`S_ISREG(inode->i_mode)`), and what it tells of which variables comes out.

use rustc_hash::FxHashMap;

use crate::file_kinds::{ALL, Kinds, PLACED_FLAG, UNPLACED, kind_of};
use crate::lexer::is_upper;
use crate::places::Locals;
use crate::tree::{Field, Kind, Node};

const DEEPEST: u32 = 20;

/// Whether a text may test a kind at all.
pub fn may_test(code: &[u8]) -> bool {
    let signs = ["S_IS", "S_IF", PLACED_FLAG];
    let mut found = signs
        .iter()
        .map(|sign| memchr::memmem::find(code, sign.as_bytes()));
    found.any(|one| one.is_some())
}

/// Of which kinds what comes from some variables is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<'c> {
    pub kinds: Kinds,
    pub of: Vec<&'c str>,
}

impl Told<'_> {
    /// Whether it tells of something that comes from one of these variables.
    pub fn concerns(&self, variables: &[&str]) -> bool {
        self.of.iter().any(|one| variables.contains(one))
    }
}

/// From which variables others were made: `inode` of `inode = file->f_inode` from `file`.
#[derive(Default)]
pub struct Origins<'c> {
    known: FxHashMap<&'c str, Vec<&'c str>>,
}

impl<'c> Origins<'c> {
    /// Takes down that a variable is given a value.
    pub fn set(&mut self, variable: &'c str, value: Node, code: &'c [u8], locals: &Locals) {
        let found = self.of(value, code, locals);
        self.known.insert(variable, found);
    }

    /// Takes down that a variable is filled from others, too.
    pub fn add_all<'n>(
        &mut self,
        variable: &'c str,
        others: impl Iterator<Item = Node<'n>>,
        code: &'c [u8],
        locals: &Locals,
    ) {
        let found: Vec<&'c str> = others.flat_map(|one| self.of(one, code, locals)).collect();
        self.known.entry(variable).or_default().extend(found);
    }

    /// The local variables that an expression is made of, and those that these were made of.
    pub fn of(&self, node: Node, code: &'c [u8], locals: &Locals) -> Vec<&'c str> {
        let mut found = vec![];
        self.add(node, code, locals, 0, &mut found);
        found
    }

    fn add(
        &self,
        node: Node,
        code: &'c [u8],
        locals: &Locals,
        depth: u32,
        found: &mut Vec<&'c str>,
    ) {
        if node.kind() == Kind::Identifier {
            let Some(name) = name_of(node, code).filter(|name| locals.contains(name)) else {
                return;
            };
            let origins = self.known.get(name).map_or(&[][..], Vec::as_slice);
            for &one in [name].iter().chain(origins) {
                if !found.contains(&one) {
                    found.push(one);
                }
            }
        } else if depth < DEEPEST {
            for child in node.named_children() {
                self.add(child, code, locals, depth + 1, found);
            }
        }
    }
}

/// The name that an identifier is.
pub fn name_of<'c>(node: Node, code: &'c [u8]) -> Option<&'c str> {
    let name = code.get(node.start()..node.end())?;
    std::str::from_utf8(name).ok()
}

/// What a condition tells of kinds where it is true, or where it is false.
pub fn told<'c>(
    condition: Node,
    truth: bool,
    code: &'c [u8],
    locals: &Locals,
    origins: &Origins<'c>,
) -> Option<Told<'c>> {
    told_within(
        condition,
        truth,
        &|subject| origins.of(subject, code, locals),
        code,
        0,
    )
}

type OriginsOf<'a, 'c> = &'a dyn Fn(Node) -> Vec<&'c str>;

fn told_within<'c>(
    node: Node,
    truth: bool,
    origins: OriginsOf<'_, 'c>,
    code: &'c [u8],
    depth: u32,
) -> Option<Told<'c>> {
    if depth > DEEPEST {
        return None;
    }
    let inner = |node: Node, truth: bool| told_within(node, truth, origins, code, depth + 1);
    let of_kind = |kinds: Kinds, truth: bool, subject: Node| Told {
        kinds: if truth {
            kinds | UNPLACED
        } else {
            ALL & !kinds
        },
        of: origins(subject),
    };
    match node.kind() {
        Kind::ParenthesizedExpression => inner(node.last_named()?, truth),
        Kind::UnaryExpression if code.get(node.start()) == Some(&b'!') => {
            inner(node.field(Field::Argument)?, !truth)
        }
        Kind::CallExpression => {
            let name = node.field(Field::Function)?.text(code);
            let only = only_argument(node)?;
            match kind_of(&name, "S_IS") {
                Some(kinds) => Some(of_kind(kinds, truth, only)),
                // WARN_ON(x), likely(x)
                None if is_upper(&name) || name.ends_with("likely") => inner(only, truth),
                None => None,
            }
        }
        Kind::BinaryExpression => {
            let (sign, left, right) = node.sides()?;
            match sign {
                Kind::AndAnd | Kind::OrOr => {
                    let both = (sign == Kind::AndAnd) == truth;
                    match (inner(left, truth), inner(right, truth)) {
                        (Some(one), Some(other)) => joined(one, other, both),
                        (one, other) if both => one.or(other),
                        _ => None,
                    }
                }
                Kind::Equal | Kind::NotEqual => {
                    let kinds = kind_of(&right.text(code), "S_IF")?;
                    Some(of_kind(kinds, (sign == Kind::Equal) == truth, left))
                }
                Kind::And if truth && right.text(code) == PLACED_FLAG => Some(Told {
                    kinds: ALL & !UNPLACED,
                    of: origins(left),
                }),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What both tell, or what one or the other does, of the same variables.
fn joined<'c>(one: Told<'c>, other: Told<'c>, both: bool) -> Option<Told<'c>> {
    if !one.concerns(&other.of) {
        return both.then_some(one);
    }
    Some(Told {
        kinds: if both {
            one.kinds & other.kinds
        } else {
            one.kinds | other.kinds
        },
        of: one.of,
    })
}

/// What is told where code goes on behind an if, of which at least one side `leaves`.
pub fn told_behind<'c>(
    statement: Node,
    leaves: &dyn Fn(Node) -> bool,
    told: &dyn Fn(Node, bool) -> Option<Told<'c>>,
) -> Option<Told<'c>> {
    let condition = statement.field(Field::Condition)?;
    let of_true = told(condition, true);
    let of_false = told(condition, false);
    if statement.field(Field::Consequence).is_some_and(leaves) {
        return of_false;
    }
    let mut other = statement.field(Field::Alternative)?;
    if leaves(other) {
        return of_true;
    }
    if other.kind() == Kind::ElseClause {
        other = other.last_named()?;
    }
    if other.kind() != Kind::IfStatement {
        return None;
    }
    let behind = joined(told_behind(other, leaves, told)?, of_false?, true)?;
    joined(of_true?, behind, false)
}

fn only_argument<'t>(call: Node<'t>) -> Option<Node<'t>> {
    let mut given = call
        .field(Field::Arguments)?
        .named_children()
        .filter(|one| one.kind() != Kind::Comment);
    let only = given.next()?;
    given.next().is_none().then_some(only)
}
