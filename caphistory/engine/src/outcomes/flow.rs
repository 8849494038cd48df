//! The syntax tree of one function or macro: in goes a statement or call of it, out come the label
//! that it leads to, what variables hold before it, and where it may leave an error.

use std::cell::{OnceCell, RefCell};

use rustc_hash::FxHashMap;

use super::assignments::each_set;
use super::control_flow::each_before;
use super::errors::is_errno_variable;
use super::values::{Known, UNKNOWN, Value, Variables, constant, literal};
use crate::tree::{Field, Kind, Node};

/// The syntax tree of one function or macro.
pub struct Flow<'t, 'c> {
    pub code: &'c [u8],
    labels: OnceCell<FxHashMap<&'c [u8], Node<'t>>>,
    /// The expression that a macro is.
    pub whole: Option<Node<'t>>,
    before: RefCell<Option<(usize, Variables<'c>)>>,
}

impl<'t, 'c> Flow<'t, 'c> {
    pub fn new(code: &'c [u8]) -> Flow<'t, 'c> {
        Flow {
            code,
            labels: OnceCell::new(),
            whole: None,
            before: RefCell::new(None),
        }
    }

    /// The variable in which a call may leave an error: `&err`, or `err` where that is a pointer
    /// (empty).
    pub fn reason(&self, call: Node<'t>) -> Option<&'c [u8]> {
        let arguments = call.field(Field::Arguments)?;
        arguments.named_children().find_map(|argument| {
            let (inner, address) = match argument.kind() {
                Kind::PointerExpression if self.code.get(argument.start()) == Some(&b'&') => {
                    (argument.field(Field::Argument)?, true)
                }
                _ => (argument, false),
            };
            let name = inner.bytes(self.code);
            let named = is_errno_variable(name);
            let found = if address { name } else { b"" };
            (named && inner.kind() == Kind::Identifier).then_some(found)
        })
    }

    /// The labelled statement that a goto leads to.
    pub(super) fn label(&self, goto: Node<'t>) -> Option<Node<'t>> {
        let labels = self.labels.get_or_init(|| {
            let mut found = FxHashMap::default();
            let mut waiting = vec![goto.root()];
            while let Some(node) = waiting.pop() {
                if node.kind() == Kind::LabeledStatement
                    && let Some(name) = node.field(Field::Label)
                {
                    found.insert(name.bytes(self.code), node);
                }
                if node.holds_statements() {
                    waiting.extend(node.named_children());
                }
            }
            found
        });
        labels
            .get(goto.field(Field::Label)?.bytes(self.code))
            .copied()
    }

    /// What a variable holds before a statement, if a constant: the nearest assignment wins.
    pub(super) fn held_before(&self, statement: Node<'t>, name: &[u8]) -> Known<'c> {
        let mut cached = self.before.borrow_mut();
        if cached
            .as_ref()
            .is_none_or(|(at, _)| *at != statement.start())
        {
            *cached = Some((statement.start(), self.assigned_before(statement)));
        }
        let variables = cached.as_ref().map_or(&[][..], |(_, found)| found);
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map_or(UNKNOWN, |(_, known)| *known)
    }

    fn assigned_before(&self, statement: Node<'t>) -> Variables<'c> {
        let mut found = Variables::new();
        each_before(statement, |node| {
            each_set(node, self.code, &mut |name, value| {
                if found.iter().all(|(known, _)| *known != name) {
                    let value = value.map_or(Value::Unknown, |value| literal(value, self.code, 0));
                    found.push((name, constant(value)));
                }
            });
        });
        found
    }
}
