//! Calls through function pointers, resolved by struct type and member.
//!
//! Functions flow into abstract locations (see `types`) by initialisers, assignments and
//! arguments, and from location to location; a call through a pointer calls whatever may be in its
//! location. This is a field-based points-to analysis without regard for order, after Heintze and
//! Tardieu, "Ultra-fast Aliasing Analysis using CLA" (PLDI 2001).

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::Call;
use crate::intern::Sym;
use crate::macro_expansion::{ANY_NUMBER, Expansions, is_template};
use crate::names::{DefId, Fact, Index, PathId, StoredAt, View, outside, place_of};
use crate::notation::names;
use crate::types::{Kind, LocationId, Locations};

/// "#define a b" after "#define b c" …
const DEEPEST_ALIAS: u32 = 5;

/// A call through a pointer, and the names for people of the locations through which the callee
/// came, in order.
#[derive(Clone, Debug)]
pub struct PointerCall {
    pub caller: DefId,
    pub call: Call,
    pub ways: Rc<[Sym]>,
}

/// Pointer calls in what the ABI is built from: all; those with a target; those whose receiver is
/// not known while functions are stored in a member of that name somewhere; the targets of all
/// calls together; the most targets of one call, and that call's location.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Count {
    pub calls: usize,
    pub resolved: usize,
    pub by_name: usize,
    pub targets: usize,
    pub most: usize,
    pub widest: Sym,
}

/// The functions in a location, in the order in which they came, each with its ways in `ways`.
#[derive(Default)]
struct Held {
    functions: Vec<DefId>,
    ways: FxHashMap<DefId, u32>,
}

/// Answers which pointer calls may call a function.
pub struct PointsTo<'v, 'p, 'f> {
    pub view: &'v View<'p, 'f>,
    pub expansions: Expansions,
    pub locations: Locations<'v, 'p, 'f>,
    called: Vec<(DefId, Call, Option<LocationId>)>,
    /// The calls through a location, as numbers in `called`.
    calls_at: FxHashMap<LocationId, Vec<u32>>,
    /// What is where, by location.
    held: Vec<Held>,
    /// The names of the locations that are no locals through which a function came into one, or of
    /// the local one that it was put into.
    ways: Vec<Vec<Sym>>,
    /// By function, the locations that hold it, each with the number of its ways.
    locations_of: FxHashMap<DefId, Vec<(LocationId, u32)>>,
}

impl<'v, 'p, 'f> PointsTo<'v, 'p, 'f> {
    /// Find out what is where.
    pub fn solve(view: &'v View<'p, 'f>) -> PointsTo<'v, 'p, 'f> {
        let facts = Facts {
            view,
            expansions: Expansions::make(view),
            locations: Locations::new(view),
        };
        let mut of_files = Vec::new();
        let mut seeds = Vec::new();
        let mut named: FxHashMap<LocationId, Vec<Named>> = FxHashMap::default();
        for path in view.built_files() {
            facts.calls(path, &mut of_files);
            facts.seeds(path, &mut seeds);
            facts.named(path, &mut named);
        }
        let mut called = facts.hooks();
        called.append(&mut of_files);
        let mut calls_at: FxHashMap<LocationId, Vec<u32>> = FxHashMap::default();
        for (number, (_, _, location)) in (0..).zip(&called) {
            if let Some(location) = *location {
                calls_at.entry(location).or_default().push(number);
            }
        }
        let mut solver = Solver::new(&facts, &calls_at, named);
        for (location, function) in seeds {
            solver.put(location, function, None);
        }
        solver.run();
        let Solver {
            held,
            ways,
            locations_of,
            ..
        } = solver;
        PointsTo {
            view,
            expansions: facts.expansions,
            locations: facts.locations,
            called,
            calls_at,
            held,
            ways,
            locations_of,
        }
    }

    /// The pointer calls that may call a function, in no particular order.
    pub fn callers(&self, definition: DefId) -> Vec<PointerCall> {
        let mut found = Vec::new();
        for &(location, ways) in self.locations_holding(definition) {
            let mut named: Option<Rc<[Sym]>> = None;
            for (caller, call) in self.fitting(location, definition) {
                let ways = named.get_or_insert_with(|| {
                    let mut ways = self.ways[ways as usize].clone();
                    ways.sort_by_key(|way| way.text());
                    ways.into()
                });
                found.push(PointerCall {
                    caller,
                    call: *call,
                    ways: ways.clone(),
                });
            }
        }
        found
    }

    /// The same, without the ways: a caller and its call.
    pub fn calls(&self, definition: DefId) -> Vec<(DefId, Call)> {
        let mut found = Vec::new();
        for &(location, _) in self.locations_holding(definition) {
            let fitting = self.fitting(location, definition);
            found.extend(fitting.map(|(caller, call)| (caller, *call)));
        }
        found
    }

    /// Whether a pointer call may call a function.
    pub fn is_pointed_to(&self, definition: DefId) -> bool {
        self.locations_of.contains_key(&definition)
    }

    fn locations_holding(&self, definition: DefId) -> &[(LocationId, u32)] {
        self.locations_of
            .get(&definition)
            .map_or(&[], Vec::as_slice)
    }

    /// The calls through a location that a function fits.
    fn fitting(
        &self,
        location: LocationId,
        function: DefId,
    ) -> impl Iterator<Item = (DefId, &Call)> {
        let fact = self.view.program[function].fact;
        let calls = self.calls_at.get(&location).map_or(&[][..], Vec::as_slice);
        calls
            .iter()
            .map(|&number| &self.called[number as usize])
            .filter(move |(_, call, _)| fits(call, fact))
            .map(|(caller, call, _)| (*caller, call))
    }

    /// What a pointer call may call.
    pub fn targets(&self, caller: DefId, call: &Call) -> Vec<DefId> {
        let program = self.view.program;
        let path = program[caller].path;
        let location = self.locations.location(call.target, path, Some(caller));
        let mut found = self.held_in(location).to_vec();
        found.retain(|&one| fits(call, program[one].fact));
        found
    }

    fn held_in(&self, location: Option<LocationId>) -> &[DefId] {
        location
            .and_then(|one| self.held.get(one.at()))
            .map_or(&[], |held| &held.functions)
    }

    /// How many pointer calls there are, and what became of them.
    pub fn count(&self) -> Count {
        let program = self.view.program;
        let mut members: FxHashSet<Sym> = FxHashSet::default();
        for (number, held) in (0..).map(LocationId).zip(&self.held) {
            if !held.functions.is_empty()
                && let Kind::Member(_, member) = self.locations.get(number).kind
            {
                members.insert(member);
            }
        }
        let mut count = Count {
            calls: self.called.len(),
            resolved: 0,
            by_name: 0,
            targets: 0,
            most: 0,
            widest: Sym::default(),
        };
        for (_, call, location) in &self.called {
            let Some(location) = *location else {
                let target = call.target.text();
                let last = target.rsplit_once('>').map_or(target, |(_, last)| last);
                count.by_name += usize::from(members.contains(&Sym::new(last)));
                continue;
            };
            let may = |one: &&DefId| {
                let one = &program[**one];
                fits(call, one.fact) && self.view.built(one.path)
            };
            let found = self.held_in(Some(location)).iter().filter(may).count();
            count.resolved += usize::from(found > 0);
            count.targets += found;
            if found >= count.most {
                let label = self.locations.label(location);
                if found > count.most || count.widest.text() > label.text() {
                    count.most = found;
                    count.widest = label;
                }
            }
        }
        count
    }
}

/// Whether a function takes as many arguments as a call has, as far as both are known.
pub fn fits(call: &Call, function: Fact<'_>) -> bool {
    let Fact::Function(function) = function else {
        return true;
    };
    let Some(last) = function.parameters.last() else {
        return true;
    };
    let takes = function.parameters.len();
    let given = call.arguments.len();
    if last.name.text() == "..." {
        return given + 1 >= takes;
    }
    given == takes || call.arguments.iter().any(|one| one.text() == ANY_NUMBER)
}

/// A call that hands on functions by name, as which argument.
struct Named {
    call: Call,
    position: usize,
    functions: Rc<[DefId]>,
}

/// A pointer call that is given what is in a location, as which argument, and the location through
/// which it calls.
#[derive(Clone, Copy)]
struct Passing {
    call: Call,
    position: usize,
    through: Option<LocationId>,
}

/// An argument of a call: who calls, the call, and the argument's number.
type Passed<'c> = (DefId, &'c Call, usize);

fn as_written<'c>(&(user, call, position): &(DefId, &'c Call, u32)) -> Passed<'c> {
    (user, call, position as usize)
}

fn as_expanded((user, call, position): &(DefId, Call, u32)) -> Passed<'_> {
    (*user, call, *position as usize)
}

/// What the text of the release tells of locations.
struct Facts<'v, 'p, 'f> {
    view: &'v View<'p, 'f>,
    expansions: Expansions,
    locations: Locations<'v, 'p, 'f>,
}

impl<'v, 'p, 'f> Facts<'v, 'p, 'f> {
    /// The calls through pointers of a file.
    fn calls(&self, path: PathId, found: &mut Vec<(DefId, Call, Option<LocationId>)>) {
        let program = self.view.program;
        for (_, calls) in program.pointer_calls.held(path) {
            for &(caller, call) in calls {
                if !is_template(program[caller].fact, call) {
                    found.push((caller, *call, self.location(call.target, caller)));
                }
            }
        }
        for (_, calls) in self.expansions.pointer_calls.held(path) {
            for &(caller, call) in calls {
                found.push((caller, call, self.location(call.target, caller)));
            }
        }
    }

    /// "hook(…)" of a variable looks like a call of a function.
    fn hooks(&self) -> Vec<(DefId, Call, Option<LocationId>)> {
        let program = self.view.program;
        let mut found = Vec::new();
        for name in program.variables.keys() {
            if program.by_name.contains(name) || !program.calls.contains(name) {
                continue;
            }
            let place = place_of(name);
            for (caller, call) in self.view.of_built(&program.calls, name) {
                if let Some(location) = self.location(place, caller) {
                    found.push((
                        caller,
                        Call {
                            pointer: true,
                            ..*call
                        },
                        Some(location),
                    ));
                }
            }
        }
        found
    }

    /// The locations into which a file puts functions by their names.
    fn seeds(&self, path: PathId, found: &mut Vec<(LocationId, DefId)>) {
        for index in [&self.view.program.stored, &self.expansions.stored] {
            for (name, entries) in index.held(path) {
                let functions = self.functions(name, path);
                for entry in entries.iter().filter(|_| !functions.is_empty()) {
                    if let Some(location) = self.locations.stored(entry) {
                        found.extend(functions.iter().map(|&one| (location, one)));
                    }
                }
            }
        }
        for index in [&self.view.program.flows, &self.expansions.flows] {
            for (key, flows) in index.held(path) {
                let functions = self.functions_of_key(key, path);
                for (user, flow) in flows.iter().filter(|_| !functions.is_empty()) {
                    if names(flow.source.text())
                        && let Some(location) = self.location(flow.target, *user)
                    {
                        found.extend(functions.iter().map(|&one| (location, one)));
                    }
                }
            }
        }
        self.named_arguments(path, |user, call, position, functions| {
            if !call.pointer {
                for parameter in self.parameters(user, call, position) {
                    found.extend(functions.iter().map(|&one| (parameter, one)));
                }
            }
        });
    }

    /// The locations through which a file calls what it hands functions by their names.
    fn named(&self, path: PathId, found: &mut FxHashMap<LocationId, Vec<Named>>) {
        self.named_arguments(path, |user, call, position, functions| {
            if call.pointer
                && let Some(location) = self.location(call.target, user)
            {
                let functions = functions.clone();
                let named = Named {
                    call: *call,
                    position,
                    functions,
                };
                found.entry(location).or_default().push(named);
            }
        });
    }

    /// The functions that calls in a file are given by name.
    fn named_arguments(
        &self,
        path: PathId,
        mut each: impl FnMut(DefId, &Call, usize, &Rc<[DefId]>),
    ) {
        let mut each_of = |key: Sym, passed: &mut dyn Iterator<Item = Passed<'_>>| {
            let functions = self.functions_of_key(key, path);
            if functions.is_empty() {
                return;
            }
            for (user, call, position) in passed {
                if names(argument(call, position).text()) {
                    each(user, call, position, &functions);
                }
            }
        };
        for (key, passed) in self.view.program.passed.held(path) {
            each_of(key, &mut passed.iter().map(as_written));
        }
        for (key, passed) in self.expansions.passed.held(path) {
            each_of(key, &mut passed.iter().map(as_expanded));
        }
    }

    /// The arguments in a file that may be places of a key.
    fn arguments(&self, key: Sym, path: PathId) -> impl Iterator<Item = Passed<'_>> {
        let written = self.view.program.passed.at(key, path).iter();
        let expanded = self.expansions.passed.at(key, path).iter();
        written.map(as_written).chain(expanded.map(as_expanded))
    }

    /// What a name means that stands as a value, without the macros that are no other names of
    /// functions: constants (`PCM512x_GPIO_CONTROL_1`).
    fn functions(&self, name: Sym, path: PathId) -> Rc<[DefId]> {
        let found = self.view.resolve(name, path);
        if found.iter().all(|&one| self.is_function(one, 0)) {
            return found;
        }
        found
            .iter()
            .copied()
            .filter(|&one| self.is_function(one, 0))
            .collect()
    }

    fn functions_of_key(&self, key: Sym, path: PathId) -> Rc<[DefId]> {
        match outside(key) {
            Some(name) => self.functions(name, path),
            None => Rc::default(),
        }
    }

    fn is_function(&self, id: DefId, depth: u32) -> bool {
        let definition = &self.view.program[id];
        let Fact::Macro(macro_) = definition.fact else {
            return true;
        };
        if macro_.parameters.is_some() || macro_.alias.is_empty() || depth > DEEPEST_ALIAS {
            return false;
        }
        let named = self.view.resolve(macro_.alias, definition.path);
        named
            .iter()
            .any(|&one| one != id && self.is_function(one, depth + 1))
    }

    fn location(&self, place: Sym, user: DefId) -> Option<LocationId> {
        self.locations
            .location(place, self.view.program[user].path, Some(user))
    }

    /// The parameters that receive an argument of a call by name.
    fn parameters(&self, user: DefId, call: &Call, position: usize) -> Vec<LocationId> {
        let callees = self.view.resolve(call.target, self.view.program[user].path);
        callees
            .iter()
            .filter_map(|&one| self.locations.parameter(one, position))
            .collect()
    }

    /// The files that may copy what is in places of a key, in order.
    fn copying(&self, key: Sym, path: Option<PathId>) -> Vec<PathId> {
        let (program, expansions) = (self.view.program, &self.expansions);
        if let Some(path) = path {
            return if self.view.built(path) {
                vec![path]
            } else {
                Vec::new()
            };
        }
        let mut found: Vec<PathId> = program.flows.paths(key).collect();
        found.extend(expansions.flows.paths(key));
        found.extend(program.passed.paths(key));
        found.extend(expansions.passed.paths(key));
        if let Some(name) = outside(key) {
            found.extend(program.stored.paths(name));
            found.extend(expansions.stored.paths(name));
        }
        found.retain(|&one| self.view.built(one));
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What a file copies from places of a key: from one location to another.
    fn copied(&self, key: Sym, path: PathId, mut each: impl FnMut(LocationId, LocationId)) {
        let (program, expansions) = (self.view.program, &self.expansions);
        for flows in [&program.flows, &expansions.flows] {
            for &(user, flow) in flows.at(key, path) {
                if let Some(source) = self.location(flow.source, user)
                    && let Some(target) = self.location(flow.target, user)
                {
                    each(source, target);
                }
            }
        }
        for (user, call, position) in self.arguments(key, path) {
            if !call.pointer
                && let Some(source) = self.location(argument(call, position), user)
            {
                for target in self.parameters(user, call, position) {
                    each(source, target);
                }
            }
        }
        if let Some(name) = outside(key) {
            self.stored(&program.stored, key, name, path, &mut each);
            self.stored(&expansions.stored, key, name, path, &mut each);
        }
    }

    fn stored(
        &self,
        index: &Index<StoredAt>,
        place: Sym,
        name: Sym,
        path: PathId,
        each: &mut impl FnMut(LocationId, LocationId),
    ) {
        for entry in index.at(name, path) {
            if let Some(source) = self.locations.location(place, path, None)
                && let Some(target) = self.locations.stored(entry)
            {
                each(source, target);
            }
        }
    }

    /// What a file's pointer calls are given of places of a key.
    fn passed(&self, key: Sym, path: PathId, mut each: impl FnMut(LocationId, Passing)) {
        for (user, call, position) in self.arguments(key, path) {
            if call.pointer
                && !is_template(self.view.program[user].fact, call)
                && let Some(source) = self.location(argument(call, position), user)
            {
                let passing = Passing {
                    call: *call,
                    position,
                    through: self.location(call.target, user),
                };
                each(source, passing);
            }
        }
    }
}

fn argument(call: &Call, position: usize) -> Sym {
    call.arguments
        .get()
        .get(position)
        .copied()
        .unwrap_or_default()
}

/// The key of places, and the only file whose places are meant, if it is one.
type Where = (Sym, Option<PathId>);
/// What leads on from locations, by location.
type From<T> = FxHashMap<LocationId, Rc<[T]>>;

/// Spreads functions until nothing changes.
struct Solver<'a, 'v, 'p, 'f> {
    facts: &'a Facts<'v, 'p, 'f>,
    calls_at: &'a FxHashMap<LocationId, Vec<u32>>,
    /// What the calls through a location are given: functions by name, or what is in another
    /// location; and the parameters that so get what is in a location.
    named: FxHashMap<LocationId, Vec<Named>>,
    copied: FxHashMap<LocationId, Vec<(Call, usize, LocationId)>>,
    receivers: FxHashMap<LocationId, Vec<LocationId>>,
    flows: FxHashMap<Where, From<LocationId>>,
    passing: FxHashMap<Where, From<Passing>>,
    leading: FxHashMap<LocationId, bool>,
    begun: FxHashSet<LocationId>,
    waiting: Vec<(LocationId, DefId, Sym)>,
    held: Vec<Held>,
    ways: Vec<Vec<Sym>>,
    seen: FxHashSet<(u32, Sym)>,
    locations_of: FxHashMap<DefId, Vec<(LocationId, u32)>>,
}

impl<'a, 'v, 'p, 'f> Solver<'a, 'v, 'p, 'f> {
    fn new(
        facts: &'a Facts<'v, 'p, 'f>,
        calls_at: &'a FxHashMap<LocationId, Vec<u32>>,
        named: FxHashMap<LocationId, Vec<Named>>,
    ) -> Self {
        Solver {
            facts,
            calls_at,
            named,
            copied: FxHashMap::default(),
            receivers: FxHashMap::default(),
            flows: FxHashMap::default(),
            passing: FxHashMap::default(),
            leading: FxHashMap::default(),
            begun: FxHashSet::default(),
            waiting: Vec::new(),
            held: Vec::new(),
            ways: Vec::new(),
            seen: FxHashSet::default(),
            locations_of: FxHashMap::default(),
        }
    }

    /// Put a function into a location; `via` is the last location that is no local through which it
    /// came.
    fn put(&mut self, location: LocationId, function: DefId, via: Option<Sym>) {
        let local = self.facts.locations.get(location).is_local();
        if local && !self.leads_on(location) {
            return;
        }
        if self.held.len() <= location.at() {
            self.held.resize_with(
                self.facts.locations.len().max(location.at() + 1),
                Held::default,
            );
        }
        let held = &mut self.held[location.at()];
        let known = held.ways.get(&function).copied();
        if !local && known.is_some() {
            return; // by its one label
        }
        let via = match via {
            Some(via) if local => via,
            _ => self.facts.locations.label(location),
        };
        let ways = known.unwrap_or_else(|| {
            let ways = self.ways.len() as u32;
            held.functions.push(function);
            held.ways.insert(function, ways);
            self.ways.push(Vec::new());
            self.locations_of
                .entry(function)
                .or_default()
                .push((location, ways));
            ways
        });
        if self.seen.insert((ways, via)) {
            self.ways[ways as usize].push(via);
            self.waiting.push((location, function, via));
        }
    }

    /// Take notice that a call hands what is in `source` to a function's parameter.
    fn receive(&mut self, callee: DefId, call: &Call, position: usize, source: LocationId) {
        let known = self.receivers.entry(source).or_default();
        let Some(parameter) = self.facts.locations.parameter(callee, position) else {
            return;
        };
        if known.contains(&parameter) || !fits(call, self.facts.view.program[callee].fact) {
            return;
        }
        if !self.leads_on(parameter) {
            return;
        }
        self.receivers.entry(source).or_default().push(parameter);
        let Some(held) = self.held.get(source.at()) else {
            return;
        };
        let there: Vec<(DefId, Sym)> = held
            .functions
            .iter()
            .flat_map(|function| {
                let ways = held
                    .ways
                    .get(function)
                    .map_or(&[][..], |&n| &self.ways[n as usize]);
                ways.iter().map(|&via| (*function, via))
            })
            .collect();
        for (function, via) in there {
            self.put(parameter, function, Some(via));
        }
    }

    fn run(&mut self) {
        while let Some((location, function, via)) = self.waiting.pop() {
            if self.begun.insert(location) {
                self.begin(location);
            }
            for &following in &*self.flows_from(location) {
                self.put(following, function, Some(via));
            }
            for parameter in self.receivers.get(&location).cloned().unwrap_or_default() {
                self.put(parameter, function, Some(via));
            }
            // This function is given what the calls through its location are given.
            self.give(location, function);
        }
    }

    /// Begin to follow what comes into a location.
    fn begin(&mut self, location: LocationId) {
        for passing in &*self.passing(location) {
            let Some(through) = passing.through else {
                continue;
            };
            let copied = (passing.call, passing.position, location);
            self.copied.entry(through).or_default().push(copied);
            let callees = self
                .held
                .get(through.at())
                .map_or_else(Vec::new, |held| held.functions.clone());
            for callee in callees {
                self.receive(callee, &passing.call, passing.position, location);
            }
        }
    }

    fn give(&mut self, location: LocationId, function: DefId) {
        let fact = self.facts.view.program[function].fact;
        let mut given: Vec<(LocationId, DefId)> = Vec::new();
        for named in self.named.get(&location).map_or(&[][..], Vec::as_slice) {
            if let Some(parameter) = self.facts.locations.parameter(function, named.position)
                && fits(&named.call, fact)
            {
                given.extend(named.functions.iter().map(|&one| (parameter, one)));
            }
        }
        for (parameter, one) in given {
            self.put(parameter, one, None);
        }
        for (call, position, source) in self.copied.get(&location).cloned().unwrap_or_default() {
            self.receive(function, &call, position, source);
        }
    }

    /// Whether what is in a location may come to be called, or passed to what a pointer calls. 6.12
    /// hands the numbers of interrupts on like this, under the names of functions.
    fn leads_on(&mut self, location: LocationId) -> bool {
        if let Some(&known) = self.leading.get(&location) {
            return known;
        }
        let mut way = vec![(location, self.flows_from(location), 0)];
        let mut seen = vec![location];
        let mut is_seen = FxHashSet::from_iter([location]);
        let mut found = self.ends(location);
        while !found && let Some((_, following, next)) = way.last_mut() {
            let Some(&one) = following.get(*next) else {
                way.pop();
                continue;
            };
            *next += 1;
            let known = self.leading.get(&one).copied();
            if known == Some(true) || self.ends(one) {
                self.leading.insert(one, true);
                found = true;
            } else if known.is_none() && is_seen.insert(one) {
                seen.push(one);
                let following = self.flows_from(one);
                way.push((one, following, 0));
            }
        }
        // Who comes to no end has seen all there is.
        let decided = if found {
            way.iter().map(|&(one, _, _)| one).collect()
        } else {
            seen
        };
        self.leading
            .extend(decided.into_iter().map(|one| (one, found)));
        found
    }

    fn ends(&mut self, location: LocationId) -> bool {
        self.calls_at.contains_key(&location) || !self.passing(location).is_empty()
    }

    /// The locations into which what is in a location is copied. The copies from places of one key
    /// are looked at once, as members like `data` are copied thousands of times.
    fn flows_from(&mut self, location: LocationId) -> Rc<[LocationId]> {
        let facts = self.facts;
        let place = facts.locations.get(location);
        let found = self
            .flows
            .entry((place.key, place.path))
            .or_insert_with(|| {
                let mut found: FxHashMap<LocationId, Vec<LocationId>> = FxHashMap::default();
                for path in facts.copying(place.key, place.path) {
                    facts.copied(place.key, path, |source, target| {
                        found.entry(source).or_default().push(target);
                    });
                }
                found
                    .into_iter()
                    .map(|(source, targets)| (source, targets.into()))
                    .collect()
            });
        found.get(&location).cloned().unwrap_or_default()
    }

    /// The pointer calls that are given what is in a location.
    fn passing(&mut self, location: LocationId) -> Rc<[Passing]> {
        let facts = self.facts;
        let place = facts.locations.get(location);
        let found = self
            .passing
            .entry((place.key, place.path))
            .or_insert_with(|| {
                let mut found: FxHashMap<LocationId, Vec<Passing>> = FxHashMap::default();
                for path in facts.copying(place.key, place.path) {
                    facts.passed(place.key, path, |source, passing| {
                        found.entry(source).or_default().push(passing);
                    });
                }
                found
                    .into_iter()
                    .map(|(source, all)| (source, all.into()))
                    .collect()
            });
        found.get(&location).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use super::*;
    use crate::facts::Blob;
    use crate::folders::I386;
    use crate::names::Program;
    use crate::reader::{Store, read};

    fn files(texts: &[(&str, &str)]) -> Vec<(String, Arc<Blob>)> {
        let store = Store::new();
        let file = |&(path, text): &(&str, &str)| {
            (path.to_owned(), Arc::new(read(text.as_bytes(), &store)))
        };
        texts.iter().map(file).collect()
    }

    /// The callers of a function through pointers, with the ways: `f (ops.open)`.
    fn callers(texts: &[(&str, &str)], name: &str) -> Vec<String> {
        let files = files(texts);
        let program = Program::new(&files);
        let view = View::new(&program, I386, "2.2.24", &HashSet::new());
        let points = PointsTo::solve(&view);
        let mut found: Vec<String> = program
            .by_name
            .get(Sym::new(name))
            .iter()
            .flat_map(|&definition| points.callers(definition))
            .map(|found| {
                let ways: Vec<&str> = found.ways.iter().map(|way| way.text()).collect();
                format!(
                    "{} ({})",
                    program[found.caller].name.text(),
                    ways.join(", ")
                )
            })
            .collect();
        found.sort();
        found
    }

    const HEADER: (&str, &str) = (
        "include/linux/ops.h",
        "struct ops { int (*open)(int); };\nstruct file { struct ops *ops; };\n\
         #define OPEN(f, x) ((f)->ops->open(x))\n",
    );

    #[test]
    fn a_member_is_called_by_those_who_see_its_struct() {
        let user = "#include <linux/ops.h>\n\
            int one(struct file *f) { return f->ops->open(1); }\n\
            int two(struct file *f) { return OPEN(f, 2); }\n";
        let driver = "#include <linux/ops.h>\n\
            static int my_open(int x) { return x; }\n\
            struct ops my_ops = { my_open };\n";
        let texts = [HEADER, ("fs/open.c", user), ("drivers/my.c", driver)];
        assert_eq!(
            callers(&texts, "my_open"),
            ["one (ops.open)", "two (ops.open)"]
        );
    }

    #[test]
    fn a_function_that_is_an_argument_is_called_through_the_parameter() {
        let text = "static int work(int x) { return x; }\n\
            static int run(int (*f)(int)) { return f(1); }\n\
            static int pass(int (*g)(int)) { return run(g); }\n\
            int start(void) { return pass(work); }\n";
        assert_eq!(callers(&[("kernel/a.c", text)], "work"), ["run (pass(g))"]);
    }

    #[test]
    fn who_takes_another_number_of_arguments_is_not_called() {
        let text = "static int work(int x, int y) { return x; }\n\
            int (*hook)(int) = work;\n\
            int start(void) { return hook(1); }\n";
        assert!(callers(&[("kernel/a.c", text)], "work").is_empty());
    }
}
