//! Which struct, typedef or variable a name means: a name and the file that uses it go in, and the
//! declaration that the file sees comes out.

use rustc_hash::FxHashMap;

use super::{Known, Type, View};
use crate::facts::{Struct, Variable};
use crate::folders::PathId;
use crate::intern::Sym;
use crate::names::definitions::Fact;
use crate::names::index::Index;

impl<'p, 'f> View<'p, 'f> {
    /// The struct that a type's name means in a file: its tag, the file of its definition and the
    /// definition.
    pub fn struct_(&self, type_: Sym, path: PathId) -> Option<(Sym, PathId, &'f Struct)> {
        let (tag, place) = self.type_(type_, path)?;
        let definition = widest(self.program.structs.at(tag, place))?;
        Some((tag, place, definition))
    }

    /// The tag and the file of the struct that a type's name means in a file.
    pub fn type_(&self, type_: Sym, path: PathId) -> Option<Type> {
        if let Some(&found) = self.known.borrow().meant.get(&(type_, path)) {
            return found;
        }
        let found = self.meant(type_, path);
        self.known.borrow_mut().meant.insert((type_, path), found);
        found
    }

    fn meant(&self, mut type_: Sym, path: PathId) -> Option<Type> {
        for _ in 0..6 {
            type_ = self.renamed(type_, path);
            if let Some(place) = self.struct_in(type_, path) {
                return Some((type_, place));
            }
            let text = type_.text();
            if text.is_empty() || text.starts_with("struct ") || text.starts_with("union ") {
                return None;
            }
            let place = self.typedef_in(type_, path)?;
            type_ = *self.program.typedefs.at(type_, place).first()?;
        }
        None
    }

    /// A struct's type, if a macro that the file sees renames its tag: 2.2 drivers of 2.3 have
    /// `#define net_device device`.
    fn renamed(&self, type_: Sym, path: PathId) -> Sym {
        let Some((kind, tag)) = type_
            .text()
            .rsplit_once(' ')
            .filter(|(kind, _)| !kind.is_empty())
        else {
            return type_;
        };
        for &id in &*self.resolve(Sym::new(tag), path) {
            let definition = &self.program[id];
            if let Fact::Macro(macro_) = definition.fact
                && macro_.parameters.is_none()
                && !macro_.alias.is_empty()
                && (definition.path == path || self.includes(path, definition.path))
            {
                return Sym::new(&format!("{kind} {}", macro_.alias.text()));
            }
        }
        type_
    }

    /// The variable that a name means in a file, with the file of its declaration if it is static.
    pub fn variable(&self, name: Sym, path: PathId) -> Option<(Option<PathId>, &'f Variable)> {
        let variables = &self.program.variables;
        if !variables.contains(name) {
            return None;
        }
        if let Some(best) = typed(variables.at(name, path).iter().copied()) {
            return Some((best.is_static.then_some(path), best));
        }
        let mut known = self.shared_variables.borrow_mut();
        let shared = known.entry(name).or_insert_with(|| {
            typed(
                variables
                    .get(name)
                    .iter()
                    .copied()
                    .filter(|one| !one.is_static),
            )
        });
        if let Some(best) = shared {
            return Some((None, *best));
        }
        let place = variables
            .paths(name)
            .find(|&place| self.includes(path, place))?;
        Some((Some(place), variables.at(name, place).first()?))
    }

    fn struct_in(&self, tag: Sym, path: PathId) -> Option<PathId> {
        self.pick(&self.program.structs, |known| &mut known.structs, tag, path)
    }

    fn typedef_in(&self, name: Sym, path: PathId) -> Option<PathId> {
        self.pick(
            &self.program.typedefs,
            |known| &mut known.typedefs,
            name,
            path,
        )
    }

    fn pick<T: Copy>(
        &self,
        index: &Index<T>,
        table: impl Fn(&mut Known) -> &mut FxHashMap<(Sym, PathId), Option<PathId>>,
        key: Sym,
        path: PathId,
    ) -> Option<PathId> {
        if !index.contains(key) {
            return None;
        }
        if let Some(&found) = table(&mut self.known.borrow_mut()).get(&(key, path)) {
            return found;
        }
        let found = self.picked(index, key, path);
        table(&mut self.known.borrow_mut()).insert((key, path), found);
        found
    }

    /// Of the files with a definition, the one that `path` sees: itself, else one that it includes,
    /// else a header that this ABI is built with, else the first.
    fn picked<T: Copy>(&self, index: &Index<T>, key: Sym, path: PathId) -> Option<PathId> {
        if !index.at(key, path).is_empty() {
            return Some(path);
        }
        let places: Vec<PathId> = index
            .paths(key)
            .filter(|&place| self.sees(path, place))
            .collect();
        if places.len() <= 1 {
            return places.first().copied();
        }
        let mut all = places.iter().copied();
        let mut headers = places
            .iter()
            .copied()
            .filter(|&place| self.is_header(place));
        all.clone()
            .find(|&place| self.includes(path, place))
            .or_else(|| headers.next())
            .or_else(|| all.next())
    }
}

/// The first variable with a type, else the first.
fn typed<'f>(variables: impl Iterator<Item = &'f Variable> + Clone) -> Option<&'f Variable> {
    let mut all = variables.clone();
    variables
        .clone()
        .find(|one| !one.type_.is_empty())
        .or_else(|| all.next())
}

/// Of several definitions in one file (#ifdef), the one with the most members.
fn widest<'f>(structs: &[&'f Struct]) -> Option<&'f Struct> {
    structs
        .iter()
        .rev()
        .copied()
        .max_by_key(|one| one.members.len())
}
