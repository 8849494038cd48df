//! What of a function a caller's constants can decide: its calls, tests and sets go in, and come
//! out with that of their guards, and of the values, which rests on what the caller hands down.

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::aliases::Aliases;
use crate::facts::{Call, UidTest};
use crate::guards::{
    followed_only, has_leaves, is_copied, known_part, leaves, marked, substitute, unknown,
    unmarked, without_guard,
};
use crate::intern::{Expr, ExprList, Sym};

/// More flags that are added to a variable are not followed.
const MOST_CHANGES: usize = 500;
/// More values that a variable is set to are not followed.
const MOST_PLAIN: usize = 12;
/// More values of a variable are not followed.
const MOST_VALUES: usize = 4;
/// Local variables that are made of one another, and the parts of what one stands for: of more
/// nothing is put in its place.
const DEEPEST_LOCALS: usize = 2;
const MOST_PARTS: usize = 500;
/// More functions that a variable is handed to are not told from macros.
const MOST_USERS: usize = 30;

/// Calls, uid tests and sets of a function, as `facts::Function` has them.
#[derive(Clone, Debug, Default)]
pub struct Decided {
    pub calls: Box<[Call]>,
    pub uid_tests: Box<[UidTest]>,
    pub sets: Box<[(Sym, Expr)]>,
}

type Values = FxHashMap<Sym, Expr>;

/// What calls do with variables: those that they are `handed`, each with the callee, those whose
/// address they are handed (`addressed`), those into which they copy from the user's memory
/// (`copied`), and the pointers to such (`filled`); and the sets of variables that take place
/// wherever their condition holds, before anything looks at the variable (`sure`).
#[derive(Clone, Debug, Default)]
pub struct Uses {
    pub handed: Vec<(Sym, Sym)>,
    pub addressed: Vec<Sym>,
    pub copied: Vec<Sym>,
    pub filled: Vec<Sym>,
    pub sure: Vec<(Sym, Expr)>,
}

/// Calls and tests with that of their guards alone which a caller's constants can decide, and the
/// values of variables that a callee can see.
///
/// A variable that is set once stands for its value (`ia_valid = attr->ia_valid`), a parameter to
/// which flags are added for what it may then be; whatever else is not a parameter or a member of
/// one is unknown.
///
/// All arguments are in the order of the code, but `uses` are ordered by texts.
pub fn decided(
    mut calls: Vec<Call>,
    mut uid_tests: Vec<UidTest>,
    sets: &[(Sym, Expr)],
    made: &[(Sym, Expr)],
    uses: &Uses,
    parameters: &[Sym],
) -> Decided {
    let parameters: FxHashSet<&str> = parameters.iter().map(|name| name.text()).collect();
    let aliases = Aliases::new(sets, uses, &parameters);
    let renamed;
    let (sets, uses) = if aliases.is_empty() {
        (sets, uses)
    } else {
        for call in &mut calls {
            call.guards = aliases.list(call.guards);
            call.passes = aliases.list(call.passes);
        }
        for test in &mut uid_tests {
            test.guards = aliases.list(test.guards);
        }
        let sure = aliases.sets(&uses.sure);
        renamed = (
            aliases.sets(sets),
            Uses {
                sure,
                ..uses.clone()
            },
        );
        (&renamed.0[..], &renamed.1)
    };
    let users = users_of(&uses.handed);
    let sets = with_copies(sets, &users, &uses.addressed, &parameters);
    let values = by_place(&sets);
    let objects = made.iter().map(|(place, _)| variable(*place)).collect();
    let stands = stands(&values, &users, uses, &parameters, &objects);
    let stands = with_locals(stands, &parameters);
    let makers = once_made(made, uses, &parameters);
    // Of a pointer that is set to another one the members are not the caller's.
    let followed = |name: &str, member: bool| {
        if member && makers.contains(name) {
            return true;
        }
        let value = stands.get(&Sym::new(&format!("${name}")));
        let lost = |value: &Expr| *value == unknown() || member && is_lost(*value);
        parameters.contains(name) && !value.is_some_and(lost)
    };
    // A variable that changes is no longer what the caller handed on.
    let unchanged = |name: &str, _member: bool| {
        let found = stands.get(&Sym::new(&format!("${name}")));
        let is_same = found.is_none_or(|found| found.as_text() == Some(&format!("${name}")));
        parameters.contains(name) && is_same
    };
    // Under which conditions a variable changes may rest on another one that does.
    let begun: Values = stands
        .iter()
        .filter_map(|(&place, &value)| Some((place, begun_as(place, value, &parameters)?)))
        .collect();
    let stands: Values = stands
        .iter()
        .map(|(&place, &value)| {
            let value = with_conditions(value, &begun);
            if has_grown(value) {
                (place, followed_only(value, &unchanged, place))
            } else {
                (place, value)
            }
        })
        .collect();
    let mut known = FxHashMap::default();
    let mut decide = |conditions: ExprList| -> ExprList {
        *known.entry(conditions).or_insert_with(|| {
            let mut parts: Vec<Expr> = Vec::with_capacity(conditions.len());
            for &condition in conditions.get() {
                let part = known_part(condition, &stands, &followed);
                let part = unmarked(part);
                let chooses = part
                    .as_tuple()
                    .is_some_and(|(head, _)| matches!(head, "of" | "made" | "in" | "on"));
                if (has_leaves(part) || chooses) && !parts.contains(&part) {
                    parts.push(part);
                }
            }
            ExprList::new(&parts)
        })
    };
    let once: Values = stands
        .iter()
        .filter(|&(place, value)| *value != unknown() || parameters.contains(variable(*place)))
        .map(|(&place, &value)| (place, unmarked(value)))
        .collect();
    for call in &mut calls {
        call.guards = decide(call.guards);
        let passes = call.passes.iter();
        let passes = passes.map(|&one| unmarked(substitute(one, &once)));
        call.passes = ExprList::new(&passes.collect::<Vec<_>>());
    }
    for test in &mut uid_tests {
        test.guards = decide(test.guards);
    }
    let mut objects = of_objects(made, &once, uses, &parameters);
    if objects.iter().all(|(place, _)| *place == loops()) {
        objects.clear();
    }
    let is_member = |place: Sym| place.text().contains('>');
    let locals: Values = once
        .into_iter()
        .filter(|&(place, _)| !is_member(place))
        .collect();
    let members = values.iter().filter(|&&(place, _)| is_member(place));
    let under = |place: Sym, value: Expr| -> Expr {
        let Some(("when", [guard, value])) = value.as_tuple() else {
            return value;
        };
        if mentions(*guard, place) {
            let guard = unmarked(followed_only(*guard, &unchanged, place));
            return Expr::tuple("when", &[guard, *value]);
        }
        let known = unmarked(known_part(*guard, &stands, &followed));
        if has_leaves(known) {
            Expr::tuple("when", &[known, *value])
        } else {
            *value
        }
    };
    let sets = members
        .flat_map(|(place, all)| {
            all.iter()
                .map(|&value| (*place, substitute(under(*place, value), &locals)))
        })
        .chain(objects)
        .collect();
    Decided {
        calls: calls.into(),
        uid_tests: uid_tests.into(),
        sets,
    }
}

/// What is known of the objects that local variables point to: `$x>*` of one that calls alone make
/// is what makes it, `()` what the function returns, and `$x>m!` are the lines at which a member of a
/// parameter, or of what is returned, is set for sure, `$x>m&!` the flags that a
/// parameter's member keeps for sure, and `@(loop)` the lines of each loop.
fn of_objects(
    made: &[(Sym, Expr)],
    values: &Values,
    uses: &Uses,
    parameters: &FxHashSet<&str>,
) -> Vec<(Sym, Expr)> {
    let nothing = Expr::text("0");
    let is_made = |value: &Expr| matches!(value.as_tuple(), Some(("made", _)));
    let is_kept = |value: &Expr| matches!(value.as_tuple(), Some(("kept", [_])));
    let all = by_place(made);
    let is_returned = |place: &Sym| place.text() == "()";
    // A struct itself, of which functions may have the address.
    let is_whole = |place: &Sym| place.text().ends_with(">*");
    let returns = all.iter().find(|(place, _)| is_returned(place));
    let returns = returns.map_or(&[][..], |(_, values)| values);
    let given = |value: Expr| match is_made(&value) {
        true => substitute(value, values),
        false => value,
    };
    let mut found = Vec::new();
    for (place, values) in &all {
        let name = variable(*place);
        let own = parameters.contains(name);
        if is_returned(place) {
            let known = |value: &Expr| {
                let variable = value.as_text().and_then(|text| text.strip_prefix('$'));
                *value == nothing
                    || is_made(value)
                    || variable.is_some_and(|one| !parameters.contains(one))
            };
            if values.iter().all(known) && values.iter().any(|value| *value != nothing) {
                found.extend(values.iter().map(|value| (*place, given(*value))));
            }
        } else if *place == loops() {
            found.extend(values.iter().map(|lines| (*place, *lines)));
        } else if place.text().ends_with('!') {
            let whole = Expr::text(&format!("${name}"));
            if own || returns.contains(&whole) {
                found.extend(values.iter().map(|line| (*place, *line)));
            }
        } else if !own
            && (is_whole(place) || !uses.addressed.contains(place))
            && values
                .iter()
                .all(|value| *value == nothing || is_made(value))
        {
            let rest = Sym::new(&format!("${name}>*"));
            let made = values.iter().filter(|value| is_made(value));
            found.extend(made.map(|value| (rest, given(*value))));
        } else if !own
            && !uses.addressed.contains(place)
            && values
                .iter()
                .all(|value| *value == nothing || is_kept(value))
        {
            let kept_in = Sym::new(&format!("${name}>@"));
            let places = values.iter().filter_map(|value| value.as_tuple());
            found.extend(places.map(|(_, place)| (kept_in, place[0])));
        }
    }
    found
}

/// The local variables that point to what one call makes, and to nothing else.
fn once_made<'a>(
    made: &'a [(Sym, Expr)],
    uses: &Uses,
    parameters: &FxHashSet<&str>,
) -> FxHashSet<&'a str> {
    let mut values: FxHashMap<&str, Vec<Expr>> = FxHashMap::default();
    let objects = made.iter().filter(|(place, _)| {
        let text = place.text();
        text.starts_with('$') && !text.ends_with('!')
    });
    for (place, value) in objects.filter(|(_, value)| *value != Expr::text("0")) {
        values.entry(variable(*place)).or_default().push(*value);
    }
    let is_made = |value: &Expr| matches!(value.as_tuple(), Some(("made", _)));
    let addressed = |name: &str| uses.addressed.iter().any(|one| variable(*one) == name);
    values.retain(|name, all| {
        matches!(all.as_slice(), [only] if is_made(only))
            && !parameters.contains(name)
            && !addressed(name)
    });
    values.into_keys().collect()
}

/// The place of the lines of loops.
pub fn loops() -> Sym {
    static LOOPS: LazyLock<Sym> = LazyLock::new(|| Sym::new("@(loop)"));
    *LOOPS
}

/// What a local variable may be that is given a parameter, or a member of one, before it changes.
fn begun_as(place: Sym, value: Expr, parameters: &FxHashSet<&str>) -> Option<Expr> {
    if place.text().contains('>') || parameters.contains(variable(place)) {
        return None;
    }
    let mut only = value;
    while let Some((sign, [first, ..])) = only.as_tuple() {
        only = match (sign, first.as_tuple()) {
            ("unless" | "&?" | "|?", _) => *first,
            ("grow", Some(("plain", [plain]))) => *plain,
            _ => return None,
        };
    }
    let own = only.as_sym().filter(|one| one.text().starts_with('$'))?;
    parameters.contains(variable(own)).then_some(value)
}

/// What a variable may be, with what other variables are in the conditions under which it changes.
fn with_conditions(value: Expr, begun: &Values) -> Expr {
    let Some(("grow", [first, changes @ ..])) = value.as_tuple() else {
        return value;
    };
    let mut parts = vec![*first];
    parts.extend(changes.iter().map(|change| match change.as_tuple() {
        Some((sign @ ("when" | "then"), [guard, given])) => {
            Expr::tuple(sign, &[substitute(*guard, begun), *given])
        }
        _ => *change,
    }));
    Expr::tuple("grow", &parts)
}

/// The same values of local variables with what other ones, and parameters that change, may be in
/// their place: `acc_mode = ACC_MODE(flags)` of `flags &= ~strip`.
fn with_locals(stands: Values, parameters: &FxHashSet<&str>) -> Values {
    let is_local = |place: Sym| !parameters.contains(variable(place));
    let stand_for = |place: Sym, value: Expr| {
        let own = |one: Sym| one == place;
        let value = if is_local(place) {
            value
        } else {
            marked(value, &own)
        };
        (place, value)
    };
    let known: Vec<(Sym, Expr)> = stands
        .iter()
        .filter(|(place, value)| !place.text().contains('>') && is_known(**value))
        .filter(|(_, value)| size(**value) <= MOST_PARTS)
        .map(|(place, value)| stand_for(*place, *value))
        .collect();
    let mut found = stands;
    for (place, value) in &mut found {
        for _ in 0..DEEPEST_LOCALS {
            let named = leaves(*value);
            let others = known
                .iter()
                .filter(|(one, _)| one != place && named.contains(one));
            let others: Values = others.copied().collect();
            if others.is_empty() || !is_local(*place) {
                break;
            }
            *value = with_given(*value, &others);
        }
    }
    found
}

/// A value with others in the place of what is given, but not in the conditions of that: they come to
/// many parts (the flags of `build_open_flags`, 6.8) and have what those variables began as.
fn with_given(value: Expr, others: &Values) -> Expr {
    match value.as_tuple() {
        Some((head @ ("when" | "then"), [guard, given])) => {
            Expr::tuple(head, &[*guard, with_given(*given, others)])
        }
        Some((head, operands)) if has_grown(value) => {
            let operands = operands.iter().map(|one| with_given(*one, others));
            Expr::tuple(head, &operands.collect::<Vec<_>>())
        }
        _ => substitute(value, others),
    }
}

/// Whether a value is followed, and not one that only the user chooses.
fn is_known(value: Expr) -> bool {
    let any = matches!(value.as_tuple(), Some(("any", _)));
    value != unknown() && !is_copied(value) && !any
}

/// How many texts an expression is made of.
fn size(expr: Expr) -> usize {
    let operands = expr.as_tuple().map_or(&[][..], |(_, operands)| operands);
    1 + operands.iter().map(|one| size(*one)).sum::<usize>()
}

/// Whether a value, or a part of it, is one that changes.
fn has_grown(value: Expr) -> bool {
    let tuple = value.as_tuple();
    tuple.is_some_and(|(head, operands)| {
        head == "grow" || operands.iter().any(|one| has_grown(*one))
    })
}

/// Whether an expression is made of what is in a place.
fn mentions(expr: Expr, place: Sym) -> bool {
    match expr.as_tuple() {
        Some((_, operands)) => operands.iter().any(|one| mentions(*one, place)),
        None => expr.as_sym() == Some(place),
    }
}

/// All values that a place is set to, by place in the order of the first.
fn by_place(sets: &[(Sym, Expr)]) -> Vec<(Sym, Vec<Expr>)> {
    let mut numbers: FxHashMap<Sym, usize> = FxHashMap::default();
    let mut values: Vec<(Sym, Vec<Expr>)> = Vec::new();
    for &(place, value) in sets {
        let number = *numbers.entry(place).or_insert(values.len());
        match values.get_mut(number) {
            Some((_, all)) => all.push(value),
            None => values.push((place, vec![value])),
        }
    }
    values
}

/// The variable of a place: `x` of `$x>m`.
pub fn variable(place: Sym) -> &'static str {
    let mut rest = place.text().chars();
    rest.next();
    rest.as_str().split('>').next().unwrap_or_default()
}

/// The functions that variables are handed to, as `@f`.
fn users_of(handed: &[(Sym, Sym)]) -> FxHashMap<Sym, Vec<Expr>> {
    let mut users: FxHashMap<Sym, Vec<Expr>> = FxHashMap::default();
    for &(place, user) in handed {
        let user = Expr::text(&format!("@{}", user.text()));
        users.entry(place).or_default().push(user);
    }
    users
}

/// The same sets, with what a local variable is a copy of in its place: after `valid =
/// attr->valid` and `valid = attr->valid |= X`, a test of `valid` is one of `attr->valid`.
fn with_copies(
    sets: &[(Sym, Expr)],
    users: &FxHashMap<Sym, Vec<Expr>>,
    addressed: &[Sym],
    parameters: &FxHashSet<&str>,
) -> Vec<(Sym, Expr)> {
    let mut copies = Values::default();
    for (place, all) in by_place(sets) {
        let own = parameters.contains(variable(place)) || place.text().contains('>');
        if own || addressed.contains(&place) {
            continue;
        }
        let value = without_guard(all[0]);
        let is_copy = value.as_text().is_some_and(|text| {
            text.contains('>') && parameters.contains(variable(Sym::new(text)))
        }) && all.iter().all(|one| without_guard(*one) == value);
        if is_copy {
            let users = users.get(&place).map_or(&[][..], Vec::as_slice);
            copies.insert(place, unless(value, users));
        }
    }
    if copies.is_empty() {
        return sets.to_vec();
    }
    let same = sets.iter();
    same.map(|&(place, value)| (place, substitute(value, &copies)))
        .collect()
}

/// What places stand for.
fn stands(
    values: &[(Sym, Vec<Expr>)],
    users: &FxHashMap<Sym, Vec<Expr>>,
    uses: &Uses,
    parameters: &FxHashSet<&str>,
    objects: &FxHashSet<&str>,
) -> Values {
    let mut stands = Values::default();
    let structs: FxHashSet<&str> = values
        .iter()
        .filter(|(place, _)| place.text().contains('>'))
        .map(|(place, _)| variable(*place))
        .collect();
    let has_members =
        |place: Sym| structs.contains(variable(place)) || objects.contains(variable(place));
    for (place, all) in values {
        if parameters.contains(variable(*place)) {
            let own = std::iter::once(Expr::sym(*place)).chain(all.iter().copied());
            let own: Vec<Expr> = own.collect();
            let mut value = changed(*place, &own, &uses.sure);
            if value == unknown() && !place.text().contains('>') {
                value = any_of(*place, all);
            }
            stands.insert(*place, value);
        }
    }
    let of_parameters = stands.clone();
    for (place, all) in values {
        if !parameters.contains(variable(*place)) && !place.text().contains('>') {
            let users = users.get(place).map_or(&[][..], Vec::as_slice);
            let found = changed(*place, all, &uses.sure);
            // A copy of what changes is any of what that may be.
            let member = found.as_sym().filter(|one| one.text().contains('>'));
            let found = member
                .and_then(|one| of_parameters.get(&one).copied())
                .unwrap_or(found);
            let mut value = unless(found, users);
            if value == unknown() && !has_members(*place) {
                value = any_of(*place, all);
            }
            stands.insert(*place, value);
        }
    }
    for &place in &uses.addressed {
        // "version = ipc_parse_version(&cmd);" leaves the command to the user.
        let own = parameters.contains(place.text().trim_start_matches('$'));
        let value = if own {
            Expr::tuple("any", &[Expr::sym(place)])
        } else {
            unknown()
        };
        stands.insert(place, value);
    }
    // Of a parameter the pointer itself stays the caller's.
    let pointers = uses.filled.iter();
    let pointers = pointers.filter(|place| !parameters.contains(variable(**place)));
    for &place in uses.copied.iter().chain(pointers) {
        let name = place.text().trim_start_matches('$');
        stands.insert(place, Expr::text(&format!("%{name}")));
    }
    stands
}

/// What a variable may be that is set to a few values, or to one and then only has flags added or
/// taken away, or to what comes from the user's memory; unknown for any other. `sure` are sets that
/// take place wherever their condition holds, before the variable is used.
fn changed(place: Sym, values: &[Expr], sure: &[(Sym, Expr)]) -> Expr {
    let name = place;
    let place = Expr::sym(place);
    let mut bare_values = values.iter().map(|value| without_guard(*value));
    if let Some(copied) = bare_values.find(|value| is_copied(*value)) {
        return copied;
    }
    let mut plain: Vec<Expr> = Vec::new();
    let mut changes: Vec<Expr> = Vec::new();
    for &value in values {
        if change(place, without_guard(value)).is_some() {
            changes.push(value);
        } else if !plain.contains(&value) {
            plain.push(value);
        }
    }
    let bare = |value: &Expr| without_guard(*value);
    if plain.is_empty()
        || plain.len() > MOST_PLAIN
        || changes.len() > MOST_CHANGES
        || plain.contains(&unknown())
    {
        return unknown();
    }
    let alone = plain.iter().all(|value| bare(value) == bare(&plain[0]));
    if alone && bare(&plain[0]) == unknown() {
        return unknown();
    }
    if alone && changes.iter().all(|value| bare(value) == *value) {
        return changes
            .iter()
            .filter_map(|&value| change(place, value))
            .fold(bare(&plain[0]), |found, flags| match flags {
                ("|", flags) => Expr::tuple("|?", &[found, flags]),
                (_, flags) => Expr::tuple("&?", &[found, flags]),
            });
    }
    let before = Values::from_iter([(place.as_sym().unwrap_or_default(), Expr::text("."))]);
    // Values are given before they are changed: but for the variable's own, which is a parameter.
    let of_place = |value: &Expr| {
        if *value == place {
            place
        } else {
            substitute(*value, &before)
        }
    };
    let is_first = |value: &&Expr| plain.contains(*value) && bare(value) == **value;
    let first: Vec<Expr> = plain.iter().filter(is_first).copied().collect();
    // One after the other, as they stand in the code.
    let mut later: Vec<Expr> = Vec::new();
    for value in values.iter().filter(|value| !is_first(value)) {
        if !later.contains(value) {
            later.push(*value);
        }
    }
    let behind = values.iter().rposition(|value| first.contains(value));
    let is_sure = |value: &Expr| {
        let mut same = values.iter().enumerate().filter(|(_, one)| *one == value);
        let once = same.next().filter(|_| same.next().is_none());
        sure.contains(&(name, *value)) && once.is_some_and(|(at, _)| Some(at) > behind)
    };
    let later = later.iter().map(|value| match value.as_tuple() {
        Some(("when", operands)) if is_sure(value) => of_place(&Expr::tuple("then", operands)),
        _ => of_place(value),
    });
    let plain: Vec<Expr> = first.iter().map(of_place).collect();
    let mut parts = vec![Expr::tuple("plain", &plain)];
    parts.extend(later);
    Expr::tuple("grow", &parts)
}

/// Whether a pointer with this value may point to something else than it did.
fn is_lost(value: Expr) -> bool {
    value == unknown() || has_several(value) || matches!(value.as_tuple(), Some(("any", _)))
}

/// Whether a variable may be set to another value, and not only have flags added or taken away.
fn has_several(value: Expr) -> bool {
    let Some(("grow", [first, changes @ ..])) = value.as_tuple() else {
        return false;
    };
    let before = Expr::text(".");
    let alone = first.as_tuple().is_some_and(|(_, plain)| plain.len() == 1);
    let changed = |one: &Expr| change(before, without_guard(*one)).is_some();
    !alone || !changes.iter().all(changed)
}

/// One or another of the values of a variable that can be followed: nobody knows which, but the
/// user may choose it (`cmds = 0; if (…) cmds = cmd >> SHIFT;`).
fn any_of(place: Sym, values: &[Expr]) -> Expr {
    let of_itself = |value: &Expr| leaves(*value).contains(&place);
    let bare = values.iter().map(|value| without_guard(*value));
    let followed = bare.filter(|value| has_leaves(*value) && !of_itself(value));
    let followed: Vec<Expr> = followed.collect();
    if followed.is_empty() || followed.len() > MOST_VALUES {
        return unknown();
    }
    Expr::tuple("any", &followed)
}

/// How a value changes a variable: an operator, and the flags that `|` adds or `&` leaves; nothing
/// for another value.
fn change(place: Expr, value: Expr) -> Option<(&'static str, Expr)> {
    match value.as_tuple()? {
        (sign @ ("|" | "&"), &[own, flags, ..]) if own == place => Some((sign, flags)),
        _ => None,
    }
}

/// A value that holds unless one of those that the variable is handed to is a macro.
fn unless(value: Expr, users: &[Expr]) -> Expr {
    if value == unknown() || is_copied(value) || users.is_empty() {
        return value;
    }
    if users.len() > MOST_USERS {
        return unknown();
    }
    let parts: Vec<Expr> = std::iter::once(value)
        .chain(users.iter().copied())
        .collect();
    Expr::tuple("unless", &parts)
}
