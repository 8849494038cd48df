//! What was read from a body.

use std::collections::{BTreeMap, BTreeSet};

use crate::decisions::Uses;
use crate::facts::{Call, Flow, Naming, Parameter, Stored, Struct, TableFlow, UidTest};
use crate::intern::{Expr, ExprList, Sym, SymList};

/// What was read from one reading of a body; keys are offsets in the given code, those of flows
/// and of what is stored with the source's text behind them.
#[derive(Default)]
pub struct Body {
    pub calls: BTreeMap<i64, Call>,
    pub uid_tests: BTreeMap<i64, UidTest>,
    pub flows: BTreeMap<(i64, &'static str), Flow>,
    pub tables: BTreeMap<(i64, &'static str), TableFlow>,
    pub stored: BTreeMap<(i64, &'static str), Stored>,
    pub namings: BTreeMap<i64, Naming>,
    pub structs: BTreeMap<i64, Struct>,
    pub parameters: Vec<Parameter>,
    pub relays: SymList,
    /// See `facts::Function`.
    pub refusals: BTreeSet<&'static str>,
    pub error: bool,
    pub sets: BTreeMap<(i64, &'static str), (Sym, Expr)>,
    /// Whether sets of variables take place wherever their condition holds, and before all uses.
    pub sure: BTreeMap<(i64, &'static str), bool>,
    /// What is known of the objects that variables point to (see `decisions::of_objects`).
    pub made: BTreeMap<(i64, &'static str), (Sym, Expr)>,
    /// The variables that calls are handed, each with the callee.
    pub arguments: BTreeSet<(&'static str, &'static str)>,
    /// The variables whose address calls are handed.
    pub addressed: BTreeSet<&'static str>,
    /// The variables into which calls copy from the user's memory, and the pointers to such.
    pub copied: BTreeSet<&'static str>,
    pub filled: BTreeSet<&'static str>,
    /// The types of local variables, by name.
    pub locals: BTreeMap<&'static str, Sym>,
}

impl Body {
    /// Takes in what another reading found and this one did not. A condition counts if it holds
    /// in all readings: another configuration may be without it.
    pub fn add(&mut self, other: &Body) {
        for (&at, call) in &other.calls {
            let known = self.calls.entry(at).or_insert(*call);
            known.guards = common(known.guards, call.guards);
            if known.tables != call.tables {
                known.tables = SymList::default();
            }
            if known.creds != call.creds {
                known.creds = Sym::default();
            }
            if known.kinds != call.kinds {
                known.kinds = 0;
            }
        }
        for (&at, test) in &other.uid_tests {
            let known = self.uid_tests.entry(at).or_insert(*test);
            known.guards = common(known.guards, test.guards);
        }
        merge(&mut self.flows, &other.flows);
        merge(&mut self.tables, &other.tables);
        merge(&mut self.stored, &other.stored);
        merge(&mut self.namings, &other.namings);
        merge(&mut self.structs, &other.structs);
        merge(&mut self.sets, &other.sets);
        for (&at, sure) in &other.sure {
            *self.sure.entry(at).or_insert(true) &= sure;
        }
        merge(&mut self.made, &other.made);
        self.refusals.extend(&other.refusals);
        self.arguments.extend(&other.arguments);
        self.addressed.extend(&other.addressed);
        self.copied.extend(&other.copied);
        self.filled.extend(&other.filled);
        merge(&mut self.locals, &other.locals);
    }

    /// What calls do with variables.
    pub fn uses(&self) -> Uses {
        let all = |names: &BTreeSet<&'static str>| names.iter().map(|one| Sym::new(one)).collect();
        let handed = self.arguments.iter();
        let sure = self.sure.iter().filter(|(_, sure)| **sure);
        Uses {
            handed: handed
                .map(|(place, user)| (Sym::new(place), Sym::new(user)))
                .collect(),
            addressed: all(&self.addressed),
            copied: all(&self.copied),
            filled: all(&self.filled),
            sure: sure
                .filter_map(|(at, _)| self.sets.get(at).copied())
                .collect(),
        }
    }
}

fn common(one: ExprList, other: ExprList) -> ExprList {
    if one == other {
        return one;
    }
    let both: Vec<Expr> = one
        .iter()
        .copied()
        .filter(|guard| other.contains(guard))
        .collect();
    ExprList::new(&both)
}

fn merge<K: Ord + Clone, V: Clone>(known: &mut BTreeMap<K, V>, other: &BTreeMap<K, V>) {
    for (key, value) in other {
        known.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// What was found, by where it stands.
pub fn in_order<K, V: Clone>(found: &BTreeMap<K, V>) -> Vec<V> {
    found.values().cloned().collect()
}
