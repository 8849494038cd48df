//! Whether constants leave one chain open: its steps go in, and whether what is known behind the
//! last of them lets the check be made comes out.

use super::situation::Situation;
use super::{Constants, Context};
use crate::call_graph::Edge;
use crate::checks::Site;
use crate::names::DefId;

/// Whether no constant on the way from an entry function by these steps switches a site off.
pub fn is_open(
    constants: &mut Constants<'_, '_, '_, '_>,
    entry: DefId,
    steps: &[&Edge],
    site: &Site,
) -> bool {
    let mut definition = entry;
    let mut contexts = vec![constants.of_user(entry)];
    for edge in steps {
        let mut next: Vec<Context> = Vec::new();
        for context in contexts {
            let mut situation = Situation::new(constants, definition, context);
            let handed = situation.after(constants, edge);
            next.extend(handed.iter().flat_map(|all| all.iter().copied()));
        }
        next.sort_unstable();
        next.dedup();
        definition = edge.callee;
        contexts = next;
    }
    contexts.into_iter().any(|context| {
        let mut situation = Situation::new(constants, definition, context);
        situation.possible(constants, site.guards)
    })
}
