//! Under which conditions the code at hand runs, and what it sets under them.

use super::{BodyReader, sets};
use crate::choices;
use crate::conditions::terms;
use crate::facts::Parameter;
use crate::guards;
use crate::initialisers::members_in;
use crate::intern::{Expr, ExprList, Sym};
use crate::lexer::is_word;
use crate::notation::base;
use crate::tree::{Field, Kind, Node};
use crate::user_data;
use memchr::memmem;
use rustc_hash::FxHashMap;
use std::sync::LazyLock;

/// Conditions that one call may stand under: each call keeps its own list, so that a mangled file
/// could ask for any amount of memory.
const MOST_GUARDS: usize = 1_000;
/// Of the conditions under which a value is given only the innermost ones count.
const MOST_OF_SETS: usize = 8;

impl<'t, 'c, 'a> BodyReader<'t, 'c, 'a> {
    /// An expression that stands before `at`, with `$x'` for the parameters that have not changed
    /// as yet, and what local variables were declared as that have not changed.
    pub(super) fn as_given(&self, expr: Expr, at: usize) -> Expr {
        let is_plain = self.changing.is_empty() && self.begun.is_empty() && self.filled.is_empty();
        if self.looped || is_plain {
            return expr;
        }
        let is_same = |place: Sym| self.changed.get(&place).is_none_or(|first| *first >= at);
        let begun = self.begun.iter();
        let begun = begun.filter(|(place, value)| **value != guards::unknown() && is_same(**place));
        let begun: FxHashMap<Sym, Expr> = begun.map(|(place, value)| (*place, *value)).collect();
        let unchanged = |place: Sym| {
            let name = place.text().strip_prefix('$');
            let changes = name.is_some_and(|name| self.changing.contains(name));
            (changes || self.filled.contains(&place)) && is_same(place)
        };
        guards::marked(guards::declared(expr, &begun), &unchanged)
    }

    /// Takes down what a local variable is declared as, by a declaration that ends at `end`, if that
    /// is a parameter or a member of one and the variable may change behind it (ipx_sendmsg,
    /// net/ipx/af_ipx.c of 2.2: `usipx = msg->msg_name; if (usipx) … else usipx = &local;`).
    pub(super) fn begin(&mut self, variable: Sym, value: Expr, end: usize) {
        let place = value.as_text().and_then(|text| text.strip_prefix('$'));
        let base = place.map(base);
        let of_parameter = base.is_some_and(|base| self.parameters.contains(base));
        let rest = self.code.get(end..).unwrap_or_default();
        let is_begun = of_parameter && may_change(rest, &variable.text()[1..]);
        let value = if is_begun { value } else { guards::unknown() };
        // One of the same name in another block may be meant.
        let other = self.begun.insert(variable, value);
        if other.is_some_and(|other| other != value) {
            self.begun.insert(variable, guards::unknown());
        }
    }

    /// The parameters that a function's code may change: what stands before a sign that does so, or
    /// behind an `&`.
    pub(super) fn find_changing(&mut self, parameters: &[Parameter]) {
        let names = parameters.iter().map(|one| one.name.text());
        self.changing = names
            .filter(|name| !name.is_empty() && may_change(self.code, name))
            .collect();
    }

    pub(super) fn expression(&self, node: Node<'t>) -> Expr {
        guards::expression(node, self.code, &self.places.locals)
    }

    /// The conditions on variables of the function under which the code at hand runs, that stands
    /// under the preprocessor condition `configured`.
    pub(super) fn guards(&mut self, configured: Sym) -> ExprList {
        if self.under.is_empty() {
            return ExprList::default();
        }
        let mut under = std::mem::take(&mut self.under);
        let mut found = vec![];
        for guard in &mut under {
            let expr = *guard.expr.get_or_insert_with(|| {
                guard.configured = self.configured(guard.condition);
                let locals = &self.places.locals;
                let expr = guards::condition(guard.condition, self.code, locals);
                let expr = self.as_given(expr, guard.condition.end());
                if !guards::has_leaves(expr) {
                    guards::unknown()
                } else if guard.truth {
                    expr
                } else {
                    guards::negated(expr)
                }
            });
            // What is not compiled wherever this code is does not guard it.
            let compiled = || {
                guard
                    .configured
                    .iter()
                    .all(|one| terms(configured.text()).any(|part| part == *one))
            };
            if expr != guards::unknown() && found.len() < MOST_GUARDS && compiled() {
                found.push(expr);
            }
        }
        self.under = under;
        ExprList::new(&found)
    }

    /// Whether the guards of a call are all the conditions that it stands under, and nothing in them is
    /// unknown.
    pub(super) fn are_all_told(&self, guards: ExprList) -> bool {
        guards.get().len() == self.under.len() && guards.iter().all(|one| guards::is_told(*one))
    }

    /// The preprocessor conditions under which all of an expression is compiled.
    pub(super) fn configured(&self, node: Node<'t>) -> Vec<&'static str> {
        let start = node.start();
        let ends = memchr::memchr_iter(b'\n', node.bytes(self.code)).map(|at| start + at);
        let mut found = vec![];
        for at in std::iter::once(start).chain(ends) {
            for part in terms((self.condition_at)(self.base + at as i64).text()) {
                if !part.is_empty() && !found.contains(&part) {
                    found.push(part);
                }
            }
        }
        found
    }

    /// The arguments of a call, up to the last one that can be followed; `target` is what it
    /// calls by name. A macro may change what it is handed (get_user), a function what "&" hands
    /// it.
    pub(super) fn passed(&mut self, arguments: &[Node<'t>], target: Option<Sym>) -> ExprList {
        static LAST: LazyLock<Expr> = LazyLock::new(|| Expr::text("last"));
        let mut found = vec![];
        for &argument in arguments {
            let mut one = self.expression(argument);
            let address = match one.as_tuple() {
                Some(("addr", operands)) => operands.first().copied(),
                _ => None,
            };
            let inner = address
                .unwrap_or(one)
                .as_text()
                .filter(|text| text.starts_with('$'));
            if let Some(variable) = inner {
                if let Some(target) = target {
                    self.body.arguments.insert((variable, target.text()));
                }
                let at = argument.start();
                if address.is_some() {
                    self.body.addressed.insert(variable);
                    self.changed.entry(Sym::new(variable)).or_insert(at);
                }
                if target.is_some_and(|target| user_data::sets_argument(target.text())) {
                    self.changed.entry(Sym::new(variable)).or_insert(at);
                }
                if let Some(target) = target.filter(|one| user_data::copies(one.text())) {
                    if address.is_some() || user_data::sets_argument(target.text()) {
                        self.body.copied.insert(variable);
                    } else if found.is_empty() {
                        self.body.filled.insert(variable);
                    }
                }
            }
            if let Some(variable) = address.filter(|_| self.returning) {
                one = Expr::tuple("addr", &[variable, *LAST]);
            }
            found.push(self.as_given(one, argument.start()));
        }
        while found.last() == Some(&guards::unknown()) {
            found.pop();
        }
        ExprList::new(&found)
    }

    /// Takes down what a variable or a member of it is set to; `x |= y` sets x to x | y.
    pub(super) fn set(
        &mut self,
        node: Node<'t>,
        target: Node<'t>,
        value: Option<Node<'t>>,
        sign: Kind,
    ) {
        let place = self.expression(target);
        let Some(name) = place.as_sym().filter(|name| name.text().starts_with('$')) else {
            return;
        };
        self.changed.entry(name).or_insert(node.start());
        let value = match value {
            Some(value) if self.is_called(name) => choices::function_in(value, &self.places),
            Some(value) if target.kind() == Kind::FieldExpression => {
                let copied = choices::copied_from(value, &self.places);
                copied.unwrap_or_else(|| self.assigned(value))
            }
            Some(value) => self.assigned(value),
            None => guards::unknown(),
        };
        let value = match sign {
            Kind::OrAssign => Expr::tuple("|", &[place, value]),
            Kind::AndAssign => Expr::tuple("&", &[place, value]),
            _ => value,
        };
        let at = self.offset(node);
        let guarded = self.guarded(at, value);
        let key = (at, place.as_text().unwrap_or(""));
        self.body.sets.entry(key).or_insert((name, guarded));
        if sign == Kind::Assign && target.kind() == Kind::Identifier {
            let sure =
                self.depends_on_guards(node) && sets::all_first(self.code, target.bytes(self.code));
            self.body.sure.insert(key, sure);
        }
    }

    /// Takes down that a variable is counted up (`if ((flags + 1) & O_ACCMODE) flags++;`), as what it
    /// is set to where that happens once, under conditions that are known.
    pub(super) fn count(&mut self, node: Node<'t>, target: Node<'t>) {
        self.set(node, target, None, Kind::Other);
        let place = self.expression(target);
        let up = node.bytes(self.code).windows(2).any(|two| two == b"++");
        let counted = place
            .as_sym()
            .filter(|_| up && target.kind() == Kind::Identifier);
        if let Some(name) = counted
            && self.depends_on_guards(node)
        {
            let at = self.offset(node);
            let next = Expr::tuple("+", &[place, Expr::text("1")]);
            let key = (at, name.text());
            let guarded = self.guarded(at, next);
            self.body.sets.insert(key, (name, guarded));
            self.body.sure.insert(key, true);
        }
    }

    /// Whether a statement runs wherever the known conditions hold under which it stands.
    fn depends_on_guards(&mut self, node: Node<'t>) -> bool {
        let condition = (self.condition_at)(self.offset(node));
        let guards = self.under.len();
        (1..=MOST_OF_SETS).contains(&guards)
            && condition.is_empty()
            && !self.looped
            && self.guards(condition).len() == guards
            && sets::runs_straight(node)
            && memmem::find(&self.code[..node.start()], b"goto").is_none()
    }

    /// Whether a local variable holds a function, as its type or a call shows.
    pub(super) fn is_called(&self, variable: Sym) -> bool {
        let name = &variable.text()[1..];
        let called = || {
            let mut found = memmem::find_iter(self.code, name.as_bytes());
            found.any(|at| {
                let before = at.checked_sub(1).map(|at| self.code[at]);
                let whole = before.is_none_or(|byte| !is_word(byte) && !b".>".contains(&byte));
                whole && self.code.get(at + name.len()) == Some(&b'(')
            })
        };
        self.places.holds_function(name) || self.places.may_hold_function(name) && called()
    }

    /// The value that an expression gives to what it is assigned to: of `a = b |= c` that of `b`.
    pub(super) fn assigned(&self, value: Node<'t>) -> Expr {
        match value.field(Field::Left) {
            Some(left) if value.kind() == Kind::AssignmentExpression => self.expression(left),
            _ => self.expression(value),
        }
    }

    /// A value with the condition under which it is given, if there is one.
    pub(super) fn guarded(&mut self, at: i64, value: Expr) -> Expr {
        let condition = (self.condition_at)(at);
        let all = self.guards(condition).get();
        let innermost = &all[all.len().saturating_sub(MOST_OF_SETS)..];
        match guards::all_of(innermost) {
            Some(guard) => Expr::tuple("when", &[guard, value]),
            None => value,
        }
    }

    /// Takes down what the members of a struct are set to: `$x>*` stands for all that are not
    /// named, and is `("zero", …)` with those that are, or `?`.
    pub(super) fn set_members(&mut self, node: Node<'t>, variable: Sym, value: Node<'t>) {
        let at = self.offset(node);
        let rest = Sym::new(&format!("{}>*", variable.text()));
        let mut found: Vec<(Sym, Expr)> = vec![];
        match members_in(value, self.code) {
            Some(members) => {
                let mut named = vec![];
                for (member, value) in members {
                    named.push(Expr::sym(member));
                    let place = Sym::new(&format!("{}>{}", variable.text(), member.text()));
                    let value = value.map_or_else(guards::unknown, |value| self.assigned(value));
                    found.push((place, value));
                }
                found.push((rest, Expr::tuple("zero", &named)));
            }
            None => found.push((rest, guards::unknown())),
        }
        for (place, value) in found {
            let guarded = self.guarded(at, value);
            self.body
                .sets
                .entry((at, place.text()))
                .or_insert((place, guarded));
        }
    }
}

/// Whether a name may be changed somewhere in some code.
fn may_change(code: &[u8], name: &str) -> bool {
    let mut found = memmem::find_iter(code, name.as_bytes());
    found.any(|at| changes(code, at, name.len()))
}

/// Whether a name at an offset may be changed there: `x = `, `x |= `, `x++`, `--x`, `&x`.
fn changes(code: &[u8], at: usize, length: usize) -> bool {
    let (before, behind) = (&code[..at], &code[at + length..]);
    let whole = |byte: Option<&u8>| byte.is_none_or(|&byte| !is_word(byte));
    if !whole(before.last()) || !whole(behind.first()) {
        return false;
    }
    let (before, behind) = (before.trim_ascii_end(), behind.trim_ascii_start());
    let signs = behind
        .iter()
        .take_while(|byte| b"=+-*/%&|^<>".contains(byte));
    let sets = match &behind[..signs.count()] {
        b"=" | b"++" | b"--" => true,
        [b'=', next, ..] => *next != b'=',
        [.., b'='] => !matches!(behind, [b'<' | b'>', b'=', ..]),
        _ => false,
    };
    sets || before.ends_with(b"&") && !before.ends_with(b"&&")
        || before.ends_with(b"++")
        || before.ends_with(b"--")
}
