//! What is known while the code behind a call is run: in goes what the call is assumed to give and
//! what a statement sets, out comes what that leaves where the paths join again.

use super::errors::error;
use super::flow::Flow;
use super::values::{Known, Variables};
use crate::effects::{Given, Outcome};
use crate::tree::Node;

/// The code behind one call that gives something.
pub(super) struct Run<'d, 't, 'c> {
    pub(super) flow: &'d Flow<'t, 'c>,
    pub(super) call: Node<'t>,
    pub(super) start: Node<'t>,
    pub(super) given: Given,
    pub(super) steps: u32,
    pub(super) passed: Vec<Node<'t>>,
    pub(super) denying: Vec<Node<'t>>,
    /// Whether the call was made.
    pub(super) made: bool,
    /// Whether 0 was returned where the privilege is there: what is behind runs for the others.
    pub(super) spared: bool,
    /// Whether the condition of a loop is asked a second time.
    pub(super) again: bool,
    /// What variables held at the bound that was reached last.
    pub(super) variables: Variables<'c>,
}

/// Where a run is: `decided` says that the code runs only because of what the call gave, and until
/// the end of which statement; `leaving` that a goto or break led here, where what a nested if
/// denies has nothing to do with the call (copy_to_user behind `err_out:` in the userfaultfd.c of
/// 6.8).
pub(super) struct State<'t, 'c> {
    pub(super) variables: Variables<'c>,
    pub(super) decided: bool,
    pub(super) until: Option<Node<'t>>,
    pub(super) leaving: bool,
    /// An error that was set or reported because of the call.
    pub(super) fresh: &'c [u8],
    /// An error that is returned in the place of one that the call may have given, and that one.
    pub(super) turned: Option<[&'c [u8]; 2]>,
    /// What a nested if or switch denies.
    pub(super) within: Option<Outcome>,
    /// What is returned where the privilege is there: "if (capable(…)) return true;".
    pub(super) granted: Option<bool>,
}

impl<'d, 't, 'c> Run<'d, 't, 'c> {
    pub(super) fn new(
        flow: &'d Flow<'t, 'c>,
        call: Node<'t>,
        start: Node<'t>,
        given: Given,
    ) -> Self {
        Run {
            flow,
            call,
            start,
            given,
            steps: 0,
            passed: vec![],
            denying: vec![],
            made: false,
            spared: false,
            again: false,
            variables: vec![],
        }
    }
}

impl<'t, 'c> State<'t, 'c> {
    pub(super) fn rests(&self) -> bool {
        self.variables.iter().any(|(_, known)| known.rests)
    }

    pub(super) fn set(&mut self, name: &'c [u8], known: Known<'c>) {
        match self.variables.iter_mut().find(|(one, _)| *one == name) {
            Some((_, held)) => *held = known,
            None => self.variables.push((name, known)),
        }
    }

    /// What is left at the end of a function: "if (capable(…)) return true; switch (command) { …
    /// default: return false; }".
    pub(super) fn ended(&self) -> Outcome {
        match (self.rejoined(), self.granted) {
            (Outcome::GoesOn, Some(true)) => Outcome::Zero,
            (Outcome::GoesOn, Some(false)) => Outcome::One,
            (other, _) => other,
        }
    }

    /// What is left behind the code that the call decided about.
    pub(super) fn rejoined(&self) -> Outcome {
        match self.within {
            Some(denied) => denied,
            None if self.fresh.is_empty() => Outcome::GoesOn,
            None => error(self.fresh),
        }
    }
}
