//! Whether constants on the way switch a check off.
//!
//! A caller hands constants down (`send_sig(SIGSEGV, current, 1)`) or a struct whose flags it set
//! itself (`newattrs.ia_valid = ATTR_MODE | ATTR_CTIME`); a guard in the callee (`!priv && …`,
//! `ia_valid & ATTR_UID`) can be decided with them. What cannot be decided counts as possible.
//!
//! A *context* is what is known of a function's parameters: values by place (`$priv`,
//! `$attr>ia_valid`; `$p>` is the name of the object that `p` points to), and of the file at hand:
//! its kinds, and the file system that it is on.
//!
//! What definitions want to know goes in here, with the calls that may tell it, and what their
//! callees want of the callers comes out; `situation` has what is known where one is called.

mod bounds;
pub mod situation;
pub mod walk;

use std::rc::Rc;
use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

use self::bounds::exclude_one_another;
use crate::choices::{choice_of, mount_in};
use crate::chosen_tables::ChosenTables;
use crate::facts::Call;
use crate::file_kinds::Kinds;
use crate::guards::{RETURNED, leaves, names, unknown, without_guard};
use crate::intern::{Expr, ExprList, Sym};
use crate::lexer::is_upper;
use crate::names::DefId;
use crate::numbers::Numbers;
use crate::objects::{Objects, member_of, struct_of};
use crate::operations::{Registered, Way, selectors};
use crate::points_to::PointsTo;
use crate::table_sets::TableSets;
use crate::user_data;
use crate::values::{User, Value, of_user, parts};

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
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Context(u32);

/// The context of what is called with nothing known.
pub const NOTHING_KNOWN: Context = Context(0);

type Values = Rc<[(Sym, Value)]>;
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
    registered: Registered<'s>,
    numbers: Numbers<'v, 'p, 'f>,
    objects: Objects<'s, 'v, 'p, 'f>,
    chosen: ChosenTables<'s, 'v, 'p, 'f>,
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
    expanded: FxHashMap<(DefId, ExprList), ExprList>,
    excluding: FxHashMap<(DefId, ExprList), bool>,
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
        registered: Registered<'s>,
    ) -> Self {
        let nothing: Values = Rc::from([]);
        Constants {
            pointers,
            special,
            registered,
            numbers: Numbers::new(pointers.view),
            objects: Objects::new(pointers),
            chosen: ChosenTables::new(pointers, tables),
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
            excluding: FxHashMap::default(),
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
                    self.chosen.want(definition, table);
                }
            }
            Some(("by", [object])) => {
                let place = object.as_text().map(|text| Sym::new(&format!("{text}>")));
                self.add(definition, place, false);
            }
            Some(("in", within)) => {
                for (table, key) in self.copied(definition, within) {
                    self.chosen.want(definition, table);
                    self.names.entry(definition).or_default().extend(names(key));
                }
            }
            Some(("made", _)) => {
                for one in &*self.chosen.creations(definition, guards) {
                    self.chosen.want(one.user, one.table);
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
            matches!(head, Some("by" | "made" | "in")) || mount_in(*one).is_some()
        };
        for guard in guards.iter().filter(|one| !is_object(one)) {
            let named = names(*guard);
            self.names.entry(definition).or_default().extend(named);
            self.add(definition, selectors(*guard), true);
            self.add(definition, leaves(*guard), false);
        }
    }

    /// The elements of tables, each with its key, that a struct was copied from whose function is
    /// called; none where it may be another. `within` is what `choices` has behind the word `in`.
    fn copied(&mut self, definition: DefId, within: &[Expr]) -> Vec<(Sym, Expr)> {
        let names: Option<Vec<Sym>> = within.iter().map(|one| one.as_sym()).collect();
        let Some([object, member, place]) = names.as_deref() else {
            return Vec::new();
        };
        let held = self
            .objects
            .settled_for(definition, *object, *member, *place);
        let elements = held.iter().flat_map(|held| held.iter());
        // What is filled with zeros has no function to call.
        let elements = elements.filter(|one| one.as_text() != Some("0"));
        let elements = elements.map(|one| match without_guard(*one).as_tuple() {
            Some(("of", [table, key])) => Some((table.as_sym()?, *key)),
            _ => None,
        });
        let elements: Option<Vec<_>> = elements.collect();
        elements.unwrap_or_default()
    }

    /// Say that it matters in a definition of which kinds the file at hand is.
    pub fn want_kinds(&mut self, definition: DefId) {
        self.want_at_hand(definition, kinds());
    }

    /// Say that it matters in a definition on which file system the file at hand is.
    pub fn want_system(&mut self, definition: DefId) {
        self.want_at_hand(definition, system());
    }

    fn want_at_hand(&mut self, definition: DefId, place: Sym) {
        let wanted = self.wanted.entry(definition).or_default();
        let is_told = wanted.told == wanted.wishes.len();
        if wanted.wishes.iter().any(|wish| wish.place == place) {
            return;
        }
        wanted.wishes.push(Wish {
            place,
            position: usize::MAX,
            member: None,
            selects: false,
        });
        if is_told {
            self.untold.push(definition);
        }
    }

    /// Look for the macros that guards, arguments and what members are set to use. To be asked before
    /// anything is wanted.
    pub fn find_macros<'g>(&mut self, all: impl Iterator<Item = &'g ExprList>) {
        let mut found = Macros::default();
        let mut seen = FxHashSet::default();
        for guards in all.filter(|guards| seen.insert(**guards)) {
            for guard in guards.iter() {
                found.add(*guard);
            }
        }
        let setting = self.objects.using(&mut |value| found.add(value));
        self.numbers.find(found.names);
        let program = self.pointers.view.program;
        for one in setting {
            let path = program[one].path;
            self.objects
                .replace(one, &|value| self.numbers.with_macros(value, path, 0));
        }
    }

    /// Guards or arguments with the macros that they use in their place.
    pub fn with_macros(&mut self, definition: DefId, guards: ExprList) -> ExprList {
        let mut found = Macros::default();
        for guard in guards.iter() {
            found.add(*guard);
        }
        if found.names.is_empty() {
            return guards;
        }
        let key = (definition, guards);
        if let Some(known) = self.expanded.get(&key) {
            return *known;
        }
        let program = self.pointers.view.program;
        let path = program[definition].path;
        let function = program[definition].fact.function();
        let sets = function.map_or(&[][..], |function| &function.sets);
        let numbers = &self.numbers;
        let made = guards.iter().map(|one| {
            let one = without_own(*one, sets);
            numbers.with_macros(one, path, 0)
        });
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
            if wish.place == system() {
                continue; // Whoever is called below a mount wants it already.
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
        all.extend(self.chosen.key_names());
        // Those of macros that may be functions too.
        let is_wanted = |name: &Sym| match name.text().split_at_checked(1) {
            Some(("@", name)) => is_upper(name),
            _ => name.text().starts_with(':'),
        };
        let plain = |name: Sym| Sym::new(name.text().trim_start_matches([':', '@']));
        let wanted = all.into_iter().filter(is_wanted).map(plain);
        self.numbers.find(wanted);
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
                let leaves_alone = |one: Sym| {
                    self.is_function(one, definition) || self.numbers.only_reads(one, path)
                };
                function.is_some_and(leaves_alone).then_some(Value::Int(1))
            };
            if let Some(value) = value {
                found.insert(name, value);
            }
        }
        let found = Rc::new(found);
        self.named.insert(definition, found.clone());
        found
    }

    /// The string that a constant is where a definition stands.
    fn string(&mut self, name: Sym, definition: DefId) -> Option<Sym> {
        if !is_upper(name.text()) {
            return None;
        }
        let path = self.pointers.view.program[definition].path;
        self.numbers.find([name]);
        let name = Sym::new(&format!(":{}", name.text()));
        match self.numbers.value(name, path) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether guards of a definition leave no number that one of its parameters may be.
    fn exclude_one_another(&mut self, definition: DefId, guards: ExprList) -> bool {
        if let Some(known) = self.excluding.get(&(definition, guards)) {
            return *known;
        }
        let named = self.named(definition);
        let all = self.with_macros(definition, guards);
        let found = exclude_one_another(all, &|name| named.get(&name).copied());
        self.excluding.insert((definition, guards), found);
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

/// The names of the macros that expressions use. Each part is looked at once: what is computed of
/// itself over and over stands in itself many times (2.6.29 took minutes).
#[derive(Default)]
struct Macros {
    names: FxHashSet<Sym>,
    seen: FxHashSet<Expr>,
    using: FxHashSet<Expr>,
}

impl Macros {
    /// Adds those of an expression; whether it uses any.
    fn add(&mut self, expr: Expr) -> bool {
        let Err((head, operands)) = parts(expr) else {
            return false;
        };
        if !self.seen.insert(expr) {
            return self.using.contains(&expr);
        }
        let is_call = head == "call";
        if (is_call || head == RETURNED)
            && let Some(name) = operands.first().and_then(|one| parts(*one).ok())
        {
            self.names.insert(name);
        }
        let inner = operands.iter().fold(false, |any, one| self.add(*one) | any);
        if is_call || inner {
            self.using.insert(expr);
        }
        is_call || inner
    }
}

/// A condition with `?` for what functions return of structs whose members are set where it is
/// asked: the condition only tells the struct, not the member.
fn without_own(expr: Expr, sets: &[(Sym, Expr)]) -> Expr {
    let Err((head, operands)) = parts(expr) else {
        return expr;
    };
    let is_set = |one: &Expr| {
        let Some(variable) = struct_of(*one) else {
            return false;
        };
        let mut members = sets
            .iter()
            .filter_map(|(place, _)| place.text().split_once('>'));
        members.any(|(base, _)| base == variable.text())
    };
    if head == RETURNED && operands.iter().any(is_set) {
        return unknown();
    }
    let inner: Vec<Expr> = operands.iter().map(|one| without_own(*one, sets)).collect();
    if inner == operands {
        return expr;
    }
    Expr::tuple(head, &inner)
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

/// The place of the file system on which the file at hand is.
fn system() -> Sym {
    static SYSTEM: LazyLock<Sym> = LazyLock::new(|| Sym::new("^system"));
    *SYSTEM
}
