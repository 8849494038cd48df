//! Code that kernel threads alone run: the condition of a call goes in, and whether no other task
//! can meet it comes out.
//!
//! `if (cwq->thread == current) run_workqueue(cwq);` (2.6.4 on) is for a worker that flushes its own
//! queue: whoever else comes there waits. That a member holds such a task, and nothing else, shows
//! where it is set, which is all in one file where that defines the struct.

use std::cell::RefCell;

use rustc_hash::FxHashMap;

use crate::facts::Function;
use crate::intern::{Expr, ExprList, Sym};
use crate::names::{DefId, PathId, View};

/// How the names of the functions begin that make a kernel thread (kthread_create, kthread_run).
const MAKERS: &str = "@kthread_";
const CURRENT: &str = ":current";

/// Which members of structs hold kernel threads alone.
pub struct KernelThreads<'v, 'p, 'f> {
    view: &'v View<'p, 'f>,
    known: RefCell<FxHashMap<(PathId, Sym), bool>>,
}

impl<'v, 'p, 'f> KernelThreads<'v, 'p, 'f> {
    pub fn new(view: &'v View<'p, 'f>) -> Self {
        KernelThreads {
            view,
            known: RefCell::default(),
        }
    }

    /// Whether what stands under these conditions in a function is run by a kernel thread alone.
    pub fn run(&self, user: DefId, guards: ExprList) -> bool {
        guards.iter().any(|guard| self.ask(user, *guard))
    }

    fn ask(&self, user: DefId, guard: Expr) -> bool {
        match guard.as_tuple() {
            Some(("==", [one, other])) => {
                let mut sides = [(one, other), (other, one)].into_iter();
                sides.any(|(one, other)| {
                    one.as_text() == Some(CURRENT)
                        && other
                            .as_sym()
                            .is_some_and(|place| self.is_thread(user, place))
                })
            }
            Some(("&&", all)) => all.iter().any(|one| self.ask(user, *one)),
            Some(("!", [inner])) => match inner.as_tuple() {
                Some(("!=", sides)) => self.ask(user, Expr::tuple("==", sides)),
                _ => false,
            },
            _ => false,
        }
    }

    /// Whether a member of what a parameter points to (`$cwq>thread`) is a kernel thread.
    fn is_thread(&self, user: DefId, place: Sym) -> bool {
        let definition = &self.view.program[user];
        let holder = place.text().split_once('>').and_then(|(name, member)| {
            let function = definition.fact.function()?;
            let mut all = function.parameters.iter();
            let parameter = all.find(|one| Some(one.name.text()) == name.strip_prefix('$'))?;
            let (_, path) = self.view.type_(parameter.type_, definition.path)?;
            Some((path, Sym::new(member)))
        });
        let Some((path, member)) = holder.filter(|(path, _)| *path == definition.path) else {
            return false;
        };
        let made = || self.is_made(path, member);
        *self
            .known
            .borrow_mut()
            .entry((path, member))
            .or_insert_with(made)
    }

    /// Whether a file sets members of this name to new kernel threads alone.
    fn is_made(&self, path: PathId, member: Sym) -> bool {
        let program = self.view.program;
        let functions = program.of_file(path);
        let functions = functions.filter_map(|one| program[one].fact.function());
        let mut set = functions.flat_map(|function| {
            let of_member = move |place: Sym| {
                let set = place.text().split_once('>');
                set.is_some_and(|(_, set)| set == member.text())
            };
            let sets = function
                .sets
                .iter()
                .filter(move |(place, _)| of_member(*place));
            sets.map(move |(_, value)| (function, *value))
        });
        let nothing = Expr::text("0");
        let mut any = false;
        let all = set.all(|(function, value)| {
            let made = is_new(function, value);
            any |= made;
            made || value == nothing
        });
        all && any
    }
}

/// Whether a function makes the kernel threads that a variable of it points to.
fn is_new(function: &Function, value: Expr) -> bool {
    let object = value
        .as_text()
        .map(|variable| Sym::new(&format!("{variable}>*")));
    let mut made = function
        .sets
        .iter()
        .filter(|(place, _)| Some(*place) == object);
    let is_thread = |made: Expr| match made.as_tuple() {
        Some(("made", [maker, ..])) => maker.as_text().is_some_and(|one| one.starts_with(MAKERS)),
        _ => false,
    };
    let first = made.next();
    first.is_some_and(|(_, first)| is_thread(*first) && made.all(|(_, one)| is_thread(*one)))
}
