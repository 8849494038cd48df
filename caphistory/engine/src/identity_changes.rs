//! Tests of uids that ask what becomes of an identity: in goes a test of a uid and the condition
//! around it, out comes whether it asks for no privilege but for what is given up or taken.

use rustc_hash::FxHashSet;

use crate::tree::{Field, Kind, Node};
use crate::uids::{is_made_root, is_root};

const DEEPEST: u32 = 20;

/// Whether a test of a uid stands beside one of another uid with the opposite sign: "old_euid == 0 &&
/// current->euid != 0", where root gives up its capabilities with its uid (cap_emulate_setxuid from
/// 2.1.103 on). Nobody is refused or restricted for not being root. Two uids that `current` has at one
/// time are no change: NFS up to 2.2 tries again as root where "current->fsuid == 0 && current->uid
/// != 0". `roots` are variables that are root's.
pub fn is_of_change(test: Node, roots: &FxHashSet<&'static str>, code: &[u8]) -> bool {
    let reader = Reader { roots, code };
    let mut own = reader.tests(test, true, 0);
    let mut node = test;
    while let Some(above) = node.parent() {
        match above.kind() {
            Kind::ParenthesizedExpression => {}
            Kind::UnaryExpression => own.iter_mut().for_each(|one| one.is_root = !one.is_root),
            Kind::BinaryExpression => {
                let Some((sign, left, right)) = above.sides() else {
                    return false;
                };
                let others = reader.tests(if left == node { right } else { left }, true, 0);
                let changes = |one: &Tested| others.iter().any(|other| other.is_after(one));
                match sign {
                    Kind::Equal | Kind::NotEqual => own = reader.tests(above, true, 0),
                    Kind::AndAnd if own.iter().any(changes) => return true,
                    _ => {}
                }
            }
            _ => return false,
        }
        node = above;
    }
    false
}

/// A test of a uid: whether it is the current task's, and whether it is root's.
struct Tested {
    is_of_current: bool,
    is_root: bool,
}

impl Tested {
    /// Whether the one is before a change and the other one after it.
    fn is_after(&self, other: &Self) -> bool {
        self.is_root != other.is_root && !(self.is_of_current && other.is_of_current)
    }
}

struct Reader<'a, 'c> {
    roots: &'a FxHashSet<&'static str>,
    code: &'c [u8],
}

impl Reader<'_, '_> {
    /// The tests of uids in a condition with this truth.
    fn tests(&self, node: Node, truth: bool, depth: u32) -> Vec<Tested> {
        let is_uid = |node: Node| self.is_uid(node);
        let tested = |uid: Node, is_root| Tested {
            is_of_current: uid
                .field(Field::Argument)
                .is_some_and(|object| object.bytes(self.code) == b"current"),
            is_root,
        };
        match node.kind() {
            _ if depth > DEEPEST => vec![],
            Kind::ParenthesizedExpression => match node.last_named() {
                Some(inner) => self.tests(inner, truth, depth + 1),
                None => vec![],
            },
            Kind::UnaryExpression if self.code.get(node.start()) == Some(&b'!') => {
                match node.field(Field::Argument) {
                    Some(inner) => self.tests(inner, !truth, depth + 1),
                    None => vec![],
                }
            }
            Kind::BinaryExpression => {
                let Some((sign, left, right)) = node.sides() else {
                    return vec![];
                };
                match sign {
                    Kind::AndAnd | Kind::OrOr => {
                        let mut found = self.tests(left, truth, depth + 1);
                        found.extend(self.tests(right, truth, depth + 1));
                        found
                    }
                    Kind::Equal | Kind::NotEqual if is_uid(left) && self.is_zero(right) => {
                        vec![tested(left, (sign == Kind::Equal) == truth)]
                    }
                    _ => vec![],
                }
            }
            Kind::CallExpression => {
                let is_test = node
                    .field(Field::Function)
                    .is_some_and(|name| name.bytes(self.code) == b"uid_eq");
                let arguments = node.field(Field::Arguments).filter(|_| is_test);
                let compared = arguments
                    .filter(|all| all.named_children().any(|one| self.is_root(one)))
                    .and_then(|all| all.named_children().find(|one| is_uid(*one)));
                compared.map(|uid| tested(uid, truth)).into_iter().collect()
            }
            _ if is_uid(node) => vec![tested(node, !truth)],
            _ => vec![],
        }
    }

    /// Whether an expression is a uid, of whomever: `current->euid`, `old_ruid`.
    fn is_uid(&self, node: Node) -> bool {
        let is_name = matches!(node.kind(), Kind::Identifier | Kind::FieldExpression);
        is_name && node.bytes(self.code).ends_with(b"uid") && !self.is_root(node)
    }

    fn is_zero(&self, node: Node) -> bool {
        node.bytes(self.code) == b"0" || self.is_root(node)
    }

    fn is_root(&self, node: Node) -> bool {
        let name = node.bytes(self.code);
        let is_variable = std::str::from_utf8(name).is_ok_and(|name| self.roots.contains(name));
        is_root(name) || is_variable || is_made_root(node, self.code)
    }
}
