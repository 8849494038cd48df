//! Reads macros: what they call, test and store, and the place that they denote.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::bodies::{BodyReader, in_order};
use crate::decisions::{Decided, decided};
use crate::facts::{Flow, Macro, Stored};
use crate::headers::split_arguments;
use crate::initialisers::{Found, initialiser, variables_in};
use crate::intern::{ExprList, Sym, SymList};
use crate::lexer::{is_upper, without_sparse};
use crate::notation::{self, PASTE, as_use, base, is_use, names, use_of, used};
use crate::outcomes::refusals;
use crate::places::{AUTO, Local, Locals};
use crate::repairs::readable;
use crate::tree::{Field, Kind, Node, Tree, latin1};

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

static DEFINE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?-u)\A\s*#\s*define\s+([A-Za-z_]\w*)(\([^)]*\))?"));
static HAS_CALL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?-u)\b[A-Za-z_]\w*\s*[(\[]|->|\w\.\w"));
static ALIAS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?-u)\A\(?\s*([A-Za-z_]\w*)\s*\)?\z"));
// DRM_IOCTL_DEF of 2.6.25 and later stands for an element with its index.
static LIST: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?s-u)\A\s*(?:\[[^\[\]]*\]\s*=\s*)?\{.*[a-z_]\w*\s*[,}]"));
// LSM_HOOK_INIT (from 4.2 on): both the member and what it holds are parameters.
static STORES: LazyLock<regex::Regex> =
    LazyLock::new(|| regex::Regex::new(r"=\s*&?\s*\(?\s*(\w+)\s*\)?\s*[,}]").expect("a pattern"));
static BRACED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?-u)\A\s*(?:\[[^\[\]]*\]\s*=\s*)?\{\s*\.\s*\w"));
static MEMBER: LazyLock<regex::Regex> =
    LazyLock::new(|| regex::Regex::new(r"\.\s*(\w+)\s*=\s*(\w+)\s*[,}]").expect("a pattern"));
static DECLARATION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?s-u)\A\s*(?:(?:static|const)\s+)*(?:struct|union)\s+\w+\s+(?:const\s+)?\w+[^=;({]*=",
    )
});
static ALONE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?s-u)\A\s*(?:(?:static|const)\s+)*(\w+)\s*\((.*)\)\s*;\z"));
// ONE of fs/proc/base.c, from 2.6.24 on: NOD(NAME, mode, NULL, &ops, { .proc_show = show })
static LISTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?-u)([,(]\s*)\{\s*(?:\.\s*(\w+)\s*=\s*&?\s*(\w+)\s*,?)?\s*\}(\s*[,)])")
});
static NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?-u)\A&?\s*([A-Za-z_]\w*)\z"));
static TYPEOF: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?-u)\b\w*typeof(?:__)?\s*\("));
static CAST_BEFORE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?-u)\(\s*(?:(?:const|volatile)\s+)*\z"));
static CAST_AFTER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?-u)\A[\w\s*]*\)"));
static PASTED_ARGUMENTS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?-u),[ \t]*##"));
static PASTED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?-u)[ \t]*##[ \t]*"));

fn behind<'c>(code: &'c [u8], found: &regex::bytes::Captures) -> &'c [u8] {
    let end = found.get(0).map_or(0, |whole| whole.end());
    code.get(end..).unwrap_or_default()
}

/// Whether a macro can be more than a constant: most of a kernel's macros are register numbers,
/// which hold no fact.
pub fn matters(code: &[u8]) -> bool {
    let Some(head) = DEFINE.captures(code) else {
        return false;
    };
    let body = stripped(behind(code, &head));
    HAS_CALL.is_match(body)
        || ALIAS.is_match(body)
        || LIST.is_match(body)
        || BRACED.is_match(body)
        || DECLARATION.is_match(body)
}

/// Code without white space at its ends.
fn stripped(code: &[u8]) -> &[u8] {
    let white = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = code
        .iter()
        .position(|byte| !white(byte))
        .unwrap_or(code.len());
    let end = code
        .iter()
        .rposition(|byte| !white(byte))
        .map_or(start, |last| last + 1);
    code.get(start..end).unwrap_or_default()
}

/// How the macros begin that make a name known to or of modules, whatever it is.
const OF_MODULES: [&str; 2] = ["EXPORT_", "MODULE_"];

/// The use of a macro that stands where a declaration does and is handed a function:
/// `static DEVICE_ATTR(name, S_IRUGO, show_name, NULL);`; None for anything else.
pub fn used_alone(code: &[u8]) -> Option<String> {
    if !code.ends_with(b";") {
        return None;
    }
    let found = ALONE.captures(code)?;
    let arguments = split_arguments(found.get(2)?.as_bytes());
    let given: Vec<&[u8]> = arguments
        .iter()
        .map(|argument| {
            let name = NAME.captures(argument).and_then(|one| one.get(1));
            name.map_or(&b""[..], |name| name.as_bytes())
        })
        .collect();
    let name = latin1(found.get(1)?.as_bytes());
    let upper = name.to_ascii_uppercase();
    if OF_MODULES.iter().any(|start| upper.starts_with(start))
        || given
            .iter()
            .all(|one| one.is_empty() || is_upper(&latin1(one)))
    {
        return None;
    }
    let listed: Vec<String> = given
        .iter()
        .map(|one| {
            if one.is_empty() {
                String::new()
            } else {
                format!(":{}", latin1(one))
            }
        })
        .collect();
    Some(use_of(&name, &listed))
}

/// The facts of a `#define`; None for what is none.
pub fn macro_(code: &[u8]) -> Option<Macro> {
    let head = DEFINE.captures(code)?;
    let name = Sym::latin1(head.get(1)?.as_bytes());
    let parameters: Option<Vec<Sym>> = head.get(2).map(|listed| {
        let listed = listed.as_bytes();
        let inner = listed
            .get(1..listed.len().saturating_sub(1))
            .unwrap_or_default();
        split_arguments(inner)
            .into_iter()
            .map(Sym::latin1)
            .collect()
    });
    let rest = behind(code, &head);
    let body = without_sparse(rest);
    let alias = ALIAS
        .captures(stripped(&body))
        .and_then(|alias| alias.get(1))
        .map_or_else(Sym::default, |alias| Sym::latin1(alias.as_bytes()));
    let row = newlines(code.get(..code.len() - rest.len()).unwrap_or_default());
    let body = without_lists(&body);
    let pasted = pasted(&body);
    let text = without_typeof(&pasted);
    let wrapped = [b"void f(){", &text[..], b"\n;}"].concat();
    let mut known = Locals::default();
    for &parameter in parameters.iter().flatten() {
        let type_ = Sym::new(&format!("${}", parameter.text()));
        known.insert(Local {
            name: parameter,
            type_,
            function: true,
            elements: ExprList::default(),
        });
    }
    let parameter = |name: &str| parameters.iter().flatten().any(|one| one.text() == name);
    let tree = Tree::parse(&readable(&wrapped));
    let mut reader = BodyReader::new(&wrapped, 0, row, &|_| Sym::default(), known);
    let expression = expression_of(tree.root());
    reader.outcomes.whole = expression;
    reader.read(tree.root());
    let Decided {
        calls, uid_tests, ..
    } = settled(&reader, parameters.as_deref());
    let place = expression.map_or_else(String::new, |expression| {
        reader.places.typed(reader.places.place(expression))
    });
    Some(Macro {
        name,
        parameters: parameters.as_deref().map(SymList::new),
        calls,
        uid_tests,
        relays: expression.map_or_else(SymList::default, |one| reader.relays(one)),
        alias,
        refusals: SymList::new(&refusals(&text)),
        place: Sym::new(&place),
        flows: reader
            .body
            .flows
            .values()
            .filter(|flow| is_told(flow, &parameter))
            .copied()
            .collect(),
        stored: stored(&text, row, &parameter)
            .into_iter()
            .map(|one| {
                let source = Sym::new(&of_parameter(one.source.text(), &parameter));
                Stored { source, ..one }
            })
            .collect(),
    })
}

fn settled(reader: &BodyReader, parameters: Option<&[Sym]>) -> Decided {
    let body = &reader.body;
    decided(
        in_order(&body.calls),
        in_order(&body.uid_tests),
        &in_order(&body.sets),
        &[],
        &body.uses(),
        parameters.unwrap_or_default(),
    )
}

fn newlines(code: &[u8]) -> u32 {
    memchr::memchr_iter(b'\n', code).count() as u32
}

/// A macro's body in which braced lists that are arguments are uses (see `notation::LISTED`).
fn without_lists(body: &[u8]) -> Cow<'_, [u8]> {
    if !LISTED.is_match(body) {
        return Cow::Borrowed(body);
    }
    LISTED.replace_all(body, |found: &regex::bytes::Captures| {
        let part = |number| found.get(number).map_or(&b""[..], |part| part.as_bytes());
        let listed = match part(2) {
            b"" => b"0".to_vec(),
            member => [notation::LISTED.as_bytes(), member, b"(", part(3), b")"].concat(),
        };
        [part(1), &listed, part(4)].concat()
    })
}

/// A macro's body with its pasted names as names; `, ## args` hands arguments on.
fn pasted(body: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memmem::find(body, b"##").is_none() {
        return Cow::Borrowed(body);
    }
    let body = PASTED_ARGUMENTS.replace_all(body, &b","[..]);
    Cow::Owned(PASTED.replace_all(&body, PASTE.as_bytes()).into_owned())
}

/// A macro's body without casts to `typeof(…)`, and with variables of that type as those of their
/// value's, which is the same.
fn without_typeof(body: &[u8]) -> Cow<'_, [u8]> {
    let mut body = Cow::Borrowed(body);
    let mut at = 0;
    while at <= body.len()
        && let Some(found) = TYPEOF.find_at(&body, at)
    {
        let Some(end) = closing(&body, found.end()) else {
            break;
        };
        let head = body.get(..found.start()).unwrap_or_default();
        let tail = body.get(end..).unwrap_or_default();
        let changed = match (CAST_BEFORE.find(head), CAST_AFTER.find(tail)) {
            (Some(before), Some(after)) => {
                at = before.start();
                let head = head.get(..at).unwrap_or_default();
                let tail = tail.get(after.end()..).unwrap_or_default();
                [head, b" ", tail].concat()
            }
            _ => {
                at = found.start() + AUTO.len();
                [head, AUTO.as_bytes(), b" ", tail].concat()
            }
        };
        body = Cow::Owned(changed);
    }
    body
}

/// Behind the parenthesis that closes the one before `at`; None where there is none.
fn closing(code: &[u8], at: usize) -> Option<usize> {
    let mut depth = 1;
    for (offset, byte) in code.get(at..)?.iter().enumerate() {
        depth += i32::from(*byte == b'(') - i32::from(*byte == b')');
        if depth == 0 {
            return Some(at + offset + 1);
        }
    }
    None
}

/// Whether a flow speaks of parameters and names from outside alone, and not of one thing
/// (`(p)->next = (p)`).
fn is_told(flow: &Flow, parameter: &impl Fn(&str) -> bool) -> bool {
    let (source, target) = (base(flow.source.text()), base(flow.target.text()));
    let constant = names(flow.source.text()) && is_upper(flow.source.text());
    source != target
        && !constant
        && !is_use(flow.target.text())
        && [source, target]
            .iter()
            .all(|one| one.strip_prefix('$').is_none_or(parameter))
}

/// What a macro stores that is a braced list, or the declaration of a variable.
fn stored(text: &[u8], row: u32, parameter: &impl Fn(&str) -> bool) -> Vec<Stored> {
    let listed =
        LIST.is_match(text) || stores_parameter(text, parameter) || chooses_member(text, parameter);
    if !listed && !DECLARATION.is_match(text) {
        return vec![];
    }
    let inner = stripped(text);
    let end = inner
        .iter()
        .rposition(|&byte| byte != b';')
        .map_or(0, |last| last + 1);
    let inner = inner.get(..end).unwrap_or_default();
    let indexed = listed && inner.starts_with(b"[");
    let (head, tail): (&[u8], &[u8]) = match (listed, indexed) {
        (_, true) => (b"int v[] = {", b"};"),
        (true, false) => (b"int v = ", b";"),
        (false, false) => (b"", b";"),
    };
    let code = [head, inner, tail].concat();
    let lead = text
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'..=b'\r'))
        .count();
    let lines = row + newlines(text.get(..lead).unwrap_or_default());
    let tree = Tree::parse(&code);
    let mut found = vec![];
    for node in tree
        .root()
        .named_children()
        .filter(|node| node.kind() == Kind::Declaration)
    {
        if !listed {
            found.extend(
                variables_in(node, &code)
                    .into_iter()
                    .filter_map(|one| match one {
                        Found::Stored(_, stored) => Some(stored),
                        Found::Variable(_) | Found::Naming(..) => None,
                    }),
            );
        } else if let Some(value) = node
            .field(Field::Declarator)
            .and_then(|one| one.field(Field::Value))
        {
            let none = Sym::default();
            let list = initialiser(value, &code, none, none, 0, indexed);
            found.extend(list.stored.into_iter().map(|(_, stored)| stored));
        }
    }
    for one in &mut found {
        one.line += lines;
    }
    found
}

/// Whether a macro is a braced list in which a parameter is stored in a member.
fn stores_parameter(text: &[u8], parameter: &impl Fn(&str) -> bool) -> bool {
    let stores = |text: &str| {
        let mut values = STORES.captures_iter(text).filter_map(|one| one.get(1));
        values.any(|value| parameter(value.as_str()))
    };
    BRACED.is_match(text) && stores(&latin1(text))
}

/// Whether a macro is a braced list in which one parameter names the member that another one is
/// stored in.
fn chooses_member(text: &[u8], parameter: &impl Fn(&str) -> bool) -> bool {
    stripped(text).starts_with(b"{")
        && MEMBER.captures_iter(&latin1(text)).any(|pair| {
            pair.iter()
                .skip(1)
                .flatten()
                .all(|name| parameter(name.as_str()))
        })
}

/// A source in which a macro's parameters are told from names outside.
fn of_parameter(source: &str, parameter: &impl Fn(&str) -> bool) -> String {
    let source = as_use(source);
    if names(&source) {
        let name = source.strip_prefix(':').unwrap_or(&source);
        return if parameter(name) {
            format!("${name}")
        } else {
            source
        };
    }
    match used(&source) {
        Some((name, arguments)) => {
            let arguments: Vec<String> = arguments
                .iter()
                .map(|one| of_parameter(one, parameter))
                .collect();
            use_of(name, &arguments)
        }
        None => source,
    }
}

/// The expression that a macro's body is, if it is one.
fn expression_of(root: Node) -> Option<Node> {
    let mut node = root;
    for _ in 0..4 {
        let shown = |child: &Node| child.kind() != Kind::ParameterList;
        let mut children: Vec<Node> = node.named_children().filter(shown).collect();
        if node.kind() == Kind::ExpressionStatement {
            return children.first().copied().filter(|_| children.len() == 1);
        }
        if node.kind() == Kind::CompoundStatement {
            children.retain(|child| child.end() - child.start() > 1);
            if children.len() != 1 {
                return None;
            }
        }
        node = children.pop()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn casts_to_typeof_go() {
        let text =
            |code: &str| String::from_utf8_lossy(&without_typeof(code.as_bytes())).into_owned();
        assert_eq!(text("(const typeof(x) *)(y)"), " (y)");
        assert_eq!(text("__typeof__ (x) a = (x);"), "__auto_type  a = (x);");
        assert_eq!(text("typeof(x"), "typeof(x");
    }
}
