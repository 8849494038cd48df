//! What a file's own macros make outside of its functions.
//!
//! After `#define STORE(n) static int store_##n(int x) { return set(n, x); }` a line `STORE(0)` is
//! a function. Uses of macros from headers are expanded when a release is linked (see
//! `macro_expansion`), but there no functions can come into being any more.

use rustc_hash::FxHashMap;

use crate::headers::split_with_empty;
use crate::items::Extent;
use crate::lexer::{
    Directive, Keyword, Scan, is_name_start, is_space, is_word, skip, strip, strip_end,
};

/// Macros within macros, and bytes that a use may become (real ones need 5 and 9,000).
const DEEPEST: u32 = 8;
const LONGEST: usize = 1 << 16;

/// A use of one of the file's own macros that stands where an item does: where, as it is written,
/// and what it becomes, in one line with a semicolon behind it.
pub struct Use {
    pub start: usize,
    pub written: Vec<u8>,
    pub made: Vec<u8>,
}

/// A macro with parameters: where it is defined, and what it stands for.
struct Own<'d> {
    start: usize,
    parameters: Vec<&'d [u8]>,
    body: &'d [u8],
}

/// The file's own macros by name, in order.
type OwnMacros<'d> = FxHashMap<&'d [u8], Vec<Own<'d>>>;

/// The uses of own macros with which the items of a file begin, which then begin behind those that
/// make something.
pub fn take_uses(scan: &Scan<'_>, items: &mut [Extent]) -> Vec<Use> {
    let own = own_macros(&scan.directives);
    let mut found = Vec::new();
    if own.is_empty() {
        return found;
    }
    for item in items {
        let code = scan.code.get(..item.end).unwrap_or_default();
        let (defined, mut at) = (item.start, item.start);
        while let Some((start, macro_, arguments, end)) = use_at(code, at, defined, &own) {
            let mut made = Vec::new();
            if expand(macro_, arguments, defined, &own, 0, &mut made) {
                let rest = skip(code, end, |byte| is_space(byte) || byte == b';');
                if rest < item.end && memchr::memchr2(b'{', b'=', &made).is_some() {
                    item.start = rest;
                }
                made.push(b';');
                found.push(Use {
                    start,
                    written: code.get(start..end).unwrap_or_default().to_vec(),
                    made,
                });
            }
            at = end;
        }
    }
    found
}

/// The macros that may be an item or several.
fn own_macros<'d>(directives: &'d [Directive<'_>]) -> OwnMacros<'d> {
    let mut found = OwnMacros::default();
    for directive in directives {
        if directive.keyword == Keyword::Define
            && let Some((name, own)) = own_macro(directive)
        {
            found.entry(name).or_default().push(own);
        }
    }
    found
}

fn own_macro<'d>(directive: &'d Directive<'_>) -> Option<(&'d [u8], Own<'d>)> {
    let code = directive.code.get(directive.rest..)?;
    let start = skip(code, 0, is_space);
    let end = skip(code, start, is_word);
    let name = code.get(start..end).filter(|name| !name.is_empty())?;
    let listed = code.get(end..)?.strip_prefix(b"(")?;
    let close = listed.iter().position(|&byte| byte == b')')?;
    let body = strip(listed.get(close + 1..)?);
    let begins = body.first().is_some_and(|&byte| is_name_start(byte));
    let own = Own {
        start: directive.start,
        parameters: listed[..close]
            .split(|&byte| byte == b',')
            .map(strip)
            .collect(),
        body,
    };
    (begins && !begins_statement(body)).then_some((name, own))
}

/// Whether a body is no item: most macros are statements.
fn begins_statement(body: &[u8]) -> bool {
    let (word, _) = word_at(body, 0);
    matches!(
        word,
        b"do" | b"if" | b"for" | b"while" | b"switch" | b"return" | b"goto" | b"case"
    )
}

/// The word at an offset, and where it ends.
fn word_at(code: &[u8], at: usize) -> (&[u8], usize) {
    let end = skip(code, at, is_word);
    (code.get(at..end).unwrap_or_default(), end)
}

/// The use of an own macro, defined before `defined`, with which the code at an offset begins, if
/// only for `static`: where it begins, the macro, its arguments and where it ends.
fn use_at<'o, 'd, 'c>(
    code: &'c [u8],
    mut at: usize,
    defined: usize,
    own: &'o OwnMacros<'d>,
) -> Option<(usize, &'o Own<'d>, &'c [u8], usize)> {
    at = skip(code, at, |byte| is_space(byte) || byte == b';');
    let start = at;
    let (mut word, mut end) = word_at(code, at);
    while matches!(word, b"static" | b"const") {
        at = skip(code, end, is_space);
        (word, end) = word_at(code, at);
    }
    let before = |one: &&Own| one.start < defined;
    let macro_ = own.get(word)?.iter().rfind(before)?;
    let open = skip(code, end, is_space);
    if code.get(open) != Some(&b'(') {
        return None;
    }
    let close = closing(code, open)?;
    Some((start, macro_, code.get(open + 1..close)?, close + 1))
}

/// Where the parenthesis at an offset is closed.
fn closing(code: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (at, byte) in code.iter().enumerate().skip(open) {
        match byte {
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Write what a use becomes, with the uses that its items begin with; whether it could be told.
fn expand(
    macro_: &Own<'_>,
    arguments: &[u8],
    defined: usize,
    own: &OwnMacros<'_>,
    depth: u32,
    made: &mut Vec<u8>,
) -> bool {
    if depth > DEEPEST || made.len() > LONGEST {
        return false;
    }
    let text = replaced(macro_, arguments);
    let mut begins = true;
    let (mut braces, mut parentheses) = (0usize, 0usize);
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        if begins && is_name_start(byte) {
            if let Some((_, inner, given, end)) = use_at(&text, at, defined, own) {
                if !expand(inner, given, defined, own, depth + 1, made) {
                    return false;
                }
                made.push(b' ');
                at = end;
                continue;
            }
            begins = false;
        }
        match byte {
            b'{' => braces += 1,
            b'}' => braces = braces.saturating_sub(1),
            b'(' => parentheses += 1,
            b')' => parentheses = parentheses.saturating_sub(1),
            _ => {}
        }
        let outside = braces == 0 && parentheses == 0;
        begins = begins || outside && matches!(byte, b';' | b'}');
        let end = if is_word(byte) {
            skip(&text, at, is_word)
        } else {
            at + 1
        };
        made.extend(&text[at..end]);
        at = end;
    }
    made.len() <= LONGEST
}

/// A macro's body with its parameters replaced, in one line.
fn replaced(macro_: &Own<'_>, arguments: &[u8]) -> Vec<u8> {
    let given = split_with_empty(arguments);
    let rest = |from: usize| given.get(from..).unwrap_or_default().join(&b", "[..]);
    let value = |word: &[u8]| -> Option<Vec<u8>> {
        for (number, &parameter) in macro_.parameters.iter().enumerate() {
            let more = parameter.strip_suffix(b"...");
            match more {
                Some(b"") if word == b"__VA_ARGS__" => return Some(rest(number)),
                Some(name) if strip(name) == word && !word.is_empty() => return Some(rest(number)),
                None if parameter == word => {
                    return Some(given.get(number).copied().unwrap_or_default().to_vec());
                }
                _ => {}
            }
        }
        None
    };
    let body = macro_.body;
    let mut found = Vec::with_capacity(body.len());
    let mut at = 0;
    while at < body.len() {
        if is_word(body[at]) {
            let (word, end) = word_at(body, at);
            match value(word) {
                Some(value) => found.extend(value),
                None => found.extend(word),
            }
            at = end;
        } else if body[at..].starts_with(b"##") {
            found.truncate(strip_end(&found).len());
            at = skip(body, at + 2, is_space);
        } else if body[at] == b'#' {
            let start = skip(body, at + 1, is_space);
            at = word_at(body, start).1;
            found.extend(b"\"\"");
        } else {
            found.push(if body[at] == b'\n' { b' ' } else { body[at] });
            at += 1;
        }
    }
    for byte in &mut found {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::cut;
    use crate::lexer::scan;

    fn made(source: &str) -> Vec<String> {
        let scanned = scan(source.as_bytes());
        let found = take_uses(&scanned, &mut cut(&scanned));
        let text = |one: &Use| String::from_utf8_lossy(&one.made).trim().to_owned();
        found.iter().map(text).collect()
    }

    #[test]
    fn a_use_becomes_a_function() {
        let source = "#define STORE(n) \\\n static int store_##n(int x) \\\n { return set(n, x); }\n\
            STORE(0)\nSTORE(one)\nint f(void) { STORE(2); return 0; }";
        assert_eq!(
            made(source),
            [
                "static int store_0(int x)    { return set(0, x); };",
                "static int store_one(int x)    { return set(one, x); };"
            ]
        );
    }

    #[test]
    fn macros_in_macros_are_expanded_where_items_begin() {
        let source = "#define VAR(n, s) static struct a v_##n = INIT(n, s)\n\
            #define BOTH(n, ...) static int n##_s(void) { return VAR(1, 2); } VAR(n, n##_s)\n\
            BOTH(x);\n";
        assert_eq!(
            made(source),
            ["static int x_s(void) { return VAR(1, 2); } static struct a v_x = INIT(x, x_s) ;"]
        );
    }

    #[test]
    fn statements_and_macros_of_others_are_left_alone() {
        let source =
            "#define DO(x) do { f(x); } while (0)\nDO(1);\nOTHER(1);\n#define OTHER(x) int x;\n";
        assert!(made(source).is_empty());
    }

    #[test]
    fn what_never_ends_is_left_alone() {
        let source = "#define A(x) A(x); A(x)\nA(1);\nA(";
        assert!(made(source).is_empty());
    }
}
