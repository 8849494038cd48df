//! The system calls of a release: the tables of the tree, and what multiplexers dispatch.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::checks::relays;
use crate::facts::Call;
use crate::folders::{Abi, I386, X86_64};
use crate::intern::Sym;
use crate::names::{DefId, View};
use crate::tables;

/// Contents of files by path.
pub type Texts<'a> = BTreeMap<&'a str, &'a [u8]>;

const TABLE_NAME: &str = ":sys_call_table";
const GAPS: [&str; 4] = [
    "sys_ni_syscall",
    "compat_sys_ni_syscall",
    "__ni_sys_call",
    "0",
];
const UNISTD_64: [&str; 3] = [
    "include/asm-x86_64/unistd.h",
    "arch/x86/include/asm/unistd_64.h",
    "include/asm-x86/unistd_64.h",
];
const UNISTD_32: [&str; 5] = [
    "include/asm-i386/unistd.h",
    "arch/x86/include/asm/unistd_32.h",
    "include/asm-x86/unistd_32.h",
    "include/linux/unistd.h",
    "include/unistd.h",
];
static LABEL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\A(?:SYS_)?([A-Z][A-Z0-9_]+)\z").expect("a pattern"));
// A system call's function, or what one is made of: `sys_x`, `__sys_x`, `ksys_x`.
static SYSTEM_CALL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\A_*k?sys_\w+\z").expect("a pattern"));
// A multiplexer is an entry function that has at least this many cases with a call in each:
// socketcall has 11 of them in 1.0, ipc 9.
const FEWEST_CASES: usize = 6;

/// A syscall, its entry function by name, and the definition where one was found; for a sub-call
/// its `parent`, and the function that dispatches it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    pub number: Option<u32>,
    pub syscall: Sym,
    pub function: Sym,
    pub definition: Option<DefId>,
    pub parent: Option<Sym>,
    pub dispatcher: Option<DefId>,
}

/// A row of a table: number, syscall and entry function.
type Row = (u32, Sym, Sym);

/// The syscalls of an ABI in this release, by number, then those that are multiplexed. Gaps
/// (`sys_ni_syscall`) are left out, as no code stands behind them.
pub fn entries(view: &View<'_, '_>, texts: &Texts<'_>) -> Vec<Entry> {
    let mut rows = of_texts(view.abi, texts);
    if rows.is_empty() && view.abi.name == I386.name {
        rows = classic(view, texts);
    }
    rows.retain(is_no_gap);
    rows.sort_by_key(|(number, name, function)| (*number, name.text(), function.text()));
    let mut found: Vec<Entry> = rows.iter().map(|row| entry(view, *row)).collect();
    let multiplexed: Vec<Entry> = found
        .iter()
        .flat_map(|one| multiplexed(view, one))
        .collect();
    found.extend(multiplexed);
    found
}

/// Whether a release has a table of x86_64's system calls.
pub fn has_x86_64(texts: &Texts<'_>) -> bool {
    of_texts(X86_64, texts).iter().any(is_no_gap)
}

/// Which of a release's files hold such tables, or a part of one, if they are there.
pub fn texts_wanted<'a>(paths: &[&'a str]) -> Vec<&'a str> {
    let with_tables = paths.iter().any(|path| is_table(path, I386));
    let wanted = |path: &str| {
        let assembler = !with_tables && is_assembler(path) && is_of_abi(path, I386);
        let unistd = UNISTD_32.contains(&path) || UNISTD_64.contains(&path);
        assembler || unistd || is_table(path, I386) || is_table(path, X86_64)
    };
    paths.iter().copied().filter(|path| wanted(path)).collect()
}

fn is_no_gap(row: &Row) -> bool {
    !is_gap(row.2)
}

fn is_gap(function: Sym) -> bool {
    GAPS.contains(&function.text())
}

fn entry(view: &View<'_, '_>, (number, syscall, function): Row) -> Entry {
    Entry {
        number: Some(number),
        syscall,
        function,
        definition: entry_definition(view, function),
        parent: None,
        dispatcher: None,
    }
}

fn of_texts(abi: Abi, texts: &Texts<'_>) -> Vec<Row> {
    let found = of_table(abi, texts);
    if found.is_empty() && abi.name == X86_64.name {
        return of_unistd(texts);
    }
    found
}

fn is_table(path: &str, abi: Abi) -> bool {
    let name = if abi.name == I386.name {
        "/syscall_32.tbl"
    } else {
        "/syscall_64.tbl"
    };
    path.starts_with("arch/x86/") && path.ends_with(name)
}

fn of_table(abi: Abi, texts: &Texts<'_>) -> Vec<Row> {
    let kinds: &[&str] = if abi.name == I386.name {
        &["i386"]
    } else {
        &["common", "64"]
    };
    let Some((_, text)) = texts.iter().find(|(path, _)| is_table(path, abi)) else {
        return Vec::new();
    };
    named(tables::tbl_table(text, kinds))
}

fn of_unistd(texts: &Texts<'_>) -> Vec<Row> {
    let text = UNISTD_64.iter().find_map(|path| texts.get(path));
    text.map_or_else(Vec::new, |text| named(tables::unistd_table(text)))
}

fn named(rows: Vec<tables::NamedRow>) -> Vec<Row> {
    rows.iter()
        .map(|row| (row.number, row.name, row.function))
        .collect()
}

/// i386 up to 3.2: a table in C (0.01 to 1.0) or assembler, names from `unistd.h`.
fn classic(view: &View<'_, '_>, texts: &Texts<'_>) -> Vec<Row> {
    let mut listed = of_c(view);
    // arch/x86/kernel/syscall_64.c fills x86_64's table with sys_ni_syscall first (2.6.24 to 3.2).
    if listed.iter().all(|(_, function)| is_gap(*function)) {
        let candidates = texts
            .iter()
            .filter(|(path, _)| is_assembler(path) && is_of_abi(path, view.abi));
        listed = candidates
            .map(|(_, text)| tables::assembler_table(text))
            .find(|rows| !rows.is_empty())
            .unwrap_or_default()
            .iter()
            .map(|row| (row.number, row.function))
            .collect();
    }
    let names: BTreeMap<u32, Sym> = UNISTD_32
        .iter()
        .filter_map(|path| texts.get(path))
        .map(|text| tables::numbers(text))
        .find(|numbers| !numbers.is_empty())
        .unwrap_or_default()
        .into_iter()
        .collect();
    let name = |number: u32, function: Sym| {
        let known = names.get(&number).copied();
        let text = function.text();
        known.unwrap_or_else(|| Sym::new(text.strip_prefix("sys_").unwrap_or(text)))
    };
    listed
        .into_iter()
        .map(|(number, function)| (number, name(number, function), function))
        .collect()
}

/// The entries of a table in C, by their place in it.
fn of_c(view: &View<'_, '_>) -> Vec<(u32, Sym)> {
    let entries = view.of_built(&view.program.tables, Sym::new(TABLE_NAME));
    entries
        .filter_map(|at| {
            let place = at.stored.path.first()?.text().get(1..)?.parse().ok()?;
            let mut source = at.stored.source.text().chars();
            source.next();
            Some((place, Sym::new(source.as_str())))
        })
        .collect()
}

fn is_assembler(path: &str) -> bool {
    path.ends_with(".S") || path.ends_with(".s")
}

fn is_of_abi(path: &str, abi: Abi) -> bool {
    match path.strip_prefix("arch/") {
        Some(rest) => abi
            .folders
            .contains(&rest.split('/').next().unwrap_or_default()),
        None => true,
    }
}

/// The definition of an entry function: with external linkage, the one that a name means in no
/// particular file (see `View::nearest`).
fn entry_definition(view: &View<'_, '_>, function: Sym) -> Option<DefId> {
    let text = function.text();
    let mut names = vec![function];
    if text.starts_with("stub_") || text.starts_with("ptregs_") {
        let rest = text.split_once('_').map_or("", |(_, rest)| rest);
        names.push(Sym::new(&format!("sys_{rest}")));
    }
    names.into_iter().find_map(|name| defined_in_c(view, name))
}

fn defined_in_c(view: &View<'_, '_>, name: Sym) -> Option<DefId> {
    let program = view.program;
    let in_c = |one: &DefId| {
        let definition = &program[*one];
        definition.fact.function().is_some()
            && !program.path(definition.path).ends_with(".h")
            && view.built(definition.path)
    };
    let candidates: Vec<DefId> = program
        .by_name
        .get(name)
        .iter()
        .copied()
        .filter(in_c)
        .collect();
    let is_exported = |one: &DefId| program[*one].fact.function().is_some_and(|f| !f.is_static);
    let exported: Vec<DefId> = candidates.iter().copied().filter(is_exported).collect();
    let among = if exported.is_empty() {
        candidates
    } else {
        exported
    };
    if among.is_empty() {
        return None;
    }
    let is_possible = |one: &DefId| view.possible(program[*one].condition);
    let possible: Vec<DefId> = among.iter().copied().filter(is_possible).collect();
    let nearest = view.nearest(
        if possible.is_empty() {
            &among
        } else {
            &possible
        },
        None,
    );
    nearest.into_iter().min_by_key(|one| program[*one].line)
}

/// What an entry function dispatches by a `case` for each sub-call: `socketcall` and `ipc`. The
/// sub-call's name is its label's (`SYS_BIND`, `SEMOP`), whatever the function is called that it
/// shares with others.
fn multiplexed(view: &View<'_, '_>, entry: &Entry) -> Vec<Entry> {
    let Some(mut dispatcher) = entry.definition else {
        return Vec::new();
    };
    if !["socketcall", "ipc"].contains(&entry.syscall.text()) {
        return Vec::new();
    }
    let program = view.program;
    // sys_ipc only hands on to ksys_ipc, from 4.17 on.
    let relays = relays(program[dispatcher].fact);
    for name in relays.get() {
        let relayed = view.resolve(*name, program[dispatcher].path);
        dispatcher = relayed.last().copied().unwrap_or(dispatcher);
    }
    let mut found = Vec::new();
    for (name, targets) in cases(program[dispatcher].fact.calls()) {
        let Some(function) = dispatched(&name, &targets) else {
            continue;
        };
        let meant = view.resolve(function, program[dispatcher].path);
        if let Some(definition) = meant.first() {
            found.push(Entry {
                number: None,
                syscall: Sym::new(&name),
                function,
                definition: Some(*definition),
                parent: Some(entry.syscall),
                dispatcher: Some(dispatcher),
            });
        }
    }
    if found.len() >= FEWEST_CASES {
        found
    } else {
        Vec::new()
    }
}

/// What is called under each label, by the sub-call's name, in order.
fn cases(calls: &[Call]) -> Vec<(String, Vec<Sym>)> {
    let mut found: Vec<(String, Vec<Sym>)> = Vec::new();
    for call in calls.iter().filter(|call| !call.pointer) {
        let Some(label) = LABEL.captures(call.case.text()) else {
            continue;
        };
        let name = label[1].to_lowercase();
        match found.iter_mut().find(|(known, _)| *known == name) {
            Some((_, targets)) => targets.push(call.target),
            None => found.push((name, vec![call.target])),
        }
    }
    found
}

/// The function that does a sub-call's work, of those that its case calls. It is named after the
/// sub-call (sock_bind of 1.0, do_shmat of 2.6), or it is another one's: SEMOP of 2.6 calls
/// sys_semtimedop, SYS_ACCEPT of 4.15 sys_accept4, SYS_SEND of 4.18 __sys_sendto.
fn dispatched(name: &str, targets: &[Sym]) -> Option<Sym> {
    let named = targets.iter().find(|target| target.text().ends_with(name));
    let found = named.or_else(|| targets.iter().find(|one| SYSTEM_CALL.is_match(one.text())));
    found.copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sub_call_is_named_after_its_label() {
        let call = |case: &str, target: &str| Call {
            case: Sym::new(case),
            target: Sym::new(target),
            ..Call::default()
        };
        let calls = [
            call("SYS_BIND", "audit"),
            call("SEMOP", "sys_semtimedop"),
            call("SYS_BIND", "sock_bind"),
        ];
        let found = cases(&calls);
        assert_eq!(found[0].0, "bind");
        assert_eq!(dispatched("bind", &found[0].1), Some(Sym::new("sock_bind")));
        assert_eq!(
            dispatched("semop", &found[1].1),
            Some(Sym::new("sys_semtimedop"))
        );
    }

    #[test]
    fn assembler_is_wanted_where_no_table_is_one_of_its_own() {
        let old = [
            "arch/i386/kernel/entry.S",
            "arch/arm/kernel/entry.S",
            "fs/open.c",
        ];
        assert_eq!(texts_wanted(&old), ["arch/i386/kernel/entry.S"]);
        let new = [
            "arch/x86/entry/entry_32.S",
            "arch/x86/entry/syscalls/syscall_32.tbl",
        ];
        assert_eq!(
            texts_wanted(&new),
            ["arch/x86/entry/syscalls/syscall_32.tbl"]
        );
    }
}
