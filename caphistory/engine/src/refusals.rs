//! What comes of a missing privilege: what the check gives is carried up the chain to the syscall,
//! with whose privilege it is, in which user namespace, and what would do as well.

mod fallbacks;
mod gates;
mod places;

use std::rc::Rc;

use fallbacks::only_limits;
use gates::{Asking, Gate};
use places::{Places, subject};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::alternatives::{LIMIT, OWNER, UID0};
use crate::call_graph::{Edge, EdgeId, Graph};
use crate::chains::{Chains, Found, Step, step};
use crate::checks::{Asked, CheckSite, Checks, Meaning, Site};
use crate::effects::{Effect, Given, Outcome};
use crate::facts::Call;
use crate::intern::{Expr, ExprList, Sym, SymList};
use crate::meaning::{Namespace, Subject};
use crate::names::{DefId, Fact, View};
use crate::outcomes::EXHAUSTED;

/// Wrappers within each other.
const DEEPEST: u32 = 6;
/// Ways from a check that are tried for one on which its error is not lost.
const MOST_WAYS: usize = 1_000;

/// A definition from which a check is come to, and what its result does there; the one that it calls
/// on the way, by which step, and how many steps there are from it.
type Back = (DefId, Outcome, Option<usize>, EdgeId, u8);

/// What a missing privilege does to a syscall; fields as in `meaning::Meaning`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub effect: Effect,
    pub errno: Option<Sym>,
    pub instead: SymList,
    pub subject: Subject,
    pub namespace: Option<Namespace>,
}

/// What can be told of a site before any chain to it.
#[derive(Clone, Debug)]
struct AtSite {
    outcome: Outcome,
    instead: Vec<Sym>,
    places: Places,
}

/// Works out refusals in one release.
pub struct Refusals<'a, 'v, 'p, 'f> {
    view: &'v View<'p, 'f>,
    checks: &'a Checks<'v, 'p, 'f>,
    graph: &'a Graph,
    namespaces: bool,
    failing: FxHashMap<DefId, Outcome>,
    sites: FxHashMap<(DefId, CheckSite), AtSite>,
    steps: FxHashMap<(DefId, Step), Option<EdgeId>>,
    gates: FxHashMap<DefId, Rc<[Gate]>>,
    own_gates: FxHashMap<DefId, Rc<[Gate]>>,
}

impl<'a, 'v, 'p, 'f> Refusals<'a, 'v, 'p, 'f> {
    pub fn new(view: &'v View<'p, 'f>, checks: &'a Checks<'v, 'p, 'f>, graph: &'a Graph) -> Self {
        Refusals {
            view,
            checks,
            graph,
            namespaces: view.program.by_name.contains(Sym::new("ns_capable")),
            failing: FxHashMap::default(),
            sites: FxHashMap::default(),
            steps: FxHashMap::default(),
            gates: FxHashMap::default(),
            own_gates: FxHashMap::default(),
        }
    }

    /// What comes of a site on a chain to the definition that holds it (no chain for no steps).
    pub fn find(&mut self, site: &Site, found: &Found, chains: &Chains) -> Refusal {
        self.carry_up(site, found, chains).0
    }

    /// The same, with the error that the refusal begins with (empty for none).
    fn carry_up(&mut self, site: &Site, found: &Found, chains: &Chains) -> (Refusal, Sym) {
        let AtSite {
            mut outcome,
            mut instead,
            mut places,
        } = self.at_site(site);
        let mut definition = site.definition;
        let mut rest = found.chain;
        let privilege = privilege(&asked(&site.check));
        let mut first = outcome.errno();
        let mut line = site.check.line;
        loop {
            let asking = Asking {
                privilege,
                places,
                operation: found.operation,
            };
            if let Some(gate) = self.gate(definition, line, asking) {
                outcome = gate.outcome;
                first = outcome.errno();
                places = gate.places;
                instead.clear();
            }
            let Some(at) = rest else {
                break;
            };
            let (before, step) = chains.last(at);
            rest = before;
            let Some(edge) = self.edge(definition, step) else {
                break;
            };
            if let Some(call) = &edge.call {
                if outcome == Outcome::Zero {
                    instead.extend(self.privileges(call.instead, edge.caller, 0));
                }
                let before = outcome;
                outcome = self.carried(call, edge.caller, definition, outcome);
                first = first_of(first, outcome);
                places.whose = self.handed(places.whose, definition, call);
                places.namespace = self.handed(places.namespace, definition, call);
                if !call.creds.is_empty() && subject(places.whose) == Subject::Caller {
                    places.whose = call.creds;
                }
                if !only_limits(before)
                    && only_limits(outcome)
                    && let Some(denied) = self.denied_on_way(&edge, privilege, places)
                {
                    outcome = denied.outcome;
                    first = outcome.errno();
                    places = denied.places;
                    instead = denied.instead;
                }
            }
            definition = edge.caller;
            line = edge.line;
        }
        let (effect, errno) = match effect(outcome, first) {
            (Effect::Deny, errno) if instead.contains(&Sym::new(LIMIT)) => (Effect::Limit, errno),
            other => other,
        };
        let refusal = Refusal {
            effect,
            errno,
            instead: sorted(instead, site),
            subject: subject(places.whose),
            namespace: self.namespace(site, places.namespace),
        };
        (refusal, first)
    }

    /// A chain from an entry function on which a refusal with an error comes to the syscall, where
    /// it is lost on the best one: kill(-1) does not tell of the processes that it may not signal,
    /// kill(pid) does. Of calls by name only, not much longer, and only one whose steps are
    /// `open`: truncate() asks for MAY_WRITE, and what lacks MAY_READ is not refused there (6.8).
    pub fn clearer(
        &mut self,
        site: &Site,
        entry: DefId,
        found: &Found,
        chains: &mut Chains,
        open: &mut dyn FnMut(&[&Edge]) -> bool,
    ) -> Option<Found> {
        if found.pointer_hops > 0 {
            return None;
        }
        let refused = self.at_site(site).outcome;
        let (known, first) = self.carry_up(site, found, chains);
        let wanted = effect(Outcome::Error(first), first);
        if first.is_empty() || (known.effect, known.errno) == wanted {
            return None;
        }
        let most = found.depth + 2;
        let reached = self.called_from(entry, most);
        let graph = self.graph;
        let mut ways: Vec<Back> = vec![(site.definition, refused, None, 0, 0)];
        let mut seen: FxHashSet<(DefId, Outcome)> = FxHashSet::default();
        let mut at = 0;
        while let Some(&(definition, outcome, _, _, depth)) = ways.get(at) {
            if definition == entry && effect(outcome, first) == wanted {
                let steps = self.steps(&ways, at);
                if open(&steps) {
                    return Some(self.chain(&steps, chains));
                }
            }
            let range = if depth < most {
                graph.numbers_to(definition)
            } else {
                0..0
            };
            for number in range {
                let edge = &graph.edges[number as usize];
                if edge.via.is_some() || !reached.contains(&edge.caller) {
                    continue;
                }
                let carried = edge.call.as_ref().map_or(outcome, |call| {
                    self.carried(call, edge.caller, definition, outcome)
                });
                // There may be several ways to the entry function, not all of them open.
                let fresh = edge.caller == entry || seen.insert((edge.caller, carried));
                if fresh && ways.len() < MOST_WAYS {
                    ways.push((edge.caller, carried, Some(at), number, depth + 1));
                }
            }
            at += 1;
        }
        None
    }

    /// The steps from an entry function, in order.
    fn steps(&self, ways: &[Back], end: usize) -> Vec<&'a Edge> {
        let graph = self.graph;
        let mut found = Vec::new();
        let mut at = end;
        while let Some(before) = ways[at].2 {
            found.push(&graph.edges[ways[at].3 as usize]);
            at = before;
        }
        found
    }

    fn chain(&self, steps: &[&Edge], chains: &mut Chains) -> Found {
        let longer =
            |chain, edge: &&Edge| Some(chains.longer(chain, step(self.view.program, edge)));
        Found {
            operation: Sym::default(),
            pointer_hops: 0,
            depth: steps.len() as u8,
            conditional: steps.iter().any(|edge| edge.conditional),
            chain: steps.iter().fold(None, longer),
        }
    }

    /// What an entry function comes to by calls by name, in so many steps.
    fn called_from(&self, entry: DefId, most: u8) -> FxHashSet<DefId> {
        let mut found = FxHashSet::from_iter([entry]);
        let mut level = vec![entry];
        for _ in 0..most {
            let mut next = Vec::new();
            for caller in level {
                for number in self.graph.from(caller) {
                    let edge = &self.graph.edges[*number as usize];
                    if edge.via.is_none() && found.insert(edge.callee) {
                        next.push(edge.callee);
                    }
                }
            }
            level = next;
        }
        found
    }

    /// The step by which a chain comes to a definition.
    fn edge(&mut self, callee: DefId, step: Step) -> Option<Edge> {
        let graph = self.graph;
        let program = self.view.program;
        let found = self.steps.entry((callee, step)).or_insert_with(|| {
            let same = |edge: &Edge| {
                let caller = &program[edge.caller];
                edge.line == step.line
                    && edge.told_via() == step.via
                    && caller.name == step.function
                    && caller.path == step.path
            };
            graph
                .numbers_to(callee)
                .find(|number| same(&graph.edges[*number as usize]))
        });
        found.map(|number| graph.edges[number as usize])
    }

    // What the check gives.

    fn at_site(&mut self, site: &Site) -> AtSite {
        let key = (site.definition, site.check);
        if let Some(known) = self.sites.get(&key) {
            return known.clone();
        }
        let found = match &site.asked {
            Asked::Uid(outcome, instead) => AtSite {
                outcome: self.settled(*outcome, Outcome::Zero, site.definition),
                instead: self.privileges(*instead, site.definition, 0),
                places: Places::default(),
            },
            Asked::Call(call) => {
                let given = self.given(call, site.definition, 0);
                let mut instead = self.privileges(call.instead, site.definition, 0);
                instead.extend(self.within(call, site.definition, &asked(&site.check), 0));
                AtSite {
                    outcome: self.settled(carry(call, given), given, site.definition),
                    instead,
                    places: self.places(call, site.definition, &asked(&site.check), 0),
                }
            }
        };
        let found = self.denied_beside(site, &found).unwrap_or(found);
        self.sites.insert(key, found.clone());
        found
    }

    /// What a call of a check gives where the privilege is missing.
    fn given(&mut self, call: &Call, caller: DefId, depth: u32) -> Outcome {
        if self.checks.is_seed(call.target) {
            return seed(call.target);
        }
        let targets = self
            .view
            .resolve(call.target, self.view.program[caller].path);
        let target = targets.iter().find(|one| self.checks.is_check(**one));
        target.map_or(Outcome::Zero, |one| self.failing(*one, depth + 1))
    }

    /// What a check or wrapper returns where the privilege is missing: read from its body.
    fn failing(&mut self, check: DefId, depth: u32) -> Outcome {
        if let Some(known) = self.failing.get(&check) {
            return *known;
        }
        let fact = self.view.program[check].fact;
        let mut found = Outcome::Zero;
        if depth < DEEPEST {
            let of_uids = match fact {
                Fact::Function(function) => &function.uid_tests,
                Fact::Macro(macro_) => &macro_.uid_tests,
            };
            let mut all: Vec<Outcome> = of_uids.iter().map(|test| test.outcome).collect();
            for call in fact.calls() {
                if !self.checks.meanings(call, check).is_empty() {
                    let given = self.given(call, check, depth);
                    all.push(self.settled(carry(call, given), given, check));
                }
            }
            if let Fact::Macro(macro_) = fact
                && all.is_empty()
                && !macro_.alias.is_empty()
            {
                let renamed = Call {
                    target: macro_.alias,
                    ..Call::default()
                };
                all.push(self.given(&renamed, check, depth));
            }
            let told = |one: &&Outcome| given_by(**one).is_some();
            found = all.iter().find(told).copied().unwrap_or(Outcome::Zero);
        }
        self.failing.insert(check, found);
        found
    }

    /// What a caller does about what a step's callee gives.
    fn carried(&self, call: &Call, caller: DefId, callee: DefId, outcome: Outcome) -> Outcome {
        let outcome = self.chosen(outcome, callee, call);
        let carried = self.settled(carry(call, outcome), outcome, caller);
        // "#define CHECK if (!suser()) return -EPERM": the macro returns from its user.
        let is_macro = self.view.program[callee].fact.macro_().is_some();
        match (outcome, carried) {
            (Outcome::Error(_), Outcome::GoesOn) if is_macro => outcome,
            _ => carried,
        }
    }

    // What would do as well.

    /// The privileges that alternatives stand for.
    fn privileges(&self, instead: ExprList, definition: DefId, depth: u32) -> Vec<Sym> {
        let mut found = Vec::new();
        for one in instead.get() {
            match one.as_tuple() {
                None => found.extend(one.as_sym()),
                Some((name, arguments)) => {
                    let arguments: Vec<Sym> =
                        arguments.iter().filter_map(|one| one.as_sym()).collect();
                    let call = Call {
                        target: Sym::new(name),
                        arguments: SymList::new(&arguments),
                        ..Call::default()
                    };
                    found.extend(self.of_test(&call, definition, depth));
                }
            }
        }
        found
    }

    /// The privileges any one of which makes a test true.
    fn of_test(&self, call: &Call, definition: DefId, depth: u32) -> Vec<Sym> {
        let meanings = self.checks.meanings(call, definition);
        let all: Vec<Sym> = meanings.iter().filter_map(privilege).collect();
        if let [_] = all[..] {
            return all;
        }
        if depth > DEEPEST {
            return Vec::new();
        }
        if !meanings.is_empty() {
            // A wrapper of several checks: each that does instead of all others.
            let any = |one: &Sym| {
                let meaning = meanings.iter().find(|each| privilege(each) == Some(*one));
                let other = meaning.map_or_else(Vec::new, |meaning| {
                    self.within(call, definition, meaning, depth + 1)
                });
                all.iter().all(|each| each == one || other.contains(each))
            };
            return all.iter().copied().filter(any).collect();
        }
        // A helper that is true for who has the privilege.
        let targets = self
            .view
            .resolve(call.target, self.view.program[definition].path);
        let mut found = Vec::new();
        for target in targets.iter() {
            for inner in self.view.program[*target].fact.calls() {
                let grants = inner.outcome(Given::False) == Outcome::Zero
                    && inner.outcome(Given::True) == Outcome::One;
                let passes = inner.outcome(Given::False) == Outcome::Same;
                if grants || passes {
                    let meanings = self.checks.meanings(inner, *target);
                    if let [only] = &meanings[..] {
                        found.extend(privilege(only));
                        let owner = inner.instead.iter().any(|one| *one == Expr::text(OWNER));
                        found.extend(owner.then(|| Sym::new(OWNER)));
                    }
                }
            }
        }
        found
    }

    /// What does as well as a check within the wrappers that a call of it goes through.
    fn within(&self, call: &Call, caller: DefId, meaning: &Meaning, depth: u32) -> Vec<Sym> {
        let mut found = Vec::new();
        if depth > DEEPEST || self.checks.is_seed(call.target) {
            return found;
        }
        let targets = self
            .view
            .resolve(call.target, self.view.program[caller].path);
        for target in targets.iter().filter(|one| self.checks.is_check(**one)) {
            for inner in self.view.program[*target].fact.calls() {
                let meanings = self.checks.meanings(inner, *target);
                if meanings.iter().any(|one| is_part(one, meaning)) {
                    found.extend(self.privileges(inner.instead, *target, depth + 1));
                    found.extend(self.within(inner, *target, meaning, depth + 1));
                }
            }
        }
        found
    }
}

/// What a check by its nature gives where the privilege is missing.
fn seed(name: Sym) -> Outcome {
    match name.text() {
        "security_capable" => Outcome::Error(Sym::new("EPERM")),
        _ => Outcome::Zero,
    }
}

fn given_by(outcome: Outcome) -> Option<Given> {
    match outcome {
        Outcome::Zero => Some(Given::False),
        Outcome::One => Some(Given::True),
        Outcome::Error(_) | Outcome::Either(_) | Outcome::Limited(_) => Some(Given::Error),
        Outcome::Left(_) => Some(Given::Left),
        _ => None,
    }
}

/// What a function does about what a call in it gives.
fn carry(call: &Call, given: Outcome) -> Outcome {
    let Some(what) = given_by(given) else {
        let all = Given::ALL.map(|one| call.outcome(one));
        let one_for_all = all.iter().all(|one| *one == all[0]) && all[0] != Outcome::Same;
        return match given {
            Outcome::Unknown if one_for_all => all[0],
            _ => given,
        };
    };
    match (call.outcome(what), given) {
        (Outcome::Same, given) => given,
        (Outcome::Turned(parts), given) => match (given, parts.get()) {
            (Outcome::Error(errno), &[from, to]) if errno == from => Outcome::Error(to),
            _ => given,
        },
        (Outcome::Reason, given) => Outcome::Error(given.errno()),
        (Outcome::Left(errno), given) if errno.is_empty() => Outcome::Left(given.errno()),
        (Outcome::Reply(errno), given) if errno.is_empty() => Outcome::Reply(given.errno()),
        (Outcome::Error(errno), Outcome::Limited(_)) => Outcome::Limited(errno),
        (other, _) => other,
    }
}

/// The error with which a chain began to refuse, given that of the steps before.
fn first_of(first: Sym, outcome: Outcome) -> Sym {
    if first.is_empty() {
        outcome.errno()
    } else {
        first
    }
}

/// What an outcome of an entry function is to who calls the syscall; `first` is the error that the
/// refusal began with: sctp_sendmsg of 2.4 turns EACCES into EAGAIN.
fn effect(outcome: Outcome, first: Sym) -> (Effect, Option<Sym>) {
    let errno = outcome.errno();
    let errno = match outcome {
        // What a syscall returns as -1 is EPERM to its caller, by number.
        Outcome::Error(name) if name.is_empty() => Some(Sym::new("EPERM")),
        _ => (!errno.is_empty()).then_some(errno),
    };
    match outcome {
        Outcome::Error(_) if EXHAUSTED.contains(&first_of(first, outcome).text()) => {
            (Effect::Limit, errno)
        }
        Outcome::Limited(_) => (Effect::Limit, errno),
        Outcome::Error(_) | Outcome::Either(_) | Outcome::Reply(_) => (Effect::Deny, errno),
        Outcome::Unknown | Outcome::Same | Outcome::Turned(_) | Outcome::Reason => {
            (Effect::Unknown, None)
        }
        Outcome::Left(_) | Outcome::GoesOn | Outcome::Of(_) | Outcome::Zero | Outcome::One => {
            (Effect::Limit, None)
        }
    }
}

/// What a site asks.
fn asked(check: &CheckSite) -> Meaning {
    Meaning {
        check_name: check.check_name,
        capability: check.capability,
        argument: check.argument,
    }
}

/// Whether what a wrapper's body asks is part of what a call of it does: the same, or what it is
/// handed.
fn is_part(inner: &Meaning, outer: &Meaning) -> bool {
    inner.argument.is_some() || outer.argument.is_some() || inner.capability == outer.capability
}

/// What a user calls the privilege; None where it is not told.
fn privilege(meaning: &Meaning) -> Option<Sym> {
    match (meaning.capability, meaning.argument) {
        (Some(capability), _) => Some(capability),
        (None, None) => Some(meaning.check_name),
        (None, Some(_)) => None,
    }
}

fn sorted(mut instead: Vec<Sym>, site: &Site) -> SymList {
    let own = site.check.capability.unwrap_or(site.check.check_name);
    instead.retain(|one| {
        *one != own && one.text() != LIMIT && (one.text() != UID0 || own.text() != "suser")
    });
    instead.sort_by_key(|one| one.text());
    instead.dedup();
    SymList::new(&instead)
}
