//! Which tables the files have that are on a mount of the kernel's own: where the mount comes from
//! goes in (see `bodies::mounts`), and whether a function may be called for what is on it comes out.
//!
//! mq_open looks names up on the mount that ipc/mqueue.c keeps; what it opens there has the tables
//! that ipc/mqueue.c gives to its inodes, and is no device.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::{Store, Table, TableSets};
use crate::facts::Call;
use crate::guards::without_guard;
use crate::intern::{Expr, Sym};
use crate::names::{DefId, Fact, PathId, key_of, place_of};
use crate::types::Kind;

/// What a file system is called by where it is registered.
const TYPE: &str = "struct file_system_type";
/// Places through which a mount goes before it is kept.
const DEEPEST: u32 = 3;

/// The tables that the objects of a file system have, and the types of those of which all are
/// known.
struct Tables {
    own: FxHashSet<Table>,
    types: FxHashSet<Sym>,
}

/// What was found out: of sources of mounts as a function names them, and of files that hold a file
/// system.
#[derive(Default)]
pub(super) struct Known {
    files: FxHashMap<(Sym, DefId), Option<PathId>>,
    tables: FxHashMap<PathId, Rc<Tables>>,
    opened: Option<Rc<Opened>>,
}

/// The variables of functions that come from a mount by what another function returns, with the
/// files of the file systems.
type Opened = FxHashMap<(DefId, Sym), PathId>;

impl TableSets<'_, '_, '_, '_> {
    /// The file that holds the file system of a mount, by its source; None where nobody can tell.
    pub fn file_system(&self, source: Sym, user: DefId) -> Option<PathId> {
        let key = (source, user);
        if let Some(known) = self.file_systems.borrow().files.get(&key) {
            return *known;
        }
        let found = self.found_system(source, Some(user), self.view.program[user].path, 0);
        self.file_systems.borrow_mut().files.insert(key, found);
        found
    }

    fn found_system(
        &self,
        source: Sym,
        user: Option<DefId>,
        path: PathId,
        depth: u32,
    ) -> Option<PathId> {
        let text = source.text();
        if depth > DEEPEST {
            return None;
        }
        if text.starts_with('"') {
            return self.registered_as(text);
        }
        if let Some(name) = text.strip_suffix("()") {
            return self.mounted_by(Sym::new(name), path);
        }
        if self.is_system(source, user, path) {
            return Some(path);
        }
        let location = self.pointers.locations.location(source, path, user);
        let stores = match location {
            Some(location) => self.stores_to(location),
            None => self.stores_by_name(source)?,
        };
        let mut systems = stores
            .iter()
            .map(|store| self.found_system(store.source, store.user, store.path, depth + 1));
        let first = systems.next()??;
        systems.all(|one| one == Some(first)).then_some(first)
    }

    /// What is stored to the only member with a place's name, where the place's type cannot be told:
    /// `current` is declared where a task is not (6.8).
    fn stores_by_name(&self, place: Sym) -> Option<Vec<Store>> {
        let stores = self.stores.get(&key_of(place))?;
        let location = self.location(stores.first()?)?;
        let mut others = stores.iter().map(|store| self.location(store));
        others
            .all(|one| one == Some(location))
            .then(|| stores.clone())
    }

    /// Whether a place is a file system, of the file itself.
    fn is_system(&self, place: Sym, user: Option<DefId>, path: PathId) -> bool {
        if let (Some(name), Some(user)) = (place.text().strip_prefix('$'), user) {
            let function = self.view.program[user].fact.function();
            let mut variables = function.into_iter().flat_map(|one| &one.variables);
            return variables.any(|one| one.name.text() == name && one.type_.text() == TYPE);
        }
        let name = place.text().strip_prefix(':').map(Sym::new);
        let variable = name.and_then(|name| self.view.variable(name, path));
        variable.is_some_and(|(_, variable)| variable.type_.text() == TYPE)
    }

    /// The file of the file system that a function mounts which is called in a file.
    fn mounted_by(&self, function: Sym, path: PathId) -> Option<PathId> {
        let found = self.view.resolve(function, path);
        let [only] = *found else {
            return None;
        };
        let first = self.systems_in(only).next();
        first.map(|_| self.view.program[only].path)
    }

    /// The file systems of its file that a function hands to others, as who mounts or registers one
    /// does.
    fn systems_in(&self, user: DefId) -> impl Iterator<Item = Sym> {
        let definition = &self.view.program[user];
        let calls = definition.fact.calls().iter();
        let arguments = calls.flat_map(|call| call.arguments.iter().copied());
        arguments.filter(move |place| self.is_system(*place, Some(user), definition.path))
    }

    /// The file of the file system that is registered by a name.
    fn registered_as(&self, name: &str) -> Option<PathId> {
        let label = format!("name={name}");
        let namings = &self.view.program.namings;
        let is_it = |path: &PathId| {
            namings.held(*path).any(|(_, all)| {
                let mut all = all.iter().map(|one| one.naming);
                all.any(|one| {
                    let mut labels = one.labels.iter();
                    one.type_.text() == TYPE && labels.any(|one| one.text() == label)
                })
            })
        };
        let mut files = self.view.built_files().filter(is_it);
        let first = files.next()?;
        files.next().is_none().then_some(first)
    }

    /// The file that holds the file system on which the variable (`$file`) is that a function has
    /// opened by another one.
    pub fn opened_on(&self, user: DefId, variable: Sym) -> Option<PathId> {
        let known = self.file_systems.borrow().opened.clone();
        let opened = known.unwrap_or_else(|| {
            let found = Rc::new(self.all_opened());
            self.file_systems.borrow_mut().opened = Some(found.clone());
            found
        });
        opened.get(&(user, variable)).copied()
    }

    fn all_opened(&self) -> Opened {
        let program = self.view.program;
        let returned = Sym::new("()");
        let mut sources: FxHashMap<DefId, Vec<Sym>> = FxHashMap::default();
        let stores = self.stores.get(&key_of(returned)).into_iter().flatten();
        for store in stores.filter(|store| store.target == returned) {
            if let Some(user) = store.user {
                sources.entry(user).or_default().push(store.source);
            }
        }
        let mut found = Opened::default();
        for (opener, sources) in sources {
            let mut files = sources.iter().map(|one| self.file_system(*one, opener));
            let first = files.next().flatten();
            let Some(file) = first.filter(|_| files.all(|one| one == first)) else {
                continue;
            };
            let name = program[opener].name;
            for (caller, _) in self.view.of_built(&program.calls, name) {
                let callees = self.view.resolve(name, program[caller].path);
                if *callees == [opener] {
                    let variables = made_by(program[caller].fact, name);
                    found.extend(variables.map(|one| ((caller, one), file)));
                }
            }
        }
        found
    }

    /// Whether a function is never called for what is on a file system through a member of tables
    /// of a type, or (None) as one that was handed on: those that the file system's objects have
    /// are known, and it is in others. ceph hands its open to finish_open (6.8).
    pub fn is_of_others(&self, file: PathId, table_type: Option<&str>, callee: DefId) -> bool {
        let Some(holders) = self.holders.get(&callee) else {
            return false;
        };
        // A mount that is made of it calls its own functions.
        if table_type.is_some_and(|name| TYPE.strip_prefix("struct ") == Some(name)) {
            return holders
                .iter()
                .all(|(at, _)| at.is_some_and(|at| at != file));
        }
        let known = self.file_systems.borrow().tables.get(&file).cloned();
        let tables = known.unwrap_or_else(|| {
            let found = Rc::new(self.tables_of_system(file));
            let mut known = self.file_systems.borrow_mut();
            known.tables.insert(file, found.clone());
            found
        });
        let is_known = |type_: &Sym| tables.types.contains(type_);
        let known = match table_type {
            Some(name) => is_known(&Sym::new(&format!("struct {name}"))),
            None => holders
                .iter()
                .all(|one| self.types.get(one).is_some_and(is_known)),
        };
        known && !holders.iter().any(|one| tables.own.contains(one))
    }

    /// What the functions of a file give, and those that they call.
    fn tables_of_system(&self, file: PathId) -> Tables {
        let program = self.view.program;
        let mut found = Tables {
            own: FxHashSet::default(),
            types: FxHashSet::default(),
        };
        let mut open: FxHashSet<Sym> = FxHashSet::default();
        let mut called: Vec<DefId> = Vec::new();
        let stores = self.stores_by_user();
        // Who registers it may make files elsewhere, too: /proc/fs/nfs/exports (2.6.9).
        let names_it = |one| {
            self.systems_in(one)
                .any(|place| place.text().starts_with(':'))
        };
        let own = program.of_file(file).filter(|one| !names_it(*one));
        for user in own {
            for store in stores.get(&user).into_iter().flatten() {
                let given = self.source(store);
                if given.partial {
                    open.extend(self.held_type(store));
                }
                self.add_tables(given.tables, &mut found, &mut open);
            }
            for call in program[user].fact.calls().iter().filter(|one| !one.pointer) {
                let callees = self.view.resolve(call.target, file);
                for &callee in callees.iter().filter(|one| program[**one].path != file) {
                    let handed = stores.get(&callee).into_iter().flatten();
                    for store in handed {
                        let given = self.handed(store, callee, call, user);
                        self.add_tables(given, &mut found, &mut open);
                    }
                    called.push(callee);
                }
            }
        }
        for user in called {
            for call in program[user].fact.calls().iter().filter(|one| !one.pointer) {
                for callee in &*self.view.resolve(call.target, program[user].path) {
                    let stores = stores.get(callee).into_iter().flatten();
                    let named = stores.filter_map(|one| self.table(one.source, one.path));
                    self.add_tables(named.collect(), &mut found, &mut open);
                }
            }
        }
        found.types.retain(|one| !open.contains(one));
        found
    }

    /// Adds tables with those that they pass on to; the types of those that pass on to what is not
    /// known are `open`.
    fn add_tables(&self, tables: FxHashSet<Table>, found: &mut Tables, open: &mut FxHashSet<Sym>) {
        let tables = tables
            .into_iter()
            .filter(|one| self.entries.contains_key(one));
        let whole = self.closure(tables, |_| false);
        let types = whole.tables.iter().filter_map(|one| self.types.get(one));
        if whole.partial {
            open.extend(types.copied());
        } else {
            found.types.extend(types.copied());
        }
        found.own.extend(whole.tables);
    }

    /// The tables that a function of another file stores by name, or takes from what the call at
    /// hand hands it: `simple_fill_super(sb, magic, nfsd_files)`. What it copies from one object to
    /// another is no other one's.
    fn handed(&self, store: &Store, callee: DefId, call: &Call, user: DefId) -> FxHashSet<Table> {
        if let Some(table) = self.table(store.source, store.path) {
            return FxHashSet::from_iter([table]);
        }
        let base = store.source.text().split_once('>').map(|(base, _)| base);
        let position = base.and_then(|base| self.position_of(callee, base));
        let argument = position.and_then(|at| call.arguments.get().get(at));
        let handed = argument.and_then(|place| {
            let own = self.local_table(user, *place);
            own.filter(|one| self.entries.contains_key(one))
                .or_else(|| self.table(*place, self.view.program[user].path))
        });
        let entries = handed.and_then(|table| self.entries.get(&table));
        let held = entries.into_iter().flatten();
        held.filter(|entry| entry.member == key_of(store.source))
            .filter_map(|entry| self.table(place_of(entry.source), entry.path))
            .collect()
    }

    /// The parameter that the first part of a place is, by its name (`$files`) or its type.
    fn position_of(&self, user: DefId, base: &str) -> Option<usize> {
        if let Some(name) = base.strip_prefix('$') {
            return self.position(user, name);
        }
        let function = self.view.program[user].fact.function()?;
        let mut parameters = function.parameters.iter();
        parameters.position(|one| one.type_.text() == base)
    }

    fn stores_by_user(&self) -> FxHashMap<DefId, Vec<Store>> {
        let mut found: FxHashMap<DefId, Vec<Store>> = FxHashMap::default();
        for store in self.stores.values().flatten() {
            if let Some(user) = store.user {
                found.entry(user).or_default().push(*store);
            }
        }
        found
    }

    /// The type of the tables to which a member points that is stored to.
    fn held_type(&self, store: &Store) -> Option<Sym> {
        let location = self.location(store)?;
        let Kind::Member((tag, at), member) = self.pointers.locations.get(location).kind else {
            return None;
        };
        let (_, _, definition) = self.view.struct_(tag, at)?;
        let mut members = definition.members.iter();
        members.find(|one| one.name == member).map(|one| one.type_)
    }
}

/// The variables of a function that are what another function returns, and nothing else.
fn made_by(fact: Fact<'_>, name: Sym) -> impl Iterator<Item = Sym> {
    let maker = Expr::text(&format!("@{}", name.text()));
    let mut found: FxHashMap<Sym, bool> = FxHashMap::default();
    for (place, value) in fact.function().into_iter().flat_map(|one| &one.sets) {
        let variable = place.text().strip_suffix(">*");
        if let Some(variable) = variable.filter(|one| one.starts_with('$')) {
            let made = without_guard(*value).as_tuple();
            let is_made =
                made.is_some_and(|(head, made)| head == "made" && made.first() == Some(&maker));
            *found.entry(Sym::new(variable)).or_insert(true) &= is_made;
        }
    }
    found
        .into_iter()
        .filter_map(|(variable, is_made)| is_made.then_some(variable))
}
