//! The accounting of a release: every occurrence of a check's name, and where it went.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::call_graph::{Bounds, FURTHER};
use crate::chains::{ChainId, Chains};
use crate::checks::{Checks, Site};
use crate::facts::MentionKind;
use crate::intern::Sym;
use crate::names::{PathId, Program, View};
use crate::points_to::{Count, PointsTo};

/// How completely one release was read: counts of occurrences (see caphistory.records).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Audit {
    pub lexical: usize,
    pub calls: usize,
    pub macros: usize,
    pub definitions: usize,
    pub declarations: usize,
    pub unexplained: usize,
    pub functions: usize,
    pub parse_errors: usize,
    pub pointer_calls: usize,
    pub pointer_calls_resolved: usize,
}

/// One occurrence or file that the reading could not account for, or what it says of itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AuditDetail {
    pub kind: &'static str,
    pub path: Option<PathId>,
    pub line: Option<u32>,
    pub detail: String,
}

impl AuditDetail {
    fn at(kind: &'static str, path: PathId, line: u32, detail: &str) -> AuditDetail {
        AuditDetail {
            kind,
            path: Some(path),
            line: Some(line),
            detail: detail.into(),
        }
    }

    fn of_all(kind: &'static str, detail: String) -> AuditDetail {
        AuditDetail {
            kind,
            path: None,
            line: None,
            detail,
        }
    }
}

/// Where the facts have an occurrence.
#[derive(Clone, Copy)]
enum Place {
    Definition,
    Call,
    Macro,
}

/// Account for every occurrence of a check's name outside comments and strings.
///
/// `lexical` is counted in the text, by itself: the sum of the other counts is the proof that
/// nothing was lost. An occurrence that no parenthesis follows (a struct member, an exported
/// symbol) counts among the declarations.
pub fn audit(
    checks: &Checks<'_, '_, '_>,
    pointers: &PointsTo<'_, '_, '_>,
    sites: &[Site],
    bounds: &Bounds,
) -> (Audit, Vec<AuditDetail>) {
    let program = pointers.view.program;
    let names: FxHashSet<Sym> = checks.names().into_iter().collect();
    let mut accounted = accounted(program, &names);
    let mut row = Audit::default();
    let mut details = Vec::new();
    for path in program.files() {
        let blob = program.blob(path);
        for (line, name, kind) in blob.mentions.iter().chain(&blob.called) {
            if !names.contains(name) {
                continue;
            }
            row.lexical += 1;
            match accounted.get_mut(&(path, *line, *name)).and_then(Vec::pop) {
                Some(Place::Definition) => row.definitions += 1,
                Some(Place::Call) => row.calls += 1,
                Some(Place::Macro) => row.macros += 1,
                None if *kind != MentionKind::Call => row.declarations += 1,
                None => {
                    row.unexplained += 1;
                    details.push(AuditDetail::at("unexplained", path, *line, name.text()));
                }
            }
        }
    }
    let lost = sites.iter().filter(|site| site.check.function.is_none());
    details.extend(lost.map(|site| {
        let check = &site.check;
        AuditDetail::at(
            "no_function",
            check.path,
            check.line,
            check.check_name.text(),
        )
    }));
    details.extend(cut_off(bounds));
    details.push(cut_off_further(FURTHER));
    let functions = program
        .definitions
        .iter()
        .filter_map(|one| one.fact.function());
    row.functions = functions.clone().count();
    row.parse_errors = functions.filter(|function| function.error).count();
    let pointed = pointers.count();
    row.pointer_calls = pointed.calls;
    row.pointer_calls_resolved = pointed.resolved;
    details.extend(sharpness(&pointed));
    details.sort();
    (row, details)
}

/// Where the facts have each occurrence, by path, line and name.
fn accounted(
    program: &Program<'_>,
    names: &FxHashSet<Sym>,
) -> FxHashMap<(PathId, u32, Sym), Vec<Place>> {
    let mut found: FxHashMap<(PathId, u32, Sym), Vec<Place>> = FxHashMap::default();
    for name in names {
        let mut add = |path: PathId, line: u32, place: Place| {
            found.entry((path, line, *name)).or_default().push(place);
        };
        for one in program.by_name.get(*name) {
            let definition = &program[*one];
            add(definition.path, definition.line, Place::Definition);
        }
        for (caller, call) in program.calls.get(*name) {
            let caller = &program[*caller];
            let is_function = caller.fact.function().is_some();
            let place = if is_function {
                Place::Call
            } else {
                Place::Macro
            };
            add(caller.path, caller.item_line + call.line, place);
        }
        for macro_ in program.aliases.get(*name) {
            let macro_ = &program[*macro_];
            add(macro_.path, macro_.line, Place::Macro);
        }
    }
    found
}

/// The steps of chains that call a name which several files define for all others: one row for
/// each name and calling file, where it is called first.
pub fn ambiguous(
    view: &View<'_, '_>,
    chains: &Chains,
    of_rows: impl Iterator<Item = ChainId>,
) -> Vec<AuditDetail> {
    let mut found: BTreeMap<(&'static str, PathId), AuditDetail> = BTreeMap::new();
    let mut seen: FxHashSet<ChainId> = FxHashSet::default();
    for chain in of_rows {
        let mut at = Some(chain);
        while let Some(chain) = at {
            if !seen.insert(chain) {
                break; // so were those before it
            }
            let (before, following) = chains.last(chain);
            at = before;
            let Some((_, step)) = before.map(|before| chains.last(before)) else {
                break;
            };
            if step.via.is_some() {
                continue;
            }
            let others = view.ambiguous(following.function, step.path);
            // A pointer's target may have the same name.
            if others.is_empty() || others.contains(&following.path) {
                continue;
            }
            let key = (following.function.text(), step.path);
            if found
                .get(&key)
                .is_none_or(|known| Some(step.line) < known.line)
            {
                let detail = told(view.program, following.function, following.path, &others);
                let row = AuditDetail::at("ambiguous", step.path, step.line, &detail);
                found.insert(key, row);
            }
        }
    }
    found.into_values().collect()
}

fn told(program: &Program<'_>, function: Sym, path: PathId, others: &[PathId]) -> String {
    let others: Vec<&str> = others.iter().map(|other| program.path(*other)).collect();
    let path = program.path(path);
    format!(
        "{} of {path}, not of {}",
        function.text(),
        others.join(", ")
    )
}

/// How sharply calls through pointers were resolved.
fn sharpness(count: &Count) -> [AuditDetail; 2] {
    let mean = if count.resolved == 0 {
        0.0
    } else {
        count.targets as f64 / count.resolved as f64
    };
    let by_name = format!(
        "{} calls, of a member in which functions are stored, through a receiver of unknown type",
        count.by_name
    );
    let targets = format!(
        "{mean:.1} on average, {} at most ({})",
        count.most,
        count.widest.text()
    );
    [
        AuditDetail::of_all("pointer_calls_by_name", by_name),
        AuditDetail::of_all("targets_per_call", targets),
    ]
}

/// What is cut off is said with the release.
fn cut_off(bounds: &Bounds) -> Vec<AuditDetail> {
    let of_kind = bounds.iter().enumerate();
    let mut told: Vec<String> = of_kind
        .map(|(hops, most)| {
            format!("chains of more than {most} steps, {hops} of them through a pointer")
        })
        .collect();
    let most = bounds.len().saturating_sub(1);
    told.push(format!("chains of more than {most} pointer steps"));
    let details = told.into_iter();
    details
        .map(|detail| AuditDetail::of_all("cut_off", detail))
        .collect()
}

/// So are the bounds for what no syscall comes to within the usual ones.
fn cut_off_further(bounds: &Bounds) -> AuditDetail {
    let most: Vec<String> = bounds.iter().map(u8::to_string).collect();
    let detail = format!(
        "to sites that no syscall comes to so: chains of more than {} steps through 0 to {} pointers",
        most.join(", "),
        bounds.len().saturating_sub(1)
    );
    AuditDetail::of_all("cut_off", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_rounded_to_even_tenths_as_it_is_written() {
        let count = Count {
            calls: 4,
            resolved: 4,
            by_name: 0,
            targets: 1,
            most: 1,
            widest: Sym::new("hook"),
        };
        let [_, targets] = sharpness(&count);
        assert_eq!(targets.detail, "0.2 on average, 1 at most (hook)");
    }

    #[test]
    fn bounds_are_told_with_the_release() {
        let told = cut_off(&[14, 10]);
        assert_eq!(
            told[1].detail,
            "chains of more than 10 steps, 1 of them through a pointer"
        );
        assert_eq!(told[2].detail, "chains of more than 1 pointer steps");
    }
}
