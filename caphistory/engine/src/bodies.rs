//! Reads function and macro bodies: calls, tests of uids, and what is stored where.
//!
//! One walk over the tree, top down, that keeps what is known where the code at hand runs; each
//! kind of node is read by a part named after it.

mod assignments;
mod calls;
mod conditions;
mod declarations;
mod fills;
mod found;
mod kinds;
mod leaving;
mod mounts;
mod objects;
mod sets;
mod statements;
mod switches;
mod tables;
mod truth;
mod walks;

pub use found::{Body, in_order};
use kinds::REVERTING;
use leaving::is_block;
use memchr::memmem;
use mounts::{Mounts, may_mount};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::choices::Choices;
use crate::intern::{Expr, Sym, SymList};
use crate::kind_tests::{self, Origins, Told};
use crate::namings::Registered;
use crate::outcomes;
use crate::places::{Locals, Places};
use crate::relays::relayed;
use crate::tree::{Field, Kind, Node};

/// More calls within each other than any kernel needs (200): what lies deeper in a mangled file
/// is not read.
const DEEPEST: u32 = 500;

/// The preprocessor condition at an offset of an item.
pub type ConditionAt<'a> = &'a dyn Fn(i64) -> Sym;

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
    /// The members that are given a value where they are 0, before anything else.
    filled: FxHashSet<Sym>,
    /// What the local variables were declared as that may be set to something else later.
    begun: FxHashMap<Sym, Expr>,
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
    /// The tables from which local pointers to functions have what they were given so far.
    from_tables: FxHashMap<&'c str, Vec<Sym>>,
    /// Whether the code tests kinds of files; what it tells of them where the code at hand runs,
    /// from where on; and behind what it called before, with what the results of calls are put into.
    tests_kinds: bool,
    overrides: bool,
    origins: Origins<'c>,
    kinds: Vec<(usize, usize, Told<'c>)>,
    behind: Vec<TestBehind<'c>>,
    results: Vec<(i64, usize, &'c str)>,
    /// Where kinds are tested, the local variables that are structs, and no pointers to such.
    own_structs: FxHashSet<&'c str>,
    /// What chooses the callees of calls through pointers.
    choices: Choices,
    /// From which mounts of the kernel's own variables come, if any may.
    mounts: Option<Mounts>,
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
            filled: FxHashSet::default(),
            begun: FxHashMap::default(),
            looped: false,
            jumps: None,
            structs: FxHashSet::default(),
            registered: FxHashMap::default(),
            roots: FxHashSet::default(),
            returns: Sym::default(),
            parameters: FxHashSet::default(),
            given: vec![],
            branch: 0,
            from_tables: FxHashMap::default(),
            tests_kinds: kind_tests::may_test(code),
            overrides: memmem::find(code, REVERTING.as_bytes()).is_some(),
            origins: Origins::default(),
            kinds: vec![],
            behind: vec![],
            results: vec![],
            own_structs: FxHashSet::default(),
            choices: Choices::default(),
            mounts: may_mount(code).then(Mounts::default),
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
                    self.count(node, argument);
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
