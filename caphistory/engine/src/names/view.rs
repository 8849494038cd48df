//! A release as a kernel with one ABI is built: a release and an ABI go in, and which of its files
//! and conditions can be part of that kernel comes out, and what sees what.

mod resolution;
mod types;

use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::definitions::DefId;
use super::index::Index;
use super::program::Program;
use crate::conditions::{self, Target, version_code};
use crate::facts::Variable;
use crate::folders::{Abi, GENERIC, PathId};
use crate::foreign::{foreign, macros_of_others};
use crate::includes::Includes;
use crate::intern::Sym;

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
                undefined: macros_of_others(files, &abi),
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

    /// The same without the files with these paths: no kernel is built from them.
    pub fn without(mut self, unbuilt: &HashSet<String>) -> Self {
        for path in self.program.files.all() {
            self.built[path.at()] &= !unbuilt.contains(self.program.files.path(path));
        }
        self
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
        index.of_files(key, |path| self.built(path))
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

    fn is_generic(&self, path: PathId) -> bool {
        self.program.files.architecture(path) == self.generic
    }

    fn is_header(&self, path: PathId) -> bool {
        self.program.path(path).ends_with(".h")
    }
}
