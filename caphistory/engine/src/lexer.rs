//! Comments, strings and preprocessor lines: the part of C that a grammar should not see.
//!
//! `scan` blanks them out at the same length and with the same line ends, so that every offset
//! and line stays true, and gives the preprocessor lines apart.

use std::borrow::Cow;

use memchr::{memchr, memchr_iter, memchr2, memmem};

/// What a preprocessor line does, as far as it matters here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keyword {
    If,
    Ifdef,
    Ifndef,
    Elif,
    Else,
    Endif,
    Define,
    Undef,
    Include,
    Other,
}

impl Keyword {
    fn new(word: &[u8]) -> Keyword {
        match word {
            b"if" => Keyword::If,
            b"ifdef" => Keyword::Ifdef,
            b"ifndef" => Keyword::Ifndef,
            b"elif" => Keyword::Elif,
            b"else" => Keyword::Else,
            b"endif" => Keyword::Endif,
            b"define" => Keyword::Define,
            b"undef" => Keyword::Undef,
            b"include" => Keyword::Include,
            _ => Keyword::Other,
        }
    }

    /// Whether it begins a group of conditionals.
    pub fn opens(self) -> bool {
        matches!(self, Keyword::If | Keyword::Ifdef | Keyword::Ifndef)
    }

    /// Whether it belongs to a group of conditionals.
    pub fn conditional(self) -> bool {
        self.opens() || matches!(self, Keyword::Elif | Keyword::Else | Keyword::Endif)
    }
}

/// A preprocessor line: its extent, its keyword and its code from `start` on (comments, strings
/// and continuation backslashes blanked, same length); what follows the keyword begins at `rest`
/// of the code.
#[derive(Clone, Debug)]
pub struct Directive<'s> {
    pub start: usize,
    pub end: usize,
    pub keyword: Keyword,
    pub code: Cow<'s, [u8]>,
    pub rest: usize,
}

impl Directive<'_> {
    /// What follows the keyword, with white space folded.
    pub fn text(&self) -> String {
        let rest = self.code.get(self.rest..).unwrap_or_default();
        let mut folded = String::with_capacity(rest.len());
        for character in rest.iter().map(|&byte| byte as char) {
            if !is_white(character) {
                folded.push(character);
            } else if !folded.is_empty() && !folded.ends_with(' ') {
                folded.push(' ');
            }
        }
        folded.truncate(folded.trim_end_matches(' ').len());
        folded
    }
}

/// `code` is the source at the same length without comments, strings' contents and preprocessor
/// lines; `ends` are the offsets behind the lines.
#[derive(Clone, Debug)]
pub struct Scan<'s> {
    pub code: Vec<u8>,
    pub directives: Vec<Directive<'s>>,
    pub ends: Vec<usize>,
}

impl Scan<'_> {
    /// The line, from 1, on which `offset` lies.
    pub fn line(&self, offset: usize) -> u32 {
        (self.ends.partition_point(|&end| end <= offset) + 1) as u32
    }
}

/// A letter, digit or underscore of ASCII.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether a text has letters, all of them in upper case: the name of a constant.
pub(crate) fn is_upper(text: &str) -> bool {
    if text.is_ascii() {
        return text.bytes().any(|b| b.is_ascii_uppercase())
            && !text.bytes().any(|b| b.is_ascii_lowercase());
    }
    text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase)
}

/// Whether a name is a constant's: in upper case, or so before its first underscore (`AF_DECnet`).
pub(crate) fn is_constant(name: &str) -> bool {
    let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    let (begun, _) = name.split_once('_').unwrap_or_default();
    let family =
        begun.len() > 1 && begun.bytes().all(capital) && !begun.as_bytes()[0].is_ascii_digit();
    family || is_upper(name)
}

/// What may begin a name.
pub(crate) fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

/// White space of ASCII.
pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

/// White space of latin-1.
pub(crate) fn is_white(character: char) -> bool {
    matches!(character, '\t'..='\r' | '\x1c'..='\x20' | '\u{85}' | '\u{a0}')
}

/// Bytes of a file, read as latin-1.
pub(crate) fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| byte as char).collect()
}

/// Where the bytes of a kind end that begin at `at`.
pub(crate) fn skip(code: &[u8], at: usize, kind: impl Fn(u8) -> bool) -> usize {
    let rest = code.get(at..).unwrap_or_default();
    at + rest
        .iter()
        .position(|&byte| !kind(byte))
        .unwrap_or(rest.len())
}

/// Where the bytes of a kind begin that end at `at`.
pub(crate) fn skip_back(code: &[u8], at: usize, kind: impl Fn(u8) -> bool) -> usize {
    let before = code.get(..at).unwrap_or_default();
    before
        .iter()
        .rposition(|&byte| !kind(byte))
        .map_or(0, |last| last + 1)
}

/// Code without white space at its ends.
pub(crate) fn strip(code: &[u8]) -> &[u8] {
    let start = skip(code, 0, is_space);
    let end = skip_back(code, code.len(), is_space);
    code.get(start..end).unwrap_or_default()
}

/// Code without white space at its end.
pub(crate) fn strip_end(code: &[u8]) -> &[u8] {
    &code[..skip_back(code, code.len(), is_space)]
}

/// Put spaces in place of everything but line ends.
pub fn blank(code: &mut [u8]) {
    for byte in code {
        if !matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
}

/// Blank what is not C proper. Never fails: what does not end, ends with the file.
pub fn scan(source: &[u8]) -> Scan<'_> {
    let mut out = source.to_vec();
    let mut directives = Vec::new();
    let mut position = 0;
    let mut strings_end = false; // a quote that nothing closes: nothing closes those behind it
    let size = source.len();
    while let Some(found) = source[position..]
        .iter()
        .position(|byte| b"/\"'#".contains(byte))
    {
        let start = position + found;
        position = start + 1;
        match (source[start], source.get(start + 1)) {
            (b'/', Some(b'*')) => {
                position = find(source, start + 2, b"*/").map_or(size, |end| end + 2);
                blank(&mut out[start..position]);
            }
            (b'/', Some(b'/')) => {
                position = find(source, start, b"\n").unwrap_or(size);
                blank(&mut out[start..position]);
            }
            (b'"', _) if !strings_end => match string_end(source, start) {
                Some(end) => {
                    position = end;
                    quote(&mut out[start..end]);
                }
                None => strings_end = true,
            },
            (b'\'', _) => {
                if let Some(end) = character_end(source, start) {
                    position = end;
                    out[start + 1..end - 1].fill(b'0');
                }
            }
            (b'#', _) if first_on_line(&out, start) => {
                let directive = directive(source, start);
                position = directive.end;
                blank(&mut out[start..position]);
                directives.push(directive);
            }
            _ => {}
        }
    }
    // A line goes on behind a backslash outside macros too (eata.c of 2.2 to 2.6).
    blank_continuations(&mut out);
    blank_sparse(&mut out);
    let ends = memchr_iter(b'\n', source)
        .map(|at| at + 1)
        .chain([size + 1])
        .collect();
    Scan {
        code: out,
        directives,
        ends,
    }
}

/// Where some text begins from an offset on.
pub(crate) fn find(source: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    memmem::find(source.get(from..)?, wanted).map(|at| from + at)
}

/// The longest name under which anything is registered: no path below /proc has more.
const LONGEST_NAME: usize = 60;

/// Behind the string literal that begins at `start`.
fn string_end(source: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr2(b'"', b'\\', source.get(at..)?)?;
        if source[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Behind the character constant that begins at `start`. It is short and on one line; an
/// apostrophe in the prose that old kernels keep under #if 0 (1.x drivers) is none.
fn character_end(source: &[u8], start: usize) -> Option<usize> {
    let inner = source.get(start + 1..)?;
    let escaped = inner.first() == Some(&b'\\');
    let (from, most) = if escaped { (1, 4) } else { (0, 8) };
    let ends = |&byte: &u8| matches!(byte, b'\'' | b'\n') || (!escaped && byte == b'\\');
    let rest = &inner[from..];
    let length = rest.iter().take(most + 1).position(ends)?;
    if length > 0 && rest[length] == b'\'' {
        return Some(start + 1 + from + length + 1);
    }
    (escaped && rest.starts_with(b"''")).then_some(start + 4)
}

fn first_on_line(code: &[u8], position: usize) -> bool {
    let start = skip_back(code, position, |byte| is_space(byte) && byte != b'\n');
    start == 0 || code[start - 1] == b'\n'
}

/// The directive at `start`; a comment in it may go on over several lines.
fn directive(source: &[u8], start: usize) -> Directive<'_> {
    let plain = skip(source, start, |byte| !b"\n\\/\"'".contains(&byte));
    let (end, code) = if source.get(plain) == Some(&b'\n') {
        (plain, Cow::Borrowed(&source[start..plain])) // most: 3 of 4 in 2.2
    } else {
        let end = end_of_directive(source, start);
        let mut code = source[start..end].to_vec();
        blank_comments(&mut code);
        blank_continuations(&mut code);
        (end, Cow::Owned(code))
    };
    let word = skip(&code, 1, is_space);
    let rest = match code.get(word) {
        Some(&first) if is_name_start(first) => skip(&code, word, is_word),
        _ => word,
    };
    let keyword = Keyword::new(&code[word..rest]);
    Directive {
        start,
        end,
        keyword,
        code,
        rest,
    }
}

fn end_of_directive(source: &[u8], start: usize) -> usize {
    let mut piece = start;
    let mut end = start;
    loop {
        end = line_end(source, end);
        if end >= source.len() || !open_comment(&source[piece..end]) {
            return end;
        }
        end = find(source, end, b"*/").map_or(source.len(), |close| close + 2);
        piece = end;
    }
}

/// Where the line ends that goes on at `at`: no backslash stands before its end.
fn line_end(source: &[u8], mut at: usize) -> usize {
    while let Some(found) = source
        .get(at..)
        .and_then(|rest| memchr2(b'\n', b'\\', rest))
    {
        at += found;
        if source[at] == b'\n' {
            return at;
        }
        at += if source[at..].starts_with(b"\\\r\n") {
            3
        } else {
            2
        };
    }
    source.len()
}

/// Where the comment, string or character constant at `at` ends, if one is there.
fn comment_or_string(text: &[u8], at: usize) -> Option<usize> {
    match (text[at], text.get(at + 1)) {
        (b'/', Some(b'*')) => Some(find(text, at + 2, b"*/").map_or(text.len(), |end| end + 2)),
        (b'/', Some(b'/')) => Some(find(text, at, b"\n").unwrap_or(text.len())),
        (b'"', _) => Some(string_on_line(text, at + 1)),
        (b'\'', _) => character_end(text, at),
        _ => None,
    }
}

/// Where a string literal ends whose content begins at `at`, at the latest with its line.
fn string_on_line(text: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = text.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\n' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    text.len()
}

/// The extents of comments, strings and character constants.
fn comments_and_strings(text: &[u8]) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let found = text
                .get(at..)?
                .iter()
                .position(|byte| b"/\"'".contains(byte))?;
            let start = at + found;
            at = start + 1;
            if let Some(end) = comment_or_string(text, start) {
                at = end;
                return Some((start, end));
            }
        }
    })
}

fn open_comment(text: &[u8]) -> bool {
    if find(text, 0, b"/*").is_none() {
        return false;
    }
    comments_and_strings(text)
        .last()
        .is_some_and(|(start, end)| {
            let last = &text[start..end];
            last.starts_with(b"/*") && (!last.ends_with(b"*/") || last.len() < 4)
        })
}

fn blank_comments(text: &mut [u8]) {
    let extents: Vec<_> = comments_and_strings(text).collect();
    for (start, end) in extents {
        if text[start] == b'/' {
            blank(&mut text[start..end]);
        } else {
            quote(&mut text[start..end]);
        }
    }
}

fn blank_continuations(code: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = memchr(b'\\', &code[at..]) {
        at += found;
        let behind = &code[at + 1..];
        if behind.starts_with(b"\n") || behind.starts_with(b"\r\n") {
            code[at] = b' ';
        }
        at += 1;
    }
}

/// Code with those strings that may be names as they stand in its source of the same length:
/// `"kallsyms"`, `"net/ipv4"`. Nothing in them can be taken for C.
pub fn with_names<'c>(code: &'c [u8], source: &[u8]) -> Cow<'c, [u8]> {
    let mut changed: Option<Vec<u8>> = None;
    let mut at = 0;
    while let Some(start) = code.get(at..).and_then(|rest| memchr(b'"', rest)) {
        let start = at + start + 1;
        let Some(length) = code.get(start..).and_then(|rest| memchr(b'"', rest)) else {
            break;
        };
        at = start + length + 1;
        let name = source.get(start..start + length).unwrap_or_default();
        if (1..=LONGEST_NAME).contains(&length) && name.iter().copied().all(is_in_name) {
            let changed = changed.get_or_insert_with(|| code.to_vec());
            changed[start..start + length].copy_from_slice(name);
        }
    }
    changed.map_or(Cow::Borrowed(code), Cow::Owned)
}

fn is_in_name(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'/' | b'.' | b'-' | b':' | b'#')
}

/// Take the content out of a string literal.
///
/// One over several lines, as gcc 2 allowed (asm blocks of 2.0 to 2.4), is nothing that a grammar
/// knows: it is made to stand on its first line with room for it.
fn quote(literal: &mut [u8]) {
    if !literal.contains(&b'\n') {
        if let [_, inner @ .., _] = literal {
            inner.fill(b' ');
        }
        return;
    }
    blank(literal);
    let mut at = 0;
    let room = literal.split(|&byte| byte == b'\n').find_map(|line| {
        let fits = skip_back(line, line.len(), |byte| byte == b'\r') >= 2;
        let start = at;
        at += line.len() + 1;
        fits.then_some(start)
    });
    match room {
        Some(start) => literal[start..start + 2].fill(b'"'),
        None => literal[0] = b'0',
    }
}

/// Whether a word is what sparse reads and a compiler does not (include/linux/compiler.h, from
/// 2.5.68 on): a grammar loses the call in whose arguments "char __user * __user *" stands.
fn is_sparse(word: &[u8]) -> bool {
    matches!(
        word,
        b"__user" | b"__kernel" | b"__iomem" | b"__force" | b"__percpu" | b"__rcu" | b"__safe"
    ) || matches!(
        word,
        b"__nocast" | b"__private" | b"__bitwise" | b"__bitwise__"
    )
}

/// The next word that begins with two underscores: its extent.
fn underscored(code: &[u8], mut at: usize) -> Option<(usize, usize)> {
    loop {
        let start = find(code, at, b"__")?;
        at = skip(code, start, is_word);
        if start == 0 || !is_word(code[start - 1]) {
            return Some((start, at));
        }
    }
}

fn blank_sparse(code: &mut [u8]) {
    let mut at = 0;
    while let Some((start, end)) = underscored(code, at) {
        if is_sparse(&code[start..end]) {
            code[start..end].fill(b' ');
        }
        at = end;
    }
}

/// Code with the annotations of the checker sparse blanked.
pub fn without_sparse(code: &[u8]) -> Cow<'_, [u8]> {
    if find(code, 0, b"__").is_none() {
        return Cow::Borrowed(code);
    }
    let mut changed = code.to_vec();
    blank_sparse(&mut changed);
    Cow::Owned(changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(source: &str) -> String {
        latin1(&scan(source.as_bytes()).code)
    }

    #[test]
    fn a_name_of_capitals_is_in_upper_case() {
        assert!(is_upper("A_1") && !is_upper("_1") && !is_upper("Ab"));
    }

    #[test]
    fn what_is_the_name_of_a_constant() {
        assert!(["A_1", "_IO", "AF_DECnet"].into_iter().all(is_constant));
        assert!(
            !["a_1", "A_b", "_IOx", "1F_x", "Opt_x"]
                .into_iter()
                .any(is_constant)
        );
    }

    #[test]
    fn what_is_not_c_is_blanked_at_its_length() {
        assert_eq!(code("a /* b\n */ c // d\ne"), "a     \n    c     \ne");
        assert_eq!(
            code("f(\"a\\\"b\", '\\'', 'x');"),
            "f(\"    \", '00', '0');"
        );
        assert_eq!(code("\"a\nbc\";"), "\"\"\n   ;");
        assert_eq!(
            code("char __user *p; int my__user;"),
            "char        *p; int my__user;"
        );
    }

    #[test]
    fn a_comment_carries_a_directive_over_lines() {
        let found = scan(b" #define A 1 /* x\n y */ + \"z\" \\\n + 2\nint a;");
        let directive = &found.directives[0];
        assert_eq!(directive.keyword, Keyword::Define);
        assert_eq!(directive.text(), "A 1 + \" \" + 2");
        assert_eq!(found.line(directive.end), 3);
    }

    #[test]
    fn what_does_not_end_ends_with_the_file() {
        for source in [
            "\"",
            "'",
            "/*",
            "#",
            "#define A \\",
            "#if /*",
            "#\"\\",
            "a \\",
            "/",
        ] {
            assert_eq!(scan(source.as_bytes()).code.len(), source.len());
        }
    }
}
