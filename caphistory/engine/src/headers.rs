//! The head of a function definition: its name, its parameters, its type.
//!
//! Kernel heads are not C: `asmlinkage`, `__init`, `SYSCALL_DEFINE3(name, …)`, macro calls
//! without a semicolon before them. So the head is read from its end: the last parenthesis is the
//! parameter list, the word before it the name.

use std::sync::LazyLock;

use regex::bytes::Regex;
use rustc_hash::FxHashMap;

use crate::intern::Sym;
use crate::lexer::{find, is_name_start, is_space, is_word, latin1, skip, skip_back};
use crate::lexer::{strip, strip_end};

/// Words that begin a statement or expression and name no function.
pub const KEYWORDS: [&str; 11] = [
    "if", "else", "while", "do", "for", "switch", "case", "default", "return", "goto", "sizeof",
];

/// Longer than any head of the kernel (2,600); what is longer in a mangled file is not read.
const LONGEST: usize = 20_000;

/// "__initfunc(static int f(int a))": the way to mark a function up to 2.2, of which drivers made
/// their own (ASC_INITFUNC, HISAX_INITFUNC).
static DECLARED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\A\s*[A-Za-z_][\w\s*]*[\s*][A-Za-z_]\w*\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s*\z")
});
static DEFINE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(COMPAT_)?SYSCALL(?:32)?_DEFINE(?:[0-6]|x)\s*\(\s*([A-Za-z_]\w*)\s*,?((?s:.*))\)\s*\z",
    )
});
/// SYSCALL_DEFINE(fadvise64)(int fd, …): where a 64-bit argument needs its own order (2.6.29 to
/// 3.8).
static DEFINE_PLAIN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\bSYSCALL_DEFINE\s*\(\s*(\w+)\s*\)\s*\(((?s:.*))\)\s*\z"));
static OPENING_WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"[A-Za-z_]\w*\s*\("));
static CALLED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b([A-Za-z_]\w*)\s*\(((?s:.*))\z"));
static AGGREGATE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(struct|union|enum)\s+([A-Za-z_]\w*)"));

/// A pattern for bytes, which are no Unicode.
pub(crate) fn pattern(text: &str) -> Regex {
    Regex::new(&format!("(?-u){text}")).expect("a pattern that is right")
}

/// `name_at` is the name's offset in the head; `parameters` are declarations, each one's code
/// (`struct sock *sk`), without those of an empty list; `old_style` is the code of K&R
/// declarations behind the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Header {
    pub name: Sym,
    pub name_at: usize,
    pub parameters: Vec<Vec<u8>>,
    pub old_style: Vec<u8>,
    pub returns: Sym,
    pub is_static: bool,
    pub inline: bool,
}

/// Cut at the commas that no bracket encloses; nothing between two of them is no part.
pub fn split_arguments(code: &[u8]) -> Vec<&[u8]> {
    let mut parts = split_with_empty(code);
    parts.retain(|part| !part.is_empty());
    parts
}

/// Cut at the commas that no bracket encloses, arguments that are left out too.
pub fn split_with_empty(code: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut depth = 0i64;
    let mut start = 0;
    for (at, &byte) in code.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(strip(&code[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(strip(&code[start..]));
    parts
}

type Partners = FxHashMap<usize, usize>;

/// The offset of each parenthesis' partner, for those that have one.
fn pairs(code: &[u8]) -> Partners {
    let mut partners = Partners::default();
    let mut opened = Vec::new();
    for at in memchr::memchr2_iter(b'(', b')', code) {
        if code[at] == b'(' {
            opened.push(at);
        } else if let Some(opening) = opened.pop() {
            partners.insert(at, opening);
            partners.insert(opening, at);
        }
    }
    partners
}

/// The word at the end of the code, and where it begins.
fn last_word(code: &[u8]) -> (usize, &[u8]) {
    let start = skip_back(code, code.len(), is_word);
    let start = skip(code, start, |byte| byte.is_ascii_digit());
    (start, &code[start..])
}

fn words(code: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at
            + code
                .get(at..)?
                .iter()
                .position(|&byte| is_name_start(byte))?;
        at = skip(code, start, is_word);
        Some((start, &code[start..at]))
    })
}

/// Cut `__releases(lock)` and the like off the end of a head.
fn without_attributes<'c>(mut code: &'c [u8], partners: &Partners) -> &'c [u8] {
    let first = code.iter().position(|&byte| byte == b')');
    loop {
        code = strip_end(code);
        let (start, word) = last_word(code);
        if !word.is_empty() {
            let behind = first.is_some_and(|first| first < start);
            let attribute = word.len() > 2 && word.starts_with(b"__");
            if !behind || !(attribute || matches!(word, b"noexcept" | b"asmlinkage")) {
                return code;
            }
            code = &code[..start];
            continue;
        }
        let [before @ .., b')'] = code else {
            return code;
        };
        let Some(&opening) = partners.get(&before.len()) else {
            // One too many: qspan_pci.c of 2.4 and 2.6.
            code = before;
            continue;
        };
        let (start, word) = last_word(strip_end(&code[..opening]));
        let attribute =
            word.starts_with(b"__") && !DECLARED.is_match(&code[opening + 1..before.len()]);
        if !attribute || !strip_end(&code[..start]).ends_with(b")") {
            return code;
        }
        code = &code[..start];
    }
}

/// Read the head of a function definition; None where there is no name in it.
pub fn parse_header(head: &[u8]) -> Option<Header> {
    let skipped = head.len().saturating_sub(LONGEST);
    let header = parse(&head[skipped..])?;
    Some(Header {
        name_at: header.name_at + skipped,
        ..header
    })
}

fn parse(head: &[u8]) -> Option<Header> {
    if find(head, 0, b"SYSCALL").is_some()
        && let Some(header) = syscall(head)
    {
        return Some(header);
    }
    let partners = pairs(head);
    let code = without_attributes(head, &partners);
    let (opening, closing) = match code {
        [before @ .., b')'] => (*partners.get(&before.len())?, before.len()),
        _ => old_style_list(code, &partners)?,
    };
    let old_style = code[closing + 1..].to_vec();
    let (start, word) = last_word(strip_end(&code[..opening]));
    if word.is_empty() {
        return unusual(code, opening, closing, &partners);
    }
    let prefix = &code[..start];
    let inner = &code[opening + 1..closing];
    if (matches!(strip(prefix), b"" | b"static") || strip_end(prefix).ends_with(b")"))
        && DECLARED.is_match(inner)
        && let Some(wrapped) = parse(inner)
    {
        return Some(Header {
            name_at: opening + 1 + wrapped.name_at,
            ..wrapped
        });
    }
    Some(Header {
        name: Sym::latin1(word),
        name_at: start,
        parameters: if old_style.is_empty() {
            listed(inner)
        } else {
            Vec::new()
        },
        old_style,
        returns: type_of(prefix),
        is_static: has_word(prefix, b"static"),
        inline: find(prefix, 0, b"inline").is_some() || find(prefix, 0, b"INLINE").is_some(),
    })
}

fn has_word(code: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find_iter(code, word).any(|at| {
        let before = at.checked_sub(1).and_then(|at| code.get(at));
        let behind = code.get(at + word.len());
        !before.is_some_and(|&byte| is_word(byte)) && !behind.is_some_and(|&byte| is_word(byte))
    })
}

fn syscall(head: &[u8]) -> Option<Header> {
    let of = |name: String, name_at, parameters| Header {
        name: Sym::new(&name),
        name_at,
        parameters,
        old_style: Vec::new(),
        returns: Sym::new("long"),
        is_static: false,
        inline: false,
    };
    if let Some(define) = DEFINE.captures(head) {
        let (name, rest) = (define.get(2)?, define.get(3)?);
        let pieces = split_arguments(rest.as_bytes());
        let pairs = pieces.chunks(2).map(|pair| pair.join(&b' ')).collect();
        let prefix = if define.get(1).is_some() {
            "compat_sys_"
        } else {
            "sys_"
        };
        return Some(of(
            prefix.to_owned() + &latin1(name.as_bytes()),
            name.start(),
            pairs,
        ));
    }
    let plain = DEFINE_PLAIN.captures(head)?;
    let (name, parameters) = (plain.get(1)?, plain.get(2)?);
    let name_at = name.start();
    Some(of(
        "sys_".to_owned() + &latin1(name.as_bytes()),
        name_at,
        listed(parameters.as_bytes()),
    ))
}

/// The declarations of a parameter list.
fn listed(inner: &[u8]) -> Vec<Vec<u8>> {
    match strip(inner) {
        b"" | b"void" => Vec::new(),
        _ => owned(split_arguments(inner)),
    }
}

fn owned(parts: Vec<&[u8]>) -> Vec<Vec<u8>> {
    parts.into_iter().map(<[u8]>::to_vec).collect()
}

/// The parameter list of a K&R head: the first one of plain names.
fn old_style_list(code: &[u8], partners: &Partners) -> Option<(usize, usize)> {
    let plain = |&byte: &u8| is_word(byte) || is_space(byte) || byte == b',';
    OPENING_WORD.find_iter(code).find_map(|found| {
        let opening = found.end() - 1;
        let &closing = partners.get(&opening)?;
        let names = code
            .get(opening + 1..closing)
            .filter(|_| closing < code.len())?;
        names.iter().all(plain).then_some((opening, closing))
    })
}

/// `(*f(int a))(int)` and `MACRO(name)(int a)`: the innermost name in brackets.
fn unusual(code: &[u8], opening: usize, closing: usize, partners: &Partners) -> Option<Header> {
    let [before @ .., b')'] = strip_end(&code[..opening]) else {
        return None;
    };
    let &group = partners.get(&before.len())?;
    let content = &code[group + 1..before.len()];
    if let Some(called) = CALLED.captures(content) {
        let (name, rest) = (called.get(1)?, called.get(2)?.as_bytes());
        let end = skip_back(rest, rest.len(), |byte| matches!(byte, b' ' | b')'));
        return Some(Header {
            name: Sym::latin1(name.as_bytes()),
            name_at: group + 1 + name.start(),
            parameters: owned(split_arguments(&rest[..end])),
            old_style: Vec::new(),
            returns: type_of(&code[..group]),
            is_static: find(&code[..group], 0, b"static").is_some(),
            inline: find(&code[..group], 0, b"inline").is_some(),
        });
    }
    // FNAME(walk_addr)(…): the macro is part of the name (kvm, 2.6.20 on).
    let (start, whole) = last_word(strip_end(&code[..group]));
    let (plain_at, plain) = words(content).next()?;
    let (name_at, name) = if whole.is_empty() {
        (group + 1 + plain_at, plain.to_vec())
    } else {
        (start, [whole, b"(", plain, b")"].concat())
    };
    Some(Header {
        name: Sym::latin1(&name),
        name_at,
        parameters: owned(split_arguments(&code[opening + 1..closing])),
        old_style: Vec::new(),
        returns: Sym::default(),
        is_static: find(&code[..name_at], 0, b"static").is_some(),
        inline: false,
    })
}

/// The type before a name, without qualifiers, pointers and attributes.
fn type_of(prefix: &[u8]) -> Sym {
    if let Some(last) = AGGREGATE.captures_iter(prefix).last()
        && let (Some(kind), Some(tag)) = (last.get(1), last.get(2))
    {
        return Sym::latin1(&[kind.as_bytes(), tag.as_bytes()].join(&b' '));
    }
    let last = words(prefix)
        .map(|(_, word)| word)
        .filter(|word| !is_no_type(word))
        .last();
    Sym::latin1(last.unwrap_or_default())
}

fn is_no_type(word: &[u8]) -> bool {
    const WORDS: [&[u8]; 30] = [
        b"static",
        b"extern",
        b"inline",
        b"__inline",
        b"__inline__",
        b"asmlinkage",
        b"const",
        b"volatile",
        b"register",
        b"unsigned",
        b"signed",
        b"__init",
        b"__exit",
        b"__devinit",
        b"__devexit",
        b"__cpuinit",
        b"__initfunc",
        b"__always_inline",
        b"noinline",
        b"fastcall",
        b"void",
        b"int",
        b"long",
        b"short",
        b"char",
        b"__attribute__",
        b"notrace",
        b"__sched",
        b"__user",
        b"__ref",
    ];
    WORDS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(head: &str) -> Option<&'static str> {
        parse_header(head.as_bytes()).map(|header| header.name.text())
    }

    #[test]
    fn the_word_before_the_last_list_is_the_name() {
        assert_eq!(
            name("static int f(struct sock *sk, int (*g)(int))"),
            Some("f")
        );
        assert_eq!(
            name("SYSCALL_DEFINE1(close, unsigned int, fd)"),
            Some("sys_close")
        );
        assert_eq!(name("__initfunc(static int f(int a))"), Some("f"));
        assert_eq!(name("static int f(void) __releases(lock)"), Some("f"));
        assert_eq!(name("void (*f(int a))(int)"), Some("f"));
        assert_eq!(name("static int FNAME(walk)(int a)"), Some("FNAME(walk)"));
        assert_eq!(name("f(a, b) int a; char *b;"), Some("f"));
        assert_eq!(name("))))"), None);
    }
}
