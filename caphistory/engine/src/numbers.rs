//! What the names of constants stand for in a file of one release.

use std::cell::RefCell;
use std::sync::{LazyLock, Mutex, PoisonError};

use regex::bytes::Regex;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::constants::{body_of, constant, only_reads};
use crate::facts::Constant;
use crate::guards::{RETURNED, is_predicate, names, unknown};
use crate::headers::split_arguments;
use crate::intern::{Expr, ExprList, ExprNode, Sym, SymList};
use crate::lexer::is_constant;
use crate::names::{PathId, View};
use crate::values::{Value, any_of, value_of};

const DEEPEST: u32 = 8;
static CALL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?-u)\A([A-Z_][A-Z0-9_]*)\s*\(").expect("a pattern"));
// Most constants are the same in neighbouring releases, and in files that see the same header.
static BODIES: LazyLock<Mutex<FxHashMap<(Sym, SymList), Expr>>> = LazyLock::new(Mutex::default);
static EXPRESSIONS: LazyLock<Mutex<FxHashMap<Sym, Expr>>> = LazyLock::new(Mutex::default);

/// The values of macros without parameters, as the files of a release define them. Where the
/// preprocessor decides among several definitions, the value is what these have in common.
pub struct Numbers<'v, 'p, 'f> {
    view: &'v View<'p, 'f>,
    definitions: FxHashMap<Sym, Vec<(PathId, &'f Constant)>>,
    known: FxHashMap<(Sym, PathId), Option<Value>>,
    /// What `with_macros` made of an expression in a file so deep within others: what a macro is
    /// given stands in it several times, and in those that it is given to (nested `min` and `max`).
    expanded: RefCell<FxHashMap<(Expr, PathId, u32), Expr>>,
}

impl<'v, 'p, 'f> Numbers<'v, 'p, 'f> {
    pub fn new(view: &'v View<'p, 'f>) -> Self {
        Numbers {
            view,
            definitions: FxHashMap::default(),
            known: FxHashMap::default(),
            expanded: RefCell::default(),
        }
    }

    /// Look for the definitions of these names (`:O_CREAT`), and of those in them.
    pub fn find(&mut self, wanted: impl IntoIterator<Item = Sym>) {
        let mut missing: FxHashSet<Sym> = wanted.into_iter().map(plain).collect();
        missing.retain(|name| !self.definitions.contains_key(name));
        while !missing.is_empty() {
            for name in &missing {
                self.definitions.insert(*name, Vec::new());
            }
            let mut named = FxHashSet::default();
            for path in self.view.built_files() {
                for macro_ in &self.view.program.blob(path).constants {
                    if missing.contains(&macro_.name) {
                        let known = self.definitions.entry(macro_.name).or_default();
                        known.push((path, macro_));
                        named.insert(macro_.body);
                    }
                }
            }
            missing = named
                .iter()
                .flat_map(|body| constants_in(body.text()))
                .collect();
            missing.retain(|name| !self.definitions.contains_key(name));
        }
    }

    /// The value of a name in a file, as far as it is known.
    pub fn value(&mut self, name: Sym, path: PathId) -> Option<Value> {
        self.value_within(plain(name), path, 0)
    }

    /// Whether a macro of this name leaves what it is handed as it is, as far as a file sees.
    pub fn only_reads(&self, name: Sym, path: PathId) -> bool {
        let macros = self.visible(name, path);
        let reads =
            |one: &&Constant| !one.parameters.is_empty() && only_reads(one.body.text().as_bytes());
        !macros.is_empty() && macros.iter().all(reads)
    }

    fn value_within(&mut self, name: Sym, path: PathId, depth: u32) -> Option<Value> {
        if let Some(known) = self.known.get(&(name, path)) {
            return *known;
        }
        self.known.insert((name, path), None); // for one that names itself
        let macros = if depth < DEEPEST {
            self.visible(name, path)
        } else {
            Vec::new()
        };
        let worth: Vec<_> = macros
            .iter()
            .map(|one| self.worth(one, path, depth))
            .collect();
        let found = any_of(&worth);
        self.known.insert((name, path), found);
        found
    }

    fn worth(&mut self, macro_: &Constant, path: PathId, depth: u32) -> Option<Value> {
        if !macro_.parameters.is_empty() || macro_.body.is_empty() {
            return None;
        }
        let bodies = self.expanded(macro_.body, path, depth);
        let numbers: Vec<_> = bodies
            .iter()
            .map(|body| self.number(*body, path, depth))
            .collect();
        any_of(&numbers)
    }

    fn number(&mut self, text: Sym, path: PathId, depth: u32) -> Option<Value> {
        let body = expression(text);
        let mut inner = FxHashMap::default();
        let mut named: Vec<Sym> = names(body).into_iter().collect();
        named.sort_by_key(|name| name.text());
        for name in named {
            if let Some(value) = self.value_within(plain(name), path, depth + 1) {
                inner.insert(name, value);
            }
        }
        let found = value_of(body, &|name| inner.get(&name).copied());
        found.filter(|value| !matches!(value, Value::Name(_) | Value::Address))
    }

    /// What a body may be that only uses a macro with parameters: `_IO(0x12, 98)`.
    fn expanded(&self, text: Sym, path: PathId, depth: u32) -> Vec<Sym> {
        let used = used_alone(text.text()).filter(|_| depth <= DEEPEST);
        let Some((name, arguments)) = used else {
            return vec![text];
        };
        let mut found = Vec::new();
        for macro_ in self.visible(name, path) {
            if macro_.parameters.len() != arguments.len() {
                return vec![text];
            }
            let body = substituted(macro_, &arguments);
            found.extend(self.expanded(body, path, depth + 1));
        }
        if found.is_empty() { vec![text] } else { found }
    }

    /// A condition with macros in the place of their uses (`SI_FROMUSER($info)`), and with what
    /// functions return that only return an expression.
    pub fn with_macros(&self, expr: Expr, path: PathId, depth: u32) -> Expr {
        let ExprNode::Tuple(all) = expr.get() else {
            return expr;
        };
        let key = (expr, path, depth);
        let before = self.expanded.borrow().get(&key).copied();
        before.unwrap_or_else(|| {
            let found = self.expand(expr, all, path, depth);
            self.expanded.borrow_mut().insert(key, found);
            found
        })
    }

    fn expand(&self, expr: Expr, all: ExprList, path: PathId, depth: u32) -> Expr {
        let inner = |one: &Expr| self.with_macros(*one, path, depth);
        let made: Vec<Expr> = all.iter().map(inner).collect();
        let [head, rest @ ..] = made.as_slice() else {
            return expr;
        };
        let is_call = head.as_text() == Some("call");
        let is_named = |name: Sym| is_predicate(plain(name).text());
        let name = rest.first().and_then(|name| name.as_sym());
        let is_returned = head.as_text() == Some(RETURNED);
        let is_function = is_returned || is_call && name.is_some_and(is_named);
        if (is_function || is_call)
            && let [name, given @ ..] = rest
            && let Some(body) = self.used(*name, given, path, is_function)
            && depth < DEEPEST
        {
            return self.with_macros(body, path, depth + 1);
        }
        if is_function {
            return unknown();
        }
        Expr::node(ExprNode::Tuple(ExprList::new(&made)))
    }

    /// The body of a macro with what is given, or of a function that may be no other.
    fn used(&self, name: Expr, given: &[Expr], path: PathId, is_function: bool) -> Option<Expr> {
        let name = plain(name.as_sym()?);
        let macros = self.visible(name, path);
        if is_function && self.view.resolve(name, path).len() != macros.len() {
            return None;
        }
        let (first, others) = macros.split_first()?;
        let same = |one: &&Constant| one.parameters == first.parameters && one.body == first.body;
        if !others.iter().all(same) || first.parameters.len() != given.len() {
            return None;
        }
        Some(instance(first, given)).filter(|body| *body != unknown())
    }

    fn visible(&self, name: Sym, path: PathId) -> Vec<&'f Constant> {
        let Some(all) = self.definitions.get(&name).filter(|all| !all.is_empty()) else {
            return Vec::new();
        };
        let view = self.view;
        let taken = |wanted: &dyn Fn(PathId) -> bool| -> Vec<&'f Constant> {
            let found = all.iter().filter(|(at, _)| wanted(*at));
            found.map(|(_, macro_)| *macro_).collect()
        };
        let seen = taken(&|at| at == path || view.includes(path, at));
        if !seen.is_empty() {
            return seen;
        }
        // What is included has what the files have that include it.
        if !view.program.may_be_included(path) {
            // Where a file's own folder is not the one that is searched (fs/xfs/linux-2.4, 2.4).
            let shared = taken(&|at| view.program.path(at).starts_with("include/"));
            if !shared.is_empty() {
                return shared;
            }
        }
        // A Makefile may name other folders to be searched (-Ifs/xfs/linux-2.6).
        taken(&|at| view.program.path(at).ends_with(".h"))
    }
}

/// The name and the arguments of a macro in upper case whose use is all of a text, but for
/// parentheses around it.
fn used_alone(text: &str) -> Option<(Sym, Vec<&[u8]>)> {
    let mut code = text.trim();
    while let Some(inner) = code.strip_prefix('(')
        && closing(inner) == Some(inner.len() - 1)
    {
        code = inner[..inner.len() - 1].trim();
    }
    let head = CALL.captures(code.as_bytes())?;
    let inner = code.get(head.get(0)?.end()..)?;
    let end = closing(inner).filter(|end| end + 1 == inner.len())?;
    let name = Sym::latin1(head.get(1)?.as_bytes());
    Some((name, split_arguments(&inner.as_bytes()[..end])))
}

/// Where the parenthesis closes that was opened before a text.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    text.bytes().position(|byte| {
        depth += i32::from(byte == b'(') - i32::from(byte == b')');
        depth == 0
    })
}

/// A macro's body with what is given in the place of its parameters.
fn instance(macro_: &Constant, given: &[Expr]) -> Expr {
    let mut values: FxHashMap<&str, Expr> = FxHashMap::default();
    for (name, value) in macro_.parameters.iter().zip(given) {
        values.insert(name.text(), *value);
    }
    let mut bodies = BODIES.lock().unwrap_or_else(PoisonError::into_inner);
    let body = bodies
        .entry((macro_.body, macro_.parameters))
        .or_insert_with(|| body_of(macro_.body.text(), macro_.parameters.get()));
    with_values(*body, &values)
}

/// An expression with values in the place of variables; other variables are `?`.
pub fn with_values(expr: Expr, values: &FxHashMap<&str, Expr>) -> Expr {
    match expr.get() {
        ExprNode::Text(sym) => {
            let Some(variable) = sym.text().strip_prefix('$') else {
                return expr;
            };
            let (base, member) = match variable.split_once('>') {
                Some((base, member)) => (base, Some(member)),
                None => (variable, None),
            };
            let Some(value) = values.get(base).copied() else {
                return unknown();
            };
            let Some(member) = member else {
                return value;
            };
            let object = match value.as_tuple() {
                Some(("addr", [object, ..])) => object.as_text(),
                _ => value.as_text(),
            };
            match object.filter(|object| object.starts_with('$') && !object.contains('>')) {
                Some(object) => Expr::text(&format!("{object}>{member}")),
                None => unknown(),
            }
        }
        ExprNode::Tuple(parts) => {
            let Some((head, rest)) = parts.split_first() else {
                return expr;
            };
            let mut made = vec![*head];
            made.extend(rest.iter().map(|one| with_values(*one, values)));
            Expr::node(ExprNode::Tuple(ExprList::new(&made)))
        }
    }
}

/// `O_CREAT` of `:O_CREAT`.
fn plain(name: Sym) -> Sym {
    let text = name.text();
    Sym::new(text.strip_prefix(':').unwrap_or(text))
}

fn expression(text: Sym) -> Expr {
    let known = EXPRESSIONS
        .lock()
        .ok()
        .and_then(|known| known.get(&text).copied());
    known.unwrap_or_else(|| {
        let found = constant(text.text());
        if let Ok(mut known) = EXPRESSIONS.lock() {
            known.insert(text, found);
        }
        found
    })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The words that may be names of constants.
fn constants_in(body: &str) -> impl Iterator<Item = Sym> {
    let words = body.split(|character| !is_word(character));
    words.filter(|word| may_be_constant(word)).map(Sym::new)
}

fn may_be_constant(word: &str) -> bool {
    let first = word
        .bytes()
        .next()
        .is_some_and(|byte| !byte.is_ascii_digit());
    let capital = |byte: u8| byte == b'_' || byte.is_ascii_uppercase() || byte.is_ascii_digit();
    first && (word.bytes().all(capital) || is_constant(word))
}

/// A macro's body with arguments in the place of its parameters.
fn substituted(macro_: &Constant, arguments: &[&[u8]]) -> Sym {
    // Of parameters with one name the last counts.
    let argument = |word: &str| {
        let at = macro_
            .parameters
            .iter()
            .rposition(|one| one.text() == word)?;
        arguments.get(at)
    };
    let mut body = String::new();
    let mut rest = macro_.body.text();
    while !rest.is_empty() {
        let end = rest.find(|one| !is_word(one)).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        match argument(name) {
            Some(given) => body.extend(given.iter().map(|&byte| byte as char)),
            None => body.push_str(name),
        }
        let next = after.find(is_word).unwrap_or(after.len());
        let (between, after) = after.split_at(next);
        body.push_str(between);
        rest = after;
    }
    Sym::new(&body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intern::SymList;

    #[test]
    fn arguments_take_the_place_of_whole_words() {
        let macro_ = Constant {
            name: Sym::new("_IO"),
            parameters: SymList::new(&[Sym::new("x"), Sym::new("y")]),
            body: Sym::new("(((x)<<8)|y|xy)"),
        };
        assert_eq!(
            substituted(&macro_, &[b"0x12", b"98"]).text(),
            "(((0x12)<<8)|98|xy)"
        );
    }

    #[test]
    fn which_words_are_constants() {
        let found: Vec<&str> = constants_in("(A_1|b2 << 3_C)+_D-AF_x")
            .map(Sym::text)
            .collect();
        assert_eq!(found, ["A_1", "_D", "AF_x"]);
    }
}
