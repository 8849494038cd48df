//! The facts of one release under the names by which C code finds them.
//!
//! C's rules of linkage, as far as they can be told without building the kernel: a static function
//! is seen in its own file, or in those that include it; a macro or inline of a header, in the
//! files that include the header; another architecture's folder does not exist.

use std::cell::RefCell;
use std::collections::HashSet;
use std::hash::Hash;
use std::rc::Rc;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::conditions::{self, Target, VERSION, version_code};
use crate::facts::{
    Blob, Call, Flow, Function, Item, Macro, Naming, Placed, Stored, Struct, Variable,
};
use crate::folders::{Abi, Files, GENERIC, foreign, of_other_width};
use crate::includes::{Includes, base_name};
use crate::intern::{Memo, Sym};
use crate::notation::{key, names};

pub use crate::folders::PathId;

/// A function or macro of a release: numbers are by path, then as they stand in the file (not quite
/// in the order of `Definition::key`: a function's name may stand lines below its item's first).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DefId(pub u32);

impl DefId {
    /// As a place in a list with one for each definition.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// What defines a name.
#[derive(Clone, Copy, Debug)]
pub enum Fact<'f> {
    Function(&'f Function),
    Macro(&'f Macro),
}

impl<'f> Fact<'f> {
    pub fn function(self) -> Option<&'f Function> {
        match self {
            Fact::Function(function) => Some(function),
            Fact::Macro(_) => None,
        }
    }

    pub fn macro_(self) -> Option<&'f Macro> {
        match self {
            Fact::Function(_) => None,
            Fact::Macro(macro_) => Some(macro_),
        }
    }

    pub fn calls(self) -> &'f [Call] {
        match self {
            Fact::Function(function) => &function.calls,
            Fact::Macro(macro_) => &macro_.calls,
        }
    }

    /// How many parameters it has.
    pub fn arity(self) -> usize {
        match self {
            Fact::Function(function) => function.parameters.len(),
            Fact::Macro(macro_) => macro_.parameters.map_or(0, |names| names.len()),
        }
    }

    /// The name of a parameter.
    pub fn parameter(self, position: usize) -> Option<Sym> {
        match self {
            Fact::Function(function) => function.parameters.get(position).map(|one| one.name),
            Fact::Macro(macro_) => macro_.parameters?.get().get(position).copied(),
        }
    }

    fn has_uid_tests(self) -> bool {
        match self {
            Fact::Function(function) => !function.uid_tests.is_empty(),
            Fact::Macro(macro_) => !macro_.uid_tests.is_empty(),
        }
    }

    /// Whether a place is one of its parameters (`$name`).
    pub fn is_parameter(self, place: &str) -> bool {
        place
            .strip_prefix('$')
            .is_some_and(|name| self.parameters().any(|one| one.text() == name))
    }

    /// Whether it copies what may be a function into a place.
    fn sets_to_place(self, place: Sym) -> bool {
        let flows = match self {
            Fact::Function(function) => &function.flows,
            Fact::Macro(macro_) => &macro_.flows,
        };
        flows.iter().any(|flow| flow.target == place)
    }

    /// The names of its parameters, in order.
    pub fn parameters(self) -> impl Iterator<Item = Sym> + use<'f> {
        (0..self.arity()).filter_map(move |position| self.parameter(position))
    }
}

/// A function or macro and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Definition<'f> {
    pub name: Sym,
    pub path: PathId,
    pub line: u32,
    pub item_line: u32,
    pub condition: Sym,
    pub fact: Fact<'f>,
    /// Whether it is a function that other files may call without including this one.
    exported: bool,
}

impl<'f> Definition<'f> {
    /// The names of its parameters, in order.
    pub fn parameters(&self) -> Vec<Sym> {
        self.fact.parameters().collect()
    }

    /// What definitions are ordered by.
    pub fn key(&self) -> (PathId, u32, &'static str) {
        (self.path, self.line, self.name.text())
    }

    /// Whether each module has such a function of its own (`init_module` until 2.4).
    fn of_module(&self) -> bool {
        terms(self.condition).any(|term| term == "defined(MODULE)")
    }
}

fn terms(condition: Sym) -> std::str::Split<'static, &'static str> {
    condition.text().split(" && ")
}

/// An initialiser's entry and where it stands; `within` is the function whose local it
/// initialises.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct StoredAt {
    pub stored: Stored,
    pub path: PathId,
    pub within: Option<DefId>,
}

/// Labels beside names and where they stand; `within` is the function that holds them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct NamingAt {
    pub naming: Naming,
    pub path: PathId,
    pub within: Option<DefId>,
}

/// Things by name and file.
#[derive(Clone, Debug)]
pub struct Index<T> {
    /// By key, then by file, then as they came.
    things: Vec<T>,
    groups: Vec<Group>,
    /// Where the groups of a key begin and end.
    keys: FxHashMap<Sym, (u32, u32)>,
    order: Vec<Sym>,
    /// The groups by file, in order of first appearance in it, and where each file's begin.
    held: Vec<u32>,
    starts: Vec<u32>,
}

/// The things of one key and file.
#[derive(Clone, Copy, Debug)]
struct Group {
    key: Sym,
    path: PathId,
    start: u32,
    end: u32,
}

impl<T: Copy> Index<T> {
    /// What a file itself has under a key.
    pub fn at(&self, key: Sym, path: PathId) -> &[T] {
        let groups = self.groups(key);
        match groups.binary_search_by_key(&path, |group| group.path) {
            Ok(found) => self.of(&groups[found]),
            Err(_) => &[],
        }
    }

    /// All under a key, by path.
    pub fn get(&self, key: Sym) -> &[T] {
        match self.groups(key) {
            [] => &[],
            [first, .., last] => &self.things[first.start as usize..last.end as usize],
            [only] => self.of(only),
        }
    }

    /// The files that have a key, in order.
    pub fn paths(&self, key: Sym) -> impl ExactSizeIterator<Item = PathId> + '_ {
        self.groups(key).iter().map(|group| group.path)
    }

    /// All that a file has, by key, in order of first appearance.
    pub fn held(&self, path: PathId) -> impl Iterator<Item = (Sym, &[T])> {
        let start = self.starts.get(path.at()).copied().unwrap_or(0) as usize;
        let end = self.starts.get(path.at() + 1).copied().unwrap_or(0) as usize;
        self.held
            .get(start..end)
            .unwrap_or(&[])
            .iter()
            .map(|&group| {
                let group = &self.groups[group as usize];
                (group.key, self.of(group))
            })
    }

    pub fn contains(&self, key: Sym) -> bool {
        self.keys.contains_key(&key)
    }

    /// All keys, in order of first appearance.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = Sym> + '_ {
        self.order.iter().copied()
    }

    fn groups(&self, key: Sym) -> &[Group] {
        match self.keys.get(&key) {
            Some(&(start, end)) => &self.groups[start as usize..end as usize],
            None => &[],
        }
    }

    fn of(&self, group: &Group) -> &[T] {
        &self.things[group.start as usize..group.end as usize]
    }
}

/// Gathers what an index is to hold, file by file in their order.
pub struct Gathering<T> {
    entries: Vec<(Sym, PathId, T)>,
}

impl<T: Copy> Default for Gathering<T> {
    fn default() -> Self {
        Gathering {
            entries: Vec::new(),
        }
    }
}

impl<T: Copy> Gathering<T> {
    pub fn add(&mut self, key: Sym, path: PathId, thing: T) {
        self.entries.push((key, path, thing));
    }

    /// The index of it all, in a release of so many files.
    pub fn finish(self, files: usize) -> Index<T> {
        let entries = self.entries;
        let (order, by_key) = sorted_by_key(&entries);
        let mut index = Index {
            things: by_key.iter().map(|&n| entries[n as usize].2).collect(),
            groups: Vec::new(),
            keys: FxHashMap::default(),
            order,
            held: Vec::new(),
            starts: Vec::with_capacity(files + 1),
        };
        // The groups as they came, file by file.
        let mut came: Vec<(u32, u32)> = Vec::new();
        for (place, &n) in (0..).zip(&by_key) {
            let (key, path, _) = entries[n as usize];
            match index.groups.last_mut() {
                Some(last) if last.key == key && last.path == path => last.end = place + 1,
                _ => {
                    let group = index.groups.len() as u32;
                    came.push((n, group));
                    index.groups.push(Group {
                        key,
                        path,
                        start: place,
                        end: place + 1,
                    });
                    index.keys.entry(key).or_insert((group, group)).1 = group + 1;
                }
            }
        }
        came.sort_unstable();
        index.held = came.iter().map(|&(_, group)| group).collect();
        let mut at = 0;
        for path in 0..=files as u32 {
            while index
                .held
                .get(at)
                .is_some_and(|&g| index.groups[g as usize].path.0 < path)
            {
                at += 1;
            }
            index.starts.push(at as u32);
        }
        index
    }
}

/// The keys in order of first appearance, and the entries' numbers by key, then as they came.
fn sorted_by_key<T>(entries: &[(Sym, PathId, T)]) -> (Vec<Sym>, Vec<u32>) {
    let mut numbers: FxHashMap<Sym, u32> = FxHashMap::default();
    let mut order = Vec::new();
    let mut counts: Vec<u32> = Vec::new();
    let mut keys = Vec::with_capacity(entries.len());
    for &(key, _, _) in entries {
        let number = *numbers.entry(key).or_insert_with(|| {
            order.push(key);
            counts.push(0);
            counts.len() as u32 - 1
        });
        counts[number as usize] += 1;
        keys.push(number);
    }
    let mut next = 0;
    for count in &mut counts {
        next += *count;
        *count = next - *count;
    }
    let mut sorted = vec![0; entries.len()];
    for (entry, key) in (0..).zip(keys) {
        let place = &mut counts[key as usize];
        sorted[*place as usize] = entry;
        *place += 1;
    }
    (order, sorted)
}

/// All that one release holds.
pub struct Program<'f> {
    pub files: Files<'f>,
    pub definitions: Vec<Definition<'f>>,
    pub by_name: Index<DefId>,
    pub structs: Index<&'f Struct>,
    pub typedefs: Index<Sym>,
    pub variables: Index<&'f Variable>,
    pub calls: Index<(DefId, &'f Call)>,
    pub aliases: Index<DefId>,
    pub pointer_calls: Index<(DefId, &'f Call)>,
    /// Arguments that may be functions, each with its number.
    pub passed: Index<(DefId, &'f Call, u32)>,
    pub flows: Index<(DefId, Flow)>,
    pub stored: Index<StoredAt>,
    pub uses: Index<StoredAt>,
    pub tables: Index<StoredAt>,
    /// The labels in initialisers, by variable.
    pub namings: Index<NamingAt>,
    /// The labels in calls, by the names beside them.
    pub registering: Index<NamingAt>,
    pub with_parameters: Index<DefId>,
    pub lists: Index<DefId>,
    pub versioned: Index<DefId>,
    uid_tests: Vec<DefId>,
    /// Where each file's definitions begin.
    starts: Vec<u32>,
    may_be_included: Vec<bool>,
}

impl<'f> Program<'f> {
    pub fn new(files: &'f [(String, Arc<Blob>)]) -> Program<'f> {
        let files = Files::new(files);
        let mut gathered = Gathered::default();
        let mut starts = Vec::with_capacity(files.len() + 1);
        for path in files.all() {
            starts.push(gathered.definitions.len() as u32);
            gathered.read(path, files.path(path), files.blob(path));
        }
        starts.push(gathered.definitions.len() as u32);
        let may_be_included = may_be_included(&files);
        gathered.finish(files, starts, may_be_included)
    }

    /// All files, in order.
    pub fn files(&self) -> impl DoubleEndedIterator<Item = PathId> + use<'f> {
        self.files.all()
    }

    pub fn path(&self, path: PathId) -> &'f str {
        self.files.path(path)
    }

    pub fn path_id(&self, path: &str) -> Option<PathId> {
        self.files.find(path)
    }

    pub fn blob(&self, path: PathId) -> &'f Blob {
        self.files.blob(path)
    }

    /// The definitions of a file, as they stand in it.
    pub fn of_file(&self, path: PathId) -> impl Iterator<Item = DefId> + use<'f> {
        (self.starts[path.at()]..self.starts[path.at() + 1]).map(DefId)
    }

    /// The definitions that compare a task's uid with 0, by path.
    pub fn testing_uids(&self) -> &[DefId] {
        &self.uid_tests
    }

    /// Whether a file is a header, or a .c file that others include (drivers of 1.2 to 2.4;
    /// kernel/sched/core_sched.c of 6.12), whose static functions come with it.
    pub fn may_be_included(&self, path: PathId) -> bool {
        self.may_be_included[path.at()]
    }
}

impl<'f> std::ops::Index<DefId> for Program<'f> {
    type Output = Definition<'f>;

    fn index(&self, id: DefId) -> &Definition<'f> {
        &self.definitions[id.at()]
    }
}

fn may_be_included(files: &Files<'_>) -> Vec<bool> {
    let mut names: FxHashSet<Sym> = FxHashSet::default();
    for path in files.all() {
        names.extend(files.blob(path).includes.iter());
    }
    let sources: FxHashSet<&str> = names
        .iter()
        .filter(|name| name.text().ends_with(".c"))
        .map(|&name| base_name(crate::folders::after_sign(name)))
        .collect();
    let may = |path: &str| path.ends_with(".h") || sources.contains(base_name(path));
    files.all().map(|path| may(files.path(path))).collect()
}

/// What the indexes of a release are to hold.
#[derive(Default)]
struct Gathered<'f> {
    definitions: Vec<Definition<'f>>,
    by_name: Gathering<DefId>,
    structs: Gathering<&'f Struct>,
    typedefs: Gathering<Sym>,
    variables: Gathering<&'f Variable>,
    calls: Gathering<(DefId, &'f Call)>,
    aliases: Gathering<DefId>,
    pointer_calls: Gathering<(DefId, &'f Call)>,
    passed: Gathering<(DefId, &'f Call, u32)>,
    flows: Gathering<(DefId, Flow)>,
    stored: Gathering<StoredAt>,
    uses: Gathering<StoredAt>,
    tables: Gathering<StoredAt>,
    namings: Gathering<NamingAt>,
    registering: Gathering<NamingAt>,
    with_parameters: Gathering<DefId>,
    lists: Gathering<DefId>,
    versioned: Gathering<DefId>,
    uid_tests: Vec<DefId>,
}

impl<'f> Gathered<'f> {
    /// Take in all that a file holds.
    fn read(&mut self, path: PathId, text: &str, blob: &'f Blob) {
        let header = text.ends_with(".h");
        for placed in &blob.items {
            let item: &'f Item = &placed.item;
            let mut within = None;
            if let Some(function) = &item.function {
                let fact = Fact::Function(function);
                let id = self.define(path, function.name, placed, fact, header);
                within = Some(id);
                for &flow in &function.flows {
                    self.flows.add(key_of(flow.source), path, (id, flow));
                }
            }
            if let Some(macro_) = &item.macro_ {
                let id = self.define(path, macro_.name, placed, Fact::Macro(macro_), header);
                let does = !macro_.flows.is_empty() || !macro_.calls.is_empty();
                if macro_.parameters.is_some() && does {
                    self.with_parameters.add(macro_.name, path, id);
                }
                if !macro_.stored.is_empty() {
                    self.lists.add(macro_.name, path, id);
                }
            }
            let Some(declared) = &item.declared else {
                continue;
            };
            for one in &declared.structs {
                self.structs.add(one.tag, path, one);
            }
            for typedef in &declared.typedefs {
                self.typedefs.add(typedef.name, path, typedef.type_);
            }
            for variable in &declared.variables {
                self.variables.add(variable.name, path, variable);
            }
            for &stored in &declared.stored {
                self.store(StoredAt {
                    stored,
                    path,
                    within,
                });
            }
            for &naming in &declared.namings {
                self.name(NamingAt {
                    naming,
                    path,
                    within,
                });
            }
        }
    }

    fn store(&mut self, at: StoredAt) {
        let source = at.stored.source.text();
        match outside(at.stored.source) {
            Some(name) if names(source) => self.stored.add(name, at.path, at),
            _ => {
                let name = source.split_once('(').map_or(source, |(name, _)| name);
                self.uses.add(Sym::new(name), at.path, at);
            }
        }
        if at
            .stored
            .path
            .first()
            .is_some_and(|step| step.text().starts_with('#'))
        {
            self.tables.add(at.stored.variable, at.path, at);
        }
    }

    fn name(&mut self, at: NamingAt) {
        if at.naming.holder.text().ends_with("()") {
            for &source in at.naming.sources.get() {
                self.registering.add(source, at.path, at);
            }
        } else {
            self.namings.add(at.naming.holder, at.path, at);
        }
    }

    fn define(
        &mut self,
        path: PathId,
        name: Sym,
        placed: &Placed,
        fact: Fact<'f>,
        header: bool,
    ) -> DefId {
        let id = DefId(self.definitions.len() as u32);
        let function = fact.function();
        self.definitions.push(Definition {
            name,
            path,
            line: placed.line + function.map_or(0, |function| function.line),
            item_line: placed.line,
            condition: placed.condition,
            fact,
            exported: !header && function.is_some_and(|function| !function.is_static),
        });
        self.by_name.add(name, path, id);
        if placed.condition.text().contains(VERSION) {
            self.versioned.add(name, path, id);
        }
        if let Fact::Macro(macro_) = fact
            && !macro_.alias.is_empty()
        {
            self.aliases.add(macro_.alias, path, id);
        }
        if fact.has_uid_tests() {
            self.uid_tests.push(id);
        }
        for call in fact.calls() {
            if call.pointer {
                self.pointer_calls
                    .add(key_of(call.target), path, (id, call));
            } else {
                self.calls.add(call.target, path, (id, call));
            }
            for (position, &argument) in (0..).zip(call.arguments.iter()) {
                if may_be_function(argument, fact) {
                    self.passed
                        .add(key_of(argument), path, (id, call, position));
                }
            }
        }
        id
    }

    fn finish(self, files: Files<'f>, starts: Vec<u32>, may_be_included: Vec<bool>) -> Program<'f> {
        let count = files.len();
        Program {
            files,
            definitions: self.definitions,
            by_name: self.by_name.finish(count),
            structs: self.structs.finish(count),
            typedefs: self.typedefs.finish(count),
            variables: self.variables.finish(count),
            calls: self.calls.finish(count),
            aliases: self.aliases.finish(count),
            pointer_calls: self.pointer_calls.finish(count),
            passed: self.passed.finish(count),
            flows: self.flows.finish(count),
            stored: self.stored.finish(count),
            uses: self.uses.finish(count),
            tables: self.tables.finish(count),
            namings: self.namings.finish(count),
            registering: self.registering.finish(count),
            with_parameters: self.with_parameters.finish(count),
            lists: self.lists.finish(count),
            versioned: self.versioned.finish(count),
            uid_tests: self.uid_tests,
            starts,
            may_be_included,
        }
    }
}

/// What an argument's text tells of whether it may be a function.
const NO: u32 = 0;
const YES: u32 = 1;
const LOCAL: u32 = 2;

static KEYS: Memo = Memo::new(|place| Sym::new(key(place)).number());
static ARGUMENTS: Memo = Memo::new(|place| match place.as_bytes().first() {
    Some(b':') if !is_upper(place) || place.contains('>') => YES,
    Some(b'$') if !place.contains('>') => LOCAL,
    Some(b':' | b'=') | None => NO,
    Some(_) => u32::from(place.contains('>')),
});
static OUTSIDE: Memo = Memo::new(|place| match place.strip_prefix(':') {
    Some(name) => Sym::new(name).number() + 1,
    None => 0,
});
static PLACES: Memo = Memo::new(|name| Sym::new(&format!(":{name}")).number());

/// The key of all places that may be the same as this one.
pub fn key_of(place: Sym) -> Sym {
    Sym::of_number(KEYS.get(place))
}

/// The name in a place that begins with a name from outside functions (`:name`).
pub fn outside(place: Sym) -> Option<Sym> {
    OUTSIDE.get(place).checked_sub(1).map(Sym::of_number)
}

/// The place that is a name from outside functions.
pub fn place_of(name: Sym) -> Sym {
    Sym::of_number(PLACES.get(name))
}

/// Whether an argument may hand a function on: a name from outside that is no constant, one of the
/// user's parameters, a variable of its own that is set to what may be one, or a member.
pub fn may_be_function(argument: Sym, user: Fact<'_>) -> bool {
    match ARGUMENTS.get(argument) {
        LOCAL => user.is_parameter(argument.text()) || user.sets_to_place(argument),
        kind => kind == YES,
    }
}

/// Whether a text has letters that are capitals and none that are small, as Python has it.
pub fn is_upper(text: &str) -> bool {
    text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase)
}

/// The struct that a type's name means: its tag and the file of its definition.
pub type Type = (Sym, PathId);

/// A release seen as a kernel with one ABI is built: what its names mean there. It keeps what was
/// asked, and so belongs to one thread.
pub struct View<'p, 'f> {
    pub program: &'p Program<'f>,
    pub abi: Abi,
    target: Target<'f>,
    includes: RefCell<Includes<'p, 'f>>,
    foreign: Vec<bool>,
    built: Vec<bool>,
    stand_ins: Vec<bool>,
    /// By file, whether it is in one of the ABI's folders.
    own: Vec<bool>,
    generic: Sym,
    known: RefCell<Known>,
    shared_variables: RefCell<FxHashMap<Sym, Option<&'f Variable>>>,
}

type List = Rc<[DefId]>;

/// What was asked before.
#[derive(Default)]
struct Known {
    possible: FxHashMap<Sym, bool>,
    resolved: FxHashMap<(Sym, PathId), List>,
    /// By name: most files see the same, and one list is enough for them.
    shared: FxHashMap<Sym, List>,
    /// By name: what others than its own file may see.
    for_others: FxHashMap<Sym, List>,
    structs: FxHashMap<(Sym, PathId), Option<PathId>>,
    typedefs: FxHashMap<(Sym, PathId), Option<PathId>>,
    meant: FxHashMap<(Sym, PathId), Option<Type>>,
    ambiguous: FxHashMap<(Sym, PathId), Vec<PathId>>,
}

impl<'p, 'f> View<'p, 'f> {
    /// `release` is its name, and `stand_ins` the paths that are built only where an option is
    /// off.
    pub fn new(
        program: &'p Program<'f>,
        abi: Abi,
        release: &str,
        stand_ins: &HashSet<String>,
    ) -> View<'p, 'f> {
        let files = &program.files;
        let mut includes = Includes::new(files, abi);
        let foreign = foreign(files, &abi, &mut includes);
        let own: Vec<bool> = files
            .all()
            .map(|path| abi.folders.contains(&files.architecture(path).text()))
            .collect();
        let others: FxHashSet<Sym> = files
            .all()
            .filter(|path| !own[path.at()])
            .map(|path| files.architecture(path))
            .collect();
        View {
            program,
            abi,
            target: Target {
                abi: abi.name,
                others: others.into_iter().map(Sym::text).collect(),
                version: version_code(release),
            },
            includes: RefCell::new(includes),
            built: files
                .all()
                .map(|path| {
                    let kind = own[path.at()] || files.architecture(path).is_empty();
                    kind && !foreign[path.at()]
                })
                .collect(),
            foreign,
            stand_ins: files
                .all()
                .map(|path| stand_ins.contains(files.path(path)))
                .collect(),
            own,
            generic: Sym::new(GENERIC),
            known: RefCell::default(),
            shared_variables: RefCell::default(),
        }
    }

    /// Whether what stands under a preprocessor condition can be part of such a kernel.
    pub fn possible(&self, condition: Sym) -> bool {
        if condition.is_empty() {
            return true;
        }
        let mut known = self.known.borrow_mut();
        let found = known.possible.entry(condition);
        *found.or_insert_with(|| conditions::possible(condition.text(), &self.target))
    }

    /// Whether a file can be part of a kernel with this ABI.
    pub fn built(&self, path: PathId) -> bool {
        self.built[path.at()]
    }

    /// The files that can be part of a kernel with this ABI, in order.
    pub fn built_files(&self) -> impl Iterator<Item = PathId> + '_ {
        self.program.files().filter(|&path| self.built(path))
    }

    /// What the files that can be part of such a kernel have under a key, by path.
    pub fn of_built<'i, T: Copy>(
        &'i self,
        index: &'i Index<T>,
        key: Sym,
    ) -> impl Iterator<Item = T> + 'i {
        index
            .groups(key)
            .iter()
            .filter(|group| self.built(group.path))
            .flat_map(|group| index.of(group))
            .copied()
    }

    /// For an external name with several functions and the file that uses it, the files of those
    /// that were not taken; as far as it was resolved.
    pub fn ambiguous(&self, name: Sym, path: PathId) -> Vec<PathId> {
        self.known
            .borrow()
            .ambiguous
            .get(&(name, path))
            .cloned()
            .unwrap_or_default()
    }

    /// Whether a function's name stands somewhere as a value, so that it may be called through a
    /// pointer.
    pub fn is_stored(&self, definition: DefId) -> bool {
        let name = self.program[definition].name;
        let place = place_of(name);
        let program = self.program;
        let stored = program.stored.paths(name);
        let flows = program
            .flows
            .get(place)
            .iter()
            .filter(|(_, flow)| flow.source == place);
        let passed = program
            .passed
            .get(place)
            .iter()
            .filter(|&&(_, call, position)| {
                call.arguments.get().get(position as usize) == Some(&place)
            });
        let paths: FxHashSet<PathId> = stored
            .chain(flows.map(|&(user, _)| program[user].path))
            .chain(passed.map(|&(user, _, _)| program[user].path))
            .collect();
        paths
            .into_iter()
            .any(|path| self.resolve(name, path).contains(&definition))
    }

    /// Whether a file includes another one, directly or not.
    pub fn includes(&self, path: PathId, other: PathId) -> bool {
        self.includes.borrow_mut().sees(path, other)
    }

    /// Whether code in `path` can be linked with code in `other`.
    fn sees(&self, path: PathId, other: PathId) -> bool {
        if self.foreign[other.at()] {
            return self.foreign[path.at()];
        }
        let theirs = self.program.files.architecture(other);
        if theirs.is_empty() {
            return true;
        }
        let mine = self.program.files.architecture(path);
        if mine.is_empty() || self.own[path.at()] {
            return self.own[other.at()];
        }
        mine == theirs
    }

    // What a name means in a file.

    /// The functions and macros that a name may mean in a file: more than one only where the
    /// preprocessor decides among them.
    pub fn resolve(&self, name: Sym, path: PathId) -> Rc<[DefId]> {
        if let Some(found) = self.known.borrow().resolved.get(&(name, path)) {
            return found.clone();
        }
        if !self.program.by_name.contains(name) {
            return Rc::default();
        }
        let visible = self.visible(name, path);
        let known = &mut *self.known.borrow_mut();
        let shared = known.shared.entry(name).or_default();
        if **shared != *visible {
            *shared = visible.into();
        }
        known.resolved.insert((name, path), shared.clone());
        shared.clone()
    }

    fn visible(&self, name: Sym, path: PathId) -> Vec<DefId> {
        let program = self.program;
        let own = program.by_name.at(name, path);
        if !own.is_empty() {
            return self.visible_here(name, path, own);
        }
        let mut candidates = self.for_others(name).to_vec();
        candidates.retain(|&one| self.sees(path, program[one].path));
        let exported: Vec<DefId> = only(&candidates, |one| program[one].exported);
        let mut included = only(&candidates, |one| {
            let theirs = program[one].path;
            program.may_be_included(theirs) && self.includes(path, theirs)
        });
        if !included.is_empty()
            && self
                .own_headers(name)
                .iter()
                .any(|one| included.contains(one))
        {
            included.retain(|&one| !self.is_generic(program[one].path));
        }
        if !included.is_empty() {
            if !exported.is_empty() && self.leaves_open(&included) {
                let mut chosen = self.choose(name, &exported, path);
                chosen.extend(included);
                return chosen;
            }
            return included;
        }
        if !exported.is_empty() {
            return self.choose(name, &exported, path);
        }
        // A header that is reached by a way that the tree does not show (generated headers,
        // -include): its inlines are better than nothing, if there is one only.
        let headers = only(&candidates, |one| self.is_header(program[one].path));
        let one_only = headers
            .windows(2)
            .all(|two| program[two[0]].path == program[two[1]].path);
        if one_only { headers } else { Vec::new() }
    }

    /// What a name means in a file that defines it.
    fn visible_here(&self, name: Sym, path: PathId, own: &[DefId]) -> Vec<DefId> {
        let mut strong = self.strong(name, path, own);
        if strong.is_empty() && self.is_generic(path) {
            // What the architecture has instead of a definition in a header of
            // include/asm-generic: BUG() of 2.6 and later, which calls panic() there alone.
            strong = self.own_headers(name);
        }
        if strong.is_empty() {
            strong = only(own, |one| self.possible(self.program[one].condition));
        }
        if strong.is_empty() {
            own.to_vec()
        } else {
            strong
        }
    }

    /// What a name may mean beyond the file that defines it: hundreds of drivers may have a static
    /// function or a macro of one name.
    fn for_others(&self, name: Sym) -> List {
        if let Some(found) = self.known.borrow().for_others.get(&name) {
            return found.clone();
        }
        let program = self.program;
        let found: List = only(program.by_name.get(name), |one| {
            let one = &program[one];
            (one.exported || program.may_be_included(one.path)) && self.possible(one.condition)
        })
        .into();
        self.known
            .borrow_mut()
            .for_others
            .insert(name, found.clone());
        found
    }

    /// The architecture's own definition of an external function that generic code defines too
    /// (`__weak`, or unless the architecture has one) and uses in the same file; the linker takes
    /// it. bpf_int_jit_compile of kernel/bpf/core.c, from 3.16 on.
    fn strong(&self, name: Sym, path: PathId, own: &[DefId]) -> Vec<DefId> {
        let program = self.program;
        let external = |&one: &DefId| program[one].exported && !program[one].of_module();
        if !program.files.architecture(path).is_empty() || !own.iter().all(external) {
            return Vec::new();
        }
        let theirs = only(&self.for_others(name), |one| {
            self.own[program[one].path.at()] && program[one].exported && !self.stands_in(one)
        });
        if theirs.is_empty() {
            theirs
        } else {
            self.choose(name, &theirs, path)
        }
    }

    /// What the architecture's own headers define, whatever is configured.
    fn own_headers(&self, name: Sym) -> Vec<DefId> {
        only(&self.for_others(name), |one| {
            let one = &self.program[one];
            self.own[one.path.at()]
                && !self.is_generic(one.path)
                && self.is_header(one.path)
                && one.condition.is_empty()
        })
    }

    fn choose(&self, name: Sym, exported: &[DefId], path: PathId) -> Vec<DefId> {
        let program = self.program;
        let chosen = self.nearest(exported, Some(path));
        if let Some(&first) = chosen.first()
            && chosen.len() < exported.len()
        {
            let taken = program[first].path;
            let mut others: Vec<PathId> = exported
                .iter()
                .map(|&one| program[one].path)
                .filter(|&one| one != taken)
                .collect();
            others.sort_unstable();
            others.dedup();
            self.known
                .borrow_mut()
                .ambiguous
                .insert((name, path), others);
        }
        chosen
    }

    /// Of several functions with the same external name, which no kernel holds at once, the one
    /// that is meant in `path` (None: by nobody in particular): one of a file that is not named for
    /// processors of another width; that is no stand-in for what is not configured; for generic
    /// code the architecture's, unless a module brings its own; of the file nearest to the caller's
    /// (most leading folders in common); of the architecture; of the shallowest and first path.
    pub fn nearest(&self, candidates: &[DefId], path: Option<PathId>) -> Vec<DefId> {
        let program = self.program;
        let files = &program.files;
        let same = |two: &[DefId]| program[two[0]].path == program[two[1]].path;
        if !candidates.is_empty() && candidates.windows(2).all(same) {
            return candidates.to_vec();
        }
        let text = path.map_or("", |path| files.path(path));
        let of_generic = path.is_none_or(|path| files.architecture(path).is_empty())
            && !candidates.iter().any(|&one| program[one].of_module());
        let rank = |&&one: &&DefId| {
            let file = program[one].path;
            let theirs = files.path(file);
            let common = text
                .split('/')
                .zip(theirs.split('/'))
                .take_while(|(a, b)| a == b)
                .count();
            let other = files.architecture(file).is_empty();
            (
                of_other_width(theirs, &self.abi),
                self.stands_in(one),
                of_generic && other,
                std::cmp::Reverse(common),
                other,
                theirs.matches('/').count(),
                file,
            )
        };
        match candidates.iter().min_by_key(rank) {
            Some(&best) => only(candidates, |one| program[one].path == program[best].path),
            None => Vec::new(),
        }
    }

    /// Whether a definition stands in for what is not configured: by its file, or as
    /// `memory_failure` of arch/x86/kernel/cpu/mce/core.c in 6.12.
    fn stands_in(&self, definition: DefId) -> bool {
        let definition = &self.program[definition];
        self.stand_ins[definition.path.at()]
            || terms(definition.condition).any(|term| term.starts_with("!defined(CONFIG_"))
    }

    fn is_generic(&self, path: PathId) -> bool {
        self.program.files.architecture(path) == self.generic
    }

    fn is_header(&self, path: PathId) -> bool {
        self.program.path(path).ends_with(".h")
    }

    /// Whether the preprocessor may leave a header without these definitions: the stand-in for a
    /// function that is not configured (`do_shmat` of include/linux/shm.h, 2.6).
    fn leaves_open(&self, definitions: &[DefId]) -> bool {
        // What holds for all code of a kernel that is C.
        let holds = |term| matches!(term, "" | "defined(__KERNEL__)" | "!defined(__ASSEMBLY__)");
        let conditions: FxHashSet<&str> = definitions
            .iter()
            .map(|&one| self.program[one].condition.text())
            .collect();
        conditions.iter().all(|&one| {
            !one.split(" && ").all(holds)
                && !conditions.contains(format!("!{one}").as_str())
                && !conditions.contains(format!("!({one})").as_str())
        })
    }

    // Types and variables.

    /// The struct that a type's name means in a file: its tag, the file of its definition and the
    /// definition.
    pub fn struct_(&self, type_: Sym, path: PathId) -> Option<(Sym, PathId, &'f Struct)> {
        let (tag, place) = self.type_(type_, path)?;
        let definition = widest(self.program.structs.at(tag, place))?;
        Some((tag, place, definition))
    }

    /// The tag and the file of the struct that a type's name means in a file.
    pub fn type_(&self, type_: Sym, path: PathId) -> Option<Type> {
        if let Some(&found) = self.known.borrow().meant.get(&(type_, path)) {
            return found;
        }
        let found = self.meant(type_, path);
        self.known.borrow_mut().meant.insert((type_, path), found);
        found
    }

    fn meant(&self, mut type_: Sym, path: PathId) -> Option<Type> {
        for _ in 0..6 {
            type_ = self.renamed(type_, path);
            if let Some(place) = self.struct_in(type_, path) {
                return Some((type_, place));
            }
            let text = type_.text();
            if text.is_empty() || text.starts_with("struct ") || text.starts_with("union ") {
                return None;
            }
            let place = self.typedef_in(type_, path)?;
            type_ = *self.program.typedefs.at(type_, place).first()?;
        }
        None
    }

    /// A struct's type, if a macro that the file sees renames its tag: 2.2 drivers of 2.3 have
    /// `#define net_device device`.
    fn renamed(&self, type_: Sym, path: PathId) -> Sym {
        let Some((kind, tag)) = type_
            .text()
            .rsplit_once(' ')
            .filter(|(kind, _)| !kind.is_empty())
        else {
            return type_;
        };
        for &id in &*self.resolve(Sym::new(tag), path) {
            let definition = &self.program[id];
            if let Fact::Macro(macro_) = definition.fact
                && macro_.parameters.is_none()
                && !macro_.alias.is_empty()
                && (definition.path == path || self.includes(path, definition.path))
            {
                return Sym::new(&format!("{kind} {}", macro_.alias.text()));
            }
        }
        type_
    }

    /// The variable that a name means in a file, with the file of its declaration if it is static.
    pub fn variable(&self, name: Sym, path: PathId) -> Option<(Option<PathId>, &'f Variable)> {
        let variables = &self.program.variables;
        if !variables.contains(name) {
            return None;
        }
        if let Some(best) = typed(variables.at(name, path).iter().copied()) {
            return Some((best.is_static.then_some(path), best));
        }
        let mut known = self.shared_variables.borrow_mut();
        let shared = known.entry(name).or_insert_with(|| {
            typed(
                variables
                    .get(name)
                    .iter()
                    .copied()
                    .filter(|one| !one.is_static),
            )
        });
        if let Some(best) = shared {
            return Some((None, *best));
        }
        let place = variables
            .paths(name)
            .find(|&place| self.includes(path, place))?;
        Some((Some(place), variables.at(name, place).first()?))
    }

    fn struct_in(&self, tag: Sym, path: PathId) -> Option<PathId> {
        self.pick(&self.program.structs, |known| &mut known.structs, tag, path)
    }

    fn typedef_in(&self, name: Sym, path: PathId) -> Option<PathId> {
        self.pick(
            &self.program.typedefs,
            |known| &mut known.typedefs,
            name,
            path,
        )
    }

    fn pick<T: Copy>(
        &self,
        index: &Index<T>,
        table: impl Fn(&mut Known) -> &mut FxHashMap<(Sym, PathId), Option<PathId>>,
        key: Sym,
        path: PathId,
    ) -> Option<PathId> {
        if !index.contains(key) {
            return None;
        }
        if let Some(&found) = table(&mut self.known.borrow_mut()).get(&(key, path)) {
            return found;
        }
        let found = self.picked(index, key, path);
        table(&mut self.known.borrow_mut()).insert((key, path), found);
        found
    }

    /// Of the files with a definition, the one that `path` sees: itself, else one that it includes,
    /// else a header that this ABI is built with, else the first.
    fn picked<T: Copy>(&self, index: &Index<T>, key: Sym, path: PathId) -> Option<PathId> {
        if !index.at(key, path).is_empty() {
            return Some(path);
        }
        let places: Vec<PathId> = index
            .paths(key)
            .filter(|&place| self.sees(path, place))
            .collect();
        if places.len() <= 1 {
            return places.first().copied();
        }
        let mut all = places.iter().copied();
        let mut headers = places
            .iter()
            .copied()
            .filter(|&place| self.is_header(place));
        all.clone()
            .find(|&place| self.includes(path, place))
            .or_else(|| headers.next())
            .or_else(|| all.next())
    }
}

fn only(definitions: &[DefId], wanted: impl Fn(DefId) -> bool) -> Vec<DefId> {
    definitions
        .iter()
        .copied()
        .filter(|&one| wanted(one))
        .collect()
}

/// The first variable with a type, else the first.
fn typed<'f>(variables: impl Iterator<Item = &'f Variable> + Clone) -> Option<&'f Variable> {
    let mut all = variables.clone();
    variables
        .clone()
        .find(|one| !one.type_.is_empty())
        .or_else(|| all.next())
}

/// Of several definitions in one file (#ifdef), the one with the most members.
pub fn widest<'f>(structs: &[&'f Struct]) -> Option<&'f Struct> {
    structs
        .iter()
        .rev()
        .copied()
        .max_by_key(|one| one.members.len())
}

/// Things once each, in order of first appearance.
pub fn distinct<T: Copy + Eq + Hash>(things: &[T]) -> Vec<T> {
    let mut seen = FxHashSet::default();
    things
        .iter()
        .copied()
        .filter(|&one| seen.insert(one))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_finds_by_key_and_file() {
        let [a, b] = ["a", "b"].map(Sym::new);
        let mut gathering = Gathering::default();
        for (key, path, thing) in [(b, 0, 1), (a, 0, 2), (b, 0, 3), (a, 2, 4), (b, 2, 5)] {
            gathering.add(key, PathId(path), thing);
        }
        let index = gathering.finish(3);
        assert_eq!(index.get(b), [1, 3, 5]);
        assert_eq!(index.at(a, PathId(2)), [4]);
        assert!(index.at(a, PathId(1)).is_empty());
        assert_eq!(
            index.held(PathId(0)).collect::<Vec<_>>(),
            [(b, &[1, 3][..]), (a, &[2])]
        );
        assert_eq!(index.held(PathId(1)).count(), 0);
        assert_eq!(
            index.held(PathId(2)).collect::<Vec<_>>(),
            [(a, &[4][..]), (b, &[5])]
        );
        assert_eq!(index.paths(a).collect::<Vec<_>>(), [PathId(0), PathId(2)]);
        assert_eq!(index.keys().collect::<Vec<_>>(), [b, a]);
        assert!(!index.contains(Sym::new("c")));
    }

    #[test]
    fn a_name_means_what_the_file_sees() {
        let store = crate::reader::Store::new();
        let file = |(path, text): (&str, &str)| {
            (
                path.to_owned(),
                Arc::new(crate::reader::read(text.as_bytes(), &store)),
            )
        };
        let files: Vec<(String, Arc<Blob>)> = [
            ("arch/alpha/a.c", "int f(void) { return 1; }\n"),
            ("arch/i386/a.c", "int f(void) { return 2; }\n"),
            (
                "fs/a.c",
                "static int g(void) { return 3; }\nint h(void) { return f() + g(); }\n",
            ),
            (
                "fs/b.c",
                "#include \"b.h\"\nint k(void) { return g() + f(); }\n",
            ),
            (
                "fs/b.h",
                "#if LINUX_VERSION_CODE < 0x20200\nstatic inline int g(void) { return 4; }\n\
                #else\nstatic inline int g(void) { return 5; }\n#endif\n",
            ),
        ]
        .map(file)
        .into();
        let program = Program::new(&files);
        let view = View::new(&program, crate::folders::I386, "2.2.24", &HashSet::new());
        let meant = |name: &str, path: &str| -> Vec<(&str, u32)> {
            let path = program.path_id(path).expect("a file");
            let found = view.resolve(Sym::new(name), path);
            found
                .iter()
                .map(|&one| (program.path(program[one].path), program[one].line))
                .collect()
        };
        assert_eq!(meant("f", "fs/b.c"), [("arch/i386/a.c", 1)]);
        assert_eq!(meant("g", "fs/a.c"), [("fs/a.c", 1)]);
        assert_eq!(meant("g", "fs/b.c"), [("fs/b.h", 4)]);
        assert_eq!(meant("k", "fs/a.c"), [("fs/b.c", 2)]);
        assert!(meant("nothing", "fs/a.c").is_empty());
    }

    #[test]
    fn capitals_as_python_has_them() {
        assert!(is_upper(":GFP_KERNEL"));
        assert!(!is_upper(":inet_bind"));
        assert!(!is_upper(":_1"));
    }
}
