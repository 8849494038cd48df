//! What a call has made whose address it was handed: by which function of a registry.
//!
//! `sock_create(PF_INET, …, &sock)` calls what stands under that family among those that are
//! registered, and hands on what that has made.

use rustc_hash::FxHashMap;

use crate::choices::choice_of;
use crate::facts::Call;
use crate::guards::unknown;
use crate::intern::{Expr, Sym};
use crate::names::DefId;
use crate::numbers::with_values;
use crate::points_to::PointsTo;

/// Functions that hand the address on to others.
const DEEPEST: u32 = 4;

/// A call of what stands in a table under a key, which is an expression of who asks.
#[derive(Clone, Copy, Debug)]
pub struct Creation {
    pub user: DefId,
    pub call: Call,
    pub table: Sym,
    pub key: Expr,
}

/// The calls by which an object is made, whose address a function gives to another one with other
/// arguments; none where nobody knows. `choice` is what `choices` has behind the word `made`.
pub fn creations(pointers: &PointsTo<'_, '_, '_>, user: DefId, choice: &[Expr]) -> Vec<Creation> {
    let mut found = Vec::new();
    let [function, position, given @ ..] = choice else {
        return found;
    };
    let position = position.as_text().and_then(|text| text.parse().ok());
    if let (Some(function), Some(position)) = (function.as_sym(), position) {
        add(
            pointers, user, function, position, given, DEEPEST, &mut found,
        );
    }
    found
}

fn add(
    pointers: &PointsTo<'_, '_, '_>,
    user: DefId,
    function: Sym,
    position: usize,
    given: &[Expr],
    depth: u32,
    found: &mut Vec<Creation>,
) {
    let program = pointers.view.program;
    for &callee in &*pointers.view.resolve(function, program[user].path) {
        let fact = program[callee].fact;
        let Some(function) = fact.function() else {
            continue;
        };
        let names = function.parameters.iter().map(|one| one.name.text());
        let values = given.iter().copied().chain(std::iter::repeat(unknown()));
        let values: FxHashMap<&str, Expr> = names.zip(values).collect();
        let Some(object) = function.parameters.get(position) else {
            continue;
        };
        let object = Expr::text(&format!("${}", object.name.text()));
        for call in &function.calls {
            if let Some(("of", [table, key])) = choice_of(call.guards).filter(|_| call.pointer) {
                found.extend(table.as_sym().map(|table| Creation {
                    user: callee,
                    call: *call,
                    table,
                    key: with_values(*key, &values),
                }));
            } else if let Some(at) = call.passes.iter().position(|one| *one == object)
                && !call.pointer
                && depth > 0
            {
                let given = call.passes.iter().map(|one| with_values(*one, &values));
                let given: Vec<Expr> = given.collect();
                add(pointers, callee, call.target, at, &given, depth - 1, found);
            }
        }
    }
}
