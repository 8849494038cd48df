//! Errors by their names: in goes a name or an outcome, out comes what kind of error that is.

use crate::effects::Outcome;
use crate::intern::Sym;

/// Errors that say that there is no more of something: a check that saves from one of them lifts
/// a limit.
pub(crate) const EXHAUSTED: [&str; 14] = [
    "E2BIG",
    "EAGAIN",
    "EDQUOT",
    "EFBIG",
    "EMFILE",
    "EMLINK",
    "EMSGSIZE",
    "ENFILE",
    "ENOBUFS",
    "ENOMEM",
    "ENOSPC",
    "ETOOMANYREFS",
    "EUSERS",
    "EWOULDBLOCK",
];

pub(super) fn error(name: &[u8]) -> Outcome {
    Outcome::Error(Sym::latin1(name))
}

pub(super) fn is_error(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Error(_))
}

/// Whether an error is one that a missing privilege gives, not a fault of the work behind.
pub(super) fn is_refusal(outcome: Outcome) -> bool {
    let name = outcome.errno();
    match name.text() {
        "EPERM" | "EACCES" => true,
        // Of memory for the work itself.
        "ENOMEM" => false,
        other => EXHAUSTED.contains(&other),
    }
}

/// Whether a name is one of an error: EPERM, E2BIG.
pub(super) fn is_errno(name: &[u8]) -> bool {
    let capital = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    (name.len() > 3 || name == b"EIO") && name[0] == b'E' && name.iter().all(capital)
}

/// Whether a variable's name says that it holds an error.
pub(super) fn is_errno_variable(name: &[u8]) -> bool {
    name.starts_with(b"err") || name.starts_with(b"ret") || matches!(name, b"rc" | b"res")
}
