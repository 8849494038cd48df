//! Reads function and macro bodies: calls, tests of uids, and what is stored where.

mod conditions;
mod kinds;
mod leaving;
mod sets;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use leaving::{always_leaves, breaks, case_leaves, is_block, side_that_stays};
use memchr::memmem;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::alternatives::Test;
use crate::choices::{self, Choices};
use crate::decisions::{Uses, loops};
use crate::declarations::{declared, structs_in, type_name};
use crate::effects::{Given, Outcome, OutcomeList};
use crate::facts::{Call, Flow, Naming, Parameter, Stored, Struct, TableFlow, UidTest};
use crate::file_kinds::{self, Kinds};
use crate::guards;
use crate::initialisers::{initialiser, is_struct, value_of};
use crate::intern::{Expr, ExprList, Sym, SymList};
use crate::kind_tests::{self, Origins, Told};
use crate::lexer::is_word;
use crate::namings::{self, Registered};
use crate::notation::names;
use crate::outcomes::{self, is_leaving};
use crate::places::{AUTO, Local, Locals, Places};
use crate::relays::relayed;
use crate::tree::{Field, Kind, Node};
use crate::uids::{compares_root, is_made_root, is_uid};
use crate::user_data;

/// What puts other credentials on, and what takes them off again.
const OVERRIDING: &str = "override_creds";
const REVERTING: &str = "revert_creds";

/// More calls within each other than any kernel needs (200): what lies deeper in a mangled file
/// is not read.
const DEEPEST: u32 = 500;

/// Conditions that one call may stand under: each call keeps its own list, so that a mangled file
/// could ask for any amount of memory.
const MOST_GUARDS: usize = 1_000;
/// Of the conditions under which a value is given only the innermost ones count.
const MOST_OF_SETS: usize = 8;
/// Likewise for the labels that lead to one statement of a switch.
const MOST_LABELS: usize = 1_000;

/// The preprocessor condition at an offset of an item.
pub type ConditionAt<'a> = &'a dyn Fn(i64) -> Sym;

/// What was read from one reading of a body; keys are offsets in the given code, those of flows
/// and of what is stored with the source's text behind them.
#[derive(Default)]
pub struct Body {
    pub calls: BTreeMap<i64, Call>,
    pub uid_tests: BTreeMap<i64, UidTest>,
    pub flows: BTreeMap<(i64, &'static str), Flow>,
    pub tables: BTreeMap<(i64, &'static str), TableFlow>,
    pub stored: BTreeMap<(i64, &'static str), Stored>,
    pub namings: BTreeMap<i64, Naming>,
    pub structs: BTreeMap<i64, Struct>,
    pub parameters: Vec<Parameter>,
    pub relays: SymList,
    pub error: bool,
    pub sets: BTreeMap<(i64, &'static str), (Sym, Expr)>,
    /// Whether sets of variables take place wherever their condition holds, and before all uses.
    pub sure: BTreeMap<(i64, &'static str), bool>,
    /// What is known of the objects that variables point to (see `decisions::of_objects`).
    pub made: BTreeMap<(i64, &'static str), (Sym, Expr)>,
    /// The variables that calls are handed, each with the callee.
    pub arguments: BTreeSet<(&'static str, &'static str)>,
    /// The variables whose address calls are handed.
    pub addressed: BTreeSet<&'static str>,
    /// The variables into which calls copy from the user's memory, and the pointers to such.
    pub copied: BTreeSet<&'static str>,
    pub filled: BTreeSet<&'static str>,
    /// The types of local variables, by name.
    pub locals: BTreeMap<&'static str, Sym>,
}

impl Body {
    /// Takes in what another reading found and this one did not. A condition counts if it holds
    /// in all readings: another configuration may be without it.
    pub fn add(&mut self, other: &Body) {
        for (&at, call) in &other.calls {
            let known = self.calls.entry(at).or_insert(*call);
            known.guards = common(known.guards, call.guards);
            if known.tables != call.tables {
                known.tables = SymList::default();
            }
            if known.creds != call.creds {
                known.creds = Sym::default();
            }
            if known.kinds != call.kinds {
                known.kinds = 0;
            }
        }
        for (&at, test) in &other.uid_tests {
            let known = self.uid_tests.entry(at).or_insert(*test);
            known.guards = common(known.guards, test.guards);
        }
        merge(&mut self.flows, &other.flows);
        merge(&mut self.tables, &other.tables);
        merge(&mut self.stored, &other.stored);
        merge(&mut self.namings, &other.namings);
        merge(&mut self.structs, &other.structs);
        merge(&mut self.sets, &other.sets);
        for (&at, sure) in &other.sure {
            *self.sure.entry(at).or_insert(true) &= sure;
        }
        merge(&mut self.made, &other.made);
        self.arguments.extend(&other.arguments);
        self.addressed.extend(&other.addressed);
        self.copied.extend(&other.copied);
        self.filled.extend(&other.filled);
        merge(&mut self.locals, &other.locals);
    }

    /// What calls do with variables.
    pub fn uses(&self) -> Uses {
        let all = |names: &BTreeSet<&'static str>| names.iter().map(|one| Sym::new(one)).collect();
        let handed = self.arguments.iter();
        let sure = self.sure.iter().filter(|(_, sure)| **sure);
        Uses {
            handed: handed
                .map(|(place, user)| (Sym::new(place), Sym::new(user)))
                .collect(),
            addressed: all(&self.addressed),
            copied: all(&self.copied),
            filled: all(&self.filled),
            sure: sure
                .filter_map(|(at, _)| self.sets.get(at).copied())
                .collect(),
        }
    }
}

fn common(one: ExprList, other: ExprList) -> ExprList {
    if one == other {
        return one;
    }
    let both: Vec<Expr> = one
        .iter()
        .copied()
        .filter(|guard| other.contains(guard))
        .collect();
    ExprList::new(&both)
}

fn merge<K: Ord + Clone, V: Clone>(known: &mut BTreeMap<K, V>, other: &BTreeMap<K, V>) {
    for (key, value) in other {
        known.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// What was found, by where it stands.
pub fn in_order<K, V: Clone>(found: &BTreeMap<K, V>) -> Vec<V> {
    found.values().cloned().collect()
}

/// A condition that holds (or, without `truth`, does not) where the code at hand runs, from
/// `start` to `end`. `expr` is worked out when first asked for, with the preprocessor conditions
/// under which all of it is compiled.
struct Guard<'t> {
    condition: Node<'t>,
    truth: bool,
    start: usize,
    end: usize,
    expr: Option<Expr>,
    configured: Vec<&'static str>,
}

/// What a test tells of the kinds of files from `start` on, in statements that go from `from` to
/// `to`: no call in them that came before leads to files of other kinds for anything.
struct TestBehind<'c> {
    from: usize,
    start: usize,
    to: usize,
    told: Told<'c>,
}

impl<'t> Guard<'t> {
    fn new(condition: Node<'t>, truth: bool, over: Node<'t>) -> Guard<'t> {
        let (start, end) = (over.start(), over.end());
        Guard {
            condition,
            truth,
            start,
            end,
            expr: None,
            configured: vec![],
        }
    }
}

/// Nodes with nothing below them.
fn is_plain(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Identifier
            | Kind::FieldIdentifier
            | Kind::TypeIdentifier
            | Kind::StatementIdentifier
            | Kind::NumberLiteral
            | Kind::StringLiteral
            | Kind::CharLiteral
            | Kind::Null
            | Kind::PrimitiveType
    )
}

/// These, and nodes with nothing of interest below them.
fn is_leaf(kind: Kind) -> bool {
    is_plain(kind)
        || matches!(
            kind,
            Kind::ConcatenatedString
                | Kind::SizedTypeSpecifier
                | Kind::TypeQualifier
                | Kind::SizeofExpression
                | Kind::ParameterList
                | Kind::BreakStatement
                | Kind::ContinueStatement
                | Kind::GotoStatement
        )
}

/// Whether an expression may hold a call, an assignment or a uid.
fn may_matter(code: &[u8]) -> bool {
    code.iter().enumerate().any(|(at, &byte)| match byte {
        b'(' | b'{' | b'=' => true,
        b'+' | b'-' => code.get(at + 1) == Some(&byte),
        b'u' => code[at..].starts_with(b"uid"),
        b'v' => code[at..].starts_with(b"val"),
        _ => false,
    })
}

fn is_zero(code: &[u8]) -> bool {
    let zero: [&[u8]; 5] = [
        b"0",
        b"GLOBAL_ROOT_UID",
        b"ROOT_UID",
        b"(uid_t)0",
        b"(uid_t) 0",
    ];
    zero.contains(&code.trim_ascii())
}

/// Walks one syntax tree. `base` is added to offsets, `base_row` to lines.
pub struct BodyReader<'t, 'c, 'a> {
    code: &'c [u8],
    base: i64,
    base_row: u32,
    condition_at: ConditionAt<'a>,
    pub outcomes: outcomes::Flow<'t, 'c>,
    pub places: Places<'c>,
    case: Sym,
    under: Vec<Guard<'t>>,
    returning: bool,
    /// Whether it may have returned before, and not with an error.
    returned: bool,
    /// The parameters that may change somewhere, and where those that did so have done first.
    changing: FxHashSet<&'static str>,
    changed: FxHashMap<Sym, usize>,
    /// Whether code further down may have run before: in a loop, or behind a label that a goto
    /// leads back to.
    looped: bool,
    jumps: Option<FxHashMap<&'c [u8], (usize, usize)>>,
    /// The local variables that are structs, as their initialisers show.
    structs: FxHashSet<&'static str>,
    /// What local variables were given last, as far as it is registered.
    registered: FxHashMap<&'static str, Registered>,
    /// The local variables that are root's uid in some namespace.
    roots: FxHashSet<&'static str>,
    /// What the function returns, if that is a type.
    pub returns: Sym,
    parameters: FxHashSet<&'static str>,
    /// What the places with these texts were given last where the code at hand runs; those from
    /// number `branch` on only in the branch at hand.
    given: Vec<(&'c [u8], Vec<Node<'t>>)>,
    branch: usize,
    /// Whether the code tests kinds of files; what it tells of them where the code at hand runs,
    /// from where on; and behind what it called before, with what the results of calls are put into.
    tests_kinds: bool,
    overrides: bool,
    origins: Origins<'c>,
    kinds: Vec<(usize, usize, Told<'c>)>,
    behind: Vec<TestBehind<'c>>,
    results: Vec<(i64, usize, &'c str)>,
    /// What chooses the callees of calls through pointers.
    choices: Choices,
    pub body: Body,
}

impl<'t, 'c, 'a> BodyReader<'t, 'c, 'a> {
    pub fn new(
        code: &'c [u8],
        base: i64,
        base_row: u32,
        condition_at: ConditionAt<'a>,
        known: Locals,
    ) -> Self {
        BodyReader {
            code,
            base,
            base_row,
            condition_at,
            outcomes: outcomes::Flow::new(code),
            places: Places::new(code, known),
            case: Sym::default(),
            under: vec![],
            returning: false,
            returned: false,
            changing: FxHashSet::default(),
            changed: FxHashMap::default(),
            looped: false,
            jumps: None,
            structs: FxHashSet::default(),
            registered: FxHashMap::default(),
            roots: FxHashSet::default(),
            returns: Sym::default(),
            parameters: FxHashSet::default(),
            given: vec![],
            branch: 0,
            tests_kinds: kind_tests::may_test(code),
            overrides: memmem::find(code, REVERTING.as_bytes()).is_some(),
            origins: Origins::default(),
            kinds: vec![],
            behind: vec![],
            results: vec![],
            choices: Choices::default(),
            body: Body::default(),
        }
    }

    // The tree, top down. `depth` guards the stack.

    /// Reads a node and what is below it.
    pub fn read(&mut self, node: Node<'t>) {
        self.visit(node, false, 0);
        self.tell_creds();
        self.tell_results();
    }

    fn visit(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        if depth > DEEPEST {
            return;
        }
        let depth = depth + 1;
        let is_block = is_block(node.kind());
        if is_block {
            self.choices.begin(node);
        }
        self.visit_node(node, conditional, depth);
        if is_block {
            self.choices.end();
        }
    }

    fn visit_node(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        match node.kind() {
            kind if is_plain(kind) => {}
            Kind::CallExpression => self.call(node, conditional, depth),
            Kind::IfStatement => self.if_(node, conditional, depth),
            Kind::WhileStatement | Kind::DoStatement | Kind::ForStatement => {
                self.loop_(node, conditional, depth);
            }
            Kind::SwitchStatement => self.switch(node, conditional, depth),
            Kind::CompoundStatement => {
                let statements: Vec<_> = node.named_children().collect();
                self.sequence(&statements, conditional, depth);
            }
            Kind::LabeledStatement => self.label(node, conditional, depth),
            Kind::ReturnStatement => self.return_(node, conditional, depth),
            Kind::CaseStatement => self.case(node, depth),
            Kind::BinaryExpression | Kind::UnaryExpression => {
                if may_matter(node.bytes(self.code)) {
                    self.decide(node, conditional, depth + 1, false);
                }
            }
            Kind::ConditionalExpression => {
                self.ternary(node, conditional, depth, false);
            }
            Kind::AssignmentExpression => self.assignment(node, conditional, depth),
            Kind::Declaration => self.declaration(node, conditional, depth),
            Kind::UpdateExpression => {
                if let Some(argument) = node.field(Field::Argument) {
                    self.set(node, argument, None, Kind::Other);
                    self.choices.give(argument, None, &self.places);
                }
                self.through(node, conditional, depth);
            }
            Kind::GnuAsmOutputOperand => {
                if let Some(operand) = node.field(Field::Value) {
                    self.set(node, operand, None, Kind::Other);
                }
                self.through(node, conditional, depth);
            }
            Kind::ParenthesizedExpression => self.through(node, conditional, depth),
            Kind::CompoundLiteralExpression => self.literal(node, conditional, depth),
            Kind::StructSpecifier | Kind::UnionSpecifier => self.structs(node),
            _ => self.below(node, conditional, depth),
        }
    }

    fn below(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        for child in node.named_children() {
            if !is_leaf(child.kind()) {
                self.visit(child, conditional, depth);
            }
        }
    }

    fn through(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        for child in node.named_children() {
            self.visit(child, conditional, depth + 1);
        }
    }

    fn structs(&mut self, node: Node<'t>) {
        if let Some(first) = structs_in(node, self.code, "").into_iter().next() {
            self.body.structs.entry(self.offset(node)).or_insert(first);
        }
    }

    fn if_(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        let condition = node.field(Field::Condition);
        if let Some(condition) = condition {
            self.decide(condition, conditional, depth + 1, true);
        }
        let alternative = node.field(Field::Alternative);
        for child in node.named_children() {
            match condition {
                None => self.visit(child, true, depth + 1),
                Some(condition) if child.start() == condition.start() => {}
                Some(condition) => {
                    let truth = alternative.is_none_or(|other| child.start() != other.start());
                    self.under.push(Guard::new(condition, truth, child));
                    let known = self.tell_kinds(condition, truth, child.start(), child.end());
                    self.branch(|reader| reader.visit(child, true, depth + 1));
                    self.kinds.truncate(known);
                    self.under.pop();
                }
            }
        }
    }

    /// Reads what may not be run.
    fn branch(&mut self, read: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.branch, self.given.len());
        read(self);
        let branch = self.branch.min(self.given.len());
        for (place, values) in self.given.split_off(branch) {
            // Behind a branch a place has what it had before, or what it was given there.
            if let Some((_, known)) = self.given.iter_mut().rfind(|(one, _)| *one == place) {
                known.extend(values);
            }
        }
        self.branch = outer.min(self.given.len());
    }

    /// Statements one after the other: what follows `if (x) return …;` runs under !x.
    fn sequence(&mut self, statements: &[Node<'t>], conditional: bool, depth: u32) {
        let outer = self.under.len();
        let (mut looped, mut left) = (false, false);
        let kinds = self.kinds.len();
        let from = statements.first().map_or(0, |first| first.start());
        let to = statements.last().map_or(0, |last| last.end());
        for &statement in statements {
            let kind = statement.kind();
            // A macro may hold the label by which what follows a return is reached: the cases of
            // RO_IOCTLS in the switch of sd_ioctl (2.0).
            if left
                && !matches!(
                    kind,
                    Kind::LabeledStatement | Kind::CaseStatement | Kind::Comment
                )
            {
                for guard in &mut self.under {
                    guard.expr = Some(guards::unknown());
                }
            }
            if kind != Kind::Comment {
                left = is_leaving(kind);
            }
            if is_leaf(kind) {
                continue;
            }
            let outer = self.looped;
            self.looped = outer || looped;
            if looped {
                self.add_loop(statement.start(), statement.end());
            }
            self.visit(statement, conditional, depth + 1);
            self.looped = outer || self.looped && !looped;
            // What stands behind a macro without a semicolon may be the body of its loop, which
            // runs for nothing: for_each_task(p) if (...) return 0;
            let mut inner = statement;
            while inner.kind() == Kind::LabeledStatement
                && let Some(last) = inner.last_named()
            {
                inner = last;
            }
            if inner.kind() == Kind::IfStatement
                && !looped
                && let Some(condition) = inner.field(Field::Condition)
                && let Some(stays) = side_that_stays(inner)
            {
                let mut guard = Guard::new(condition, stays, statement);
                guard.start = statement.end();
                guard.end = statements.last().map_or(guard.start, |last| last.end());
                self.under.push(guard);
            }
            if inner.kind() == Kind::IfStatement && !looped && self.tests_kinds {
                let told = |one: Node, truth: bool| self.told_kinds(one, truth);
                let told = kind_tests::told_behind(inner, &always_leaves, &told);
                if let Some(told) = told {
                    let start = statement.end();
                    self.kinds.push((start, to, told.clone()));
                    self.behind.push(TestBehind {
                        from,
                        start,
                        to,
                        told,
                    });
                }
            }
            if kind == Kind::SwitchStatement
                && let Some(condition) = statement.field(Field::Condition)
                && let Some(expr) = self.behind_switch(statement)
            {
                let mut guard = Guard::new(condition, true, statement);
                guard.start = statement.end();
                guard.end = statements.last().map_or(guard.start, |last| last.end());
                guard.expr = Some(expr);
                self.under.push(guard);
            }
            if kind != Kind::Comment {
                let end = statement
                    .end()
                    .checked_sub(1)
                    .and_then(|at| self.code.get(at));
                looped = kind == Kind::ExpressionStatement && end != Some(&b';');
            }
        }
        self.under.truncate(outer);
        self.kinds.truncate(kinds);
    }

    /// A function that returns a function, or a table of such, has a place for it.
    fn return_(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        for child in node.named_children() {
            if is_table(self.returns) {
                self.add_table_flow(child, Sym::new("()"), child);
            }
            for source in self.places.sources(child, false) {
                let named = names(&source)
                    && matches!(child.kind(), Kind::Identifier | Kind::ConditionalExpression);
                let held = |name: &str| self.places.holds_function(name);
                if named || source.strip_prefix('$').is_some_and(held) {
                    self.add_flow(child, Sym::new("()"), Sym::new(&source));
                }
            }
        }
        self.returning = true;
        self.through(node, conditional, depth);
        self.returning = false;
        let value = node.first_named().filter(|one| one.kind() != Kind::Comment);
        let object = value.map_or_else(guards::unknown, |value| self.object(value));
        self.add_object(node, Sym::new("()"), object);
        self.returned = self.returned || !value.is_some_and(|value| self.is_failing(value));
    }

    /// Whether a value that is returned is an error: NULL, -EPERM, ERR_PTR(…), or what was tested
    /// right before.
    fn is_failing(&self, value: Node<'t>) -> bool {
        match value.kind() {
            Kind::Null => true,
            Kind::UnaryExpression | Kind::NumberLiteral => {
                self.code.get(value.start()) == Some(&b'-')
            }
            Kind::CallExpression => {
                let function = value.field(Field::Function);
                function.is_some_and(|one| user_data::is_error(&one.text(self.code)))
            }
            Kind::Identifier => self.under.last().is_some_and(|guard| {
                let within = guard.start <= value.start() && value.end() <= guard.end;
                let condition = guard.condition.bytes(self.code);
                let mut words = condition.split(|&byte| !is_word(byte));
                within && words.any(|word| word == value.bytes(self.code))
            }),
            _ => false,
        }
    }

    /// The object that a pointer is set to: `("made", "@f", …)` of a call, the variable that points
    /// to it, 0 of none.
    fn object(&self, value: Node<'t>) -> Expr {
        let mut value = value;
        while matches!(
            value.kind(),
            Kind::ParenthesizedExpression | Kind::CastExpression
        ) && let Some(inner) = value.field(Field::Value).or_else(|| value.last_named())
        {
            value = inner;
        }
        let function = value.field(Field::Function);
        let arguments = value.field(Field::Arguments);
        match (value.kind(), function.zip(arguments)) {
            (Kind::Identifier, _) if self.is_object(&value.text(self.code)) => {
                self.expression(value)
            }
            (Kind::Null, _) => Expr::text("0"),
            (Kind::CallExpression, Some((function, arguments)))
                if function.kind() == Kind::Identifier =>
            {
                let name = function.text(self.code);
                if user_data::is_error(&name) {
                    return Expr::text("0");
                }
                let mut made = vec![Expr::text(&format!("@{name}"))];
                let given = arguments
                    .named_children()
                    .filter(|one| one.kind() != Kind::Comment);
                made.extend(given.map(|one| self.expression(one)));
                Expr::tuple("made", &made)
            }
            _ => guards::unknown(),
        }
    }

    /// Whether a local variable is a struct or points to one.
    fn is_object(&self, name: &str) -> bool {
        let local = self.places.locals.get(name);
        local.is_some_and(|one| !one.function && one.type_.text().starts_with("struct "))
    }

    /// Takes down the lines of a loop, if it ends behind its start.
    fn add_loop(&mut self, start: usize, end: usize) {
        let newlines = |code: &[u8]| memchr::memchr_iter(b'\n', code).count() as u32;
        if let Some(lines) = self.code.get(start..end).map(newlines) {
            let first = self.base_row + newlines(&self.code[..start]);
            let line = |line: u32| Expr::text(&line.to_string());
            let range = Expr::tuple("lines", &[line(first), line(first + lines)]);
            let key = (self.base + start as i64, loops().text());
            self.body.made.entry(key).or_insert((loops(), range));
        }
    }

    fn add_object(&mut self, node: Node<'t>, place: Sym, value: Expr) {
        let key = (self.offset(node), place.text());
        self.body.made.entry(key).or_insert((place, value));
    }

    /// Takes down to which object a variable is set, and that a member is set for sure.
    fn set_object(
        &mut self,
        node: Node<'t>,
        target: Node<'t>,
        value: Option<Node<'t>>,
        sure: bool,
    ) {
        let place = self.expression(target);
        let Some(place) = place.as_sym().filter(|one| one.text().starts_with('$')) else {
            return;
        };
        if place.text().contains('>') {
            if sure && !self.returned {
                let sure = Sym::new(&format!("{}!", place.text()));
                let line = Expr::text(&self.row(node).to_string());
                self.add_object(node, sure, line);
            }
        } else if self.is_object(&place.text()[1..]) {
            let object = value.map_or_else(guards::unknown, |value| self.object(value));
            self.add_object(node, place, object);
        }
    }

    /// Takes down which flags of a member stay for sure.
    fn clear_flags(&mut self, node: Node<'t>, target: Node<'t>, flags: Node<'t>) {
        let place = self.expression(target);
        let place = place.as_sym().filter(|one| one.text().contains('>'));
        if let Some(place) = place.filter(|one| one.text().starts_with('$')) {
            let sure = Sym::new(&format!("{}&!", place.text()));
            let flags = self.expression(flags);
            self.add_object(node, sure, flags);
        }
    }

    fn add_flow(&mut self, value: Node<'t>, target: Sym, source: Sym) {
        let flow = Flow {
            line: self.row(value),
            target,
            source,
        };
        self.body
            .flows
            .entry((self.offset(value), source.text()))
            .or_insert(flow);
    }

    /// A goto from anywhere may lead here, past what returned earlier and into what stands under
    /// a condition.
    fn label(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        self.given.truncate(self.branch);
        let name = node
            .field(Field::Label)
            .map_or(&b""[..], |label| label.bytes(self.code));
        let jumps = self.jumps.get_or_insert_with(|| jumps(self.code));
        if let Some(&(first, last)) = jumps.get(name) {
            self.looped = self.looped || last > node.start();
            for (start, end, told) in &mut self.kinds {
                if first < *start || *end <= last {
                    told.kinds = file_kinds::ALL;
                }
            }
            for guard in &mut self.under {
                if first < guard.start || guard.end <= last {
                    guard.expr = Some(guards::unknown());
                }
            }
            self.add_loop(node.start(), last);
        }
        self.through(node, conditional, depth);
    }

    /// The condition under which what follows a switch runs: one of the labels that do not leave
    /// the function; None where other values go on too.
    fn behind_switch(&self, node: Node<'t>) -> Option<Expr> {
        let (condition, body) = (node.field(Field::Condition)?, node.field(Field::Body)?);
        let here = (self.condition_at)(self.offset(node));
        let (mut all, mut staying, mut own) = (vec![], vec![], vec![]);
        let mut stays = false;
        for case in body.named_children() {
            if case.kind() == Kind::Comment {
                continue;
            }
            let label = self.case_label(case);
            let sure = here == (self.condition_at)(self.offset(case));
            if case.kind() != Kind::CaseStatement || label == guards::unknown() || !sure {
                return None;
            }
            all.push(label);
            own.push(label);
            stays = stays || breaks(case, 0);
            if case_leaves(case) {
                staying.extend(if stays {
                    std::mem::take(&mut own)
                } else {
                    vec![]
                });
                own.clear();
                stays = false;
            }
        }
        staying.extend(own);
        let default = Expr::text("default");
        let subject = self.as_given(self.expression(condition), condition.end());
        let useless = staying.is_empty() || staying.len() > MOST_LABELS;
        if useless || !all.contains(&default) || staying.contains(&default) {
            return None;
        }
        let (staying, all) = (
            Expr::tuple(guards::STAYING, &staying),
            Expr::tuple("labels", &all),
        );
        Some(Expr::tuple("case", &[subject, staying, all])).filter(|_| subject != guards::unknown())
    }

    fn switch(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        let (Some(condition), Some(body)) = (node.field(Field::Condition), node.field(Field::Body))
        else {
            self.through(node, conditional, depth);
            return;
        };
        self.visit(condition, conditional, depth + 1);
        let subject = self.as_given(self.expression(condition), condition.end());
        // Without a case that is not configured, its label goes elsewhere.
        let here = (self.condition_at)(self.offset(node));
        let mut all = vec![];
        let mut seen = FxHashSet::default();
        for case in body
            .named_children()
            .filter(|case| case.kind() == Kind::CaseStatement)
        {
            let label = self.case_label(case);
            let sure = here == (self.condition_at)(self.offset(case));
            if sure && label != guards::unknown() && seen.insert(label) {
                all.push(label);
            }
        }
        let all = Expr::tuple("labels", &all);
        let mut own: Vec<Expr> = vec![];
        let mut plain = true;
        for child in body.named_children() {
            if child.kind() != Kind::CaseStatement {
                self.visit(child, true, depth + 1);
                continue;
            }
            let label = self.case_label(child);
            own.push(label);
            plain = plain && label != guards::unknown() && own.len() <= MOST_LABELS;
            // Where a label is an expression, nothing is known; one alone guards nothing.
            let value = child.field(Field::Value);
            let alone = child.named_children().all(|one| Some(one) == value);
            if alone || !plain || subject == guards::unknown() {
                self.visit(child, true, depth + 1);
            } else {
                let mut guard = Guard::new(condition, true, child);
                let labels = Expr::tuple("labels", &own);
                guard.expr = Some(Expr::tuple("case", &[subject, labels, all]));
                self.under.push(guard);
                self.visit(child, true, depth + 1);
                self.under.pop();
            }
            if case_leaves(child) {
                own.clear();
                plain = true;
            }
        }
    }

    fn case_label(&self, case: Node<'t>) -> Expr {
        static DEFAULT: LazyLock<Expr> = LazyLock::new(|| Expr::text("default"));
        let Some(label) = case.field(Field::Value) else {
            return *DEFAULT;
        };
        let found = self.expression(label);
        // "case SIOCDEVPRIVATE + 1:"
        let next =
            matches!(found.as_tuple(), Some(("+", [_, number])) if number.as_sym().is_some());
        if found.as_sym().is_some() || next {
            found
        } else {
            guards::unknown()
        }
    }

    fn loop_(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        let body = node.field(Field::Body);
        self.add_loop(node.start(), node.end());
        let outer = std::mem::replace(&mut self.looped, true);
        for child in node.named_children() {
            let inside = body.is_some_and(|body| child.start() == body.start());
            self.branch(|reader| reader.visit(child, inside || conditional, depth + 1));
        }
        self.looped = outer;
    }

    fn case(&mut self, node: Node<'t>, depth: u32) {
        let label = node.field(Field::Value);
        let outer = self.case;
        let above = node.parent().and_then(Node::parent);
        if above.is_none_or(|above| above.kind() != Kind::SwitchStatement) {
            // a case within a block of another one
            for guard in &mut self.under {
                let tuple = guard.expr.and_then(Expr::as_tuple);
                if tuple.is_some_and(|(head, _)| head == "case") {
                    guard.expr = Some(guards::unknown());
                }
            }
        }
        // sys_ipc looks at a version number inside "case MSGRCV:" (from 1.1.10 on).
        if let Some(label) = label.filter(|label| label.kind() == Kind::Identifier) {
            self.case = Sym::latin1(label.bytes(self.code));
        }
        let statements: Vec<_> = node
            .named_children()
            .filter(|&child| Some(child) != label)
            .collect();
        self.branch(|reader| reader.sequence(&statements, true, depth));
        self.case = outer;
    }

    fn ternary(&mut self, node: Node<'t>, conditional: bool, depth: u32, decides: bool) {
        let Some(condition) = node.field(Field::Condition) else {
            return;
        };
        self.decide(condition, conditional, depth + 1, true);
        for (field, truth) in [(Field::Consequence, true), (Field::Alternative, false)] {
            let Some(side) = node.field(field) else {
                continue;
            };
            self.under.push(Guard::new(condition, truth, side));
            let known = self.tell_kinds(condition, truth, side.start(), side.end());
            self.branch(|reader| {
                if decides {
                    reader.decide(side, true, depth + 1, decides);
                } else {
                    reader.visit(side, true, depth + 1);
                }
            });
            self.kinds.truncate(known);
            self.under.pop();
        }
    }

    /// Visits an expression that is true or false; `decides` says that an if or `?:` asks for it.
    fn decide(&mut self, node: Node<'t>, conditional: bool, depth: u32, decides: bool) {
        if depth > DEEPEST {
            return;
        }
        match node.kind() {
            Kind::ParenthesizedExpression => {
                for child in node.named_children() {
                    self.decide(child, conditional, depth + 1, decides);
                }
            }
            Kind::UnaryExpression => match node.field(Field::Argument) {
                Some(operand) if self.code.get(node.start()) == Some(&b'!') => {
                    self.decide(operand, conditional, depth + 1, decides);
                }
                _ => self.through(node, conditional, depth + 1),
            },
            Kind::BinaryExpression => self.decide_binary(node, conditional, depth + 1, decides),
            Kind::CallExpression => {
                if is_uid(node, &self.places) {
                    self.uid_test(node, conditional, true);
                }
                self.call(node, conditional, depth + 1);
            }
            Kind::ConditionalExpression if decides => {
                self.ternary(node, conditional, depth + 1, decides);
            }
            _ if is_uid(node, &self.places) => self.uid_test(node, conditional, true),
            _ => self.visit(node, conditional, depth + 1),
        }
    }

    fn decide_binary(&mut self, node: Node<'t>, conditional: bool, depth: u32, decides: bool) {
        let (Some(operator), Some(left), Some(right)) = (
            node.field(Field::Operator),
            node.field(Field::Left),
            node.field(Field::Right),
        ) else {
            self.through(node, conditional, depth + 1);
            return;
        };
        let sign = operator.kind();
        match sign {
            Kind::AndAnd | Kind::OrOr => {
                self.decide(left, conditional, depth + 1, decides);
                let truth = sign == Kind::AndAnd;
                self.under.push(Guard::new(left, truth, right));
                let known = self.tell_kinds(left, truth, right.start(), right.end());
                self.branch(|reader| reader.decide(right, true, depth + 1, decides));
                self.kinds.truncate(known);
                self.under.pop();
            }
            Kind::Equal | Kind::NotEqual => {
                for (side, other) in [(left, right), (right, left)] {
                    if is_zero(other.bytes(self.code)) {
                        self.decide(side, conditional, depth + 1, decides);
                        return;
                    }
                }
                self.through(node, conditional, depth + 1);
            }
            _ => self.through(node, conditional, depth + 1),
        }
    }

    // Calls.

    fn call(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        let (Some(function), Some(arguments)) =
            (node.field(Field::Function), node.field(Field::Arguments))
        else {
            self.through(node, conditional, depth + 1);
            return;
        };
        let mut given: Vec<_> = arguments
            .named_children()
            .filter(|one| one.kind() != Kind::Comment)
            .collect();
        // UNROLL(3, M, x) is M(0, x) M(1, x) M(2, x).
        let mut function = function;
        if given.len() > 1 && function.bytes(self.code) == b"UNROLL" {
            function = given.remove(1);
        }
        let (target, pointer) = self.places.called(function);
        if let Some(variable) = self.cleared(&target, &given) {
            self.set_members(node, variable, node);
        }
        if target == "uid_eq" && compares_root(arguments, &self.places, &self.roots) {
            // True for root, as a uid itself is true for everybody else.
            self.uid_test(node, conditional, false);
        }
        let plain = function.kind() == Kind::Identifier;
        if !target.is_empty() {
            // In get_blkfops(major)->ioctl(…) (2.0) two calls begin at the same place.
            let key = self.offset(if plain { node } else { arguments });
            let mut made = self.made_call(node, &target, pointer, &given, conditional);
            if pointer {
                made.tables = self.tables_of(function);
            }
            made.kinds = self.kinds_of(arguments);
            let choice = self.choices.of(function, &self.places);
            if let Some(choice) = choice.filter(|_| pointer) {
                let all = made.guards.iter().copied().chain([choice]);
                made.guards = ExprList::new(&all.collect::<Vec<_>>());
            }
            if plain && !pointer {
                self.choices
                    .make(&target, &given, made.passes, &self.places);
            }
            self.body.calls.entry(key).or_insert(made);
            self.put(node);
            if !pointer {
                let named = namings::of_call(&target, arguments, &self.places, &self.registered);
                self.add_naming(node, &named);
            }
        }
        if pointer && !plain {
            self.visit(function, conditional, depth + 1);
        }
        for one in given {
            self.visit(one, conditional, depth + 1);
        }
    }

    /// The struct that a call of memset fills with 0; what a pointer leads to may be another one
    /// elsewhere.
    fn cleared(&self, target: &str, given: &[Node<'t>]) -> Option<Sym> {
        let &[filled, zero, _] = given else {
            return None;
        };
        if target != "memset" || self.expression(zero).as_text() != Some("0") {
            return None;
        }
        match self.expression(filled).as_tuple() {
            Some(("addr", [variable, ..])) => variable.as_sym(),
            _ => None,
        }
    }

    fn made_call(
        &mut self,
        node: Node<'t>,
        target: &str,
        pointer: bool,
        given: &[Node<'t>],
        conditional: bool,
    ) -> Call {
        let leaves = self.outcomes.reason(node).is_some();
        let cases = &Given::ALL[..if leaves { 4 } else { 3 }];
        let outcomes: Vec<Outcome> = cases
            .iter()
            .map(|&given| self.outcomes.outcome(node, given))
            .collect();
        let condition = (self.condition_at)(self.offset(node));
        let target_sym = Sym::new(target);
        let arguments: Vec<Sym> = given
            .iter()
            .map(|&one| Sym::new(&self.places.argument(one, target)))
            .collect();
        Call {
            line: self.row(node),
            target: target_sym,
            arguments: SymList::new(&arguments),
            outcomes: OutcomeList::new(&outcomes),
            refuses: !conditional
                && matches!(outcomes[0], Outcome::Error(_))
                && self.outcomes.decides_alone(node),
            instead: self.instead(node, false, outcomes[0]),
            case: self.case,
            condition,
            guards: self.guards(condition),
            passes: self.passed(given, (!pointer).then_some(target_sym)),
            tables: SymList::default(),
            kinds: 0,
            creds: Sym::default(),
            pointer,
            conditional,
        }
    }

    /// What does as well as a test that gives `failing` where the privilege is missing.
    fn instead(&self, expression: Node<'t>, failing: bool, outcome: Outcome) -> ExprList {
        let test = Test {
            flow: &self.outcomes,
            places: &self.places,
            expression,
            failing,
            outcome,
        };
        ExprList::new(&test.alternatives())
    }

    // Uids.

    /// `failing` is what the expression gives for everybody but root.
    fn uid_test(&mut self, node: Node<'t>, conditional: bool, failing: bool) {
        let given = if failing { Given::True } else { Given::False };
        let outcome = self.outcomes.outcome(node, given);
        let at = self.offset(node);
        let condition = (self.condition_at)(at);
        let test = UidTest {
            line: self.row(node),
            text: Sym::latin1(node.bytes(self.code)),
            outcome,
            instead: self.instead(node, failing, outcome),
            condition,
            guards: self.guards(condition),
            conditional,
        };
        self.body.uid_tests.entry(at).or_insert(test);
    }

    // Storing.

    fn assignment(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        let (Some(left), Some(right)) = (node.field(Field::Left), node.field(Field::Right)) else {
            self.through(node, conditional, depth);
            return;
        };
        let sign = node.field(Field::Operator).map_or(Kind::Other, Node::kind);
        if sign == Kind::Assign {
            let target = self.places.place(left);
            self.flow(&target, right);
            self.register(left, right);
            self.note_root(Sym::latin1(left.bytes(self.code)), right);
            self.give(left, right);
            self.put(node);
        }
        let value = Some(right).filter(|_| sign == Kind::Assign);
        self.choices.give(left, value, &self.places);
        // What any other operator does is not followed.
        let value = matches!(sign, Kind::Assign | Kind::OrAssign | Kind::AndAssign);
        self.set(node, left, value.then_some(right), sign);
        let plain = sign == Kind::Assign;
        self.set_object(node, left, plain.then_some(right), plain && !conditional);
        if sign == Kind::AndAssign && !conditional && !self.returned {
            self.clear_flags(node, left, right);
        }
        if sign == Kind::Assign
            && let Some(variable) = self.struct_set(left, right)
        {
            self.set_members(node, variable, right);
        }
        self.visit(left, conditional, depth + 1);
        self.visit(right, conditional, depth + 1);
    }

    /// The variable that is, or points to, a struct that is assigned as a whole.
    fn struct_set(&self, target: Node<'t>, value: Node<'t>) -> Option<Sym> {
        let pointed = target.kind() == Kind::PointerExpression;
        let inner = if pointed {
            target.field(Field::Argument)?
        } else {
            target
        };
        let name = inner.text(self.code);
        let is_struct = pointed
            || self.structs.contains(&*name)
            || value.kind() == Kind::CompoundLiteralExpression;
        let local = inner.kind() == Kind::Identifier && self.places.locals.contains(&name);
        (is_struct && local).then(|| Sym::new(&format!("${name}")))
    }

    fn add_naming(&mut self, node: Node<'t>, named: &Registered) {
        if let Some(naming) = named.naming(self.row(node)) {
            let at = self.offset(node);
            self.body.namings.entry(at).or_insert(naming);
        }
    }

    /// Takes down under which labels something is registered whose member is set, or that a
    /// variable or member is what a registering call returns.
    fn register(&mut self, left: Node<'t>, right: Node<'t>) {
        let registered = namings::of_assignment(left, right, &self.places, &self.registered);
        match left.kind() {
            Kind::Identifier if self.places.locals.contains(&self.places.text(left)) => {
                let name = Sym::latin1(left.bytes(self.code)).text();
                self.registered.insert(name, registered);
            }
            kind => {
                self.add_naming(left, &registered);
                if kind == Kind::Identifier {
                    let name = namings::given_to(&self.places.text(left));
                    let given = namings::of_value(right, &self.places, &self.registered);
                    self.registered.insert(Sym::new(&name).text(), given);
                }
            }
        }
    }

    /// Takes down what is put into a table.
    fn put(&mut self, node: Node<'t>) {
        if let Some((place, value)) = choices::put(node, &self.places) {
            let at = (self.offset(node), place.text());
            self.body.sets.entry(at).or_insert((place, value));
        }
    }

    /// Takes down whether a variable is root's uid now.
    fn note_root(&mut self, variable: Sym, value: Node<'t>) {
        if is_made_root(value, self.code) {
            self.roots.insert(variable.text());
        } else {
            self.roots.remove(variable.text());
        }
    }

    // Declarations inside a body.

    fn declaration(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        let specifier = node.field(Field::Type);
        let mut type_ = type_name(specifier, self.code);
        if let Some(specifier) = specifier
            && matches!(
                specifier.kind(),
                Kind::StructSpecifier | Kind::UnionSpecifier
            )
        {
            self.structs(specifier);
        }
        let is_static = node.bytes(self.code).starts_with(b"static");
        for declarator in node.fields(Field::Declarator) {
            let value = value_of(declarator);
            let Some(found) = declared(declarator, self.code).filter(|found| !found.function)
            else {
                continue;
            };
            if let Some(value) = value.filter(|_| type_.text() == AUTO) {
                type_ = Sym::new(&self.places.typed(self.places.place(value)));
            }
            self.places.locals.insert(Local {
                name: found.name,
                type_: if found.pointer_to_function {
                    Sym::default()
                } else {
                    type_
                },
                function: found.pointer_to_function,
            });
            let Some(value) = value else {
                continue;
            };
            let variable = Sym::new(&format!("${}", found.name.text()));
            if value.kind() == Kind::InitializerList {
                self.store(value, variable, type_, found.array);
            } else {
                self.flow(variable.text(), value);
                self.give_variable(declarator, found.name, value);
                let registered = namings::of_value(value, &self.places, &self.registered);
                self.registered.insert(found.name.text(), registered);
                self.note_root(found.name, value);
                self.choices.declare(found.name, value, &self.places);
            }
            let set = if is_static {
                guards::unknown()
            } else if self.is_called(variable) {
                choices::function_in(value, &self.places)
            } else {
                self.assigned(value)
            };
            if !is_static && !found.array && self.is_object(found.name.text()) {
                let object = self.object(value);
                let inner = declarator.field(Field::Declarator);
                let whole = inner.is_some_and(|one| one.kind() == Kind::Identifier);
                let sign = if whole { ">*" } else { "" };
                let place = Sym::new(&[variable.text(), sign].concat());
                self.add_object(declarator, place, object);
            }
            let at = self.offset(declarator);
            let guarded = self.guarded(at, set);
            self.body
                .sets
                .entry((at, variable.text()))
                .or_insert((variable, guarded));
            if is_struct(value) && !found.array {
                self.structs.insert(found.name.text());
                if !is_static {
                    self.set_members(declarator, variable, value);
                }
            }
            self.visit(value, conditional, depth + 1);
        }
    }

    fn literal(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        if let (Some(described), Some(value)) = (node.field(Field::Type), node.field(Field::Value))
        {
            let type_ = type_name(described.field(Field::Type), self.code);
            self.store(value, Sym::default(), type_, false);
        }
        self.through(node, conditional, depth);
    }

    fn store(&mut self, value: Node<'t>, variable: Sym, type_: Sym, array: bool) {
        let listed = initialiser(value, self.code, variable, type_, self.base_row, array);
        for (at, stored) in listed.stored {
            let key = (self.base + at as i64, stored.source.text());
            self.body.stored.entry(key).or_insert(stored);
        }
        for (at, naming) in listed.namings {
            let key = self.base + at as i64;
            self.body.namings.entry(key).or_insert(naming);
        }
    }

    /// The parameters of a parameter list, which become known as locals; one named `...` stands
    /// for any number of them.
    pub fn parameters(&mut self, list: Node<'t>) -> Vec<Parameter> {
        let mut all = vec![];
        for child in list.named_children() {
            if child.kind() == Kind::VariadicParameter {
                all.push(Parameter {
                    name: Sym::new("..."),
                    type_: Sym::default(),
                });
            }
            if child.kind() != Kind::ParameterDeclaration {
                continue;
            }
            let type_ = type_name(child.field(Field::Type), self.code);
            let found = child
                .field(Field::Declarator)
                .and_then(|declarator| declared(declarator, self.code));
            if let Some(found) = found {
                let function = found.pointer_to_function || found.function;
                self.places.locals.insert(Local {
                    name: found.name,
                    type_: if function { Sym::default() } else { type_ },
                    function,
                });
            }
            let name = found.map_or_else(Sym::default, |found| found.name);
            self.parameters.insert(name.text());
            all.push(Parameter { name, type_ });
        }
        self.find_changing(&all);
        all
    }

    /// What an expression relays (see `relays`). To be asked after the visit.
    pub fn relays(&self, expression: Node<'t>) -> SymList {
        let tests: Vec<i64> = self
            .body
            .uid_tests
            .keys()
            .map(|at| at - self.base)
            .collect();
        let found: Vec<Sym> = relayed(expression, &self.places, &tests)
            .iter()
            .map(|name| Sym::new(name))
            .collect();
        SymList::new(&found)
    }

    fn offset(&self, node: Node) -> i64 {
        self.base + node.start() as i64
    }

    fn row(&self, node: Node) -> u32 {
        self.base_row + node.row()
    }
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

/// Whether a type is a table of functions, as the kernel names them.
fn is_table(type_: Sym) -> bool {
    let name = type_.text();
    name.starts_with("struct ") && (name.ends_with("operations") || name.ends_with("ops"))
}

/// What is in all of these sets; 0 where that tells nothing.
fn all_kinds(told: impl Iterator<Item = Kinds>) -> Kinds {
    let all = told.fold(file_kinds::ALL, |one, other| one & other);
    if all == file_kinds::ALL { 0 } else { all }
}

/// The labels that gotos lead to, each with where the first and the last goto stand.
fn jumps(code: &[u8]) -> FxHashMap<&[u8], (usize, usize)> {
    let mut found = FxHashMap::default();
    for at in memmem::find_iter(code, b"goto") {
        if let Some(label) = jump(code, at) {
            found.entry(label).or_insert((at, at)).1 = at;
        }
    }
    found
}

/// The label that a goto at an offset leads to, if it is one.
fn jump(code: &[u8], at: usize) -> Option<&[u8]> {
    let inside = at.checked_sub(1).and_then(|before| code.get(before));
    let rest = code.get(at + 4..)?;
    let white = rest
        .iter()
        .take_while(|&&b| matches!(b, b' ' | b'\t'..=b'\r'))
        .count();
    let label = rest.get(white..)?;
    let length = label.iter().take_while(|&&b| is_word(b)).count();
    let whole = !inside.is_some_and(|&b| is_word(b)) && white > 0 && length > 0;
    label.get(..length).filter(|_| whole)
}
