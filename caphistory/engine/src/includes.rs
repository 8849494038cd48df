//! Which files each file of a release includes, as a kernel with one ABI is built.

use rustc_hash::FxHashMap;

use crate::folders::{Abi, Files, GENERIC, PathId, after_sign};
use crate::intern::Sym;

const UNKNOWN: u32 = u32::MAX;

/// A set of files as a bit for each that some file includes.
type Bits = Box<[u64]>;

/// What files include; each answer is worked out when it is asked for first.
pub struct Includes<'p, 'f> {
    files: &'p Files<'f>,
    abi: Abi,
    bits: Vec<u32>,
    used: u32,
    direct: Vec<Option<Box<[PathId]>>>,
    closures: Vec<Option<Bits>>,
    /// What a name means wherever it stands, by the only architecture whose headers count there,
    /// if it is one.
    anywhere: FxHashMap<(&'static str, Sym), Vec<PathId>>,
}

impl<'p, 'f> Includes<'p, 'f> {
    pub fn new(files: &'p Files<'f>, abi: Abi) -> Includes<'p, 'f> {
        Includes {
            files,
            abi,
            bits: vec![UNKNOWN; files.len()],
            used: 0,
            direct: vec![None; files.len()],
            closures: vec![None; files.len()],
            anywhere: FxHashMap::default(),
        }
    }

    /// Whether a file includes another one, directly or not.
    pub fn sees(&mut self, path: PathId, other: PathId) -> bool {
        self.close(path);
        let bit = self.bits[other.at()];
        bit != UNKNOWN
            && self.closures[path.at()]
                .as_ref()
                .is_some_and(|set| has(set, bit))
    }

    fn close(&mut self, path: PathId) {
        if self.closures[path.at()].is_some() {
            return;
        }
        // The headers first, which most other files include too.
        if !self.is_header(path) {
            self.know_direct(path);
            for n in 0..self.direct_of(path).len() {
                let target = self.direct_of(path)[n];
                if self.is_header(target) && self.closures[target.at()].is_none() {
                    let closure = self.closure(target);
                    self.closures[target.at()] = Some(closure);
                }
            }
        }
        let closure = self.closure(path);
        self.closures[path.at()] = Some(closure);
    }

    fn closure(&mut self, path: PathId) -> Bits {
        let mut found: Vec<u64> = Vec::new();
        let mut waiting = vec![path];
        while let Some(one) = waiting.pop() {
            self.know_direct(one);
            for n in 0..self.direct_of(one).len() {
                let target = self.direct_of(one)[n];
                let bit = self.bit(target);
                if has(&found, bit) {
                    continue;
                }
                set(&mut found, bit);
                match &self.closures[target.at()] {
                    None => waiting.push(target),
                    Some(known) => {
                        if found.len() < known.len() {
                            found.resize(known.len(), 0);
                        }
                        for (all, more) in found.iter_mut().zip(known) {
                            *all |= more;
                        }
                    }
                }
            }
        }
        found.into()
    }

    fn is_header(&self, path: PathId) -> bool {
        self.files.path(path).ends_with(".h")
    }

    fn bit(&mut self, path: PathId) -> u32 {
        let bit = &mut self.bits[path.at()];
        if *bit == UNKNOWN {
            *bit = self.used;
            self.used += 1;
        }
        *bit
    }

    /// The files that a file names itself, once `know_direct` was there.
    fn direct_of(&self, path: PathId) -> &[PathId] {
        self.direct[path.at()].as_deref().unwrap_or(&[])
    }

    fn know_direct(&mut self, path: PathId) {
        if self.direct[path.at()].is_none() {
            let names = self.files.blob(path).includes;
            let found: Vec<PathId> = names
                .iter()
                .flat_map(|&name| self.targets(name, path))
                .collect();
            self.direct[path.at()] = Some(found.into());
        }
    }

    /// The files that an include's name (`<asm/io.h`) means in a file, two at most.
    pub fn targets(&mut self, name: Sym, at: PathId) -> Vec<PathId> {
        let target = after_sign(name);
        let mut found = Vec::new();
        if name.text().starts_with('"') {
            found.extend(self.files.find(&beside(self.files.path(at), target)));
        }
        let mine = self.files.architecture(at);
        let alone = if self.abi.folders.contains(&mine.text()) {
            Sym::default()
        } else {
            mine
        };
        let files = self.files;
        let folders = self.abi.folders;
        let others = self
            .anywhere
            .entry((target, alone))
            .or_insert_with(|| anywhere(files, target, alone.text(), folders));
        found.extend(others.iter());
        found.truncate(2);
        found
    }
}

/// The files that an include's name means whatever folder the including file is in; `alone` is the
/// only architecture whose headers count, unless it is empty.
fn anywhere(files: &Files<'_>, target: &str, alone: &str, folders: &[&str]) -> Vec<PathId> {
    let mut found = Vec::new();
    if let Some(rest) = target.strip_prefix("asm/") {
        let mut folders: Vec<&str> = if alone.is_empty() {
            folders.to_vec()
        } else {
            vec![alone]
        };
        // A platform's header stands before the generic one that it may include.
        folders.sort_by_key(|&folder| (folder == GENERIC, folder));
        for folder in folders {
            found.extend(files.find(&format!("include/asm-{folder}/{rest}")));
            // from 3.7 on
            found.extend(files.find(&format!("include/uapi/asm-{folder}/{rest}")));
            found.extend(files.find(&format!("arch/{folder}/include/asm/{rest}")));
            found.extend(files.find(&format!("arch/{folder}/include/uapi/asm/{rest}")));
        }
    }
    found.extend(files.find(&format!("include/{target}")));
    found.extend(files.find(&format!("include/uapi/{target}")));
    found.truncate(2);
    found
}

fn has(set: &[u64], bit: u32) -> bool {
    set.get(bit as usize / 64)
        .is_some_and(|word| word >> (bit % 64) & 1 == 1)
}

fn set(set: &mut Vec<u64>, bit: u32) {
    let word = bit as usize / 64;
    if set.len() <= word {
        set.resize(word + 1, 0);
    }
    set[word] |= 1 << (bit % 64);
}

/// The path of what a file names by a path from its own folder.
fn beside(path: &str, target: &str) -> String {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    if target.starts_with('/') || folder.is_empty() {
        normal(target)
    } else {
        normal(&format!("{folder}/{target}"))
    }
}

/// A path without empty parts, `.` and `..`, as Python's posixpath.normpath has it.
fn normal(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    let slashes = match path {
        _ if path.starts_with("//") && !path.starts_with("///") => "//",
        _ if path.starts_with('/') => "/",
        _ => "",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if slashes.is_empty() && parts.last().is_none_or(|&last| last == "..") => {
                parts.push(part);
            }
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let joined = format!("{slashes}{}", parts.join("/"));
    if joined.is_empty() {
        ".".to_owned()
    } else {
        joined
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_joined_and_made_normal() {
        assert_eq!(
            beside("drivers/scsi/sd.c", "../block/blk.h"),
            "drivers/block/blk.h"
        );
        assert_eq!(beside("a.c", "../../b.h"), "../../b.h");
        assert_eq!(beside("x/a.c", "./b//c.h"), "x/b/c.h");
        assert_eq!(beside("x/a.c", "/b.h"), "/b.h");
        assert_eq!(normal("x/.."), ".");
        assert_eq!(normal("//x"), "//x");
        assert_eq!(normal("/../x"), "/x");
    }
}
