//! Functions and macros where they stand: a fact as its file has it goes in, and what the linkage
//! asks of it comes out (its parameters, its calls, whether other files see it).

use crate::conditions::terms;
use crate::facts::{Call, Function, Macro, Naming, Stored};
use crate::folders::PathId;
use crate::intern::{Sym, SymList};

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

    /// The errors that it gives by name, as far as a missing privilege may.
    pub fn refusals(self) -> SymList {
        match self {
            Fact::Function(function) => function.refusals,
            Fact::Macro(macro_) => macro_.refusals,
        }
    }

    pub fn calls(self) -> &'f [Call] {
        match self {
            Fact::Function(function) => &function.calls,
            Fact::Macro(macro_) => &macro_.calls,
        }
    }

    /// How many parameters it has.
    fn arity(self) -> usize {
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

    pub(super) fn has_uid_tests(self) -> bool {
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
    pub(super) fn sets_to_place(self, place: Sym) -> bool {
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
    pub(super) exported: bool,
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
    pub(super) fn of_module(&self) -> bool {
        terms(self.condition.text()).any(|term| term == "defined(MODULE)")
    }
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
