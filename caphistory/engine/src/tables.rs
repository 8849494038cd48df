//! Tables outside C proper: assembler system-call tables, `unistd.h`, `.tbl` files and the
//! definitions of capabilities.

use std::sync::LazyLock;

use memchr::{memchr_iter, memmem};
use regex::bytes::{Captures, Match, Regex};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::conditionals::groups;
use crate::headers::pattern;
use crate::intern::Sym;
use crate::lexer::{blank, is_space, is_white, latin1, scan, skip, skip_back, strip, strip_end};

static LABEL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m)^(?:ENTRY\(\s*sys_call_table\s*\)|_?sys_call_table\s*:)"));
static ENTRY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m)^[ \t]*\.(?:long|quad)[ \t]+([^\n]*)"));
static END: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?m)^(?:[A-Za-z_]\w*\s*:|ENTRY\(|syscall_table_size)|^[ \t]*\.(?:text|data|section)")
});
static NAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\A(?:SYMBOL_NAME\s*\(\s*)?([A-Za-z_]\w*)\s*\)?"));
static NUMBER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(?m)^[ \t]*#[ \t]*define[ \t]+__NR_(\w+)[ \t]+\(?[ \t]*",
        r"(?:__NR_(\w+)[ \t]*\+[ \t]*)?([0-9]{1,5})\b",
    ))
});
static SYSCALL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"__SYSCALL\(\s*__NR_(\w+)\s*,\s*(\w+)\s*\)"));
static CAPABILITY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m)^[ \t]*#[ \t]*define[ \t]+(CAP_[A-Z0-9_]+)[ \t]+(\(?[^\n]*)"));
static TERM: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\A(?:0[xX][0-9a-fA-F]+[uUlL]*|[0-9]+[uUlL]*|[()+\-*<| \t])+\z"));
static ALIASES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\ACAP_(?:LAST_CAP|EMPTY_SET|FULL_SET|INIT_\w+|FS_\w+|NFSD_\w+|TO_\w+|BOP_\w+|UOP_\w+",
        r"|OPT_\w+|VALID\w*)\z"
    ))
});
static ASSEMBLER_LABEL: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?m)^(?:ENTRY\(\s*(\w+)\s*\)|([A-Za-z_]\w*)\s*:)"));
static ASSEMBLER_CALL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?m)^[ \t]*(?:call|jmp)[ \t]+(?:SYMBOL_NAME\s*\(\s*)?([A-Za-z_]\w*)")
});
static EXPORTED: LazyLock<Regex> = LazyLock::new(|| pattern(r"\.globl[ \t]+([^\n]*)"));

/// Bytes before a definition in which its comment begins.
const LONGEST_DOC: usize = 20_000;
/// Characters of a capability's number.
const LONGEST_NUMBER: usize = 100;

/// A global label of an assembler file and the functions that the code behind it calls or jumps
/// to, up to the next such label: (line, name).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AssemblerFunction {
    pub name: Sym,
    pub line: u32,
    pub calls: Vec<(u32, Sym)>,
}

/// A row of a table: its number, the entry function, and the line it stands on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TableRow {
    pub number: u32,
    pub function: Sym,
    pub line: u32,
}

/// A row of a table that names the system call too.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NamedRow {
    pub number: u32,
    pub name: Sym,
    pub function: Sym,
    pub line: u32,
}

/// A `#define CAP_X`: its number (None for one that cannot be worked out), line and the comment
/// that documents it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Defined {
    pub capability: Sym,
    pub number: Option<i64>,
    pub line: u32,
    pub doc: Option<String>,
}

/// All matches in a part of a text, with what stands before it in view.
fn matches_in<'t>(
    pattern: &'static Regex,
    text: &'t [u8],
    start: usize,
) -> impl Iterator<Item = Captures<'t>> {
    let mut at = start;
    std::iter::from_fn(move || {
        let found = (at <= text.len())
            .then(|| pattern.captures_at(text, at))
            .flatten()?;
        let whole = found.get(0)?;
        at = whole.end().max(whole.start() + 1);
        Some(found)
    })
}

/// The rows of `sys_call_table` in an assembler file; empty if it holds none.
///
/// Of an #if group the first branch counts. A leading underscore, which a.out put before C names
/// (0.01 to 1.3), is taken off.
pub fn assembler_table(source: &[u8]) -> Vec<TableRow> {
    if !LABEL.is_match(source) {
        return Vec::new();
    }
    let scanned = scan(source);
    let mut text = scanned.code.clone();
    for group in groups(&scanned.directives, source.len()) {
        for branch in group.branches.iter().skip(1) {
            blank(&mut text[branch.start..branch.end]);
        }
    }
    blank_comments(&mut text);
    let Some(label) = LABEL.find(&text) else {
        return Vec::new();
    };
    let end = END
        .find_at(&text, label.end())
        .map_or(text.len(), |end| end.start());
    let mut rows = Vec::new();
    for listed in matches_in(&ENTRY, &text[..end], label.end()).filter_map(|entry| entry.get(1)) {
        let line = scanned.line(listed.start());
        for name in listed.as_bytes().split(|&byte| byte == b',') {
            rows.push(TableRow {
                number: rows.len() as u32,
                function: entry_function(name),
                line,
            });
        }
    }
    // ".rept NR_syscalls-190 / .long sys_ni_syscall / .endr" only fills the table up.
    let fills = |row: &TableRow| row.function.text() == "sys_ni_syscall";
    let end = rows
        .iter()
        .rposition(|row| !fills(row))
        .map_or(0, |last| last + 1);
    rows.truncate(end);
    rows
}

/// Blank what follows a `#`, with which comments begin in an assembler file.
fn blank_comments(text: &mut [u8]) {
    for line in text.split_mut(|&byte| byte == b'\n') {
        if let Some(sign) = memchr::memchr(b'#', line) {
            line[sign..].fill(b' ');
        }
    }
}

/// The function in one place of a table. A gap may be a plain 0 (".long 0,0" for afs_syscall in
/// 1.3 and 2.0).
fn entry_function(name: &[u8]) -> Sym {
    let found = NAME.captures(strip(name)).and_then(|found| found.get(1));
    let function = found.map_or(&b"0"[..], |found| found.as_bytes());
    let plain = function.starts_with(b"_sys_");
    Sym::latin1(if plain { &function[1..] } else { function })
}

/// The functions of an assembler file that call others. `sys_fork` and `sys_execve` are such until
/// 0.96.
pub fn assembler_functions(source: &[u8]) -> Vec<AssemblerFunction> {
    let scanned = scan(source);
    let code = &scanned.code[..];
    let exported = EXPORTED
        .captures_iter(code)
        .filter_map(|found| found.get(1));
    let public: FxHashSet<&[u8]> = exported
        .flat_map(|names| names.as_bytes().split(|&byte| byte == b','))
        .map(strip)
        .collect();
    let named: Vec<(Match, &[u8])> = ASSEMBLER_LABEL
        .captures_iter(code)
        .filter_map(|label| {
            let plain = label.get(2).filter(|name| public.contains(name.as_bytes()));
            Some((label.get(0)?, label.get(1).or(plain)?.as_bytes()))
        })
        .collect();
    let mut found = Vec::new();
    for (at, (label, name)) in named.iter().enumerate() {
        let end = named
            .get(at + 1)
            .map_or(code.len(), |(next, _)| next.start());
        let code = &code[..end];
        let calls: Vec<(u32, Sym)> = matches_in(&ASSEMBLER_CALL, code, label.end())
            .filter_map(|call| call.get(1))
            .filter(|name| code.get(skip(code, name.end(), is_space)) != Some(&b'('))
            .map(|name| (scanned.line(name.start()), c_name(name.as_bytes())))
            .collect();
        if !calls.is_empty() {
            let line = scanned.line(label.start());
            found.push(AssemblerFunction {
                name: c_name(name),
                line,
                calls,
            });
        }
    }
    found
}

/// A symbol's name in C: a.out (to 1.3) puts an underscore before it.
fn c_name(symbol: &[u8]) -> Sym {
    let plain = symbol
        .strip_prefix(b"_")
        .filter(|_| !symbol.starts_with(b"__"));
    Sym::latin1(plain.unwrap_or(symbol))
}

/// `__NR_name number` of a `unistd.h`: names by number in order, the first one winning (2.4 has
/// `__NR_pread` before its later alias). A number may count on from another one
/// (`(__NR_timer_create+1)`, from 2.5.63 on).
pub fn numbers(source: &[u8]) -> Vec<(u32, Sym)> {
    let mut known: FxHashMap<&[u8], u32> = FxHashMap::default();
    let mut seen = FxHashSet::default();
    let mut found = Vec::new();
    for define in NUMBER.captures_iter(source) {
        let base = match define.get(2) {
            Some(base) => known.get(base.as_bytes()).copied(),
            None => Some(0),
        };
        if let (Some(base), Some(name), Some(offset)) = (base, define.get(1), define.get(3)) {
            let offset = latin1(offset.as_bytes()).parse().unwrap_or(0u32);
            let number = base.saturating_add(offset);
            known.insert(name.as_bytes(), number);
            if seen.insert(number) {
                found.push((number, Sym::latin1(name.as_bytes())));
            }
        }
    }
    found
}

/// Lines of rising offsets.
struct Lines<'s> {
    source: &'s [u8],
    at: usize,
    line: u32,
}

impl<'s> Lines<'s> {
    fn new(source: &'s [u8]) -> Lines<'s> {
        Lines {
            source,
            at: 0,
            line: 1,
        }
    }

    fn of(&mut self, offset: usize) -> u32 {
        self.line += memchr_iter(b'\n', &self.source[self.at..offset]).count() as u32;
        self.at = offset;
        self.line
    }
}

/// The rows of x86_64's `__SYSCALL(__NR_x, sys_x)` (2.6 to 3.2).
pub fn unistd_table(source: &[u8]) -> Vec<NamedRow> {
    let by_name: FxHashMap<Sym, u32> = numbers(source)
        .into_iter()
        .map(|(number, name)| (name, number))
        .collect();
    let mut lines = Lines::new(source);
    let mut rows = Vec::new();
    for found in SYSCALL.captures_iter(source) {
        if let (Some(name), Some(function)) = (found.get(1), found.get(2)) {
            let (name, function) = (Sym::latin1(name.as_bytes()), function.as_bytes());
            if let Some(&number) = by_name.get(&name) {
                let line = lines.of(found.get(0).map_or(0, |whole| whole.start()));
                rows.push(NamedRow {
                    number,
                    name,
                    function: Sym::latin1(function),
                    line,
                });
            }
        }
    }
    rows
}

/// The lines of a text, ended by any sign that ends one.
fn lines(text: &str) -> Vec<&str> {
    let ends = |c| {
        matches!(
            c,
            '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}'
        )
    };
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(end) = rest.find(ends) {
        let (line, behind) = rest.split_at(end);
        found.push(line);
        rest = behind.strip_prefix("\r\n").unwrap_or_else(|| {
            let mut characters = behind.chars();
            characters.next();
            characters.as_str()
        });
    }
    if !rest.is_empty() {
        found.push(rest);
    }
    found
}

/// The rows of a `syscall_32.tbl` or `syscall_64.tbl` (3.3 on) for the given ABIs. Rows without an
/// entry function are gaps.
pub fn tbl_table(source: &[u8], abis: &[&str]) -> Vec<NamedRow> {
    let text = latin1(source);
    let mut rows = Vec::new();
    for (index, line) in lines(&text).into_iter().enumerate() {
        let row = line.split('#').next().unwrap_or_default();
        let mut fields = row.split(is_white).filter(|field| !field.is_empty());
        let mut field = || fields.next();
        if let (Some(number), Some(abi), Some(name), Some(function)) =
            (field(), field(), field(), field())
            && abis.contains(&abi)
            && number.len() <= 5
            && number.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(number) = number.parse()
        {
            let (name, function) = (Sym::new(name), Sym::new(plain_entry(function)));
            rows.push(NamedRow {
                number,
                name,
                function,
                line: index as u32 + 1,
            });
        }
    }
    rows
}

/// The name of an entry function: 4.17 to 5.6 wrote __x64_sys_read, __ia32_sys_read.
fn plain_entry(function: &str) -> &str {
    let name = ["__x64_", "__x32_", "__ia32_"]
        .iter()
        .find_map(|prefix| function.strip_prefix(prefix))
        .filter(|name| name.starts_with("sys_") || name.starts_with("compat_sys_"))
        .unwrap_or(function);
    name.split('/').next().unwrap_or_default()
}

/// The capabilities that a `capability.h` defines, in order.
///
/// Sets and helpers that share the prefix (`CAP_FULL_SET`, `CAP_LAST_CAP`, `CAP_FS_MASK`…) are no
/// capabilities, nor is a macro with parameters.
pub fn capability_definitions(source: &[u8]) -> Vec<Defined> {
    let mut found = Vec::new();
    let mut known: FxHashMap<String, i64> = FxHashMap::default();
    let mut lines = Lines::new(source);
    for define in CAPABILITY.captures_iter(source) {
        let (Some(whole), Some(name), Some(value)) = (define.get(0), define.get(1), define.get(2))
        else {
            continue;
        };
        let value = latin1(value.as_bytes());
        let end = value.find("/*").into_iter().chain(value.find("//")).min();
        let value = value[..end.unwrap_or(value.len())].trim_matches(is_white);
        if ALIASES.is_match(name.as_bytes()) || is_name(value) {
            continue;
        }
        // "(CAP_A + 1)": counted on from another one.
        let value = with_numbers(value, &known);
        if !TERM.is_match(value.as_bytes()) {
            continue;
        }
        let name = latin1(name.as_bytes());
        let number = evaluate(&value);
        let capability = Sym::new(&name);
        known.extend(number.map(|number| (name, number)));
        let doc = comment_before(source, whole.start());
        found.push(Defined {
            capability,
            number,
            line: lines.of(whole.start()),
            doc,
        });
    }
    found
}

fn is_name(text: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    text.starts_with(|first: char| first.is_ascii_uppercase()) && text.bytes().all(part)
}

/// A text with the numbers of the names in it.
fn with_numbers(text: &str, known: &FxHashMap<String, i64>) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut changed = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let start = rest.find(is_word).unwrap_or(rest.len());
        changed.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        match known.get(&rest[..end]) {
            Some(number) => changed.push_str(&number.to_string()),
            None => changed.push_str(&rest[..end]),
        }
        rest = &rest[end..];
    }
    changed
}

/// A constant expression of C: numbers, `+ - * | <<` and parentheses; None for any other.
fn evaluate(expression: &str) -> Option<i64> {
    if expression.len() > LONGEST_NUMBER {
        return None;
    }
    let mut tokens = Tokens {
        text: expression.as_bytes(),
        at: 0,
    };
    let number = tokens.binary(0)?;
    tokens
        .next_is_end()
        .then(|| i64::try_from(number).ok())
        .flatten()
}

/// The operators by how tightly they bind.
const OPERATORS: [&[&[u8]]; 4] = [&[b"|"], &[b"<<"], &[b"+", b"-"], &[b"*"]];

/// What of an expression is not read yet.
struct Tokens<'t> {
    text: &'t [u8],
    at: usize,
}

impl Tokens<'_> {
    fn rest(&mut self) -> &[u8] {
        self.at = skip(self.text, self.at, is_space);
        self.text.get(self.at..).unwrap_or_default()
    }

    fn next_is_end(&mut self) -> bool {
        self.rest().is_empty()
    }

    fn take(&mut self, sign: &[u8]) -> bool {
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len() } else { 0 };
        found
    }

    fn binary(&mut self, level: usize) -> Option<i128> {
        let Some(operators) = OPERATORS.get(level) else {
            return self.primary();
        };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|operator| self.take(operator)) {
            let right = self.binary(level + 1)?;
            left = apply(operator, left, right)?;
        }
        Some(left)
    }

    fn primary(&mut self) -> Option<i128> {
        if self.take(b"(") {
            let inner = self.binary(0)?;
            return self.take(b")").then_some(inner);
        }
        let word = self.rest();
        let word = &word[..skip(word, 0, |byte| byte.is_ascii_alphanumeric())];
        let number = number(word)?;
        self.at += word.len();
        Some(number)
    }
}

fn apply(operator: &[u8], left: i128, right: i128) -> Option<i128> {
    const MOST: i128 = 1 << 64;
    if left.abs() >= MOST || !(0..MOST).contains(&right) {
        return None;
    }
    match operator {
        b"|" => Some(left | right),
        b"<<" => left.checked_mul(1 << right.min(64)),
        b"+" => Some(left + right),
        b"-" => Some(left - right),
        _ => left.checked_mul(right),
    }
}

/// A number of C with its suffixes.
fn number(word: &[u8]) -> Option<i128> {
    let suffix = |byte| matches!(byte, b'u' | b'U' | b'l' | b'L');
    let plain = std::str::from_utf8(&word[..skip_back(word, word.len(), suffix)]).ok()?;
    match plain.strip_prefix("0x").or(plain.strip_prefix("0X")) {
        Some(hexadecimal) => i128::from_str_radix(hexadecimal, 16).ok(),
        None if plain.len() > 1 && plain.starts_with('0') => i128::from_str_radix(plain, 8).ok(),
        None => plain.parse().ok(),
    }
}

/// The comments right before a definition, as one text; None if there are none.
fn comment_before(source: &[u8], at: usize) -> Option<String> {
    let mut before = strip_end(&source[at.saturating_sub(LONGEST_DOC)..at]);
    let mut parts = Vec::new();
    while before.ends_with(b"*/") {
        let Some(opening) = memmem::rfind(before, b"/*") else {
            break;
        };
        let line = skip_back(before, opening, |byte| byte != b'\n');
        if !strip(&before[line..opening]).is_empty() {
            break; // a comment behind code belongs to that code
        }
        let body = latin1(
            before
                .get(opening + 2..before.len() - 2)
                .unwrap_or_default(),
        );
        let plain = |line: &str| {
            let line = line.trim_matches(is_white).trim_start_matches('*');
            line.trim_matches(is_white).to_owned()
        };
        let lines: Vec<String> = lines(&body).into_iter().map(plain).collect();
        parts.push(
            lines
                .into_iter()
                .filter(|line| !line.is_empty())
                .collect::<Vec<_>>()
                .join(" "),
        );
        before = strip_end(&before[..opening]);
    }
    parts.reverse();
    Some(parts.join("\n")).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_capabilities_are_worked_out() {
        assert_eq!(evaluate("(1 << 3) | 0x10UL"), Some(24));
        assert_eq!(evaluate("010 - 2*3 + 1"), Some(3));
        assert_eq!(evaluate("1 << 1 + 1"), Some(4));
        for wrong in [
            "", "()", "-1", "1 2", "1(2)", "08", "1 < 2", "1 ** 2", "0x", "10x5", "(1",
        ] {
            assert_eq!(evaluate(wrong), None, "{wrong}");
        }
        assert_eq!(evaluate(&"(".repeat(100)), None);
    }

    #[test]
    fn a_definition_counts_on_from_another_one() {
        let source = b"/* one */\n/*\n * two\n */\n#define CAP_A 4\n#define CAP_B (CAP_A + 1)\n\
            #define CAP_LAST_CAP CAP_B\n#define CAP_C CAP_A\n";
        let found = capability_definitions(source);
        let shown: Vec<_> = found
            .iter()
            .map(|one| (one.capability.text(), one.number, one.line))
            .collect();
        assert_eq!(shown, [("CAP_A", Some(4), 5), ("CAP_B", Some(5), 6)]);
        assert_eq!(found[0].doc.as_deref(), Some("one\ntwo"));
    }
}
