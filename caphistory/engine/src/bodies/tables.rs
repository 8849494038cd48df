//! Where a body takes the tables of functions from, by which it calls.

use super::BodyReader;
use crate::facts::TableFlow;
use crate::intern::{Sym, SymList};
use crate::kind_tests;
use crate::lexer::is_word;
use crate::notation::names;
use crate::tree::{Field, Kind, Node};

impl<'t, 'c, 'a> BodyReader<'t, 'c, 'a> {
    /// Takes down what a place is given.
    pub(super) fn give(&mut self, left: Node<'t>, right: Node<'t>) {
        let text = left.bytes(self.code);
        if left.kind() == Kind::Identifier {
            let name = kind_tests::name_of(left, self.code);
            if let Some(name) = name.filter(|name| self.places.locals.contains(name)) {
                // What was known of its members is not so any more.
                let of_it = |place: &[u8]| {
                    let rest = place.strip_prefix(text);
                    rest.is_some_and(|rest| rest.first().is_none_or(|&next| !is_word(next)))
                };
                self.given.retain(|(place, _)| !of_it(place));
                self.branch = self.branch.min(self.given.len());
                self.give_name(name, right);
                self.give_function(name, right);
            }
        }
        let is_local = text.iter().all(|&byte| is_word(byte));
        let own = is_local && self.places.locals.contains(&left.text(self.code));
        let to_local = own && is_table(self.type_of(&left.text(self.code)));
        if left.kind() == Kind::FieldExpression || to_local {
            match self
                .given
                .get_mut(self.branch..)
                .and_then(|own| own.iter_mut().find(|(place, _)| *place == text))
            {
                Some((_, values)) => *values = vec![right],
                None => self.given.push((text, vec![right])),
            }
        }
        let of_table = |node: Node| {
            let name = node.text(self.code);
            node.kind() == Kind::Identifier && is_table(self.type_of(&name))
        };
        let by_name = || {
            let sources = self.places.sources(right, false);
            sources.iter().any(|source| names(source))
        };
        if to_local || of_table(right) || !self.kinds.is_empty() && by_name() {
            let is_parameter = |name: &str| self.parameters.contains(name);
            let target = self.places.table_place(left, &is_parameter);
            self.add_table_flow(right, Sym::new(&target), right);
        }
    }

    /// Takes down from which tables a local pointer to a function has what it is given
    /// (`open = f->f_op->open` of do_dentry_open, from 3.14 on).
    fn give_function(&mut self, name: &'c str, value: Node<'t>) {
        if !self
            .places
            .locals
            .get(name)
            .is_some_and(|local| local.function)
        {
            return;
        }
        let tables = self.tables_of(value);
        let known = self.from_tables.entry(name).or_default();
        match tables.get() {
            [] if is_null(value, self.code) => {}
            [] => known.push(Sym::new("?")),
            tables => known.extend(tables),
        }
    }

    /// Takes down what keeps a mount, and what comes from one.
    pub(super) fn give_mount(&mut self, left: Node<'t>, right: Node<'t>) {
        let Some(mounts) = &mut self.mounts else {
            return;
        };
        if let Some((target, source)) = mounts.give(left, right, &self.places) {
            self.add_mount(left, target, source);
        }
    }

    /// Takes down from which mount an object comes that is returned.
    pub(super) fn return_mounted(&mut self, value: Node<'t>) {
        let is_object = self.returns.text().starts_with("struct ") && !is_table(self.returns);
        if let Some(mounts) = self.mounts.as_ref().filter(|_| is_object)
            && !self.is_failing(value)
        {
            let source = mounts.of_arguments(&[value], &self.places);
            let source = source.unwrap_or_else(|| Sym::new("?"));
            self.add_mount(value, Sym::new("()"), source);
        }
    }

    fn add_mount(&mut self, at: Node<'t>, target: Sym, source: Sym) {
        let flow = TableFlow {
            target,
            source,
            kinds: 0,
        };
        let key = (self.offset(at), source.text());
        self.body.tables.entry(key).or_insert(flow);
    }

    pub(super) fn give_name(&mut self, name: &'c str, value: Node<'t>) {
        if !self.tests_kinds && !self.overrides {
            return;
        }
        let mut call = value;
        while matches!(
            call.kind(),
            Kind::ParenthesizedExpression | Kind::CastExpression | Kind::AssignmentExpression
        ) && let Some(inner) = call.last_named()
        {
            call = inner;
        }
        if call.kind() == Kind::CallExpression {
            self.results.push((self.offset(call), call.start(), name));
        }
        self.origins
            .set(name, value, self.code, &self.places.locals);
    }

    /// Takes down what a new variable is given.
    pub(super) fn give_variable(&mut self, declarator: Node<'t>, name: Sym, value: Node<'t>) {
        if is_table(self.type_of(name.text())) {
            let target = Sym::new(&format!("${}", name.text()));
            self.add_table_flow(value, target, value);
        }
        let mut declared = declarator;
        while declared.kind() != Kind::Identifier
            && let Some(inner) = declared.field(Field::Declarator)
        {
            declared = inner;
        }
        if let Some(name) = kind_tests::name_of(declared, self.code) {
            self.give_name(name, value);
        }
        self.give_function(name.text(), value);
    }

    pub(super) fn type_of(&self, name: &str) -> Sym {
        let local = self.places.locals.get(name);
        local.map_or_else(Sym::default, |local| local.type_)
    }

    pub(super) fn add_table_flow(&mut self, at: Node<'t>, target: Sym, value: Node<'t>) {
        if target.is_empty() {
            return;
        }
        let kinds = self.kinds_here();
        for source in self.table_sources(value) {
            let flow = TableFlow {
                target,
                source,
                kinds,
            };
            let key = (self.offset(at), source.text());
            self.body.tables.entry(key).or_insert(flow);
        }
    }

    /// The places whose value an expression may have, `?` among them for anything else but NULL.
    pub(super) fn table_sources(&self, value: Node<'t>) -> Vec<Sym> {
        match value.kind() {
            Kind::ParenthesizedExpression | Kind::CastExpression => value
                .field(Field::Value)
                .or_else(|| value.last_named())
                .map_or_else(Vec::new, |inner| self.table_sources(inner)),
            Kind::ConditionalExpression => [Field::Consequence, Field::Alternative]
                .into_iter()
                .filter_map(|side| value.field(side))
                .flat_map(|side| self.table_sources(side))
                .collect(),
            Kind::AssignmentExpression => value
                .field(Field::Right)
                .map_or_else(Vec::new, |right| self.table_sources(right)),
            _ if is_null(value, self.code) => vec![],
            _ => {
                let is_parameter = |name: &str| self.parameters.contains(name);
                let place = self.places.table_place(value, &is_parameter);
                vec![Sym::new(if place.is_empty() { "?" } else { &place })]
            }
        }
    }

    /// The places from which a call through a pointer has the table that it calls by.
    pub(super) fn tables_of(&self, function: Node<'t>) -> SymList {
        let mut called = function;
        while matches!(
            called.kind(),
            Kind::ParenthesizedExpression | Kind::PointerExpression
        ) && let Some(inner) = called.last_named()
        {
            called = inner;
        }
        if called.kind() == Kind::Identifier {
            return self.tables_of_local(&called.text(self.code));
        }
        let Some(table) = called
            .field(Field::Argument)
            .filter(|_| called.kind() == Kind::FieldExpression)
        else {
            return SymList::default();
        };
        let text = table.bytes(self.code);
        let mut found: Vec<Sym> = vec![];
        if let Some((_, values)) = self.given.iter().rfind(|(place, _)| *place == text) {
            let sources = values.iter().flat_map(|value| self.table_sources(*value));
            found.extend(sources);
        } else if table.kind() == Kind::Identifier && is_table(self.type_of(&table.text(self.code)))
        {
            found.push(Sym::new(&self.places.place(table)));
        }
        found.dedup();
        SymList::new(&found)
    }

    /// The same for what a local pointer to a function holds, where it is from a table.
    fn tables_of_local(&self, name: &str) -> SymList {
        let mut found = self.from_tables.get(name).cloned().unwrap_or_default();
        let unknown = Sym::new("?");
        if found.iter().all(|one| *one == unknown) {
            return SymList::default();
        }
        if self.parameters.contains(name) {
            found.push(unknown);
        }
        found.dedup();
        SymList::new(&found)
    }
}

fn is_null(value: Node, code: &[u8]) -> bool {
    matches!(value.kind(), Kind::Null | Kind::NumberLiteral) || value.bytes(code) == b"NULL"
}

/// Whether a type is a table of functions, as the kernel names them.
pub(super) fn is_table(type_: Sym) -> bool {
    let name = type_.text();
    name.starts_with("struct ") && (name.ends_with("operations") || name.ends_with("ops"))
}
