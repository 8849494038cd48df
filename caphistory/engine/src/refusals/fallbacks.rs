//! What has the last word where a privilege is missing: in goes an outcome that leaves it to another
//! function, out comes the error that this function refuses with.

use super::Refusals;
use crate::effects::Outcome;
use crate::names::DefId;

impl Refusals<'_, '_, '_, '_> {
    /// An outcome with a function's own error in the place of its name: "if (capable(…)) return 0;
    /// return smk_access(…);" refuses with the EACCES of smk_access.
    pub(super) fn settled(&self, outcome: Outcome, caller: DefId) -> Outcome {
        let Outcome::Of(name) = outcome else {
            return outcome;
        };
        let program = self.view.program;
        let targets = self.view.resolve(name, program[caller].path);
        let mut errors = targets
            .iter()
            .filter_map(|one| program[*one].fact.refusals().get().first().copied());
        errors.next().map_or(Outcome::GoesOn, Outcome::Error)
    }
}
