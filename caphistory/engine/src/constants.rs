//! What of a function a caller's constants can decide: its guards, and the values that it sets.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::{Call, Constant, UidTest};
use crate::guards::{
    expression, followed_only, has_leaves, is_copied, known_part, leaves, string, substitute,
    unknown, unmarked, without_guard,
};
use crate::intern::{Expr, ExprList, Sym, SymList};
use crate::lexer::{Directive, Keyword, find, is_space, is_upper, is_word, latin1, skip};
use crate::places::{Local, Locals};
use crate::tree::{Field, Tree};

/// Lists of a graphics chip's registers (5.x, 6.x): no call takes such a constant.
const MOST: usize = 500_000;
const LONGEST_BODY: usize = 200;
/// More flags that are added to a variable are not followed.
const MOST_CHANGES: usize = 500;
static OF_TYPE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b[A-Za-z_]\w*\s*\(\s*(?:struct|union|enum|unsigned|signed|const)\b[^()]*\)")
        .expect("a pattern of this module")
});
/// More values that a variable is set to are not followed.
const MOST_PLAIN: usize = 12;
/// More values of a variable are not followed.
const MOST_VALUES: usize = 4;
/// More functions that a variable is handed to are not told from macros.
const MOST_USERS: usize = 30;

/// The constants that a file defines as macros, in order; none of a file of nothing else.
pub fn defined(directives: &[Directive], source: &[u8]) -> Box<[Constant]> {
    let defines = directives
        .iter()
        .filter(|directive| directive.keyword == Keyword::Define);
    let mut size = 0;
    let mut found = Vec::new();
    for directive in defines {
        let Some((name, listed, behind)) = head(directive) else {
            continue;
        };
        let code = with_letters(directive, source);
        let words = code
            .get(behind..)
            .unwrap_or_default()
            .split(|&byte| is_space(byte));
        let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
        let body = words.join(&b' ');
        let body = if is_plain(&body) || is_strings(&body) {
            latin1(&body)
        } else {
            String::new()
        };
        // "#define A A" beside an enum tells that it is there, and nothing more.
        if body.as_bytes() == name {
            continue;
        }
        // As one line: the name with its parameters, a sign and the body.
        let between = usize::from(!found.is_empty());
        size += between + name.len() + listed.as_ref().map_or(0, |one| one.len() + 2);
        size += 1 + body.len();
        if size > MOST {
            return Box::default();
        }
        let parameters = listed.iter().flat_map(|listed| listed.split(','));
        let parameters: Vec<Sym> = parameters.map(Sym::new).collect();
        found.push(Constant {
            name: Sym::latin1(name),
            parameters: SymList::new(&parameters),
            body: Sym::new(&body),
        });
    }
    found.into()
}

/// The constants in upper case that a file's enums name, in order: each as its own value or as the
/// last one that has one and how many come after it. `code` is without comments and strings.
pub fn enumerated(code: &[u8], directives: &[Directive]) -> Vec<Constant> {
    let conditional = |from: usize, to: usize| {
        let first = directives.partition_point(|one| one.start < from);
        let mut between = directives[first..].iter().take_while(|one| one.start < to);
        between.any(|one| one.keyword.conditional())
    };
    let mut found = Vec::new();
    let mut size = 0;
    for at in memchr::memmem::find_iter(code, b"enum") {
        let before = at.checked_sub(1).and_then(|at| code.get(at));
        let mut start = skip(code, at + 4, is_space);
        start = skip(code, skip(code, start, is_word), is_space);
        let whole = |byte: Option<&u8>| byte.is_none_or(|&byte| !is_word(byte));
        if !whole(before) || !whole(code.get(at + 4)) || code.get(start) != Some(&b'{') {
            continue;
        }
        let Some(end) = find(code, start, b"}").filter(|end| end - start < MOST) else {
            continue;
        };
        // What comes after an #if or another macro's use has a number that nobody knows.
        let mut last = Some(("0".to_owned(), 0));
        let mut next = start + 1;
        for one in code[start + 1..end].split(|&byte| byte == b',') {
            let from = next;
            next += one.len() + 1;
            if conditional(from, next) {
                last = None;
            }
            let one = latin1(one.trim_ascii());
            let (name, value) = match one.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(value.trim())),
                None => (one.as_str(), None),
            };
            if let Some(value) = value {
                last = Some((format!("({value})"), 0));
            }
            let is_name = !name.is_empty() && name.bytes().all(is_word);
            let plain = last
                .as_ref()
                .is_some_and(|(base, _)| is_plain(base.as_bytes()));
            if !is_name || !plain {
                last = None;
                continue;
            }
            if let Some((base, count)) = &mut last {
                let body = format!("{base} + {count}");
                *count += 1;
                size += name.len() + body.len();
                if is_upper(name) {
                    found.push(Constant {
                        name: Sym::new(name),
                        parameters: SymList::default(),
                        body: Sym::new(&body),
                    });
                }
            }
        }
        if size > MOST {
            return Vec::new();
        }
    }
    found
}

/// The name of a macro in upper case, its parameters in lower case without white space, and where
/// its body begins.
fn head<'d>(directive: &'d Directive) -> Option<(&'d [u8], Option<String>, usize)> {
    let code = &directive.code[..];
    let start = skip(code, directive.rest, is_space);
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let name_end = skip(code, start, upper);
    let name = code.get(start..name_end)?;
    if start == directive.rest || name.first().is_none_or(u8::is_ascii_digit) {
        return None;
    }
    let mut end = name_end;
    let mut listed = None;
    if code.get(name_end) == Some(&b'(') {
        let parameter = |byte: u8| byte.is_ascii_lowercase() || b"_, ".contains(&byte);
        end = skip(code, name_end + 1, parameter);
        let inner = code
            .get(name_end + 1..end)
            .filter(|inner| !inner.is_empty())?;
        code.get(end).filter(|&&byte| byte == b')')?;
        listed = Some(latin1(inner).replace(' ', ""));
        end += 1;
    }
    if code
        .get(end)
        .is_some_and(|&byte| is_word(byte) || byte == b'(')
    {
        return None;
    }
    Some((
        name,
        listed,
        skip(code, end, |byte| matches!(byte, b' ' | b'\t')),
    ))
}

/// Whether a body may be an expression that `constant` reads.
fn is_plain(body: &[u8]) -> bool {
    let plain =
        |&byte: &u8| is_word(byte) || is_space(byte) || b"()|&~<>+*^',-=!?:".contains(&byte);
    (1..=LONGEST_BODY).contains(&body.len()) && body.iter().all(plain)
}

/// Whether a body is made of strings that are names, and names that may stand for such:
/// `"security."`, `PREFIX "evm"`.
fn is_strings(body: &[u8]) -> bool {
    let part = |part: &[u8]| string(part) || part.iter().all(|&byte| is_word(byte));
    body.len() <= LONGEST_BODY && body.contains(&b'"') && strings(body).all(part)
}

/// The parts of a body that is made of strings.
fn strings(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let inner = body.strip_prefix(b"(");
    let inner = inner.and_then(|inner| inner.strip_suffix(b")"));
    let inner = inner.unwrap_or(body).trim_ascii();
    inner.split(|&byte| byte == b' ')
}

/// A directive's code with the letters and names that stand in it: `_IO('M', 3)`, `"evm"`.
fn with_letters<'d>(directive: &'d Directive, source: &[u8]) -> Cow<'d, [u8]> {
    let end = directive.start + directive.code.len();
    let text = source.get(directive.start..end).unwrap_or_default();
    if memchr::memchr2(b'\'', b'"', text).is_none() {
        return Cow::Borrowed(&directive.code);
    }
    let mut code = directive.code.to_vec();
    let text = without_comments(text);
    let mut at = 0;
    while let Some(found) = text
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'\'', b'"', rest))
    {
        at += found;
        if text.get(at) == Some(&b'"') {
            let Some(end) = find(&text, at + 1, b"\"") else {
                break;
            };
            let literal = at..end + 1;
            if string(&text[literal.clone()]) {
                code[literal.clone()].copy_from_slice(&text[literal]);
            }
            at = end + 1;
            continue;
        }
        match text.get(at..at + 3) {
            Some(&[_, letter, b'\'']) if !matches!(letter, b'\'' | b'\\' | b'\n') => {
                code[at..at + 3].copy_from_slice(&text[at..at + 3]);
                at += 3;
            }
            _ => at += 1,
        }
    }
    Cow::Owned(code)
}

/// A macro's text with spaces for its comments; one that begins with `//` goes to the end.
fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut plain = text.to_vec();
    let mut at = 0;
    let mut closing = true;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr(b'/', rest)) {
        let start = at + found;
        at = start + 1;
        if text.get(at) == Some(&b'/') {
            plain[start..].fill(b' ');
            break;
        }
        if text.get(at) == Some(&b'*') && closing {
            let end = find(text, start + 2, b"*/");
            closing = end.is_some();
            if let Some(end) = end {
                at = end + 2;
                plain[start..at].fill(b' ');
            }
        }
    }
    plain
}

/// The body of a macro as an expression.
pub fn constant(body: &str) -> Expr {
    let parts: Vec<&[u8]> = strings(body.as_bytes()).collect();
    let joined = |part: &&[u8]| {
        string(part) || is_upper(&latin1(part)) && part.iter().all(|&byte| is_word(byte))
    };
    if parts.len() > 1 && parts.iter().all(joined) {
        let part = |part: &&[u8]| match string(part) {
            true => Expr::text(&latin1(part)),
            false => Expr::text(&format!(":{}", latin1(part))),
        };
        return Expr::tuple("concat", &parts.iter().map(part).collect::<Vec<_>>());
    }
    body_of(body, &[])
}

/// The same for a macro with parameters, which are `$name`.
pub fn body_of(body: &str, parameters: &[Sym]) -> Expr {
    // What takes a type is its size, or made of it.
    let plain = OF_TYPE.replace_all(body, "sizeof(int)");
    let code = format!("int x = {plain};");
    let mut local = Locals::default();
    for &name in parameters {
        local.insert(Local {
            name,
            type_: Sym::default(),
            function: false,
        });
    }
    let tree = Tree::parse(code.as_bytes());
    let root = tree.root();
    if tree.has_error() || root.named_child_count() != 1 {
        return unknown();
    }
    let declarator = root
        .first_named()
        .and_then(|one| one.field(Field::Declarator));
    match declarator.and_then(|declarator| declarator.field(Field::Value)) {
        Some(value) => expression(value, code.as_bytes(), &local),
        None => unknown(),
    }
}

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
    let users = users_of(&uses.handed);
    let sets = with_copies(sets, &users, &uses.addressed, &parameters);
    let values = by_place(&sets);
    let objects = made.iter().map(|(place, _)| variable(*place)).collect();
    let stands = stands(&values, &users, uses, &parameters, &objects);
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
            let grown = value.as_tuple().is_some_and(|(head, _)| head == "grow");
            let inner = matches!(value.as_tuple(), Some(("unless", [inner, ..]))
                if inner.as_tuple().is_some_and(|(head, _)| head == "grow"));
            if grown || inner {
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
                    .is_some_and(|(head, _)| matches!(head, "of" | "made"));
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
        .map(|(&place, &value)| (place, value))
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

/// The parameter's member, or the parameter, that a local variable is given before it changes, as
/// one of its values.
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
    parameters
        .contains(variable(own))
        .then(|| Expr::tuple("any", &[only]))
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
fn variable(place: Sym) -> &'static str {
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
    let (first, later): (Vec<Expr>, Vec<Expr>) =
        plain.iter().partition(|value| bare(value) == **value);
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
    parts.extend(changes.iter().map(of_place));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::scan;

    #[test]
    fn constants_are_macros_in_upper_case() {
        let source = b"#define A (1 << 2) /* x */\n#define f 1\n#define B(x, y) \\\n (x | y)\n\
            #define C 'M'\n#define D \"s\"\n#define E(X) 1\n#define F_x 1\n";
        let found = defined(&scan(source).directives, source);
        let shown: Vec<String> = found
            .iter()
            .map(|one| format!("{:?} {:?} {:?}", one.name, one.parameters, one.body))
            .collect();
        let expected = [
            r#""A" [] "(1 << 2)""#,
            r#""B" ["x", "y"] "(x | y)""#,
            r#""C" [] "'M'""#,
            r#""D" [] "\"s\"""#,
        ];
        assert_eq!(shown, expected);
        assert_eq!(
            constant("(1 << 2)"),
            Expr::tuple("<<", &[Expr::text("1"), Expr::text("2")])
        );
        assert_eq!(constant("1 2"), unknown());
    }
}
