//! All that one release holds: the facts of its files go in, and an index of each kind of them
//! comes out, by the names under which the linkage looks for them.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::definitions::{DefId, Definition, Fact, NamingAt, StoredAt};
use super::index::{Gathering, Index};
use super::keys::{key_of, may_be_function, outside};
use crate::facts::{Blob, Call, Flow, Item, Placed, Struct, Variable};
use crate::folders::{Files, PathId, after_sign, base_name};

use crate::intern::Sym;
use crate::notation::names;

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
        .map(|&name| base_name(after_sign(name)))
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
            uid_tests: self.uid_tests,
            starts,
            may_be_included,
        }
    }
}
