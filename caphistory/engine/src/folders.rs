//! The files of a release and what their paths tell: paths go in, and numbers, architectures and
//! the parts of names come out.

use std::sync::{Arc, LazyLock};

use regex::Regex;
use rustc_hash::FxHashMap;

use crate::facts::Blob;
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

/// A pattern that is part of the program.
pub fn pattern(text: &str) -> Regex {
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

/// The last part of a path.
pub fn base_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// An include's name without the sign before it.
pub fn after_sign(name: Sym) -> &'static str {
    let mut rest = name.text().chars();
    rest.next();
    rest.as_str()
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
