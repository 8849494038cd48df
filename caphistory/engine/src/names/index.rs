//! Finds things by name and file: the things go in as their files are read, and those of a key, of
//! a file or of both come out, in that order.

use std::hash::Hash;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::folders::PathId;
use crate::intern::Sym;

/// Things by name and file.
#[derive(Clone, Debug)]
pub struct Index<T> {
    /// By key, then by file, then as they came.
    things: Vec<T>,
    groups: Vec<Group>,
    /// Where the groups of a key begin and end.
    keys: FxHashMap<Sym, (u32, u32)>,
    order: Vec<Sym>,
    /// The groups by file, in order of first appearance in it, and where each file's begin.
    held: Vec<u32>,
    starts: Vec<u32>,
}

/// The things of one key and file.
#[derive(Clone, Copy, Debug)]
struct Group {
    key: Sym,
    path: PathId,
    start: u32,
    end: u32,
}

impl<T: Copy> Index<T> {
    /// What a file itself has under a key.
    pub fn at(&self, key: Sym, path: PathId) -> &[T] {
        let groups = self.groups(key);
        match groups.binary_search_by_key(&path, |group| group.path) {
            Ok(found) => self.of(&groups[found]),
            Err(_) => &[],
        }
    }

    /// All under a key, by path.
    pub fn get(&self, key: Sym) -> &[T] {
        match self.groups(key) {
            [] => &[],
            [first, .., last] => &self.things[first.start as usize..last.end as usize],
            [only] => self.of(only),
        }
    }

    /// The files that have a key, in order.
    pub fn paths(&self, key: Sym) -> impl ExactSizeIterator<Item = PathId> + '_ {
        self.groups(key).iter().map(|group| group.path)
    }

    /// All that a file has, by key, in order of first appearance.
    pub fn held(&self, path: PathId) -> impl Iterator<Item = (Sym, &[T])> {
        let start = self.starts.get(path.at()).copied().unwrap_or(0) as usize;
        let end = self.starts.get(path.at() + 1).copied().unwrap_or(0) as usize;
        self.held
            .get(start..end)
            .unwrap_or(&[])
            .iter()
            .map(|&group| {
                let group = &self.groups[group as usize];
                (group.key, self.of(group))
            })
    }

    /// What the wanted files have under a key, by path.
    pub(super) fn of_files<'i>(
        &'i self,
        key: Sym,
        wanted: impl Fn(PathId) -> bool + 'i,
    ) -> impl Iterator<Item = T> + 'i {
        self.groups(key)
            .iter()
            .filter(move |group| wanted(group.path))
            .flat_map(|group| self.of(group))
            .copied()
    }

    pub fn contains(&self, key: Sym) -> bool {
        self.keys.contains_key(&key)
    }

    /// All keys, in order of first appearance.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = Sym> + '_ {
        self.order.iter().copied()
    }

    fn groups(&self, key: Sym) -> &[Group] {
        match self.keys.get(&key) {
            Some(&(start, end)) => &self.groups[start as usize..end as usize],
            None => &[],
        }
    }

    fn of(&self, group: &Group) -> &[T] {
        &self.things[group.start as usize..group.end as usize]
    }
}

/// Gathers what an index is to hold, file by file in their order.
pub struct Gathering<T> {
    entries: Vec<(Sym, PathId, T)>,
}

impl<T: Copy> Default for Gathering<T> {
    fn default() -> Self {
        Gathering {
            entries: Vec::new(),
        }
    }
}

impl<T: Copy> Gathering<T> {
    pub fn add(&mut self, key: Sym, path: PathId, thing: T) {
        self.entries.push((key, path, thing));
    }

    /// The index of it all, in a release of so many files.
    pub fn finish(self, files: usize) -> Index<T> {
        let entries = self.entries;
        let (order, by_key) = sorted_by_key(&entries);
        let mut index = Index {
            things: by_key.iter().map(|&n| entries[n as usize].2).collect(),
            groups: Vec::new(),
            keys: FxHashMap::default(),
            order,
            held: Vec::new(),
            starts: Vec::with_capacity(files + 1),
        };
        // The groups as they came, file by file.
        let mut came: Vec<(u32, u32)> = Vec::new();
        for (place, &n) in (0..).zip(&by_key) {
            let (key, path, _) = entries[n as usize];
            match index.groups.last_mut() {
                Some(last) if last.key == key && last.path == path => last.end = place + 1,
                _ => {
                    let group = index.groups.len() as u32;
                    came.push((n, group));
                    index.groups.push(Group {
                        key,
                        path,
                        start: place,
                        end: place + 1,
                    });
                    index.keys.entry(key).or_insert((group, group)).1 = group + 1;
                }
            }
        }
        came.sort_unstable();
        index.held = came.iter().map(|&(_, group)| group).collect();
        let mut at = 0;
        for path in 0..=files as u32 {
            while index
                .held
                .get(at)
                .is_some_and(|&g| index.groups[g as usize].path.0 < path)
            {
                at += 1;
            }
            index.starts.push(at as u32);
        }
        index
    }
}

/// The keys in order of first appearance, and the entries' numbers by key, then as they came.
fn sorted_by_key<T>(entries: &[(Sym, PathId, T)]) -> (Vec<Sym>, Vec<u32>) {
    let mut numbers: FxHashMap<Sym, u32> = FxHashMap::default();
    let mut order = Vec::new();
    let mut counts: Vec<u32> = Vec::new();
    let mut keys = Vec::with_capacity(entries.len());
    for &(key, _, _) in entries {
        let number = *numbers.entry(key).or_insert_with(|| {
            order.push(key);
            counts.push(0);
            counts.len() as u32 - 1
        });
        counts[number as usize] += 1;
        keys.push(number);
    }
    let mut next = 0;
    for count in &mut counts {
        next += *count;
        *count = next - *count;
    }
    let mut sorted = vec![0; entries.len()];
    for (entry, key) in (0..).zip(keys) {
        let place = &mut counts[key as usize];
        sorted[*place as usize] = entry;
        *place += 1;
    }
    (order, sorted)
}

/// Things once each, in order of first appearance.
pub(crate) fn distinct<T: Copy + Eq + Hash>(things: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = FxHashSet::default();
    things.filter(|&one| seen.insert(one)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_finds_by_key_and_file() {
        let [a, b] = ["a", "b"].map(Sym::new);
        let mut gathering = Gathering::default();
        for (key, path, thing) in [(b, 0, 1), (a, 0, 2), (b, 0, 3), (a, 2, 4), (b, 2, 5)] {
            gathering.add(key, PathId(path), thing);
        }
        let index = gathering.finish(3);
        assert_eq!(index.get(b), [1, 3, 5]);
        assert_eq!(index.at(a, PathId(2)), [4]);
        assert!(index.at(a, PathId(1)).is_empty());
        assert_eq!(
            index.held(PathId(0)).collect::<Vec<_>>(),
            [(b, &[1, 3][..]), (a, &[2])]
        );
        assert_eq!(index.held(PathId(1)).count(), 0);
        assert_eq!(
            index.held(PathId(2)).collect::<Vec<_>>(),
            [(a, &[4][..]), (b, &[5])]
        );
        assert_eq!(index.paths(a).collect::<Vec<_>>(), [PathId(0), PathId(2)]);
        assert_eq!(index.keys().collect::<Vec<_>>(), [b, a]);
        assert!(!index.contains(Sym::new("c")));
    }
}
