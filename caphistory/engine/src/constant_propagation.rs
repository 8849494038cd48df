//! Whether constants on the way switch a check off.
//!
//! A caller hands constants down (`send_sig(SIGSEGV, current, 1)`) or a struct whose flags it set
//! itself (`newattrs.ia_valid = ATTR_MODE | ATTR_CTIME`); a guard in the callee (`!priv && …`,
//! `ia_valid & ATTR_UID`) can be decided with them. What cannot be decided counts as possible.
//!
//! A *context* is what is known of a function's parameters: values by place (`$priv`,
//! `$attr>ia_valid`; `$p>` is the name of the object that `p` points to).

use std::rc::Rc;
use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::call_graph::Edge;
use crate::choices::{choice_of, functions_in};
use crate::creations::{Creation, creations};
use crate::facts::Call;
use crate::file_kinds::Kinds;
use crate::guards::{leaves, names, without_guard};
use crate::intern::{Expr, ExprList, Sym, SymList};
use crate::names::{DefId, PathId};
use crate::numbers::Numbers;
use crate::objects::{Objects, member_of, struct_of};
use crate::operations::{Way, selectors, ways};
use crate::points_to::PointsTo;
use crate::registries::Registries;
use crate::table_sets::TableSets;
use crate::user_data;
use crate::values::{
    Known, OF_USER, User, Value, any_of, of_user, parts, truth_of, user_of, value_of, without_user,
};

/// What a definition wants to know: a place, the position of the parameter that it is in, and the
/// member of that parameter that it is, if it is one. `selects` says that it is compared with named
/// constants, so that it matters whether the user chooses it (see `operations`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Wish {
    pub place: Sym,
    pub position: usize,
    pub member: Option<Sym>,
    pub selects: bool,
}

/// A context, by number: equal ones have equal numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Context(u32);

/// The context of what is called with nothing known.
pub const NOTHING_KNOWN: Context = Context(0);

type Values = Rc<[(Sym, Value)]>;
// So many different sets of constants for one call; from there on what they have in common.
const MOST_WAYS: usize = 4;
// Flags that are added one after the other where those before allow it.
const MOST_ROUNDS: usize = 64;

#[derive(Default)]
struct Wanted {
    wishes: Vec<Wish>,
    told: usize,
}

/// The wishes of a definition: equal ones have equal numbers.
#[derive(Clone)]
struct Wishes {
    number: u32,
    all: Rc<[Wish]>,
    /// Whether it matters which table a parameter points to.
    of_objects: bool,
}

/// An argument of a caller's call, the member of it that the callee wants to know, and whether it
/// selects.
type Asked = (DefId, ExprList, usize, Option<Sym>, bool);

/// Carries constants from caller to callee, as far as a guard somewhere below needs them.
pub struct Constants<'s, 'v, 'p, 'f> {
    pointers: &'s PointsTo<'v, 'p, 'f>,
    special: &'s FxHashMap<DefId, Kinds>,
    tables: &'s TableSets<'s, 'v, 'p, 'f>,
    numbers: Numbers<'v, 'p, 'f>,
    objects: Objects<'s, 'v, 'p, 'f>,
    registries: Registries<'s, 'v, 'p, 'f>,
    creations: FxHashMap<(DefId, ExprList), Rc<[Creation]>>,
    made: FxHashMap<(Vec<DefId>, DefId, Sym), Option<Sym>>,
    positions: FxHashMap<DefId, Rc<FxHashMap<Sym, usize>>>,
    wanted: FxHashMap<DefId, Wanted>,
    /// What was asked for already: guards, and arguments of calls.
    guarded: FxHashSet<(DefId, ExprList)>,
    asked: FxHashSet<Asked>,
    /// The definitions with wishes that `news` has not told.
    untold: Vec<DefId>,
    wishes: FxHashMap<DefId, Wishes>,
    shared: FxHashMap<Rc<[Wish]>, Wishes>,
    named: FxHashMap<DefId, Rc<FxHashMap<Sym, Value>>>,
    names: FxHashMap<DefId, FxHashSet<Sym>>,
    expanded: FxHashMap<(PathId, ExprList), ExprList>,
    nothing_handed: Rc<[Context]>,
    unselected: Rc<[Way]>,
    contexts: Vec<Values>,
    numbered: FxHashMap<Values, Context>,
}

impl<'s, 'v, 'p, 'f> Constants<'s, 'v, 'p, 'f> {
    /// `special` are the functions that are called for some kinds of files alone.
    pub fn new(
        pointers: &'s PointsTo<'v, 'p, 'f>,
        tables: &'s TableSets<'s, 'v, 'p, 'f>,
        special: &'s FxHashMap<DefId, Kinds>,
    ) -> Self {
        let nothing: Values = Rc::from([]);
        Constants {
            pointers,
            special,
            tables,
            numbers: Numbers::new(pointers.view),
            objects: Objects::new(pointers),
            registries: Registries::new(pointers),
            creations: FxHashMap::default(),
            made: FxHashMap::default(),
            positions: FxHashMap::default(),
            wanted: FxHashMap::default(),
            guarded: FxHashSet::default(),
            asked: FxHashSet::default(),
            untold: Vec::new(),
            wishes: FxHashMap::default(),
            shared: FxHashMap::default(),
            named: FxHashMap::default(),
            names: FxHashMap::default(),
            expanded: FxHashMap::default(),
            nothing_handed: Rc::from([NOTHING_KNOWN]),
            unselected: Rc::from([Way::default()]),
            contexts: vec![nothing.clone()],
            numbered: FxHashMap::from_iter([(nothing, NOTHING_KNOWN)]),
        }
    }

    /// Conditions with what is known of the members of structs that the definition had made.
    pub fn settle(&mut self, definition: DefId, guards: ExprList, line: u32) -> ExprList {
        self.objects.settle(definition, guards, line)
    }

    // What is asked for.

    /// Say that guards in a definition can be decided.
    pub fn want(&mut self, definition: DefId, guards: ExprList) {
        if guards.is_empty() || !self.guarded.insert((definition, guards)) {
            return;
        }
        match choice_of(guards) {
            Some(("of", [table, _])) => {
                if let Some(table) = table.as_sym() {
                    self.want_table(definition, table);
                }
            }
            Some(("by", [object])) => {
                let place = object.as_text().map(|text| Sym::new(&format!("{text}>")));
                self.add(definition, place, false);
            }
            Some(("made", _)) => {
                for one in &*self.creations_of(definition, guards) {
                    self.want_table(one.user, one.table);
                    let named = names(one.key);
                    self.names.entry(definition).or_default().extend(named);
                    self.add(definition, leaves(one.key), false);
                }
            }
            _ => {}
        }
        let guards = self.with_macros(definition, guards);
        let is_object = |one: &Expr| {
            let head = one.as_tuple().map(|(head, _)| head);
            matches!(head, Some("by" | "made"))
        };
        for guard in guards.iter().filter(|one| !is_object(one)) {
            let named = names(*guard);
            self.names.entry(definition).or_default().extend(named);
            self.add(definition, selectors(*guard), true);
            self.add(definition, leaves(*guard), false);
        }
    }

    fn want_table(&mut self, user: DefId, table: Sym) {
        let path = self.pointers.view.program[user].path;
        self.registries.entries(table, path);
    }

    /// How the object was made whose function a call with these guards calls.
    fn creations_of(&mut self, user: DefId, guards: ExprList) -> Rc<[Creation]> {
        let pointers = self.pointers;
        let found = self.creations.entry((user, guards)).or_insert_with(|| {
            let choice = choice_of(guards).map_or(&[][..], |(_, operands)| operands);
            creations(pointers, user, choice).into()
        });
        found.clone()
    }

    /// Say that it matters in a definition of which kinds the file at hand is.
    pub fn want_kinds(&mut self, definition: DefId) {
        let wanted = self.wanted.entry(definition).or_default();
        let is_told = wanted.told == wanted.wishes.len();
        if wanted.wishes.iter().any(|wish| wish.place == kinds()) {
            return;
        }
        wanted.wishes.push(Wish {
            place: kinds(),
            position: usize::MAX,
            member: None,
            selects: false,
        });
        if is_told {
            self.untold.push(definition);
        }
    }

    /// Look for the macros that guards use. To be asked before anything is wanted.
    pub fn find_macros<'g>(&mut self, all: impl Iterator<Item = &'g ExprList>) {
        let mut found = FxHashSet::default();
        let mut seen = FxHashSet::default();
        for guards in all.filter(|guards| seen.insert(**guards)) {
            guards
                .iter()
                .for_each(|guard| add_macros(*guard, &mut found));
        }
        self.numbers.find(found);
    }

    /// Guards with the macros that they use in their place.
    fn with_macros(&mut self, definition: DefId, guards: ExprList) -> ExprList {
        let mut found = FxHashSet::default();
        guards
            .iter()
            .for_each(|guard| add_macros(*guard, &mut found));
        if found.is_empty() {
            return guards;
        }
        let path = self.pointers.view.program[definition].path;
        let key = (path, guards);
        if let Some(known) = self.expanded.get(&key) {
            return *known;
        }
        let numbers = &self.numbers;
        let made = guards.iter().map(|one| numbers.with_macros(*one, path, 0));
        let made = ExprList::new(&made.collect::<Vec<_>>());
        self.expanded.insert(key, made);
        made
    }

    /// The definitions that want more since this was asked last, and what.
    pub fn news(&mut self) -> Vec<(DefId, Vec<Wish>)> {
        let mut found = Vec::new();
        for definition in std::mem::take(&mut self.untold) {
            if let Some(wanted) = self.wanted.get_mut(&definition) {
                found.push((definition, wanted.wishes[wanted.told..].to_vec()));
                wanted.told = wanted.wishes.len();
            }
        }
        found
    }

    /// Say that a caller's constants matter for what it calls, as that wants them.
    pub fn want_for(&mut self, caller: DefId, call: &Call, wishes: &[Wish]) {
        let mut needed: [Vec<Sym>; 2] = Default::default();
        let mut named: Vec<Sym> = Vec::new();
        for wish in wishes {
            if wish.place == kinds() {
                if !call.pointer {
                    self.want_kinds(caller);
                }
                continue;
            }
            let needed = &mut needed[usize::from(wish.selects)];
            let Some(expr) = call.passes.get().get(wish.position).copied() else {
                continue;
            };
            let asked = (
                caller,
                call.passes,
                wish.position,
                wish.member,
                wish.selects,
            );
            if !self.asked.insert(asked) {
                continue;
            }
            let base = struct_of(expr);
            match (wish.member, base) {
                (None, _) => {
                    named.extend(names(expr));
                    needed.extend(leaves(expr));
                }
                (Some(member), base) if member.is_empty() => {
                    named.extend(names(expr));
                    needed.extend(base.map(|base| member_of(base, member)));
                }
                (Some(member), Some(base)) if is_of_object(wish) => {
                    needed.push(member_of(base, member));
                    let member = member.text().trim_end_matches('>');
                    let member = Sym::new(member);
                    let held = self.objects.held(caller, base, member, call.target);
                    let held = held.iter().flat_map(|held| held.iter());
                    let object = |one: &Expr| {
                        let place = one.as_text().filter(|text| text.starts_with('$'));
                        place.map(|place| Sym::new(&format!("{place}>")))
                    };
                    needed.extend(held.filter_map(object));
                }
                (Some(member), Some(base)) => {
                    let place = member_of(base, member);
                    needed.push(place);
                    let held = self.objects.held(caller, base, member, call.target);
                    for one in held.iter().flat_map(|held| held.iter()) {
                        named.extend(names(*one));
                        needed.extend(leaves(*one));
                    }
                }
                // A pointer into something that the user gave.
                (Some(_), None) if wish.selects => needed.extend(leaves(expr)),
                (Some(_), None) => {}
            }
        }
        if !named.is_empty() {
            self.names.entry(caller).or_default().extend(named);
        }
        let [others, selecting] = needed;
        for (places, selects) in [(selecting, true), (others, false)] {
            if !places.is_empty() {
                self.add(caller, places, selects);
            }
        }
    }

    /// Look for the values of all constants that matter. To be asked when nothing more is wanted.
    pub fn find_numbers(&mut self) {
        let mut all: FxHashSet<Sym> = self.names.values().flatten().copied().collect();
        all.extend(self.registries.keys().into_iter().flat_map(key_names));
        let constants = all.into_iter().filter(|name| name.text().starts_with(':'));
        self.numbers.find(constants);
    }

    /// What is in no parameter nobody can know.
    fn add(&mut self, definition: DefId, places: impl IntoIterator<Item = Sym>, selects: bool) {
        let positions = self.positions_of(definition);
        let wanted = self.wanted.entry(definition).or_default();
        let is_told = wanted.told == wanted.wishes.len();
        for place in places {
            let Some(variable) = place.text().strip_prefix('$') else {
                continue;
            };
            let known = |wish: &Wish| wish.place == place && wish.selects >= selects;
            if wanted.wishes.iter().any(known) {
                continue;
            }
            let (base, member) = match variable.split_once('>') {
                Some((base, member)) => (base, Some(Sym::new(member))),
                None => (variable, None),
            };
            if let Some(position) = positions.get(&Sym::new(base)) {
                wanted.wishes.push(Wish {
                    place,
                    position: *position,
                    member,
                    selects,
                });
            }
        }
        if is_told && wanted.told < wanted.wishes.len() {
            self.untold.push(definition);
        }
    }

    fn positions_of(&mut self, definition: DefId) -> Rc<FxHashMap<Sym, usize>> {
        let program = self.pointers.view.program;
        let known = self.positions.entry(definition).or_insert_with(|| {
            let mut found = FxHashMap::default();
            for (position, name) in program[definition].parameters().iter().enumerate() {
                found.entry(*name).or_insert(position);
            }
            Rc::new(found)
        });
        known.clone()
    }

    /// All that a definition wants to know, by place; to be asked when nothing more is wanted.
    fn wishes(&mut self, definition: DefId) -> Wishes {
        if let Some(known) = self.wishes.get(&definition) {
            return known.clone();
        }
        let mut all = self
            .wanted
            .get(&definition)
            .map_or(Vec::new(), |one| one.wishes.clone());
        all.sort_by_key(|wish| (wish.place.text(), !wish.selects));
        all.dedup_by_key(|wish| wish.place);
        let number = self.shared.len() as u32;
        let all: Rc<[Wish]> = all.into();
        let shared = self.shared.entry(all.clone());
        let of_objects = all.iter().any(is_of_object);
        let wishes = Wishes {
            number,
            all,
            of_objects,
        };
        let found = shared.or_insert(wishes).clone();
        self.wishes.insert(definition, found.clone());
        found
    }

    // What is known.

    /// The values of the constants that matter in a definition.
    fn named(&mut self, definition: DefId) -> Rc<FxHashMap<Sym, Value>> {
        if let Some(known) = self.named.get(&definition) {
            return known.clone();
        }
        let all = self.names.get(&definition).into_iter().flatten();
        let mut wanted: Vec<Sym> = all.copied().collect();
        wanted.sort_by_key(|name| name.text());
        let path = self.pointers.view.program[definition].path;
        let mut found = FxHashMap::default();
        for name in wanted {
            let text = name.text();
            let value = if text.starts_with(':') {
                self.numbers.value(name, path)
            } else {
                let function = text.strip_prefix('@').map(Sym::new);
                let is_function = function.is_some_and(|one| self.is_function(one, definition));
                is_function.then_some(Value::Int(1))
            };
            if let Some(value) = value {
                found.insert(name, value);
            }
        }
        let found = Rc::new(found);
        self.named.insert(definition, found.clone());
        found
    }

    /// Whether an object that holds a function may stand under a key (None for any) in a table.
    fn may_choose(&mut self, user: DefId, table: Sym, key: Option<i128>, callee: DefId) -> bool {
        let path = self.pointers.view.program[user].path;
        let Some(entries) = self.registries.entries(table, path) else {
            return true;
        };
        entries.iter().any(|entry| {
            let numbers = &mut self.numbers;
            let own = entry.key.and_then(|(own, at)| {
                let named: FxHashMap<Sym, Option<Value>> = key_names(own)
                    .into_iter()
                    .map(|name| (name, numbers.value(name, at)))
                    .collect();
                value_of(own, &|name| named.get(&name).copied().flatten())
            });
            let is_other = matches!((own, key), (Some(Value::Int(own)), Some(key)) if own != key);
            !is_other && self.registries.may_hold(entry, callee)
        })
    }

    /// The tables of an object that what stands under these keys has made.
    fn tables_made(&mut self, made: &[(Creation, i128)], user: DefId, call: &Call) -> Option<Sym> {
        let mut makers = Vec::new();
        for (one, key) in made {
            for callee in self.pointers.targets(one.user, &one.call) {
                if self.may_choose(one.user, one.table, Some(*key), callee) {
                    makers.push(callee);
                }
            }
        }
        let tables = self.tables;
        let key = (makers, user, call.target);
        if let Some(known) = self.made.get(&key) {
            return *known;
        }
        let found = tables.made_by(&key.0, user, call, &mut |user, call| {
            let Some(("of", [table, _])) = choice_of(call.guards) else {
                return Vec::new();
            };
            let table = table.as_sym().unwrap_or_default();
            let mut found = self.pointers.targets(user, call);
            found.retain(|one| self.may_choose(user, table, None, *one));
            found
        });
        self.made.insert(key, found);
        found
    }

    /// Whether a name is a function's for sure, or leaves what it is handed alone as one: a
    /// tracepoint's is, which a macro defines.
    fn is_function(&self, name: Sym, user: DefId) -> bool {
        let program = self.pointers.view.program;
        let found = self.pointers.view.resolve(name, program[user].path);
        if found.is_empty() {
            let traces = name.text().starts_with("trace_") && !program.by_name.contains(name);
            return traces || user_data::takes_part(name.text());
        }
        found
            .iter()
            .all(|one| program[*one].fact.function().is_some())
    }

    /// Whether a variable (`$x`) is one of a definition's parameters.
    fn is_parameter(&mut self, definition: DefId, variable: Sym) -> bool {
        let name = variable.text().get(1..).unwrap_or_default();
        self.positions_of(definition).contains_key(&Sym::new(name))
    }

    /// What is known of the parameters of a syscall's entry function: the user chooses them.
    pub fn of_user(&mut self, entry: DefId) -> Context {
        let wishes = self.wishes(entry);
        let selecting = wishes.all.iter().filter(|wish| wish.selects);
        let values = selecting.map(|wish| {
            let user = match wish.member {
                None => User::Argument(wish.position as u64),
                Some(_) => User::Part,
            };
            (wish.place, of_user(user))
        });
        self.context(values.collect())
    }

    fn context(&mut self, values: Vec<(Sym, Value)>) -> Context {
        let values: Values = values.into();
        let next = Context(self.contexts.len() as u32);
        let found = *self.numbered.entry(values.clone()).or_insert(next);
        if found == next {
            self.contexts.push(values);
        }
        found
    }
}

/// The names in a key, however they are written (`AF_DECnet`).
fn key_names(key: Expr) -> FxHashSet<Sym> {
    let only = key.as_sym().filter(|one| one.text().starts_with(':'));
    only.map_or_else(|| names(key), |one| FxHashSet::from_iter([one]))
}

/// Adds the names of the macros that an expression uses.
fn add_macros(expr: Expr, found: &mut FxHashSet<Sym>) {
    let Err((head, operands)) = parts(expr) else {
        return;
    };
    if head == "call"
        && let Some(name) = operands.first().and_then(|one| parts(*one).ok())
    {
        found.insert(name);
    }
    operands.iter().for_each(|one| add_macros(*one, found));
}

fn distinct(values: impl IntoIterator<Item = Option<Value>>) -> Vec<Option<Value>> {
    let mut listed: Vec<Option<Value>> = Vec::new();
    for value in values {
        if !listed.contains(&value) {
            listed.push(value);
        }
    }
    if listed.contains(&None) || listed.len() > MOST_WAYS {
        listed = vec![any_of(&listed)];
    }
    listed
}

/// What of a call counts for what it hands on, and the number of the wishes.
type Handing = (ExprList, SymList, Sym, Kinds, u32);

/// A definition that is called with constants: what is known there.
pub struct Situation {
    definition: DefId,
    context: Values,
    decided: FxHashMap<ExprList, bool>,
    selected: FxHashMap<ExprList, Rc<[Way]>>,
    /// By what of a call counts, and by the wishes.
    ways: FxHashMap<Handing, Rc<[Context]>>,
}

impl Situation {
    pub fn new(constants: &Constants<'_, '_, '_, '_>, definition: DefId, context: Context) -> Self {
        Situation {
            definition,
            context: constants.contexts[context.0 as usize].clone(),
            decided: FxHashMap::default(),
            selected: FxHashMap::default(),
            ways: FxHashMap::default(),
        }
    }

    /// Whether no guard of the definition is known to fail.
    pub fn possible(
        &mut self,
        constants: &mut Constants<'_, '_, '_, '_>,
        guards: ExprList,
    ) -> bool {
        if guards.is_empty() || self.context.is_empty() {
            return true;
        }
        if let Some(known) = self.decided.get(&guards) {
            return *known;
        }
        let named = constants.named(self.definition);
        let known = |name: Sym| self.known(name, &named);
        let found = constants
            .with_macros(self.definition, guards)
            .iter()
            .all(|guard| truth_of(*guard, &known) != Some(false));
        self.decided.insert(guards, found);
        found
    }

    /// Whether what is known of the callee of a step lets it be this one: the function that was
    /// handed on, or an object's under a key in a table.
    pub fn chooses(&self, constants: &mut Constants<'_, '_, '_, '_>, edge: &Edge) -> bool {
        let Some(call) = edge.call.filter(|call| call.pointer) else {
            return true;
        };
        match choice_of(call.guards) {
            Some(("calls", [function])) => {
                let callee = constants.pointers.view.program[edge.callee].name;
                let named = constants.named(self.definition);
                let known = |name: Sym| self.known(name, &named);
                let is_function = |name: Sym| constants.is_function(name, self.definition);
                let Some(all) = functions_in(*function, &known, &is_function) else {
                    return true;
                };
                let member = edge.via.and_then(|via| via.text().rsplit_once('.'));
                let is_one = |name: &Sym| match name.text().split_at(1) {
                    ("~", own) => member.is_none_or(|(_, member)| own == member),
                    (_, own) => own == callee.text(),
                };
                all.iter().any(is_one)
            }
            Some(("of", [table, key])) => {
                let key = match self.value(constants, *key) {
                    Some(Value::Int(number)) => Some(number),
                    _ => None,
                };
                let table = table.as_sym().unwrap_or_default();
                constants.may_choose(self.definition, table, key, edge.callee)
            }
            Some(("by", [object])) => {
                let place = object.as_text().map(|text| Sym::new(&format!("{text}>")));
                let set = match place.and_then(|place| self.own(place)) {
                    Some(Value::Name(set)) => set,
                    _ => return true,
                };
                !constants
                    .tables
                    .lack(set, self.definition, &call, edge.callee)
            }
            Some(("made", _)) => {
                let all = constants.creations_of(self.definition, call.guards);
                let made: Option<Vec<(Creation, i128)>> = all
                    .iter()
                    .map(|one| match self.value(constants, one.key) {
                        Some(Value::Int(key)) => Some((*one, key)),
                        _ => None,
                    })
                    .collect();
                let Some(made) = made.filter(|made| !made.is_empty()) else {
                    return true;
                };
                let set = constants.tables_made(&made, self.definition, &call);
                let lack = |set| {
                    constants
                        .tables
                        .lack(set, self.definition, &call, edge.callee)
                };
                !set.is_some_and(lack)
            }
            _ => true,
        }
    }

    /// Which named constants of the user's lead to what stands under these guards.
    pub fn ways(
        &mut self,
        constants: &mut Constants<'_, '_, '_, '_>,
        guards: ExprList,
    ) -> Rc<[Way]> {
        if guards.is_empty() {
            return constants.unselected.clone();
        }
        if let Some(known) = self.selected.get(&guards) {
            return known.clone();
        }
        let named = constants.named(self.definition);
        let known = |name: Sym| self.known(name, &named);
        let found: Rc<[Way]> = ways(guards, &known).into();
        self.selected.insert(guards, found.clone());
        found
    }

    /// What is known of a callee's parameters where the definition calls it: one or another of
    /// these.
    pub fn handed(
        &mut self,
        constants: &mut Constants<'_, '_, '_, '_>,
        call: &Call,
        callee: DefId,
    ) -> Rc<[Context]> {
        let wishes = constants.wishes(callee);
        if wishes.all.is_empty() {
            return constants.nothing_handed.clone();
        }
        // What a pointer calls mostly wants the same.
        let arguments = Some(call.arguments).filter(|_| wishes.of_objects);
        let arguments = arguments.unwrap_or_default();
        let key = (
            call.passes,
            arguments,
            call.target,
            call.kinds,
            wishes.number,
        );
        if let Some(known) = self.ways.get(&key) {
            return known.clone();
        }
        let found: Rc<[Context]> = self.contexts(constants, call, &wishes.all).into();
        self.ways.insert(key, found.clone());
        found
    }

    fn contexts(
        &self,
        constants: &mut Constants<'_, '_, '_, '_>,
        call: &Call,
        wishes: &[Wish],
    ) -> Vec<Context> {
        let mut ways: Vec<Vec<(Sym, Value)>> = vec![Vec::new()];
        for wish in wishes {
            if wish.place == kinds() {
                if let Some(value) = self.kinds_for(call) {
                    ways.iter_mut().for_each(|way| way.push((kinds(), value)));
                }
                continue;
            }
            if let Some(set) = self.table_handed(constants, call, wish) {
                ways.iter_mut()
                    .for_each(|way| way.push((wish.place, Value::Name(set))));
                continue;
            }
            let Some(expr) = call.passes.get().get(wish.position).copied() else {
                continue;
            };
            let mut values = match wish.member {
                None => vec![self.value(constants, expr)],
                Some(member) => self.member(constants, expr, member, call.target),
            };
            if !wish.selects {
                let plain = values.iter().map(|value| value.and_then(without_user));
                values = distinct(plain);
            }
            if ways.len() * values.len() > MOST_WAYS {
                values = vec![any_of(&values)];
            }
            if values == [None] {
                continue;
            }
            let mut longer = Vec::with_capacity(ways.len() * values.len());
            for way in &ways {
                for value in &values {
                    let mut way = way.clone();
                    way.extend(value.map(|value| (wish.place, value)));
                    longer.push(way);
                }
            }
            ways = longer;
        }
        ways.into_iter().map(|way| constants.context(way)).collect()
    }

    /// The set of tables that a call hands on as a wish wants it: one that it names, or what a member
    /// of a struct points to that the caller was handed or has set.
    fn table_handed(
        &self,
        constants: &mut Constants<'_, '_, '_, '_>,
        call: &Call,
        wish: &Wish,
    ) -> Option<Sym> {
        let member = wish.member.filter(|_| is_of_object(wish))?.text();
        let Some(member) = member.strip_suffix('>') else {
            let argument = call.arguments.get().get(wish.position)?;
            return constants.tables.named(*argument, self.definition);
        };
        let base = struct_of(*call.passes.get().get(wish.position)?)?;
        let member = Sym::new(member);
        let objects = &mut constants.objects;
        let held = objects.held(self.definition, base, member, call.target)?;
        let own = |place: Sym| match self.own(Sym::new(&format!("{}>", place.text()))) {
            Some(Value::Name(set)) => Some(set),
            _ => None,
        };
        match *held {
            [] => own(member_of(base, member)),
            [only] => own(only.as_sym()?),
            _ => None,
        }
    }

    /// Whether a function may be called for the file at hand.
    pub fn opens(&self, constants: &Constants<'_, '_, '_, '_>, callee: DefId) -> bool {
        let Some(Value::Int(kinds)) = self.own(kinds()) else {
            return true;
        };
        let special = constants.special.get(&callee);
        special.is_none_or(|special| i128::from(*special) & kinds != 0)
    }

    /// The kinds of which the file is that a call hands on.
    fn kinds_for(&self, call: &Call) -> Option<Value> {
        match (self.own(kinds()), call.kinds) {
            (own, 0) => own,
            (Some(Value::Int(own)), told) => Some(Value::Int(own & i128::from(told))),
            (_, told) => Some(Value::Int(i128::from(told))),
        }
    }

    fn known(&self, name: Sym, named: &FxHashMap<Sym, Value>) -> Option<Value> {
        self.own(name).or_else(|| named.get(&name).copied())
    }

    fn own(&self, name: Sym) -> Option<Value> {
        let mut values = self.context.iter();
        values
            .find(|(place, _)| *place == name)
            .map(|(_, value)| *value)
    }

    fn value(&self, constants: &mut Constants<'_, '_, '_, '_>, expr: Expr) -> Option<Value> {
        // Most arguments are variables, or not followed: the constants need not be looked at.
        if let Ok(text) = parts(expr)
            && text.text().starts_with(['$', '?'])
        {
            return self.own(text);
        }
        if let Ok(text) = parts(expr)
            && let Some(name) = text.text().strip_prefix(':')
            && constants.is_function(Sym::new(name), self.definition)
        {
            return Some(Value::Name(text));
        }
        let named = constants.named(self.definition);
        value_of(expr, &|name| self.known(name, &named))
    }

    /// What `member` of a struct may hold that the caller hands on to `target`: what the caller
    /// was handed itself or sets there, with the flags that it adds or not.
    fn member(
        &self,
        constants: &mut Constants<'_, '_, '_, '_>,
        expr: Expr,
        member: Sym,
        target: Sym,
    ) -> Vec<Option<Value>> {
        let unknown = vec![None];
        let Some(base) = struct_of(expr) else {
            let user = user_of(self.value(constants, expr));
            return match (parts(expr), user) {
                (Err(("part", _)), User::Part | User::Argument(_)) => vec![Some(OF_USER)],
                _ => unknown,
            };
        };
        if base.text().starts_with('%') {
            return vec![Some(OF_USER)];
        }
        if base.text().starts_with(':') {
            return match parts(expr) {
                Ok(name) if member.is_empty() => vec![Some(Value::Name(name))],
                _ => unknown,
            };
        }
        let place = member_of(base, member);
        let own = constants.is_parameter(self.definition, base);
        let Some(held) = constants
            .objects
            .held(self.definition, base, member, target)
        else {
            return unknown;
        };
        if held.is_empty() {
            return if own { vec![self.own(place)] } else { unknown };
        }
        let named = constants.named(self.definition);
        let known = |name: Sym| self.known(name, &named);
        let holds = |guard: Expr, known: &dyn Known| truth_of(guard, known) != Some(false);
        let (changes, plain): (Vec<Expr>, Vec<Expr>) =
            held.iter().partition(|one| is_changing(**one, place));
        let mut all: Vec<Option<Value>> = Vec::new();
        all.extend(own.then(|| known(place)));
        for value in plain {
            match parts(value) {
                Err(("when", [guard, _])) if !holds(*guard, &known) => {}
                _ => all.push(value_of(value, &known)),
            }
        }
        let mut values = distinct([any_of(&all)]);
        for _ in 0..MOST_ROUNDS {
            let before = values.clone();
            for change in &changes {
                let mut changed: Vec<Option<Value>> = Vec::new();
                for value in &values {
                    let after = |name: Sym| if name == place { *value } else { known(name) };
                    match parts(*change) {
                        Err(("when", [guard, _])) if !holds(*guard, &after) => {}
                        _ => changed.push(value_of(*change, &after)),
                    }
                }
                values = distinct(values.into_iter().chain(changed));
            }
            if values == before {
                return values;
            }
        }
        unknown
    }
}

/// Whether a wish is which table a parameter (`$ops>`), or a member of it (`$walk>ops>`), points to.
fn is_of_object(wish: &Wish) -> bool {
    let member = wish.member.map(Sym::text);
    member.is_some_and(|member| member.is_empty() || member.ends_with('>'))
}

/// The place of the kinds of which the file at hand is.
fn kinds() -> Sym {
    static KINDS: LazyLock<Sym> = LazyLock::new(|| Sym::new("^kinds"));
    *KINDS
}

/// Whether a value is made of what is in the place: `valid | ATTR_CTIME`.
fn is_changing(expr: Expr, place: Sym) -> bool {
    let is_place = |one: &Expr| parts(*one) == Ok(place);
    parts(without_guard(expr)).is_err_and(|(_, operands)| operands.iter().any(is_place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unknown_once_is_known_as_a_whole_only() {
        let one = Some(Value::Int(1));
        assert_eq!(distinct([one, one]), [one]);
        assert_eq!(distinct([one, None]), [None]);
        let many: Vec<Option<Value>> = (0..5).map(|n| Some(Value::Int(n))).collect();
        assert_eq!(distinct(many).len(), 1);
    }
}
