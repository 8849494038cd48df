//! Expressions that are a uid of a task.

use std::sync::LazyLock;

use regex::Regex;
use rustc_hash::FxHashSet;

use crate::places::Places;
use crate::tree::{Field, Kind, Node};

static TASK_UID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"\A(?:(?:(?::current|get_current\(\)|struct task_struct)(?:>(?:real_)?cred)?|struct cred|current_cred\(\)|__task_cred\([^>]*\))>(?:e|s|fs)?uid(?:>val)?)\z",
    )
    .expect("a pattern")
});

/// Whether an expression is a uid of a task: `current->euid`, `current_fsuid()`.
pub fn is_uid(node: Node, places: &Places) -> bool {
    match node.kind() {
        Kind::FieldExpression => {
            let uid = |field: Node| {
                let name = field.bytes(places.code);
                name.ends_with(b"uid") || name.ends_with(b"val")
            };
            node.field(Field::Field).is_some_and(uid) && TASK_UID.is_match(&places.place(node))
        }
        Kind::CallExpression => node
            .field(Field::Function)
            .and_then(|function| function.bytes(places.code).strip_prefix(b"current_"))
            .is_some_and(|rest| matches!(rest, b"uid" | b"euid" | b"suid" | b"fsuid")),
        _ => false,
    }
}

/// Whether a name stands for root.
pub fn is_root(name: &[u8]) -> bool {
    matches!(name, b"GLOBAL_ROOT_UID" | b"ROOT_UID")
}

/// Whether an expression is the account that the kernel keeps of root's tasks (2.4 on).
pub fn is_root_user(text: &[u8]) -> bool {
    matches!(text, b"&root_user" | b"INIT_USER")
}

/// A kind of id that a task has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Id {
    User,
    Group,
}

impl Id {
    /// What the names of such ids end with.
    pub fn word(self) -> &'static [u8] {
        match self {
            Id::User => b"uid",
            Id::Group => b"gid",
        }
    }
}

/// The kind of id of the caller that an expression is, as its text tells: `cred->euid`,
/// `current->fsuid`, `current_fsgid()`.
pub fn own_id(text: &[u8]) -> Option<Id> {
    static OWN: LazyLock<regex::bytes::Regex> = LazyLock::new(|| {
        regex::bytes::Regex::new(
            r"(?-u)\A(?:(?:current|get_current\(\))(?:->(?:real_)?cred)?->|cred->|current_cred\(\)->|current_)(?:e|s|fs)?(u|g)id(?:\(\))?\z",
        )
        .expect("a pattern")
    });
    OWN.captures(text).map(|found| match &found[1] {
        b"u" => Id::User,
        _ => Id::Group,
    })
}

/// Whether an expression makes the uid of root in some user namespace: `make_kuid(ns, 0)`.
pub fn is_made_root(node: Node, code: &[u8]) -> bool {
    let function = node.field(Field::Function);
    let made = function.is_some_and(|one| one.bytes(code) == b"make_kuid");
    let arguments = node.field(Field::Arguments).filter(|_| made);
    let last = arguments.and_then(|all| all.last_named());
    last.is_some_and(|last| last.bytes(code) == b"0")
}

/// Whether a call's arguments are a task's uid and root's: `uid_eq(…, GLOBAL_ROOT_UID)`; `roots`
/// are variables that are root's.
pub fn compares_root(arguments: Node, places: &Places, roots: &FxHashSet<&'static str>) -> bool {
    let root = |child: Node| {
        child.bytes(places.code) == b"GLOBAL_ROOT_UID"
            || is_made_root(child, places.code)
            || child.kind() == Kind::Identifier && roots.contains(&*child.text(places.code))
    };
    arguments.named_children().any(root)
        && arguments
            .named_children()
            .any(|child| is_uid(child, places))
}
