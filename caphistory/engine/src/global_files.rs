//! Files that the kernel keeps for itself: which calls operate on one.
//!
//! What acct(2) was given stands in a variable outside functions (`acct_file`; `acct_globals.file`,
//! 2.6.9), and exit writes a record to it. Whoever ends names no file: that the write comes to the
//! handler of a file of /proc says nothing of what may be asked of exit. A step through an operation
//! of files goes in, and the variable comes out in which its file stands, if no caller hands another.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use crate::call_graph::Edge;
use crate::facts::Call;
use crate::intern::Sym;
use crate::names::{DefId, outside};
use crate::points_to::PointsTo;

const FILE: &str = "struct file";
/// How the names begin of steps through the operations of a file.
const OF_FILES: &str = "file_operations.";
/// Functions that hand a file on, one within the other.
const DEEPEST: u32 = 4;

/// A variable of a function, and where it comes from.
type Known = FxHashMap<(DefId, Sym), Option<Sym>>;

/// Where the kernel keeps the files that functions operate on.
pub struct GlobalFiles<'s, 'v, 'p, 'f> {
    pointers: &'s PointsTo<'v, 'p, 'f>,
    known: RefCell<Known>,
}

impl<'s, 'v, 'p, 'f> GlobalFiles<'s, 'v, 'p, 'f> {
    pub fn new(pointers: &'s PointsTo<'v, 'p, 'f>) -> Self {
        GlobalFiles {
            pointers,
            known: RefCell::default(),
        }
    }

    /// The place outside functions, as C writes it, in which the file stands that a step operates on;
    /// None where it is no operation of a file, or the caller may have handed it.
    pub fn kept_in(&self, edge: &Edge) -> Option<Sym> {
        let call = edge.call.as_ref()?;
        edge.via.filter(|via| via.text().starts_with(OF_FILES))?;
        let mut files = call.arguments.iter();
        let file = files.find(|place| self.is_file(edge.caller, **place))?;
        let place = self.source(edge.caller, *file, 0)?;
        let written = place.text().trim_start_matches(':').replace('>', ".");
        Some(Sym::new(&written))
    }

    /// Whether a variable is a file, or points to one.
    fn is_file(&self, user: DefId, place: Sym) -> bool {
        let definition = &self.pointers.view.program[user];
        let of_type = |type_: Sym| type_.text() == FILE;
        if let Some(name) = outside(place) {
            let variable = self.pointers.view.variable(name, definition.path);
            return variable.is_some_and(|(_, one)| of_type(one.type_));
        }
        let function = definition.fact.function();
        let name = place.text().strip_prefix('$');
        let mut variables = function
            .into_iter()
            .flat_map(|one| one.parameters.iter().chain(&one.variables));
        variables.any(|one| Some(one.name.text()) == name && of_type(one.type_))
    }

    /// The place outside functions from which alone a place in a function has its file.
    fn source(&self, user: DefId, place: Sym, depth: u32) -> Option<Sym> {
        if place.text().starts_with(':') {
            return Some(place);
        }
        let name = place.text().strip_prefix('$')?;
        if depth > DEEPEST {
            return None;
        }
        let key = (user, place);
        if let Some(known) = self.known.borrow().get(&key) {
            return *known;
        }
        // A function that hands it on to itself does not tell.
        self.known.borrow_mut().insert(key, None);
        let parameters = self.pointers.view.program[user].parameters();
        let found = match parameters.iter().position(|one| one.text() == name) {
            Some(position) => self.handed(user, position, depth),
            None => self.taken(user, place),
        };
        self.known.borrow_mut().insert(key, found);
        found
    }

    /// The place from which a function takes the file in a local variable.
    fn taken(&self, user: DefId, variable: Sym) -> Option<Sym> {
        let function = self.pointers.view.program[user].fact.function()?;
        let kept_in = format!("{}>@", variable.text());
        let mut sets = function.sets.iter();
        let (_, place) = sets.find(|(place, _)| place.text() == kept_in)?;
        place.as_sym()
    }

    /// The place from which all callers of a function take what they hand it.
    fn handed(&self, user: DefId, position: usize, depth: u32) -> Option<Sym> {
        if self.pointers.is_pointed_to(user) {
            return None;
        }
        let view = self.pointers.view;
        let name = view.program[user].name;
        let written = view.of_built(&view.program.calls, name);
        let made = self.pointers.expansions.calls.get(name).iter();
        let made = made.map(|(caller, call)| (*caller, call));
        let source = |(caller, call): (DefId, &Call)| {
            let argument = call.arguments.get().get(position).copied()?;
            self.source(caller, argument, depth + 1)
        };
        let mut sources = written
            .chain(made)
            .filter(|(caller, _)| {
                view.resolve(name, view.program[*caller].path)
                    .contains(&user)
            })
            .map(source);
        let first = sources.next()??;
        sources.all(|one| one.is_some()).then_some(first)
    }
}
