//! What a check means to whoever calls the syscall.

use crate::effects::Effect;
use crate::intern::{Sym, SymList};

/// Whose privilege is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Subject {
    #[default]
    Caller,
    /// Another task: a tracer, a parent.
    Other,
    /// Whoever opened the file.
    Opener,
}

impl Subject {
    pub fn text(self) -> &'static str {
        match self {
            Subject::Caller => "caller",
            Subject::Other => "other",
            Subject::Opener => "opener",
        }
    }
}

/// In which user namespace a privilege is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Namespace {
    Init,
    /// The one that owns what is acted upon.
    Owner,
}

impl Namespace {
    pub fn text(self) -> &'static str {
        match self {
            Namespace::Init => "init",
            Namespace::Owner => "owner",
        }
    }
}

/// `operation` is what the caller asks for, outermost first, joined by `/`; empty where the
/// arguments do not select the way to the check. `effect` and `errno` are those of the syscall.
/// `instead` are the other privileges any one of which does as well, sorted. `namespace` is None
/// before user namespaces.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Meaning {
    pub operation: Sym,
    pub effect: Effect,
    pub errno: Option<Sym>,
    pub instead: SymList,
    pub subject: Subject,
    pub namespace: Option<Namespace>,
}
