//! What a function does about what a call in it gives, and what that makes of a check that fails:
//! plain values, of which each list is kept once.

use crate::intern::{Sym, SymList};
use crate::numbering::list;

/// What a false result of a check does.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Effect {
    Deny,
    Limit,
    #[default]
    Unknown,
}

impl Effect {
    pub fn text(self) -> &'static str {
        match self {
            Effect::Deny => "deny",
            Effect::Limit => "limit",
            Effect::Unknown => "unknown",
        }
    }
}

/// What a call is assumed to give.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Given {
    False,
    True,
    Error,
    /// 0, with an error in a variable whose address it was handed.
    Left,
}

impl Given {
    /// In the order in which `Call` has its outcomes.
    pub const ALL: [Given; 4] = [Given::False, Given::True, Given::Error, Given::Left];
}

/// What a function does about what a call in it gives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Outcome {
    /// It goes on with its work, restricted perhaps.
    #[default]
    GoesOn,
    /// It returns what the call gave.
    Same,
    /// It returns an error (`EPERM`; empty for a negative number).
    Error(Sym),
    /// It returns one of two errors, by whether a parameter has a flag. The parts: the one as a rule, the
    /// parameter, the flag, the error with it and the one without.
    Either(SymList),
    /// It returns what the call gave, but one error in the place of another. The parts: the one that
    /// the call may give and the one that is returned then.
    Turned(SymList),
    /// It goes on, restricted, and returns an error where the restriction is hit.
    Limited(Sym),
    /// It returns 0, NULL or false.
    Zero,
    /// It returns 1 or true.
    One,
    /// It returns 0 and leaves an error (empty for that which the call left) in a variable that it
    /// was handed.
    Left(Sym),
    /// It returns the error that the call left in a variable.
    Reason,
    /// It returns what another function gives, which has the last word without the privilege: "if
    /// (capable(…)) return 0; return smk_access(…);".
    Of(Sym),
    /// It sends an error (empty for that of the call) as its answer, whatever it returns.
    Reply(Sym),
    Unknown,
}

impl Outcome {
    /// What a refusal with this outcome is at its own place.
    pub fn effect(self) -> Effect {
        match self {
            Outcome::GoesOn | Outcome::Limited(_) | Outcome::Of(_) => Effect::Limit,
            Outcome::Error(_) | Outcome::Either(_) | Outcome::Left(_) | Outcome::Reply(_) => {
                Effect::Deny
            }
            Outcome::Same
            | Outcome::Turned(_)
            | Outcome::Reason
            | Outcome::Zero
            | Outcome::One
            | Outcome::Unknown => Effect::Unknown,
        }
    }

    /// The error that it comes with, or the empty text.
    pub fn errno(self) -> Sym {
        match self {
            Outcome::Error(errno)
            | Outcome::Limited(errno)
            | Outcome::Left(errno)
            | Outcome::Reply(errno) => errno,
            Outcome::Either(parts) => parts.get().first().copied().unwrap_or_default(),
            _ => Sym::default(),
        }
    }
}

list!(
    /// An interned list of outcomes.
    OutcomeList, Outcome
);
