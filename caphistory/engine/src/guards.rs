//! The conditions under which code runs, in a form that constants can decide.
//!
//! An expression is a text or a tuple. Texts are `$x` (a parameter or local variable), `$x>m` (a
//! member of it), `$x'` (a parameter before it changes, only while a function is read), `:X` (a name from outside), `:x>m` (a member of what that stands for), `%x` (what
//! was copied from the user's memory), `~m` (the function in a member of some struct), a number, or `?` for whatever is not followed. Tuples are an
//! operator of C (`!`, `&&`, `==`, `&`, `?:` …) with its operands, or
//!
//! - `("part", x, "_IOC_NR")`: a part of x; `("part", x, "&")`: its address
//! - `("any", x, …)`: one of several values
//! - `("|?", x, y)`, `("&?", x, y)`: an `|` or `&` that may or may not take place
//! - `("addr", "$x")`: the address of a variable, with the word `last` behind it where a return
//!   hands it on
//! - `("unless", x, "@f", …)`: x, if none of these is a macro that may change it
//! - `("case", x, own, all)`: true in a branch of a switch over x: `own` are the labels that lead
//!   there (`default` among them), `all` those of the switch, each a tuple that begins with the
//!   word `labels`; `own` with `staying` where the code runs behind the switch
//! - `("call", ":M", x, …)`: the use of a macro in upper case, or of a function that tells what
//!   something is (see `is_predicate`)
//! - `("returned", ":f", x, …)`: in conditions only, what a function gives that may be inline and
//!   only return an expression
//! - `("strcmp", x, y)`, `("strncmp", x, y, n)`, `("strlen", x)`, `("sizeof", x)`, `("concat", x, …)`:
//!   what is made of strings, which are texts that begin with `"`
//! - `("ntohs", x)`, `("ntohl", x)`: x with its bytes in the other order, in conditions only
//! - `("at least", x)`: a number that is no less than x
//! - `("element", n, x, …)`: that of the numbers x, the bytes of a string, which n tells
//! - `("when", g, x)`: x, given under the condition g
//! - `("grow", ("plain", x, …), y, …)`: one of the values x, as changed any number of times by any
//!   of y, in which `.` is the value before; behind a y that is `("then", g, x)` nothing that stands
//!   before it is left where g holds; where such an x is made of `.` it changes that once

use std::sync::LazyLock;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::byte_order::Order;
use crate::intern::{Expr, ExprList, ExprNode, Sym};
use crate::lexer::{self, is_upper};
use crate::places::Locals;
use crate::tree::{Field, Kind, Node};
use crate::user_data;

/// VALID_OPEN_FLAGS (6.x) is made of 21 flags, each `|` within the next.
const DEEPEST: u32 = 32;
/// Functions that compare strings or tell their length, with the number of their arguments.
const OF_STRINGS: [(&str, usize); 3] = [("strcmp", 2), ("strncmp", 3), ("strlen", 1)];
/// Strings and lists of more elements than the modes of an open are no tables.
pub const MOST_ELEMENTS: usize = 16;
/// Longer strings are messages, not names.
const LONGEST_NAME: usize = 40;
/// Before the labels of a switch that lead to what stands behind it.
pub const STAYING: &str = "staying";

/// How the names of functions begin that tell what something is.
const PREDICATE: &str = "is_";
/// What a function gives that may only return an expression.
pub const RETURNED: &str = "returned";
/// A number that is no less than another one.
pub const AT_LEAST: &str = "at least";

static UNKNOWN: LazyLock<Expr> = LazyLock::new(|| Expr::text("?"));

/// What is not followed: `?`.
pub fn unknown() -> Expr {
    *UNKNOWN
}

impl Expr {
    /// Its text; None for a tuple.
    pub fn as_text(self) -> Option<&'static str> {
        self.as_sym().map(Sym::text)
    }

    /// Its text; None for a tuple.
    pub fn as_sym(self) -> Option<Sym> {
        match self.get() {
            ExprNode::Text(sym) => Some(sym),
            ExprNode::Tuple(_) => None,
        }
    }

    /// The head and the operands of a tuple; None for a text.
    pub fn as_tuple(self) -> Option<(&'static str, &'static [Expr])> {
        match self.get() {
            ExprNode::Text(_) => None,
            ExprNode::Tuple(parts) => {
                let (head, operands) = parts.get().split_first()?;
                Some((head.as_text().unwrap_or(""), operands))
            }
        }
    }
}

/// Whether nothing in a condition is unknown.
pub fn is_told(expr: Expr) -> bool {
    match expr.as_tuple() {
        None => expr != unknown(),
        Some((_, operands)) => operands.iter().all(|one| is_told(*one)),
    }
}

/// An expression of C; `local` are the parameters and local variables.
pub fn expression(node: Node, code: &[u8], local: &Locals) -> Expr {
    within(node, code, Scope::new(local, false), 0)
}

/// The same of a condition, in which calls are followed of functions that may only return an
/// expression.
pub fn condition(node: Node, code: &[u8], local: &Locals) -> Expr {
    within(node, code, Scope::new(local, true), 0)
}

/// What the names in an expression may be.
#[derive(Clone, Copy)]
struct Scope<'a> {
    local: &'a Locals,
    follows_calls: bool,
}

impl<'a> Scope<'a> {
    fn new(local: &'a Locals, follows_calls: bool) -> Scope<'a> {
        Scope {
            local,
            follows_calls,
        }
    }
}

fn within(node: Node, code: &[u8], scope: Scope<'_>, depth: u32) -> Expr {
    if depth > DEEPEST {
        return unknown();
    }
    let first = code.get(node.start()).copied().unwrap_or(0);
    match node.kind() {
        Kind::Identifier => {
            let name = node.text(code);
            let sign = if scope.local.contains(&name) {
                '$'
            } else {
                ':'
            };
            Expr::text(&format!("{sign}{name}"))
        }
        Kind::NumberLiteral => number(&node.text(code)).map_or_else(unknown, |n| Expr::text(&n)),
        Kind::Null => Expr::text("0"),
        Kind::CharLiteral => match node.bytes(code) {
            [_, letter, _] => Expr::text(&letter.to_string()),
            _ => unknown(),
        },
        Kind::StringLiteral => match string(node.bytes(code)) {
            true => Expr::text(&node.text(code)),
            false => unknown(),
        },
        Kind::ConcatenatedString => {
            let strings = node.named_children();
            let strings: Vec<Expr> = strings
                .map(|one| within(one, code, scope, depth + 1))
                .collect();
            Expr::tuple("concat", &strings)
        }
        Kind::SizeofExpression => {
            let inner = node.field(Field::Value);
            match inner.map_or_else(unknown, |inner| within(inner, code, scope, depth + 1)) {
                inner if is_constant(inner) => Expr::tuple("sizeof", &[inner]),
                _ => unknown(),
            }
        }
        Kind::ConditionalExpression => conditional(node, code, scope, depth),
        Kind::ParenthesizedExpression | Kind::CastExpression => node
            .field(Field::Value)
            .or_else(|| node.last_named())
            .map_or_else(unknown, |inner| within(inner, code, scope, depth + 1)),
        Kind::PointerExpression if first == b'&' => match node.field(Field::Argument) {
            Some(inner) if inner.kind() == Kind::Identifier => {
                let name = inner.text(code);
                if scope.local.contains(&name) {
                    Expr::tuple("addr", &[Expr::text(&format!("${name}"))])
                } else {
                    unknown()
                }
            }
            Some(inner) if inner.kind() == Kind::FieldExpression => {
                let place = within(inner, code, scope, depth + 1);
                match place.as_text() {
                    Some(text) if text.starts_with(['$', '%']) => {
                        Expr::tuple("part", &[place, Expr::text("&")])
                    }
                    _ => unknown(),
                }
            }
            _ => unknown(),
        },
        Kind::FieldExpression => {
            let (Some(base), Some(field)) = (node.field(Field::Argument), node.field(Field::Field))
            else {
                return unknown();
            };
            if of_user_struct(base, code, scope.local) {
                return Expr::text(&format!("%{}", field.text(code)));
            }
            let mut base = base;
            while base.kind() == Kind::ParenthesizedExpression
                && let Some(inner) = base.last_named()
            {
                base = inner;
            }
            if base.kind() != Kind::Identifier {
                return unknown();
            }
            let name = base.text(code);
            let sign = if scope.local.contains(&name) {
                '$'
            } else {
                ':'
            };
            Expr::text(&format!("{sign}{name}>{}", field.text(code)))
        }
        Kind::UnaryExpression => {
            let Some(operand) = node.field(Field::Argument) else {
                return unknown();
            };
            let value = within(operand, code, scope, depth + 1);
            match first {
                _ if value == unknown() => unknown(),
                b'!' => Expr::tuple("!", &[value]),
                b'~' => Expr::tuple("~", &[value]),
                b'-' => match value.as_text() {
                    Some(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
                        Expr::text(&format!("-{text}"))
                    }
                    _ => unknown(),
                },
                _ => unknown(),
            }
        }
        Kind::BinaryExpression => binary(node, code, scope, depth),
        Kind::SubscriptExpression => element(node, code, scope, depth),
        Kind::CallExpression => called(node, code, scope, depth),
        _ => match node.bytes(code) {
            b"true" => Expr::text("1"),
            b"false" => Expr::text("0"),
            _ => unknown(),
        },
    }
}

/// Whether an expression is a part of a struct of a kind that only users fill, or of what it points
/// to.
fn of_user_struct(node: Node, code: &[u8], local: &Locals) -> bool {
    let mut base = node;
    while base.kind() == Kind::FieldExpression
        && let Some(inner) = base.field(Field::Argument)
    {
        base = inner;
    }
    base.kind() == Kind::Identifier
        && local
            .get(&base.text(code))
            .is_some_and(|one| user_data::fills(one.type_.text()))
}

/// A byte of a string (`"\004\002\006\006"[flags & O_ACCMODE]`), or an element of a list of constants.
fn element(node: Node, code: &[u8], scope: Scope<'_>, depth: u32) -> Expr {
    let index = node.last_named();
    let index = index.map_or_else(unknown, |one| within(one, code, scope, depth + 1));
    let table = node.field(Field::Argument).filter(|_| index != unknown());
    let elements = table.and_then(|one| elements_of(one, code, scope.local));
    elements.map_or_else(unknown, |elements| {
        let all: Vec<Expr> = std::iter::once(index).chain(elements).collect();
        Expr::tuple("element", &all)
    })
}

fn elements_of(table: Node, code: &[u8], local: &Locals) -> Option<Vec<Expr>> {
    match table.kind() {
        Kind::StringLiteral => {
            let bytes = bytes_of(table.bytes(code))?.into_iter();
            Some(bytes.map(|byte| Expr::text(&byte.to_string())).collect())
        }
        Kind::Identifier => {
            let elements = local.get(&table.text(code))?.elements.get();
            (!elements.is_empty()).then(|| elements.to_vec())
        }
        _ => None,
    }
}

/// The bytes of a short string literal, with the 0 behind them; None if it has escapes that are not
/// octal.
fn bytes_of(literal: &[u8]) -> Option<Vec<u8>> {
    let mut rest = literal.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut found = vec![];
    while let Some((&first, behind)) = rest.split_first() {
        let is_octal = |byte: &&u8| (b'0'..b'8').contains(*byte);
        let digits = behind.iter().take(3).take_while(is_octal).count();
        if first == b'\\' {
            let (octal, behind) = behind.split_at(digits);
            found.push(u8::from_str_radix(str::from_utf8(octal).ok()?, 8).ok()?);
            rest = behind;
        } else {
            found.push(first);
            rest = behind;
        }
    }
    found.push(0);
    (found.len() <= MOST_ELEMENTS).then_some(found)
}

/// Whether a literal is a name: short, and without spaces and escapes.
pub fn string(literal: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !b"\\%\"".contains(byte);
    let inner = literal.strip_prefix(b"\"");
    let inner = inner.and_then(|inner| inner.strip_suffix(b"\""));
    literal.len() <= LONGEST_NAME && inner.is_some_and(|inner| inner.iter().all(plain))
}

/// Whether an expression is a string, or the name of a constant.
fn is_constant(expr: Expr) -> bool {
    expr.as_text()
        .is_some_and(|text| text.starts_with('"') || text.strip_prefix(':').is_some_and(is_upper))
}

/// What a call of one of a few well-known functions and macros is worth, or the use of a macro in
/// upper case.
fn called(node: Node, code: &[u8], scope: Scope<'_>, depth: u32) -> Expr {
    let (Some(function), Some(arguments)) =
        (node.field(Field::Function), node.field(Field::Arguments))
    else {
        return unknown();
    };
    if function.kind() != Kind::Identifier {
        return unknown();
    }
    let name = function.text(code);
    let given: Vec<Node> = arguments
        .named_children()
        .filter(|one| one.kind() != Kind::Comment)
        .collect();
    if !given.is_empty() && user_data::returns_copy(&name, given.len()) {
        return Expr::text(&format!("%{name}"));
    }
    let inner = |one: &Node| within(*one, code, scope, depth + 1);
    let first = given.first().map_or_else(unknown, inner);
    if matches!(&*name, "likely" | "unlikely") {
        return first;
    }
    let known = first != unknown();
    if OF_STRINGS.contains(&(&*name, given.len())) {
        let all: Vec<Expr> = given.iter().map(inner).collect();
        let compared = known && all.get(1) != Some(&unknown());
        return if compared {
            Expr::tuple(&name, &all)
        } else {
            unknown()
        };
    }
    if let (Some(kind), true) = (name.strip_prefix("S_IS"), known) {
        let masked = Expr::tuple("&", &[first, Expr::text(":S_IFMT")]);
        return Expr::tuple("==", &[masked, Expr::text(&format!(":S_IF{kind}"))]);
    }
    if known && user_data::takes_part(&name) {
        return Expr::tuple("part", &[first, Expr::text(&name)]);
    }
    let order = Order::named(&name).filter(|_| scope.follows_calls && known);
    if let Some(order) = order {
        return Expr::tuple(order.name(), &[first]);
    }
    let sign = match is_upper(&name) || known && is_predicate(&name) {
        true => "call",
        false if scope.follows_calls && known => RETURNED,
        false => return unknown(),
    };
    let mut all = vec![Expr::text(&format!(":{name}"))];
    all.extend(given.iter().map(inner));
    Expr::tuple(sign, &all)
}

fn conditional(node: Node, code: &[u8], scope: Scope<'_>, depth: u32) -> Expr {
    let sides: Vec<Expr> = [Field::Condition, Field::Consequence, Field::Alternative]
        .into_iter()
        .filter_map(|field| node.field(field))
        .map(|side| within(side, code, scope, depth + 1))
        .collect();
    if sides.len() == 3 && !sides[1..].contains(&unknown()) {
        Expr::tuple("?:", &sides)
    } else {
        unknown()
    }
}

fn binary(node: Node, code: &[u8], scope: Scope<'_>, depth: u32) -> Expr {
    let Some((sign, left, right)) = node.sides() else {
        return unknown();
    };
    // The value of these one known side may settle, that of the others not.
    let partly = matches!(sign, Kind::AndAnd | Kind::OrOr | Kind::And | Kind::Or);
    let wholly = matches!(
        sign,
        Kind::Equal
            | Kind::NotEqual
            | Kind::Less
            | Kind::LessEqual
            | Kind::Greater
            | Kind::GreaterEqual
            | Kind::Xor
            | Kind::ShiftLeft
            | Kind::ShiftRight
            | Kind::Plus
            | Kind::Minus
            | Kind::Times
    );
    if !partly && !wholly {
        return unknown();
    }
    let first = within(left, code, scope, depth + 1);
    // Whatever is shifted, the bits below are 0.
    if first == unknown() && !partly && sign != Kind::ShiftLeft {
        return unknown();
    }
    let second = within(right, code, scope, depth + 1);
    if second == unknown() && (first == unknown() || !partly) {
        return unknown();
    }
    Expr::tuple(sign.text(), &[first, second])
}

/// A number as a decimal one, whatever its base and suffix. One with a sign is never octal.
fn number(text: &str) -> Option<String> {
    let plain = text.to_ascii_lowercase();
    let plain = plain.trim_end_matches(['u', 'l']);
    if let Some(digits) = plain.strip_prefix("0x") {
        return decimal(digits, 16);
    }
    if plain.len() > 1 && plain.starts_with('0') {
        return decimal(plain, 8);
    }
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", plain.strip_prefix('+').unwrap_or(plain)),
    };
    let value = decimal(digits, 10)?;
    Some(if value == "0" {
        value
    } else {
        format!("{sign}{value}")
    })
}

/// A number of any length in decimal digits.
fn decimal(digits: &str, base: u32) -> Option<String> {
    if digits.is_empty() || digits.len() > 1000 {
        return None;
    }
    if let Ok(value) = u64::from_str_radix(digits, base) {
        return (!digits.starts_with('+')).then(|| value.to_string());
    }
    let mut found: Vec<u32> = vec![0]; // the last digit first
    for c in digits.chars() {
        let mut carry = c.to_digit(base)?;
        for digit in &mut found {
            carry += *digit * base;
            *digit = carry % 10;
            carry /= 10;
        }
        while carry > 0 {
            found.push(carry % 10);
            carry /= 10;
        }
    }
    Some(
        found
            .iter()
            .rev()
            .filter_map(|&digit| char::from_digit(digit, 10))
            .collect(),
    )
}

/// Calls `found` with what must be known of variables to decide an expression: `$x`, `$x>m`;
/// `$x>` for which object `x` points to, where its member is compared with the same one of
/// another. What is in `seen` was looked into before: values of 2.5.33 hold one another a hundred
/// thousand times.
fn each_leaf(expr: Expr, seen: &mut FxHashSet<Expr>, found: &mut impl FnMut(Sym)) {
    match expr.get() {
        ExprNode::Text(sym) => {
            if sym.text().starts_with('$') {
                found(sym);
            }
        }
        ExprNode::Tuple(parts) if seen.insert(expr) => {
            let head = parts.first().and_then(|head| head.as_text()).unwrap_or("");
            if head == "addr" {
                return;
            }
            for &part in parts.iter().skip(1) {
                each_leaf(part, seen, found);
            }
            if matches!(head, "==" | "!=" | "^" | "-") {
                each_object(&parts[1..], found);
            }
        }
        ExprNode::Tuple(_) => {}
    }
}

fn each_object(operands: &[Expr], found: &mut impl FnMut(Sym)) {
    let mut sides = operands.iter().filter_map(|side| side.as_text());
    let (Some(one), Some(other), None) = (sides.next(), sides.next(), sides.next()) else {
        return;
    };
    let (Some((first, member)), Some((second, same))) =
        (one.split_once('>'), other.split_once('>'))
    else {
        return;
    };
    if !member.is_empty() && member == same {
        for base in [first, second]
            .into_iter()
            .filter(|base| base.starts_with('$'))
        {
            found(Sym::new(&format!("{base}>")));
        }
    }
}

/// What must be known of variables to decide an expression (see `each_leaf`), each once.
pub fn leaves(expr: Expr) -> FxHashSet<Sym> {
    let mut found = FxHashSet::default();
    each_leaf(expr, &mut FxHashSet::default(), &mut |leaf| {
        found.insert(leaf);
    });
    found
}

/// Whether an expression rests on variables or on the user's memory.
pub fn has_leaves(expr: Expr) -> bool {
    match expr.get() {
        ExprNode::Text(sym) => sym.text().starts_with(['$', '%']),
        ExprNode::Tuple(parts) => {
            parts.first().and_then(|head| head.as_text()) != Some("addr")
                && parts.iter().skip(1).any(|&part| has_leaves(part))
        }
    }
}

/// Whether an expression rests on what a function returns.
pub fn has_calls(expr: Expr) -> bool {
    let inner = expr.as_tuple();
    inner.is_some_and(|(head, parts)| head == RETURNED || parts.iter().any(|&part| has_calls(part)))
}

/// Whether a function of this name is one that tells what something is: `is_posix_acl_xattr(name)`
/// (4.x on) stands for two names of attributes.
pub fn is_predicate(name: &str) -> bool {
    name.starts_with(PREDICATE)
}

/// The constants that an expression names, `:X`, and what it rests on, `@f`.
pub fn names(expr: Expr) -> FxHashSet<Sym> {
    let mut found = FxHashSet::default();
    collect_names(expr, &mut found);
    found
}

fn collect_names(expr: Expr, found: &mut FxHashSet<Sym>) {
    match expr.get() {
        ExprNode::Text(sym) => {
            let text = sym.text();
            if text.starts_with('@') || text.strip_prefix(':').is_some_and(lexer::is_constant) {
                found.insert(sym);
            }
        }
        ExprNode::Tuple(parts) => {
            for &part in parts.iter().skip(1) {
                collect_names(part, found);
            }
        }
    }
}

/// Puts what variables stand for in their place.
pub fn substitute(expr: Expr, values: &FxHashMap<Sym, Expr>) -> Expr {
    match expr.get() {
        ExprNode::Text(sym) => {
            if let Some(copied) = copied_member(sym, values) {
                return copied;
            }
            if let Some((base, _)) = sym.text().split_once('>')
                && values.get(&Sym::new(base)).is_some_and(|one| is_lost(*one))
            {
                return unknown();
            }
            values.get(&sym).copied().unwrap_or(expr)
        }
        ExprNode::Tuple(parts) => {
            let Some(&head) = parts.first() else {
                return expr;
            };
            if head.as_text() == Some("addr") {
                let copied = |part: Expr| {
                    let value = part.as_sym().and_then(|place| values.get(&place).copied());
                    value.filter(|value| is_copied(*value)).unwrap_or(part)
                };
                return remade(expr, &parts, head, copied);
            }
            remade(expr, &parts, head, |part| substitute(part, values))
        }
    }
}

/// Whether an expression is what was copied from the user's memory.
pub fn is_copied(expr: Expr) -> bool {
    expr.as_text().is_some_and(|text| text.starts_with('%'))
}

/// An expression with a mark behind the variables for which `wanted` holds.
pub fn marked(expr: Expr, wanted: &dyn Fn(Sym) -> bool) -> Expr {
    match expr.get() {
        ExprNode::Text(sym) if wanted(sym) => Expr::text(&format!("{}'", sym.text())),
        ExprNode::Text(_) => expr,
        ExprNode::Tuple(parts) => match parts.first() {
            Some(&head) if head.as_text() != Some("addr") => {
                remade(expr, &parts, head, |part| marked(part, wanted))
            }
            _ => expr,
        },
    }
}

/// An expression with what variables were declared as in their place; their members stay as they
/// are.
pub fn declared(expr: Expr, values: &FxHashMap<Sym, Expr>) -> Expr {
    match expr.get() {
        _ if values.is_empty() => expr,
        ExprNode::Text(sym) => values.get(&sym).copied().unwrap_or(expr),
        ExprNode::Tuple(parts) => match parts.first() {
            Some(&head) if head.as_text() != Some("addr") => {
                remade(expr, &parts, head, |part| declared(part, values))
            }
            _ => expr,
        },
    }
}

/// An expression without marks (see `marked`).
pub fn unmarked(expr: Expr) -> Expr {
    match expr.get() {
        ExprNode::Text(sym) => match sym.text().strip_suffix('\'') {
            Some(variable) if variable.starts_with('$') => Expr::text(variable),
            _ => expr,
        },
        ExprNode::Tuple(parts) => match parts.first() {
            Some(&head) => remade(expr, &parts, head, unmarked),
            None => expr,
        },
    }
}

/// Whether a pointer with this value may point to something else than it did.
fn is_lost(expr: Expr) -> bool {
    expr == unknown() || matches!(expr.as_tuple(), Some(("any", _)))
}

/// A member of something that was copied from the user's memory.
fn copied_member(place: Sym, values: &FxHashMap<Sym, Expr>) -> Option<Expr> {
    let (base, member) = place.text().split_once('>')?;
    let value = *values.get(&Sym::new(base))?;
    if is_copied(value) {
        return Some(Expr::text(&format!("{}>{member}", value.as_text()?)));
    }
    // "ioc = (struct ioc *) &rq->ifr_data"
    match value.as_tuple() {
        Some(("part", [inner, kind])) if kind.as_text() == Some("&") => {
            Some(Expr::tuple("part", &[*inner, Expr::text(member)]))
        }
        _ => None,
    }
}

/// A tuple with other operands.
fn remade(expr: Expr, parts: &[Expr], head: Expr, change: impl Fn(Expr) -> Expr) -> Expr {
    let mut made = Vec::with_capacity(parts.len());
    made.push(head);
    made.extend(parts.iter().skip(1).map(|&part| change(part)));
    if made == parts {
        expr
    } else {
        Expr::node(ExprNode::Tuple(ExprList::new(&made)))
    }
}

/// Whether a variable, or its members, are followed.
pub type Followed<'a> = &'a dyn Fn(&str, bool) -> bool;

fn is_followed(place: &str, followed: Followed<'_>) -> bool {
    followed(crate::notation::base(place), place.contains('>'))
}

/// What of a condition rests on what is followed: the rest is `?`. `values` stand for what they
/// name.
pub fn known_part(expr: Expr, values: &FxHashMap<Sym, Expr>, followed: Followed<'_>) -> Expr {
    let parts = match expr.get() {
        ExprNode::Text(sym) => {
            let member = copied_member(sym, values);
            let value = member.or_else(|| values.get(&sym).copied()).unwrap_or(expr);
            let Some(text) = value.as_text() else {
                return known_part(value, &FxHashMap::default(), followed);
            };
            let Some(place) = text
                .strip_prefix('$')
                .filter(|place| !place.ends_with('\''))
            else {
                return value;
            };
            return if is_followed(place, followed) {
                value
            } else {
                unknown()
            };
        }
        ExprNode::Tuple(parts) => parts,
    };
    let Some(&head) = parts.first() else {
        return expr;
    };
    match head.as_text().unwrap_or("") {
        "addr" | "in" => expr,
        // A key that is not known chooses from the table all the same.
        "of" | "made" | "by" => remade(expr, &parts, head, |part| {
            known_part(part, values, followed)
        }),
        // Of what it is made only what is followed is left (see `followed_only`).
        "grow" => {
            if has_leaves(expr) {
                expr
            } else {
                unknown()
            }
        }
        "case" | "unless" => {
            let Some((&subject, rest)) = parts[1..].split_first() else {
                return expr;
            };
            let subject = known_part(subject, values, followed);
            if !has_leaves(subject) {
                return unknown();
            }
            let made: Vec<Expr> = [head, subject].iter().chain(rest).copied().collect();
            Expr::node(ExprNode::Tuple(ExprList::new(&made)))
        }
        _ => {
            let known: Vec<Expr> = parts[1..]
                .iter()
                .map(|&part| known_part(part, values, followed))
                .collect();
            if known.contains(&unknown()) && !known.iter().any(|&part| has_leaves(part)) {
                return unknown();
            }
            let made: Vec<Expr> = std::iter::once(head).chain(known).collect();
            Expr::node(ExprNode::Tuple(ExprList::new(&made)))
        }
    }
}

/// An expression with `?` for the variables that are not followed, but for the place `own`.
pub fn followed_only(expr: Expr, followed: Followed<'_>, own: Sym) -> Expr {
    match expr.get() {
        ExprNode::Text(sym) => match sym.text().strip_prefix('$') {
            Some(place)
                if sym != own && !place.ends_with('\'') && !is_followed(place, followed) =>
            {
                unknown()
            }
            _ => expr,
        },
        ExprNode::Tuple(parts) => {
            let Some(&head) = parts.first().filter(|head| head.as_text() != Some("addr")) else {
                return expr;
            };
            remade(expr, &parts, head, |part| {
                followed_only(part, followed, own)
            })
        }
    }
}

/// The condition that all of these hold; None where there are none.
pub fn all_of(conditions: &[Expr]) -> Option<Expr> {
    let mut all = conditions.iter().copied();
    let first = all.next()?;
    Some(all.fold(first, |found, one| Expr::tuple("&&", &[found, one])))
}

/// A value without the condition under which it is given.
pub fn without_guard(value: Expr) -> Expr {
    match value.as_tuple() {
        Some(("when" | "then", [_, value])) => *value,
        _ => value,
    }
}

/// The constants any of which leads to the branch of the innermost switch among some guards; none
/// if something else does too.
pub fn selecting(guards: impl DoubleEndedIterator<Item = Expr>) -> Vec<Sym> {
    let mut cases = guards.rev().filter_map(|guard| guard.as_tuple());
    let case = cases.find(|(head, _)| *head == "case");
    let own = case.and_then(|(_, operands)| operands.get(1)?.as_tuple());
    let constants = own.and_then(|(_, labels)| {
        let names = labels
            .iter()
            .map(|label| label.as_text()?.strip_prefix(':'));
        names.map(|name| name.map(Sym::new)).collect::<Option<_>>()
    });
    constants.unwrap_or_default()
}

/// The opposite of a condition.
pub fn negated(expr: Expr) -> Expr {
    match expr.as_tuple() {
        Some(("!", [inner, ..])) => *inner,
        _ => Expr::tuple("!", &[expr]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_decimal() {
        assert_eq!(number("0x1FuL").as_deref(), Some("31"));
        assert_eq!(number("010").as_deref(), Some("8"));
        assert_eq!(number("-010").as_deref(), Some("-10"));
        assert_eq!(number("08"), None);
        assert_eq!(number("1.5"), None);
        assert_eq!(
            number("0x10000000000000000").as_deref(),
            Some("18446744073709551616")
        );
    }

    #[test]
    fn variables_are_replaced() {
        let (x, y) = (Expr::text("$x"), Expr::text("$y>m"));
        let both = Expr::tuple("==", &[x, y]);
        let values = FxHashMap::from_iter([(Sym::new("$x"), Expr::text("1"))]);
        assert_eq!(
            substitute(both, &values),
            Expr::tuple("==", &[Expr::text("1"), y])
        );
        let unknowns = FxHashMap::from_iter([(Sym::new("$y"), unknown())]);
        assert_eq!(
            substitute(both, &unknowns),
            Expr::tuple("==", &[x, unknown()])
        );
        let followed = |name: &str, _: bool| name == "x";
        assert_eq!(
            known_part(both, &FxHashMap::default(), &followed),
            Expr::tuple("==", &[x, unknown()])
        );
        let same = Expr::tuple("==", &[Expr::text("$a>m"), Expr::text("$b>m")]);
        assert!(leaves(same).contains(&Sym::new("$a>")));
        assert_eq!(leaves(same).len(), 4);
    }
}
