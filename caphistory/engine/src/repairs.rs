//! Statements that the grammar takes for declarations, made readable to it.
//!
//! The length and the lines stay what they are, so that a tree of the repaired code holds for the
//! code itself.

use std::borrow::Cow;

use crate::places::AUTO;

use memchr::{memchr, memchr_iter, memchr2, memchr2_iter, memchr3};

use crate::lexer::{blank, find, is_name_start, is_space, is_word, skip, skip_back, strip_end};

/// Parentheses within each other that arguments may have.
const DEEPEST: usize = 3;

/// Further back than any statement's beginning that has a type as an argument.
const BACK: usize = 400;

/// Further back than any name's beginning.
const LONGEST_NAME: usize = 60;

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Whether a word is followed by a parenthesis where nothing is called.
fn calls_nothing(word: &[u8]) -> bool {
    matches!(
        word,
        b"if" | b"while" | b"for" | b"switch" | b"return" | b"else" | b"do" | b"case"
    ) || matches!(word, b"goto" | b"sizeof" | b"asm" | b"volatile")
        || matches!(word, b"__extension__" | b"__aligned")
        || [&b"__asm"[..], b"__volatile", b"__attribute"]
            .iter()
            .any(|one| word.starts_with(one))
        || [&b"offsetof"[..], b"typeof", b"alignof"]
            .iter()
            .any(|one| find(word, 0, one).is_some())
}

/// Behind the name at `at`, if one is there.
fn name(code: &[u8], at: usize) -> Option<usize> {
    is_name_start(*code.get(at)?).then(|| skip(code, at, is_word))
}

/// Behind the name at `at` of what may be called.
fn called(code: &[u8], at: usize) -> Option<usize> {
    name(code, at).filter(|&end| !calls_nothing(&code[at..end]))
}

/// Behind the parenthesised arguments at `at`: without braces, semicolons and deep nesting.
fn arguments(code: &[u8], at: usize) -> Option<usize> {
    if code.get(at) != Some(&b'(') {
        return None;
    }
    let mut depth = 0;
    for (offset, byte) in code[at..].iter().enumerate() {
        match byte {
            b'(' if depth == DEEPEST => return None,
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at + offset + 1),
            b')' => depth -= 1,
            b'{' | b'}' | b';' => return None,
            _ => {}
        }
    }
    None
}

/// Behind the call at `at`.
fn call(code: &[u8], at: usize) -> Option<usize> {
    arguments(code, skip(code, called(code, at)?, is_space))
}

/// Behind the word in capitals at `at` on a line of its own, and the white space that follows:
/// SLEEP_ON_HEAD (kernel/sched.c up to 2.4).
fn alone(code: &[u8], at: usize) -> Option<usize> {
    code.get(at).filter(|byte| byte.is_ascii_uppercase())?;
    let capital = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let end = skip(code, at, capital);
    let line_end = skip(code, end, is_blank);
    let ends = end - at > 2 && code.get(line_end) == Some(&b'\n');
    ends.then(|| skip(code, line_end, is_space))
}

/// The white space behind each of some calls with no semicolon behind them, up to `end`.
struct Heads {
    gaps: Vec<(usize, usize)>,
    end: usize,
}

/// The calls behind a statement's end or label at `at` that have no semicolon behind them:
/// for_each_task(p) of 2.2, which loses try_to_unuse what it calls, and
/// for_each_node(n) for_each_cpu(i).
fn headless(code: &[u8], at: usize) -> Option<Heads> {
    let start = skip(code, at + 1, is_space);
    let behind = name(code, start)?;
    let next = skip(code, behind, is_space);
    if code.get(next) != Some(&b'(') && !code[behind..next].contains(&b'\n') {
        return None;
    }
    alone(code, start)
        .and_then(|at| heads(code, at))
        .or_else(|| heads(code, start))
}

fn heads(code: &[u8], start: usize) -> Option<Heads> {
    let mut gaps: Vec<(usize, usize)> = Vec::new();
    let mut at = start;
    while let Some(end) = call(code, at) {
        at = skip(code, end, is_space);
        if at == end {
            at = gaps.last()?.1;
            break;
        }
        gaps.push((end, at));
    }
    if !statement_follows(code, at) {
        gaps.pop();
    }
    let end = gaps.last()?.1;
    Some(Heads { gaps, end })
}

fn statement_follows(code: &[u8], at: usize) -> bool {
    match code.get(at) {
        Some(b'{' | b'}') => true,
        Some(&first) if is_name_start(first) => {
            let word = &code[at..skip(code, at, is_word)];
            !matches!(word, b"else" | b"asm")
                && !word.starts_with(b"__attribute")
                && !word.starts_with(b"__asm")
        }
        _ => false,
    }
}

/// Whether a word tells compilers something of a variable, a struct or a member
/// (linux/compiler*.h, cache.h).
fn is_attribute(word: &[u8]) -> bool {
    if let Some(rest) = word
        .strip_prefix(b"__cacheline_")
        .or(word.strip_prefix(b"__page_aligned_"))
    {
        return !rest.is_empty();
    }
    word.starts_with(b"____cacheline")
        || matches!(
            word,
            b"__aligned" | b"__packed" | b"__randomize_layout" | b"__used"
        )
        || matches!(
            word,
            b"__no_randomize_layout" | b"__designated_init" | b"__ro_after_init"
        )
        || matches!(
            word,
            b"__read_mostly" | b"__maybe_unused" | b"__always_unused" | b"__refdata"
        )
        || matches!(
            word,
            b"__refconst" | b"__section" | b"__latent_entropy" | b"__weak"
        )
        || matches!(word, b"__visible" | b"__counted_by" | b"__guarded_by")
        || matches!(
            word,
            b"randomized_struct_fields_start" | b"randomized_struct_fields_end"
        )
        || is_section(word)
}

/// Whether a word is one such as `__initdata` or `__devexitconst`.
fn is_section(word: &[u8]) -> bool {
    let Some(word) = word.strip_prefix(b"__") else {
        return false;
    };
    let parts: [&[u8]; 5] = [b"dev", b"cpu", b"mem", b"net", b""];
    let sections: [&[u8]; 4] = [b"initdata", b"initconst", b"exitdata", b"exitconst"];
    let rest = parts.iter().filter_map(|part| word.strip_prefix(*part));
    rest.flat_map(|rest| sections.map(|one| rest.starts_with(one)))
        .any(|found| found)
}

/// The extent of the annotation that begins with the word from `start` to `end`; none begins
/// before `from`.
fn attribute(code: &[u8], from: usize, start: usize, end: usize) -> Option<(usize, usize)> {
    let word = &code[start..end];
    let listed = arguments(code, skip(code, end, is_blank));
    if word
        .strip_prefix(b"__cacheline_group_")
        .is_some_and(|rest| !rest.is_empty())
    {
        // A statement of its own among the members (struct net_device, 6.8).
        let before = skip_back(code, start, is_space);
        let alone = from <= before && before < start && before > 0;
        if alone
            && matches!(code[before - 1], b';' | b'{')
            && let Some(listed) = listed
        {
            let semicolon = skip(code, listed, is_space);
            if code.get(semicolon) == Some(&b';') {
                return Some((before, semicolon + 1));
            }
        }
    }
    if is_attribute(word) {
        return Some((start, listed.unwrap_or(end)));
    }
    if word == b"__free" {
        let opening = skip(code, end, is_blank);
        let closing = skip(code, opening + 1, is_word);
        let listed = code.get(opening) == Some(&b'(') && closing > opening + 1;
        let sets = code.get(skip(code, closing + 1, is_space)) == Some(&b'=');
        if listed && code.get(closing) == Some(&b')') && sets {
            return Some((start, closing + 1));
        }
    }
    None
}

/// Where a text begins from an offset on, of which the one at `known` is the next to another offset
/// before it; None where there was no other.
fn next_from(code: &[u8], from: usize, known: Option<usize>, text: &[u8]) -> Option<usize> {
    known.and_then(|at| {
        if at < from {
            find(code, from, text)
        } else {
            Some(at)
        }
    })
}

/// Code without the annotations that the grammar takes for names: `} __packed x;`.
pub fn without_attributes(code: &[u8]) -> Cow<'_, [u8]> {
    let mut changed = Cow::Borrowed(code);
    let mut from = 0;
    let mut at = 0;
    let mut underscores = find(code, 0, b"__");
    let mut randomized = find(code, 0, b"randomized");
    while let Some(start) = underscores.into_iter().chain(randomized).min() {
        let end = skip(code, start, is_word);
        at = end.max(at);
        if (start == 0 || !is_word(code[start - 1]))
            && let Some((start, end)) = attribute(code, from, start, end)
        {
            blank(&mut changed.to_mut()[start..end]);
            from = end;
            at = end;
        }
        underscores = next_from(code, at, underscores, b"__");
        randomized = next_from(code, at, randomized, b"randomized");
    }
    changed
}

/// The offset of each opening parenthesis' partner, in order; its own for one that has none.
fn partners(code: &[u8]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut opened = Vec::new();
    for at in memchr2_iter(b'(', b')', code) {
        if code[at] == b'(' {
            opened.push(found.len());
            found.push((at, at));
        } else if let Some(opening) = opened.pop() {
            found[opening].1 = at;
        }
    }
    found
}

/// The head of members that stand in parentheses, behind the sign at `at`: struct_group(name,
/// members…) and its relatives (linux/stddef.h, from 5.16 on). What stands in front of the members
/// is single words, or nothing. Where the name, the parenthesis and the members begin.
fn group_head(code: &[u8], at: usize) -> Option<(usize, usize, usize)> {
    let start = skip(code, at + 1, is_space);
    let opening = name(code, start).filter(|end| end - start >= 5)?;
    code.get(opening).filter(|&&byte| byte == b'(')?;
    let mut end = opening + 1;
    loop {
        let word = skip(code, end, is_space);
        let comma = skip(code, skip(code, word, is_word), is_space);
        if code.get(comma) != Some(&b',') {
            break;
        }
        end = comma + 1;
    }
    (end > opening + 1).then_some((start, opening, end))
}

/// Code of structs in which members that stand in parentheses, as arguments of a macro, stand in a
/// struct without a name: `struct_group(flags, int a; int b;);`, at the same length.
pub fn with_groups(code: &[u8]) -> Cow<'_, [u8]> {
    let mut changed = Cow::Borrowed(code);
    let mut pairs = None;
    let mut semicolon = None;
    let mut at = 0;
    while let Some(found) = code
        .get(at..)
        .and_then(|rest| memchr3(b';', b'{', b'}', rest))
    {
        at += found;
        let Some((start, opening, end)) = group_head(code, at) else {
            at += 1;
            continue;
        };
        at = end;
        let pairs = pairs.get_or_insert_with(|| partners(code));
        let closing = pairs.binary_search_by_key(&opening, |&(opening, _)| opening);
        let closing = closing
            .ok()
            .and_then(|at| pairs.get(at))
            .map_or(opening, |pair| pair.1);
        if semicolon.is_none_or(|known| known < end) {
            semicolon = memchr(b';', &code[end..])
                .map(|found| end + found)
                .or(Some(code.len()));
        }
        if semicolon.is_some_and(|known| known < closing) {
            let changed = changed.to_mut();
            blank(&mut changed[start..end]);
            changed[start..start + 6].copy_from_slice(b"struct");
            changed[end - 1] = b'{';
            changed[closing] = b'}';
        }
    }
    changed
}

/// The types that stand as arguments: each extent, and the sign before it.
fn types(code: &[u8]) -> Vec<(usize, usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = code.get(at..).and_then(|rest| memchr2(b',', b'(', rest)) {
        let sign = at + next;
        at = sign + 1;
        let start = skip(code, at, is_space);
        if let Some(end) = type_end(code, start) {
            found.push((sign, start, end));
            at = end;
        }
    }
    found
}

fn is_qualifier(word: &[u8]) -> bool {
    matches!(
        word,
        b"const" | b"struct" | b"union" | b"enum" | b"unsigned" | b"signed"
    ) || matches!(word, b"long" | b"short")
}

/// Behind the type at `start` of two words or more, which is all of an argument.
fn type_end(code: &[u8], start: usize) -> Option<usize> {
    let mut qualifiers = 0;
    let mut last = start;
    let mut at = start;
    loop {
        let end = skip(code, at, is_word);
        let next = skip(code, end, is_blank);
        if next == end || !is_qualifier(&code[at..end]) {
            break;
        }
        qualifiers += 1;
        last = at;
        at = next;
    }
    let named = || argument_end(code, at);
    let unnamed = || argument_end(code, last).filter(|_| qualifiers > 1); // unsigned long
    if qualifiers > 0 {
        named().or_else(unnamed)
    } else {
        None
    }
}

/// Behind the word at `at` and the stars behind it, if an argument ends there.
fn argument_end(code: &[u8], at: usize) -> Option<usize> {
    let mut end = skip(code, at, is_word);
    if end == at {
        return None;
    }
    loop {
        let star = skip(code, end, is_blank);
        if code.get(star) != Some(&b'*') {
            break;
        }
        end = star + 1;
    }
    matches!(code.get(skip(code, end, is_space)), Some(b',' | b')')).then_some(end)
}

/// The two names in front of a string: printk(KERN_ERR __FUNCTION__ "…", …) (2.0 to 2.4).
fn levels(code: &[u8]) -> Vec<(usize, usize)> {
    let found = memchr::memmem::find_iter(code, b"KERN_").filter_map(|start| {
        let opening = skip_back(code, start, is_space).checked_sub(1)?;
        let level = skip(code, start + 5, |byte| byte.is_ascii_uppercase());
        let word = skip(code, level, is_blank);
        let end = skip(code, word, is_word);
        let follows = matches!(
            code.get(skip(code, end, is_space)),
            Some(b'"' | b',' | b')')
        );
        let words = level > start + 5 && word > level && end > word;
        (code[opening] == b'(' && words && follows).then_some((start, end))
    });
    found.collect()
}

/// The types of members that local variables are declared with, `typeof_member(struct ops, open)`
/// (6.7 and later), which the grammar does not know.
fn member_types(code: &[u8]) -> Vec<(usize, usize)> {
    const TYPE: &[u8] = b"typeof_member(";
    let starts = memchr::memmem::find_iter(code, TYPE);
    let ends = starts.filter_map(|start| {
        let inner = code.get(start + TYPE.len()..)?;
        let length = memchr::memchr2(b')', b'(', inner)?;
        (inner[length] == b')').then_some((start, start + TYPE.len() + length + 1))
    });
    ends.collect()
}

/// Code of a body of which the grammar can read more, at the same length.
pub fn readable(code: &[u8]) -> Cow<'_, [u8]> {
    let without = without_attributes(code);
    let code = &without[..];
    let mut semicolons = Vec::new();
    end_headless(code, &mut semicolons);
    end_alone(code, &mut semicolons);
    let typed = types(code)
        .into_iter()
        .filter(|&(sign, ..)| called_alone(code, sign));
    let mut quoted: Vec<(usize, usize)> = typed.map(|(_, start, end)| (start, end)).collect();
    quoted.extend(levels(code));
    let members = member_types(code);
    if semicolons.is_empty() && quoted.is_empty() && members.is_empty() {
        return without;
    }
    let mut changed = without.into_owned();
    for at in semicolons {
        changed[at] = b';';
    }
    for (start, end) in quoted {
        changed[start..end].fill(b' ');
        changed[start] = b'"';
        changed[end - 1] = b'"';
    }
    for (start, end) in members {
        changed[start..end].fill(b' ');
        changed[start..start + AUTO.len()].copy_from_slice(AUTO.as_bytes());
    }
    Cow::Owned(changed)
}

/// Where a semicolon ends each call that has none.
fn end_headless(code: &[u8], semicolons: &mut Vec<usize>) {
    let mut at = 0;
    while let Some(next) = code
        .get(at..)
        .and_then(|rest| rest.iter().position(|byte| b";{}:".contains(byte)))
    {
        let start = at + next;
        at = start + 1;
        if let Some(found) = headless(code, start) {
            at = found.end;
            // A braced list: { htonl(x) }
            let listed = code.get(at) == Some(&b'}') && !matches!(code[start], b';' | b'}');
            if !listed {
                let gaps = found.gaps.into_iter();
                semicolons.extend(gaps.filter_map(|(start, end)| room(code, start, end)));
            }
        }
    }
}

/// Where a semicolon ends each word on a line of its own, with a call on the next.
fn end_alone(code: &[u8], semicolons: &mut Vec<usize>) {
    let mut at = 0;
    while let Some(next) = code
        .get(at..)
        .and_then(|rest| memchr3(b';', b'{', b'}', rest))
    {
        at += next + 1;
        let line_end = skip(code, at, is_blank);
        if code.get(line_end) != Some(&b'\n') {
            continue;
        }
        let word = skip(code, line_end, is_space);
        if let Some(behind) = alone(code, word)
            && let Some(next) = name(code, behind)
            && code.get(skip(code, next, is_blank)) == Some(&b'(')
        {
            semicolons.extend(room(code, strip_end(&code[..behind]).len(), behind));
            at = behind;
        }
    }
}

/// Where a semicolon can stand in white space: not at the end of a line.
fn room(code: &[u8], start: usize, end: usize) -> Option<usize> {
    code[start..end]
        .iter()
        .position(|&byte| is_blank(byte))
        .map(|at| start + at)
}

/// Whether what follows `at`, a comma or a parenthesis, is an argument of a statement that begins
/// with a call: g(container_of(w, struct file, m));
fn called_alone(code: &[u8], at: usize) -> bool {
    if code[at] == b'(' {
        let before = strip_end(&code[at.saturating_sub(LONGEST_NAME)..at]);
        let start = skip_back(before, before.len(), is_word);
        if called(before, start).is_none() {
            return false;
        }
    }
    let low = at.saturating_sub(BACK);
    let Some(start) = code[low..at]
        .iter()
        .rposition(|byte| b";{}:".contains(byte))
    else {
        return false;
    };
    let start = low + start;
    let statement = &code[..=at];
    let word = skip(statement, start + 1, is_space);
    let begins = called(statement, word)
        .is_some_and(|end| statement.get(skip(statement, end, is_space)) == Some(&b'('));
    let between = &code[start..at];
    let through_pointer = memchr_iter(b'(', between)
        .any(|opening| between.get(skip(between, opening + 1, |byte| byte == b' ')) == Some(&b'*'));
    begins && !through_pointer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::latin1;

    #[test]
    fn a_call_without_a_semicolon_gets_one() {
        let read = |code: &str| latin1(&readable(code.as_bytes()));
        assert_eq!(read("{ for_each(p) f(p); }"), "{ for_each(p);f(p); }");
        assert_eq!(read("{ a(b) c(d)  { } }"), "{ a(b);c(d); { } }");
        assert_eq!(read("= { htonl(x) }"), "= { htonl(x) }");
        assert_eq!(read("{ if (x) f(p); }"), "{ if (x) f(p); }");
        assert_eq!(read("{ a(b) else c; }"), "{ a(b) else c; }");
        assert_eq!(read(";\nWORD_ONE \n f(x);"), ";\nWORD_ONE;\n f(x);");
        assert_eq!(read("; f(struct a *);"), "; f(\"        \");");
    }

    #[test]
    fn annotations_are_blanked() {
        let read = |code: &str| latin1(&without_attributes(code.as_bytes()));
        assert_eq!(
            read("int a __aligned(4), my__used;"),
            "int a             , my__used;"
        );
        assert_eq!(
            read("{ __cacheline_group_begin(a); b"),
            "{                             b"
        );
        assert_eq!(read("x __free(kfree) = 1"), "x               = 1");
    }

    #[test]
    fn members_of_a_group_stand_in_a_struct() {
        let read = |code: &str| latin1(&with_groups(code.as_bytes()));
        assert_eq!(
            read("{ struct_group(flags, int a; int b;); }"),
            "{ struct            { int a; int b;}; }"
        );
    }
}
