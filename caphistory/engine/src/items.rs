//! Cuts a file into its top-level items: functions and declarations.
//!
//! C's own nesting decides, with the preprocessor in view: after #else the nesting is what it was
//! at #if, and after #endif what one of the branches left.

use std::sync::LazyLock;

use memchr::memchr2;
use regex::bytes::Regex;
use rustc_hash::FxHashMap;

use crate::conditionals::{DEEPEST, Fact, MOST_BRANCHES, expression, is_digits};
use crate::headers::{KEYWORDS, pattern};
use crate::intern::Sym;
use crate::lexer::skip_back;
use crate::lexer::{Directive, Keyword, Scan, find, is_name_start, is_space, is_word, skip};

static AGGREGATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[\s;}])(?:struct|union|enum)(?:\s+\w+)*\s*(?:__attribute__\s*\(\((?s:.*)\)\)\s*)?\z",
    )
});
static LINKAGE: LazyLock<Regex> = LazyLock::new(|| pattern(r#"extern\s*"[^"]*"\s*\z"#));

/// How far back of a brace the words are looked for that say what it opens.
const BACK: usize = 400;

/// Parameter declarations of a K&R definition that are looked back through.
const MOST_OLD_STYLE: usize = 24;

/// An item: its extent and, for a function definition, where its body's brace is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    pub start: usize,
    pub end: usize,
    pub body: Option<usize>,
}

/// The top-level items of a file in order.
///
/// Where what the first branches of conditionals leave does not balance, or would have a function
/// begin with a statement, the last ones are tried (ip2main.c of 2.2, whose first branch lacks its
/// brace). Where nothing balances, a brace in the first column is taken to end an item, as the
/// kernel's coding style has it.
pub fn cut(scan: &Scan) -> Vec<Extent> {
    let (items, balanced) = Cutter::new(scan, false, false).cut();
    let count = torn(scan, &items);
    if balanced && count == 0 {
        return items;
    }
    let (others, others_balanced) = Cutter::new(scan, true, false).cut();
    let others_count = torn(scan, &others);
    match (balanced, others_balanced) {
        (false, true) => others,
        _ if balanced == others_balanced && others_count < count => others,
        (true, _) => items,
        (false, false) => Cutter::new(scan, false, true).cut().0,
    }
}

/// How many functions begin with a statement.
fn torn(scan: &Scan, items: &[Extent]) -> usize {
    let begins = |item: &&Extent| {
        let start = skip(&scan.code, item.start, is_space);
        let end = skip(&scan.code, start, is_word);
        let behind = scan.code.get(skip(&scan.code, end, is_space));
        let word = std::str::from_utf8(&scan.code[start..end]).unwrap_or_default();
        KEYWORDS.contains(&word) && matches!(behind, Some(b'(' | b'{'))
    };
    items
        .iter()
        .filter(|item| item.body.is_some())
        .filter(begins)
        .count()
}

/// How many braces and parentheses are open.
type Depths = (usize, usize);

/// An #if that is not closed: the nesting at its start and behind the branch that decides, and
/// what holds in the branch at hand.
struct Open {
    before: Depths,
    after: Option<Depths>,
    counts: bool,
    denied: Vec<Fact>,
    facts: Vec<Fact>,
}

/// The nesting of braces and parentheses through conditionals. The first branch (or the last)
/// decides what a group leaves, but not one that contradicts an earlier choice: ultrastor.c opens
/// a loop under `#else` of `#ifdef X` and closes it under `#ifndef X`.
struct Nesting {
    last: bool,
    opened: Vec<Open>,
    assumed: FxHashMap<Sym, bool>,
    too_deep: usize,
}

impl Nesting {
    /// The nesting behind a conditional directive; `now` is that before it.
    fn through(&mut self, directive: &Directive, now: Depths) -> Depths {
        let keyword = directive.keyword;
        if keyword.opens() {
            if self.too_deep > 0 || self.opened.len() >= DEEPEST {
                self.too_deep += 1;
            } else {
                let (denied, facts) = (Vec::new(), Vec::new());
                self.opened.push(Open {
                    before: now,
                    after: None,
                    counts: true,
                    denied,
                    facts,
                });
                self.enter(directive);
            }
            return now;
        }
        if self.too_deep > 0 {
            self.too_deep -= usize::from(keyword == Keyword::Endif);
            return now;
        }
        let Some(group) = self.opened.last_mut() else {
            return now;
        };
        if group.counts && (self.last || group.after.is_none()) {
            group.after = Some(now);
        }
        let (before, after) = (group.before, group.after);
        if keyword == Keyword::Endif {
            self.opened.pop();
            return after.unwrap_or(before);
        }
        self.enter(directive);
        before
    }

    /// Whether an open group began inside an item.
    fn within(&self) -> bool {
        self.opened.iter().any(|group| group.before.0 > 0)
    }

    /// Drop what was assumed in an item that is over.
    fn forget(&mut self) {
        if !self.assumed.is_empty() {
            self.assumed.clear();
            for group in &self.opened {
                assume(&mut self.assumed, &group.facts);
            }
        }
    }

    fn enter(&mut self, directive: &Directive) {
        let Some(group) = self.opened.last_mut() else {
            return;
        };
        group.facts.clone_from(&group.denied);
        if directive.keyword != Keyword::Else {
            let (name, truth) = expression(directive);
            group.facts.push((name, truth));
            if group.denied.len() < MOST_BRANCHES {
                group.denied.push((name, !truth));
            }
        }
        let possible = |&(name, truth): &Fact| {
            self.assumed.get(&name).is_none_or(|&known| known == truth)
                && !(truth && name.text() == "0")
        };
        group.counts = group.facts.iter().all(possible);
        if group.counts && group.after.is_none() && !self.last {
            assume(&mut self.assumed, &group.facts);
        }
    }
}

fn assume(assumed: &mut FxHashMap<Sym, bool>, facts: &[Fact]) {
    for &(name, truth) in facts {
        if !is_digits(name.text()) {
            assumed.entry(name).or_insert(truth);
        }
    }
}

/// One pass over a file, and the item at hand: `closed` is where a function ends in one branch of
/// a group within it; `listed` says that a `)` was seen, so that there may be a parameter list;
/// `value` that a `=` was seen: braces hold an initialiser.
struct Cutter<'s> {
    scan: &'s Scan<'s>,
    nesting: Nesting,
    resync: bool,
    linkage: bool,
    items: Vec<Extent>,
    balanced: bool,
    depth: usize,
    parentheses: usize,
    start: usize,
    body: Option<usize>,
    closed: Option<usize>,
    listed: bool,
    value: bool,
}

impl<'s> Cutter<'s> {
    fn new(scan: &'s Scan<'s>, last: bool, resync: bool) -> Cutter<'s> {
        let assumed = FxHashMap::default();
        Cutter {
            scan,
            nesting: Nesting {
                last,
                opened: Vec::new(),
                assumed,
                too_deep: 0,
            },
            resync,
            linkage: find(&scan.code, 0, b"extern \"").is_some(),
            items: Vec::new(),
            balanced: true,
            depth: 0,
            parentheses: 0,
            start: 0,
            body: None,
            closed: None,
            listed: false,
            value: false,
        }
    }

    /// The items, and whether all braces found their partners.
    fn cut(mut self) -> (Vec<Extent>, bool) {
        let scan = self.scan;
        let mut position = 0;
        for directive in scan
            .directives
            .iter()
            .filter(|one| one.keyword.conditional())
        {
            self.tokens(position, directive.start);
            position = directive.end;
            self.through(directive);
        }
        self.tokens(position, scan.code.len());
        self.balanced = self.balanced && self.depth == 0;
        self.finish(scan.code.len());
        (self.items, self.balanced)
    }

    /// Take in the code between two conditional directives.
    fn tokens(&mut self, mut position: usize, limit: usize) {
        while let Some(at) = self.next_token(position, limit) {
            position = at + 1;
            self.token(at);
        }
    }

    fn next_token(&self, position: usize, limit: usize) -> Option<usize> {
        let code = self.scan.code.get(position..limit)?;
        let found = if self.depth > 0 {
            memchr2(b'{', b'}', code)
        } else {
            code.iter().position(|byte| b"{}();=".contains(byte))
        };
        found.map(|at| position + at)
    }

    fn through(&mut self, directive: &Directive) {
        let within = self.nesting.within();
        (self.depth, self.parentheses) = self
            .nesting
            .through(directive, (self.depth, self.parentheses));
        if within && !self.nesting.within() && self.depth == 0 && self.body.is_some() {
            self.finish(self.closed.unwrap_or(directive.end));
        }
    }

    fn token(&mut self, at: usize) {
        let token = self.scan.code[at];
        if let Some(closed) = self.closed
            && self.depth == 0
            && matches!(token, b'(' | b'{' | b'=')
        {
            self.finish(closed);
        }
        match token {
            b'{' if self.depth > 0 => self.depth += 1,
            _ if self.depth > 0 => self.close_brace(at),
            b'{' => self.open_brace(at),
            b'}' => {
                self.balanced = self.balanced && self.linkage && self.visible(at).is_none();
                self.start = at + 1;
                // What was open before a stray brace is no part of what comes behind it.
                self.body = None;
                self.closed = None;
            }
            b'(' => self.parentheses += 1,
            b')' => {
                self.parentheses = self.parentheses.saturating_sub(1);
                self.listed = true;
            }
            b'=' => self.value = self.value || self.parentheses == 0,
            _ if self.parentheses == 0 && self.closed.is_none() => self.finish(at + 1),
            _ => {}
        }
    }

    fn close_brace(&mut self, at: usize) {
        let first_column = at == 0 || self.scan.code[at - 1] == b'\n';
        self.depth = if self.resync && first_column {
            0
        } else {
            self.depth - 1
        };
        if self.depth == 0 && self.body.is_some() {
            if self.nesting.within() {
                self.closed = Some(at + 1);
            } else {
                self.finish(at + 1);
            }
        }
    }

    /// A brace outside of braces.
    fn open_brace(&mut self, at: usize) {
        if self.parentheses == 0 && self.body.is_none() && !self.value {
            let before = &self.scan.code[..at];
            let back = at.saturating_sub(BACK);
            if self.linkage && LINKAGE.is_match_at(before, self.start.max(back)) {
                self.start = at + 1;
                return;
            }
            if self.visible(at).is_none() {
                self.listed = self.take_old_style();
            }
            if self.listed && !AGGREGATE.is_match_at(before, back.max(self.start.saturating_sub(1)))
            {
                self.body = Some(at);
            }
        }
        self.depth = 1;
    }

    /// The first visible byte of the item at hand: from now on it begins there.
    fn visible(&mut self, end: usize) -> Option<usize> {
        self.start = skip(&self.scan.code, self.start, is_space).min(end);
        (self.start < end).then_some(self.start)
    }

    /// End the item at hand.
    fn finish(&mut self, end: usize) {
        if let Some(start) = self.visible(end).filter(|start| end - start > 1) {
            self.items.push(Extent {
                start,
                end,
                body: self.body,
            });
        }
        self.start = end;
        self.body = None;
        self.closed = None;
        self.value = false;
        self.listed = false;
        self.parentheses = 0;
        self.nesting.forget();
    }

    /// Make one of the items that are the head and the parameter declarations of a K&R definition
    /// (kernels up to 1.0, and drivers much longer).
    fn take_old_style(&mut self) -> bool {
        let recent = self.items.iter().rev().take(MOST_OLD_STYLE);
        let mut back = recent.take_while(|item| item.body.is_none());
        let Some(back) = back.position(|item| {
            self.scan
                .code
                .get(item.start..item.end)
                .is_some_and(ends_old_style_head)
        }) else {
            return false;
        };
        let first = self.items.len() - back - 1;
        let start = self.items[first].start;
        self.items.truncate(first);
        let moved = start != self.start;
        self.start = start;
        moved
    }
}

/// Whether code ends with a parameter list and the first declaration of parameters.
fn ends_old_style_head(code: &[u8]) -> bool {
    let code = code.strip_suffix(b"\n").unwrap_or(code);
    let Some(code) = code.strip_suffix(b";") else {
        return false;
    };
    let declared =
        |byte| is_word(byte) || is_space(byte) || matches!(byte, b'*' | b'[' | b']' | b',');
    let start = skip_back(code, code.len(), declared);
    let begins = code
        .get(skip(code, start, is_space))
        .is_some_and(|&byte| is_name_start(byte));
    begins && start > 0 && code[start - 1] == b')'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::scan;

    fn items(source: &str) -> Vec<(&str, bool)> {
        let found = cut(&scan(source.as_bytes()));
        found
            .iter()
            .map(|item| (&source[item.start..item.end], item.body.is_some()))
            .collect()
    }

    #[test]
    fn functions_and_declarations_are_told_apart() {
        let source = "int a[] = { 1 }; struct s { int b; };\nint f(void) { g({}); } int c;";
        let expected = [
            ("int a[] = { 1 };", false),
            ("struct s { int b; };", false),
            ("int f(void) { g({}); }", true),
            ("int c;", false),
        ];
        assert_eq!(items(source), expected);
        assert_eq!(
            items("f(a)\nint a;\nchar b;\n{ }"),
            [("f(a)\nint a;\nchar b;\n{ }", true)]
        );
    }

    #[test]
    fn a_body_begins_within_its_item_whatever_braces_stray() {
        let source = "#if A\nint f(int a)\n{\n#elif B\n}\nint b;";
        let found = cut(&scan(source.as_bytes()));
        let within = |item: &Extent| item.body.is_none_or(|body| item.start <= body);
        assert!(found.iter().all(within), "{found:?}");
        assert_eq!(items(source).last(), Some(&("int b;", false)));
    }

    #[test]
    fn a_brace_in_each_branch_is_one_brace() {
        let source = "int f(void)\n#ifdef A\n{\n#else\n{ x;\n#endif\n}\nint a;";
        assert_eq!(items(source).len(), 2);
    }

    #[test]
    fn a_function_without_its_brace_ends_in_the_first_column() {
        assert_eq!(
            items("int f(void)\n{ if (a) {\n}\nint g(void)\n{\n}\n").len(),
            2
        );
    }
}
