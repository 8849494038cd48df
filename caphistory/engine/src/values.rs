//! Values that are known in part: what an expression is worth, and whether a condition holds.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use crate::byte_order::Order;
use crate::guards::AT_LEAST;
use crate::intern::{Expr, ExprNode, Sym};
use crate::lexer::is_upper;
use crate::user_data;

/// A number, a number of which some bits are known, the name of a constant or global whose number
/// is not known (`:NAME`), or that of a member which holds a function (`~m`), a string, the address of something, or a number that is at least another one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Value {
    Int(i128),
    String(Sym),
    Bits(Bits),
    Name(Sym),
    Address,
    Least(Least),
}

/// A number that is at least another one, in the order of the network's bytes or in the machine's
/// (see `byte_order`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Least {
    number: i128,
    order: Option<Order>,
}

/// A number of which some bits are known: those that it has (`must`), and those that it may have
/// (`may`; negative numbers have infinitely many); `nonzero` where it is not 0 for sure; and what it
/// has to do with what the user gives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Bits {
    pub must: i128,
    pub may: i128,
    pub nonzero: bool,
    pub user: User,
}

impl Bits {
    /// What is known by the bits alone.
    pub fn new(must: i128, may: i128) -> Bits {
        Bits {
            must,
            may,
            nonzero: must != 0,
            user: User::Nothing,
        }
    }
}

/// What a value has to do with what the user gives: nothing, or it is made of that, or it is just
/// one of the syscall's arguments or what a function of it gives, as a number tells: what has the
/// same number is equal. Or the user's access mode chose it among some numbers (`chosen_by_mode`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum User {
    #[default]
    Nothing,
    Part,
    Argument(u64),
    Chosen(Expr),
}

impl User {
    /// What is one or the other.
    fn or(self, other: User) -> User {
        match (self, other) {
            (User::Nothing, one) | (one, User::Nothing) => one,
            (one, other) if one == other => one,
            _ => User::Part,
        }
    }

    /// What an operator makes of it with another value. With one that is not known it is taken
    /// as it was: `mode & ~umask`, `cmd` without a version.
    fn operated(self, operator: &str, other: Option<Value>) -> User {
        match (self, other) {
            (User::Argument(argument), Some(other)) if user_of(Some(other)) == User::Nothing => {
                let mut hasher = FxHasher::default();
                (argument, operator, other).hash(&mut hasher);
                User::Argument(hasher.finish())
            }
            (User::Argument(_), None) => self,
            (User::Chosen(_), other) if user_of(other) == User::Nothing => self,
            (User::Nothing, _) => User::Nothing,
            _ => User::Part,
        }
    }
}

/// What an operator makes of two values, of which at most one is the user's own.
fn operated(operator: &str, left: Option<Value>, right: Option<Value>) -> User {
    match (user_of(left), user_of(right)) {
        (one, User::Nothing) => one.operated(operator, right),
        (User::Nothing, other) => other.operated(operator, left),
        _ => User::Part,
    }
}

const ANY: Bits = Bits {
    must: 0,
    may: -1,
    nonzero: false,
    user: User::Nothing,
};
// Each time round a value that grows has at least one bit more that is not known.
const MOST_ROUNDS: usize = 130;
/// What was copied from the user's memory.
pub const OF_USER: Value = of_user(User::Part);

/// What the user chooses, of which nothing else is known.
pub const fn of_user(user: User) -> Value {
    Value::Bits(Bits { user, ..ANY })
}
const WORD: i128 = 1 << 32;
/// Which bits of open's flags say for what a file is opened.
const ACCESS_MODE: &str = ":O_ACCMODE";
// Deeper than the reader or macros nest expressions.
const DEEPEST: u32 = 200;

/// Where the values of names and places are looked up.
pub trait Known {
    fn get(&self, name: Sym) -> Option<Value>;

    /// What variables that change come to, where it is worked out once for a whole expression.
    fn cache(&self) -> Option<&Cache> {
        None
    }
}

/// The value of each variable that changes, by the expression that says how.
pub type Cache = RefCell<FxHashMap<Expr, Option<Value>>>;

impl<F: Fn(Sym) -> Option<Value>> Known for F {
    fn get(&self, name: Sym) -> Option<Value> {
        self(name)
    }
}

/// What is known while one expression is looked at: variables that are made of one another several
/// deep are asked for in each round of each other (open_namei, 2.6.9: half of all time).
struct Cached<'k> {
    known: &'k dyn Known,
    cache: Cache,
}

impl<'k> Cached<'k> {
    fn new(known: &'k dyn Known) -> Cached<'k> {
        let cache = Cache::default();
        Cached { known, cache }
    }
}

impl Known for Cached<'_> {
    fn get(&self, name: Sym) -> Option<Value> {
        self.known.get(name)
    }

    fn cache(&self) -> Option<&Cache> {
        Some(&self.cache)
    }
}

/// What is known where a variable changes; `.` is what it was before.
struct Before<'k> {
    known: &'k dyn Known,
    value: Option<Value>,
}

impl Known for Before<'_> {
    fn get(&self, name: Sym) -> Option<Value> {
        match name.text() {
            "." => self.value,
            _ => self.known.get(name),
        }
    }

    fn cache(&self) -> Option<&Cache> {
        self.known.cache()
    }
}

/// The value of an expression; None where it cannot be told.
pub fn value_of(expr: Expr, known: &dyn Known) -> Option<Value> {
    value_at(expr, &Cached::new(known), 0)
}

/// The values that an expression may have, each by itself where they are as few as `most`: those
/// that a variable is given, as it is changed.
pub fn each_value(expr: Expr, known: &dyn Known, most: usize) -> Vec<Option<Value>> {
    let whole = vec![value_of(expr, known)];
    match parts(expr) {
        Err(("unless", [inner, functions @ ..])) => {
            let is_known = |one: &Expr| parts(*one).is_ok_and(|name| known.get(name).is_some());
            match functions.iter().all(is_known) {
                true => each_value(*inner, known, most),
                false => whole,
            }
        }
        Err(("when" | "then", [_, inner])) => each_value(*inner, known, most),
        Err(("grow", operands)) => each_grown(operands, known, most).unwrap_or(whole),
        _ => whole,
    }
}

fn each_grown(operands: &[Expr], known: &dyn Known, most: usize) -> Option<Vec<Option<Value>>> {
    let (first, changes) = operands.split_first()?;
    let mut found: Vec<Value> = Vec::new();
    let add = |found: &mut Vec<Value>, value: Value| {
        if !found.contains(&value) {
            found.push(value);
        }
    };
    for one in parts(*first).err()?.1 {
        add(&mut found, value_of(*one, known)?);
    }
    let (later, fresh): (Vec<Expr>, Vec<Expr>) =
        changes.iter().partition(|one| is_of_before(**one));
    for change in fresh {
        if let Some(value) = given(change, known)? {
            add(&mut found, value);
        }
    }
    let mut at = 0;
    while let Some(before) = found.get(at).copied().filter(|_| found.len() <= most) {
        at += 1;
        let value = Some(before);
        let known = Before { known, value };
        for change in &later {
            if let Some(value) = given(*change, &known)? {
                add(&mut found, value);
            }
        }
    }
    let few = (1..=most).contains(&found.len());
    few.then(|| found.into_iter().map(Some).collect())
}

/// The value that a change gives to a variable: none where its condition fails. None where it is not
/// known, or where nothing is left of what the variable may have been.
fn given(change: Expr, known: &dyn Known) -> Option<Option<Value>> {
    let (guard, value, is_sure) = match parts(change) {
        Err((head @ ("when" | "then"), [guard, value])) => {
            (truth_of(*guard, known), *value, head == "then")
        }
        _ => (None, change, false),
    };
    match guard {
        Some(false) => Some(None),
        Some(true) if is_sure => None,
        _ if is_sure && is_of_before(value) => None,
        _ => value_of(value, known).map(Some),
    }
}

/// Whether a condition holds; None where it cannot be told.
pub fn truth_of(expr: Expr, known: &dyn Known) -> Option<bool> {
    truth_at(expr, &Cached::new(known), 0)
}

/// What an expression is made of: a text, or its operator with the operands.
pub fn parts(expr: Expr) -> Result<Sym, (&'static str, &'static [Expr])> {
    match expr.get() {
        ExprNode::Text(sym) => Ok(sym),
        ExprNode::Tuple(parts) => {
            let head = match parts.first().map(|head| head.get()) {
                Some(ExprNode::Text(head)) => head.text(),
                _ => "",
            };
            Err((head, parts.get().get(1..).unwrap_or_default()))
        }
    }
}

fn value_at(expr: Expr, known: &dyn Known, depth: u32) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let (operator, operands) = match parts(expr) {
        Ok(text) => return value_of_text(text, known),
        Err(parts) => parts,
    };
    let at = |number: usize| value_at(*operands.get(number)?, known, depth + 1);
    match operator {
        "addr" => Some(Value::Address),
        "unless" => {
            let functions = operands.get(1..).unwrap_or_default();
            let all = functions
                .iter()
                .all(|one| parts(*one).is_ok_and(|name| known.get(name).is_some()));
            // What a macro does to it is not known, but the user chose it.
            if all || user_of(at(0)) == User::Nothing {
                if all { at(0) } else { None }
            } else {
                Some(of_user(user_of(at(0))))
            }
        }
        "?:" => match truth_at(*operands.first()?, known, depth + 1) {
            Some(true) => at(1),
            Some(false) => at(2),
            None => any_of(&[at(1), at(2)]),
        },
        "&" | "|" | "|?" | "&?" => {
            let (left, right) = (at(0), at(1));
            let user = match operator {
                "&?" => user_of(left),
                _ => operated(operator, left, right),
            };
            let (left, right) = (bits(left), bits(right));
            let (must, may) = match operator {
                "&" => (left.must & right.must, left.may & right.may),
                "|" => (left.must | right.must, left.may | right.may),
                "&?" => (left.must & right.must, left.may),
                _ => (left.must, left.may | right.may),
            };
            let found = Bits::new(must, may);
            value(Bits { user, ..found })
        }
        "~" => {
            let inner = bits(at(0));
            let found = Bits::new(!inner.may, !inner.must);
            let user = inner.user.operated("~", Some(Value::Int(0)));
            value(Bits { user, ..found })
        }
        "concat" => {
            let all: Option<String> = (0..operands.len())
                .map(|number| text_of(at(number)))
                .collect();
            all.map(|all| Value::String(Sym::new(&all)))
        }
        "strlen" => Some(Value::Int(text_of(at(0))?.len() as i128)),
        "sizeof" => Some(Value::Int(text_of(at(0))?.len() as i128 + 1)),
        "strcmp" | "strncmp" => {
            let most = match at(2) {
                Some(Value::Int(most)) => usize::try_from(most).ok()?,
                _ if operator == "strncmp" => return None,
                _ => usize::MAX,
            };
            let begun = |number: usize| text_of(at(number)).map(|text| text.bytes().take(most));
            let same = begun(0)?.eq(begun(1)?);
            Some(Value::Int(i128::from(!same)))
        }
        "element" => {
            let index = bits(at(0));
            let may_be = |number: &i128| number & !index.may == 0 && index.must & !number == 0;
            let all = (0..).zip(operands.iter().skip(1));
            let all = all.filter(|(number, _)| may_be(number));
            let all: Vec<_> = all
                .map(|(_, one)| value_at(*one, known, depth + 1))
                .collect();
            let found = bits(any_of(&all));
            let by_mode = index.user != User::Nothing && chosen_by_mode(expr).is_some();
            let user = if by_mode {
                User::Chosen(expr)
            } else {
                index.user
            };
            value(Bits { user, ..found })
        }
        "when" | "then" => at(1),
        AT_LEAST => match at(0)? {
            Value::Int(number) => Some(Value::Least(Least {
                number,
                order: None,
            })),
            _ => None,
        },
        "ntohs" | "ntohl" => turned(Order::named(operator)?, at(0)?),
        "grow" => {
            let cache = known.cache();
            let before = cache.and_then(|cache| cache.borrow().get(&expr).copied());
            before.unwrap_or_else(|| {
                let found = grown(operands, known, depth + 1);
                cache.map(|cache| cache.borrow_mut().insert(expr, found));
                found
            })
        }
        "+" | "-" | "*" | "^" | "<<" | ">>" => {
            if let (Some(Value::Int(left)), Some(Value::Int(right))) = (at(0), at(1)) {
                return arithmetic(operator, left, right).map(Value::Int);
            }
            if matches!(operator, "^" | "-") && same(operands, known) {
                return Some(Value::Int(0));
            }
            let user = operated(operator, at(0), at(1));
            if user != User::Nothing {
                return Some(of_user(user));
            }
            if let ("<<", Some(Value::Int(places @ 0..64))) = (operator, at(1)) {
                let left = bits(at(0));
                let shifted = |bits: i128| bits.checked_mul(1 << places);
                return value(Bits::new(shifted(left.must)?, shifted(left.may)?));
            }
            match (operator, at(0), at(1)) {
                ("+", Some(Value::Bits(left)), Some(Value::Int(right))) => value(sum(left, right)?),
                _ => None,
            }
        }
        "part" => {
            let name = operands.get(1).and_then(|name| parts(*name).ok());
            let user = user_of(at(0)).operated("part", name.map(Value::Name));
            if user != User::Nothing {
                return Some(of_user(user));
            }
            let (places, kept) = user_data::part(name?.text())?;
            let whole = bits(at(0));
            let part = |bits: i128| bits >> places & kept;
            value(Bits::new(part(whole.must), part(whole.may)))
        }
        "any" | "call" => {
            let users = (0..operands.len()).map(|number| user_of(at(number)));
            let user = users.fold(User::Nothing, User::or);
            (user != User::Nothing).then_some(of_user(user))
        }
        "!" | "&&" | "||" | "==" | "!=" | "<" | "<=" | ">" | ">=" | "case" => {
            truth_at(expr, known, depth + 1).map(|truth| Value::Int(i128::from(truth)))
        }
        _ => None,
    }
}

/// The numbers among which the access mode in the flags of open chooses: `"\004\002\006\006"[flags &
/// O_ACCMODE]`.
pub fn chosen_by_mode(expr: Expr) -> Option<&'static [Expr]> {
    let ("element", [index, numbers @ ..]) = parts(expr).err()? else {
        return None;
    };
    let ("&", sides) = parts(*index).err()? else {
        return None;
    };
    sides.contains(&Expr::text(ACCESS_MODE)).then_some(numbers)
}

/// A number with its bytes in the other order.
fn turned(order: Order, value: Value) -> Option<Value> {
    match value {
        Value::Int(0) => Some(value),
        Value::Least(Least { number, order: now }) if now.is_none_or(|now| now == order) => {
            let order = now.is_none().then_some(order);
            Some(Value::Least(Least { number, order }))
        }
        _ => None,
    }
}

impl Least {
    /// Whether a comparison with a number holds.
    fn compared(self, operator: &str, with: i128) -> Option<bool> {
        let is_reached = match operator {
            ">=" | "<" => with <= self.number,
            _ => with < self.number,
        };
        let known = self.order.is_none() && plain(self.number) && plain(with) && is_reached;
        known.then_some(operator.starts_with('>'))
    }
}

/// `>` of `<`: what a comparison is with its sides exchanged.
pub fn mirrored(operator: &'static str) -> &'static str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        _ => operator,
    }
}

fn text_of(value: Option<Value>) -> Option<&'static str> {
    match value {
        Some(Value::String(text)) => Some(text.text()),
        _ => None,
    }
}

fn value_of_text(text: Sym, known: &dyn Known) -> Option<Value> {
    let written = text.text();
    if written.starts_with('"') {
        return Some(Value::String(Sym::new(written.trim_matches('"'))));
    }
    if written.starts_with(['$', '.']) {
        return known.get(text);
    }
    if written.starts_with('%') {
        return Some(OF_USER);
    }
    if written.starts_with('~') {
        return Some(Value::Name(text));
    }
    if let Some(name) = written.strip_prefix(':') {
        let unknown = || is_upper(name).then_some(Value::Name(text));
        return known.get(text).or_else(unknown);
    }
    let digits = written.trim_start_matches('-');
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if number {
        written.parse().ok().map(Value::Int)
    } else {
        None
    }
}

/// Numbers are so wide that what overflows is none of the kernel's.
fn arithmetic(operator: &str, left: i128, right: i128) -> Option<i128> {
    match operator {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "^" => Some(left ^ right),
        "<<" if (0..64).contains(&right) => left.checked_mul(1 << right),
        ">>" if left >= 0 && (0..64).contains(&right) => Some(left >> right),
        _ => None,
    }
}

/// A number more, if a single bit is not known and it changes only those below: flags that are counted
/// up though one more may be set (`flags |= O_LARGEFILE` of sys_open, then `namei_flags++`, 2.6.9).
fn sum(left: Bits, right: i128) -> Option<Bits> {
    let unknown = left.may & !left.must;
    let below = unknown - 1;
    let low = (left.must & below).checked_add(right)?;
    let with_low = |bits: i128| bits & !below | low;
    (unknown.count_ones() == 1 && (0..=below).contains(&low))
        .then(|| Bits::new(with_low(left.must), with_low(left.may)))
}

/// What a value has to do with what the user gives.
pub fn user_of(value: Option<Value>) -> User {
    match value {
        Some(Value::Bits(bits)) => bits.user,
        _ => User::Nothing,
    }
}

/// A value as one of which nobody knows who chooses it.
pub fn without_user(found: Value) -> Option<Value> {
    match found {
        Value::Bits(bits) => value(Bits {
            user: User::Nothing,
            ..bits
        }),
        _ => Some(found),
    }
}

/// What is known of a value's bits.
pub fn bits(value: Option<Value>) -> Bits {
    match value {
        Some(Value::Int(number)) => Bits::new(number, number),
        Some(Value::Bits(bits)) => bits,
        // In whatever order its bytes are.
        Some(Value::Least(Least { number, .. })) => Bits {
            nonzero: number > 0,
            ..ANY
        },
        _ => ANY,
    }
}

fn value(found: Bits) -> Option<Value> {
    if found.must == found.may {
        Some(Value::Int(found.must))
    } else if found == ANY {
        None
    } else {
        Some(Value::Bits(found))
    }
}

/// What is known of something that has one of these values.
pub fn any_of(values: &[Option<Value>]) -> Option<Value> {
    let first = *values.first()?;
    if values.iter().all(|one| *one == first) {
        return first;
    }
    let (mut must, mut may, mut nonzero) = (-1, 0, true);
    let mut user = User::Nothing;
    for one in values {
        let one = bits(*one);
        must &= one.must;
        may |= one.may;
        nonzero &= one.nonzero;
        user = user.or(one.user);
    }
    value(Bits {
        must,
        may,
        nonzero,
        user,
    })
}

/// What something may be that has one of some values and is then changed, as often as its guards
/// allow.
fn grown(operands: &[Expr], known: &dyn Known, depth: u32) -> Option<Value> {
    let (first, mut changes) = operands.split_first()?;
    let values = parts(*first).err()?.1.iter();
    let values: Vec<Option<Value>> = values.map(|one| value_at(*one, known, depth)).collect();
    let mut found = (!values.is_empty()).then(|| any_of(&values));
    let before = Before { known, value: None };
    let settles = |change: &Expr| match parts(*change) {
        Err(("then", [guard, value])) => {
            !is_of_before(*value) && truth_at(*guard, &before, depth) == Some(true)
        }
        _ => false,
    };
    if let Some(at) = changes.iter().rposition(settles) {
        found = Some(value_at(changes[at], &before, depth));
        changes = &changes[at + 1..];
    }
    let is_once =
        |change: &Expr| matches!(parts(*change), Err(("then", [_, value])) if is_of_before(*value));
    while let Some(at) = changes.iter().position(is_once) {
        found = grown_by(found, &changes[..at], MOST_ROUNDS, known, depth)?;
        found = grown_by(found, &changes[at..=at], 1, known, depth)?;
        changes = &changes[at + 1..];
    }
    grown_by(found, changes, MOST_ROUNDS, known, depth)?.flatten()
}

/// Whether a value is made of what was there before.
fn is_of_before(expr: Expr) -> bool {
    match parts(expr) {
        Ok(text) => text.text() == ".",
        Err((_, operands)) => operands.iter().any(|one| is_of_before(*one)),
    }
}

/// What may be there, or some changes of it, in so many rounds; None where they find no end.
fn grown_by(
    found: Option<Option<Value>>,
    changes: &[Expr],
    rounds: usize,
    known: &dyn Known,
    depth: u32,
) -> Option<Option<Option<Value>>> {
    let mut found = found;
    for _ in 0..rounds {
        let before = found;
        for change in changes {
            let value = found.flatten();
            let known = Before { known, value };
            let value = match parts(*change) {
                Err(("when" | "then", [guard, _]))
                    if truth_at(*guard, &known, depth) == Some(false) =>
                {
                    continue;
                }
                _ => value_at(*change, &known, depth),
            };
            found = Some(found.map_or(value, |found| any_of(&[found, value])));
        }
        if found == before {
            return Some(found);
        }
    }
    (rounds == 1).then_some(found)
}

fn truth_at(expr: Expr, known: &dyn Known, depth: u32) -> Option<bool> {
    if depth > DEEPEST {
        return None;
    }
    let (operator, operands) = parts(expr).err().unwrap_or_default();
    let value = |number: usize| value_at(*operands.get(number)?, known, depth + 1);
    match operator {
        "!" => truth_at(*operands.first()?, known, depth + 1).map(|inner| !inner),
        "&&" | "||" => {
            let decisive = operator == "||";
            let mut unknown = false;
            for side in operands {
                match truth_at(*side, known, depth + 1) {
                    Some(truth) if truth == decisive => return Some(decisive),
                    None => unknown = true,
                    _ => {}
                }
            }
            if unknown { None } else { Some(!decisive) }
        }
        "==" | "!=" => {
            let found = equal(value(0), value(1));
            let equal = found.or_else(|| same(operands, known).then_some(true))?;
            Some(equal == (operator == "=="))
        }
        "<" | "<=" | ">" | ">=" => match (value(0), value(1)) {
            // Whether a comparison is one of signed numbers is not known.
            (Some(Value::Int(left)), Some(Value::Int(right))) if plain(left) && plain(right) => {
                Some(match operator {
                    "<" => left < right,
                    "<=" => left <= right,
                    ">" => left > right,
                    _ => left >= right,
                })
            }
            (Some(Value::Least(left)), Some(Value::Int(right))) => left.compared(operator, right),
            (Some(Value::Int(left)), Some(Value::Least(right))) => {
                right.compared(mirrored(operator), left)
            }
            // More than 0 is no matter of signs.
            (Some(Value::Bits(left)), Some(Value::Int(0))) if left.nonzero && left.may >= 0 => {
                Some(matches!(operator, ">" | ">="))
            }
            _ => None,
        },
        "case" => in_case(
            value(0)?,
            parts(*operands.get(1)?).err()?.1,
            parts(*operands.get(2)?).err()?.1,
            known,
        ),
        _ => match value_at(expr, known, depth + 1)? {
            Value::Int(number) => Some(number != 0),
            Value::Bits(bits) => bits.nonzero.then_some(true),
            Value::Address | Value::String(_) => Some(true),
            Value::Least(Least { number, .. }) => (number > 0).then_some(true),
            Value::Name(_) => None,
        },
    }
}

fn plain(number: i128) -> bool {
    (0..WORD / 2).contains(&number)
}

/// Whether two values are the same; 4294967295 and -1 may be.
fn equal(left: Option<Value>, right: Option<Value>) -> Option<bool> {
    let (left, right) = (left?, right?);
    match (left, right) {
        (Value::Name(one), Value::Name(other)) => {
            let same = one == other && !one.text().starts_with('~');
            return same.then_some(true);
        }
        (Value::Address | Value::String(_), Value::Int(0))
        | (Value::Int(0), Value::Address | Value::String(_)) => return Some(false),
        (Value::Address | Value::String(_) | Value::Name(_), _)
        | (_, Value::Address | Value::String(_) | Value::Name(_)) => return None,
        _ => {}
    }
    let (one, other) = (bits(Some(left)), bits(Some(right)));
    if (one.must & !other.may | other.must & !one.may) & (WORD - 1) != 0 {
        return Some(false);
    }
    let zero = Some(Value::Int(0));
    if one.nonzero && Some(right) == zero || other.nonzero && Some(left) == zero {
        return Some(false);
    }
    let number = matches!(left, Value::Int(_));
    (number && left == right).then_some(true)
}

/// Whether two expressions are a member of the same object: `current->uid` and `p->uid` where
/// the caller handed `current` on.
fn same(sides: &[Expr], known: &dyn Known) -> bool {
    let [left, right] = sides else {
        return false;
    };
    match (object(*left, known), object(*right, known)) {
        (Some(one), Some(other)) => one == other,
        _ => false,
    }
}

fn object(expr: Expr, known: &dyn Known) -> Option<(Value, &'static str)> {
    let (base, member) = parts(expr).ok()?.text().split_once('>')?;
    let named = known.get(Sym::new(&format!("{base}>")));
    Some((named.unwrap_or_else(|| Value::Name(Sym::new(base))), member))
}

/// Whether a value leads to a branch of a switch. C allows no label twice: labels that have
/// different names are different.
fn in_case(value: Value, own: &[Expr], all: &[Expr], known: &dyn Known) -> Option<bool> {
    let default = Expr::text("default");
    let same = |label: &Expr| equal(Some(value), value_of(*label, known));
    let own_are: Vec<Option<bool>> = own.iter().map(same).collect();
    if own_are.contains(&Some(true)) {
        return Some(true);
    }
    let others: Vec<Expr> = all
        .iter()
        .copied()
        .filter(|one| !own.contains(one))
        .collect();
    if others.iter().any(|label| same(label) == Some(true)) {
        return Some(false);
    }
    if own.contains(&default) {
        let excluded = own
            .iter()
            .chain(&others)
            .filter(|label| **label != default)
            .all(|label| same(label) == Some(false));
        return if excluded { Some(true) } else { None };
    }
    own_are
        .iter()
        .all(|one| *one == Some(false))
        .then_some(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: i128) -> Option<Value> {
        Some(Value::Int(value))
    }

    fn knowing(name: &'static str, value: Option<Value>) -> impl Known {
        move |asked: Sym| if asked.text() == name { value } else { None }
    }

    #[test]
    fn a_bit_that_cannot_be_set_decides_a_test() {
        let flags = Expr::tuple("&", &[Expr::text("$valid"), Expr::text("2")]);
        let known = Some(Value::Bits(Bits::new(1, 5)));
        assert_eq!(truth_of(flags, &knowing("$valid", known)), Some(false));
        assert_eq!(truth_of(flags, &knowing("$valid", None)), None);
        assert_eq!(truth_of(flags, &knowing("$valid", number(-1))), Some(true));
    }

    #[test]
    fn what_is_at_least_a_number_is_not_below_it() {
        let least = Expr::tuple(AT_LEAST, &[Expr::text("64")]);
        let below = |value: Expr, number: &str| Expr::tuple("<", &[value, Expr::text(number)]);
        let nothing = |_: Sym| None;
        assert_eq!(truth_of(below(least, "64"), &nothing), Some(false));
        assert_eq!(truth_of(below(least, "65"), &nothing), None);
        let turned = |value: Expr| Expr::tuple("ntohs", &[value]);
        assert_eq!(truth_of(below(turned(least), "64"), &nothing), None);
        assert_eq!(
            truth_of(below(turned(turned(least)), "64"), &nothing),
            Some(false)
        );
        assert_eq!(truth_of(turned(least), &nothing), Some(true));
    }

    #[test]
    fn minus_one_may_be_a_word_of_ones() {
        assert_eq!(equal(number(-1), number(4_294_967_295)), None);
        assert_eq!(equal(number(0), number(1)), Some(false));
        assert_eq!(equal(Some(Value::Address), number(0)), Some(false));
    }

    #[test]
    fn a_default_branch_needs_all_labels_excluded() {
        let labels = |names: &[&str]| {
            let parts: Vec<Expr> = names.iter().map(|name| Expr::text(name)).collect();
            Expr::tuple("labels", &parts)
        };
        let branch = Expr::tuple(
            "case",
            &[
                Expr::text("$cmd"),
                labels(&["default"]),
                labels(&["1", "2", "default"]),
            ],
        );
        assert_eq!(truth_of(branch, &knowing("$cmd", number(3))), Some(true));
        assert_eq!(truth_of(branch, &knowing("$cmd", number(2))), Some(false));
        assert_eq!(truth_of(branch, &knowing("$cmd", None)), None);
    }

    #[test]
    fn members_of_one_object_are_equal() {
        let compared = Expr::tuple("==", &[Expr::text("$p>uid"), Expr::text(":current>uid")]);
        let current = Some(Value::Name(Sym::new(":current")));
        assert_eq!(truth_of(compared, &knowing("$p>", current)), Some(true));
        assert_eq!(truth_of(compared, &knowing("$p>", None)), None);
    }
}
