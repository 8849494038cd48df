//! Reads what a body declares: variables with what they are given, parameters, structs, literals.

use super::BodyReader;
use crate::choices;
use crate::declarations::{declared, structs_in, type_name};
use crate::facts::Parameter;
use crate::guards;
use crate::initialisers::{initialiser, is_struct, value_of};
use crate::intern::{Expr, ExprList, Sym};
use crate::kind_tests;
use crate::namings;
use crate::places::{AUTO, Local};
use crate::tree::{Field, Kind, Node};

impl<'t, 'c, 'a> BodyReader<'t, 'c, 'a> {
    pub(super) fn declaration(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
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
                elements: self.elements(node, value),
            });
            if self.tests_kinds
                && declarator.kind() == Kind::Identifier
                && type_.text().starts_with("struct ")
            {
                self.own_structs
                    .extend(kind_tests::name_of(declarator, self.code));
            }
            let variable = Sym::new(&format!("${}", found.name.text()));
            let Some(value) = value else {
                self.begin(variable, guards::unknown(), declarator.end());
                continue;
            };
            if value.kind() == Kind::InitializerList {
                self.store(value, variable, type_, found.array);
            } else {
                self.flow(variable.text(), value);
                self.give_variable(declarator, found.name, value);
                let registered = namings::of_value(value, &self.places, &self.registered);
                self.registered.insert(found.name.text(), registered);
                self.note_root(found.name, value);
                self.choices.declare(found.name, value, &self.places);
                if let Some(mounts) = &mut self.mounts {
                    mounts.declare(found.name, value, &self.places);
                }
            }
            let set = if is_static {
                guards::unknown()
            } else if self.is_called(variable) {
                choices::function_in(value, &self.places)
            } else {
                self.assigned(value)
            };
            if !is_static && !found.array && self.is_object(found.name.text()) {
                let object = self.object_for(found.name.text(), value);
                let inner = declarator.field(Field::Declarator);
                let whole = inner.is_some_and(|one| one.kind() == Kind::Identifier);
                let sign = if whole { ">*" } else { "" };
                let place = Sym::new(&[variable.text(), sign].concat());
                self.add_object(declarator, place, object);
            }
            self.begin(variable, set, value.end());
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

    /// The constants that a list holds for good, and the 0 that may stand behind them.
    fn elements(&self, declaration: Node<'t>, value: Option<Node<'t>>) -> ExprList {
        let fixed = declaration.bytes(self.code).starts_with(b"static const");
        let list = value.filter(|one| fixed && one.kind() == Kind::InitializerList);
        let Some(list) = list else {
            return ExprList::default();
        };
        let each = list.named_children();
        let each = each.filter(|one| one.kind() != Kind::Comment);
        let each = each.map(|one| guards::expression(one, self.code, &self.places.locals));
        let mut all: Vec<Expr> = each.take(guards::MOST_ELEMENTS).collect();
        all.push(Expr::text("0"));
        let followed = !all.contains(&guards::unknown()) && all.len() <= guards::MOST_ELEMENTS;
        ExprList::new(if followed { &all } else { &[] })
    }

    pub(super) fn literal(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        if let (Some(described), Some(value)) = (node.field(Field::Type), node.field(Field::Value))
        {
            let type_ = type_name(described.field(Field::Type), self.code);
            self.store(value, Sym::default(), type_, false);
        }
        self.through(node, conditional, depth);
    }

    pub(super) fn store(&mut self, value: Node<'t>, variable: Sym, type_: Sym, array: bool) {
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
                    elements: ExprList::default(),
                });
            }
            let name = found.map_or_else(Sym::default, |found| found.name);
            self.parameters.insert(name.text());
            all.push(Parameter { name, type_ });
        }
        self.find_changing(&all);
        all
    }

    pub(super) fn structs(&mut self, node: Node<'t>) {
        if let Some(first) = structs_in(node, self.code, "").into_iter().next() {
            self.body.structs.entry(self.offset(node)).or_insert(first);
        }
    }
}
