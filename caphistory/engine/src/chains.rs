//! How syscalls come to checks: the best chains in the graph of steps between definitions.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::call_graph::{Bounds, Edge, EdgeId, Graph};
use crate::checks::Site;
use crate::choices::mount_in;
use crate::constant_propagation::situation::Situation;
use crate::constant_propagation::{Constants, Context, NOTHING_KNOWN};
use crate::file_kinds::Kinds;
use crate::intern::Sym;
use crate::names::{DefId, PathId, Program};
use crate::open_files::OpenFiles;
use crate::operations::{
    EVERYTHING, Label, OperationId, Operations, Registered, Way, both, either,
};
use crate::points_to::PointsTo;
use crate::syscalls::Entry;
use crate::table_sets::TableSets;

/// What must be known of parameters to decide the guards of sites and steps.
pub fn constants<'s, 'v, 'p, 'f>(
    pointers: &'s PointsTo<'v, 'p, 'f>,
    tables: &'s TableSets<'s, 'v, 'p, 'f>,
    special: &'s FxHashMap<DefId, Kinds>,
    registered: Registered<'s>,
    graph: &mut Graph,
    sites: &[Site],
) -> Constants<'s, 'v, 'p, 'f> {
    let mut found = Constants::new(pointers, tables, special, registered);
    for edge in &mut graph.edges {
        if let Some(call) = &mut edge.call {
            call.guards = found.settle(edge.caller, call.guards, call.line);
        }
    }
    let of_edges = graph.edges.iter().filter_map(|edge| edge.call.as_ref());
    let of_sites = sites.iter().map(|site| &site.guards);
    let of_edges = of_edges.flat_map(|call| [&call.guards, &call.passes]);
    found.find_macros(of_sites.chain(of_edges));
    for edge in &mut graph.edges {
        if let Some(call) = &mut edge.call {
            call.passes = found.with_macros(edge.caller, call.passes);
        }
    }
    for site in sites {
        found.want(site.definition, site.guards);
    }
    for edge in &graph.edges {
        if let Some(call) = &edge.call {
            found.want(edge.caller, call.guards);
        }
        if edge.via.is_some() && special.contains_key(&edge.callee) {
            found.want_kinds(edge.caller);
        }
    }
    want_systems(graph, tables, &mut found);
    loop {
        let news = found.news();
        if news.is_empty() {
            break;
        }
        for (callee, wishes) in news {
            for edge in graph.to(callee) {
                if let Some(call) = &edge.call {
                    found.want_for(edge.caller, call, &wishes);
                }
            }
        }
    }
    found.find_numbers();
    found
}

/// Say that the file system matters wherever direct calls lead from one that is handed what is on a
/// mount of the kernel's own.
fn want_systems(
    graph: &Graph,
    tables: &TableSets<'_, '_, '_, '_>,
    found: &mut Constants<'_, '_, '_, '_>,
) {
    let mut below: FxHashSet<DefId> = FxHashSet::default();
    let mut waiting: Vec<DefId> = Vec::new();
    for edge in graph.edges.iter().filter(|edge| edge.via.is_none()) {
        let guards = edge.call.map_or(&[][..], |call| call.guards.get());
        let source = guards.iter().find_map(|guard| mount_in(*guard));
        if source.is_some_and(|source| tables.file_system(source, edge.caller).is_some()) {
            waiting.push(edge.callee);
        }
    }
    while let Some(one) = waiting.pop() {
        if below.insert(one) {
            found.want_system(one);
            let edges = graph
                .from(one)
                .iter()
                .map(|number| &graph.edges[*number as usize]);
            waiting.extend(
                edges
                    .filter(|edge| edge.via.is_none())
                    .map(|edge| edge.callee),
            );
        }
    }
}

/// One step of a chain: in `function` (defined in `path`), at `line`, the code goes on to the next
/// step, or, in the last step, makes the check; `via` names a step through a pointer as
/// `proto_ops.bind`; `hops` is as in `Edge`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Step {
    pub function: Sym,
    pub path: PathId,
    pub line: u32,
    pub via: Option<Sym>,
    pub hops: u8,
}

/// A chain, by number: equal ones of one `Chains` have equal numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ChainId(pub u32);

/// Chains of steps; each is another one with a step behind it, so that what they have in common is
/// there once.
#[derive(Clone, Debug, Default)]
pub struct Chains {
    links: Vec<(Option<ChainId>, Step)>,
    numbers: FxHashMap<(Option<ChainId>, Step), ChainId>,
}

impl Chains {
    /// A chain (None for one without steps) with a step behind it.
    pub fn longer(&mut self, chain: Option<ChainId>, step: Step) -> ChainId {
        let next = ChainId(self.links.len() as u32);
        let found = *self.numbers.entry((chain, step)).or_insert(next);
        if found == next {
            self.links.push((chain, step));
        }
        found
    }

    /// A chain's last step, and the chain before it.
    pub fn last(&self, chain: ChainId) -> (Option<ChainId>, Step) {
        self.links[chain.0 as usize]
    }

    /// The steps of a chain, in order.
    pub fn steps(&self, chain: ChainId) -> Vec<Step> {
        let mut found = Vec::new();
        let mut rest = Some(chain);
        while let Some(chain) = rest {
            let (before, step) = self.last(chain);
            found.push(step);
            rest = before;
        }
        found.reverse();
        found
    }

    /// Take in all other chains; their numbers here.
    pub fn take_in(&mut self, others: &Chains) -> Vec<ChainId> {
        let mut numbers: Vec<ChainId> = Vec::with_capacity(others.links.len());
        for (before, step) in &others.links {
            let before = before.map(|chain| numbers[chain.0 as usize]);
            numbers.push(self.longer(before, *step));
        }
        numbers
    }
}

/// The best chain from an entry function to the definition that holds a site (None for no steps at
/// all) by one operation, how many steps it has and how many of them go through pointers, and
/// whether one of them is conditional.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    pub operation: Sym,
    pub pointer_hops: u8,
    pub depth: u8,
    pub conditional: bool,
    pub chain: Option<ChainId>,
}

/// Entries, each a bit.
type Mask = Box<[u64]>;
type NodeId = u32;
type StateId = u32;

fn or(target: &mut [u64], mask: &[u64]) {
    for (word, more) in target.iter_mut().zip(mask) {
        *word |= more;
    }
}

fn has(mask: &[u64], bit: u32) -> bool {
    let word = mask.get(bit as usize / 64).copied().unwrap_or_default();
    word >> (bit % 64) & 1 != 0
}

fn without(mask: &[u64], seen: &[u64]) -> Mask {
    mask.iter()
        .zip(seen)
        .map(|(word, seen)| word & !seen)
        .collect()
}

fn bits(mask: &[u64]) -> impl Iterator<Item = u32> {
    let set = |word: u64| (0..64).filter(move |bit| word >> bit & 1 != 0);
    (0..)
        .zip(mask)
        .flat_map(move |(at, word)| set(*word).map(move |bit| at * 64 + bit))
}

/// A definition with what is known of its parameters; and the operations by which entries came to
/// it.
struct Node {
    definition: DefId,
    situation: Option<Situation>,
    states: Vec<StateId>,
    /// For each operation that others begin with: the states of those with one label more.
    longer: FxHashMap<OperationId, Vec<StateId>>,
}

/// A node and an operation, with the entries that came to it: those that came first with so many
/// pointer steps and steps stand together.
struct State {
    node: NodeId,
    operation: OperationId,
    arrived: Mask,
    arrivals: Vec<(u8, u8, Mask)>,
}

/// What is to be done: the entries that come to states with so many steps, in order.
#[derive(Default)]
struct Level {
    at: FxHashMap<StateId, usize>,
    waiting: Vec<(StateId, Mask)>,
}

impl Level {
    fn add(&mut self, state: StateId, mask: &[u64]) {
        let next = self.waiting.len();
        let at = *self.at.entry(state).or_insert(next);
        match self.waiting.get_mut(at) {
            Some((_, known)) => or(known, mask),
            None => self.waiting.push((state, mask.into())),
        }
    }
}

/// The nodes to which steps lead and the ways there: of those by name, and of those through
/// pointers.
type Following = Rc<[Vec<(NodeId, Rc<[Way]>)>; 2]>;
/// A step to a node: from which node, and by which ways.
type StepTo = (EdgeId, NodeId, Rc<[Way]>);
/// A state, and how many pointer steps and steps lead there.
type Arrival = (StateId, u8, u8);
/// A last step, the state before it and the entries that came by it.
type LastStep = (EdgeId, StateId, Mask);

/// Breadth first from all entries together. With `constants`, steps whose guards are known to fail
/// are not taken, and a function is a node of its own for each set of constants that it is called
/// with.
///
/// An entry that has come to a node by an operation does not come again by one that begins with it.
struct Search<'g, 'c, 's, 'v, 'p, 'f> {
    program: &'g Program<'g>,
    graph: &'g Graph,
    open_files: &'g OpenFiles,
    constants: Option<&'c mut Constants<'s, 'v, 'p, 'f>>,
    barred: FxHashMap<DefId, FxHashSet<DefId>>,
    nothing_handed: Rc<[Context]>,
    unselected: Rc<[Way]>,
    words: usize,
    nodes: Vec<Node>,
    of: FxHashMap<DefId, Vec<(Context, NodeId)>>,
    following: Vec<Option<Following>>,
    before: Vec<Vec<StepTo>>,
    operations: Operations,
    states: Vec<State>,
    numbers: FxHashMap<(NodeId, OperationId), StateId>,
    /// Of the steps to a state those by which entries came in so many, and the chains.
    last: FxHashMap<Arrival, Rc<[LastStep]>>,
    chains: FxHashMap<(Arrival, u32), (Option<ChainId>, bool)>,
}

// So many different sets of constants for one function; from there on nothing is assumed.
const MOST_CONTEXTS: usize = 64;
// Pointer steps that an operation may need: a system call, a file's method, its handler.
const NEAR: u8 = 2;
// So many operations that need more of them are told apart.
const MOST_DISTANT: usize = 3;
// So many operations that differ in one label; from there on none is told.
const MOST_OPERATIONS: usize = 24;
// An operation that begins another one and takes so many steps more says all that is to be said:
// fcntl comes to schedule by F_SETLK, and by itself.
const MOST_STEPS_MORE: u8 = 2;

impl<'g, 'c, 's, 'v, 'p, 'f> Search<'g, 'c, 's, 'v, 'p, 'f> {
    fn new(asked: &Question<'g>, constants: Option<&'c mut Constants<'s, 'v, 'p, 'f>>) -> Self {
        let entries = asked.entries;
        Search {
            program: asked.program,
            graph: asked.graph,
            open_files: asked.open_files,
            constants,
            barred: dispatched(entries),
            nothing_handed: Rc::from([NOTHING_KNOWN]),
            unselected: Rc::from([Way::default()]),
            words: entries.len().div_ceil(64),
            nodes: Vec::new(),
            of: FxHashMap::default(),
            following: Vec::new(),
            before: Vec::new(),
            operations: Operations::default(),
            states: Vec::new(),
            numbers: FxHashMap::default(),
            last: FxHashMap::default(),
            chains: FxHashMap::default(),
        }
    }

    /// Fewest pointer steps first, then fewest steps.
    fn run(&mut self, entries: &[Entry], bounds: &Bounds) {
        let levels = usize::from(bounds.first().copied().unwrap_or_default()) + 1;
        let empty = || -> Vec<Level> { (0..levels).map(|_| Level::default()).collect() };
        let mut waiting = empty();
        for (bit, entry) in entries.iter().enumerate() {
            if let Some(definition) = entry.definition {
                let constants = self.constants.as_deref_mut();
                let context = constants.map_or(NOTHING_KNOWN, |known| known.of_user(definition));
                let node = self.node(definition, context);
                let start = self.state(node, EVERYTHING);
                let mut mask = vec![0; self.words];
                mask[bit / 64] |= 1 << (bit % 64);
                waiting[0].add(start, &mask);
            }
        }
        for (hops, most) in (0..).zip(bounds) {
            let mut later = empty();
            for depth in 0..=*most {
                let level = std::mem::take(&mut waiting[usize::from(depth)]);
                for (at, fresh) in self.arrive(level.waiting) {
                    if depth < *most {
                        let following = self.follow(self.states[at as usize].node);
                        let next = usize::from(depth) + 1;
                        let levels = [&mut waiting[next], &mut later[next]];
                        for (following, level) in following.iter().zip(levels) {
                            for (node, ways) in following {
                                for way in ways.iter() {
                                    if let Some(state) = self.after(at, *node, way) {
                                        level.add(state, &fresh);
                                    }
                                }
                            }
                        }
                    }
                    self.states[at as usize].arrivals.push((hops, depth, fresh));
                }
            }
            waiting = later;
        }
    }

    /// Those entries that had not come to these states, nor by an operation that these begin with;
    /// for the rest of too many operations a state that stands for any.
    fn arrive(&mut self, mut waiting: Vec<(StateId, Mask)>) -> Vec<(StateId, Mask)> {
        let mut found = Vec::with_capacity(waiting.len());
        // First those with fewer labels, which begin others.
        let labels = |state: StateId| {
            let operation = self.states[state as usize].operation;
            let any = self.operations.is_any(operation);
            (self.operations.labels(operation), !any)
        };
        waiting.sort_by_key(|(state, _)| labels(*state));
        let mut waiting = std::collections::VecDeque::from(waiting);
        while let Some((at, mask)) = waiting.pop_front() {
            let fresh = self.fresh(at, &mask);
            if fresh.iter().all(|word| *word == 0) {
                continue;
            }
            let (fresh, more) = self.within_bounds(at, fresh);
            if let Some((any, more)) = more {
                waiting.push_front((any, more));
            }
            if fresh.iter().any(|word| *word != 0) {
                or(&mut self.states[at as usize].arrived, &fresh);
                found.push((at, fresh));
            }
        }
        found
    }

    fn fresh(&self, at: StateId, mask: &[u64]) -> Mask {
        let state = &self.states[at as usize];
        let mut fresh = without(mask, &state.arrived);
        if self.nodes[state.node as usize].states.len() > 1 {
            for begun in self.operations.begin(state.operation) {
                let any = self.operations.known_any(begun);
                for operation in [Some(begun), any].into_iter().flatten() {
                    if let Some(other) = self.numbers.get(&(state.node, operation)) {
                        fresh = without(&fresh, &self.states[*other as usize].arrived);
                    }
                }
            }
        }
        fresh
    }

    /// The entries that may come to a state, and those that have come there by so many operations
    /// that they go to the state that stands for any of them.
    fn within_bounds(&mut self, at: StateId, fresh: Mask) -> (Mask, Option<(StateId, Mask)>) {
        let State {
            node, operation, ..
        } = self.states[at as usize];
        if operation == EVERYTHING || self.operations.is_any(operation) {
            return (fresh, None);
        }
        let before = self.operations.before(operation);
        let others = self.nodes[node as usize].longer.get(&before);
        let others = others.map_or(&[][..], |states| states);
        if others.len() <= MOST_OPERATIONS {
            return (fresh, None);
        }
        let arrived = |state: &StateId, bit: u32| has(&self.states[*state as usize].arrived, bit);
        let mut more: Mask = vec![0; self.words].into();
        for bit in bits(&fresh) {
            let count = others.iter().filter(|one| arrived(one, bit)).count();
            if count >= MOST_OPERATIONS {
                more[bit as usize / 64] |= 1 << (bit % 64);
            }
        }
        let rest = without(&fresh, &more);
        let any = self.operations.any(before);
        let any = self.state(node, any);
        (rest, Some((any, more)))
    }

    fn node(&mut self, definition: DefId, context: Context) -> NodeId {
        let known = self.of.entry(definition).or_default();
        if let Some((_, node)) = known.iter().find(|(one, _)| *one == context) {
            return *node;
        }
        if known.len() >= MOST_CONTEXTS && context != NOTHING_KNOWN {
            return self.node(definition, NOTHING_KNOWN);
        }
        let node = self.nodes.len() as NodeId;
        known.push((context, node));
        let constants = self.constants.as_deref();
        self.nodes.push(Node {
            definition,
            situation: constants.map(|known| Situation::new(known, definition, context)),
            states: Vec::new(),
            longer: FxHashMap::default(),
        });
        self.following.push(None);
        self.before.push(Vec::new());
        node
    }

    fn state(&mut self, node: NodeId, operation: OperationId) -> StateId {
        if let Some(known) = self.numbers.get(&(node, operation)) {
            return *known;
        }
        let state = self.states.len() as StateId;
        self.numbers.insert((node, operation), state);
        self.states.push(State {
            node,
            operation,
            arrived: vec![0; self.words].into(),
            arrivals: Vec::new(),
        });
        let at = &mut self.nodes[node as usize];
        at.states.push(state);
        if operation != EVERYTHING && !self.operations.is_any(operation) {
            let before = self.operations.before(operation);
            at.longer.entry(before).or_default().push(state);
        }
        state
    }

    /// Where a way leads; None where what was asked for before excludes it.
    fn after(&mut self, before: StateId, node: NodeId, way: &Way) -> Option<StateId> {
        let operation = self.states[before as usize].operation;
        let operation = self.operations.with(operation, way)?;
        Some(self.state(node, operation))
    }

    fn follow(&mut self, at: NodeId) -> Following {
        if let Some(known) = &self.following[at as usize] {
            return known.clone();
        }
        let definition = self.nodes[at as usize].definition;
        let graph = self.graph;
        let mut found = [Vec::new(), Vec::new()];
        let mut seen = [FxHashMap::default(), FxHashMap::default()];
        for number in graph.from(definition) {
            let edge = &graph.edges[*number as usize];
            let barred = self.barred.get(&definition);
            if barred.is_some_and(|barred| barred.contains(&edge.callee)) {
                continue;
            }
            let kind = usize::from(edge.hops);
            for (node, ways) in self.reached(at, edge) {
                let next = found[kind].len();
                let known = *seen[kind].entry(node).or_insert(next);
                if known == next {
                    found[kind].push((node, ways.clone()));
                } else {
                    let known: &mut Rc<[Way]> = &mut found[kind][known].1;
                    if *known != ways {
                        *known = either(&[known.to_vec(), ways.to_vec()]).into();
                    }
                }
                self.before[node as usize].push((*number, at, ways));
            }
        }
        let found = Rc::new(found);
        self.following[at as usize] = Some(found.clone());
        found
    }

    /// The nodes to which a step leads, each with the ways by which it does: what is known of the
    /// callee may rest on what the user gives (`prctl_set_seccomp`, 6.12).
    fn reached(&mut self, at: NodeId, edge: &Edge) -> Vec<(NodeId, Rc<[Way]>)> {
        let Some(contexts) = self.handed(at, edge) else {
            return vec![];
        };
        let ways = self.ways(at, edge);
        let mut found: Vec<(NodeId, Vec<Way>)> = Vec::with_capacity(contexts.len());
        for way in ways.iter() {
            let told = (contexts.len() > 1 && ways.len() > 1).then(|| self.told_by(at, edge, way));
            let contexts = told.flatten().unwrap_or_else(|| contexts.clone());
            for context in contexts.iter() {
                let node = self.node(edge.callee, *context);
                match found.iter_mut().find(|(one, _)| *one == node) {
                    Some((_, known)) if known.last() == Some(way) => {}
                    Some((_, known)) => known.push(way.clone()),
                    None => found.push((node, vec![way.clone()])),
                }
            }
        }
        let same = |own: Vec<Way>| match own[..] == ways[..] {
            true => ways.clone(),
            false => own.into(),
        };
        found
            .into_iter()
            .map(|(node, own)| (node, same(own)))
            .collect()
    }

    /// The contexts in which a step's callee is called where the user gives what a way says.
    fn told_by(&mut self, at: NodeId, edge: &Edge, way: &Way) -> Option<Rc<[Context]>> {
        let situation = self.nodes[at as usize].situation.as_ref()?;
        let mut told = situation.where_given(way)?;
        told.after(self.constants.as_deref_mut()?, edge)
    }

    /// The contexts in which a step's callee is called; None where its guards fail.
    fn handed(&mut self, at: NodeId, edge: &Edge) -> Option<Rc<[Context]>> {
        let situation = self.nodes[at as usize].situation.as_mut();
        match (situation, self.constants.as_deref_mut()) {
            (Some(situation), Some(constants)) => situation.after(constants, edge),
            _ => Some(self.nothing_handed.clone()),
        }
    }

    /// The ways by which a step is taken: as its guards and the name of what it calls say.
    fn ways(&mut self, at: NodeId, edge: &Edge) -> Rc<[Way]> {
        let situation = self.nodes[at as usize].situation.as_mut();
        let (Some(situation), Some(constants)) = (situation, self.constants.as_deref_mut()) else {
            return self.unselected.clone();
        };
        let guarded = match &edge.call {
            Some(call) => situation.ways(constants, call.guards),
            None => self.unselected.clone(),
        };
        if edge.kept_in.is_some() {
            return both(&guarded, &[[Label::of_kept_file()].into()]).into();
        }
        let names = situation.names(constants, edge);
        let named = names.iter().map(|name| Label::registered(*name));
        let called = self.open_files.operation(edge);
        let read = called
            .as_slice()
            .iter()
            .chain(self.open_files.readers(edge));
        let read = read.map(|one| Label::of_file(*one));
        let mut ways = guarded;
        for labels in [named.collect::<Vec<_>>(), read.collect()] {
            if !labels.is_empty() {
                let all: Vec<Way> = labels.iter().map(|one| [*one].into()).collect();
                ways = both(&ways, &all).into();
            }
        }
        ways
    }

    /// The nodes of a definition, as they were found, in which a site's guards do not fail, and the
    /// ways from there to the site.
    fn asking(&mut self, site: &Site) -> Vec<(usize, NodeId, Rc<[Way]>)> {
        let nodes = self.of.get(&site.definition).cloned().unwrap_or_default();
        let mut found = Vec::new();
        for (order, (_, node)) in nodes.into_iter().enumerate() {
            let situation = self.nodes[node as usize].situation.as_mut();
            let Some((situation, constants)) = situation.zip(self.constants.as_deref_mut()) else {
                found.push((order, node, self.unselected.clone()));
                continue;
            };
            if situation.possible(constants, site.guards) {
                found.push((order, node, situation.ways(constants, site.guards)));
            }
        }
        found
    }

    /// All arrivals at a site, best first (those by a file that the kernel keeps last), with the operations by which it is reached.
    fn at_site(&mut self, site: &Site) -> Vec<AtSite> {
        let mut found = Vec::new();
        for (order, node, ways) in self.asking(site) {
            for state in self.nodes[node as usize].states.clone() {
                for way in ways.iter() {
                    let before = self.states[state as usize].operation;
                    let Some(operation) = self.operations.with(before, way) else {
                        continue;
                    };
                    let by_kept_file = self.operations.is_of_kept_file(operation);
                    let operation = self.operations.told(operation);
                    let arrivals = &self.states[state as usize].arrivals;
                    found.extend(arrivals.iter().map(|(hops, depth, mask)| AtSite {
                        hops: *hops,
                        depth: *depth,
                        order,
                        operation,
                        by_kept_file,
                        state,
                        mask: mask.clone(),
                    }));
                }
            }
        }
        let (operations, states) = (&self.operations, &self.states);
        found.sort_by_key(|one| {
            let any = operations.is_any(one.operation);
            let labels = (operations.labels(one.operation), !any);
            // Of files that are as good the first in the source: seq_read_iter, not bpf_seq_read.
            let file = operations.file(states[one.state as usize].operation);
            // Of ways that are as short that by which the same labels are given first: what comes
            // out of a default (F_SETOWN in do_fcntl, 2.4) may have left them to another case.
            let last = u8::MAX - operations.labels(states[one.state as usize].operation);
            let place = (one.hops, one.depth, labels, last, one.order);
            (one.by_kept_file, place, one.operation, file)
        });
        found
    }

    /// Of the arrivals at a site, in order, the first for each entry and operation, but none by an
    /// operation that begins with another one of the same entry, nor by one of too many.
    fn told(&mut self, arrivals: Vec<AtSite>) -> Vec<(u32, Rc<AtSite>)> {
        let mut seen: FxHashMap<OperationId, Mask> = FxHashMap::default();
        let mut found: Vec<(u32, Rc<AtSite>)> = Vec::new();
        for mut one in arrivals {
            let mut fresh = one.mask.clone();
            for begun in self.operations.begin(one.operation) {
                let any = self.operations.known_any(begun);
                for operation in [Some(begun), any].into_iter().flatten() {
                    if let Some(seen) = seen.get(&operation) {
                        fresh = without(&fresh, seen);
                    }
                }
            }
            let nothing = || vec![0; self.words].into();
            or(seen.entry(one.operation).or_insert_with(nothing), &fresh);
            one.mask = Box::default();
            let one = Rc::new(one);
            found.extend(bits(&fresh).map(|bit| (bit, one.clone())));
        }
        let found = self.without_covered(found);
        let found = self.without_too_many(found);
        without_distant(found)
    }

    /// Without those operations of an entry that ask for all that another one of it asks for, which
    /// leads to the site through no more pointers and hardly more steps.
    fn without_covered(&self, found: Vec<(u32, Rc<AtSite>)>) -> Vec<(u32, Rc<AtSite>)> {
        let mut others: FxHashMap<u32, Vec<Rc<AtSite>>> = FxHashMap::default();
        for (bit, one) in &found {
            others.entry(*bit).or_default().push(one.clone());
        }
        let covers = |other: &AtSite, one: &AtSite| {
            other.operation != one.operation
                && (one.by_kept_file || !other.by_kept_file)
                && other.hops <= one.hops
                && other.depth <= one.depth + MOST_STEPS_MORE
                && self.operations.is_part(other.operation, one.operation)
        };
        let is_covered = |bit: u32, one: &AtSite| {
            let others = others.get(&bit).map_or(&[][..], |all| all);
            others.iter().any(|other| covers(other, one))
        };
        let kept = found.iter();
        kept.filter(|(bit, one)| !is_covered(*bit, one))
            .cloned()
            .collect()
    }

    /// Where an entry comes by too many operations, or by any of some, what is told is the best of
    /// them, as the operation that they all begin with.
    fn without_too_many(&mut self, found: Vec<(u32, Rc<AtSite>)>) -> Vec<(u32, Rc<AtSite>)> {
        let mut siblings: FxHashMap<(OperationId, u32), usize> = FxHashMap::default();
        for (bit, one) in &found {
            let before = self.operations.before(one.operation);
            *siblings.entry((before, *bit)).or_default() += 1;
        }
        let mut common: FxHashMap<(OperationId, u32), u8> = FxHashMap::default();
        for (bit, one) in &found {
            let before = self.operations.before(one.operation);
            let many = siblings.get(&(before, *bit)).copied().unwrap_or_default();
            let any = self.operations.is_any(one.operation);
            if one.operation != EVERYTHING && (any || many > MOST_OPERATIONS) {
                common.entry((before, *bit)).or_insert(one.hops);
            }
        }
        if common.is_empty() {
            return found;
        }
        let mut told: FxHashSet<(OperationId, u32)> = FxHashSet::default();
        let mut kept = Vec::with_capacity(found.len());
        for (bit, one) in found {
            let mut begun: Vec<OperationId> = self.operations.begin(one.operation).collect();
            begun.reverse();
            let known = |begun: &&OperationId| {
                let hops = common.get(&(**begun, bit));
                hops.is_some_and(|hops| one.hops >= *hops)
            };
            match begun.iter().find(known) {
                Some(common) if told.insert((*common, bit)) => {
                    let operation = *common;
                    kept.push((
                        bit,
                        Rc::new(AtSite {
                            operation,
                            mask: Box::default(),
                            ..*one
                        }),
                    ));
                }
                Some(_) => {}
                None => kept.push((bit, one)),
            }
        }
        kept
    }

    fn found(&mut self, chains: &mut Chains, told: &AtSite, bit: u32) -> Found {
        let AtSite { hops, depth, .. } = *told;
        let (chain, conditional) = self.chain(chains, told.state, hops, depth, bit);
        Found {
            operation: self.operations.text(told.operation),
            pointer_hops: hops,
            depth,
            conditional,
            chain,
        }
    }

    /// Back along the steps by which an entry arrived; of equals the first in the source. Gives
    /// whether one of them is conditional too.
    fn chain(
        &mut self,
        chains: &mut Chains,
        at: StateId,
        hops: u8,
        depth: u8,
        bit: u32,
    ) -> (Option<ChainId>, bool) {
        if depth == 0 {
            return (None, false);
        }
        if let Some(known) = self.chains.get(&((at, hops, depth), bit)) {
            return *known;
        }
        let steps = self.steps(at, hops, depth);
        let came = steps.iter().find(|(_, _, mask)| has(mask, bit));
        let Some((number, before, _)) = came else {
            return (None, false);
        };
        let edge = &self.graph.edges[*number as usize];
        let fewer = hops.saturating_sub(edge.hops);
        let (rest, conditional) = self.chain(chains, *before, fewer, depth - 1, bit);
        let chain = chains.longer(rest, step(self.program, edge));
        let found = (Some(chain), conditional || edge.conditional);
        self.chains.insert(((at, hops, depth), bit), found);
        found
    }

    /// The last steps of those chains to a state that have so many, in order.
    fn steps(&mut self, at: StateId, hops: u8, depth: u8) -> Rc<[LastStep]> {
        if let Some(known) = self.last.get(&(at, hops, depth)) {
            return known.clone();
        }
        let State {
            node, operation, ..
        } = self.states[at as usize];
        let mut found: Vec<LastStep> = Vec::new();
        let before = std::mem::take(&mut self.before[node as usize]);
        for (number, earlier, ways) in &before {
            let pointer = self.graph.edges[*number as usize].hops;
            let Some(fewer) = hops.checked_sub(pointer) else {
                continue;
            };
            for state in &self.nodes[*earlier as usize].states {
                let State {
                    operation: begun,
                    arrivals,
                    ..
                } = &self.states[*state as usize];
                let mut arrivals = arrivals.iter();
                let came = arrivals.find(|(hops, steps, _)| *hops == fewer && *steps == depth - 1);
                let Some((_, _, mask)) = came else {
                    continue;
                };
                let mut leads = |way: &Way| {
                    let Some(after) = self.operations.with(*begun, way) else {
                        return false;
                    };
                    let any = self.operations.is_any(operation);
                    after == operation || any && self.operations.covers(operation, after)
                };
                if ways.iter().any(&mut leads) {
                    found.push((*number, *state, mask.clone()));
                }
            }
        }
        self.before[node as usize] = before;
        found.sort_by_key(|(number, _, _)| self.graph.edges[*number as usize].order);
        let found: Rc<[LastStep]> = found.into();
        self.last.insert((at, hops, depth), found.clone());
        found
    }
}

/// Without those operations of an entry that lead to the site through many pointers while others
/// need few: over pointers nearly every file of /dev leads to nearly every check. Where all need
/// many and they are several, none of them is told.
fn without_distant(found: Vec<(u32, Rc<AtSite>)>) -> Vec<(u32, Rc<AtSite>)> {
    let mut of_entry: FxHashMap<u32, (u8, usize)> = FxHashMap::default();
    for (bit, one) in &found {
        let (fewest, number) = of_entry.entry(*bit).or_insert((u8::MAX, 0));
        *fewest = one.hops.min(*fewest);
        *number += 1;
    }
    let mut told: FxHashSet<u32> = FxHashSet::default();
    let mut kept = Vec::with_capacity(found.len());
    for (bit, one) in found {
        let (fewest, number) = of_entry[&bit];
        if one.hops > fewest.max(NEAR) {
            continue;
        }
        let is_vague = fewest > NEAR && number > MOST_DISTANT;
        if !is_vague {
            kept.push((bit, one));
        } else if one.hops == fewest && told.insert(bit) {
            let operation = EVERYTHING;
            let mask = Box::default();
            kept.push((
                bit,
                Rc::new(AtSite {
                    operation,
                    mask,
                    ..*one
                }),
            ));
        }
    }
    kept
}

/// Entries that come to a site by an operation, and how.
struct AtSite {
    hops: u8,
    depth: u8,
    order: usize,
    operation: OperationId,
    /// By an operation of a file that the kernel keeps for itself, which tells less than any other.
    by_kept_file: bool,
    state: StateId,
    mask: Mask,
}

/// A step as a chain has it.
pub fn step(program: &Program<'_>, edge: &Edge) -> Step {
    let caller = &program[edge.caller];
    Step {
        function: caller.name,
        path: caller.path,
        line: edge.line,
        via: edge.told_via(),
        hops: edge.hops,
    }
}

/// Which of some entries come to which sites by the steps of a graph.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub program: &'a Program<'a>,
    pub graph: &'a Graph,
    pub entries: &'a [Entry],
    pub sites: &'a [Site],
    pub open_files: &'a OpenFiles,
}

/// For each entry, the sites (by their number in `sites`, in order) that it comes to, with the
/// best chain for each operation: fewest pointer steps, then fewest steps, then the order of the
/// source. The best of all comes first.
pub type Reached = Vec<Vec<(u32, Found)>>;

/// With `constants`, only what no constant on the way switches off. What a multiplexer dispatches
/// is not entered from it: those are syscalls of their own. Where `known` has an answer for an
/// entry and a site, it is taken instead of the best chain.
pub fn reached(
    asked: &Question<'_>,
    bounds: &Bounds,
    constants: Option<&mut Constants<'_, '_, '_, '_>>,
    known: &Reached,
    chains: &mut Chains,
) -> Reached {
    let mut search = Search::new(asked, constants);
    search.run(asked.entries, bounds);
    let mut result: Reached = vec![Vec::new(); asked.entries.len()];
    for (number, site) in (0..).zip(asked.sites) {
        let arrivals = search.at_site(site);
        for (bit, told) in search.told(arrivals) {
            let answer = known
                .get(bit as usize)
                .and_then(|known| answer(known, number));
            let found = answer.unwrap_or_else(|| search.found(chains, &told, bit));
            result[bit as usize].push((number, found));
        }
    }
    result
}

/// The best chain to a site among those of an entry.
pub fn answer(known: &[(u32, Found)], site: u32) -> Option<Found> {
    let at = known.partition_point(|(number, _)| *number < site);
    let (number, found) = known.get(at)?;
    (*number == site).then_some(*found)
}

fn dispatched(entries: &[Entry]) -> FxHashMap<DefId, FxHashSet<DefId>> {
    let mut found: FxHashMap<DefId, FxHashSet<DefId>> = FxHashMap::default();
    for entry in entries {
        if let (Some(dispatcher), Some(definition)) = (entry.dispatcher, entry.definition) {
            found.entry(dispatcher).or_default().insert(definition);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_chains_have_one_number() {
        let step = |line| Step {
            function: Sym::new("sys_chown"),
            path: PathId(0),
            line,
            via: None,
            hops: 0,
        };
        let mut chains = Chains::default();
        let one = chains.longer(None, step(1));
        let two = chains.longer(Some(one), step(2));
        assert_eq!(chains.longer(Some(one), step(2)), two);
        assert_eq!(chains.steps(two), [step(1), step(2)]);
        let mut others = Chains::default();
        others.longer(None, step(3));
        assert_eq!(
            others.take_in(&chains)[1],
            others.longer(Some(ChainId(1)), step(2))
        );
    }

    #[test]
    fn bits_are_counted_over_words() {
        let mask = [1 << 63, 1];
        assert_eq!(bits(&mask).collect::<Vec<u32>>(), [63, 64]);
        assert!(has(&mask, 64) && !has(&mask, 62));
    }
}
