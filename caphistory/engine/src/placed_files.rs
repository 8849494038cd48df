//! Which files are written from beginning to end, whatever place one asks for: those whose `open`
//! takes the flag away by which pwrite finds that it may write.

use rustc_hash::FxHashMap;

use crate::facts::{Call, Function};
use crate::file_kinds::PLACED_FLAG;
use crate::guards::{has_calls, names, without_guard};
use crate::intern::{Expr, Sym};
use crate::names::{DefId, View};

/// Functions that open, one within the other.
const DEEPEST: u32 = 5;

/// Functions that open a file, and whether it is one that is not written at any place.
pub struct Openers<'v, 'p, 'f> {
    view: &'v View<'p, 'f>,
    known: FxHashMap<DefId, bool>,
}

impl<'v, 'p, 'f> Openers<'v, 'p, 'f> {
    pub fn new(view: &'v View<'p, 'f>) -> Self {
        let known = FxHashMap::default();
        Openers { view, known }
    }

    /// Whether a function takes the flag away from the file that it is handed, wherever it
    /// succeeds.
    pub fn unplace(&mut self, function: DefId) -> bool {
        self.unplace_within(function, 0)
    }

    fn unplace_within(&mut self, function: DefId, depth: u32) -> bool {
        if let Some(known) = self.known.get(&function) {
            return *known;
        }
        if depth > DEEPEST {
            return false;
        }
        self.known.insert(function, false); // for one that calls itself
        let found = self.takes_away(function, depth);
        self.known.insert(function, found);
        found
    }

    fn takes_away(&mut self, function: DefId, depth: u32) -> bool {
        let definition = &self.view.program[function];
        let Some(function) = definition.fact.function() else {
            return false;
        };
        let mut parameters = function.parameters.iter();
        let Some(file) = parameters.find(|one| one.type_.text() == "struct file") else {
            return false;
        };
        let place = format!("${}", file.name.text());
        if gives_back(function, &place) {
            return false;
        }
        let kept = Sym::new(&format!("{place}>f_mode&!"));
        let mut sets = function.sets.iter();
        if sets.any(|(name, flags)| *name == kept && is_without(*flags)) {
            return true;
        }
        let is_handed = |call: &&Call| call.passes.iter().any(|one| one.as_text() == Some(&place));
        let calls: Vec<&Call> = function.calls.iter().filter(is_handed).collect();
        // "if (op) { res = seq_open(file, op); … } return res;" does nothing else with the file.
        let alone = calls.len() == 1;
        calls.into_iter().any(|call| {
            let sure = !call.conditional || alone && call.guards.iter().all(|one| has_calls(*one));
            let callees = self.view.resolve(call.target, definition.path);
            let mut all = callees.iter();
            sure && !call.pointer
                && !callees.is_empty()
                && all.all(|callee| self.unplace_within(*callee, depth + 1))
        })
    }
}

/// Whether flags are all but the one in question.
fn is_without(flags: Expr) -> bool {
    matches!(flags.as_tuple(), Some(("~", _))) && is_named(flags)
}

fn is_named(flags: Expr) -> bool {
    names(flags)
        .iter()
        .any(|name| name.text().strip_prefix(':') == Some(PLACED_FLAG))
}

/// Whether a function gives a file the flag.
fn gives_back(function: &Function, place: &str) -> bool {
    let mode = Sym::new(&format!("{place}>f_mode"));
    let mut sets = function.sets.iter();
    sets.any(|(name, value)| {
        let cleared = matches!(without_guard(*value).as_tuple(), Some(("&", _)));
        *name == mode && !cleared && is_named(*value)
    })
}
