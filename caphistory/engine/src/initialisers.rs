//! Variables, and what their initialisers store: names, each with its place.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::declarations::{Declared, declared, type_name};
use crate::facts::{Naming, Stored, Variable};
use crate::intern::{Sym, SymList};
use crate::lexer::{is_upper, is_word};
use crate::notation::use_of;
use crate::places::{Locals, Places, made_name};
use crate::tree::{Field, Kind, Node};

const DEEPEST: u32 = 20;
/// The labels, or names, of one element that are told of: no registering call has more.
const MOST_BESIDE: usize = 8;
/// Constants that say nothing of what stands beside them.
const NO_LABELS: [&str; 4] = ["NULL", "THIS_MODULE", "TRUE", "FALSE"];

/// What a declaration outside functions gives.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    Variable(Variable),
    /// With its offset, as the next.
    Stored(usize, Stored),
    Naming(usize, Naming),
}

/// The variables of a declaration outside functions and what is stored in them.
pub fn variables_in(node: Node, code: &[u8]) -> Vec<Found> {
    let type_ = type_name(node.field(Field::Type), code);
    let is_static = node
        .named_children()
        .any(|child| child.kind() == Kind::StorageClassSpecifier && child.bytes(code) == b"static");
    let mut all = vec![];
    for declarator in node.fields(Field::Declarator) {
        let found = declared(declarator, code).filter(|found| !found.function);
        let Some(found) = found.or_else(|| renamed(declarator, code)) else {
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
            let base = found
                .array
                .then(|| counted_from(declarator, code))
                .flatten();
            let listed = List {
                base,
                ..List::new(code, place, own, 0)
            };
            let listed = listed.read(value, found.array);
            let stored = listed.stored.into_iter();
            all.extend(stored.map(|(at, stored)| Found::Stored(at, stored)));
            let namings = listed.namings.into_iter();
            all.extend(namings.map(|(at, naming)| Found::Naming(at, naming)));
            continue;
        }
        let mut sources = Places::new(code, Locals::default()).sources(value, false);
        if sources.is_empty() {
            sources.extend(used_macro(value, code));
        }
        if let Some(arguments) = value.field(Field::Arguments) {
            let mut list = List::new(code, place, own, 0);
            list.name(value, &Beside::of_use(value, arguments, code));
            let namings = list.found.namings.into_iter();
            all.extend(namings.map(|(at, naming)| Found::Naming(at, naming)));
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

/// The variable of a declarator in which a macro stands for its name, as in `struct proto_ops
/// SOCKOPS_WRAPPED(ax25_proto_ops) = { … }` (2.2.18 to 2.6.19): under the name that it is handed.
fn renamed(declarator: Node, code: &[u8]) -> Option<Declared> {
    value_of(declarator).filter(|value| value.kind() == Kind::InitializerList)?;
    let used = declarator
        .field(Field::Declarator)
        .filter(|one| one.kind() == Kind::FunctionDeclarator)?;
    let macro_ = used.field(Field::Declarator)?;
    let mut listed = used.field(Field::Parameters)?.named_children();
    let (Some(only), None) = (listed.next(), listed.next()) else {
        return None;
    };
    let name = only.bytes(code);
    let plain = is_upper(&macro_.text(code)) && name.iter().all(|&byte| is_word(byte));
    plain.then(|| Declared {
        name: Sym::latin1(name),
        function: false,
        pointer_to_function: false,
        array: false,
    })
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

/// What a braced list holds, each with its offset: the names that it stores, and the labels that
/// stand beside them.
#[derive(Default)]
pub struct Listed {
    pub stored: Vec<(usize, Stored)>,
    pub namings: Vec<(usize, Naming)>,
}

/// What a braced list holds.
///
/// For an array the first step of a path is left out, as all elements are alike.
pub fn initialiser(
    value: Node,
    code: &[u8],
    variable: Sym,
    type_: Sym,
    base_row: u32,
    array: bool,
) -> Listed {
    List::new(code, variable, type_, base_row).read(value, array)
}

/// The constant that the length of an array counts from: `table[RTM_MAX-RTM_BASE+1]`.
fn counted_from(declarator: Node, code: &[u8]) -> Option<String> {
    static COUNTED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"(?-u)\[[^\]]*?-\s*\(?\s*([A-Z][A-Z0-9_]*)").expect("a pattern")
    });
    let head = declarator.bytes(code).split(|&byte| byte == b'=').next()?;
    let base = COUNTED.captures(head)?.get(1)?;
    Some(crate::tree::latin1(base.as_bytes()).into_owned())
}

/// The type of files that have a number, which says alone what serves them (2.4 to 2.6.19).
const NUMBERED: &str = "struct pid_entry";

/// The labels and the names of an element, as far as no naming has them.
#[derive(Default)]
struct Beside {
    labels: Vec<Sym>,
    sources: Vec<Sym>,
}

impl Beside {
    fn label(&mut self, at: &str, label: &str) {
        if self.labels.len() < MOST_BESIDE {
            self.labels.push(Sym::new(&format!("{at}={label}")));
        }
    }

    fn source(&mut self, source: Sym) {
        if self.sources.len() < MOST_BESIDE {
            self.sources.push(source);
        }
    }

    /// The labels and names among the arguments of a macro. Attributes of sysfs are named by their
    /// first one: `__ATTR(modalias, 0444, modalias_show, NULL)`.
    fn of_use(node: Node, listed: Node, code: &[u8]) -> Beside {
        let mut found = Beside::default();
        let macro_ = node
            .field(Field::Function)
            .map_or_else(Default::default, |name| name.text(code));
        let named = macro_.contains("ATTR");
        let arguments = listed
            .named_children()
            .filter(|one| one.kind() != Kind::Comment);
        for (number, argument) in arguments.enumerate() {
            match label(bare(argument), code) {
                Some(text) => found.label(&format!("({number})"), &text),
                None if bare(argument).kind() == Kind::Identifier => {
                    if named && number == 0 {
                        found.label("(0)", &format!("\"{}\"", bare(argument).text(code)));
                    }
                    found.source(Sym::new(&format!(":{}", bare(argument).text(code))));
                }
                None => {}
            }
        }
        found
    }
}

/// The text of a label: a string as it is, or a named constant.
pub fn label(node: Node, code: &[u8]) -> Option<String> {
    match node.kind() {
        Kind::StringLiteral => {
            let text = node.text(code);
            let named = text.len() > 2 && !text.contains(' ');
            named.then(|| text.into_owned())
        }
        Kind::Identifier => {
            let text = node.text(code);
            // "AF_DECnet"
            let family = text.starts_with("AF_") || text.starts_with("PF_");
            let constant = (is_upper(&text) || family) && !NO_LABELS.contains(&&*text);
            constant.then(|| text.into_owned())
        }
        _ => None,
    }
}

/// The first named constant of a subscript: `RTM_NEWLINK - RTM_BASE`, `_IOC_NR(X)`.
fn subscript(node: Node, code: &[u8], depth: u32) -> Option<String> {
    if depth > DEEPEST || node.kind() == Kind::Identifier {
        return label(node, code);
    }
    let called = node.field(Field::Function);
    let mut inner = node.named_children().filter(|one| Some(*one) != called);
    inner.find_map(|one| subscript(one, code, depth + 1))
}

struct List<'c> {
    code: &'c [u8],
    variable: Sym,
    type_: Sym,
    base_row: u32,
    /// The constant that the elements count from.
    base: Option<String>,
    found: Listed,
}

impl<'c> List<'c> {
    fn new(code: &'c [u8], variable: Sym, type_: Sym, base_row: u32) -> List<'c> {
        List {
            code,
            variable,
            type_,
            base_row,
            base: None,
            found: Listed::default(),
        }
    }

    fn read(mut self, value: Node, array: bool) -> Listed {
        let all = self.add(value, &mut vec![], 0, array);
        self.name(value, &all);
        self.found
    }

    /// Takes down that labels stand beside names in an element, if both are there, or that it is
    /// that of a file which has a number.
    fn name(&mut self, element: Node, beside: &Beside) -> bool {
        let named = !beside.sources.is_empty() || self.is_numbered();
        let both = !beside.labels.is_empty() && named;
        if both {
            let line = self.base_row + element.row();
            let breaks = memchr::memchr_iter(b'\n', element.bytes(self.code)).count();
            let naming = Naming {
                line,
                end: line + breaks as u32,
                holder: self.variable,
                type_: self.type_,
                labels: SymList::new(&beside.labels),
                sources: SymList::new(&beside.sources),
            };
            self.found.namings.push((element.start(), naming));
        }
        both
    }

    /// Whether the elements are files that have a number.
    fn is_numbered(&self) -> bool {
        self.type_.text() == NUMBERED
    }

    /// Adds the names and uses of macros in a braced list that stands at a path. Gives the labels
    /// and names that are not told of together as yet.
    fn add(&mut self, node: Node, path: &mut Vec<Sym>, depth: u32, array: bool) -> Beside {
        let mut all = Beside::default();
        if depth > DEEPEST {
            return all;
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
            let text = label(inner, self.code);
            if !listed && source.is_none() && text.is_none() && !self.is_numbered() {
                continue;
            }
            let mut beside = Beside::default();
            if let Some(constant) = self.subscript(child) {
                beside.label("[]", &constant);
            } else if let Some(base) = self.base.as_ref().filter(|_| outermost) {
                beside.label("[#]", &format!("{base}+{index}"));
            }
            let length = path.len();
            // A macro may be a braced list: an element as any other.
            let element = outermost && (listed || inner.kind() != Kind::Identifier);
            if !names.is_empty() {
                path.extend(names);
            } else if !element {
                path.push(Sym::new(&format!("#{index}")));
            }
            if listed {
                let inside = self.add(inner, path, depth + 1, array);
                beside.labels.extend(inside.labels);
                beside.sources.extend(inside.sources);
            } else if let Some(text) = &text {
                let steps: Vec<&str> = path.iter().map(|step| step.text()).collect();
                beside.label(&steps.join(">"), text);
            } else if let Some(arguments) = inner.field(Field::Arguments) {
                let given = Beside::of_use(inner, arguments, self.code);
                beside.labels.extend(given.labels);
                beside.sources.extend(given.sources);
            }
            if let Some(source) = source {
                let source = Sym::new(&source);
                let named = inner.kind() == Kind::Identifier;
                if text.is_none() && named && !NO_LABELS.contains(&&*inner.text(self.code)) {
                    beside.source(source);
                }
                let stored = Stored {
                    line: self.base_row + inner.row(),
                    variable: self.variable,
                    type_: self.type_,
                    path: SymList::new(path),
                    source,
                };
                self.found.stored.push((inner.start(), stored));
            }
            path.truncate(length);
            // The elements of an array have nothing to do with each other.
            let indexed = |one: &Sym| one.text().starts_with(['[', '(']);
            let whole = outermost || beside.labels.iter().any(indexed);
            if whole && self.name(child, &beside) {
                beside.labels.clear();
            }
            if !outermost {
                beside
                    .labels
                    .into_iter()
                    .for_each(|one| all.labels.push(one));
                all.labels.truncate(MOST_BESIDE);
                beside.sources.into_iter().for_each(|one| all.source(one));
            }
        }
        if depth > 0 && !array && self.name(node, &all) {
            all.labels.clear();
        }
        all
    }

    /// The constant that tells which element of an array an entry is.
    fn subscript(&self, entry: Node) -> Option<String> {
        let mut designators = entry.fields(Field::Designator);
        let found = designators.find(|one| one.kind() == Kind::SubscriptDesignator)?;
        found
            .named_children()
            .find_map(|one| subscript(one, self.code, 0))
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
pub fn bare(mut node: Node) -> Node {
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
