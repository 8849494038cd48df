//! Functions of tables that only stand before those of others: a call goes in, and whether it hands
//! the caller's own arguments on to the same member of another table comes out.
//!
//! `chrdev_open` is called as the `open` of a device's inode and calls the `open` of the driver:
//! nothing more is chosen by that step than the device.

use super::TableSets;
use crate::facts::Call;
use crate::names::DefId;

impl TableSets<'_, '_, '_, '_> {
    /// Whether a call hands on what its caller was called with, by the same member of tables of
    /// which any are known. Who is called by name too may be where the choice is made: sys_swapon
    /// calls blkdev_open (2.2).
    pub fn hands_on(&self, caller: DefId, call: &Call) -> bool {
        call.pointer
            && self.passes_all(caller, call)
            && self.stands_under(caller, call)
            && !self.is_called_by_name(caller)
            && !self.all_in(call.tables, caller).tables.is_empty()
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
