//! What a body tells of the kinds of its files, and under whose credentials it calls.

use super::BodyReader;
use crate::file_kinds::{self, Kinds};
use crate::intern::Sym;
use crate::kind_tests::{self, Told};
use crate::tree::{Field, Kind, Node};

/// What puts other credentials on, and what takes them off again.
const OVERRIDING: &str = "override_creds";
pub(super) const REVERTING: &str = "revert_creds";

impl<'t, 'c, 'a> BodyReader<'t, 'c, 'a> {
    pub(super) fn told_kinds(&self, condition: Node<'_>, truth: bool) -> Option<Told<'c>> {
        kind_tests::told(
            condition,
            truth,
            self.code,
            &self.places.locals,
            &self.origins,
        )
    }

    /// Takes down what a condition tells; how much was told before.
    pub(super) fn tell_kinds(
        &mut self,
        condition: Node<'t>,
        truth: bool,
        start: usize,
        end: usize,
    ) -> usize {
        let known = self.kinds.len();
        if self.tests_kinds
            && let Some(told) = self.told_kinds(condition, truth)
        {
            self.kinds.push((start, end, told));
        }
        known
    }

    /// The kinds that all tests around the code at hand allow, whatever they test.
    pub(super) fn kinds_here(&self) -> Kinds {
        all_kinds(self.kinds.iter().map(|(_, _, told)| told.kinds))
    }

    /// The kinds of which the file is that a call is handed.
    pub(super) fn kinds_of(&self, arguments: Node<'t>) -> Kinds {
        if self.kinds.is_empty() {
            return 0;
        }
        let given = self.origins.of(arguments, self.code, &self.places.locals);
        let concerned = self
            .kinds
            .iter()
            .filter(|(_, _, told)| told.concerns(&given));
        all_kinds(concerned.map(|(_, _, told)| told.kinds))
    }

    /// Takes down that a call may fill structs of the body's own with what else it is handed: what
    /// coda_prepare_openfile fills stands for the container of the inode (2.2.24).
    pub(super) fn fill_structs(&mut self, given: &[Node<'t>]) {
        if self.own_structs.is_empty() {
            return;
        }
        for &filled in given {
            let is_address = self.code.get(filled.start()) == Some(&b'&');
            let name = filled
                .field(Field::Argument)
                .filter(|_| is_address && filled.kind() == Kind::PointerExpression)
                .and_then(|one| kind_tests::name_of(one, self.code));
            if let Some(name) = name.filter(|name| self.own_structs.contains(name)) {
                let others = given.iter().copied();
                let others = others.filter(|one| one.start() != filled.start());
                let locals = &self.places.locals;
                self.origins.add_all(name, others, self.code, locals);
            }
        }
    }

    /// Tells of calls between `old = override_creds(x)` and `revert_creds(old)` whose credentials
    /// the task has there.
    pub(super) fn tell_creds(&mut self) {
        if !self.overrides {
            return;
        }
        let mut worn: Vec<(i64, i64, Sym)> = vec![];
        for (&end, call) in &self.body.calls {
            let old = call.arguments.get().first().copied().unwrap_or_default();
            let old = old.text().strip_prefix('$');
            if call.target.text() != REVERTING {
                continue;
            }
            let put_on = self
                .results
                .iter()
                .filter(|(at, _, name)| *at < end && old == Some(name));
            let put_on = put_on.map(|(at, ..)| *at).max();
            if let Some((at, call)) = put_on.and_then(|at| Some((at, self.body.calls.get(&at)?)))
                && call.target.text() == OVERRIDING
                && !call.conditional
            {
                let creds = call.arguments.get().first().copied().unwrap_or_default();
                worn.push((at, end, creds));
            }
        }
        for (start, end, creds) in worn {
            for (_, call) in self.body.calls.range_mut(start + 1..end) {
                call.creds = creds;
            }
        }
    }

    /// Tells of calls of which kinds their results are, as tests behind them say.
    pub(super) fn tell_results(&mut self) {
        for (at, start, variable) in std::mem::take(&mut self.results) {
            let behind = self.behind.iter().filter(|test| {
                let before = test.from <= start && start < test.start;
                before && test.start <= test.to && test.told.concerns(&[variable])
            });
            let told = all_kinds(behind.map(|test| test.told.kinds));
            if let Some(call) = self.body.calls.get_mut(&at).filter(|_| told != 0) {
                call.kinds = all_kinds([call.kinds, told].into_iter().filter(|one| *one != 0));
            }
        }
    }

    pub(super) fn flow(&mut self, target: &str, value: Node<'t>) {
        let variable = target.strip_prefix('$');
        let local = variable.filter(|name| !name.contains('>'));
        if target.is_empty() || local.is_some_and(|name| !self.places.may_hold_function(name)) {
            return;
        }
        // What functions return is followed into variables for functions alone: it is a lot.
        let held = variable.is_some_and(|name| self.places.holds_function(name));
        for source in self.places.sources(value, held) {
            if source != target {
                self.add_flow(value, Sym::new(target), Sym::new(&source));
            }
        }
    }
}

/// What is in all of these sets; 0 where that tells nothing.
fn all_kinds(told: impl Iterator<Item = Kinds>) -> Kinds {
    let all = told.fold(file_kinds::ALL, |one, other| one & other);
    if all == file_kinds::ALL { 0 } else { all }
}
