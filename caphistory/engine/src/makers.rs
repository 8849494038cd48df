//! Functions that make files for others: a function goes in, and the folder comes out in which it
//! makes one that is served by a table that it is handed.
//!
//! Most file systems that show the kernel's own state have one: `oprofilefs_create_file(sb, root,
//! "buffer", &ops)` (2.6), whose own helper stores them in the inode.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use crate::facts::{Call, Function};
use crate::intern::Sym;
use crate::names::{DefId, View};

/// What serves a file.
pub const TABLE: &str = "struct file_operations";
/// The member of an inode that says what serves its file.
const SERVED_BY: &str = ">i_fop";
/// A folder of which nothing is known.
const ANYWHERE: &str = "**";
/// Such functions, one within the other.
const DEEPEST: u32 = 3;

/// The folder in which a function of this name registers a file, where that is known.
pub type Known<'a> = &'a dyn Fn(&str) -> Option<&'static str>;

/// Functions that make files, and in which folder; None of those that make none.
#[derive(Default)]
pub struct Makers {
    known: RefCell<FxHashMap<DefId, Option<&'static str>>>,
}

impl Makers {
    /// The folder of what a function makes.
    pub fn folder(
        &self,
        view: &View<'_, '_>,
        maker: DefId,
        known: Known<'_>,
    ) -> Option<&'static str> {
        self.folder_within(view, maker, known, 0)
    }

    fn folder_within(
        &self,
        view: &View<'_, '_>,
        maker: DefId,
        known: Known<'_>,
        depth: u32,
    ) -> Option<&'static str> {
        if let Some(found) = self.known.borrow().get(&maker) {
            return *found;
        }
        if depth > DEEPEST {
            return None;
        }
        self.known.borrow_mut().insert(maker, None); // for one that calls itself
        let definition = &view.program[maker];
        let of_call = |call: &Call| {
            let name = call.target.text();
            known(name).or_else(|| {
                let callees = view.resolve(call.target, definition.path);
                let mut folders = callees
                    .iter()
                    .map(|callee| self.folder_within(view, *callee, known, depth + 1));
                folders.find_map(|folder| folder)
            })
        };
        let found = definition.fact.function().and_then(|function| {
            let mut tables = handed_tables(function);
            tables.find_map(|table| {
                let stores = function
                    .tables
                    .iter()
                    .any(|flow| flow.source == table && flow.target.text().ends_with(SERVED_BY));
                let is_handed = |call: &&Call| !call.pointer && call.arguments.contains(&table);
                let mut calls = function.calls.iter().filter(is_handed);
                stores
                    .then_some(ANYWHERE)
                    .or_else(|| calls.find_map(&of_call))
            })
        });
        self.known.borrow_mut().insert(maker, found);
        found
    }
}

/// The parameters that are such tables, as places.
fn handed_tables(function: &Function) -> impl Iterator<Item = Sym> {
    let parameters = function.parameters.iter();
    let tables = parameters.filter(|one| one.type_.text() == TABLE);
    tables.map(|one| Sym::new(&format!("${}", one.name.text())))
}
