//! Which files a kernel of one architecture is built from.

use std::sync::{Arc, LazyLock};

use regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::Blob;
use crate::includes::{Includes, base_name};
use crate::intern::Sym;

static ARCH_FOLDER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:arch/|include/asm-)([a-z0-9_]+)/"));
/// Programs that run beside the kernel, not in it.
static NOT_KERNEL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"^(?:tools|scripts|Documentation|usr|samples|boot",
        r"|arch/\w+/(?:boot|purgatory|realmode/rm|tools))/"
    ))
});
/// What user-mode Linux takes of a processor (arch/x86/um).
static USER_MODE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^arch/\w+/um/"));
/// What <…> finds in an architecture's folders: asm/x.h, and mach/x.h of arm.
static ASM: LazyLock<Regex> = LazyLock::new(|| pattern(r"^include/asm-[a-z0-9_]+/(.*\.h)$"));
static ARCH_INCLUDE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^arch/(?:\w+/)+?include/(?:uapi/)?(.*\.h)$"));

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of this module")
}

/// A system-call ABI: its name and the folders under `arch` (and `include/asm-…`) that a kernel
/// with it is built from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Abi {
    pub name: &'static str,
    pub folders: &'static [&'static str],
}

/// include/asm-generic: what architectures share that have none of their own.
pub const GENERIC: &str = "generic";
pub const I386: Abi = Abi {
    name: "i386",
    folders: &["i386", "x86", GENERIC],
};
pub const X86_64: Abi = Abi {
    name: "x86_64",
    folders: &["x86", "x86_64", GENERIC],
};

/// A file of a release: numbers are in the order of the paths' texts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PathId(pub u32);

impl PathId {
    /// As a place in a list with one for each file.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// The files of a release by number.
pub struct Files<'f> {
    paths: Vec<&'f str>,
    blobs: Vec<&'f Blob>,
    architectures: Vec<Sym>,
    by_path: FxHashMap<&'f str, PathId>,
}

impl<'f> Files<'f> {
    pub fn new(files: &'f [(String, Arc<Blob>)]) -> Files<'f> {
        let mut sorted: Vec<(&'f str, &'f Blob)> = files
            .iter()
            .map(|(path, blob)| (path.as_str(), &**blob))
            .collect();
        sorted.sort_by_key(|&(path, _)| path);
        sorted.dedup_by_key(|&mut (path, _)| path);
        let paths: Vec<&str> = sorted.iter().map(|&(path, _)| path).collect();
        Files {
            architectures: paths
                .iter()
                .map(|path| Sym::new(architecture(path)))
                .collect(),
            by_path: (0..)
                .map(PathId)
                .zip(&paths)
                .map(|(id, &path)| (path, id))
                .collect(),
            blobs: sorted.iter().map(|&(_, blob)| blob).collect(),
            paths,
        }
    }

    pub fn len(&self) -> usize {
        self.paths.len()
    }

    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// All of them, in order.
    pub fn all(&self) -> impl DoubleEndedIterator<Item = PathId> + use<> {
        (0..self.paths.len() as u32).map(PathId)
    }

    pub fn path(&self, file: PathId) -> &'f str {
        self.paths[file.at()]
    }

    pub fn blob(&self, file: PathId) -> &'f Blob {
        self.blobs[file.at()]
    }

    /// The architecture whose folder a file is in, as `architecture` has it.
    pub fn architecture(&self, file: PathId) -> Sym {
        self.architectures[file.at()]
    }

    pub fn find(&self, path: &str) -> Option<PathId> {
        self.by_path.get(path).copied()
    }
}

/// The architecture whose folder a file is in; empty for code of all of them, `-` for a program
/// that is no part of the kernel.
pub fn architecture(path: &str) -> &str {
    if NOT_KERNEL.is_match(path) {
        return "-";
    }
    if USER_MODE.is_match(path) {
        return "um";
    }
    ARCH_FOLDER
        .captures(path)
        .and_then(|found| found.get(1))
        .map_or("", |folder| folder.as_str())
}

/// Whether a file is named for the processors of another width: `process_32.c` for x86_64, as is
/// what only 32-bit programs use there (`arch/x86_64/ia32`).
pub fn of_other_width(path: &str, abi: &Abi) -> bool {
    if !path.starts_with("arch/") {
        return false;
    }
    if abi.name == "i386" {
        path.ends_with("_64.c")
    } else {
        path.ends_with("_32.c") || path.contains("/ia32/")
    }
}

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

/// An include's name without the sign before it.
pub fn after_sign(name: Sym) -> &'static str {
    let mut rest = name.text().chars();
    rest.next();
    rest.as_str()
}

/// The names by which other architectures' code includes their headers, without a sign.
fn headers_of_others<'f>(files: &Files<'f>, abi: &Abi) -> FxHashSet<std::borrow::Cow<'f, str>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_tells_the_architecture() {
        assert_eq!(architecture("arch/i386/kernel/traps.c"), "i386");
        assert_eq!(architecture("include/asm-generic/bug.h"), "generic");
        assert_eq!(architecture("arch/x86/um/ptrace.c"), "um");
        assert_eq!(architecture("arch/x86/boot/main.c"), "-");
        assert_eq!(architecture("fs/open.c"), "");
    }
}
