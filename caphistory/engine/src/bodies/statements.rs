//! Reads statements: which of them runs under which condition, and what may have run before.

use memchr::memmem;
use rustc_hash::FxHashMap;

use super::leaving::{always_leaves, side_that_stays};
use super::tables::is_table;
use super::{BodyReader, Guard, TestBehind, is_leaf};
use crate::decisions::loops;
use crate::file_kinds;
use crate::guards;
use crate::intern::{Expr, Sym};
use crate::kind_tests;
use crate::lexer::is_word;
use crate::notation::names;
use crate::outcomes::is_leaving;
use crate::tree::{Field, Kind, Node};

impl<'t, 'c, 'a> BodyReader<'t, 'c, 'a> {
    pub(super) fn if_(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        let condition = node.field(Field::Condition);
        self.note_fill(node);
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
    pub(super) fn branch(&mut self, read: impl FnOnce(&mut Self)) {
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
    pub(super) fn sequence(&mut self, statements: &[Node<'t>], conditional: bool, depth: u32) {
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
            let inner = statement.behind_labels();
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
    pub(super) fn return_(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
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
        if let Some(value) = value {
            self.return_mounted(value);
        }
        self.returned = self.returned || !value.is_some_and(|value| self.is_failing(value));
    }

    pub(super) fn loop_(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        let body = node.field(Field::Body);
        let first = self.first_of(node);
        self.add_loop(node.start(), node.end());
        let outer = std::mem::replace(&mut self.looped, true);
        for child in node.named_children() {
            let inside = body.is_some_and(|body| child.start() == body.start());
            let under = self.under.len();
            if inside && let Some((condition, first)) = first {
                let mut guard = Guard::new(condition, true, child);
                guard.expr = Some(first);
                self.under.push(guard);
            }
            self.branch(|reader| reader.visit(child, inside || conditional, depth + 1));
            self.under.truncate(under);
        }
        self.looped = outer;
    }

    /// What the variable of a loop begins with that runs while that is not 0, with the condition:
    /// where it is 0 the loop does not run (CMSG_FIRSTHDR of a message without control data in
    /// __scm_send, net/core/scm.c).
    fn first_of(&self, node: Node<'t>) -> Option<(Node<'t>, Expr)> {
        let (first, condition) = (
            node.field(Field::Initializer)?,
            node.field(Field::Condition)?,
        );
        let (variable, value) = (first.field(Field::Left)?, first.field(Field::Right)?);
        let is_variable = condition.kind() == Kind::Identifier
            && condition.bytes(self.code) == variable.bytes(self.code);
        let is_set = first.field(Field::Operator).map(Node::kind) == Some(Kind::Assign);
        let value = guards::condition(value, self.code, &self.places.locals);
        let value = self.as_given(value, first.end());
        (is_variable && is_set && guards::has_leaves(value)).then_some((condition, value))
    }

    /// A goto from anywhere may lead here, past what returned earlier and into what stands under
    /// a condition.
    pub(super) fn label(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
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

    /// Takes down the lines of a loop, if it ends behind its start.
    pub(super) fn add_loop(&mut self, start: usize, end: usize) {
        let newlines = |code: &[u8]| memchr::memchr_iter(b'\n', code).count() as u32;
        if let Some(lines) = self.code.get(start..end).map(newlines) {
            let first = self.base_row + newlines(&self.code[..start]);
            let line = |line: u32| Expr::text(&line.to_string());
            let range = Expr::tuple("lines", &[line(first), line(first + lines)]);
            let key = (self.base + start as i64, loops().text());
            self.body.made.entry(key).or_insert((loops(), range));
        }
    }
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
pub(super) fn jump(code: &[u8], at: usize) -> Option<&[u8]> {
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
