//! Which tables of functions (`file_operations` …) a pointer to one may point to.
//!
//! The member through which a call goes tells its targets by struct type alone (see `points_to`).
//! Where the function itself took the table, only the tables count that are kept where it took it
//! from (`filp->f_op = blkdevs[major].fops`): what was stored there, for a single variable where all
//! stores name one. Places are followed backwards, into the calls of a function for its parameters
//! and into a function for what it returns to that very call.
//!
//! A function of a table that takes another one and calls through the same member *passes on*
//! (`chrdev_open`): `points_to` has it that whoever calls the first table calls the others too.
//! What a table holds that is given to an inode under `S_ISCHR` alone, and what is passed on from
//! there, is called for such files only.

mod file_systems;
mod handing_on;
mod known;

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Call, TableFlow};
use crate::file_kinds::{Kinds, SPECIAL, UNPLACED};
use crate::intern::{Sym, SymList};
use crate::names::{DefId, Fact, PathId, StoredAt, View, key_of, outside, place_of};
use crate::notation::{Values, filled, is_use, names, used};
use crate::placed_files::Openers;
use crate::points_to::PointsTo;
use crate::types::{Kind, LocationId};

/// A variable outside functions, with its file if it is static.
pub type Table = (Option<PathId>, Sym);

/// The members that open a file.
const OPENING: [&str; 2] = ["open", "proc_open"];

/// Steps back from a pointer to what it may point to: deeper than any kernel has them.
const DEEPEST: u32 = 40;

/// Calls within calls whose arguments are told apart.
const MOST_CALLS: u32 = 4;

/// Tables, and whether they are all that there may be. `circle` is the number of the outermost
/// place that is being followed and into which this one leads back: what that holds besides comes
/// on top.
#[derive(Clone, Default)]
struct Set {
    tables: FxHashSet<Table>,
    partial: bool,
    circle: Option<usize>,
}

impl Set {
    fn unknown() -> Set {
        Set {
            partial: true,
            ..Set::default()
        }
    }

    /// The set of one table.
    fn of(table: Table) -> Set {
        Set {
            tables: FxHashSet::from_iter([table]),
            ..Set::default()
        }
    }

    fn add(&mut self, other: &Set) {
        self.tables.extend(&other.tables);
        self.partial |= other.partial;
        self.circle = outermost(self.circle, other.circle);
    }
}

fn outermost(one: Option<usize>, other: Option<usize>) -> Option<usize> {
    one.into_iter().chain(other).min()
}

/// A value that is stored in a member: by whom and for which kinds of files; `base` is the variable
/// outside functions whose member it is, if it is one's.
#[derive(Clone, Copy)]
struct Store {
    target: Sym,
    source: Sym,
    user: Option<DefId>,
    path: PathId,
    base: Option<Sym>,
    kinds: Kinds,
}

/// What a table holds under a member.
#[derive(Clone, Copy)]
struct Entry {
    location: LocationId,
    member: Sym,
    source: Sym,
    path: PathId,
}

/// What stands for a function's parameters in one call of it: its arguments' places, the caller, and
/// what stands for that one's.
struct Given<'e> {
    arguments: &'e [Sym],
    user: DefId,
    before: Option<&'e Given<'e>>,
    /// How many calls these are.
    calls: u32,
}

/// A place as a function, or a file without one, names it.
type At = (Sym, Option<DefId>, PathId);
/// What is asked for the tables in it: a place, whoever called the function; or all that is stored
/// in a location, or in that of one variable.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Source {
    Place(At),
    Location(LocationId, Option<Sym>),
}

/// The tables that were found in sources.
#[derive(Default)]
struct Memory {
    found: FxHashMap<Source, Rc<Set>>,
    /// How many sources are being followed, each for the one before it.
    depth: usize,
    /// Those that are found as far as they do not lead back into one of them.
    circular: Vec<(Source, usize)>,
}

/// The tables that a function may call by through a member, where it takes them from these places;
/// None for any.
type Allowed = FxHashMap<(DefId, SymList, Sym), Option<Rc<Set>>>;

/// Answers which functions of tables a call may call.
pub struct TableSets<'s, 'v, 'p, 'f> {
    pointers: &'s PointsTo<'v, 'p, 'f>,
    view: &'v View<'p, 'f>,
    entries: FxHashMap<Table, Vec<Entry>>,
    types: FxHashMap<Table, Sym>,
    openers: RefCell<Openers<'v, 'p, 'f>>,
    /// The tables that hold a function.
    holders: FxHashMap<DefId, Vec<Table>>,
    /// By the key of what is stored to.
    stores: FxHashMap<Sym, Vec<Store>>,
    /// The same by the location that is stored to, of the keys that were asked for.
    located: RefCell<FxHashMap<Sym, FxHashMap<LocationId, Vec<Store>>>>,
    memory: RefCell<Memory>,
    /// What stands in members of objects.
    registered: OnceCell<FxHashSet<Table>>,
    allowed: RefCell<Allowed>,
    /// What stands for the tables of calls that hand on, where their text does not tell.
    layers: RefCell<FxHashMap<(DefId, Sym), SymList>>,
    identities: RefCell<known::Identities>,
    file_systems: RefCell<file_systems::Known>,
}

impl<'s, 'v, 'p, 'f> TableSets<'s, 'v, 'p, 'f> {
    /// Take down what is stored where.
    pub fn new(pointers: &'s PointsTo<'v, 'p, 'f>) -> Self {
        let mut made = TableSets {
            pointers,
            view: pointers.view,
            entries: FxHashMap::default(),
            types: FxHashMap::default(),
            openers: RefCell::new(Openers::new(pointers.view)),
            holders: FxHashMap::default(),
            stores: FxHashMap::default(),
            located: RefCell::default(),
            memory: RefCell::default(),
            registered: OnceCell::new(),
            allowed: RefCell::default(),
            layers: RefCell::default(),
            identities: RefCell::default(),
            file_systems: RefCell::default(),
        };
        made.read_entries();
        made.read_stores();
        made
    }

    fn read_entries(&mut self) {
        let program = self.view.program;
        for path in self.view.built_files() {
            for index in [&program.stored, &self.pointers.expansions.stored] {
                for (name, all) in index.held(path) {
                    for at in all {
                        self.read_entry(name, at);
                    }
                }
            }
        }
    }

    fn read_entry(&mut self, name: Sym, at: &StoredAt) {
        let stored = &at.stored;
        let local = at
            .within
            .and_then(|user| self.local_table(user, stored.variable));
        let Some(table) = local.or_else(|| self.table(stored.variable, at.path)) else {
            return;
        };
        let Some(location) = self.pointers.locations.stored(at) else {
            return;
        };
        let entry = Entry {
            location,
            member: self.pointers.locations.get(location).key,
            source: name,
            path: at.path,
        };
        self.entries.entry(table).or_default().push(entry);
        self.types.insert(table, stored.type_);
        for &function in &*self.view.resolve(name, at.path) {
            let holders = self.holders.entry(function).or_default();
            if !holders.contains(&table) {
                holders.push(table);
            }
        }
        if local.is_some() {
            return;
        }
        self.add_store(Store {
            target: entry.member,
            source: place_of(name),
            user: None,
            path: at.path,
            base: Some(table.1),
            kinds: 0,
        });
    }

    fn read_stores(&mut self) {
        let program = self.view.program;
        for path in self.view.built_files() {
            for index in [&program.flows, &self.pointers.expansions.flows] {
                for (_, flows) in index.held(path) {
                    for (user, flow) in flows {
                        let of_table = |one: &&TableFlow| one.source == flow.source;
                        let known = tables_of(program[*user].fact)
                            .iter()
                            .any(|one| of_table(&one));
                        if flow.target.text().contains('>') && !known {
                            self.add_flow(*user, flow.target, flow.source, 0);
                        }
                    }
                }
            }
            for user in program.of_file(path) {
                for flow in tables_of(program[user].fact) {
                    self.add_flow(user, flow.target, flow.source, flow.kinds);
                }
            }
        }
    }

    fn add_flow(&mut self, user: DefId, target: Sym, source: Sym, kinds: Kinds) {
        let base = target.text().split_once('>').map(|(base, _)| base);
        let base = base.and_then(|base| base.strip_prefix(':')).map(Sym::new);
        self.add_store(Store {
            target,
            source,
            user: Some(user),
            path: self.view.program[user].path,
            base,
            kinds,
        });
    }

    fn add_store(&mut self, store: Store) {
        self.stores
            .entry(key_of(store.target))
            .or_default()
            .push(store);
    }

    /// The table that a place is, if it is one.
    fn table(&self, place: Sym, path: PathId) -> Option<Table> {
        let name = outside(place).filter(|_| names(place.text()))?;
        let (at, _) = self.view.variable(name, path)?;
        Some((at, name))
    }

    // What a pointer may point to.

    fn tables_in(&self, at: At, given: Option<&Given<'_>>, depth: u32) -> Set {
        if depth > DEEPEST || given.is_some_and(|given| given.calls > MOST_CALLS) {
            return Set::unknown();
        }
        if given.is_some() {
            return self.followed(at, given, depth);
        }
        let found = self.once(Source::Place(at), || self.followed(at, None, depth));
        (*found).clone()
    }

    /// What is in a source, followed once. What is copied from itself adds nothing: cache_ops of
    /// intermezzo keep the tables of inodes that they are given to (2.4).
    fn once(&self, source: Source, follow: impl FnOnce() -> Set) -> Rc<Set> {
        let (number, begun) = {
            let mut memory = self.memory.borrow_mut();
            if let Some(known) = memory.found.get(&source) {
                if known.circle.is_none() {
                    return known.clone();
                }
                let circles = memory.circular.iter().map(|(_, circle)| *circle);
                let mut found = (**known).clone();
                found.circle = circles.chain(found.circle).min();
                return Rc::new(found);
            }
            let number = memory.depth;
            let circular = Set {
                circle: Some(number),
                ..Set::default()
            };
            memory.found.insert(source, Rc::new(circular));
            memory.depth += 1;
            (number, memory.circular.len())
        };
        let mut found = follow();
        let mut memory = self.memory.borrow_mut();
        memory.depth -= 1;
        if let Some(circle) = found.circle.filter(|circle| *circle < number) {
            memory.circular.push((source, circle));
        } else {
            found.circle = None;
            let Memory {
                found, circular, ..
            } = &mut *memory;
            for (other, _) in circular.drain(begun..) {
                found.remove(&other);
            }
        }
        let found = Rc::new(found);
        memory.found.insert(source, found.clone());
        found
    }

    fn followed(&self, at: At, given: Option<&Given<'_>>, depth: u32) -> Set {
        let (place, user, path) = at;
        let text = place.text();
        let (base, members) = match text.split_once('>') {
            Some((base, members)) => (base, Some(members)),
            None => (text, None),
        };
        if is_use(base) && !base.starts_with(':') && members.is_none() {
            return self.returned(at, given, depth);
        }
        if let Some(name) = base.strip_prefix('$') {
            let Some(user) = user else {
                return Set::unknown();
            };
            let position = self.position(user, name);
            return match (position, members) {
                (Some(position), _) => {
                    self.of_parameter(user, position, place, members, given, depth)
                }
                (None, None) => self.of_local(user, place, given, depth),
                (None, Some(_)) => Set::unknown(),
            };
        }
        if members.is_none() {
            return self.of_variable(place, path, depth);
        }
        let Some(location) = self.pointers.locations.location(place, path, user) else {
            return Set::unknown();
        };
        let variable = base.strip_prefix(':').map(Sym::new);
        (*self.stored_in(location, variable, depth)).clone()
    }

    fn position(&self, user: DefId, name: &str) -> Option<usize> {
        let mut parameters = self.view.program[user].fact.parameters();
        parameters.position(|one| one.text() == name)
    }

    /// What a variable is, or what it is given where it is a pointer. One without anything in it may
    /// be filled as a whole (`ldiscs[n] = *new`, 2.2.24).
    fn of_variable(&self, place: Sym, path: PathId, depth: u32) -> Set {
        let Some(table) = self.table(place, path) else {
            // What a variable holds that nobody declares is in no table that is known.
            let name = outside(place).unwrap_or_default();
            return Set {
                partial: !self.view.resolve(name, path).is_empty(),
                ..Set::default()
            };
        };
        if self.entries.contains_key(&table) {
            return Set::of(table);
        }
        match self.pointers.locations.location(place, path, None) {
            Some(location) => Set {
                // A list may begin there, which is filled through pointers to pointers.
                partial: true,
                ..(*self.stored_in(location, None, depth)).clone()
            },
            None => Set::unknown(),
        }
    }

    fn of_local(&self, user: DefId, place: Sym, given: Option<&Given<'_>>, depth: u32) -> Set {
        let mut found = Set::default();
        let path = self.view.program[user].path;
        let mut flows = 0;
        for flow in tables_of(self.view.program[user].fact) {
            if flow.target == place {
                flows += 1;
                found.add(&self.tables_in((flow.source, Some(user), path), given, depth + 1));
            }
        }
        if flows == 0 {
            let own = self.local_table(user, place);
            let own = own.filter(|table| self.entries.contains_key(table));
            return own.map_or_else(Set::unknown, Set::of);
        }
        found
    }

    /// What a parameter, or a member of what it points to, is: in the call at hand, else in all.
    fn of_parameter(
        &self,
        user: DefId,
        position: usize,
        place: Sym,
        members: Option<&str>,
        given: Option<&Given<'_>>,
        depth: u32,
    ) -> Set {
        let program = self.view.program;
        if let Some(given) = given {
            let argument = given.arguments.get(position).copied().unwrap_or_default();
            let path = program[given.user].path;
            let argument = match members {
                Some(_) if argument.is_empty() => return self.by_type(user, position, members),
                Some(members) => Sym::new(&format!("{}>{members}", argument.text())),
                None => argument,
            };
            return self.argument(argument, given.user, path, given.before, depth);
        }
        if members.is_some() {
            return self.by_type(user, position, members);
        }
        if self.pointers.is_pointed_to(user) {
            return Set::unknown();
        }
        let mut found = Set::default();
        let mut calls = 0;
        let name = program[user].name;
        let made = self.pointers.expansions.calls.get(name).iter();
        let made = made.map(|(caller, call)| (*caller, call));
        for (caller, call) in self.view.of_built(&program.calls, name).chain(made) {
            let path = program[caller].path;
            if !self.view.resolve(name, path).contains(&user) {
                continue;
            }
            calls += 1;
            let argument = call.arguments.get().get(position).copied();
            let argument = argument.unwrap_or_default();
            found.add(&self.argument(argument, caller, path, None, depth));
        }
        for flow in tables_of(program[user].fact) {
            if flow.target == place {
                let path = program[user].path;
                found.add(&self.tables_in((flow.source, Some(user), path), None, depth + 1));
            }
        }
        // What is static and called by nobody is not called.
        let is_static = program[user]
            .fact
            .function()
            .is_some_and(|one| one.is_static);
        found.partial |= calls == 0 && !is_static;
        found
    }

    fn argument(
        &self,
        argument: Sym,
        user: DefId,
        path: PathId,
        given: Option<&Given<'_>>,
        depth: u32,
    ) -> Set {
        let text = argument.text();
        if text == "0" || text == ":NULL" {
            return Set::default();
        }
        if text.is_empty() || text.starts_with('=') {
            return Set::unknown();
        }
        self.tables_in((argument, Some(user), path), given, depth + 1)
    }

    /// What a member of whatever a parameter points to is.
    fn by_type(&self, user: DefId, position: usize, members: Option<&str>) -> Set {
        let definition = &self.view.program[user];
        let parameter = definition.fact.function();
        let type_ = parameter.and_then(|one| one.parameters.get(position));
        let place = type_
            .zip(members)
            .map(|(parameter, members)| Sym::new(&format!("{}>{members}", parameter.type_.text())));
        place.map_or_else(Set::unknown, |place| {
            self.tables_in((place, Some(user), definition.path), None, 1)
        })
    }

    fn returned(&self, at: At, given: Option<&Given<'_>>, depth: u32) -> Set {
        let (place, user, path) = at;
        let Some((name, arguments)) = used(place.text()) else {
            return Set::unknown();
        };
        let arguments: Vec<Sym> = arguments.iter().map(|one| Sym::new(one)).collect();
        let mut found = Set::default();
        let called = self.view.resolve(Sym::new(name), path);
        for &callee in &*called {
            let definition = &self.view.program[callee];
            match definition.fact {
                Fact::Function(function) => {
                    let Some(user) = user else {
                        return Set::unknown();
                    };
                    let given = Given {
                        arguments: &arguments,
                        user,
                        before: given,
                        calls: given.map_or(0, |given| given.calls) + 1,
                    };
                    let mut returns = function.tables.iter();
                    let mut returned = 0;
                    for flow in returns.by_ref().filter(|flow| flow.target.text() == "()") {
                        returned += 1;
                        let path = definition.path;
                        let source = flow.source;
                        let one =
                            self.tables_in((source, Some(callee), path), Some(&given), depth + 1);
                        found.add(&one);
                    }
                    found.partial |= returned == 0;
                }
                Fact::Macro(macro_) => {
                    let Some(parameters) = macro_.parameters else {
                        return Set::unknown();
                    };
                    let values: Values<'_> = parameters
                        .iter()
                        .map(|name| name.text())
                        .zip(arguments.iter().map(|one| one.text()))
                        .collect();
                    let place = filled(macro_.place.text(), &values, &values);
                    if place.is_empty() {
                        return Set::unknown();
                    }
                    found.add(&self.tables_in((Sym::new(&place), user, path), given, depth + 1));
                }
            }
        }
        found.partial |= called.is_empty();
        found
    }

    /// What is stored in a location, or in that of one variable.
    fn stored_in(&self, location: LocationId, variable: Option<Sym>, depth: u32) -> Rc<Set> {
        self.once(Source::Location(location, variable), || {
            let mut found = Set::default();
            for store in self.stores_to(location) {
                let elsewhere =
                    variable.is_some() && store.base.is_some() && store.base != variable;
                if !elsewhere {
                    let Store {
                        source, user, path, ..
                    } = store;
                    found.add(&self.tables_in((source, user, path), None, depth + 1));
                }
            }
            found
        })
    }

    fn stores_to(&self, location: LocationId) -> Vec<Store> {
        let key = self.pointers.locations.get(location).key;
        if !self.located.borrow().contains_key(&key) {
            let mut found: FxHashMap<LocationId, Vec<Store>> = FxHashMap::default();
            for store in self.stores.get(&key).into_iter().flatten() {
                if let Some(location) = self.location(store) {
                    found.entry(location).or_default().push(*store);
                }
            }
            self.located.borrow_mut().insert(key, found);
        }
        let located = self.located.borrow();
        located[&key].get(&location).cloned().unwrap_or_default()
    }

    /// The location that is stored to.
    fn location(&self, store: &Store) -> Option<LocationId> {
        let locations = &self.pointers.locations;
        match (store.user, store.base) {
            (None, Some(table)) => {
                let table = self.table(place_of(table), store.path)?;
                let type_ = self.types.get(&table)?;
                let place = format!("{}>{}", type_.text(), store.target.text());
                locations.location(Sym::new(&place), store.path, None)
            }
            (user, _) => {
                let text = store.target.text();
                let base = text.strip_prefix('$').and_then(|text| text.split_once('>'));
                let Some((name, members)) = base else {
                    return locations.location(store.target, store.path, user);
                };
                let function = self.view.program[user?].fact.function()?;
                let mut parameters = function.parameters.iter();
                let parameter = parameters.find(|one| one.name.text() == name)?;
                let place = format!("{}>{members}", parameter.type_.text());
                locations.location(Sym::new(&place), store.path, user)
            }
        }
    }

    // What is passed on.

    /// Tables, those that they hold, and those to which their functions pass on, without some.
    fn closure(
        &self,
        tables: impl IntoIterator<Item = Table>,
        without: impl Fn(&Table) -> bool,
    ) -> Set {
        self.closure_for(None, tables, without)
    }

    /// The same for calls through a member: where a function under it hands on, that one calls.
    fn closure_for(
        &self,
        member: Option<Sym>,
        tables: impl IntoIterator<Item = Table>,
        without: impl Fn(&Table) -> bool,
    ) -> Set {
        let mut found = Set::default();
        let mut waiting: Vec<Table> = tables.into_iter().collect();
        while let Some(table) = waiting.pop() {
            if without(&table) || !found.tables.insert(table) {
                continue;
            }
            let next = self.passed_on(table, member);
            found.partial |= next.partial;
            waiting.extend(next.tables);
        }
        found
    }

    fn passed_on(&self, table: Table, member: Option<Sym>) -> Set {
        let program = self.view.program;
        let mut found = Set::default();
        for entry in self.entries.get(&table).map_or(&[][..], Vec::as_slice) {
            if let Some(held) = self.table(place_of(entry.source), entry.path)
                && self.entries.contains_key(&held)
            {
                found.tables.insert(held);
            }
            for &function in &*self.view.resolve(entry.source, entry.path) {
                let fact = program[function].fact;
                let hands_on =
                    |call: &Call| member == Some(entry.member) && self.hands_on(function, call);
                let same = |call: &&Call| {
                    call.pointer
                        && key_of(call.target) == entry.member
                        && (member.is_none() || self.may_be_at(entry.location, function, call))
                        && !hands_on(call)
                };
                for call in fact.calls().iter().filter(same) {
                    found.add(&self.all_in(call.tables, function));
                }
                if fact.calls().iter().any(|call| same(&call)) {
                    found.add(&self.taken(function, self.types.get(&table).copied()));
                }
            }
        }
        found
    }

    /// Whether a call may go through a location: not where it goes through that of another struct
    /// (`vfl->open(vfl, 0)` in video_open, 2.4).
    fn may_be_at(&self, location: LocationId, caller: DefId, call: &Call) -> bool {
        let path = self.view.program[caller].path;
        let locations = &self.pointers.locations;
        let found = locations.location(call.target, path, Some(caller));
        found.is_none_or(|found| found == location)
    }

    /// Whether a function is in a table of the same type as that which it stores.
    fn passes_on(&self, user: Option<DefId>, table: Table) -> bool {
        let holders = user.and_then(|user| self.holders.get(&user));
        let mut holders = holders.into_iter().flatten();
        holders.any(|holder| self.types.get(holder) == self.types.get(&table))
    }

    fn all_in(&self, places: SymList, user: DefId) -> Set {
        let path = self.view.program[user].path;
        let mut found = Set::default();
        for &place in places.get() {
            found.add(&self.tables_in((place, Some(user), path), None, 0));
        }
        found
    }

    /// The tables of a type that a function takes for whatever purpose.
    fn taken(&self, user: DefId, type_: Option<Sym>) -> Set {
        let definition = &self.view.program[user];
        let mut found = Set::default();
        for flow in tables_of(definition.fact) {
            found.add(&self.tables_in((flow.source, Some(user), definition.path), None, 0));
        }
        if let Some(function) = definition.fact.function() {
            for flow in &function.flows {
                let table = self.table(flow.source, definition.path);
                found.tables.extend(table);
            }
        }
        found
            .tables
            .retain(|table| self.types.get(table).copied() == type_);
        found
    }

    /// Whether a call through a pointer may call a function: not where the table is known that it
    /// calls by, and the function is only in others; nor, where that may be another one, where all
    /// of them are known to stand elsewhere.
    pub fn allows(&self, caller: DefId, call: &Call, callee: DefId) -> bool {
        let tables = self.tables_by(caller, call);
        if tables.get().is_empty() {
            return true;
        }
        let Some(holders) = self.holders.get(&callee) else {
            return true;
        };
        let may = |allowed: &Set, table: &Table| {
            allowed.tables.contains(table) || allowed.partial && !self.stands_elsewhere(table)
        };
        self.called_by(caller, call, tables)
            .is_none_or(|allowed| holders.iter().any(|table| may(&allowed, table)))
    }

    /// The tables by which a call goes that has them from these places, as far as any are known.
    fn called_by(&self, caller: DefId, call: &Call, tables: SymList) -> Option<Rc<Set>> {
        let member = self.member_of(caller, call);
        let key = (caller, tables, member);
        if let Some(known) = self.allowed.borrow().get(&key) {
            return known.clone();
        }
        let taken = self.all_in(tables, caller);
        let mut found = self.closure_for(Some(member), taken.tables, |_| false);
        found.partial |= taken.partial;
        let found = (!found.tables.is_empty()).then(|| Rc::new(found));
        self.allowed.borrow_mut().insert(key, found.clone());
        found
    }

    /// The member through which a call goes: that from which a local pointer has what it holds
    /// (`open = f->f_op->open`).
    fn member_of(&self, caller: DefId, call: &Call) -> Sym {
        let function = self.view.program[caller].fact.function();
        let flows = function.map_or(&[][..], |one| &one.flows);
        let given = flows.iter().filter(|flow| flow.target == call.target);
        let mut members = given
            .filter(|flow| flow.source.text().contains('>'))
            .map(|flow| key_of(flow.source));
        let first = members
            .next()
            .filter(|_| call.target.text().starts_with('$'));
        let only = first.filter(|first| members.all(|other| other == *first));
        only.unwrap_or_else(|| key_of(call.target))
    }

    /// Whether a table is known to stand in a member of some object.
    fn stands_elsewhere(&self, table: &Table) -> bool {
        let known = self.registered.get_or_init(|| {
            let kept = self.stores.values().flatten();
            let kept = kept.filter(|store| self.is_kept(store));
            kept.flat_map(|store| self.source(store).tables).collect()
        });
        known.contains(table)
    }

    /// Whether what is stored is kept in a member of an object.
    fn is_kept(&self, store: &Store) -> bool {
        let locations = &self.pointers.locations;
        let location = self.location(store).map(|one| locations.get(one));
        location.is_some_and(|one| matches!(one.kind, Kind::Member(..)))
    }

    /// The tables that hold a function.
    pub fn holding(&self, function: DefId) -> &[Table] {
        self.holders.get(&function).map_or(&[], Vec::as_slice)
    }

    /// The functions of the tables that hold one to open a file.
    pub fn beside_open(&self, opener: DefId) -> Vec<DefId> {
        let mut found = Vec::new();
        for table in self.holding(opener) {
            let entries = || self.entries.get(table).into_iter().flatten();
            let of = |entry: &Entry| self.view.resolve(entry.source, entry.path);
            let opening = |entry: &Entry| OPENING.contains(&entry.member.text());
            if entries().any(|entry| opening(entry) && of(entry).contains(&opener)) {
                found.extend(entries().flat_map(|entry| of(entry).to_vec()));
            }
        }
        found
    }

    /// The functions that are called for devices, pipes and sockets alone, and for which of them.
    pub fn special(&self) -> FxHashMap<DefId, Kinds> {
        let (given, roots) = self.given_by_kind();
        let is_special =
            |table: &Table| given.get(table).is_some_and(|kinds| kinds & !SPECIAL == 0);
        let mut of_kind: FxHashMap<Table, Kinds> = FxHashMap::default();
        for (&table, &kinds) in given.iter().filter(|(table, _)| is_special(table)) {
            for table in self.closure([table], |_| false).tables {
                *of_kind.entry(table).or_default() |= kinds;
            }
        }
        let given_to_any = roots.iter().flat_map(|root| self.stores_to(*root));
        let given_to_any: Vec<Table> = given_to_any
            .flat_map(|store| self.source(&store).tables)
            .collect();
        let plain = self.closure(given_to_any, is_special).tables;
        let kinds_of = |table: &Table| of_kind.get(table).filter(|_| !plain.contains(table));
        let mut found = FxHashMap::default();
        for (&function, holders) in &self.holders {
            let kinds: Option<Vec<Kinds>> = holders
                .iter()
                .map(|table| kinds_of(table).copied())
                .collect();
            if let Some(kinds) = kinds {
                found.insert(function, kinds.iter().fold(0, |one, other| one | other));
            }
        }
        for (function, holders) in &self.holders {
            if !found.contains_key(function) && self.are_unplaced(holders) {
                found.insert(*function, UNPLACED);
            }
        }
        found
    }

    /// Whether some tables are all of files that are not written at any place one asks for.
    fn are_unplaced(&self, tables: &[Table]) -> bool {
        let mut openers = self.openers.borrow_mut();
        let mut opens = |table: &Table| {
            let entries = self.entries.get(table).into_iter().flatten();
            let mut open = entries.filter(|entry| OPENING.contains(&entry.member.text()));
            let Some((first, None)) = open.next().map(|first| (first, open.next())) else {
                return false;
            };
            let functions = self.view.resolve(first.source, first.path);
            let mut all = functions.iter();
            !functions.is_empty() && all.all(|one| openers.unplace(*one))
        };
        tables.iter().all(&mut opens)
    }

    /// The tables that members are given for some kinds of files alone, with these, and the members
    /// that are given such of special ones.
    fn given_by_kind(&self) -> (FxHashMap<Table, Kinds>, FxHashSet<LocationId>) {
        let mut given: FxHashMap<Table, Kinds> = FxHashMap::default();
        let mut roots = FxHashSet::default();
        for store in self
            .stores
            .values()
            .flatten()
            .filter(|store| store.kinds != 0)
        {
            let kinds = store.kinds & !UNPLACED;
            let table = self.table(store.source, store.path);
            let table = table.filter(|table| self.entries.contains_key(table));
            if let Some((table, root)) = table.zip(self.location(store))
                && !self.passes_on(store.user, table)
            {
                *given.entry(table).or_default() |= kinds;
                if kinds & !SPECIAL == 0 {
                    roots.insert(root);
                }
            }
        }
        (given, roots)
    }

    fn source(&self, store: &Store) -> Set {
        self.tables_in((store.source, store.user, store.path), None, 0)
    }
}

fn tables_of(fact: Fact<'_>) -> &[TableFlow] {
    fact.function().map_or(&[], |function| &function.tables)
}
