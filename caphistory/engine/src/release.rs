//! Links one release: the facts of its files in, the rows that are stored of it out.

use std::collections::HashSet;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::audit::{Audit, AuditDetail, ambiguous, audit};
use crate::call_graph::{BOUNDS, Bounds, Edge, FURTHER, SWITCHED_OFF, build};
use crate::chains::{ChainId, Chains, Found, Question, Reached, Step, answer, constants, reached};
use crate::checks::{CheckSite, Checks, Site, Wrapper};
use crate::constant_propagation::Constants;
use crate::constant_propagation::walk::is_open;
use crate::facts::Blob;
use crate::folders::{Abi, I386, X86_64};
use crate::intern::Sym;
use crate::meaning::Meaning;
use crate::names::{DefId, PathId, Program, View};
use crate::open_files::OpenFiles;
use crate::points_to::PointsTo;
use crate::refusals::Refusals;
use crate::registrations::Registrations;
use crate::syscalls::{self, Entry, Texts, entries, has_x86_64};
use crate::table_sets::TableSets;
use crate::tables::capability_definitions;

// include/uapi came with 3.7.
const CAPABILITY_HEADERS: [&str; 2] = [
    "include/uapi/linux/capability.h",
    "include/linux/capability.h",
];

/// One `#define CAP_X number`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CapabilityDefinition {
    pub capability: Sym,
    pub number: Option<i64>,
    pub path: &'static str,
    pub line: u32,
    pub doc: Option<String>,
}

/// One row of a system-call table: number (None for what a multiplexer dispatches), names, and
/// where the entry function is defined, where a definition was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Syscall {
    pub abi: &'static str,
    pub number: Option<u32>,
    pub syscall: Sym,
    pub function: Sym,
    pub place: Option<(PathId, u32)>,
    pub parent: Option<Sym>,
}

/// One check site that a syscall can come to, by one operation, with its best evidence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyscallCheck {
    pub abi: &'static str,
    pub syscall: Sym,
    pub check: CheckSite,
    pub depth: u8,
    pub pointer_hops: u8,
    pub conditional: bool,
    pub feasible: bool,
    pub shared_by: usize,
    pub chain: ChainId,
    pub meaning: Meaning,
}

impl SyscallCheck {
    /// How the check is reached.
    pub fn reach(&self) -> &'static str {
        match (self.pointer_hops, self.depth) {
            (0, 0) => "direct",
            (0, _) => "call",
            _ => "pointer",
        }
    }
}

/// Everything that is stored of one release. `paths` are by their numbers.
#[derive(Clone, Debug)]
pub struct LinkedRelease {
    pub paths: Vec<String>,
    pub check_sites: Vec<CheckSite>,
    pub capability_definitions: Vec<CapabilityDefinition>,
    pub syscalls: Vec<Syscall>,
    pub syscall_checks: Vec<SyscallCheck>,
    pub wrappers: Vec<Wrapper>,
    pub audit: Audit,
    pub audit_details: Vec<AuditDetail>,
    pub chains: Chains,
}

/// Files by the ABI of a kernel.
#[derive(Clone, Debug, Default)]
pub struct ByAbi {
    pub i386: HashSet<String>,
    pub x86_64: HashSet<String>,
}

/// The files that a kernel is built from only where an option is off, and those that none is built
/// from.
#[derive(Clone, Debug, Default)]
pub struct LeftOut {
    pub stand_ins: ByAbi,
    pub unbuilt: ByAbi,
}

/// Which of a release's files hold tables that `link` reads itself.
pub fn texts_wanted<'a>(paths: &[&'a str]) -> Vec<&'a str> {
    let headers = paths
        .iter()
        .filter(|path| CAPABILITY_HEADERS.contains(path));
    let mut found = syscalls::texts_wanted(paths);
    found.extend(headers);
    found
}

/// Link a release: the facts of its files by path, and the contents of those that hold tables.
pub fn link(
    release: &str,
    files: &[(String, Arc<Blob>)],
    texts: &Texts<'_>,
    left_out: &LeftOut,
) -> LinkedRelease {
    let program = Program::new(files);
    let LeftOut { stand_ins, unbuilt } = left_out;
    let view =
        |abi, replaced, unbuilt| View::new(&program, abi, release, replaced).without(unbuilt);
    let mut linked = Kernel::link(&view(I386, &stand_ins.i386, &unbuilt.i386), texts);
    // One after the other: what one ABI's links take (0.9 GB for 6.8) is not needed twice.
    if has_x86_64(texts) {
        let of = Kernel::link(&view(X86_64, &stand_ins.x86_64, &unbuilt.x86_64), texts);
        linked.take_in(of);
    }
    let (audit, audit_details) = linked.audit;
    LinkedRelease {
        paths: program
            .files()
            .map(|path| program.path(path).into())
            .collect(),
        check_sites: ordered_sites(linked.check_sites),
        capability_definitions: definitions(texts),
        syscalls: linked.syscalls,
        syscall_checks: linked.syscall_checks,
        wrappers: ordered_wrappers(linked.wrappers),
        audit,
        audit_details,
        chains: linked.chains,
    }
}

/// The rows of a release as a kernel with one ABI: a wrapper may be another one there, and then
/// its calls are other sites.
struct Kernel {
    check_sites: FxHashSet<CheckSite>,
    syscalls: Vec<Syscall>,
    syscall_checks: Vec<SyscallCheck>,
    wrappers: FxHashSet<Wrapper>,
    audit: (Audit, Vec<AuditDetail>),
    chains: Chains,
}

impl Kernel {
    fn link(view: &View<'_, '_>, texts: &Texts<'_>) -> Kernel {
        let (program, abi) = (view.program, view.abi);
        let table = entries(view, texts);
        let begun: FxHashSet<DefId> = table.iter().filter_map(|entry| entry.definition).collect();
        let checks = Checks::find(view, &begun);
        let pointers = PointsTo::solve(view);
        let tables = TableSets::new(&pointers);
        let special = tables.special();
        let sites = checks.sites();
        let possible = |site: &Site| {
            let condition = site.check.condition;
            view.built(site.check.path) && condition.is_none_or(|one| view.possible(one))
        };
        let built: Vec<Site> = sites.iter().copied().filter(possible).collect();
        let all_checks = checks.definitions();
        let registrations = Registrations::new(&pointers);
        let registered = |edge: &Edge| registrations.names_of(edge);
        let mut chains = Chains::default();
        // What one search needs goes before the next: constants and the graph are large.
        let mut search = |sites: &[Site], bounds: [&Bounds; 2]| {
            let mut graph = build(&pointers, &tables, &all_checks, sites, &table, bounds[0]);
            let mut decided =
                constants(&pointers, &tables, &special, &registered, &mut graph, sites);
            let open_files = OpenFiles::find(&graph, view, &tables);
            let asked = Question {
                program,
                graph: &graph,
                entries: &table,
                sites,
                open_files: &open_files,
            };
            let refusals = Refusals::new(view, &checks, &graph);
            syscall_checks(abi, &asked, bounds, &mut decided, refusals, &mut chains)
        };
        let mut rows = search(&built, [BOUNDS, SWITCHED_OFF]);
        let lost = unreached(&built, &rows);
        rows.extend(nearest(search(&lost, [FURTHER, &[]])));
        // The release is accounted for once.
        let audit = if abi.name == I386.name {
            let (row, mut details) = audit(&checks, &pointers, &sites, BOUNDS);
            let of_rows = rows.iter().map(|check| check.chain);
            details.extend(ambiguous(view, &chains, of_rows));
            (row, details)
        } else {
            Default::default()
        };
        Kernel {
            check_sites: sites.iter().map(|site| site.check).collect(),
            syscalls: table.iter().map(|entry| syscall(view, entry)).collect(),
            syscall_checks: rows,
            wrappers: checks.wrappers().collect(),
            audit,
            chains,
        }
    }

    /// Add the rows of another ABI, but for its accounting.
    fn take_in(&mut self, other: Kernel) {
        self.check_sites.extend(other.check_sites);
        self.syscalls.extend(other.syscalls);
        self.wrappers.extend(other.wrappers);
        let numbers = self.chains.take_in(&other.chains);
        let moved = other.syscall_checks.into_iter().map(|check| SyscallCheck {
            chain: numbers[check.chain.0 as usize],
            ..check
        });
        self.syscall_checks.extend(moved);
    }
}

fn ordered_sites(all: FxHashSet<CheckSite>) -> Vec<CheckSite> {
    let text = |text: Option<Sym>| text.map_or("", Sym::text);
    let mut found: Vec<CheckSite> = all.into_iter().collect();
    let key = |one: &CheckSite| {
        let form = if one.of_macro { "macro" } else { "call" };
        let names = (
            text(one.function),
            one.check_name.text(),
            text(one.capability),
        );
        let rest = (text(one.argument), form, one.effect.text(), text(one.errno));
        (one.path, one.line, names, rest, text(one.condition))
    };
    found.sort_by(|one, other| key(one).cmp(&key(other)));
    found
}

fn ordered_wrappers(all: FxHashSet<Wrapper>) -> Vec<Wrapper> {
    let mut found: Vec<Wrapper> = all.into_iter().collect();
    let key = |one: &Wrapper| {
        let capability = one.capability.map_or("", Sym::text);
        let names = (
            one.name.text(),
            one.kind(),
            one.check_name.text(),
            capability,
        );
        (names, one.parameter, one.path, one.line)
    };
    found.sort_by(|one, other| key(one).cmp(&key(other)));
    found
}

fn definitions(texts: &Texts<'_>) -> Vec<CapabilityDefinition> {
    let found = CAPABILITY_HEADERS.iter().find_map(|path| {
        let found = capability_definitions(texts.get(path)?);
        (!found.is_empty()).then_some((*path, found))
    });
    let (path, found) = found.unwrap_or_default();
    let rows = found.into_iter().map(|one| CapabilityDefinition {
        capability: one.capability,
        number: one.number,
        path,
        line: one.line,
        doc: one.doc,
    });
    rows.collect()
}

fn syscall(view: &View<'_, '_>, entry: &Entry) -> Syscall {
    let definition = entry.definition.map(|one| &view.program[one]);
    Syscall {
        abi: view.abi.name,
        number: entry.number,
        syscall: entry.syscall,
        function: entry.function,
        place: definition.map(|one| (one.path, one.line)),
        parent: entry.parent,
    }
}

/// The sites that no row tells of.
fn unreached(sites: &[Site], rows: &[SyscallCheck]) -> Vec<Site> {
    let reached: FxHashSet<(PathId, u32)> = rows
        .iter()
        .map(|row| (row.check.path, row.check.line))
        .collect();
    let lost = |site: &&Site| !reached.contains(&(site.check.path, site.check.line));
    sites.iter().filter(lost).copied().collect()
}

/// The rows with the fewest pointer steps to their sites.
fn nearest(mut rows: Vec<SyscallCheck>) -> Vec<SyscallCheck> {
    let mut fewest: FxHashMap<(PathId, u32), u8> = FxHashMap::default();
    for row in &rows {
        let hops = fewest
            .entry((row.check.path, row.check.line))
            .or_insert(u8::MAX);
        *hops = row.pointer_hops.min(*hops);
    }
    rows.retain(|row| fewest[&(row.check.path, row.check.line)] == row.pointer_hops);
    rows
}

/// One row for each syscall and check site that it comes to, with its best chain: of those that no
/// constant on the way switches off, else (not `feasible`) of all.
///
/// `shared_by` counts the syscalls that feasibly come to the site with no more pointer steps than
/// this row: over pointers nearly every syscall comes to nearly every check, which must not make a
/// close one look common.
fn syscall_checks(
    abi: Abi,
    asked: &Question<'_>,
    [bounds, switched_off]: [&Bounds; 2],
    decided: &mut Constants<'_, '_, '_, '_>,
    mut refusals: Refusals<'_, '_, '_, '_>,
    chains: &mut Chains,
) -> Vec<SyscallCheck> {
    let (program, sites) = (asked.program, asked.sites);
    let feasible = reached(asked, bounds, Some(decided), &Reached::default(), chains);
    let every = reached(asked, switched_off, None, &feasible, chains);
    let shared = shared(&feasible, sites.len());
    let mut rows = Vec::new();
    for ((entry, every), sure) in asked.entries.iter().zip(&every).zip(&feasible) {
        let is_sure = |site: &u32| answer(sure, *site).is_some();
        let others = every.iter().filter(|(site, _)| !is_sure(site));
        let all = sure.iter().map(|one| (one, true));
        let mut all: Vec<_> = all.chain(others.map(|one| (one, false))).collect();
        all.sort_by_key(|((site, _), _)| *site);
        for ((number, found), feasible) in all {
            let site = &sites[*number as usize];
            let counts = &shared[*number as usize];
            let last = Step {
                function: program[site.definition].name,
                path: site.check.path,
                line: site.check.line,
                via: None,
                hops: 0,
            };
            // What one operation leads to is told as it is.
            let clearer = entry
                .definition
                .filter(|_| feasible && found.operation.is_empty());
            let clearer = clearer.and_then(|entry| {
                let mut open = |steps: &[&Edge]| is_open(decided, entry, steps, site);
                refusals.clearer(site, entry, found, chains, &mut open)
            });
            let found = clearer.as_ref().unwrap_or(found);
            let refusal = refusals.find(site, found, chains);
            rows.push(SyscallCheck {
                abi: abi.name,
                syscall: entry.syscall,
                check: site.check,
                depth: found.depth,
                pointer_hops: found.pointer_hops,
                conditional: site.conditional || found.conditional,
                feasible,
                shared_by: counts
                    .iter()
                    .take(usize::from(found.pointer_hops) + 1)
                    .sum(),
                chain: chains.longer(found.chain, last),
                meaning: Meaning {
                    operation: found.operation,
                    effect: refusal.effect,
                    errno: refusal.errno,
                    instead: refusal.instead,
                    subject: refusal.subject,
                    namespace: refusal.namespace,
                },
            });
        }
    }
    rows
}

/// For each site, how many syscalls come to it with so many pointer steps.
fn shared(found: &Reached, sites: usize) -> Vec<[usize; FURTHER.len()]> {
    let mut counts = vec![[0; FURTHER.len()]; sites];
    for of_entry in found {
        // Of an entry's chains to a site the best comes first.
        let best = of_entry.chunk_by(|(one, _), (other, _)| one == other);
        for (site, Found { pointer_hops, .. }) in best.filter_map(|chains| chains.first()) {
            counts[*site as usize][usize::from(*pointer_hops)] += 1;
        }
    }
    counts
}
