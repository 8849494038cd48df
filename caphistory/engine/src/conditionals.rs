//! #if groups: the condition that encloses a place, and the branches to read together.
//!
//! A compiler sees one branch of each group; a grammar that sees all of them at once loses its
//! place where branches open a brace each (`if (a) {` / `#else` / `if (b) {`: drivers of 2.2 and
//! 2.4). So a stretch of code is read once for each *selection* of branches, and as few selections
//! are made as cover every branch.

use std::cell::OnceCell;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::intern::Sym;
use crate::lexer::{Directive, Keyword, is_space, is_word, skip};

/// Deeper nesting and longer #elif chains than any kernel has (6 and 35): what lies beyond them in
/// a mangled file is taken for unconditional, or for a part of the branch before.
pub const DEEPEST: usize = 32;
pub const MOST_BRANCHES: usize = 100;

/// An expression and whether it is true.
pub type Fact = (Sym, bool);

/// One branch: from after its directive to the next directive of its group. `asked` is what its
/// own directive asks (empty for #else), with the answer that opens the branch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Branch {
    pub start: usize,
    pub end: usize,
    pub directive: usize,
    pub asked: Fact,
}

/// One #if … #endif with its branches; the extent includes both lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    pub start: usize,
    pub end: usize,
    pub branches: Vec<Branch>,
}

impl Group {
    /// What holds in one of the branches: not what those before it ask, but what it asks itself.
    pub fn facts(&self, branch: usize) -> impl Iterator<Item = Fact> + '_ {
        let last = branch + 1 == self.branches.len();
        let before = self
            .branches
            .iter()
            .take(branch)
            .map(|one| (one.asked.0, !one.asked.1));
        let own = self.branches.get(branch).map(|one| one.asked);
        before.chain(own.filter(|(expression, _)| !(last && expression.is_empty())))
    }

    /// Whether its last branch is that of an #else.
    pub fn otherwise(&self) -> bool {
        self.branches
            .last()
            .is_some_and(|last| last.asked.0.is_empty())
    }
}

/// What an #if, #ifdef, #ifndef or #elif asks, and the answer that opens its branch.
pub fn expression(directive: &Directive) -> Fact {
    let text = directive.text();
    match directive.keyword {
        Keyword::Ifdef | Keyword::Ifndef => {
            let name = text.split(' ').next().unwrap_or_default();
            (defined(name), directive.keyword == Keyword::Ifdef)
        }
        _ => match plain_defined(&text) {
            Some((name, truth)) => (defined(name), truth),
            None => (Sym::new(&text), true),
        },
    }
}

fn defined(name: &str) -> Sym {
    Sym::new(&format!("defined({name})"))
}

/// The name in `defined(NAME)` or `!defined NAME`, and whether it is to be defined.
fn plain_defined(text: &str) -> Option<(&str, bool)> {
    let asked = optional(text, '!');
    let rest = optional(asked, ' ').strip_prefix("defined")?;
    let rest = optional(optional(optional(rest, ' '), '('), ' ');
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let end = rest
        .find(|character| !is_word(character))
        .unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let closed = optional(optional(rest, ' '), ')').is_empty();
    (closed && !name.is_empty()).then_some((name, asked.len() == text.len()))
}

fn optional(text: &str, sign: char) -> &str {
    text.strip_prefix(sign).unwrap_or(text)
}

/// Whether a text is a number for Python's `isdigit`.
pub(crate) fn is_digits(text: &str) -> bool {
    let digit = |c: char| c.is_ascii_digit() || matches!(c, '²' | '³' | '¹');
    !text.is_empty() && text.chars().all(digit)
}

struct Open {
    start: usize,
    branches: Vec<Branch>,
    begin: usize,
    directive: usize,
    asked: Fact,
}

impl Open {
    fn new(directive: &Directive) -> Open {
        Open {
            start: directive.start,
            branches: Vec::new(),
            begin: directive.end,
            directive: directive.start,
            asked: expression(directive),
        }
    }

    fn end_branch(&mut self, end: usize) {
        let Open {
            begin: start,
            directive,
            asked,
            ..
        } = *self;
        self.branches.push(Branch {
            start,
            end,
            directive,
            asked,
        });
    }

    fn close(mut self, end: usize, after: usize) -> Group {
        self.end_branch(end);
        Group {
            start: self.start,
            end: after,
            branches: self.branches,
        }
    }
}

/// All groups of a file, ordered by start; one that is not closed ends with the file. A stray
/// #else or #endif is passed over.
pub fn groups(directives: &[Directive], size: usize) -> Vec<Group> {
    let mut found = Vec::new();
    let mut stack: Vec<Open> = Vec::new();
    let mut too_deep = 0;
    let mut sure: FxHashSet<&[u8]> = FxHashSet::default();
    for directive in directives {
        let keyword = directive.keyword;
        if keyword == Keyword::Undef {
            sure.remove(named(directive));
        } else if keyword == Keyword::Define && stack.is_empty() && too_deep == 0 {
            sure.insert(named(directive));
        }
        if keyword.opens() && (too_deep > 0 || stack.len() >= DEEPEST) {
            too_deep += 1;
        } else if too_deep > 0 {
            too_deep -= usize::from(keyword == Keyword::Endif);
        } else if keyword.opens() {
            let mut open = Open::new(directive);
            open.asked = decided(open.asked, &sure);
            stack.push(open);
        } else if keyword == Keyword::Endif {
            found.extend(
                stack
                    .pop()
                    .map(|open| open.close(directive.start, directive.end)),
            );
        } else if keyword.conditional()
            && let Some(open) = stack
                .last_mut()
                .filter(|one| one.branches.len() < MOST_BRANCHES)
        {
            open.end_branch(directive.start);
            (open.begin, open.directive) = (directive.end, directive.start);
            open.asked = match keyword {
                Keyword::Elif => decided(expression(directive), &sure),
                _ => (Sym::default(), true),
            };
        }
    }
    found.extend(stack.into_iter().map(|open| open.close(size, size)));
    found.sort_by_key(|group| group.start);
    found
}

/// The groups that are no header's guard against double inclusion: `#ifndef X` with nothing but
/// comments before it and `#define X` right behind.
pub fn without_guards(mut found: Vec<Group>, directives: &[Directive], code: &[u8]) -> Vec<Group> {
    let visible = code
        .iter()
        .position(|&byte| !is_space(byte))
        .unwrap_or(code.len());
    found.retain(|group| group.start > visible || !is_guard(group, directives));
    found
}

/// The name that a #define or #undef is about.
fn named<'d>(directive: &'d Directive) -> &'d [u8] {
    let start = skip(&directive.code, directive.rest, is_space);
    let end = skip(&directive.code, start, is_word);
    directive.code.get(start..end).unwrap_or_default()
}

/// What is asked, as `#if 0` and its opposite where the file itself defines the macro for sure:
/// `#define mem_write NULL` with `#ifndef mem_write` behind (2.4).
fn decided((asked, truth): Fact, sure: &FxHashSet<&[u8]>) -> Fact {
    let name = asked.text().strip_prefix("defined(");
    let name = name.and_then(|rest| rest.strip_suffix(')'));
    if name.is_some_and(|name| sure.contains(name.as_bytes())) {
        (Sym::new("0"), !truth)
    } else {
        (asked, truth)
    }
}

fn is_guard(group: &Group, directives: &[Directive]) -> bool {
    let behind = directives.partition_point(|directive| directive.start <= group.start);
    let Some(behind) = directives
        .get(behind)
        .filter(|one| one.keyword == Keyword::Define)
    else {
        return false;
    };
    let text = behind.text();
    let name = text.split(['(', ' ']).next().unwrap_or_default();
    group
        .branches
        .first()
        .is_some_and(|branch| branch.asked == (defined(name), false))
}

/// The groups of a file by place: which hold an offset, and which lie in an item.
pub struct Nest {
    groups: Vec<Group>,
    parents: Vec<Option<usize>>,
}

impl Nest {
    pub fn new(groups: Vec<Group>) -> Nest {
        let mut parents: Vec<Option<usize>> = Vec::with_capacity(groups.len());
        for (index, group) in groups.iter().enumerate() {
            let mut parent = index.checked_sub(1);
            while let Some(at) = parent.filter(|&at| groups[at].end <= group.start) {
                parent = parents[at];
            }
            parents.push(parent);
        }
        Nest { groups, parents }
    }

    fn starting_before(&self, offset: usize) -> usize {
        self.groups.partition_point(|group| group.start < offset)
    }

    /// The groups that hold an offset, the outermost first.
    pub fn enclosing(&self, offset: usize) -> Vec<&Group> {
        let mut held = Vec::new();
        let mut at = self.starting_before(offset + 1).checked_sub(1);
        while let Some(index) = at {
            if self.groups[index].end > offset {
                held.push(&self.groups[index]);
            }
            at = self.parents[index];
        }
        held.reverse();
        held
    }

    /// The groups with a line inside an extent, and those that hold all of it.
    pub fn split(&self, start: usize, end: usize) -> (Vec<&Group>, Vec<&Group>) {
        let (mut inner, mut outer) = (Vec::new(), Vec::new());
        let before = start.checked_sub(1);
        for group in before.map(|at| self.enclosing(at)).unwrap_or_default() {
            let lines = group.branches.iter().map(|branch| branch.directive);
            let last = group.branches.last().map(|branch| branch.end);
            if lines.chain(last).any(|line| (start..end).contains(&line)) {
                inner.push(group);
            } else if group.end > start {
                outer.push(group);
            }
        }
        let (first, last) = (self.starting_before(start), self.starting_before(end));
        inner.extend(self.groups.get(first..last).unwrap_or_default());
        (inner, outer)
    }
}

/// A branch among the branches that hold it, the innermost of them by number.
struct Held<'g> {
    group: &'g Group,
    branch: usize,
    outer: Option<usize>,
}

/// The condition of every offset among some groups.
pub struct Conditions<'g> {
    held: Vec<Held<'g>>,
    /// Where the condition changes, to that of which branch.
    changes: Vec<(usize, Option<usize>)>,
    texts: Vec<OnceCell<Sym>>,
}

impl<'g> Conditions<'g> {
    pub fn new(groups: &[&'g Group]) -> Conditions<'g> {
        let mut events = Vec::new();
        for &group in groups {
            for (at, branch) in group.branches.iter().enumerate() {
                if branch.start < branch.end {
                    events.push((branch.start, Some((group, at))));
                    events.push((branch.end, None));
                }
            }
        }
        events.sort_by_key(|(offset, opened)| (*offset, opened.is_some()));
        let mut held: Vec<Held> = Vec::new();
        let mut changes = Vec::with_capacity(events.len());
        let mut now = None;
        for (offset, opened) in events {
            now = match opened {
                Some((group, branch)) => {
                    held.push(Held {
                        group,
                        branch,
                        outer: now,
                    });
                    Some(held.len() - 1)
                }
                None => now.and_then(|at: usize| held[at].outer),
            };
            changes.push((offset, now));
        }
        let texts = vec![OnceCell::new(); held.len()];
        Conditions {
            held,
            changes,
            texts,
        }
    }

    /// The condition at an offset as text, empty where there is none.
    pub fn at(&self, offset: usize) -> Sym {
        let behind = self.changes.partition_point(|&(at, _)| at <= offset);
        let change = behind.checked_sub(1).and_then(|at| self.changes.get(at));
        match change.and_then(|&(_, held)| held) {
            Some(held) => *self.texts[held].get_or_init(|| condition_text(&self.facts(held))),
            None => Sym::default(),
        }
    }

    fn facts(&self, held: usize) -> Vec<Fact> {
        let above = |&at: &usize| self.held[at].outer;
        let mut chain: Vec<&Held> = std::iter::successors(Some(held), above)
            .map(|at| &self.held[at])
            .collect();
        chain.reverse();
        chain
            .into_iter()
            .flat_map(|one| one.group.facts(one.branch))
            .collect()
    }
}

/// Facts as one expression: `defined(A) && !(B > 1)`; `0` alone for #if 0.
pub fn condition_text(facts: &[Fact]) -> Sym {
    let mut parts: Vec<String> = Vec::new();
    for &(expression, truth) in facts {
        let part = condition_part(expression.text(), truth);
        if part == "0" {
            return Sym::new("0");
        }
        if part != "1" && !parts.contains(&part) {
            parts.push(part);
        }
    }
    Sym::new(&parts.join(" && "))
}

fn condition_part(expression: &str, truth: bool) -> String {
    let number = !expression.is_empty() && expression.bytes().all(|byte| byte.is_ascii_digit());
    if !truth && number {
        String::from(if expression == "0" { "1" } else { "0" })
    } else if truth && expression.contains("||") {
        format!("({expression})")
    } else if truth {
        expression.to_owned()
    } else if expression.starts_with("defined(") && !expression.contains(['&', '|']) {
        format!("!{expression}")
    } else {
        format!("!({expression})")
    }
}

type Assumed = FxHashMap<Sym, bool>;

/// Ways to read a stretch of code, at most so many: for each, the extents to blank out.
///
/// Every branch is left standing in at least one selection (no function of the kernel needs more
/// than 15). Branches that depend on the same expression go together (`#ifdef A` here, `#ifndef A`
/// there), except `#if 0`, whose code is read as if it were compiled.
pub fn selections(inner: &[&Group], most: usize) -> Vec<Vec<(usize, usize)>> {
    if inner.is_empty() {
        return vec![Vec::new()];
    }
    let branches = inner.iter().flat_map(|group| &group.branches);
    let mut left: Vec<usize> = branches.map(|branch| branch.directive).collect();
    left.sort_unstable();
    let mut result = Vec::new();
    while result.len() < most
        && let Some(&first) = left.first()
    {
        let (chosen, removed) = select(inner, &left, needed(inner, first));
        result.push(removed);
        left.retain(|at| !chosen.contains(at));
    }
    result
}

/// What must hold for the branch of a directive to be compiled; None where it contradicts itself
/// (`#ifdef A` within `#ifndef A`).
fn needed(inner: &[&Group], directive: usize) -> Option<Assumed> {
    let mut needed = Assumed::default();
    for group in inner {
        for (at, branch) in group.branches.iter().enumerate() {
            let holds = (branch.start..branch.end).contains(&directive);
            if branch.directive != directive && !holds {
                continue;
            }
            for (expression, truth) in group.facts(at) {
                if !is_digits(expression.text())
                    && *needed.entry(expression).or_insert(truth) != truth
                {
                    return None;
                }
            }
        }
    }
    Some(needed)
}

/// The directives of the branches to read this time, and the extents of the others.
fn select(
    inner: &[&Group],
    left: &[usize],
    needed: Option<Assumed>,
) -> (FxHashSet<usize>, Vec<(usize, usize)>) {
    let follows = needed.is_some();
    let mut assumed = needed.unwrap_or_default();
    let mut chosen = FxHashSet::default();
    let mut removed: Vec<(usize, usize)> = Vec::new();
    for group in inner {
        let before = removed.partition_point(|&extent| extent <= (group.start, group.end));
        if before > 0 && removed[before - 1].1 > group.start {
            continue;
        }
        let picked = pick(group, left, &assumed);
        for (at, other) in group.branches.iter().enumerate() {
            if Some(at) != picked {
                let extent = (other.start, other.end);
                let place = removed.partition_point(|&one| one <= extent);
                removed.insert(place, extent);
            }
        }
        let Some(at) = picked else { continue };
        chosen.insert(group.branches[at].directive);
        if follows {
            for (expression, truth) in group.facts(at) {
                if !is_digits(expression.text()) {
                    assumed.entry(expression).or_insert(truth);
                }
            }
        }
    }
    (chosen, removed)
}

/// The branch of a group to read this time; `left` are the offsets of those that no reading has
/// had yet. None where what is assumed forbids all of them (`#ifdef A` without #else while A is
/// taken as not defined).
fn pick(group: &Group, left: &[usize], assumed: &Assumed) -> Option<usize> {
    let allowed = |&at: &usize| {
        group
            .facts(at)
            .all(|(expression, truth)| assumed.get(&expression).is_none_or(|&known| known == truth))
    };
    let allowed: Vec<usize> = (0..group.branches.len()).filter(allowed).collect();
    let waits = |&&at: &&usize| left.binary_search(&group.branches[at].directive).is_ok();
    let holds_waiting = |&&at: &&usize| {
        let branch = &group.branches[at];
        left.partition_point(|&one| one < branch.start)
            < left.partition_point(|&one| one < branch.end)
    };
    let mut order = allowed.iter();
    let wanted = order
        .clone()
        .find(waits)
        .or_else(|| order.clone().find(holds_waiting));
    wanted.or_else(|| order.next()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::scan;

    fn found(source: &str) -> Vec<Group> {
        groups(&scan(source.as_bytes()).directives, source.len())
    }

    #[test]
    fn the_condition_of_a_place_is_that_of_all_branches_around_it() {
        let source = "#if A || B\n#ifdef X\na\n#elif defined Y\nb\n#else\nc\n#endif\n#endif\nd";
        let groups = found(source);
        let conditions = Conditions::new(&groups.iter().collect::<Vec<_>>());
        let at = |text| conditions.at(source.find(text).unwrap_or_default()).text();
        assert_eq!(at("\na\n"), "(A || B) && defined(X)");
        assert_eq!(at("\nb\n"), "(A || B) && !defined(X) && defined(Y)");
        assert_eq!(at("\nc\n"), "(A || B) && !defined(X) && !defined(Y)");
        assert_eq!(at("\nd"), "");
    }

    #[test]
    fn every_branch_stands_in_one_selection() {
        let source = "#ifdef A\n1\n#else\n2\n#endif\n#ifndef A\n3\n#endif\n#if 0\n4\n#endif\n";
        let groups = found(source);
        let removed = selections(&groups.iter().collect::<Vec<_>>(), MOST_BRANCHES);
        let read: Vec<String> = removed
            .iter()
            .map(|extents| {
                let gone = |at: usize| extents.iter().any(|&(start, end)| start <= at && at < end);
                let digits = source
                    .char_indices()
                    .filter(|(at, c)| c.is_ascii_digit() && !gone(*at));
                digits.map(|(_, c)| c).filter(|&c| c != '0').collect()
            })
            .collect();
        assert_eq!(read, ["14", "234"]);
    }

    #[test]
    fn nesting_has_an_end() {
        let source = "#if A\n".repeat(100_000) + &"#endif\n".repeat(100_000);
        assert_eq!(found(&source).len(), DEEPEST);
    }
}
