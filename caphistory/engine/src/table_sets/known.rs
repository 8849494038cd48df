//! Tables that are known at a call: by name, or by who made the object that has them.
//!
//! A set of them has a name of its own, so that it can be handed on as a constant is.

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Set, Store, Table, TableSets};
use crate::facts::Call;
use crate::intern::Sym;
use crate::names::{DefId, key_of};
use crate::notation::names;
use crate::points_to::fits;

/// Calls, one within the other, in which a function that makes an object may give it its tables.
const DEEPEST_MADE: u32 = 3;

/// The functions that a call in a function may call through a pointer, as far as they are followed.
type Chosen<'c> = &'c mut dyn FnMut(DefId, &Call) -> Vec<DefId>;

/// Sets of tables by their names.
#[derive(Default)]
pub(super) struct Identities {
    numbers: FxHashMap<Vec<Table>, Sym>,
    /// With the tables that these pass on to; None where that is not known.
    sets: FxHashMap<Sym, Option<FxHashSet<Table>>>,
}

impl<'s, 'v, 'p, 'f> TableSets<'s, 'v, 'p, 'f> {
    /// A table that a function initialises itself: a static variable of it.
    pub(super) fn local_table(&self, user: DefId, place: Sym) -> Option<Table> {
        let name = place
            .text()
            .strip_prefix('$')
            .filter(|_| !place.text().contains('>'))?;
        let definition = &self.view.program[user];
        let name = Sym::new(&format!("{}${name}", definition.name.text()));
        Some((Some(definition.path), name))
    }

    /// The set that is just the table that a function names, if it names one.
    pub fn named(&self, place: Sym, user: DefId) -> Option<Sym> {
        let own = || self.local_table(user, place);
        let outside = place.text().starts_with(':') && names(place.text());
        let table = match outside {
            true => self.table(place, self.view.program[user].path),
            false => own(),
        };
        let table = table.filter(|table| self.entries.contains_key(table))?;
        Some(self.identified(vec![table]))
    }

    fn identified(&self, mut tables: Vec<Table>) -> Sym {
        tables.sort_by_key(|(path, name)| (name.text(), *path));
        if let Some(known) = self.identities.borrow().numbers.get(&tables) {
            return *known;
        }
        let all = self.closure(tables.iter().copied(), |_| false);
        let all = Some(all).filter(|all| !all.partial);
        let mut known = self.identities.borrow_mut();
        let name = Sym::new(&format!("{{{}}}", known.numbers.len()));
        known.numbers.insert(tables, name);
        known.sets.insert(name, all.map(|all| all.tables));
        name
    }

    /// Whether a call through one of a set's tables can never call a function: they hold others
    /// there, and no code stores into that member of any that it has only a pointer to.
    pub fn lack(&self, set: Sym, caller: DefId, call: &Call, callee: DefId) -> bool {
        let identities = self.identities.borrow();
        let Some(Some(tables)) = identities.sets.get(&set) else {
            return false;
        };
        let program = self.view.program;
        let member = key_of(call.target);
        let holds = |table: &Table| {
            let entries = self.entries.get(table).map_or(&[][..], Vec::as_slice);
            let mut own = entries.iter().filter(|entry| entry.member == member);
            own.any(|entry| {
                self.view
                    .resolve(entry.source, entry.path)
                    .contains(&callee)
            })
        };
        if !self.holders.contains_key(&callee) || tables.iter().any(holds) {
            return false;
        }
        let path = program[caller].path;
        let location = self
            .pointers
            .locations
            .location(call.target, path, Some(caller));
        let name = |base: Sym| tables.iter().any(|(_, name)| *name == base);
        let is_filled = |store: &Store| store.user.is_some() && store.base.is_none_or(name);
        location.is_some_and(|location| !self.stores_to(location).iter().any(is_filled))
    }

    /// The set of all tables that functions give to the objects that they are called to make, in
    /// the member that a call goes through; None where that is not known.
    /// `chosen` are the functions that a call may call that takes them from a registry.
    pub fn made_by(
        &self,
        makers: &[DefId],
        caller: DefId,
        call: &Call,
        chosen: Chosen<'_>,
    ) -> Option<Sym> {
        let (place, _) = call.target.text().rsplit_once('>')?;
        let path = self.view.program[caller].path;
        let locations = &self.pointers.locations;
        let location = locations.location(Sym::new(place), path, Some(caller))?;
        let mut stores: FxHashMap<DefId, Vec<Store>> = FxHashMap::default();
        for store in self.stores_to(location) {
            if let Some(user) = store.user {
                stores.entry(user).or_default().push(store);
            }
        }
        let mut found = Set::default();
        for maker in makers {
            let mut seen = FxHashMap::default();
            let given = self.given_by(*maker, &stores, DEEPEST_MADE, &mut seen, chosen);
            if given.partial || given.tables.is_empty() {
                return None;
            }
            found.add(&given);
        }
        let tables: Vec<Table> = found.tables.into_iter().collect();
        (!tables.is_empty()).then(|| self.identified(tables))
    }

    /// What a function and those that it calls store.
    fn given_by(
        &self,
        user: DefId,
        stores: &FxHashMap<DefId, Vec<Store>>,
        depth: u32,
        seen: &mut FxHashMap<DefId, u32>,
        chosen: Chosen<'_>,
    ) -> Set {
        let mut found = Set::default();
        if seen.get(&user).is_some_and(|known| *known >= depth) {
            return found;
        }
        seen.insert(user, depth);
        for store in stores.get(&user).map_or(&[][..], Vec::as_slice) {
            found.add(&self.source(store));
        }
        let definition = &self.view.program[user];
        for call in definition.fact.calls().iter().filter(|_| depth > 0) {
            let callees = match call.pointer {
                true => chosen(user, call),
                false => self.view.resolve(call.target, definition.path).to_vec(),
            };
            for callee in callees {
                if fits(call, self.view.program[callee].fact) {
                    found.add(&self.given_by(callee, stores, depth - 1, seen, chosen));
                }
            }
        }
        found
    }
}
