//! Which files and macros only other architectures can have: the files of a release and what they
//! include go in, and for each file whether it is one comes out, and the macros' names.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use rustc_hash::FxHashSet;

use crate::folders::{Abi, Files, PathId, after_sign, base_name, pattern};
use crate::includes::Includes;

/// What <…> finds in an architecture's folders: asm/x.h, and mach/x.h of arm.
static ASM: LazyLock<Regex> = LazyLock::new(|| pattern(r"^include/asm-[a-z0-9_]+/(.*\.h)$"));
static ARCH_INCLUDE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^arch/(?:\w+/)+?include/(?:uapi/)?(.*\.h)$"));

/// The files outside the architectures' folders that no kernel with this ABI can be built from, as
/// they include, under no condition, a header that only other architectures have
/// (drivers/sgi/char/shmiq.c of 2.2), or a file that does. By file, whether it is one.
pub fn foreign(files: &Files<'_>, abi: &Abi, includes: &mut Includes<'_, '_>) -> Vec<bool> {
    let theirs = headers_of_others(files, abi);
    let generic: Vec<PathId> = files
        .all()
        .filter(|&file| files.architecture(file).is_empty())
        .collect();
    let mut found = vec![false; files.len()];
    let mut latest: Vec<PathId> = generic
        .iter()
        .copied()
        .filter(|&file| {
            files.blob(file).required.iter().any(|&name| {
                theirs.contains(after_sign(name)) && includes.targets(name, file).is_empty()
            })
        })
        .collect();
    while !latest.is_empty() {
        for &file in &latest {
            found[file.at()] = true;
        }
        let names: FxHashSet<&str> = latest
            .iter()
            .map(|&file| base_name(files.path(file)))
            .collect();
        latest = generic
            .iter()
            .copied()
            .filter(|&file| {
                !found[file.at()]
                    && files.blob(file).required.iter().any(|&name| {
                        names.contains(base_name(after_sign(name)))
                            && includes
                                .targets(name, file)
                                .first()
                                .is_some_and(|target| found[target.at()])
                    })
            })
            .collect();
    }
    found
}

/// The macros that only other architectures' headers define: no file of a kernel with this ABI, and
/// no user, as does the configuration. drivers/pci/proc.c (2.2.24) has `#ifdef HAVE_PCI_MMAP`, which
/// only asm-sparc64/pci.h defines.
pub fn macros_of_others<'f>(files: &Files<'f>, abi: &Abi) -> FxHashSet<&'f str> {
    let (mut theirs, mut ours) = (FxHashSet::default(), FxHashSet::default());
    for file in files.all() {
        let folder = files.architecture(file).text();
        let blob = files.blob(file);
        let constants = blob.constants.iter().map(|one| one.name.text());
        if folder.is_empty() || abi.folders.contains(&folder) {
            let macros = blob.items.iter().filter_map(|one| one.item.macro_.as_ref());
            ours.extend(macros.map(|one| one.name.text()).chain(constants));
        } else if ASM.is_match(files.path(file)) || ARCH_INCLUDE.is_match(files.path(file)) {
            theirs.extend(constants.filter(|name| !name.starts_with("CONFIG_")));
        }
    }
    theirs.retain(|name| !ours.contains(name));
    theirs
}

/// The names by which other architectures' code includes their headers, without a sign.
fn headers_of_others<'f>(files: &Files<'f>, abi: &Abi) -> FxHashSet<Cow<'f, str>> {
    let mut found = FxHashSet::default();
    for file in files.all() {
        let folder = files.architecture(file).text();
        if folder.is_empty() || abi.folders.contains(&folder) {
            continue;
        }
        let path = files.path(file);
        let of = |pattern: &Regex| {
            pattern
                .captures(path)
                .and_then(|found| found.get(1))
                .map(|name| name.as_str())
        };
        if let Some(name) = of(&ASM) {
            found.insert(format!("asm/{name}").into());
        } else if let Some(name) = of(&ARCH_INCLUDE) {
            found.insert(name.into());
        }
    }
    found
}
