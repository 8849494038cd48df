//! Which functions and macros a name means: a name and the file that uses it go in, and the
//! definitions that are linked there come out.

use std::rc::Rc;

use rustc_hash::FxHashSet;

use super::{List, View};
use crate::conditions::terms;
use crate::folders::{PathId, of_other_width};
use crate::intern::Sym;
use crate::names::definitions::DefId;
use crate::names::keys::place_of;

impl<'p, 'f> View<'p, 'f> {
    /// The functions and macros that a name may mean in a file: more than one only where the
    /// preprocessor decides among them.
    pub fn resolve(&self, name: Sym, path: PathId) -> Rc<[DefId]> {
        if let Some(found) = self.known.borrow().resolved.get(&(name, path)) {
            return found.clone();
        }
        if !self.program.by_name.contains(name) {
            return Rc::default();
        }
        let visible = self.visible(name, path);
        let known = &mut *self.known.borrow_mut();
        let shared = known.shared.entry(name).or_default();
        if **shared != *visible {
            *shared = visible.into();
        }
        known.resolved.insert((name, path), shared.clone());
        shared.clone()
    }

    fn visible(&self, name: Sym, path: PathId) -> Vec<DefId> {
        let program = self.program;
        let own = program.by_name.at(name, path);
        if !own.is_empty() {
            return self.visible_here(name, path, own);
        }
        let mut candidates = self.for_others(name).to_vec();
        candidates.retain(|&one| self.sees(path, program[one].path));
        let exported: Vec<DefId> = only(&candidates, |one| program[one].exported);
        let mut included = only(&candidates, |one| {
            let theirs = program[one].path;
            program.may_be_included(theirs) && self.includes(path, theirs)
        });
        if !included.is_empty()
            && self
                .own_headers(name)
                .iter()
                .any(|one| included.contains(one))
        {
            included.retain(|&one| !self.is_generic(program[one].path));
        }
        if !included.is_empty() {
            if !exported.is_empty() && self.leaves_open(&included) {
                let mut chosen = self.choose(name, &exported, path);
                chosen.extend(included);
                return chosen;
            }
            return included;
        }
        if !exported.is_empty() {
            return self.choose(name, &exported, path);
        }
        // A header that is reached by a way that the tree does not show (generated headers,
        // -include): its inlines are better than nothing, if there is one only.
        let headers = only(&candidates, |one| self.is_header(program[one].path));
        let one_only = headers
            .windows(2)
            .all(|two| program[two[0]].path == program[two[1]].path);
        if one_only { headers } else { Vec::new() }
    }

    /// What a name means in a file that defines it.
    fn visible_here(&self, name: Sym, path: PathId, own: &[DefId]) -> Vec<DefId> {
        let mut strong = self.strong(name, path, own);
        if strong.is_empty() && self.is_generic(path) {
            // What the architecture has instead of a definition in a header of
            // include/asm-generic: BUG() of 2.6 and later, which calls panic() there alone.
            strong = self.own_headers(name);
        }
        if strong.is_empty() {
            strong = only(own, |one| self.possible(self.program[one].condition));
        }
        if strong.is_empty() {
            own.to_vec()
        } else {
            strong
        }
    }

    /// What a name may mean beyond the file that defines it: hundreds of drivers may have a static
    /// function or a macro of one name.
    fn for_others(&self, name: Sym) -> List {
        if let Some(found) = self.known.borrow().for_others.get(&name) {
            return found.clone();
        }
        let program = self.program;
        let found: List = only(program.by_name.get(name), |one| {
            let one = &program[one];
            (one.exported || program.may_be_included(one.path)) && self.possible(one.condition)
        })
        .into();
        self.known
            .borrow_mut()
            .for_others
            .insert(name, found.clone());
        found
    }

    /// The architecture's own definition of an external function that generic code defines too
    /// (`__weak`, or unless the architecture has one) and uses in the same file; the linker takes
    /// it. bpf_int_jit_compile of kernel/bpf/core.c, from 3.16 on.
    fn strong(&self, name: Sym, path: PathId, own: &[DefId]) -> Vec<DefId> {
        let program = self.program;
        let external = |&one: &DefId| program[one].exported && !program[one].of_module();
        if !program.files.architecture(path).is_empty() || !own.iter().all(external) {
            return Vec::new();
        }
        let theirs = only(&self.for_others(name), |one| {
            self.own[program[one].path.at()] && program[one].exported && !self.stands_in(one)
        });
        if theirs.is_empty() {
            theirs
        } else {
            self.choose(name, &theirs, path)
        }
    }

    /// What the architecture's own headers define, whatever is configured.
    fn own_headers(&self, name: Sym) -> Vec<DefId> {
        only(&self.for_others(name), |one| {
            let one = &self.program[one];
            self.own[one.path.at()]
                && !self.is_generic(one.path)
                && self.is_header(one.path)
                && one.condition.is_empty()
        })
    }

    fn choose(&self, name: Sym, exported: &[DefId], path: PathId) -> Vec<DefId> {
        let program = self.program;
        let chosen = self.nearest(exported, Some(path));
        if let Some(&first) = chosen.first()
            && chosen.len() < exported.len()
        {
            let taken = program[first].path;
            let mut others: Vec<PathId> = exported
                .iter()
                .map(|&one| program[one].path)
                .filter(|&one| one != taken)
                .collect();
            others.sort_unstable();
            others.dedup();
            self.known
                .borrow_mut()
                .ambiguous
                .insert((name, path), others);
        }
        chosen
    }

    /// Of several functions with the same external name, which no kernel holds at once, the one
    /// that is meant in `path` (None: by nobody in particular): one of a file that is not named for
    /// processors of another width; that is no stand-in for what is not configured; for generic
    /// code the architecture's, unless a module brings its own; of the file nearest to the caller's
    /// (most leading folders in common); of the architecture; of the shallowest and first path.
    pub fn nearest(&self, candidates: &[DefId], path: Option<PathId>) -> Vec<DefId> {
        let program = self.program;
        let files = &program.files;
        let same = |two: &[DefId]| program[two[0]].path == program[two[1]].path;
        if !candidates.is_empty() && candidates.windows(2).all(same) {
            return candidates.to_vec();
        }
        let text = path.map_or("", |path| files.path(path));
        let of_generic = path.is_none_or(|path| files.architecture(path).is_empty())
            && !candidates.iter().any(|&one| program[one].of_module());
        let rank = |&&one: &&DefId| {
            let file = program[one].path;
            let theirs = files.path(file);
            let common = text
                .split('/')
                .zip(theirs.split('/'))
                .take_while(|(a, b)| a == b)
                .count();
            let other = files.architecture(file).is_empty();
            (
                of_other_width(theirs, &self.abi),
                self.stands_in(one),
                of_generic && other,
                std::cmp::Reverse(common),
                other,
                theirs.matches('/').count(),
                file,
            )
        };
        match candidates.iter().min_by_key(rank) {
            Some(&best) => only(candidates, |one| program[one].path == program[best].path),
            None => Vec::new(),
        }
    }

    /// Whether a definition stands in for what is not configured: by its file, or as
    /// `memory_failure` of arch/x86/kernel/cpu/mce/core.c in 6.12.
    fn stands_in(&self, definition: DefId) -> bool {
        let definition = &self.program[definition];
        self.stand_ins[definition.path.at()]
            || terms(definition.condition.text()).any(|term| term.starts_with("!defined(CONFIG_"))
    }

    /// Whether the preprocessor may leave a header without these definitions: the stand-in for a
    /// function that is not configured (`do_shmat` of include/linux/shm.h, 2.6).
    fn leaves_open(&self, definitions: &[DefId]) -> bool {
        // What holds for all code of a kernel that is C.
        let holds = |term| matches!(term, "" | "defined(__KERNEL__)" | "!defined(__ASSEMBLY__)");
        let conditions: FxHashSet<&str> = definitions
            .iter()
            .map(|&one| self.program[one].condition.text())
            .collect();
        conditions.iter().all(|&one| {
            !terms(one).all(holds)
                && !conditions.contains(format!("!{one}").as_str())
                && !conditions.contains(format!("!({one})").as_str())
        })
    }

    /// For an external name with several functions and the file that uses it, the files of those
    /// that were not taken; as far as it was resolved.
    pub fn ambiguous(&self, name: Sym, path: PathId) -> Vec<PathId> {
        self.known
            .borrow()
            .ambiguous
            .get(&(name, path))
            .cloned()
            .unwrap_or_default()
    }

    /// Whether a function's name stands somewhere as a value, so that it may be called through a
    /// pointer.
    pub fn is_stored(&self, definition: DefId) -> bool {
        let name = self.program[definition].name;
        let place = place_of(name);
        let program = self.program;
        let stored = program.stored.paths(name);
        let flows = program
            .flows
            .get(place)
            .iter()
            .filter(|(_, flow)| flow.source == place);
        let passed = program
            .passed
            .get(place)
            .iter()
            .filter(|&&(_, call, position)| {
                call.arguments.get().get(position as usize) == Some(&place)
            });
        let paths: FxHashSet<PathId> = stored
            .chain(flows.map(|&(user, _)| program[user].path))
            .chain(passed.map(|&(user, _, _)| program[user].path))
            .collect();
        paths
            .into_iter()
            .any(|path| self.resolve(name, path).contains(&definition))
    }
}

fn only(definitions: &[DefId], wanted: impl Fn(DefId) -> bool) -> Vec<DefId> {
    definitions
        .iter()
        .copied()
        .filter(|&one| wanted(one))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use super::*;
    use crate::facts::Blob;
    use crate::names::program::Program;

    #[test]
    fn a_name_means_what_the_file_sees() {
        let store = crate::reader::Store::new();
        let file = |(path, text): (&str, &str)| {
            (
                path.to_owned(),
                Arc::new(crate::reader::read(text.as_bytes(), &store)),
            )
        };
        let files: Vec<(String, Arc<Blob>)> = [
            ("arch/alpha/a.c", "int f(void) { return 1; }\n"),
            ("arch/i386/a.c", "int f(void) { return 2; }\n"),
            (
                "fs/a.c",
                "static int g(void) { return 3; }\nint h(void) { return f() + g(); }\n",
            ),
            (
                "fs/b.c",
                "#include \"b.h\"\nint k(void) { return g() + f(); }\n",
            ),
            (
                "fs/b.h",
                "#if LINUX_VERSION_CODE < 0x20200\nstatic inline int g(void) { return 4; }\n\
                #else\nstatic inline int g(void) { return 5; }\n#endif\n",
            ),
        ]
        .map(file)
        .into();
        let program = Program::new(&files);
        let view = View::new(&program, crate::folders::I386, "2.2.24", &HashSet::new());
        let meant = |name: &str, path: &str| -> Vec<(&str, u32)> {
            let path = program.files.find(path).expect("a file");
            let found = view.resolve(Sym::new(name), path);
            found
                .iter()
                .map(|&one| (program.path(program[one].path), program[one].line))
                .collect()
        };
        assert_eq!(meant("f", "fs/b.c"), [("arch/i386/a.c", 1)]);
        assert_eq!(meant("g", "fs/a.c"), [("fs/a.c", 1)]);
        assert_eq!(meant("g", "fs/b.c"), [("fs/b.h", 4)]);
        assert_eq!(meant("k", "fs/a.c"), [("fs/b.c", 2)]);
        assert!(meant("nothing", "fs/a.c").is_empty());
    }
}
