//! What is known where a definition is called: a context goes in, and what it makes possible, by
//! which tables calls go and what they hand on come out.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::{Constants, Context, Values, Wish, is_of_object, kinds, system};
use crate::call_graph::Edge;
use crate::choices::{choice_of, functions_in, mount_in};
use crate::creations::Creation;
use crate::facts::Call;
use crate::file_kinds::Kinds;
use crate::guards::without_guard;
use crate::intern::{Expr, ExprList, Sym, SymList};
use crate::names::{DefId, PathId};
use crate::objects::{member_of, struct_of};
use crate::operations::{Label, Way, ways};
use crate::values::{
    Known, OF_USER, User, Value, any_of, each_value, parts, truth_of, user_of, value_of,
    without_user,
};

// So many different sets of constants for one call; from there on what they have in common.
const MOST_WAYS: usize = 4;
// Flags that are added one after the other where those before allow it.
const MOST_ROUNDS: usize = 64;

/// What of a call counts for what it hands on, and the number of the wishes.
type Handing = (ExprList, SymList, Sym, Kinds, Option<Sym>, u32);

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

    /// The same where the user gives what a way says; None where that tells nothing of it.
    pub fn where_given(&self, way: &Way) -> Option<Situation> {
        let given = |value: Value| {
            let mut numbers = way.iter().filter_map(Label::value);
            numbers.find_map(|(argument, number)| {
                let is_one = user_of(Some(value)) == User::Argument(argument);
                is_one.then_some(Value::Int(number))
            })
        };
        let told = |(place, value): &(Sym, Value)| (*place, given(*value).unwrap_or(*value));
        let context: Values = self.context.iter().map(told).collect();
        (context != self.context).then(|| Situation {
            definition: self.definition,
            context,
            decided: FxHashMap::default(),
            selected: FxHashMap::default(),
            ways: FxHashMap::default(),
        })
    }

    /// Whether no guard of the definition is known to fail, and none excludes another one.
    pub fn possible(
        &mut self,
        constants: &mut Constants<'_, '_, '_, '_>,
        guards: ExprList,
    ) -> bool {
        if guards.is_empty() {
            return true;
        }
        if constants.exclude_one_another(self.definition, guards) {
            return false;
        }
        if self.context.is_empty() {
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
                let table = table.as_sym().unwrap_or_default();
                self.is_under(constants, table, *key, edge.callee)
            }
            Some(("in", within)) => {
                let elements = constants.copied(self.definition, within);
                elements.is_empty()
                    || elements
                        .iter()
                        .any(|(table, key)| self.is_under(constants, *table, *key, edge.callee))
            }
            Some(("by", [object])) => {
                let place = object.as_text().map(|text| Sym::new(&format!("{text}>")));
                let set = match place.and_then(|place| self.own(place)) {
                    Some(Value::Name(set)) => set,
                    _ => return true,
                };
                constants
                    .chosen
                    .in_set(set, self.definition, &call, edge.callee)
            }
            Some(("made", _)) => {
                let all = constants.chosen.creations(self.definition, call.guards);
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
                let chosen = &mut constants.chosen;
                let set = chosen.made(&mut constants.numbers, &made, self.definition, &call);
                set.is_none_or(|set| chosen.in_set(set, self.definition, &call, edge.callee))
            }
            _ => true,
        }
    }

    /// Whether a function may be one of an object under a key in a table.
    fn is_under(
        &self,
        constants: &mut Constants<'_, '_, '_, '_>,
        table: Sym,
        key: Expr,
        callee: DefId,
    ) -> bool {
        let key = match self.value(constants, key) {
            Some(Value::Int(number)) => Some(number),
            _ => None,
        };
        let numbers = &mut constants.numbers;
        let chosen = &mut constants.chosen;
        chosen.under_key(numbers, self.definition, table, key, callee)
    }

    /// The strings that the definition was handed.
    fn strings(&self) -> Vec<&'static str> {
        let strings = self.context.iter().filter_map(|(_, value)| match value {
            Value::String(text) => Some(text.text()),
            _ => None,
        });
        strings.collect()
    }

    /// Whether one of the names under which the callee of a step is registered begins a string that
    /// the definition was handed: who sets `security.evm` (chmod, 6.8) does not come to what is there
    /// for `trusted.`. So may any name that is no string, and where no string was handed.
    fn is_named(&self, constants: &mut Constants<'_, '_, '_, '_>, edge: &Edge) -> bool {
        let strings = self.strings();
        if strings.is_empty() || edge.via.is_none() {
            return true;
        }
        let names = (constants.registered)(edge);
        let begins = |name: &Sym| match constants.string(*name, self.definition) {
            Some(text) => strings.iter().any(|one| one.starts_with(text.text())),
            None => true,
        };
        names.is_empty() || names.get().iter().any(begins)
    }

    /// The names under which the callee of a step is registered, without those that are strings
    /// where the kernel itself says which.
    pub fn names(&self, constants: &mut Constants<'_, '_, '_, '_>, edge: &Edge) -> Vec<Sym> {
        let mut names = (constants.registered)(edge).get().to_vec();
        if !self.strings().is_empty() {
            names.retain(|name| constants.string(*name, self.definition).is_none());
        }
        names
    }

    /// The contexts in which a step's callee is called; None where its guards fail.
    pub fn after(
        &mut self,
        constants: &mut Constants<'_, '_, '_, '_>,
        edge: &Edge,
    ) -> Option<Rc<[Context]>> {
        let Some(call) = &edge.call else {
            return Some(constants.nothing_handed.clone());
        };
        let possible = self.possible(constants, call.guards)
            && (edge.via.is_none() || self.opens(constants, edge.callee))
            && self.mounts(constants, edge)
            && self.chooses(constants, edge)
            && self.is_named(constants, edge);
        possible.then(|| self.handed(constants, call, edge.callee))
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
        let all = constants.with_macros(self.definition, guards);
        let found: Rc<[Way]> = ways(all, &known).into();
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
            call.guards.iter().find_map(|guard| mount_in(*guard)),
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
            if wish.place == system() {
                if let Some(value) = self.system_for(constants, call) {
                    ways.iter_mut().for_each(|way| way.push((system(), value)));
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
                None => self.values(constants, expr),
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
            return constants.chosen.named(*argument, self.definition);
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

    /// Whether a step may be taken for the file at hand: not through a table that only the files of
    /// other file systems have.
    pub fn mounts(&self, constants: &Constants<'_, '_, '_, '_>, edge: &Edge) -> bool {
        let (Some(call), Some(via)) = (&edge.call, edge.via) else {
            return true;
        };
        let on_mount = self.system_of(constants, call);
        let table = via.text().rsplit_once('.').map(|(table, _)| table);
        on_mount.is_none_or(|file| !constants.chosen.is_of_others(file, table, edge.callee))
    }

    /// The file system on which the file is that a call hands on, unless it goes through a pointer:
    /// what a table's function goes on with may be another file.
    fn system_for(&self, constants: &Constants<'_, '_, '_, '_>, call: &Call) -> Option<Value> {
        let file = self.system_of(constants, call).filter(|_| !call.pointer);
        file.map(|file| Value::Int(i128::from(file.0)))
    }

    /// The file that holds the file system of what is at hand in a call.
    fn system_of(&self, constants: &Constants<'_, '_, '_, '_>, call: &Call) -> Option<PathId> {
        let source = call.guards.iter().find_map(|guard| mount_in(*guard));
        let told = source.and_then(|one| constants.chosen.file_system(one, self.definition));
        let variables = call.passes.iter().filter_map(|one| one.as_sym());
        let mut variables = variables.filter(|_| call.pointer && told.is_none());
        let opened = |one| constants.chosen.opened_on(self.definition, one);
        told.or_else(|| variables.find_map(opened))
            .or_else(|| match self.own(system()) {
                Some(Value::Int(file)) => u32::try_from(file).ok().map(PathId),
                _ => None,
            })
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

    /// The values that an argument may have.
    fn values(&self, constants: &mut Constants<'_, '_, '_, '_>, expr: Expr) -> Vec<Option<Value>> {
        if parts(expr).is_ok() {
            return vec![self.value(constants, expr)];
        }
        let named = constants.named(self.definition);
        each_value(expr, &|name| self.known(name, &named), MOST_WAYS)
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
                _ => all.extend(each_value(value, &known, MOST_WAYS)),
            }
        }
        if all.is_empty() {
            all.push(None);
        }
        let mut values = distinct(all);
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
