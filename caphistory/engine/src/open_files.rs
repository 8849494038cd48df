//! What reads an open file: which function of its own operations comes to what its open has named.
//!
//! A file of the kind of `seq_file` names a function when it is opened (`single_open(file, show,
//! NULL)`), and functions that many kinds of files share come to it (`.read = seq_read`). Which of
//! them does stands in the table that the open is in: /proc/PID/timerslack_ns has `seq_read` as its
//! `read` and nothing as its `read_iter` (6.12), and an iterator of bpf that is read by `bpf_seq_read`
//! shows nothing of it. The graph and the tables go in; out come, for a step to what is shown, the
//! functions one of which must have been called through a pointer before.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::call_graph::{Edge, Graph};
use crate::intern::Sym;
use crate::names::{DefId, NamingAt, View, place_of};
use crate::namings::OPENERS;
use crate::table_sets::TableSets;

/// The type whose members show a file that `OPENERS` open.
const SHOWING: &str = "seq_operations.";
/// Calls by name from a file's own operation to the step to what is shown: `seq_read`,
/// `seq_read_iter`, `traverse`.
const MOST_CALLS: usize = 3;

/// Which functions read what open files show.
#[derive(Default)]
pub struct OpenFiles {
    readers: FxHashMap<DefId, Rc<[DefId]>>,
    shared: FxHashSet<DefId>,
}

impl OpenFiles {
    pub fn find(graph: &Graph, view: &View<'_, '_>, tables: &TableSets<'_, '_, '_, '_>) -> Self {
        let steps: Vec<&Edge> = graph.edges.iter().filter(|edge| shows(edge)).collect();
        let shared = callers_by_name(graph, steps.iter().map(|edge| edge.caller));
        let mut readers: FxHashMap<DefId, Rc<[DefId]>> = FxHashMap::default();
        for shown in steps
            .iter()
            .map(|edge| edge.callee)
            .collect::<FxHashSet<_>>()
        {
            let Some(openers) = openers(shown, view, tables) else {
                continue;
            };
            let mut own = Vec::new();
            for opener in openers {
                let beside = tables.beside_open(opener);
                own.extend(beside.into_iter().filter(|one| shared.contains(one)));
            }
            if !own.is_empty() {
                own.sort_unstable();
                own.dedup();
                readers.insert(shown, own.into());
            }
        }
        OpenFiles { readers, shared }
    }

    /// The functions one of which must have been called through a pointer before a step.
    pub fn readers(&self, edge: &Edge) -> &[DefId] {
        let known = self.readers.get(&edge.callee).filter(|_| shows(edge));
        known.map_or(&[], |known| known)
    }

    /// The operation that a step through a pointer calls, if what is shown may depend on it.
    pub fn operation(&self, edge: &Edge) -> Option<DefId> {
        let is_pointer = edge.via.is_some() && !shows(edge);
        (is_pointer && self.shared.contains(&edge.callee)).then_some(edge.callee)
    }
}

fn shows(edge: &Edge) -> bool {
    edge.via.is_some_and(|via| via.text().starts_with(SHOWING))
}

/// Some functions and those that come to them by few calls by name.
fn callers_by_name(graph: &Graph, start: impl Iterator<Item = DefId>) -> FxHashSet<DefId> {
    let mut found: FxHashSet<DefId> = start.collect();
    let mut level: Vec<DefId> = found.iter().copied().collect();
    for _ in 0..MOST_CALLS {
        let steps = level.iter().flat_map(|callee| graph.to(*callee));
        let callers = steps
            .filter(|edge| edge.via.is_none())
            .map(|edge| edge.caller);
        level = callers.filter(|caller| found.insert(*caller)).collect();
    }
    found
}

/// The functions that open the files by which a function is shown; None if any of them is not known.
fn openers(
    shown: DefId,
    view: &View<'_, '_>,
    tables: &TableSets<'_, '_, '_, '_>,
) -> Option<Vec<DefId>> {
    let name = view.program[shown].name;
    let means_it = |at: &NamingAt| view.resolve(name, at.path).contains(&shown);
    let mut found = openers_in(name, view, means_it)?;
    for &(file, table) in tables.holding(shown) {
        let means_it = |at: &NamingAt| {
            let meant = view.variable(table, at.path);
            meant.is_some_and(|(meant, _)| meant == file)
        };
        let more = openers_in(table, view, means_it)?;
        if more.is_empty() {
            return None;
        }
        found.extend(more);
    }
    Some(found)
}

/// The functions that hand a name to one that opens; None if it is handed to any other.
fn openers_in(
    name: Sym,
    view: &View<'_, '_>,
    means_it: impl Fn(&NamingAt) -> bool,
) -> Option<Vec<DefId>> {
    let calls = view.program.registering.get(place_of(name)).iter();
    let meant = calls.filter(|at| view.built(at.path) && means_it(at));
    let opener = |at: &NamingAt| {
        let called = at.naming.holder.text().strip_suffix("()");
        let opens = called.is_some_and(|called| OPENERS.contains(&called));
        at.within.filter(|_| opens)
    };
    meant.map(opener).collect()
}
