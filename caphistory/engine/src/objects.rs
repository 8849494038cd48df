//! What the members of a struct hold where a function hands it on: what the function sets them to
//! itself, and what other functions do that it hands the struct to, or that made it for it.

use std::rc::Rc;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::choices::{is_choice, mount_in};
use crate::decisions::loops;
use crate::facts::{Call, Function};
use crate::guards::{has_leaves, leaves, substitute, unknown, without_guard};
use crate::intern::{Expr, ExprList, ExprNode, Sym};
use crate::names::DefId;
use crate::notation::base;
use crate::numbers::with_values;
use crate::points_to::PointsTo;
use crate::user_data;
use crate::values::parts;

/// The calls that are handed a variable, and as which argument, by the variable.
type Handed = FxHashMap<Sym, Vec<(Call, usize)>>;
/// Values that something may have.
type Values = Rc<[Expr]>;
/// A variable of a definition, a member, and what the struct is handed on to.
type Asked = (DefId, Sym, Sym, Option<Sym>);

// Calls that hand a struct on, one within the other; deeper than any kernel has them.
const DEEPEST: u32 = 400;
// Functions that make or fill a struct, one within the other.
const DEEPEST_MADE: u32 = 5;
/// More values of one member are not followed.
const MOST_VALUES: usize = 16;

/// What functions do to the structs that they have.
pub struct Objects<'s, 'v, 'p, 'f> {
    pointers: &'s PointsTo<'v, 'p, 'f>,
    changes: FxHashMap<(DefId, usize, Sym), bool>,
    sets: FxHashMap<DefId, Rc<FxHashMap<Sym, Vec<Expr>>>>,
    handed: FxHashMap<DefId, Rc<Handed>>,
    held: FxHashMap<Asked, Option<Values>>,
}

impl<'s, 'v, 'p, 'f> Objects<'s, 'v, 'p, 'f> {
    pub fn new(pointers: &'s PointsTo<'v, 'p, 'f>) -> Self {
        Objects {
            pointers,
            changes: FxHashMap::default(),
            sets: FxHashMap::default(),
            handed: FxHashMap::default(),
            held: FxHashMap::default(),
        }
    }

    /// The functions that set something to a value of which this holds.
    pub fn using(&self, wanted: &mut dyn FnMut(Expr) -> bool) -> Vec<DefId> {
        let program = self.pointers.view.program;
        let all = program.files().flat_map(|path| program.of_file(path));
        let sets = |one: &DefId| {
            self.values_set(*one)
                .fold(false, |any, value| wanted(value) | any)
        };
        all.filter(sets).collect()
    }

    /// All values that a function sets something to.
    pub fn values_set(&self, definition: DefId) -> impl Iterator<Item = Expr> + use<'f> {
        let function = self.function(definition);
        let sets = function.map_or(&[][..], |one| &one.sets);
        sets.iter().map(|(_, value)| *value)
    }

    /// Puts others in the place of the values that a function sets something to.
    pub fn replace(&mut self, definition: DefId, by: &dyn Fn(Expr) -> Expr) {
        let mut sets = (*self.sets_of(definition)).clone();
        let all = sets.values_mut().flatten();
        all.for_each(|value| *value = by(*value));
        self.sets.insert(definition, Rc::new(sets));
    }

    /// What `member` of a struct may be that a definition hands on to `target`, as expressions of
    /// that definition: none where it does not set it, None where nobody knows.
    pub fn held(
        &mut self,
        definition: DefId,
        base: Sym,
        member: Sym,
        target: Sym,
    ) -> Option<Values> {
        self.held_at((definition, base, member, Some(target)), 0)
    }

    /// The same of a struct whose member is set for sure before it is handed on, or of which is known
    /// what made it, and which no loop hands on again.
    pub fn settled_for(
        &mut self,
        definition: DefId,
        base: Sym,
        member: Sym,
        target: Sym,
    ) -> Option<Values> {
        let handed = self.handed_to(definition);
        let calls = handed.get(&base)?.iter();
        let ends = calls.filter(|(call, _)| call.target == target);
        let first = ends.map(|(call, _)| call.line).min()?;
        let made = self
            .sets_of(definition)
            .contains_key(&member_of(base, rest()));
        if !made && self.set_at(definition, base, member, first, 0).is_none() {
            return None;
        }
        let once = !self.comes_again(definition, &[first], first);
        once.then(|| self.held(definition, base, member, target))?
    }

    /// Without a target: what it is in the end.
    fn held_at(&mut self, asked: Asked, depth: u32) -> Option<Values> {
        if let Some(known) = self.held.get(&asked) {
            return known.clone();
        }
        self.held.insert(asked, None); // for one that makes its own kind
        let found = self.values_of(asked, depth);
        let found: Option<Values> = found
            .filter(|found| found.len() <= MOST_VALUES)
            .map(|found| found.into());
        self.held.insert(asked, found.clone());
        found
    }

    fn values_of(&mut self, asked: Asked, depth: u32) -> Option<Vec<Expr>> {
        let (definition, base, member, target) = asked;
        let all = self.sets_of(definition);
        let (sets, begun) = (
            all.get(&member_of(base, member)),
            all.get(&member_of(base, rest())),
        );
        let own = self.is_parameter(definition, base);
        let untouched = sets.is_none() && begun.is_none();
        if untouched && own {
            return target.is_some().then(Vec::new);
        }
        let is_sure = |this: &mut Self| this.is_sure(definition, base, member, depth);
        if untouched && !is_sure(self) {
            return target.is_some().then(Vec::new);
        }
        let mut found: Vec<Expr> = sets.into_iter().flatten().copied().collect();
        let whole = all.contains_key(&member_of(base, sure(rest())));
        let settled = target.is_none() && !whole && is_sure(self);
        for value in begun.into_iter().flatten().filter(|_| !settled) {
            match parts(without_guard(*value)) {
                Err(("zero", named)) if named.contains(&Expr::sym(member)) => {}
                Err(("zero", _)) => found.push(Expr::text("0")),
                Err(("made", made)) => match self.made(definition, made, member, depth + 1) {
                    Some(values) => found.extend(values),
                    // Whatever it was, it is set here.
                    None if sets.is_some() => {}
                    None => return None,
                },
                _ => return None,
            }
        }
        if !own {
            found.extend(self.filled(definition, base, member, target, depth)?);
        }
        Some(found)
    }

    /// What a member of a struct may be that a call has made.
    fn made(
        &mut self,
        caller: DefId,
        made: &'static [Expr],
        member: Sym,
        depth: u32,
    ) -> Option<Vec<Expr>> {
        let (name, given) = made.split_first()?;
        let name = Sym::new(name.as_text()?.strip_prefix('@')?);
        if user_data::returns_zeros(name.text()) {
            return Some(vec![Expr::text("0")]);
        }
        let callees = self.callees(caller, name);
        if callees.is_empty() || depth > DEEPEST_MADE {
            return None;
        }
        let mut found = vec![];
        for callee in callees.iter().copied() {
            let sets = self.sets_of(callee);
            for value in sets.get(&returned())? {
                let values = match parts(without_guard(*value)) {
                    Ok(text) if text.text() == "0" => continue,
                    Ok(variable) => {
                        let held = self.held_at((callee, variable, member, None), depth + 1)?;
                        in_turn(&held, member_of(variable, member))
                    }
                    Err(("made", made)) => self.made(callee, made, member, depth + 1)?,
                    Err(_) => return None,
                };
                found.extend(self.given(caller, callee, &values, given, depth));
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// What the functions set a member to that a struct is handed to, `target` apart.
    fn filled(
        &mut self,
        caller: DefId,
        variable: Sym,
        member: Sym,
        target: Option<Sym>,
        depth: u32,
    ) -> Option<Vec<Expr>> {
        let handed = self.handed_to(caller);
        let calls = handed.get(&variable).map_or(&[][..], |calls| calls);
        let ends = calls.iter().filter(|(call, _)| Some(call.target) == target);
        let ends: Vec<u32> = ends.map(|(call, _)| call.line).collect();
        let first = ends.iter().copied().min().unwrap_or(u32::MAX);
        let last = ends.iter().copied().max().unwrap_or(u32::MAX);
        let set_at = self.set_at(caller, variable, member, first, depth);
        let mut found = vec![];
        for (call, position) in calls {
            if Some(call.target) == target
                || set_at.is_some_and(|line| call.line < line)
                || last < call.line && !self.comes_again(caller, &ends, call.line)
                || user_data::leaves_alone(call.target.text())
                || !self.may_change(caller, call, *position, member, 0)
            {
                continue;
            }
            let callees = self.callees(caller, call.target);
            if call.pointer || callees.is_empty() || depth > DEEPEST_MADE {
                found.push(self.unknown_under(caller, call.guards)?);
                continue;
            }
            for callee in callees.iter().copied() {
                match self.fills(callee, *position, member, depth + 1) {
                    Some(values) => {
                        found.extend(self.given(caller, callee, &values, call.passes.get(), depth));
                    }
                    None => found.push(self.unknown_under(caller, call.guards)?),
                }
            }
        }
        let is_lasting = |one: &Expr| self.is_lasting(caller, *one);
        found.iter().all(is_lasting).then_some(found)
    }

    /// What nobody knows, where conditions on what a definition was handed hold: a call under them
    /// may change a struct then only (`__scm_send` where there is `msg_controllen`, 6.8).
    fn unknown_under(&self, definition: DefId, guards: ExprList) -> Option<Expr> {
        let of_parameter =
            |place: &Sym| self.is_parameter(definition, Sym::new(base(place.text())));
        let is_plain = |guard: &&Expr| !is_choice(**guard) && mount_in(**guard).is_none();
        let decidable =
            |guard: &&Expr| has_leaves(**guard) && leaves(**guard).iter().all(of_parameter);
        let mut known = guards.iter().filter(is_plain).filter(decidable).copied();
        let first = known.next()?;
        let all = known.fold(first, |all, one| Expr::tuple("&&", &[all, one]));
        Some(Expr::tuple("when", &[all, unknown()]))
    }

    /// Whether a value is as it was where a definition began, or nobody knows it in any case: a
    /// condition on what the definition sets itself may not hold any more.
    fn is_lasting(&self, definition: DefId, value: Expr) -> bool {
        let sets = self.function(definition).map_or(&[][..], |one| &one.sets);
        let Err(("when", [guard, given])) = parts(value) else {
            return true;
        };
        let is_set = |place: &Sym| {
            let whole = member_of(Sym::new(base(place.text())), rest());
            sets.iter().any(|(one, _)| one == place || *one == whole)
        };
        *given != unknown() || !leaves(*guard).iter().any(is_set)
    }

    /// What a function sets a member of its parameter to.
    fn fills(
        &mut self,
        callee: DefId,
        position: usize,
        member: Sym,
        depth: u32,
    ) -> Option<Vec<Expr>> {
        let view = self.pointers.view;
        let function = self.function(callee)?;
        let parameter = function.parameters.get(position)?;
        view.struct_(parameter.type_, view.program[callee].path)?;
        let place = Sym::new(&format!("${}", parameter.name.text()));
        if is_kept(function, place) {
            return None;
        }
        let set_at = self.set_at(callee, place, member, u32::MAX, depth);
        let later = |call: &&Call| set_at.is_none_or(|line| call.line >= line);
        for call in function.calls.iter().filter(later) {
            for (at, argument) in call.arguments.get().iter().enumerate() {
                let expr = call.passes.get().get(at).copied();
                // As what it is not handed on as itself: what is done to it there is not followed.
                if expr.is_some_and(|expr| hands_on(expr, place) && struct_of(expr) != Some(place))
                    && self.may_change(callee, call, at, member, 0)
                {
                    return None;
                }
                let is_unknown = expr.is_none_or(is_unknown);
                if is_unknown && (*argument == place || is_member(*argument, member)) {
                    return None;
                }
            }
        }
        let sets = self.sets_of(callee);
        let mut found = sets
            .get(&member_of(place, member))
            .cloned()
            .unwrap_or_default();
        // `vsock_addr_init` (6.12) clears an address and then gives it its port in any case.
        let last = |one: Sym| {
            let lines = sets.get(&member_of(place, sure(one)))?;
            lines.iter().filter_map(line_of).max()
        };
        let is_set_anew = last(rest()).is_some_and(|cleared| last(member) > Some(cleared));
        for whole in sets.get(&member_of(place, rest())).into_iter().flatten() {
            match parts(without_guard(*whole)) {
                Err(("zero", named)) if named.contains(&Expr::sym(member)) => {}
                Err(("zero", _)) if is_set_anew => {}
                Err(("zero", _)) => found.push(Expr::text("0")),
                _ => return None,
            }
        }
        found.extend(self.filled(callee, place, member, None, depth)?);
        Some(found)
    }

    /// Whether a member is set for sure before a definition returns.
    fn is_sure(&mut self, definition: DefId, base: Sym, member: Sym, depth: u32) -> bool {
        let line = self.set_at(definition, base, member, u32::MAX, depth);
        line.is_some()
    }

    /// The last line before `end` at which a definition sets a member for sure, or calls what does:
    /// what it was before is of no account behind it.
    fn set_at(
        &mut self,
        definition: DefId,
        base: Sym,
        member: Sym,
        end: u32,
        depth: u32,
    ) -> Option<u32> {
        let all = self.sets_of(definition);
        let own = [member, rest()].map(|one| all.get(&member_of(base, sure(one))));
        let own = own.into_iter().flatten().flatten();
        let own = own.filter_map(line_of);
        let mut last: Option<u32> = own.filter(|line| *line < end).max();
        if depth > DEEPEST_MADE {
            return last;
        }
        let handed = self.handed_to(definition);
        for (call, position) in handed.get(&base).into_iter().flatten() {
            let is_later = call.line < end && last.is_none_or(|last| last < call.line);
            if !call.pointer && !call.conditional && is_later {
                let callees = self.callees(definition, call.target);
                let sets = |callee: &DefId| {
                    let parameters = self.function(*callee).map(|one| &one.parameters);
                    let Some(one) = parameters.and_then(|all| all.get(*position)) else {
                        return false;
                    };
                    let place = Sym::new(&format!("${}", one.name.text()));
                    self.is_sure(*callee, place, member, depth + 1)
                };
                if !callees.is_empty() && callees.iter().all(sets) {
                    last = Some(call.line);
                }
            }
        }
        last
    }

    /// Whether some lines may run behind a later one.
    fn comes_again(&mut self, definition: DefId, lines: &[u32], later: u32) -> bool {
        let all = self.sets_of(definition);
        let loops = all.get(&loops()).into_iter().flatten();
        let mut loops = loops.filter_map(|lines| match parts(*lines) {
            Err((_, [first, last])) => Some(line_of(first)?..=line_of(last)?),
            _ => None,
        });
        loops.any(|one| one.contains(&later) && lines.iter().any(|line| one.contains(line)))
    }

    /// Values of a callee as the caller has them: with its arguments in the place of the parameters.
    fn given(
        &mut self,
        caller: DefId,
        callee: DefId,
        values: &[Expr],
        given: &[Expr],
        depth: u32,
    ) -> Vec<Expr> {
        let parameters = self.function(callee).map_or(&[][..], |one| &one.parameters);
        let mut of_parameters: FxHashMap<&str, Expr> = FxHashMap::default();
        for (number, one) in parameters.iter().enumerate() {
            let value = given.get(number).copied().unwrap_or_else(unknown);
            of_parameters.insert(one.name.text(), value);
        }
        let values = values.iter().map(|one| with_values(*one, &of_parameters));
        let values: Vec<Expr> = values.collect();
        let settled = values.iter().map(|one| self.settled(caller, *one, depth));
        settled.collect()
    }

    /// An expression with what is known of the members of local structs in their place.
    fn settled(&mut self, definition: DefId, expr: Expr, depth: u32) -> Expr {
        match expr.get() {
            ExprNode::Text(place) => {
                let local = place
                    .text()
                    .split_once('>')
                    .map(|(base, member)| (Sym::new(base), Sym::new(member)));
                let Some((base, member)) = local.filter(|_| place.text().starts_with('$')) else {
                    return expr;
                };
                if self.is_parameter(definition, base) {
                    return expr;
                }
                let held = self.held_at((definition, base, member, None), depth + 1);
                let held = held.map_or(Vec::new(), |held| in_turn(&held, place));
                match held.as_slice() {
                    [only] if !leaves(*only).contains(&place) => *only,
                    _ => expr,
                }
            }
            ExprNode::Tuple(parts) => {
                let made = parts
                    .iter()
                    .map(|one| self.settled(definition, *one, depth));
                Expr::node(ExprNode::Tuple(ExprList::new(&made.collect::<Vec<_>>())))
            }
        }
    }

    /// Conditions before a line of a definition with what is known of the members of structs that
    /// it had made; without those that nothing is known of.
    pub fn settle(&mut self, definition: DefId, guards: ExprList, line: u32) -> ExprList {
        let is_local = |this: &Self, place: &Sym| {
            let base = place.text().split_once('>').map(|(base, _)| base);
            base.is_some_and(|base| {
                base.starts_with('$') && !this.is_parameter(definition, Sym::new(base))
            })
        };
        let mut found: Vec<Expr> = Vec::with_capacity(guards.len());
        for guard in guards.iter() {
            if is_choice(*guard) || mount_in(*guard).is_some() {
                found.push(*guard);
                continue;
            }
            let locals: Vec<Sym> = leaves(*guard)
                .into_iter()
                .filter(|place| is_local(self, place))
                .collect();
            let mut values: FxHashMap<Sym, Expr> = FxHashMap::default();
            for place in &locals {
                let value = self.settled_before(definition, *place, line);
                values.insert(*place, value.unwrap_or_else(unknown));
            }
            let settled = substitute(*guard, &values);
            if locals.is_empty() || has_leaves(settled) {
                found.push(settled);
            }
        }
        ExprList::new(&found)
    }

    /// What a member of a struct is before a line that a call has made.
    fn settled_before(&mut self, definition: DefId, place: Sym, line: u32) -> Option<Expr> {
        let (base, member) = place.text().split_once('>')?;
        let (base, member) = (Sym::new(base), Sym::new(member));
        let all = self.sets_of(definition);
        if all.contains_key(&place) {
            return None;
        }
        let [only] = all.get(&member_of(base, rest()))?.as_slice() else {
            return None;
        };
        let Err(("made", made)) = parts(without_guard(*only)) else {
            return None;
        };
        let handed = self.handed_to(definition);
        for (call, position) in handed.get(&base).into_iter().flatten() {
            let before = call.line < line || self.comes_again(definition, &[line], call.line);
            if before
                && !user_data::leaves_alone(call.target.text())
                && self.may_change(definition, call, *position, member, 0)
            {
                return None;
            }
        }
        match self.made(definition, made, member, 1)?.as_slice() {
            [value] if !leaves(*value).contains(&place) => Some(*value),
            _ => None,
        }
    }

    fn is_parameter(&self, definition: DefId, variable: Sym) -> bool {
        let name = variable.text().get(1..).unwrap_or_default();
        let parameters = self.pointers.view.program[definition].parameters();
        parameters.iter().any(|one| one.text() == name)
    }

    fn callees(&self, caller: DefId, name: Sym) -> Rc<[DefId]> {
        let view = self.pointers.view;
        view.resolve(name, view.program[caller].path)
    }

    fn function(&self, definition: DefId) -> Option<&'f Function> {
        self.pointers.view.program[definition].fact.function()
    }

    /// What a definition sets places to.
    fn sets_of(&mut self, caller: DefId) -> Rc<FxHashMap<Sym, Vec<Expr>>> {
        let program = self.pointers.view.program;
        let known = self.sets.entry(caller).or_insert_with(|| {
            let mut found: FxHashMap<Sym, Vec<Expr>> = FxHashMap::default();
            let sets = program[caller]
                .fact
                .function()
                .map_or(&[][..], |one| &one.sets);
            for (place, expr) in sets {
                found.entry(*place).or_default().push(*expr);
            }
            Rc::new(found)
        });
        known.clone()
    }

    fn handed_to(&mut self, caller: DefId) -> Rc<Handed> {
        let program = self.pointers.view.program;
        let sets = self.sets_of(caller);
        let known = self.handed.entry(caller).or_insert_with(|| {
            let mut found = Handed::default();
            let calls = program[caller].fact.calls().iter();
            for call in calls.filter(|call| !is_clearing(call, &sets)) {
                for (position, expr) in call.passes.get().iter().enumerate() {
                    // What a return hands on is handed to nobody after that.
                    let base = struct_of(*expr).or_else(|| written(call, position));
                    if let Some(base) = base.filter(|_| !is_last(*expr)) {
                        found.entry(base).or_default().push((*call, position));
                    }
                }
            }
            Rc::new(found)
        });
        known.clone()
    }

    /// Whether a call may give another value to `member` of the struct that it is handed as its
    /// argument number `position`: not if all that it may call is known and leaves it alone (what
    /// notifies of a quota's transfer only looks at `ia_valid`, 2.0).
    fn may_change(
        &mut self,
        caller: DefId,
        call: &Call,
        position: usize,
        member: Sym,
        depth: u32,
    ) -> bool {
        let view = self.pointers.view;
        let callees = if call.pointer {
            self.pointers.targets(caller, call)
        } else {
            view.resolve(call.target, view.program[caller].path)
                .to_vec()
        };
        callees.is_empty()
            || callees
                .iter()
                .any(|one| self.changed_by(*one, position, member, depth))
    }

    fn changed_by(&mut self, callee: DefId, position: usize, member: Sym, depth: u32) -> bool {
        let key = (callee, position, member);
        if let Some(known) = self.changes.get(&key) {
            return *known;
        }
        self.changes.insert(key, true); // for one that calls itself
        let found = depth > DEEPEST || self.sets_or_hands_on(callee, position, member, depth);
        self.changes.insert(key, found);
        found
    }

    fn sets_or_hands_on(
        &mut self,
        callee: DefId,
        position: usize,
        member: Sym,
        depth: u32,
    ) -> bool {
        let view = self.pointers.view;
        let definition = &view.program[callee];
        let function = definition.fact.function();
        let Some((function, parameter)) =
            function.and_then(|one| Some((one, one.parameters.get(position)?)))
        else {
            return true;
        };
        let place = Sym::new(&format!("${}", parameter.name.text()));
        // memset and copy_from_user take any bytes, and work in assembler.
        if view.struct_(parameter.type_, definition.path).is_none()
            || is_set(function, place, member)
        {
            return true;
        }
        for call in &function.calls {
            for (at, argument) in call.arguments.get().iter().enumerate() {
                let expr = call.passes.get().get(at).copied();
                if expr.is_some_and(|expr| hands_on(expr, place))
                    && self.may_change(callee, call, at, member, depth + 1)
                {
                    return true;
                }
                // Its address, or something that is made of it.
                let is_unknown = expr.is_none_or(is_unknown);
                if is_unknown && (*argument == place || is_member(*argument, member)) {
                    return true;
                }
            }
        }
        false
    }
}

/// Values that a place is given in turn, as nobody but its own function can name it: what changes
/// it (`how.flags &= O_PATH_FLAGS`) as changes of all that it was given before.
fn in_turn(values: &[Expr], place: Sym) -> Vec<Expr> {
    let changes_it = |value: &&Expr| leaves(**value).contains(&place);
    let (changing, plain): (Vec<&Expr>, Vec<&Expr>) = values.iter().partition(changes_it);
    if changing.is_empty() || plain.is_empty() {
        return values.to_vec();
    }
    let plain: Vec<Expr> = plain.into_iter().map(|one| without_guard(*one)).collect();
    let before = FxHashMap::from_iter([(place, Expr::text("."))]);
    let changes = changing.into_iter().map(|one| substitute(*one, &before));
    let all: Vec<Expr> = std::iter::once(Expr::tuple("plain", &plain))
        .chain(changes)
        .collect();
    vec![Expr::tuple("grow", &all)]
}

/// Whether a function itself may set the member of its parameter, or keep the parameter.
fn is_set(function: &Function, place: Sym, member: Sym) -> bool {
    let mut sets = function.sets.iter();
    sets.any(|(name, _)| is_member(*name, member) || *name == member_of(place, rest()))
        || is_kept(function, place)
}

/// Whether a function may keep its parameter.
fn is_kept(function: &Function, place: Sym) -> bool {
    let mut sets = function.sets.iter();
    let mut flows = function.flows.iter();
    sets.any(|(name, expr)| {
        *name != returned() && leaves(*expr).into_iter().any(|one| one == place)
    }) || flows.any(|flow| flow.source == place || flow.target == place)
}

/// Whether a call fills what it is handed with 0: that is a value that is set.
fn is_clearing(call: &Call, sets: &FxHashMap<Sym, Vec<Expr>>) -> bool {
    let passes = call.passes.get();
    let is_cleared = |expr: &Expr| match parts(*expr) {
        Ok(pointer) => {
            let lines = sets.get(&member_of(pointer, sure(rest())));
            lines.is_some_and(|all| all.contains(&Expr::text(&call.line.to_string())))
        }
        Err((head, _)) => head == "addr",
    };
    call.target.text() == "memset"
        && passes.first().is_some_and(is_cleared)
        && passes.get(1) == Some(&Expr::text("0"))
}

fn is_member(place: Sym, member: Sym) -> bool {
    let base = place.text().strip_suffix(member.text());
    base.is_some_and(|base| base.ends_with('>'))
}

fn hands_on(expr: Expr, place: Sym) -> bool {
    match parts(expr) {
        Err(("addr", _)) => struct_of(expr) == Some(place),
        _ => leaves(expr).into_iter().any(|one| one == place),
    }
}

fn is_unknown(expr: Expr) -> bool {
    match parts(expr) {
        Ok(text) => text.text() == "?",
        Err(("part", operands)) => operands.get(1) == Some(&Expr::text("&")),
        Err(_) => false,
    }
}

fn is_last(expr: Expr) -> bool {
    let last = |one: &Expr| parts(*one).is_ok_and(|text| text.text() == "last");
    parts(expr).is_err_and(|(_, operands)| operands.iter().any(last))
}

pub fn member_of(base: Sym, member: Sym) -> Sym {
    Sym::new(&format!("{}>{}", base.text(), member.text()))
}

/// The variable or name whose members an argument hands on.
pub fn struct_of(expr: Expr) -> Option<Sym> {
    match parts(expr) {
        Ok(text) => {
            let written = text.text();
            (written.starts_with(['$', ':', '%']) && !written.contains('>')).then_some(text)
        }
        Err(("addr", operands)) => parts(*operands.first()?).ok(),
        Err(_) => None,
    }
}

/// The local variable that an argument is as it is written, whatever it may stand for.
fn written(call: &Call, position: usize) -> Option<Sym> {
    let place = *call.arguments.get().get(position)?;
    let is_variable = place.text().starts_with('$') && !place.text().contains('>');
    is_variable.then_some(place)
}

/// All members of a struct that are not named.
fn rest() -> Sym {
    static REST: LazyLock<Sym> = LazyLock::new(|| Sym::new("*"));
    *REST
}

/// The line that an expression tells.
fn line_of(line: &Expr) -> Option<u32> {
    line.as_text()?.parse().ok()
}

/// Where the lines are kept at which a member is set for sure.
fn sure(member: Sym) -> Sym {
    Sym::new(&format!("{}!", member.text()))
}

/// What a function returns.
fn returned() -> Sym {
    static RETURNED: LazyLock<Sym> = LazyLock::new(|| Sym::new("()"));
    *RETURNED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_hands_a_struct_on() {
        let variable = Expr::text("$attr");
        assert_eq!(struct_of(variable), Some(Sym::new("$attr")));
        assert_eq!(
            struct_of(Expr::tuple("addr", &[variable])),
            Some(Sym::new("$attr"))
        );
        assert_eq!(struct_of(Expr::text("$attr>valid")), None);
        assert!(is_last(Expr::tuple(
            "addr",
            &[variable, Expr::text("last")]
        )));
    }
}
