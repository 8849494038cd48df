//! The places (see `facts`) that expressions denote, as far as one function's text tells.

use std::borrow::Cow;

use rustc_hash::FxHashMap;

use crate::declarations::type_name;
use crate::intern::{ExprList, Sym};
use crate::lexer::{is_upper, is_word};
use crate::notation::use_of;
use crate::tree::{Field, Kind, Node};

/// The type of a variable that has that of its value.
pub const AUTO: &str = "__auto_type";
/// The type whose members security modules register their hooks as.
const HOOKS: &str = "union security_list_options";
const DEEPEST: u32 = 40;
const DEEPEST_SOURCE: u32 = 8;

/// A parameter or local variable: its type, and whether it is a pointer to a function.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    pub name: Sym,
    pub type_: Sym,
    pub function: bool,
    /// What a list of constants holds: `static const int acc[] = { MAY_READ, MAY_WRITE };`.
    pub elements: ExprList,
}

/// The parameters and local variables of a function, in the order of their declarations.
#[derive(Default)]
pub struct Locals {
    found: Vec<Local>,
    numbers: FxHashMap<&'static str, usize>,
}

impl Locals {
    pub fn contains(&self, name: &str) -> bool {
        self.numbers.contains_key(name)
    }

    pub fn get(&self, name: &str) -> Option<Local> {
        self.numbers
            .get(name)
            .and_then(|&number| self.found.get(number))
            .copied()
    }

    /// Takes a variable in; one of the same name keeps its place in the order.
    pub fn insert(&mut self, local: Local) {
        let number = *self
            .numbers
            .entry(local.name.text())
            .or_insert(self.found.len());
        match self.found.get_mut(number) {
            Some(known) => *known = local,
            None => self.found.push(local),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Local> {
        self.found.iter()
    }
}

/// A text with white space folded.
pub fn folded(text: &str) -> String {
    let white = |c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c);
    let words: Vec<&str> = text.split(white).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// `DRM(open)`: a function's name that a macro makes (drm of 2.4 and 2.6), written as in its
/// definition; None for anything else.
pub fn made_name(node: Node, code: &[u8]) -> Option<String> {
    if node.kind() != Kind::CallExpression {
        return None;
    }
    let function = node
        .field(Field::Function)
        .filter(|f| f.kind() == Kind::Identifier)?;
    let arguments = node.field(Field::Arguments)?;
    let name = function.text(code);
    if !is_upper(&name) {
        return None;
    }
    let mut listed = arguments.named_children();
    let only = listed.next().filter(|one| one.kind() == Kind::Identifier)?;
    listed
        .next()
        .is_none()
        .then(|| format!("{name}({})", only.text(code)))
}

/// The type that an argument of a call names: `list_entry(p, struct task_struct, run_list)`.
fn type_argument(call: &[u8]) -> Option<&[u8]> {
    let white = |at: usize| {
        let rest = call.get(at..).unwrap_or_default();
        at + rest
            .iter()
            .take_while(|&&b| matches!(b, b' ' | b'\t'..=b'\r'))
            .count()
    };
    memchr::memchr_iter(b',', call).find_map(|comma| {
        let start = white(comma + 1);
        let rest = call.get(start..)?;
        let word = [&b"struct"[..], b"union"]
            .into_iter()
            .find(|word| rest.starts_with(word))?;
        let name = white(start + word.len());
        let tag = call
            .get(name..)?
            .iter()
            .take_while(|&&b| is_word(b))
            .count();
        let end = name + tag;
        let whole = name > start + word.len() && tag > 0 && call.get(white(end)) == Some(&b',');
        call.get(start..end).filter(|_| whole)
    })
}

/// The expressions of one function.
pub struct Places<'c> {
    pub code: &'c [u8],
    pub locals: Locals,
}

impl<'c> Places<'c> {
    pub fn new(code: &'c [u8], locals: Locals) -> Places<'c> {
        Places { code, locals }
    }

    /// The text of an expression.
    pub fn text(&self, node: Node) -> Cow<'c, str> {
        node.text(self.code)
    }

    /// The place (see `facts`) that an expression denotes, or the empty text.
    pub fn place(&self, node: Node) -> String {
        self.place_within(node, 0)
    }

    fn place_within(&self, node: Node, depth: u32) -> String {
        let below = |inner: Option<Node>| {
            inner.map_or_else(String::new, |inner| self.place_within(inner, depth + 1))
        };
        if depth > DEEPEST {
            return String::new();
        }
        match node.kind() {
            Kind::Identifier => {
                let name = self.text(node);
                let sign = if self.locals.contains(&name) {
                    "$"
                } else {
                    ":"
                };
                [sign, &name].concat()
            }
            Kind::FieldExpression => {
                let (Some(argument), Some(field)) =
                    (node.field(Field::Argument), node.field(Field::Field))
                else {
                    return String::new();
                };
                let mut base = self.typed(self.place_within(argument, depth + 1));
                if !base.is_empty() {
                    base.push('>');
                    base.push_str(&self.text(field));
                }
                base
            }
            Kind::SubscriptExpression | Kind::PointerExpression => {
                below(node.field(Field::Argument))
            }
            Kind::CastExpression => {
                let inner = node
                    .field(Field::Type)
                    .and_then(|cast| cast.field(Field::Type));
                let name = type_name(inner, self.code);
                if name.is_empty() {
                    below(node.field(Field::Value))
                } else {
                    name.text().into()
                }
            }
            Kind::CallExpression => self.call_place(node, depth),
            // Of ({ …; x; }) the last is its value.
            Kind::ParenthesizedExpression
            | Kind::CommaExpression
            | Kind::CompoundStatement
            | Kind::ExpressionStatement => below(node.last_named()),
            Kind::ConditionalExpression | Kind::AssignmentExpression => below(
                node.field(Field::Consequence)
                    .or_else(|| node.field(Field::Left)),
            ),
            // "current" is (0+current_set[smp_processor_id()]) in 2.0.
            Kind::UpdateExpression | Kind::BinaryExpression => {
                [Field::Argument, Field::Left, Field::Right]
                    .into_iter()
                    .map(|side| below(node.field(side)))
                    .find(|place| !place.is_empty())
                    .unwrap_or_default()
            }
            _ => String::new(),
        }
    }

    /// The place of a pointer to a table, in which parameters stand by their names (see
    /// `facts::TableFlow`), or the empty text.
    pub fn table_place(&self, node: Node, is_parameter: &dyn Fn(&str) -> bool) -> String {
        self.table_within(node, is_parameter, 0)
    }

    fn table_within(&self, node: Node, is_parameter: &dyn Fn(&str) -> bool, depth: u32) -> String {
        let below = |inner: Option<Node>| {
            inner.map_or_else(String::new, |inner| {
                self.table_within(inner, is_parameter, depth + 1)
            })
        };
        if depth > DEEPEST {
            return String::new();
        }
        match node.kind() {
            Kind::Identifier => self.place(node),
            Kind::FieldExpression => {
                let mut base = below(node.field(Field::Argument));
                if let Some(name) = base.strip_prefix('$')
                    && !name.contains('>')
                    && !is_parameter(name)
                {
                    base = self.typed(base);
                }
                match node.field(Field::Field) {
                    Some(field) if !base.is_empty() => [&base, ">", &self.text(field)].concat(),
                    _ => String::new(),
                }
            }
            Kind::SubscriptExpression | Kind::PointerExpression => {
                below(node.field(Field::Argument))
            }
            Kind::CastExpression => below(node.field(Field::Value)),
            Kind::ParenthesizedExpression => below(node.last_named()),
            Kind::CallExpression => {
                let function = node.field(Field::Function);
                let Some(function) = function.filter(|one| one.kind() == Kind::Identifier) else {
                    return String::new();
                };
                let arguments: Vec<String> = node
                    .field(Field::Arguments)
                    .into_iter()
                    .flat_map(|listed| listed.named_children())
                    .filter(|argument| argument.kind() != Kind::Comment)
                    .map(|argument| below(Some(argument)))
                    .collect();
                use_of(&self.text(function), &arguments)
            }
            _ => String::new(),
        }
    }

    /// A local variable as something of its type.
    pub fn typed(&self, place: String) -> String {
        match place.strip_prefix('$') {
            Some(name) if !name.contains('>') => self
                .locals
                .get(name)
                .map_or_else(String::new, |local| local.type_.text().into()),
            _ => place,
        }
    }

    fn call_place(&self, node: Node, depth: u32) -> String {
        let Some(function) = node
            .field(Field::Function)
            .filter(|f| f.kind() == Kind::Identifier)
        else {
            return String::new();
        };
        if let Some(type_) = type_argument(node.bytes(self.code)) {
            return folded(&crate::tree::latin1(type_));
        }
        let arguments: Vec<String> = node
            .field(Field::Arguments)
            .into_iter()
            .flat_map(|listed| listed.named_children())
            .filter(|argument| argument.kind() != Kind::Comment)
            .map(|argument| self.typed(self.place_within(argument, depth + 1)))
            .collect();
        use_of(&self.text(function), &arguments)
    }

    /// Places whose value may be that of an expression; with `of_call`, what a call returns too.
    pub fn sources(&self, node: Node, of_call: bool) -> Vec<String> {
        let mut found = vec![];
        self.add_sources(node, 0, of_call, &mut found);
        found
    }

    fn add_sources(&self, node: Node, depth: u32, of_call: bool, found: &mut Vec<String>) {
        if depth > DEEPEST_SOURCE {
            return;
        }
        let mut below = |inner: Option<Node>| {
            if let Some(inner) = inner {
                self.add_sources(inner, depth + 1, of_call, found);
            }
        };
        match node.kind() {
            Kind::ParenthesizedExpression | Kind::CastExpression => {
                below(node.field(Field::Value).or_else(|| node.last_named()));
            }
            Kind::ConditionalExpression => {
                below(node.field(Field::Consequence));
                below(node.field(Field::Alternative));
            }
            Kind::AssignmentExpression => below(node.field(Field::Right)),
            Kind::PointerExpression => below(node.field(Field::Argument)),
            Kind::Identifier => {
                let name = self.text(node);
                if !self.locals.contains(&name) {
                    found.push([":", &name].concat());
                } else if self.may_hold_function(&name) {
                    found.push(["$", &name].concat());
                }
            }
            Kind::FieldExpression | Kind::SubscriptExpression => {
                found.extend(Some(self.place(node)).filter(|place| !place.is_empty()));
            }
            Kind::CallExpression => {
                let source = match made_name(node, self.code) {
                    Some(made) => [":", &made].concat(),
                    None if of_call => self.place(node),
                    None => String::new(),
                };
                found.extend(Some(source).filter(|source| !source.is_empty()));
            }
            _ => {}
        }
    }

    /// Whether a local variable is declared as a pointer to a function.
    pub fn holds_function(&self, name: &str) -> bool {
        self.locals
            .get(name)
            .is_some_and(|local| local.function && local.type_.is_empty())
    }

    /// Whether a local variable can hold a function.
    pub fn may_hold_function(&self, name: &str) -> bool {
        self.locals.get(name).is_some_and(|local| {
            let type_ = local.type_.text();
            local.function
                || !(type_.is_empty()
                    || type_.starts_with("struct ")
                    || type_.starts_with("union "))
        })
    }

    /// What a call calls: a name, or a place and true; a member of something unknown is
    /// `?>member`.
    pub fn called(&self, function: Node) -> (String, bool) {
        let mut node = function.bare();
        if node.kind() == Kind::PointerExpression {
            node = node.field(Field::Argument).unwrap_or(node).bare();
        }
        if node.kind() == Kind::Identifier {
            let name = self.text(node);
            return if self.locals.contains(&name) {
                (["$", &name].concat(), true)
            } else {
                (name.into_owned(), false)
            };
        }
        if let Some(made) = made_name(node, self.code) {
            return (made, false);
        }
        if let Some(hook) = self.static_hook(node) {
            return (hook, true);
        }
        let place = self.place(node);
        if !place.is_empty() || node.kind() != Kind::FieldExpression {
            return (place, true);
        }
        match node.field(Field::Field) {
            Some(field) => (["?>", &self.text(field)].concat(), true),
            None => (place, true),
        }
    }

    /// The hook of a security module that is called by its name's static call (6.12):
    /// `static_call(LSM_STATIC_CALL(HOOK, 0))(…)` calls what is registered as that member.
    pub fn static_hook(&self, node: Node) -> Option<String> {
        let key = argument_of(node, "static_call", self.code)?;
        let hook = argument_of(key, "LSM_STATIC_CALL", self.code)?;
        let named = hook.kind() == Kind::Identifier;
        named.then(|| format!("{HOOKS}>{}", self.text(hook)))
    }

    /// An argument: a number, a place, `=text` of constant flags, or empty.
    pub fn argument(&self, argument: Node, callee: &str) -> String {
        let mut node = argument;
        while matches!(
            node.kind(),
            Kind::ParenthesizedExpression | Kind::CastExpression
        ) {
            let Some(last) = node.last_named() else {
                break;
            };
            node = last;
        }
        match node.kind() {
            Kind::NumberLiteral => self.text(node).into_owned(),
            Kind::Identifier
            | Kind::FieldExpression
            | Kind::PointerExpression
            | Kind::SubscriptExpression => self.place(node),
            _ => {
                // The text of any other argument is of use only if it names a capability.
                let text = node.bytes(self.code);
                let flags = || !text.is_empty() && text.iter().all(|&byte| is_flags(byte));
                if text.len() <= 80 && (flags() || callee.contains("cap")) {
                    ["=", &folded(&self.text(node))].concat()
                } else {
                    String::new()
                }
            }
        }
    }
}

/// The first argument of a call of this name; None for anything else.
fn argument_of<'t>(node: Node<'t>, name: &str, code: &[u8]) -> Option<Node<'t>> {
    let function = node.field(Field::Function)?;
    let is_call = node.kind() == Kind::CallExpression && function.bytes(code) == name.as_bytes();
    let mut arguments = node.field(Field::Arguments)?.named_children();
    arguments.find(|one| is_call && one.kind() != Kind::Comment)
}

fn is_flags(byte: u8) -> bool {
    byte.is_ascii_uppercase()
        || byte.is_ascii_digit()
        || matches!(byte, b'_' | b'|' | b'&' | b'~' | b'(' | b')' | b'<' | b'x')
        || matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_among_arguments() {
        assert_eq!(
            type_argument(b"f(p, struct  a, b)"),
            Some(&b"struct  a"[..])
        );
        assert_eq!(type_argument(b"f(p, structa, b)"), None);
        assert_eq!(
            type_argument(b"f(p, struct a *, union u ,b)"),
            Some(&b"union u"[..])
        );
        assert_eq!(folded(" a\t b\x1cc "), "a b c");
    }
}
