//! What refuses where a check by itself does not: in goes an outcome that leaves it to another
//! function or a check that only limits, out comes the error of that function or of an earlier check.

use super::places::{Places, subject};
use super::{AtSite, Refusals, asked, carry, privilege};
use crate::call_graph::Edge;
use crate::checks::{Asked, Site};
use crate::effects::{Effect, Outcome};
use crate::facts::Call;
use crate::guards::has_calls;
use crate::intern::{Expr, Sym};
use crate::lexer::is_upper;
use crate::names::DefId;
use crate::outcomes::EXHAUSTED;

impl Refusals<'_, '_, '_, '_> {
    /// An outcome with a function's own error in the place of its name: "if (capable(…)) return 0;
    /// return smk_access(…);" refuses with the EACCES of smk_access. An error (`given`) that a macro is
    /// handed as an expression comes out of it: "return xcheck_labels(a, b, ask(a), ask(b));".
    pub(super) fn settled(&self, outcome: Outcome, given: Outcome, caller: DefId) -> Outcome {
        let Outcome::Of(name) = outcome else {
            return outcome;
        };
        let program = self.view.program;
        let targets = self.view.resolve(name, program[caller].path);
        let mut errors = targets
            .iter()
            .filter_map(|one| program[*one].fact.refusals().get().first().copied());
        let own = errors.next().map(Outcome::Error);
        let is_macro = |one: &DefId| program[*one].fact.macro_().is_some();
        let handed = matches!(given, Outcome::Error(_)) && targets.iter().any(is_macro);
        own.or_else(|| handed.then_some(given))
            .unwrap_or(Outcome::GoesOn)
    }

    /// Of two errors by a flag that which the argument of a call chooses, if that is a constant by its
    /// name: vfs_getxattr hands MAY_READ to xattr_permission, which gives EPERM where there is MAY_WRITE
    /// and ENODATA where not (from 2.6.16 on).
    pub(super) fn chosen(&self, outcome: Outcome, callee: DefId, call: &Call) -> Outcome {
        let Outcome::Either(parts) = outcome else {
            return outcome;
        };
        let &[usual, variable, flag, with, without] = parts.get() else {
            return outcome;
        };
        let fact = self.view.program[callee].fact;
        let position = fact.parameters().position(|one| one == variable);
        let argument = position.and_then(|at| call.arguments.get().get(at));
        let constant = argument.and_then(|one| one.text().strip_prefix(':'));
        Outcome::Error(match constant {
            Some(name) if name == flag.text() => with,
            Some(name) if is_upper(name) => without,
            _ => usual,
        })
    }

    /// What a check refuses with that asks for the same privilege earlier on the same way, where a
    /// later one only limits: "if (adj < min && !capable(X)) return -EACCES; … if (capable(X)) min =
    /// adj;" (oom_score_adj from 2.6.36 on). Or a later one that says that a limit is hit: "if (n > most
    /// && !capable(X)) n -= counted; if (n <= most || capable(X)) error = lock(n);" (mlock from 4.8 on).
    pub(super) fn denied_beside(&mut self, site: &Site, limiting: &AtSite) -> Option<AtSite> {
        let Asked::Call(call) = site.asked else {
            return None;
        };
        let wanted = privilege(&asked(&site.check)).filter(|_| only_limits(limiting.outcome))?;
        self.denied_with(site.definition, &call, wanted, limiting.places)
    }

    /// The same for what is called on the way to a check: hugetlb_file_setup of 6.8 refuses who lacks
    /// CAP_IPC_LOCK, and asks user_shm_lock but for a warning.
    pub(super) fn denied_on_way(
        &mut self,
        edge: &Edge,
        wanted: Option<Sym>,
        places: Places,
    ) -> Option<AtSite> {
        let call = edge.call.as_ref()?;
        let is_chosen = !call.guards.iter().all(|one| has_calls(*one));
        self.denied_with(edge.caller, call, wanted.filter(|_| is_chosen)?, places)
    }

    fn denied_with(
        &mut self,
        definition: DefId,
        limiting: &Call,
        wanted: Sym,
        places: Places,
    ) -> Option<AtSite> {
        let guards: Vec<Expr> = limiting.guards.iter().flat_map(|one| sides(*one)).collect();
        let calls = self.view.program[definition].fact.calls().iter();
        let others = calls.filter(|call| {
            call.line != limiting.line
                && call.case == limiting.case
                && call.condition.is_empty()
                && call
                    .guards
                    .get()
                    .iter()
                    .all(|one| is_ordering(*one) || has_calls(*one) || guards.contains(one))
        });
        let (mut checks, mut helpers) = (vec![], vec![]);
        for call in others {
            match self.checks.meanings(call, definition)[..] {
                [meaning] if privilege(&meaning) == Some(wanted) => {
                    checks.push((call, Some(meaning)))
                }
                [] => helpers.push((call, None)),
                _ => {}
            }
        }
        // What can_do_mlock refuses is another matter than the limit of do_mlock (4.8 on).
        for (call, meaning) in checks.into_iter().chain(helpers) {
            let (given, found) = match meaning {
                // It decides about something else if nobody knows where: migrate_pages (2.6.18 on) asks
                // once for nodes that a cpuset leaves out, and then for pages that others use too.
                Some(_) if call.conditional && call.guards.is_empty() => continue,
                Some(meaning) => (
                    self.given(call, definition, 0),
                    self.places(call, definition, &meaning, 0),
                ),
                // A helper that is false for who has neither the privilege nor what does as well.
                None if self.of_test(call, definition, 0).contains(&wanted) => {
                    (Outcome::Zero, places)
                }
                None => continue,
            };
            let outcome = carry(call, given);
            let refuses = match outcome {
                Outcome::Error(errno) => {
                    call.line < limiting.line || EXHAUSTED.contains(&errno.text())
                }
                _ => false,
            };
            if refuses && subject(found.whose) == subject(places.whose) {
                return Some(AtSite {
                    outcome,
                    instead: self.privileges(call.instead, definition, 0),
                    places: found,
                });
            }
        }
        None
    }
}

/// Whether an outcome is that the work goes on, with no error where the limit is hit.
pub(super) fn only_limits(outcome: Outcome) -> bool {
    outcome.effect() == Effect::Limit && outcome.errno().is_empty()
}

/// Whether a condition is one of how much, which says nothing of what is asked for.
fn is_ordering(guard: Expr) -> bool {
    match guard.as_tuple() {
        Some(("!", [inner])) => is_ordering(*inner),
        Some((sign, _)) => matches!(sign, "<" | ">" | "<=" | ">="),
        None => false,
    }
}

/// The conditions that all hold where one does: "if (flags == SHMFS && !may_share())".
fn sides(guard: Expr) -> Vec<Expr> {
    match guard.as_tuple() {
        Some(("&&", inner)) => inner.iter().flat_map(|one| sides(*one)).collect(),
        _ => vec![guard],
    }
}
