//! Functions of tables that only stand before those of others: a call goes in, and whether it hands
//! the caller's own arguments on to the same member of another table comes out.
//!
//! `chrdev_open` is called as the `open` of a device's inode and calls the `open` of the driver:
//! nothing more is chosen by that step than the device.

use super::{TableSets, tables_of};
use crate::facts::Call;
use crate::intern::{Sym, SymList};
use crate::names::DefId;
use crate::types::LocationId;

impl TableSets<'_, '_, '_, '_> {
    /// Whether a call hands on what its caller was called with, by the same member of tables of
    /// which any are known. Who is called by name too may be where the choice is made: sys_swapon
    /// calls blkdev_open (2.2).
    pub fn hands_on(&self, caller: DefId, call: &Call) -> bool {
        call.pointer
            && self.passes_all(caller, call)
            && self.stands_under(caller, call)
            && !self.is_called_by_name(caller)
            && !self
                .all_in(self.tables_by(caller, call), caller)
                .tables
                .is_empty()
    }

    /// The places from which a call has the table that it calls by. Where the text before it does
    /// not tell, a layer's own are known all the same: what it gives to the place of the table
    /// anywhere, be it in the cases of a switch (memory_open, up to 2.6) or by a macro
    /// (`replace_fops(file, new_fops)`, from 3.13 on), or else that place (`dev->fops->open`).
    pub(super) fn tables_by(&self, caller: DefId, call: &Call) -> SymList {
        if !call.tables.get().is_empty() || !self.passes_all(caller, call) {
            return call.tables;
        }
        let key = (caller, call.target);
        if let Some(known) = self.layers.borrow().get(&key) {
            return *known;
        }
        let place = call.target.text().rsplit_once('>').map(|(place, _)| place);
        let place = place.filter(|place| place.starts_with(':') || place.contains('>'));
        let found = match place.map(Sym::new) {
            Some(place) if self.stands_under(caller, call) => self.given_to(caller, place),
            _ => SymList::default(),
        };
        self.layers.borrow_mut().insert(key, found);
        found
    }

    /// What a function gives to a place, or that place if it gives nothing to it and was not handed
    /// it.
    fn given_to(&self, user: DefId, place: Sym) -> SymList {
        let fact = self.view.program[user].fact;
        let path = self.view.program[user].path;
        let locate = |place| self.pointers.locations.location(place, path, Some(user));
        let location: Option<LocationId> = locate(place);
        let tables = tables_of(fact).iter().map(|one| (one.target, one.source));
        let flows = fact.function().map_or(&[][..], |function| &function.flows);
        let flows = flows.iter().map(|one| (one.target, one.source));
        let made = self.pointers.expansions.flows.held(path);
        let made = made.flat_map(|(_, flows)| flows);
        let made = made.filter(|(by, _)| *by == user);
        let made = made.map(|(_, one)| (one.target, one.source));
        let given = tables.chain(flows).chain(made);
        let is_there = |target| location.is_some() && locate(target) == location;
        let mut found: Vec<Sym> = given
            .filter(|(target, _)| is_there(*target))
            .map(|(_, source)| source)
            .collect();
        found.dedup();
        // What a parameter's member is called by was replaced by something that is not seen.
        let base = place.text().split_once('>').map(|(base, _)| base);
        let mut parameters = fact
            .function()
            .into_iter()
            .flat_map(|one| one.parameters.iter());
        if found.is_empty() && !parameters.any(|one| Some(one.type_.text()) == base) {
            found.push(place);
        }
        SymList::new(&found)
    }

    /// Whether any but a function of a table that hands on as well calls a function by its name:
    /// devfs_open does so with chrdev_open (2.4).
    fn is_called_by_name(&self, function: DefId) -> bool {
        let program = self.view.program;
        let name = program[function].name;
        let written = self.view.of_built(&program.calls, name);
        let made = self.pointers.expansions.calls.get(name).iter();
        let mut calls = written.chain(made.map(|(caller, call)| (*caller, call)));
        calls.any(|(caller, call)| {
            let layer = !self.holding(caller).is_empty() && self.passes_all(caller, call);
            let callees = self.view.resolve(name, program[caller].path);
            !layer && callees.contains(&function)
        })
    }

    /// Whether a call's arguments are its caller's parameters, all and in order.
    fn passes_all(&self, caller: DefId, call: &Call) -> bool {
        let passes = call.passes.get();
        let parameters = self.view.program[caller].fact.parameters();
        let mut own = parameters.zip(passes);
        let count = self.view.program[caller].fact.parameters().count();
        let is_own = |name: &str, passed: Option<&str>| {
            passed.and_then(|passed| passed.strip_prefix('$')) == Some(name)
        };
        count > 0
            && count == passes.len()
            && own.all(|(parameter, passed)| is_own(parameter.text(), passed.as_text()))
    }

    /// Whether a function stands in a table under the member through which it calls.
    fn stands_under(&self, caller: DefId, call: &Call) -> bool {
        let path = self.view.program[caller].path;
        let locations = &self.pointers.locations;
        let Some(location) = locations.location(call.target, path, Some(caller)) else {
            return false;
        };
        let tables = self.holding(caller).iter();
        let mut entries = tables.flat_map(|table| &self.entries[table]);
        entries.any(|entry| {
            let functions = || self.view.resolve(entry.source, entry.path);
            entry.location == location && functions().contains(&caller)
        })
    }
}
