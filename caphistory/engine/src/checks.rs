//! Which functions are checks in a release, and where they are asked.
//!
//! A few seeds are checks by their nature. A function that passes its own parameter on as the
//! capability of a check is *plumbing*: a check itself, whose callers are the sites. Not so one that
//! asks for a capability of its own choice besides (map_write of user namespaces), nor what only such
//! a function calls (new_idmap_permitted): it does the work, so what it is handed is asked in its
//! own body, by the way that hands it over. A function or
//! macro that does nothing but pass fixed checks on is a *fixed* wrapper, and a call of it is a
//! site for each of them.

use std::collections::VecDeque;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::effects::{Effect, Given, Outcome};
use crate::facts::{Call, UidTest};
use crate::intern::{Expr, ExprList, Sym, SymList};
use crate::names::{DefId, Definition, Fact, PathId, View};

/// The position of the capability among the arguments; None for a check without one. suser and
/// fsuser: 0.95 to 2.4; capable and cap_raised: from 2.1.91; security_capable: from 2.6.31, where
/// the primitive moved behind the security modules.
const SEEDS: [(&str, Option<usize>); 6] = [
    ("suser", None),
    ("fsuser", None),
    ("capable", Some(0)),
    ("cap_raised", Some(1)),
    ("ns_capable", Some(1)),
    ("security_capable", Some(2)),
];
const UID0: &str = "uid0";
/// Plumbing within each other.
const DEEPEST: u32 = 8;

/// What one call of a check asks: the check's name, and the capability or, where it is not a
/// constant, the argument's text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Meaning {
    pub check_name: Sym,
    pub capability: Option<Sym>,
    pub argument: Option<Sym>,
}

/// One check at one line of one file. `of_macro` says that it stands in a macro; `condition` is
/// the enclosing preprocessor condition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CheckSite {
    pub path: PathId,
    pub line: u32,
    pub function: Option<Sym>,
    pub check_name: Sym,
    pub capability: Option<Sym>,
    pub argument: Option<Sym>,
    pub of_macro: bool,
    pub effect: Effect,
    pub errno: Option<Sym>,
    pub condition: Option<Sym>,
}

/// A check site with the definition that holds it, how it is asked there, whether it is conditional, and the conditions
/// on that definition's parameters under which it is asked.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Site {
    pub definition: DefId,
    pub check: CheckSite,
    pub asked: Asked,
    pub conditional: bool,
    pub guards: ExprList,
}

/// A function or macro that only passes a check on: a fixed one (one for each capability), or
/// plumbing, with the number of the parameter that is the capability.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Wrapper {
    pub name: Sym,
    pub check_name: Sym,
    pub capability: Option<Sym>,
    pub parameter: Option<usize>,
    pub path: PathId,
    pub line: u32,
}

impl Wrapper {
    pub fn kind(&self) -> &'static str {
        if self.parameter.is_some() {
            "plumbing"
        } else {
            "fixed"
        }
    }
}

/// The checks of a release: which names ask, and what for.
pub struct Checks<'v, 'p, 'f> {
    view: &'v View<'p, 'f>,
    seeds: FxHashSet<Sym>,
    positions: FxHashMap<Sym, Option<usize>>,
    plumbing: FxHashMap<DefId, usize>,
    /// Those that are handed a capability and do work besides: its parameter, and what it may be.
    workers: FxHashMap<DefId, (Sym, Vec<Sym>)>,
    fixed: FxHashMap<DefId, Vec<Meaning>>,
    fixed_names: FxHashSet<Sym>,
}

impl<'v, 'p, 'f> Checks<'v, 'p, 'f> {
    /// `entries` are the entry functions of system calls.
    pub fn find(view: &'v View<'p, 'f>, entries: &FxHashSet<DefId>) -> Self {
        let seeds: Vec<Sym> = SEEDS.iter().map(|(name, _)| Sym::new(name)).collect();
        let mut found = Checks {
            view,
            seeds: seeds.iter().copied().collect(),
            positions: FxHashMap::default(),
            plumbing: FxHashMap::default(),
            workers: FxHashMap::default(),
            fixed: FxHashMap::default(),
            fixed_names: FxHashSet::default(),
        };
        for (name, (_, position)) in seeds.iter().zip(SEEDS) {
            found.positions.insert(*name, found.seed(*name, position));
        }
        found.find_plumbing(seeds);
        found.drop_mere_requests(entries);
        found.tell_workers_from_plumbing();
        found.find_fixed();
        found
    }

    /// Where a seed takes the capability: where its definition has a parameter `cap`
    /// (security_capable had it first, second or third, from 2.6.29 to 3.0).
    fn seed(&self, name: Sym, usual: Option<usize>) -> Option<usize> {
        let program = self.view.program;
        let definitions = program.by_name.get(name).iter();
        definitions
            .filter_map(|one| position(&program[*one], "cap"))
            .next()
            .or(usual)
    }

    /// Whether a definition is a check itself or a wrapper: what it asks is asked on behalf of its
    /// callers.
    pub fn is_check(&self, definition: DefId) -> bool {
        self.seeds.contains(&self.view.program[definition].name)
            || self.plumbing.contains_key(&definition)
            || self.fixed.contains_key(&definition)
    }

    /// All that do nothing but check.
    pub fn definitions(&self) -> FxHashSet<DefId> {
        let by_name = &self.view.program.by_name;
        let mut found: FxHashSet<DefId> = self.plumbing.keys().copied().collect();
        found.extend(self.fixed.keys());
        found.extend(self.seeds.iter().flat_map(|name| by_name.get(*name)));
        found
    }

    /// Whether a name is that of a check by its nature.
    pub fn is_seed(&self, name: Sym) -> bool {
        self.seeds.contains(&name)
    }

    /// Whether plumbing asks for a capability of its own choice too.
    fn asks_itself(&self, definition: DefId) -> bool {
        let calls = self.view.program[definition].fact.calls().iter();
        let mut meanings = calls.flat_map(|call| self.meanings(call, definition));
        meanings.any(|meaning| meaning.capability.is_some())
    }

    /// What a call asks that stands in a definition, and on no other's behalf, each with the condition
    /// under which it does.
    fn asked(&self, call: &Call, caller: DefId) -> Vec<(Meaning, Option<Expr>)> {
        let mut meanings = self.meanings(call, caller);
        if self.is_check(caller) {
            meanings.retain(|meaning| {
                meaning.capability.is_some() && self.plumbing.contains_key(&caller)
            });
        }
        // "map_write(…, -1, …)": no number of a capability asks for none.
        let is_none = |argument: Sym| argument.text().starts_with('-');
        meanings.retain(|meaning| !meaning.argument.is_some_and(is_none));
        let worker = self.workers.get(&caller);
        let asked = meanings.into_iter().flat_map(|meaning| match worker {
            Some((parameter, all)) if meaning.argument == Some(*parameter) => {
                let handed = |one: &Sym| (handed_over(meaning, *one), Some(is(*parameter, *one)));
                all.iter().map(handed).collect()
            }
            _ => vec![(meaning, None)],
        });
        asked.collect()
    }

    /// What a call asks; empty if it is no check.
    pub fn meanings(&self, call: &Call, caller: DefId) -> Vec<Meaning> {
        if call.pointer {
            return Vec::new();
        }
        let name = call.target;
        let path = self.view.program[caller].path;
        if let Some(position) = self.positions.get(&name)
            && (self.seeds.contains(&name) || self.means_plumbing(name, path))
        {
            return vec![meaning(name, *position, call)];
        }
        if self.fixed_names.contains(&name) {
            let targets = self.view.resolve(name, path);
            let found = targets.iter().find_map(|target| self.fixed.get(target));
            return found.cloned().unwrap_or_default();
        }
        Vec::new()
    }

    fn means_plumbing(&self, name: Sym, path: PathId) -> bool {
        let targets = self.view.resolve(name, path);
        targets
            .iter()
            .any(|target| self.plumbing.contains_key(target))
    }

    /// A function is plumbing if it hands one of its parameters to a check as the capability:
    /// found from the seeds outwards.
    fn find_plumbing(&mut self, seeds: Vec<Sym>) {
        let view = self.view;
        let program = view.program;
        let mut waiting = seeds;
        waiting.retain(|name| self.positions.get(name).is_some_and(Option::is_some));
        while let Some(name) = waiting.pop() {
            let Some(Some(position)) = self.positions.get(&name).copied() else {
                continue;
            };
            for (caller, call) in program.calls.get(name) {
                let definition = &program[*caller];
                let Some(own) = handed_parameter(definition, call, position) else {
                    continue;
                };
                if self.plumbing.contains_key(caller) || self.seeds.contains(&definition.name) {
                    continue;
                }
                if !self.seeds.contains(&name) && !self.means_plumbing(name, definition.path) {
                    continue;
                }
                self.plumbing.insert(*caller, own);
                self.positions.entry(definition.name).or_insert(Some(own));
                waiting.push(definition.name);
            }
        }
    }

    /// What user space names a capability to only asks whether a set has it, on behalf of no
    /// operation (`prctl(PR_CAPBSET_READ, …)`, from 2.6.25 on): an entry function, and what nobody
    /// calls with a capability of the kernel's own choice, is no plumbing. What nobody calls by
    /// name is the kernel's own (a security module's `capable`).
    fn drop_mere_requests(&mut self, entries: &FxHashSet<DefId>) {
        let all = self.plumbing.keys().copied();
        let mut dropped: Vec<DefId> = all.filter(|one| entries.contains(one)).collect();
        while !dropped.is_empty() {
            for definition in &dropped {
                self.plumbing.remove(definition);
            }
            let all = self.plumbing.keys().copied();
            dropped = all.filter(|one| !self.is_asked(*one)).collect();
        }
        self.forget_names();
    }

    /// Forgets the names of what is no plumbing any more.
    fn forget_names(&mut self) {
        let program = self.view.program;
        let names: FxHashSet<Sym> = self.plumbing.keys().map(|one| program[*one].name).collect();
        let seeds = &self.seeds;
        self.positions
            .retain(|name, _| seeds.contains(name) || names.contains(name));
    }

    fn tell_workers_from_plumbing(&mut self) {
        let all = self.plumbing.keys().copied();
        let mut found: FxHashSet<DefId> = all.filter(|one| self.asks_itself(*one)).collect();
        loop {
            let all = self.plumbing.keys().copied();
            let more: Vec<DefId> = all
                .filter(|one| !found.contains(one) && self.serves(*one, &found))
                .collect();
            if more.is_empty() {
                break;
            }
            found.extend(more);
        }
        let program = self.view.program;
        for one in &found {
            let mut capabilities = Vec::new();
            self.capabilities_of(*one, 0, &mut capabilities);
            let parameter = program[*one].parameters()[self.plumbing[one]];
            self.workers.insert(*one, (parameter, capabilities));
        }
        self.plumbing.retain(|one, _| !found.contains(one));
        self.forget_names();
    }

    /// The callers of plumbing, with the name of what they hand it as the capability.
    fn callers(&self, definition: DefId) -> Vec<(DefId, &'static str)> {
        let program = self.view.program;
        let name = program[definition].name;
        let position = self.plumbing.get(&definition).copied().unwrap_or_default();
        let calls = program.calls.get(name).iter();
        let handed = calls.filter_map(|(caller, call)| {
            let argument = call.arguments.get().get(position)?;
            let targets = self.view.resolve(name, program[*caller].path);
            targets
                .contains(&definition)
                .then(|| (*caller, argument.text().trim_start_matches([':', '='])))
        });
        handed.collect()
    }

    /// Whether only some definitions call plumbing.
    fn serves(&self, definition: DefId, workers: &FxHashSet<DefId>) -> bool {
        let callers = self.callers(definition);
        !callers.is_empty() && callers.iter().all(|(caller, _)| workers.contains(caller))
    }

    /// The capabilities that plumbing is handed, by way of other plumbing too.
    fn capabilities_of(&self, definition: DefId, depth: u32, found: &mut Vec<Sym>) {
        if depth > DEEPEST {
            return;
        }
        for (caller, handed) in self.callers(definition) {
            if is_capability(handed) {
                if !found.contains(&Sym::new(handed)) {
                    found.push(Sym::new(handed));
                }
            } else if self.plumbing.contains_key(&caller) {
                self.capabilities_of(caller, depth + 1, found);
            }
        }
    }

    fn is_asked(&self, definition: DefId) -> bool {
        let callers = self.callers(definition);
        callers.is_empty()
            || callers
                .iter()
                .any(|(caller, handed)| self.plumbing.contains_key(caller) || is_capability(handed))
    }

    /// Wrappers with a fixed capability: bodies that only relay checks; repeated until nothing new
    /// is found, as a wrapper may wrap a wrapper.
    fn find_fixed(&mut self) {
        let mut waiting: VecDeque<Sym> = in_order(self.positions.keys().copied()).into();
        waiting.push_back(Sym::new(UID0));
        while let Some(name) = waiting.pop_front() {
            for definition in self.relaying(name) {
                if self.is_check(definition) {
                    continue;
                }
                let found = self.relayed(definition);
                // What is called through a pointer too asks in its own body.
                if !found.is_empty() && !self.view.is_stored(definition) {
                    let name = self.view.program[definition].name;
                    self.fixed.insert(definition, found);
                    self.fixed_names.insert(name);
                    waiting.push_back(name);
                }
            }
        }
    }

    fn relaying(&self, name: Sym) -> Vec<DefId> {
        let program = self.view.program;
        let relays = |one: &DefId| relays(program[*one].fact).contains(&name);
        if name.text() == UID0 {
            return program
                .testing_uids()
                .iter()
                .copied()
                .filter(relays)
                .collect();
        }
        let calling = program.calls.get(name).iter().map(|(caller, _)| *caller);
        let aliases = program.aliases.get(name).iter().copied();
        calling.filter(relays).chain(aliases).collect()
    }

    fn relayed(&self, definition: DefId) -> Vec<Meaning> {
        let fact = self.view.program[definition].fact;
        let alias = fact.macro_().map(|one| one.alias).unwrap_or_default();
        let relays = relays(fact);
        let names = if relays.is_empty() {
            &[alias]
        } else {
            relays.get()
        };
        let mut found: Vec<Meaning> = Vec::new();
        for name in names {
            let meanings = if name.text() == UID0 {
                vec![plainly(*name)]
            } else {
                self.meanings_of(*name, definition)
            };
            let handed_on = |one: &Meaning| {
                self.positions.contains_key(&one.check_name) && one.argument.is_some()
            };
            if meanings.is_empty() || meanings.iter().any(handed_on) {
                return Vec::new();
            }
            for meaning in meanings {
                if !found.contains(&meaning) {
                    found.push(meaning);
                }
            }
        }
        found
    }

    fn meanings_of(&self, name: Sym, definition: DefId) -> Vec<Meaning> {
        let calls = self.view.program[definition].fact.calls();
        let mut named = calls
            .iter()
            .filter(|call| call.target == name && !call.pointer)
            .peekable();
        if named.peek().is_some() {
            return named
                .flat_map(|call| self.meanings(call, definition))
                .collect();
        }
        // "#define permission_check suser": a macro that renames a check.
        match self.positions.get(&name) {
            Some(None) => vec![plainly(name)],
            _ => Vec::new(),
        }
    }

    /// All wrappers of the release, in no particular order.
    pub fn wrappers(&self) -> impl Iterator<Item = Wrapper> {
        let program = self.view.program;
        let row = move |one: DefId, meaning: Meaning, parameter: Option<usize>| Wrapper {
            name: program[one].name,
            check_name: meaning.check_name,
            capability: meaning.capability,
            parameter,
            path: program[one].path,
            line: program[one].line,
        };
        let plumbing = self
            .plumbing
            .iter()
            .map(move |(one, parameter)| row(*one, plainly(program[*one].name), Some(*parameter)));
        let fixed = self.fixed.iter().flat_map(move |(one, meanings)| {
            meanings
                .iter()
                .map(move |meaning| row(*one, *meaning, None))
        });
        plumbing.chain(fixed)
    }

    /// Every name that asks in this release, in order.
    pub fn names(&self) -> Vec<Sym> {
        let all: FxHashSet<Sym> = self
            .positions
            .keys()
            .chain(&self.fixed_names)
            .copied()
            .collect();
        in_order(all)
    }

    /// All check sites of the release, by place.
    pub fn sites(&self) -> Vec<Site> {
        let program = self.view.program;
        let mut found = Vec::new();
        for name in self.names() {
            for (caller, call) in program.calls.get(name) {
                let meanings = self.asked(call, *caller).into_iter();
                let definition = &program[*caller];
                found.extend(meanings.map(|(meaning, condition)| {
                    let asked = Place::from(*call).under(condition);
                    site(definition, *caller, asked, meaning)
                }));
            }
        }
        let root = plainly(Sym::new(UID0));
        for one in program.testing_uids() {
            if !self.is_check(*one) {
                let tests = uid_tests(program[*one].fact).iter();
                found.extend(tests.map(|test| site(&program[*one], *one, Place::from(test), root)));
            }
        }
        let mut found = one_a_line(found);
        found.sort_by_key(|site| {
            let check = &site.check;
            let capability = check.capability.map_or("", Sym::text);
            (check.path, check.line, check.check_name.text(), capability)
        });
        found
    }
}

/// What a body returns if it only passes calls on.
pub fn relays(fact: Fact<'_>) -> SymList {
    match fact {
        Fact::Function(function) => function.relays,
        Fact::Macro(macro_) => macro_.relays,
    }
}

fn uid_tests(fact: Fact<'_>) -> &[UidTest] {
    match fact {
        Fact::Function(function) => &function.uid_tests,
        Fact::Macro(macro_) => &macro_.uid_tests,
    }
}

fn in_order(names: impl IntoIterator<Item = Sym>) -> Vec<Sym> {
    let mut found: Vec<Sym> = names.into_iter().collect();
    found.sort_by_key(|name| name.text());
    found
}

/// A check that is asked twice in one line (`current->uid && current->euid`, 0.01) is one site; of
/// its two sets of conditions the weaker holds.
fn one_a_line(sites: Vec<Site>) -> Vec<Site> {
    let mut found: Vec<Site> = Vec::new();
    let mut known: FxHashMap<(DefId, CheckSite), usize> = FxHashMap::default();
    for site in sites {
        let strength = |one: &Site| (one.guards.len(), one.conditional);
        match known.get(&(site.definition, site.check)) {
            Some(&at) if strength(&site) < strength(&found[at]) => found[at] = site,
            Some(_) => {}
            None => {
                known.insert((site.definition, site.check), found.len());
                found.push(site);
            }
        }
    }
    found
}

/// How a check is asked: by a call, or by a comparison of a uid, with what the function does for
/// everybody but root and what would do as well.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Asked {
    Call(Call),
    Uid(Outcome, ExprList),
}

/// What a call of a check and a comparison of a uid have in common.
#[derive(Clone, Copy)]
struct Place {
    how: Asked,
    line: u32,
    outcome: Outcome,
    condition: Sym,
    conditional: bool,
    guards: ExprList,
}

impl Place {
    /// The same under one more condition on a parameter.
    fn under(mut self, condition: Option<Expr>) -> Place {
        if let Some(condition) = condition {
            let known = self.guards.get().iter().copied();
            let all: Vec<Expr> = known.chain([condition]).collect();
            self.guards = ExprList::new(&all);
        }
        self
    }
}

impl From<&Call> for Place {
    fn from(call: &Call) -> Place {
        Place {
            how: Asked::Call(*call),
            line: call.line,
            outcome: call.outcome(Given::False),
            condition: call.condition,
            conditional: call.conditional,
            guards: call.guards,
        }
    }
}

impl From<&UidTest> for Place {
    fn from(test: &UidTest) -> Place {
        Place {
            how: Asked::Uid(test.outcome, test.instead),
            line: test.line,
            outcome: test.outcome,
            condition: test.condition,
            conditional: test.conditional,
            guards: test.guards,
        }
    }
}

fn site(definition: &Definition<'_>, id: DefId, asked: Place, meaning: Meaning) -> Site {
    let unless_empty = |text: Sym| if text.is_empty() { None } else { Some(text) };
    let check = CheckSite {
        path: definition.path,
        line: definition.item_line + asked.line,
        function: unless_empty(definition.name),
        check_name: meaning.check_name,
        capability: meaning.capability,
        argument: meaning.argument,
        of_macro: definition.fact.macro_().is_some(),
        effect: asked.outcome.effect(),
        errno: unless_empty(asked.outcome.errno()),
        condition: unless_empty(joined(definition.condition, asked.condition)),
    };
    Site {
        definition: id,
        check,
        asked: asked.how,
        conditional: asked.conditional,
        guards: asked.guards,
    }
}

fn joined(outer: Sym, inner: Sym) -> Sym {
    if outer.text() == "0" || inner.text() == "0" {
        Sym::new("0")
    } else if inner.is_empty() || inner == outer {
        outer
    } else if outer.is_empty() {
        inner
    } else {
        Sym::new(&format!("{} && {}", outer.text(), inner.text()))
    }
}

fn plainly(check_name: Sym) -> Meaning {
    Meaning {
        check_name,
        capability: None,
        argument: None,
    }
}

/// What a call asks that hands on a parameter which is this capability.
fn handed_over(meaning: Meaning, capability: Sym) -> Meaning {
    Meaning {
        capability: Some(capability),
        argument: None,
        ..meaning
    }
}

/// The condition that a parameter is a constant.
fn is(parameter: Sym, constant: Sym) -> Expr {
    let sides = [
        format!("${}", parameter.text()),
        format!(":{}", constant.text()),
    ];
    Expr::tuple("==", &sides.map(|side| Expr::text(&side)))
}

fn meaning(check_name: Sym, position: Option<usize>, call: &Call) -> Meaning {
    let Some(position) = position else {
        return plainly(check_name);
    };
    let argument = call
        .arguments
        .get()
        .get(position)
        .copied()
        .unwrap_or_default();
    let text = argument.text().trim_start_matches([':', '$', '=']);
    let text = text.replace('>', "->");
    if is_capability(&text) {
        Meaning {
            check_name,
            capability: Some(Sym::new(&text)),
            argument: None,
        }
    } else {
        Meaning {
            check_name,
            capability: None,
            argument: Some(Sym::new(if text.is_empty() { "?" } else { &text })),
        }
    }
}

fn is_capability(text: &str) -> bool {
    let capital = |byte: u8| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit();
    text.strip_prefix("CAP_")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(capital))
}

/// The number of a caller's own parameter that it hands on as an argument.
fn handed_parameter(caller: &Definition<'_>, call: &Call, at: usize) -> Option<usize> {
    let handed = call.arguments.get().get(at)?;
    position(caller, handed.text().strip_prefix('$')?)
}

fn position(definition: &Definition<'_>, parameter: &str) -> Option<usize> {
    let names = definition.parameters();
    names.iter().position(|name| name.text() == parameter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(argument: &str) -> Meaning {
        let call = Call {
            arguments: crate::intern::SymList::new(&[Sym::new(argument)]),
            ..Call::default()
        };
        meaning(Sym::new("capable"), Some(0), &call)
    }

    #[test]
    fn a_capability_is_a_constant_of_that_name() {
        assert_eq!(
            asking(":CAP_SYS_ADMIN").capability,
            Some(Sym::new("CAP_SYS_ADMIN"))
        );
        assert_eq!(asking("$p>cap").argument, Some(Sym::new("p->cap")));
        assert_eq!(asking("").argument, Some(Sym::new("?")));
    }

    #[test]
    fn what_is_never_compiled_stays_so_within_other_conditions() {
        let join = |outer, inner| joined(Sym::new(outer), Sym::new(inner)).text();
        assert_eq!(join("defined(A)", "0"), "0");
        assert_eq!(join("defined(A)", "defined(A)"), "defined(A)");
        assert_eq!(join("defined(A)", "B"), "defined(A) && B");
    }
}
