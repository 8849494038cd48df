//! Reads assignments: what variables and members are given, and what is registered so.

use super::BodyReader;
use crate::choices;
use crate::facts::Flow;
use crate::guards::selecting;
use crate::intern::Sym;
use crate::namings::{self, Registered};
use crate::tree::{Field, Kind, Node};
use crate::uids::is_made_root;

impl<'t, 'c, 'a> BodyReader<'t, 'c, 'a> {
    pub(super) fn assignment(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
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
            self.give_mount(left, right);
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
            if !conditional {
                self.settle_members(node, variable);
            }
        }
        self.visit(left, conditional, depth + 1);
        self.visit(right, conditional, depth + 1);
    }

    /// The variable that is, or points to, a struct that is assigned as a whole.
    pub(super) fn struct_set(&self, target: Node<'t>, value: Node<'t>) -> Option<Sym> {
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

    /// Takes down under which labels something is registered whose member is set, or that a
    /// variable or member is what a registering call returns.
    pub(super) fn register(&mut self, left: Node<'t>, right: Node<'t>) {
        let registered = namings::of_assignment(left, right, &self.places, &self.registered);
        match left.kind() {
            Kind::Identifier if self.places.locals.contains(&self.places.text(left)) => {
                let name = Sym::latin1(left.bytes(self.code)).text();
                self.registered.insert(name, registered);
            }
            Kind::FieldExpression => {
                let under = || self.under.iter().filter_map(|guard| guard.expr);
                let selected = registered.selected(|| selecting(under()));
                self.add_naming(left, &selected);
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

    pub(super) fn add_naming(&mut self, node: Node<'t>, named: &Registered) {
        if let Some(naming) = named.naming(self.row(node)) {
            let at = self.offset(node);
            self.body.namings.entry(at).or_insert(naming);
        }
    }

    /// Takes down what is put into a table.
    pub(super) fn put(&mut self, node: Node<'t>) {
        if let Some((place, value)) = choices::put(node, &self.places) {
            let at = (self.offset(node), place.text());
            self.body.sets.entry(at).or_insert((place, value));
        }
    }

    /// Takes down whether a variable is root's uid now.
    pub(super) fn note_root(&mut self, variable: Sym, value: Node<'t>) {
        if is_made_root(value, self.code) {
            self.roots.insert(variable.text());
        } else {
            self.roots.remove(variable.text());
        }
    }

    pub(super) fn add_flow(&mut self, value: Node<'t>, target: Sym, source: Sym) {
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
}
