//! The steps between definitions by which syscalls come to checks: from the checks backwards.
//!
//! Only functions from which a check can be reached are looked at; from a modern syscall forwards
//! nearly the whole kernel would be.

use std::ops::{Deref, Range};
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::checks::Site;
use crate::facts::Call;
use crate::file_kinds::Kinds;
use crate::global_files::GlobalFiles;
use crate::intern::{ExprList, Sym};
use crate::kernel_threads::KernelThreads;
use crate::names::{DefId, PathId, View, distinct};
use crate::points_to::PointsTo;
use crate::syscalls::Entry;
use crate::table_sets::TableSets;

/// How far chains are followed: the n-th number is how many steps a chain with n pointer steps may
/// have, never more than one with fewer. What lies beyond is not answered; the bounds are stored
/// with each release.
pub type Bounds = [u8];

/// No chain without pointers is cut off in 2.0.40 (7 steps at most) and 2.2.24 (8); from 2.4 on
/// they go through the reclaim of memory, which says little. Through pointers the ways are many:
/// all that readers found in 2.0.40 and 2.2.24 have no more steps than these.
pub const BOUNDS: &Bounds = &[14, 10, 10, 8, 8, 8];
/// For the sites that no syscall comes to within those: a handler of netlink stands behind four
/// pointers, and 12 steps. Of the syscalls that come to one so, those with the fewest pointer steps
/// are told. Without, 120 sites of 6.8 would be reached by nobody.
pub const FURTHER: &Bounds = &[18, 15, 15, 15, 15, 14, 14];
/// For what constants switch off, which is shown on request only.
pub const SWITCHED_OFF: &Bounds = &[8, 8, 8, 8];

/// A step from one definition to another: the line it is made at, and how. `call` is None for a
/// macro that is only another name for the callee. `hops` is 1 through a pointer, unless all that is
/// registered there is called, or the caller's own arguments are only handed on: nothing is chosen
/// then. `kept_in` is where the kernel keeps the file on which it operates, where that is none of the
/// caller's (see `global_files`). `order` is its place among the steps to the
/// callee, by way, caller and line.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    pub caller: DefId,
    pub callee: DefId,
    pub line: u32,
    pub conditional: bool,
    pub via: Option<Sym>,
    pub hops: u8,
    pub call: Option<Call>,
    pub kept_in: Option<Sym>,
    pub order: u32,
}

impl Edge {
    /// What a step through a pointer goes through, as it is told: `file_operations.write of
    /// acct_file`.
    pub fn told_via(&self) -> Option<Sym> {
        let (via, place) = (self.via?, self.kept_in);
        let told = |place: Sym| Sym::new(&format!("{} of {}", via.text(), place.text()));
        Some(place.map_or(via, told))
    }
}

/// The number of an edge in a graph.
pub type EdgeId = u32;

/// The steps between definitions that come to a check, by caller and by callee. Of steps that
/// neither kind, conditions nor arguments tell apart the first is kept, unconditional ones before
/// others.
#[derive(Default)]
pub struct Graph {
    pub edges: Vec<Edge>,
    out: FxHashMap<DefId, Vec<EdgeId>>,
    into: FxHashMap<DefId, Range<EdgeId>>,
}

impl Graph {
    /// The steps from a definition, by callee.
    pub fn from(&self, caller: DefId) -> &[EdgeId] {
        self.out.get(&caller).map_or(&[], |edges| edges)
    }

    /// The numbers of the steps to a definition, in order.
    pub fn numbers_to(&self, callee: DefId) -> Range<EdgeId> {
        self.into.get(&callee).cloned().unwrap_or_default()
    }

    /// The steps to a definition, in order.
    pub fn to(&self, callee: DefId) -> impl Iterator<Item = &Edge> {
        let range = self.numbers_to(callee);
        self.edges[range.start as usize..range.end as usize].iter()
    }

    fn add(&mut self, callee: DefId, edges: Vec<Edge>) {
        let start = self.edges.len() as EdgeId;
        for (number, edge) in (start..).zip(&edges) {
            self.out.entry(edge.caller).or_default().push(number);
        }
        self.edges.extend(edges);
        self.into.insert(callee, start..self.edges.len() as EdgeId);
    }
}

/// The fewest steps that lead from or to a definition, for each number of pointer steps: pairs of
/// the two numbers.
type Fewest = Vec<(u8, u8)>;
/// The definitions at the other ends of steps: of those by name, or that choose nothing, and of
/// those through pointers.
type Ends = [Vec<DefId>; 2];

/// Go backwards from the sites, as many steps as a chain may have, and keep the steps that a chain
/// from an entry function can be made of. No steps lead from `checks`.
pub fn build<'s, 'v, 'p, 'f>(
    pointers: &'s PointsTo<'v, 'p, 'f>,
    tables: &'s TableSets<'s, 'v, 'p, 'f>,
    checks: &'s FxHashSet<DefId>,
    sites: &[Site],
    entries: &[Entry],
    bounds: &Bounds,
) -> Graph {
    let view = pointers.view;
    let mut steps = Steps::new(pointers, tables, checks);
    let mut out: FxHashMap<DefId, Ends> = FxHashMap::default();
    let total = view.program.definitions.len();
    let ends = sites.iter().map(|site| site.definition);
    let behind = fewest(ends, total, bounds, |callee| {
        let ends = steps.ends(callee);
        for (pointer, callers) in ends.iter().enumerate() {
            for caller in callers {
                out.entry(*caller).or_default()[pointer].push(callee);
            }
        }
        Box::new(ends)
    });
    let starts = entries.iter().filter_map(|entry| entry.definition);
    let nothing = Ends::default();
    let before = fewest(starts, total, bounds, |caller| {
        out.get(&caller).unwrap_or(&nothing)
    });
    // Of 300,000 definitions of a kernel of today from which a check can be reached so, syscalls
    // come to one in twenty.
    let mut kept: FxHashMap<DefId, [FxHashSet<DefId>; 2]> = FxHashMap::default();
    for (caller, steps_before) in &before {
        let Some(callees) = out.get(caller) else {
            continue;
        };
        for (pointer, callees) in callees.iter().enumerate() {
            for callee in callees {
                let steps_behind = behind.get(callee).map_or(&[][..], |steps| steps);
                if within(steps_before, steps_behind, pointer, bounds) {
                    kept.entry(*callee).or_default()[pointer].insert(*caller);
                }
            }
        }
    }
    let mut callees: Vec<DefId> = kept.keys().copied().collect();
    callees.sort_by_key(|one| (view.program[*one].key(), *one));
    let mut graph = Graph::default();
    for callee in callees {
        let [named, pointed] = &kept[&callee];
        let edges = steps.edges(callee, named, pointed);
        graph.add(callee, edges);
    }
    graph
}

/// The fewest steps, within the bounds, from some definitions to all others, of which there are
/// `total`.
fn fewest<E: Deref<Target = Ends>>(
    start: impl Iterator<Item = DefId>,
    total: usize,
    bounds: &Bounds,
    mut neighbours: impl FnMut(DefId) -> E,
) -> FxHashMap<DefId, Fewest> {
    let mut found: FxHashMap<DefId, Fewest> = FxHashMap::default();
    let mut fewest = vec![u8::MAX; total];
    let mut ends: FxHashMap<DefId, E> = FxHashMap::default();
    let mut level: Vec<Vec<DefId>> = vec![Vec::new(); bounds.len()];
    for one in start {
        if fewest[one.0 as usize] != 0 {
            fewest[one.0 as usize] = 0;
            found.insert(one, vec![(0, 0)]);
            level[0].push(one);
        }
    }
    for steps in 1..=bounds.first().copied().unwrap_or_default() {
        let kinds = bounds.iter().filter(|most| steps <= **most).count();
        let mut following: Vec<Vec<DefId>> = vec![Vec::new(); bounds.len()];
        for (hops, numbers) in level.iter().enumerate() {
            for one in numbers {
                let known = ends.entry(*one).or_insert_with(|| neighbours(*one));
                for (more, others) in (hops..kinds).zip(known.iter()) {
                    // Fewer pointer steps are as good or better.
                    for other in others {
                        let known = &mut fewest[other.0 as usize];
                        if more < usize::from(*known) {
                            *known = more as u8;
                            found.entry(*other).or_default().push((more as u8, steps));
                            following[more].push(*other);
                        }
                    }
                }
            }
        }
        level = following;
    }
    found
}

/// Whether a step can be part of a chain that the bounds allow.
fn within(before: &[(u8, u8)], behind: &[(u8, u8)], pointer: usize, bounds: &Bounds) -> bool {
    before.iter().any(|(hops, steps)| {
        behind.iter().any(|(more, further)| {
            let all = usize::from(*hops) + usize::from(*more) + pointer;
            let most = bounds.get(all);
            most.is_some_and(|most| u32::from(*steps) + 1 + u32::from(*further) <= u32::from(*most))
        })
    })
}

/// A caller and its call; None for it as in `Edge`.
type Step = (DefId, Option<Call>);

/// The steps to definitions, by name and through pointers, in code that can be built, from all but
/// checks.
struct Steps<'s, 'v, 'p, 'f> {
    view: &'v View<'p, 'f>,
    pointers: &'s PointsTo<'v, 'p, 'f>,
    tables: &'s TableSets<'s, 'v, 'p, 'f>,
    checks: &'s FxHashSet<DefId>,
    threads: KernelThreads<'v, 'p, 'f>,
    files: GlobalFiles<'s, 'v, 'p, 'f>,
    /// By name, for each definition that it means somewhere: who takes steps to it.
    callers: FxHashMap<Sym, FxHashMap<DefId, Vec<DefId>>>,
    steps: FxHashMap<Sym, Rc<FxHashMap<DefId, Vec<Step>>>>,
    /// What is called through pointers that choose nothing.
    dispatched: FxHashSet<DefId>,
}

impl<'s, 'v, 'p, 'f> Steps<'s, 'v, 'p, 'f> {
    fn new(
        pointers: &'s PointsTo<'v, 'p, 'f>,
        tables: &'s TableSets<'s, 'v, 'p, 'f>,
        checks: &'s FxHashSet<DefId>,
    ) -> Self {
        Steps {
            view: pointers.view,
            pointers,
            tables,
            checks,
            threads: KernelThreads::new(pointers.view),
            files: GlobalFiles::new(pointers),
            callers: FxHashMap::default(),
            steps: FxHashMap::default(),
            dispatched: FxHashSet::default(),
        }
    }

    /// Where the steps to a definition begin.
    fn ends(&mut self, callee: DefId) -> Ends {
        let name = self.view.program[callee].name;
        if !self.callers.contains_key(&name) {
            self.callers.insert(name, self.callers_by(name));
        }
        let known = self.callers.get_mut(&name);
        let mut named = known
            .and_then(|known| known.remove(&callee))
            .unwrap_or_default();
        let calls = self.pointers.calls(callee);
        let possible = calls.into_iter().filter(|(caller, call)| {
            *caller != callee
                && self.possible(*caller, Some(call))
                && self.tables.allows(*caller, call, callee)
        });
        let (set, chosen): (Vec<_>, Vec<_>) =
            possible.partition(|(caller, call)| !self.chooses(*caller, call));
        if !set.is_empty() {
            self.dispatched.insert(callee);
            named.extend(set.iter().map(|(caller, _)| *caller));
            named = distinct(named.into_iter());
        }
        [
            named,
            distinct(chosen.into_iter().map(|(caller, _)| caller)),
        ]
    }

    /// Whether a call through a pointer chooses what it calls: not one of all that is registered,
    /// nor one that only hands on.
    fn chooses(&self, caller: DefId, call: &Call) -> bool {
        !call.every && !self.tables.hands_on(caller, call)
    }

    fn callers_by(&self, name: Sym) -> FxHashMap<DefId, Vec<DefId>> {
        let mut found: FxHashMap<DefId, Vec<DefId>> = FxHashMap::default();
        self.each_step(name, |callee, (caller, _)| {
            if caller != callee {
                found.entry(callee).or_default().push(caller);
            }
        });
        for callers in found.values_mut() {
            *callers = distinct(callers.iter().copied());
        }
        found
    }

    /// The steps by a name, to each definition that it means somewhere.
    fn each_step(&self, name: Sym, mut take: impl FnMut(DefId, Step)) {
        let program = self.view.program;
        let mut each = |steps: &[Step], path: PathId| {
            let callees = self.view.resolve(name, path);
            for (caller, call) in steps {
                if !callees.is_empty() && self.possible(*caller, call.as_ref()) {
                    for callee in callees.iter() {
                        take(*callee, (*caller, *call));
                    }
                }
            }
        };
        for path in program.calls.paths(name) {
            if self.view.built(path) {
                let calls = program.calls.at(name, path).iter();
                let steps: Vec<Step> = calls
                    .map(|(caller, call)| (*caller, Some(**call)))
                    .collect();
                each(&steps, path);
            }
        }
        let made = self.pointers.expansions.calls.get(name).iter();
        let made = made.map(|(caller, call)| (*caller, Some(*call)));
        // "#define iput_final really_iput"
        let aliases = program
            .aliases
            .get(name)
            .iter()
            .map(|macro_| (*macro_, None));
        for step in made.chain(aliases) {
            let path = program[step.0].path;
            if self.view.built(path) {
                each(&[step], path);
            }
        }
    }

    /// Whether a step can be part of such a kernel, and is neither one within a check nor another
    /// task's.
    fn possible(&self, caller: DefId, call: Option<&Call>) -> bool {
        let holds = |condition: Sym| condition.is_empty() || self.view.possible(condition);
        let own = |call: &Call| holds(call.condition) && !self.threads.run(caller, call.guards);
        !self.checks.contains(&caller)
            && holds(self.view.program[caller].condition)
            && call.is_none_or(own)
    }

    fn steps_by(&mut self, name: Sym) -> Rc<FxHashMap<DefId, Vec<Step>>> {
        if let Some(known) = self.steps.get(&name) {
            return known.clone();
        }
        let mut found: FxHashMap<DefId, Vec<Step>> = FxHashMap::default();
        self.each_step(name, |callee, step| {
            found.entry(callee).or_default().push(step)
        });
        let found = Rc::new(found);
        self.steps.insert(name, found.clone());
        found
    }

    /// The steps to a definition from these by name, and from those through pointers.
    fn edges(
        &mut self,
        callee: DefId,
        named: &FxHashSet<DefId>,
        pointed: &FxHashSet<DefId>,
    ) -> Vec<Edge> {
        let mut found = Found::new(self.view, callee);
        let by_name = self.steps_by(self.view.program[callee].name);
        for (caller, call) in by_name.get(&callee).into_iter().flatten() {
            if named.contains(caller) {
                found.add(*caller, *call, None);
            }
        }
        if !pointed.is_empty() || self.dispatched.contains(&callee) {
            for one in self.pointers.callers(callee) {
                let holds = self.possible(one.caller, Some(&one.call));
                let allowed = || self.tables.allows(one.caller, &one.call, callee);
                let chooses = self.chooses(one.caller, &one.call);
                let callers = if chooses { pointed } else { named };
                if callers.contains(&one.caller) && holds && allowed() {
                    for via in one.ways.iter() {
                        found.add(one.caller, Some(one.call), Some((*via, chooses)));
                    }
                }
            }
        }
        let mut edges = found.in_order();
        for edge in &mut edges {
            edge.kept_in = self.files.kept_in(edge);
        }
        edges
    }
}

/// The steps to one definition, as they are found.
struct Found<'v, 'p, 'f> {
    view: &'v View<'p, 'f>,
    callee: DefId,
    edges: Vec<Edge>,
    known: FxHashMap<(DefId, Option<Sym>), Vec<usize>>,
}

impl<'v, 'p, 'f> Found<'v, 'p, 'f> {
    fn new(view: &'v View<'p, 'f>, callee: DefId) -> Self {
        Found {
            view,
            callee,
            edges: Vec::new(),
            known: FxHashMap::default(),
        }
    }

    /// Adds a step: through a pointer by a way, and whether that chooses what is called.
    fn add(&mut self, caller: DefId, call: Option<Call>, way: Option<(Sym, bool)>) {
        let via = way.map(|(via, _)| via);
        let definition = &self.view.program[caller];
        let edge = Edge {
            caller,
            callee: self.callee,
            line: call.map_or(definition.line, |call| definition.item_line + call.line),
            conditional: call.is_some_and(|call| call.conditional),
            via,
            hops: u8::from(way.is_some_and(|(_, chooses)| chooses)),
            call,
            kept_in: None,
            order: 0,
        };
        let same = self.known.entry((caller, via)).or_default();
        let alike = same
            .iter()
            .find(|at| told(&self.edges[**at]) == told(&edge));
        match alike {
            Some(&at) if rank(&edge) < rank(&self.edges[at]) => self.edges[at] = edge,
            Some(_) => {}
            None => {
                same.push(self.edges.len());
                self.edges.push(edge);
            }
        }
    }

    fn in_order(mut self) -> Vec<Edge> {
        let program = self.view.program;
        let key = |edge: &Edge| {
            let via = edge.via.map_or("", Sym::text);
            (via, program[edge.caller].key(), rank(edge))
        };
        self.edges.sort_by(|one, other| key(one).cmp(&key(other)));
        let mut order = 0;
        for at in 1..self.edges.len() {
            if key(&self.edges[at]) != key(&self.edges[at - 1]) {
                order += 1;
            }
            self.edges[at].order = order;
        }
        self.edges
    }
}

/// What constants may decide of a step.
fn told(edge: &Edge) -> Option<(ExprList, ExprList, Kinds)> {
    edge.call.map(|call| (call.guards, call.passes, call.kinds))
}

fn rank(edge: &Edge) -> (bool, u32) {
    (edge.conditional, edge.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_counts_with_what_leads_there_and_on() {
        let bounds = &[3, 2][..];
        assert!(within(&[(0, 1)], &[(0, 1)], 0, bounds));
        assert!(!within(&[(0, 1)], &[(0, 1)], 1, bounds));
        assert!(within(&[(0, 1)], &[(0, 0)], 1, bounds));
        assert!(!within(&[(1, 0)], &[(1, 0)], 0, bounds));
    }

    #[test]
    fn more_pointer_steps_count_where_they_are_shorter() {
        // 0 → 1 → 2 by name, 0 → 2 through a pointer.
        let ends = |one: DefId| {
            Box::new(match one.0 {
                0 => [vec![DefId(1)], vec![DefId(2)]],
                1 => [vec![DefId(2)], vec![]],
                _ => Ends::default(),
            })
        };
        let found = fewest([DefId(0)].into_iter(), 3, &[4, 4], ends);
        assert_eq!(found[&DefId(2)], [(1, 1), (0, 2)]);
    }
}
