//! How syscalls come to checks: the best chains in the graph of steps between definitions.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::call_graph::{Bounds, Edge, EdgeId, Graph};
use crate::checks::Site;
use crate::constant_propagation::{Constants, Context, NOTHING_KNOWN, Situation};
use crate::intern::Sym;
use crate::names::{DefId, PathId, Program};
use crate::points_to::PointsTo;
use crate::syscalls::Entry;

/// What must be known of parameters to decide the guards of sites and steps.
pub fn constants<'s, 'v, 'p, 'f>(
    pointers: &'s PointsTo<'v, 'p, 'f>,
    graph: &Graph,
    sites: &[Site],
) -> Constants<'s, 'v, 'p, 'f> {
    let mut found = Constants::new(pointers);
    let of_edges = graph.edges.iter().filter_map(|edge| edge.call.as_ref());
    let of_sites = sites.iter().map(|site| &site.guards);
    found.find_macros(of_sites.chain(of_edges.map(|call| &call.guards)));
    for site in sites {
        found.want(site.definition, site.guards);
    }
    for edge in &graph.edges {
        if let Some(call) = &edge.call {
            found.want(edge.caller, call.guards);
        }
    }
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

/// One step of a chain: in `function` (defined in `path`), at `line`, the code goes on to the next
/// step, or, in the last step, makes the check; `via` names a step through a pointer as
/// `proto_ops.bind`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Step {
    pub function: Sym,
    pub path: PathId,
    pub line: u32,
    pub via: Option<Sym>,
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
/// all), how many steps it has and how many of them go through pointers, and whether one of them
/// is conditional.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    pub pointer_hops: u8,
    pub depth: u8,
    pub conditional: bool,
    pub chain: Option<ChainId>,
}

/// Entries, each a bit.
type Mask = Box<[u64]>;
type NodeId = u32;

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

/// A definition with what is known of its parameters, and the entries that came to it: those that
/// came first with so many pointer steps and steps stand together.
struct Node {
    definition: DefId,
    situation: Option<Situation>,
    arrived: Mask,
    arrivals: Vec<(u8, u8, Mask)>,
}

/// What is to be done: the entries that come to nodes with so many steps, in order.
#[derive(Default)]
struct Level {
    at: FxHashMap<NodeId, usize>,
    waiting: Vec<(NodeId, Mask)>,
}

impl Level {
    fn add(&mut self, node: NodeId, mask: &[u64]) {
        let next = self.waiting.len();
        let at = *self.at.entry(node).or_insert(next);
        match self.waiting.get_mut(at) {
            Some((_, known)) => or(known, mask),
            None => self.waiting.push((node, mask.into())),
        }
    }
}

/// The nodes to which steps lead: of those by name, and of those through pointers.
type Following = Rc<[Vec<NodeId>; 2]>;
/// A node, and how many pointer steps and steps lead there.
type Arrival = (NodeId, u8, u8);
/// A last step, the node before it and the entries that came by it.
type LastStep = (EdgeId, NodeId, Mask);

/// Breadth first from all entries together. With `constants`, steps whose guards are known to fail
/// are not taken, and a function is a node of its own for each set of constants that it is called
/// with.
struct Search<'g, 'c, 's, 'v, 'p, 'f> {
    program: &'g Program<'g>,
    graph: &'g Graph,
    constants: Option<&'c mut Constants<'s, 'v, 'p, 'f>>,
    barred: FxHashMap<DefId, FxHashSet<DefId>>,
    nothing_handed: Rc<[Context]>,
    words: usize,
    nodes: Vec<Node>,
    of: FxHashMap<DefId, Vec<(Context, NodeId)>>,
    following: Vec<Option<Following>>,
    before: Vec<Vec<(EdgeId, NodeId)>>,
    /// Of the steps to a node those by which entries came in so many, and the chains.
    last: FxHashMap<Arrival, Rc<[LastStep]>>,
    chains: FxHashMap<(Arrival, u32), (Option<ChainId>, bool)>,
}

// So many different sets of constants for one function; from there on nothing is assumed.
const MOST_CONTEXTS: usize = 64;

impl<'g, 'c, 's, 'v, 'p, 'f> Search<'g, 'c, 's, 'v, 'p, 'f> {
    fn new(asked: &Question<'g>, constants: Option<&'c mut Constants<'s, 'v, 'p, 'f>>) -> Self {
        let entries = asked.entries;
        Search {
            program: asked.program,
            graph: asked.graph,
            constants,
            barred: dispatched(entries),
            nothing_handed: Rc::from([NOTHING_KNOWN]),
            words: entries.len().div_ceil(64),
            nodes: Vec::new(),
            of: FxHashMap::default(),
            following: Vec::new(),
            before: Vec::new(),
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
                let start = self.node(definition, NOTHING_KNOWN);
                let mut mask = vec![0; self.words];
                mask[bit / 64] |= 1 << (bit % 64);
                waiting[0].add(start, &mask);
            }
        }
        for (hops, most) in (0..).zip(bounds) {
            let mut later = empty();
            for depth in 0..=*most {
                let level = std::mem::take(&mut waiting[usize::from(depth)]);
                for (at, mask) in level.waiting {
                    let node = &mut self.nodes[at as usize];
                    let fresh = without(&mask, &node.arrived);
                    if fresh.iter().all(|word| *word == 0) {
                        continue;
                    }
                    or(&mut node.arrived, &fresh);
                    if depth < *most {
                        let following = self.follow(at);
                        let next = usize::from(depth) + 1;
                        for one in &following[0] {
                            waiting[next].add(*one, &fresh);
                        }
                        for one in &following[1] {
                            later[next].add(*one, &fresh);
                        }
                    }
                    self.nodes[at as usize].arrivals.push((hops, depth, fresh));
                }
            }
            waiting = later;
        }
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
            arrived: vec![0; self.words].into(),
            arrivals: Vec::new(),
        });
        self.following.push(None);
        self.before.push(Vec::new());
        node
    }

    fn follow(&mut self, at: NodeId) -> Following {
        if let Some(known) = &self.following[at as usize] {
            return known.clone();
        }
        let definition = self.nodes[at as usize].definition;
        let graph = self.graph;
        let mut found = [Vec::new(), Vec::new()];
        let mut seen = [FxHashSet::default(), FxHashSet::default()];
        for number in graph.from(definition) {
            let edge = &graph.edges[*number as usize];
            let barred = self.barred.get(&definition);
            if barred.is_some_and(|barred| barred.contains(&edge.callee)) {
                continue;
            }
            let Some(contexts) = self.handed(at, edge) else {
                continue;
            };
            let kind = usize::from(edge.via.is_some());
            let mut reached: Vec<NodeId> = Vec::with_capacity(contexts.len());
            for context in contexts.iter() {
                let node = self.node(edge.callee, *context);
                if !reached.contains(&node) {
                    reached.push(node);
                }
            }
            for node in reached {
                if seen[kind].insert(node) {
                    found[kind].push(node);
                }
                self.before[node as usize].push((*number, at));
            }
        }
        let found = Rc::new(found);
        self.following[at as usize] = Some(found.clone());
        found
    }

    /// The contexts in which a step's callee is called; None where its guards fail.
    fn handed(&mut self, at: NodeId, edge: &Edge) -> Option<Rc<[Context]>> {
        let situation = self.nodes[at as usize].situation.as_mut();
        match (situation, self.constants.as_deref_mut(), &edge.call) {
            (Some(situation), Some(constants), Some(call)) => {
                let possible = situation.possible(constants, call.guards);
                possible.then(|| situation.handed(constants, call, edge.callee))
            }
            _ => Some(self.nothing_handed.clone()),
        }
    }

    /// The nodes of a definition, as they were found, in which a site's guards do not fail.
    fn asking(&mut self, site: &Site) -> Vec<(usize, NodeId)> {
        let nodes = self.of.get(&site.definition).cloned().unwrap_or_default();
        let mut found = Vec::new();
        for (order, (_, node)) in nodes.into_iter().enumerate() {
            let situation = self.nodes[node as usize].situation.as_mut();
            let possible = match (situation, self.constants.as_deref_mut()) {
                (Some(situation), Some(constants)) => situation.possible(constants, site.guards),
                _ => true,
            };
            if possible {
                found.push((order, node));
            }
        }
        found
    }

    /// Back along the steps by which an entry arrived; of equals the first in the source. Gives
    /// whether one of them is conditional too.
    fn chain(
        &mut self,
        chains: &mut Chains,
        at: NodeId,
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
        let fewer = hops.saturating_sub(u8::from(edge.via.is_some()));
        let (rest, conditional) = self.chain(chains, *before, fewer, depth - 1, bit);
        let chain = chains.longer(rest, step(self.program, edge));
        let found = (Some(chain), conditional || edge.conditional);
        self.chains.insert(((at, hops, depth), bit), found);
        found
    }

    /// The last steps of those chains to a node that have so many, in order.
    fn steps(&mut self, at: NodeId, hops: u8, depth: u8) -> Rc<[LastStep]> {
        if let Some(known) = self.last.get(&(at, hops, depth)) {
            return known.clone();
        }
        let mut found: Vec<LastStep> = Vec::new();
        for (number, before) in &self.before[at as usize] {
            let pointer = u8::from(self.graph.edges[*number as usize].via.is_some());
            let arrivals = &self.nodes[*before as usize].arrivals;
            let came = hops.checked_sub(pointer).and_then(|fewer| {
                let mut arrivals = arrivals.iter();
                arrivals.find(|(hops, steps, _)| *hops == fewer && *steps == depth - 1)
            });
            if let Some((_, _, mask)) = came {
                found.push((*number, *before, mask.clone()));
            }
        }
        found.sort_by_key(|(number, _, _)| self.graph.edges[*number as usize].order);
        let found: Rc<[LastStep]> = found.into();
        self.last.insert((at, hops, depth), found.clone());
        found
    }
}

fn step(program: &Program<'_>, edge: &Edge) -> Step {
    let caller = &program[edge.caller];
    Step {
        function: caller.name,
        path: caller.path,
        line: edge.line,
        via: edge.via,
    }
}

/// Which of some entries come to which sites by the steps of a graph.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub program: &'a Program<'a>,
    pub graph: &'a Graph,
    pub entries: &'a [Entry],
    pub sites: &'a [Site],
}

/// For each entry, the sites (by their number in `sites`, in order) that it comes to, with the
/// best chain: fewest pointer steps, then fewest steps, then the order of the source.
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
        let mut arrivals: Vec<(u8, u8, usize, Mask, NodeId)> = Vec::new();
        for (order, node) in search.asking(site) {
            let all = search.nodes[node as usize].arrivals.iter();
            arrivals
                .extend(all.map(|(hops, depth, mask)| (*hops, *depth, order, mask.clone(), node)));
        }
        arrivals.sort_by_key(|(hops, depth, order, _, _)| (*hops, *depth, *order));
        let mut seen = vec![0; search.words];
        for (hops, depth, _, mask, node) in arrivals {
            let fresh = without(&mask, &seen);
            or(&mut seen, &mask);
            for bit in bits(&fresh) {
                let answer = known
                    .get(bit as usize)
                    .and_then(|known| answer(known, number));
                let found = answer.unwrap_or_else(|| {
                    let (chain, conditional) = search.chain(chains, node, hops, depth, bit);
                    Found {
                        pointer_hops: hops,
                        depth,
                        conditional,
                        chain,
                    }
                });
                result[bit as usize].push((number, found));
            }
        }
    }
    result
}

/// The chain to a site among those of an entry.
pub fn answer(known: &[(u32, Found)], site: u32) -> Option<Found> {
    let at = known
        .binary_search_by_key(&site, |(number, _)| *number)
        .ok()?;
    Some(known[at].1)
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
