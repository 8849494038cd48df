//! What refuses where a check by itself does not: in goes an outcome that leaves it to another
//! function or a check that only limits, out comes the error of that function or of an earlier check.

use super::places::subject;
use super::{AtSite, Refusals, asked, carry, privilege};
use crate::checks::{Asked, Site};
use crate::effects::{Effect, Outcome};
use crate::intern::Expr;
use crate::names::DefId;

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

    /// What a check refuses with that asks for the same privilege earlier on the same way, where a
    /// later one only limits: "if (adj < min && !capable(X)) return -EACCES; … if (capable(X)) min =
    /// adj;" (oom_score_adj from 2.6.36 on).
    pub(super) fn denied_before(&mut self, site: &Site, later: &AtSite) -> Option<AtSite> {
        let Asked::Call(limiting) = site.asked else {
            return None;
        };
        let is_limit = later.outcome.effect() == Effect::Limit && later.outcome.errno().is_empty();
        let wanted = privilege(&asked(&site.check)).filter(|_| is_limit)?;
        let definition = site.definition;
        let guards = limiting.guards.get();
        let calls = self.view.program[definition].fact.calls().iter();
        let earlier = calls.filter(|call| {
            call.line < limiting.line
                && call.case == limiting.case
                && call.condition.is_empty()
                && call
                    .guards
                    .get()
                    .iter()
                    .all(|one| is_ordering(*one) || guards.contains(one))
        });
        for call in earlier {
            let [meaning] = self.checks.meanings(call, definition)[..] else {
                continue;
            };
            if privilege(&meaning) != Some(wanted) {
                continue;
            }
            let outcome = carry(call, self.given(call, definition, 0));
            let places = self.places(call, definition, &meaning, 0);
            if matches!(outcome, Outcome::Error(_))
                && subject(places.whose) == subject(later.places.whose)
            {
                return Some(AtSite {
                    outcome,
                    instead: self.privileges(call.instead, definition, 0),
                    places,
                });
            }
        }
        None
    }
}

/// Whether a condition is one of how much, which says nothing of what is asked for.
fn is_ordering(guard: Expr) -> bool {
    let sign = guard.as_tuple().map(|(sign, _)| sign);
    matches!(sign, Some("<" | ">" | "<=" | ">="))
}
