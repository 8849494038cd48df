//! Errors by their names: in goes a name or an outcome, out comes what kind of error that is; in
//! goes the text of a function, out come the errors that it gives.

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
    matches!(outcome, Outcome::Error(_) | Outcome::Either(_))
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

/// The errors that a function gives by name, of those that a missing privilege gives; of a macro
/// (`(log(fc, format), -EINVAL)`) that which it is, whatever its name.
pub(crate) fn refusals(code: &[u8]) -> Vec<Sym> {
    let mut found = vec![];
    for at in memchr::memmem::find_iter(code, b"-E") {
        let rest = &code[at + 1..];
        let length = rest
            .iter()
            .position(|byte| !(byte.is_ascii_uppercase() || byte.is_ascii_digit()))
            .unwrap_or(rest.len());
        let (name, behind) = rest.split_at(length);
        let is_value = match code[..at].trim_ascii_end() {
            [.., b'=' | b'!' | b'<' | b'>', b'='] => false,
            [.., b'=' | b'?' | b':'] => true,
            [.., b','] => !behind.iter().any(|byte| !matches!(byte, b')' | b' ')),
            before => before.ends_with(b"return") || before.ends_with(b"ERR_PTR("),
        };
        let last = code[..at].trim_ascii_end().ends_with(b",");
        if is_errno(name) && is_value && (last || is_refusal(error(name))) {
            found.push(Sym::latin1(name));
        }
    }
    found.sort_by_key(|one| one.text());
    found.dedup();
    found
}
