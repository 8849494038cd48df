//! What declarations declare: names with their types, and the members of structs.

use crate::facts::{Parameter, Struct};
use crate::intern::Sym;
use crate::tree::{Field, Kind, Node};

// Deeper than any declarator of a kernel.
const DEEPEST: usize = 500;
const DEEPEST_STRUCT: usize = 30;

/// A type without qualifiers: `struct sock`, a typedef's name, or empty.
pub fn type_name(node: Option<Node>, code: &[u8]) -> Sym {
    let Some(node) = node else {
        return Sym::default();
    };
    let tagged = |word: &str| match node.field(Field::Name) {
        Some(name) => Sym::new(&format!("{word} {}", name.text(code))),
        None => Sym::default(),
    };
    match node.kind() {
        Kind::StructSpecifier => tagged("struct"),
        Kind::UnionSpecifier => tagged("union"),
        Kind::TypeIdentifier => Sym::latin1(node.bytes(code)),
        _ => Sym::default(),
    }
}

/// A declarator: its name and what stands around it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Declared {
    pub name: Sym,
    pub function: bool,
    pub pointer_to_function: bool,
    pub array: bool,
}

/// The name that a declarator declares, and whether it is a function (a prototype), a pointer to
/// one, or an array.
pub fn declared(node: Node, code: &[u8]) -> Option<Declared> {
    let (mut function, mut pointer, mut array) = (false, false, false);
    let mut at = node;
    for _ in 0..DEEPEST {
        match at.kind() {
            Kind::Identifier | Kind::FieldIdentifier | Kind::TypeIdentifier => {
                return Some(Declared {
                    name: Sym::latin1(at.bytes(code)),
                    function: function && !pointer,
                    pointer_to_function: function && pointer,
                    array,
                });
            }
            Kind::FunctionDeclarator => (function, pointer) = (true, false),
            Kind::PointerDeclarator => pointer = pointer || function,
            Kind::ArrayDeclarator => array = true,
            _ => {}
        }
        at = at
            .field(Field::Declarator)
            .or_else(|| at.named_children().find(|child| child.declares()))?;
    }
    None
}

/// The structs and unions that a specifier defines, the nested ones after their outer one; `outer`
/// names one without a tag. A nested one without a tag is named after its place: `struct inode>u`.
pub fn structs_in(node: Node, code: &[u8], outer: &str) -> Vec<Struct> {
    structs_within(node, code, outer, 0)
}

fn structs_within(node: Node, code: &[u8], outer: &str, depth: usize) -> Vec<Struct> {
    let Some(fields) = node.field(Field::Body).filter(|_| depth <= DEEPEST_STRUCT) else {
        return vec![];
    };
    let own = type_name(Some(node), code);
    let tag = if own.is_empty() { Sym::new(outer) } else { own };
    let mut members = vec![];
    let mut nested = vec![];
    for field in fields
        .named_children()
        .filter(|f| f.kind() == Kind::FieldDeclaration)
    {
        let specifier = field.field(Field::Type);
        let mut type_ = type_name(specifier, code);
        let names: Vec<Declared> = field
            .fields(Field::Declarator)
            .filter_map(|declarator| declared(declarator, code))
            .filter(|found| !found.name.is_empty())
            .collect();
        if let Some(specifier) = specifier.filter(|s| s.field(Field::Body).is_some()) {
            let Some(first) = names.first() else {
                // Members of an anonymous struct or union belong to the outer one.
                let within = format!("{}>", tag.text());
                let mut inner = structs_within(specifier, code, &within, depth + 1).into_iter();
                if let Some(first) = inner.next() {
                    members.extend_from_slice(&first.members);
                    nested.extend(inner);
                    if !first.tag.text().ends_with('>') {
                        nested.push(first);
                    }
                }
                continue;
            };
            let within = format!("{}>{}", tag.text(), first.name.text());
            let inner = structs_within(specifier, code, &within, depth + 1);
            type_ = inner.first().map_or(type_, |first| first.tag);
            nested.extend(inner);
        }
        members.extend(names.iter().map(|name| {
            let function = name.pointer_to_function || name.function;
            Parameter {
                name: name.name,
                type_: if function { Sym::new("()") } else { type_ },
            }
        }));
    }
    let mut found = vec![Struct {
        tag,
        members: members.into(),
    }];
    found.append(&mut nested);
    found
}
