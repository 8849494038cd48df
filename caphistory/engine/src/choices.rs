//! What chooses the callee of a call through a pointer, as far as one function's text tells.
//!
//! A choice is a tuple among the guards of the call: `("calls", "$f")` where it calls the function in
//! a variable, or what that was set to; `("of", ":table", key)` where it calls a function of the
//! object that stands under this key in a table; `("by", "$ops")` where it calls one of the table
//! that a variable points to; `("made", f, n, x, …)` where it calls one of an object that a call of
//! `f` with the arguments `x` has made, whose address that was handed as the argument number `n`;
//! `("in", "$x", "m", place)` where it calls, at this place, one of the struct `m` within what a local
//! variable points to.
//! What such a struct is copied from is `("of", ":table", key)` too where that is an element of a table.
//! `("on", x)` stands there of any call that is handed what is on a mount of the kernel's own (see
//! `bodies::mounts`).
//! What is put into a table stands among the sets of the function that does: `:table>[]` is `("at",
//! key, value)`.

use rustc_hash::FxHashMap;

use crate::guards;
use crate::intern::{Expr, ExprList, Sym};
use crate::places::Places;
use crate::tree::{Field, Kind, Node};
use crate::values::{Known, Value, truth_of};

/// What reads a pointer or writes one, by how its name begins.
const READERS: [&str; 3] = ["rcu_dereference", "READ_ONCE", "ACCESS_ONCE"];
const WRITERS: [&str; 3] = ["rcu_assign_pointer", "RCU_INIT_POINTER", "WRITE_ONCE"];

/// The choice among a call's guards: its head, and what chooses.
pub fn choice_of(guards: ExprList) -> Option<(&'static str, &'static [Expr])> {
    let choice = guards.get().iter().find(|guard| is_choice(**guard));
    choice.and_then(|choice| choice.as_tuple())
}

/// Whether a guard is a choice.
pub fn is_choice(guard: Expr) -> bool {
    let tuple = guard.as_tuple();
    tuple.is_some_and(|(head, _)| matches!(head, "calls" | "of" | "by" | "made" | "in"))
}

/// The guard that tells of a mount, by its source.
pub fn on(source: Sym) -> Expr {
    Expr::tuple("on", &[Expr::sym(source)])
}

/// The source of the mount that a guard tells of.
pub fn mount_in(guard: Expr) -> Option<Sym> {
    match guard.as_tuple() {
        Some(("on", [source])) => source.as_sym(),
        _ => None,
    }
}

fn is_made(choice: Expr) -> bool {
    choice.as_tuple().is_some_and(|(head, _)| head == "made")
}

/// The place that stands for what a table holds.
pub fn held_in(table: Sym) -> Sym {
    Sym::new(&format!("{}>[]", table.text()))
}

/// What a pointer to a function is set to: `~m` where that is what the member `m` of a struct holds.
pub fn function_in(node: Node, places: &Places) -> Expr {
    let node = inner(node);
    let side = |field: Field| Some(function_in(node.field(field)?, places));
    let sides = || Some([side(Field::Consequence)?, side(Field::Alternative)?]);
    match node.kind() {
        Kind::FieldExpression => {
            let member = node.field(Field::Field).map(|one| places.text(one));
            member.map_or_else(guards::unknown, |one| Expr::text(&format!("~{one}")))
        }
        Kind::ConditionalExpression => {
            let condition = node.field(Field::Condition);
            let condition =
                condition.map(|one| guards::expression(one, places.code, &places.locals));
            match (condition, sides()) {
                (Some(condition), Some([one, other])) => {
                    Expr::tuple("?:", &[condition, one, other])
                }
                _ => guards::unknown(),
            }
        }
        _ => guards::expression(node, places.code, &places.locals),
    }
}

/// The functions (`:f`, of which `is_function` says that they are) and members of structs (`~m`)
/// that a pointer to a function may be; None where it may be anything.
pub fn functions_in(
    expr: Expr,
    known: &dyn Known,
    is_function: &dyn Fn(Sym) -> bool,
) -> Option<Vec<Sym>> {
    let each = |one: &Expr| functions_in(*one, known, is_function);
    let all = |all: &[Expr]| -> Option<Vec<Sym>> {
        let all: Option<Vec<_>> = all.iter().map(each).collect();
        Some(all?.concat())
    };
    let Some((head, operands)) = expr.as_tuple() else {
        let text = expr.as_sym()?;
        return match text.text().get(..1) {
            Some("~") => Some(vec![text]),
            Some(":") => is_function(Sym::new(&text.text()[1..])).then(|| vec![text]),
            Some("$") => match known.get(text) {
                Some(Value::Name(name)) => Some(vec![name]),
                _ => None,
            },
            Some("0") => Some(vec![]),
            _ => None,
        };
    };
    match (head, operands) {
        ("plain", values) => all(values),
        ("grow", [_, changes @ ..]) => {
            let settles = |one: &Expr| match one.as_tuple() {
                Some(("then", [guard, _])) => truth_of(*guard, known) == Some(true),
                _ => false,
            };
            let settled = changes.iter().rposition(settles);
            all(settled.map_or(operands, |at| &changes[at..]))
        }
        ("when" | "then", [guard, value]) => match truth_of(*guard, known) {
            Some(false) => Some(vec![]),
            _ => each(value),
        },
        ("unless", [value, ..]) => each(value),
        ("?:", [condition, one, other]) => match truth_of(*condition, known) {
            Some(true) => each(one),
            Some(false) => each(other),
            None => all(&[*one, *other]),
        },
        _ => None,
    }
}

/// What variables and members were given last by the code that was read.
#[derive(Default)]
pub struct Choices {
    given: FxHashMap<Sym, Given>,
    blocks: Vec<Block>,
}

/// A choice that holds to the end of a block, and not in a loop in it.
struct Given {
    choice: Option<Expr>,
    end: usize,
    loop_: usize,
}

/// Where a block begins, behind the condition of an if, and ends, and the innermost loop that it is
/// in or is begins.
#[derive(Clone, Copy)]
struct Block {
    start: usize,
    end: usize,
    loop_: usize,
}

impl Choices {
    /// Takes notice that a statement begins that may not run, or not to its end.
    pub fn begin(&mut self, node: Node) {
        let is_loop = matches!(
            node.kind(),
            Kind::WhileStatement | Kind::DoStatement | Kind::ForStatement
        );
        let condition = node.field(Field::Condition);
        let condition = condition.filter(|_| node.kind() == Kind::IfStatement);
        self.blocks.push(Block {
            start: condition.map_or(node.start(), |one| one.end()),
            end: node.end(),
            loop_: if is_loop {
                node.start()
            } else {
                self.block().loop_
            },
        });
    }

    pub fn end(&mut self) {
        self.blocks.pop();
    }

    fn block(&self) -> Block {
        self.block_at(usize::MAX)
    }

    /// The innermost block that begins before a place.
    fn block_at(&self, at: usize) -> Block {
        let whole = Block {
            start: 0,
            end: usize::MAX,
            loop_: usize::MAX,
        };
        let mut blocks = self.blocks.iter().rev();
        blocks.find(|one| one.start <= at).copied().unwrap_or(whole)
    }

    /// Takes down what a variable or member is given; None for what is not followed.
    pub fn give(&mut self, target: Node, value: Option<Node>, places: &Places) {
        let target = Sym::latin1(target.bytes(places.code));
        let choice = value.and_then(|value| lookup(value, places));
        self.take(target, choice);
    }

    /// Takes down what a variable is given where it is declared.
    pub fn declare(&mut self, variable: Sym, value: Node, places: &Places) {
        self.take(variable, lookup(value, places));
    }

    /// Takes down which objects a call of a function makes: those whose addresses it is handed.
    pub fn make(&mut self, function: &str, given: &[Node], passes: ExprList, places: &Places) {
        for (number, node) in given.iter().enumerate() {
            let object = node
                .field(Field::Argument)
                .filter(|_| node.kind() == Kind::PointerExpression)
                .filter(|one| one.kind() == Kind::Identifier);
            let is_address = places.code.get(node.start()) == Some(&b'&');
            let Some(object) = object.filter(|_| is_address) else {
                continue;
            };
            let name = places.text(object);
            let local = places.locals.get(&name);
            if local.is_none_or(|local| !local.type_.text().starts_with("struct ")) {
                continue;
            }
            let mut choice = vec![Expr::text(function), Expr::text(&number.to_string())];
            choice.extend(passes.iter());
            let block = self.block_at(node.start());
            self.take_at(Sym::new(&name), Some(Expr::tuple("made", &choice)), block);
        }
    }

    fn take(&mut self, target: Sym, choice: Option<Expr>) {
        self.take_at(target, choice, self.block());
    }

    fn take_at(&mut self, target: Sym, choice: Option<Expr>, block: Block) {
        let Block { end, loop_, .. } = block;
        self.given.insert(target, Given { choice, end, loop_ });
    }

    /// What chooses what a call calls whose function is this expression.
    pub fn of(&self, function: Node, places: &Places) -> Option<Expr> {
        let function = inner(function);
        if function.kind() == Kind::Identifier {
            let variable = Sym::new(&format!("${}", places.text(function)));
            return Some(Expr::tuple("calls", &[Expr::sym(variable)]));
        }
        let receiver = inner(function.field(Field::Argument)?);
        if function.kind() != Kind::FieldExpression {
            return None;
        }
        let last = |object: Node| {
            let last = self.given.get(&Sym::latin1(object.bytes(places.code)))?;
            let holds = receiver.start() < last.end && last.loop_ == self.block().loop_;
            last.choice.filter(|_| holds)
        };
        // What it was made by tells of the tables that an object has.
        let made = || {
            let object = inner(receiver.field(Field::Argument)?);
            let is_object = receiver.kind() == Kind::FieldExpression;
            let made = last(Some(object).filter(|_| is_object)?)?;
            Some(made).filter(|made| is_made(*made))
        };
        let by = || {
            let name = places.text(receiver);
            let is_local = receiver.kind() == Kind::Identifier && places.locals.contains(&name);
            let variable = Expr::text(&format!("${name}"));
            is_local.then(|| Expr::tuple("by", &[variable]))
        };
        let within = || {
            let object = inner(receiver.field(Field::Argument)?);
            let name = places.text(object);
            let is_local = object.kind() == Kind::Identifier && places.locals.contains(&name);
            let is_within = is_embedded(function) && receiver.kind() == Kind::FieldExpression;
            let member = receiver
                .field(Field::Field)
                .filter(|_| is_local && is_within)?;
            let (place, _) = places.called(function);
            let operands = [format!("${name}"), places.text(member).into(), place];
            Some(Expr::tuple("in", &operands.map(|one| Expr::text(&one))))
        };
        let plain = || last(receiver).filter(|one| !is_made(*one));
        let found = lookup(receiver, places).or_else(plain);
        found.or_else(made).or_else(within).or_else(by)
    }
}

/// Whether a member is one of a struct itself, not of what a pointer leads to.
fn is_embedded(member: Node) -> bool {
    let sign = member.field(Field::Operator);
    sign.is_some_and(|sign| sign.kind() == Kind::Dot)
}

/// The element of a table, under a constant, that a struct is copied from.
pub fn copied_from(value: Node, places: &Places) -> Option<Expr> {
    let found = lookup(value, places)?;
    let (_, [_, key]) = found.as_tuple()? else {
        return None;
    };
    key.as_text()
        .is_some_and(|key| key.starts_with(':'))
        .then_some(found)
}

/// The table outside of the function in which an expression is an element, and the key.
fn element<'t>(node: Node<'t>, places: &Places) -> Option<(Sym, Node<'t>)> {
    let node = inner(node);
    let table = node
        .field(Field::Argument)
        .filter(|one| node.kind() == Kind::SubscriptExpression && one.kind() == Kind::Identifier)?;
    let name = places.text(table);
    let outside = !places.locals.contains(&name);
    let key = node.last_named().filter(|_| outside)?;
    Some((Sym::new(&format!(":{name}")), key))
}

fn lookup(node: Node, places: &Places) -> Option<Expr> {
    let node = inner(node);
    if node.kind() == Kind::CallExpression {
        let (_, given) = called(node, &READERS, places)?;
        return lookup(*given.first()?, places);
    }
    let (table, key) = element(node, places)?;
    let key = guards::expression(key, places.code, &places.locals);
    Some(Expr::tuple("of", &[Expr::sym(table), key]))
}

/// What a function puts into a table by an assignment or a call: the place and the value.
pub fn put(node: Node, places: &Places) -> Option<(Sym, Expr)> {
    let (target, value) = if node.kind() == Kind::CallExpression {
        let (_, given) = called(node, &WRITERS, places)?;
        (*given.first()?, *given.get(1)?)
    } else {
        (node.field(Field::Left)?, node.field(Field::Right)?)
    };
    let (table, key) = element(target, places)?;
    let key = guards::expression(key, places.code, &places.locals);
    let value = inner(value);
    let value = guards::expression(value, places.code, &places.locals);
    Some((held_in(table), Expr::tuple("at", &[key, value])))
}

/// The name and the arguments of a call of a function whose name begins with one of these.
fn called<'t>(
    node: Node<'t>,
    names: &[&str],
    places: &Places,
) -> Option<(Node<'t>, Vec<Node<'t>>)> {
    let function = node.field(Field::Function)?;
    let name = places.text(function);
    names.iter().find(|one| name.starts_with(**one))?;
    let given = node.field(Field::Arguments)?.named_children();
    let given = given.filter(|one| one.kind() != Kind::Comment);
    Some((function, given.collect()))
}

/// An expression without parentheses, casts, `*` and `&` around it.
fn inner(mut node: Node) -> Node {
    for _ in 0..8 {
        let within = match node.kind() {
            Kind::ParenthesizedExpression => node.last_named(),
            Kind::CastExpression => node.field(Field::Value),
            Kind::PointerExpression => node.field(Field::Argument),
            _ => None,
        };
        match within {
            Some(within) => node = within,
            None => break,
        }
    }
    node
}
