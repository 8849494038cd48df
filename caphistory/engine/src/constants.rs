//! The constants that files define: macros and enums go in, and the names, and the expressions
//! that they stand for, come out.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Regex, bytes};

use crate::conditionals::expression as expression_of;
use crate::facts::Constant;
use crate::guards::{expression, string, unknown};
use crate::intern::{Expr, ExprList, Sym, SymList};
use crate::lexer::{
    Directive, Keyword, find, is_constant, is_space, is_upper, is_word, latin1, skip,
};
use crate::lower_bounds;
use crate::places::{Local, Locals};
use crate::tree::{Field, Tree};

/// The body of a macro that is no expression which is followed, but leaves its arguments as they
/// are.
const UNREAD: &str = "?";
/// What may change something: an assignment, a counter, an address, a call.
static CHANGES: LazyLock<bytes::Regex> = LazyLock::new(|| {
    bytes::Regex::new(
        r"(?-u)[^=!<>]=[^=]|<<=|>>=|\+\+|--|(?:\A|[^\w\s)\]&]|&&)\s*&[^&]|\b[A-Za-z_]\w*\s*\(",
    )
    .expect("a pattern of this module")
});
/// An inline function with a body that only returns an expression, from the word `inline` on: its
/// name, parameters and expression.
static RETURNING: LazyLock<bytes::Regex> = LazyLock::new(|| {
    bytes::Regex::new(
        r"(?-u)\Ainline(?:__)?\b[\w\s*]{1,80}?\b(\w+)\s*\(([\w\s*,]{1,200})\)\s*\{\s*return\b([^;{}#]{1,400});\s*\}",
    )
    .expect("a pattern of this module")
});
/// Lists of a graphics chip's registers (5.x, 6.x): no call takes such a constant.
const MOST: usize = 500_000;
/// ALL_INOTIFY_BITS (6.x) names 22 flags.
const LONGEST_BODY: usize = 400;
static OF_TYPE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b[A-Za-z_]\w*\s*\(\s*(?:struct|union|enum|unsigned|signed|const)\b[^()]*\)")
        .expect("a pattern of this module")
});

/// A cast for the checker alone: `((__force int) FMODE_NONOTIFY)` (`include/linux/fs.h`, 6.8).
static FORCED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\(\s*__force\b[\w\s]*\)").expect("a pattern of this module"));

/// The constants that a file defines as macros, in order; none of a file of nothing else.
pub fn defined(directives: &[Directive], source: &[u8]) -> Box<[Constant]> {
    let mut branches: Vec<Option<bool>> = Vec::new();
    let defines = directives.iter().filter(|directive| {
        follow(&mut branches, directive);
        directive.keyword == Keyword::Define && !branches.contains(&Some(false))
    });
    let mut size = 0;
    let mut found = Vec::new();
    for directive in defines {
        let Some((name, listed, behind)) = head(directive) else {
            continue;
        };
        let code = with_letters(directive, source);
        let words = code
            .get(behind..)
            .unwrap_or_default()
            .split(|&byte| is_space(byte));
        let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
        let body = words.join(&b' ');
        let body = if is_plain(&body) || is_strings(&body) || is_element(&body) {
            latin1(&body)
        } else if listed.is_some() && only_reads(&body) {
            UNREAD.to_owned()
        } else {
            String::new()
        };
        // "#define A A" beside an enum tells that it is there, and nothing more.
        if body.as_bytes() == name {
            continue;
        }
        // As one line: the name with its parameters, a sign and the body.
        let between = usize::from(!found.is_empty());
        size += between + name.len() + listed.as_ref().map_or(0, |one| one.len() + 2);
        size += 1 + body.len();
        if size > MOST {
            return Box::default();
        }
        let parameters = listed.iter().flat_map(|listed| listed.split(','));
        let parameters: Vec<Sym> = parameters.map(Sym::new).collect();
        found.push(Constant {
            name: Sym::latin1(name),
            parameters: SymList::new(&parameters),
            body: Sym::new(&body),
        });
    }
    found.into()
}

/// Keeps whether the branches in which a directive stands are the kernel's own, or what headers have
/// for programs (`__SI_CODE` of `asm-generic/siginfo.h`, 2.6); None for those of other conditions.
fn follow(branches: &mut Vec<Option<bool>>, directive: &Directive) {
    match directive.keyword {
        Keyword::If | Keyword::Ifdef | Keyword::Ifndef => {
            let (asked, truth) = expression_of(directive);
            branches.push((asked.text() == "defined(__KERNEL__)").then_some(truth));
        }
        Keyword::Elif | Keyword::Else => {
            let is_else = directive.keyword == Keyword::Else;
            if let Some(last) = branches.last_mut() {
                *last = last.filter(|_| is_else).map(|truth| !truth);
            }
        }
        Keyword::Endif => {
            branches.pop();
        }
        _ => {}
    }
}

/// The constants that a file's enums name, in order: each as its own value or as the
/// last one that has one and how many come after it. `code` is without comments and strings.
pub fn enumerated(code: &[u8], directives: &[Directive]) -> Vec<Constant> {
    let conditional = |from: usize, to: usize| {
        let first = directives.partition_point(|one| one.start < from);
        let mut between = directives[first..].iter().take_while(|one| one.start < to);
        between.any(|one| one.keyword.conditional())
    };
    let mut found = Vec::new();
    let mut size = 0;
    for at in memchr::memmem::find_iter(code, b"enum") {
        let before = at.checked_sub(1).and_then(|at| code.get(at));
        let mut start = skip(code, at + 4, is_space);
        start = skip(code, skip(code, start, is_word), is_space);
        let whole = |byte: Option<&u8>| byte.is_none_or(|&byte| !is_word(byte));
        if !whole(before) || !whole(code.get(at + 4)) || code.get(start) != Some(&b'{') {
            continue;
        }
        let Some(end) = find(code, start, b"}").filter(|end| end - start < MOST) else {
            continue;
        };
        // What comes after an #if or another macro's use has a number that nobody knows.
        let mut last = Some(("0".to_owned(), 0));
        let mut next = start + 1;
        for one in code[start + 1..end].split(|&byte| byte == b',') {
            let from = next;
            next += one.len() + 1;
            if conditional(from, next) {
                last = None;
            }
            let one = latin1(one.trim_ascii());
            let (name, value) = match one.split_once('=') {
                Some((name, value)) => (name.trim_end(), Some(value.trim())),
                None => (one.as_str(), None),
            };
            if let Some(value) = value {
                last = Some((format!("({value})"), 0));
            }
            let is_name = !name.is_empty() && name.bytes().all(is_word);
            let plain = last
                .as_ref()
                .is_some_and(|(base, _)| is_plain(base.as_bytes()));
            if !is_name || !plain {
                last = None;
                continue;
            }
            if let Some((base, count)) = &mut last {
                let body = format!("{base} + {count}");
                *count += 1;
                size += name.len() + body.len();
                if is_constant(name) {
                    found.push(Constant {
                        name: Sym::new(name),
                        parameters: SymList::default(),
                        body: Sym::new(&body),
                    });
                }
            }
        }
        if size > MOST {
            return Vec::new();
        }
    }
    found
}

/// What inline functions give that only return an expression, as macros with their parameters: in
/// order, without those that a macro of the file may stand for. `code` is without comments and
/// strings.
pub fn returned(code: &[u8], directives: &[Directive]) -> Vec<Constant> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(code, b"inline") {
        let Some(parts) = RETURNING.captures(&code[at..]) else {
            continue;
        };
        let parameters: Option<Vec<Sym>> = parts[2]
            .split(|&byte| byte == b',')
            .map(last_word)
            .collect();
        let words = parts[3].split(|&byte| is_space(byte));
        let words: Vec<&[u8]> = words.filter(|word| !word.is_empty()).collect();
        let body = words.join(&b' ');
        let name = parts[1].to_vec();
        let is_macro = |one: &Directive| {
            let start = skip(&one.code, one.rest, is_space);
            let end = skip(&one.code, start, is_word);
            one.keyword == Keyword::Define && one.code[start..end] == name
        };
        if let Some(parameters) = parameters
            && is_plain(&body)
            && !directives.iter().any(is_macro)
        {
            found.push(Constant {
                name: Sym::latin1(&name),
                parameters: SymList::new(&parameters),
                body: Sym::latin1(&body),
            });
        }
    }
    found
}

/// The name of a parameter: its last word, if there is another one before it.
pub fn last_word(parameter: &[u8]) -> Option<Sym> {
    let parameter = parameter.trim_ascii();
    let start = parameter.iter().rposition(|&byte| !is_word(byte))?;
    let name = &parameter[start + 1..];
    (!name.is_empty()).then(|| Sym::latin1(name))
}

/// The name of a macro that may be a constant, its parameters in lower case without white space,
/// and where its body begins. One with parameters has a name in upper case.
fn head<'d>(directive: &'d Directive) -> Option<(&'d [u8], Option<String>, usize)> {
    let code = &directive.code[..];
    let start = skip(code, directive.rest, is_space);
    let upper = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let name_end = skip(code, start, is_word);
    let name = code.get(start..name_end)?;
    if start == directive.rest || name.first().is_none_or(u8::is_ascii_digit) {
        return None;
    }
    let in_capitals = name.iter().copied().all(upper);
    if !in_capitals && (code.get(name_end) == Some(&b'(') || !is_constant(&latin1(name))) {
        return None;
    }
    let mut end = name_end;
    let mut listed = None;
    if code.get(name_end) == Some(&b'(') {
        let parameter = |byte: u8| byte.is_ascii_lowercase() || b"_, ".contains(&byte);
        end = skip(code, name_end + 1, parameter);
        let inner = code
            .get(name_end + 1..end)
            .filter(|inner| !inner.is_empty())?;
        code.get(end).filter(|&&byte| byte == b')')?;
        listed = Some(latin1(inner).replace(' ', ""));
        end += 1;
    }
    if code
        .get(end)
        .is_some_and(|&byte| is_word(byte) || byte == b'(')
    {
        return None;
    }
    Some((
        name,
        listed,
        skip(code, end, |byte| matches!(byte, b' ' | b'\t')),
    ))
}

/// Whether a body may be an expression that `constant` reads.
fn is_plain(body: &[u8]) -> bool {
    let plain =
        |&byte: &u8| is_word(byte) || is_space(byte) || b"()|&~<>+*^',-=!?:".contains(&byte);
    (1..=LONGEST_BODY).contains(&body.len()) && body.iter().all(plain)
}

/// Whether a body takes a byte of a string: `("\004\002\006\006"[(x)&O_ACCMODE])` (`ACC_MODE` of
/// `include/linux/fs.h`).
fn is_element(body: &[u8]) -> bool {
    let mut around = body.split(|&byte| byte == b'"');
    let parts = (around.next(), around.next(), around.next(), around.next());
    let (Some(before), Some(_), Some(behind), None) = parts else {
        return false;
    };
    let of_index = |&byte: &u8| byte == b'[' || byte == b']';
    let plain: Vec<u8> = behind
        .iter()
        .copied()
        .filter(|one| !of_index(one))
        .collect();
    behind.starts_with(b"[") && before.iter().all(|&byte| byte == b'(') && is_plain(&plain)
}

/// Whether the body of a macro leaves what it is given as it is: it takes no address, sets nothing
/// and calls nothing that may.
pub fn only_reads(body: &[u8]) -> bool {
    let one =
        |&byte: &u8| is_word(byte) || is_space(byte) || b"()[]\"\\.|&~<>+*^,-=!?:".contains(&byte);
    let is_expression = !body.is_empty() && body.len() <= LONGEST_BODY && body.iter().all(one);
    is_expression && !CHANGES.is_match(body)
}

/// Whether a body is made of strings that are names, and names that may stand for such:
/// `"security."`, `PREFIX "evm"`.
fn is_strings(body: &[u8]) -> bool {
    let part = |part: &[u8]| string(part) || part.iter().all(|&byte| is_word(byte));
    body.len() <= LONGEST_BODY && body.contains(&b'"') && strings(body).all(part)
}

/// The parts of a body that is made of strings.
fn strings(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let inner = body.strip_prefix(b"(");
    let inner = inner.and_then(|inner| inner.strip_suffix(b")"));
    let inner = inner.unwrap_or(body).trim_ascii();
    inner.split(|&byte| byte == b' ')
}

/// A directive's code with the letters and names that stand in it: `_IO('M', 3)`, `"evm"`.
fn with_letters<'d>(directive: &'d Directive, source: &[u8]) -> Cow<'d, [u8]> {
    let end = directive.start + directive.code.len();
    let text = source.get(directive.start..end).unwrap_or_default();
    if memchr::memchr2(b'\'', b'"', text).is_none() {
        return Cow::Borrowed(&directive.code);
    }
    let mut code = directive.code.to_vec();
    let text = without_comments(text);
    let mut at = 0;
    while let Some(found) = text
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'\'', b'"', rest))
    {
        at += found;
        if text.get(at) == Some(&b'"') {
            let Some(end) = find(&text, at + 1, b"\"") else {
                break;
            };
            let literal = at..end + 1;
            let is_table = text.get(end + 1) == Some(&b'[');
            if is_table || string(&text[literal.clone()]) {
                code[literal.clone()].copy_from_slice(&text[literal]);
            }
            at = end + 1;
            continue;
        }
        match text.get(at..at + 3) {
            Some(&[_, letter, b'\'']) if !matches!(letter, b'\'' | b'\\' | b'\n') => {
                code[at..at + 3].copy_from_slice(&text[at..at + 3]);
                at += 3;
            }
            _ => at += 1,
        }
    }
    Cow::Owned(code)
}

/// A macro's text with spaces for its comments; one that begins with `//` goes to the end.
fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut plain = text.to_vec();
    let mut at = 0;
    let mut closing = true;
    while let Some(found) = text.get(at..).and_then(|rest| memchr::memchr(b'/', rest)) {
        let start = at + found;
        at = start + 1;
        if text.get(at) == Some(&b'/') {
            plain[start..].fill(b' ');
            break;
        }
        if text.get(at) == Some(&b'*') && closing {
            let end = find(text, start + 2, b"*/");
            closing = end.is_some();
            if let Some(end) = end {
                at = end + 2;
                plain[start..at].fill(b' ');
            }
        }
    }
    plain
}

/// The body of a macro as an expression.
pub fn constant(body: &str) -> Expr {
    let parts: Vec<&[u8]> = strings(body.as_bytes()).collect();
    let joined = |part: &&[u8]| {
        string(part) || is_upper(&latin1(part)) && part.iter().all(|&byte| is_word(byte))
    };
    if parts.len() > 1 && parts.iter().all(joined) {
        let part = |part: &&[u8]| match string(part) {
            true => Expr::text(&latin1(part)),
            false => Expr::text(&format!(":{}", latin1(part))),
        };
        return Expr::tuple("concat", &parts.iter().map(part).collect::<Vec<_>>());
    }
    body_of(body, &[])
}

/// The same for a macro with parameters, which are `$name`.
pub fn body_of(body: &str, parameters: &[Sym]) -> Expr {
    if let Some(bound) = lower_bounds::expression(body) {
        return bound;
    }
    // What takes a type is its size, or made of it.
    let unforced = FORCED.replace_all(body, "");
    let plain = OF_TYPE.replace_all(&unforced, "sizeof(int)");
    let code = format!("int x = {plain};");
    let mut local = Locals::default();
    for &name in parameters {
        local.insert(Local {
            name,
            type_: Sym::default(),
            function: false,
            elements: ExprList::default(),
        });
    }
    let tree = Tree::parse(code.as_bytes());
    let root = tree.root();
    if tree.has_error() || root.named_child_count() != 1 {
        return unknown();
    }
    let declarator = root
        .first_named()
        .and_then(|one| one.field(Field::Declarator));
    match declarator.and_then(|declarator| declarator.field(Field::Value)) {
        Some(value) => expression(value, code.as_bytes(), &local),
        None => unknown(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::scan;

    #[test]
    fn constants_are_macros_with_names_of_constants() {
        let source = b"#define A (1 << 2) /* x */\n#define f 1\n#define B(x, y) \\\n (x | y)\n\
            #define C 'M'\n#define D \"s\"\n#define E(X) 1\n#define F_x 1\n\
            #define GG_x 2\n#define HH_x(y) y\n";
        let found = defined(&scan(source).directives, source);
        let shown: Vec<String> = found
            .iter()
            .map(|one| format!("{:?} {:?} {:?}", one.name, one.parameters, one.body))
            .collect();
        let expected = [
            r#""A" [] "(1 << 2)""#,
            r#""B" ["x", "y"] "(x | y)""#,
            r#""C" [] "'M'""#,
            r#""D" [] "\"s\"""#,
            r#""GG_x" [] "2""#,
        ];
        assert_eq!(shown, expected);
        assert_eq!(
            constant("(1 << 2)"),
            Expr::tuple("<<", &[Expr::text("1"), Expr::text("2")])
        );
        assert_eq!(constant("1 2"), unknown());
    }
}
