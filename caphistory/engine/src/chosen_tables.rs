//! By which table of functions a call goes, where that is one of several: what is known of the
//! choice goes in (a table's name, the key of an object, or what made it), and whether a function
//! is among those that may be called comes out.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::choices::choice_of;
use crate::creations::{Creation, creations};
use crate::facts::Call;
use crate::guards::names;
use crate::intern::{ExprList, Sym};
use crate::names::{DefId, PathId};
use crate::numbers::Numbers;
use crate::points_to::PointsTo;
use crate::registries::Registries;
use crate::table_sets::TableSets;
use crate::values::{Value, value_of};

/// The tables and objects that calls choose among.
pub struct ChosenTables<'s, 'v, 'p, 'f> {
    pointers: &'s PointsTo<'v, 'p, 'f>,
    tables: &'s TableSets<'s, 'v, 'p, 'f>,
    registries: Registries<'s, 'v, 'p, 'f>,
    creations: FxHashMap<(DefId, ExprList), Rc<[Creation]>>,
    made: FxHashMap<(Vec<DefId>, DefId, Sym), Option<Sym>>,
}

impl<'s, 'v, 'p, 'f> ChosenTables<'s, 'v, 'p, 'f> {
    pub fn new(pointers: &'s PointsTo<'v, 'p, 'f>, tables: &'s TableSets<'s, 'v, 'p, 'f>) -> Self {
        ChosenTables {
            pointers,
            tables,
            registries: Registries::new(pointers),
            creations: FxHashMap::default(),
            made: FxHashMap::default(),
        }
    }

    /// Say that it matters what stands in a table.
    pub fn want(&mut self, user: DefId, table: Sym) {
        let path = self.pointers.view.program[user].path;
        self.registries.entries(table, path);
    }

    /// How the object was made whose function a call with these guards calls.
    pub fn creations(&mut self, user: DefId, guards: ExprList) -> Rc<[Creation]> {
        let pointers = self.pointers;
        let found = self.creations.entry((user, guards)).or_insert_with(|| {
            let choice = choice_of(guards).map_or(&[][..], |(_, operands)| operands);
            creations(pointers, user, choice).into()
        });
        found.clone()
    }

    /// The names in the keys of all tables that matter.
    pub fn key_names(&self) -> impl Iterator<Item = Sym> + use<> {
        self.registries.keys().into_iter().flat_map(names)
    }

    /// The set of the one table that an argument names.
    pub fn named(&self, argument: Sym, user: DefId) -> Option<Sym> {
        self.tables.named(argument, user)
    }

    /// Whether a call that goes by a table of a set may be one of a function.
    pub fn in_set(&self, set: Sym, user: DefId, call: &Call, callee: DefId) -> bool {
        !self.tables.lack(set, user, call, callee)
    }

    /// The file that holds the file system of a mount, by the mount's source.
    pub fn file_system(&self, source: Sym, user: DefId) -> Option<PathId> {
        self.tables.file_system(source, user)
    }

    /// The file that holds the file system on which a variable is that a function has opened.
    pub fn opened_on(&self, user: DefId, variable: Sym) -> Option<PathId> {
        self.tables.opened_on(user, variable)
    }

    /// Whether a function is never called for what is on a file system through a member of tables
    /// of a type, or (None) as one that was handed on.
    pub fn is_of_others(&self, file: PathId, table_type: Option<&str>, callee: DefId) -> bool {
        self.tables.is_of_others(file, table_type, callee)
    }

    /// Whether an object that holds a function may stand under a key (None for any) in a table.
    pub fn under_key(
        &mut self,
        numbers: &mut Numbers<'v, 'p, 'f>,
        user: DefId,
        table: Sym,
        key: Option<i128>,
        callee: DefId,
    ) -> bool {
        let path = self.pointers.view.program[user].path;
        let Some(entries) = self.registries.entries(table, path) else {
            return true;
        };
        entries.iter().any(|entry| {
            let own = entry.key.and_then(|(own, at)| {
                let named: FxHashMap<Sym, Option<Value>> = names(own)
                    .into_iter()
                    .map(|name| (name, numbers.value(name, at)))
                    .collect();
                value_of(own, &|name| named.get(&name).copied().flatten())
            });
            let is_other = matches!((own, key), (Some(Value::Int(own)), Some(key)) if own != key);
            !is_other && self.registries.may_hold(entry, callee)
        })
    }

    /// The tables of an object that what stands under these keys has made.
    pub fn made(
        &mut self,
        numbers: &mut Numbers<'v, 'p, 'f>,
        made: &[(Creation, i128)],
        user: DefId,
        call: &Call,
    ) -> Option<Sym> {
        let mut makers = Vec::new();
        for (one, key) in made {
            for callee in self.pointers.targets(one.user, &one.call) {
                if self.under_key(numbers, one.user, one.table, Some(*key), callee) {
                    makers.push(callee);
                }
            }
        }
        let tables = self.tables;
        let key = (makers, user, call.target);
        if let Some(known) = self.made.get(&key) {
            return *known;
        }
        let found = tables.made_by(&key.0, user, call, &mut |user, call| {
            let Some(("of", [table, key])) = choice_of(call.guards) else {
                return Vec::new();
            };
            let table = table.as_sym().unwrap_or_default();
            let path = self.pointers.view.program[user].path;
            // inet_create of 2.2 leaves the sockets of one type to `net_families[PF_PACKET]`.
            let key = match value_of(*key, &|_| None) {
                Some(Value::Name(name)) => numbers.value(name, path),
                known => known,
            };
            let key = match key {
                Some(Value::Int(number)) => Some(number),
                _ => None,
            };
            let mut found = self.pointers.targets(user, call);
            found.retain(|one| self.under_key(numbers, user, table, key, *one));
            found
        });
        self.made.insert(key, found);
        found
    }
}
