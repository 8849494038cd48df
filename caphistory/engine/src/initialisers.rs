//! Variables, and what their initialisers store: names, each with its place.

use crate::declarations::{declared, type_name};
use crate::facts::{Stored, Variable};
use crate::intern::{Sym, SymList};
use crate::notation::use_of;
use crate::places::{Locals, Places, is_upper, made_name};
use crate::tree::{Field, Kind, Node};

const DEEPEST: u32 = 20;

/// What a declaration outside functions gives.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    Variable(Variable),
    /// With its offset.
    Stored(usize, Stored),
}

/// The variables of a declaration outside functions and what is stored in them.
pub fn variables_in(node: Node, code: &[u8]) -> Vec<Found> {
    let type_ = type_name(node.field(Field::Type), code);
    let is_static = node
        .named_children()
        .any(|child| child.kind() == Kind::StorageClassSpecifier && child.bytes(code) == b"static");
    let mut all = vec![];
    for declarator in node.fields(Field::Declarator) {
        let Some(found) = declared(declarator, code).filter(|found| !found.function) else {
            continue;
        };
        let own = match (found.pointer_to_function, type_.is_empty()) {
            (true, _) => Sym::new("()"),
            (false, true) => found.name,
            (false, false) => type_,
        };
        all.push(Found::Variable(Variable {
            name: found.name,
            type_: own,
            is_static,
            array: found.array,
        }));
        let Some(value) = value_of(declarator) else {
            continue;
        };
        let place = Sym::new(&format!(":{}", found.name.text()));
        if value.kind() == Kind::InitializerList {
            let listed = initialiser(value, code, place, own, 0, found.array);
            all.extend(
                listed
                    .into_iter()
                    .map(|(at, stored)| Found::Stored(at, stored)),
            );
            continue;
        }
        let mut sources = Places::new(code, Locals::default()).sources(value, false);
        if sources.is_empty() {
            sources.extend(used_macro(value, code));
        }
        all.extend(sources.iter().map(|source| {
            let stored = Stored {
                line: value.row(),
                variable: place,
                type_: own,
                path: SymList::default(),
                source: Sym::new(source),
            };
            Found::Stored(value.start(), stored)
        }));
    }
    all
}

/// The value that a declarator gives its variable.
pub fn value_of(declarator: Node) -> Option<Node> {
    Some(declarator)
        .filter(|one| one.kind() == Kind::InitDeclarator)
        .and_then(|one| one.field(Field::Value))
}

/// Whether a value is a braced list, or a compound literal.
pub fn is_struct(value: Node) -> bool {
    matches!(
        value.kind(),
        Kind::InitializerList | Kind::CompoundLiteralExpression
    )
}

/// The members that the value of a struct names, each with its value (None for a member of a
/// member); none of `{}`, `{ 0 }` and a call of memset. None where it is no such list.
pub fn members_in<'t>(value: Node<'t>, code: &[u8]) -> Option<Vec<(Sym, Option<Node<'t>>)>> {
    let list = match value.kind() {
        Kind::CallExpression => return Some(vec![]),
        Kind::CompoundLiteralExpression => value.field(Field::Value)?,
        Kind::InitializerList => value,
        _ => return None,
    };
    let entries = list
        .named_children()
        .filter(|child| child.kind() != Kind::Comment);
    let mut found = vec![];
    for (index, entry) in entries.enumerate() {
        let (names, value) = designated(entry, code);
        match names.as_slice() {
            [name] => found.push((*name, value)),
            [name, ..] => found.push((*name, None)),
            [] if index == 0 && is_zero(entry, code) => {}
            [] => return None,
        }
    }
    Some(found)
}

fn is_zero(entry: Node, code: &[u8]) -> bool {
    let empty = entry.kind() == Kind::InitializerList && entry.named_child_count() == 0;
    empty || matches!(entry.bytes(code), b"0" | b"NULL" | b"{0}" | b"{ 0 }")
}

/// The names that a braced list stores, each with its offset and the path to where it stands.
///
/// For an array the first step of the path is left out, as all elements are alike.
pub fn initialiser(
    value: Node,
    code: &[u8],
    variable: Sym,
    type_: Sym,
    base_row: u32,
    array: bool,
) -> Vec<(usize, Stored)> {
    let mut list = List {
        code,
        variable,
        type_,
        base_row,
        found: vec![],
    };
    list.add(value, &mut vec![], 0, array);
    list.found
}

struct List<'c> {
    code: &'c [u8],
    variable: Sym,
    type_: Sym,
    base_row: u32,
    found: Vec<(usize, Stored)>,
}

impl List<'_> {
    /// Adds the names and uses of macros in a braced list that stands at a path.
    fn add(&mut self, node: Node, path: &mut Vec<Sym>, depth: u32, array: bool) {
        if depth > DEEPEST {
            return;
        }
        let entries = node
            .named_children()
            .filter(|child| child.kind() != Kind::Comment);
        for (index, child) in entries.enumerate() {
            let (names, value) = designated(child, self.code);
            let Some(value) = value else {
                continue;
            };
            let inner = bare(value);
            let outermost = array && depth == 0;
            let listed = inner.kind() == Kind::InitializerList;
            let source = match inner.kind() {
                Kind::InitializerList => None,
                Kind::Identifier => Some(format!(":{}", inner.text(self.code))),
                _ => match made_name(inner, self.code) {
                    Some(made) => Some(format!(":{made}")),
                    None => used_macro(inner, self.code),
                },
            };
            if !listed && source.is_none() {
                continue;
            }
            let length = path.len();
            // A macro may be a braced list: an element as any other.
            let element = outermost && (listed || inner.kind() != Kind::Identifier);
            if !names.is_empty() {
                path.extend(names);
            } else if !element {
                path.push(Sym::new(&format!("#{index}")));
            }
            match source {
                None => self.add(inner, path, depth + 1, array),
                Some(source) => self.found.push((
                    inner.start(),
                    Stored {
                        line: self.base_row + inner.row(),
                        variable: self.variable,
                        type_: self.type_,
                        path: SymList::new(path),
                        source: Sym::new(&source),
                    },
                )),
            }
            path.truncate(length);
        }
    }
}

/// The use of a macro that is handed a name, `CTL(:name,:handler)`; None for anything else.
pub fn used_macro(node: Node, code: &[u8]) -> Option<String> {
    if node.kind() != Kind::CallExpression {
        return None;
    }
    let function = node
        .field(Field::Function)
        .filter(|f| f.kind() == Kind::Identifier)?;
    let arguments: Vec<String> = node
        .field(Field::Arguments)?
        .named_children()
        .map(bare)
        .filter(|one| one.kind() != Kind::Comment)
        .map(|one| match one.kind() {
            Kind::Identifier => format!(":{}", one.text(code)),
            _ => String::new(),
        })
        .collect();
    arguments
        .iter()
        .any(|one| !one.is_empty() && !is_upper(one))
        .then(|| use_of(&function.text(code), &arguments))
}

/// An expression without casts, parentheses and `&` around it.
fn bare(mut node: Node) -> Node {
    while matches!(
        node.kind(),
        Kind::CastExpression
            | Kind::ParenthesizedExpression
            | Kind::PointerExpression
            | Kind::CompoundLiteralExpression
    ) {
        let inner = node
            .field(Field::Value)
            .or_else(|| node.field(Field::Argument))
            .or_else(|| node.last_named());
        match inner {
            Some(inner) => node = inner,
            None => break,
        }
    }
    node
}

/// The members that an entry of a braced list names (`.ops.bind = f`, `bind: f`; subscripts are
/// left out), and its value.
fn designated<'t>(entry: Node<'t>, code: &[u8]) -> (Vec<Sym>, Option<Node<'t>>) {
    if entry.kind() != Kind::InitializerPair {
        return (vec![], Some(entry));
    }
    let names = entry
        .fields(Field::Designator)
        .filter_map(|designator| {
            let at = designator.first_named().unwrap_or(designator);
            let member = [designator.kind(), at.kind()].contains(&Kind::FieldIdentifier);
            member.then(|| Sym::latin1(at.bytes(code)))
        })
        .collect();
    (names, entry.field(Field::Value))
}
