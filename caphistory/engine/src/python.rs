//! The face to Python: the module `caphistory_engine` (see `caphistory_engine.pyi`).

use std::any::Any;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, Once, PoisonError};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyInt, PyList, PyNone, PyString, PyTuple};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::audit::AuditDetail;
use crate::chains::{ChainId, Step};
use crate::checks::{CheckSite, Wrapper};
use crate::facts::Blob;
use crate::intern::Sym;
use crate::kept_facts::{self, Name};
use crate::meaning::Meaning;
use crate::names::PathId;
use crate::reader::{Store, read, read_assembler};
use crate::release::{
    self, ByAbi, CapabilityDefinition, LeftOut, LinkedRelease, Syscall, SyscallCheck,
};

/// Expressions and calls nest as deep as a file has them.
const STACK: usize = 64 << 20;

/// What tells this program from any other in what it keeps.
const MARK: &str = env!("SOURCES");

/// Files by name: the ids of their contents.
type Files = HashMap<String, String>;

/// Reads contents and links releases, on threads of its own.
#[pyclass(frozen, module = "caphistory_engine")]
pub struct Engine {
    pool: rayon::ThreadPool,
    items: Store,
    blobs: Mutex<FxHashMap<Name, Arc<Blob>>>,
}

#[pymethods]
impl Engine {
    #[new]
    fn new(threads: usize) -> PyResult<Engine> {
        keep_panics();
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads.max(1))
            .stack_size(STACK)
            .build()
            .map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
        Ok(Engine {
            pool,
            items: Store::default(),
            blobs: Mutex::default(),
        })
    }

    fn missing(&self, blobs: Vec<Name>) -> Vec<Name> {
        let held = self.held();
        let missing = blobs.into_iter().filter(|name| !held.contains_key(name));
        missing.collect()
    }

    fn read(
        &self,
        py: Python<'_>,
        blobs: Vec<(String, PyBackedBytes, bool)>,
    ) -> Vec<(String, String)> {
        py.detach(|| {
            let read = |(id, content, assembler): (String, PyBackedBytes, bool)| {
                let blob = caught(|| match assembler {
                    true => read_assembler(&content, &self.items),
                    false => read(&content, &self.items),
                });
                ((id, assembler), blob)
            };
            let all: Vec<_> = self
                .pool
                .install(|| blobs.into_par_iter().map(read).collect());
            let mut held = self.held();
            let mut broken = Vec::new();
            for (name, blob) in all {
                match blob {
                    Ok(blob) => {
                        held.insert(name, Arc::new(blob));
                    }
                    Err(reason) => broken.push((name.0, reason)),
                }
            }
            broken
        })
    }

    fn keep<'py>(&self, py: Python<'py>, blobs: Vec<Name>) -> Vec<Bound<'py, PyBytes>> {
        let kept = py.detach(|| {
            let held = self.held();
            let all = blobs.into_iter().filter_map(|name| {
                let blob = held.get(&name)?.clone();
                Some((name, blob))
            });
            let all: Vec<_> = all.collect();
            drop(held);
            self.pool.install(|| kept_facts::keep(MARK, &all))
        });
        let parts = kept.into_iter().map(|part| PyBytes::new(py, &part));
        parts.collect()
    }

    fn recall(&self, py: Python<'_>, kept: PyBackedBytes, wanted: Vec<Name>) -> Vec<Name> {
        py.detach(|| {
            let wanted: HashSet<Name> = wanted.into_iter().collect();
            let are_of_use = |names: &[Name]| {
                let some = names.iter().filter(|name| wanted.contains(name)).count();
                some * 2 > names.len()
            };
            let all = kept_facts::take(MARK, &kept, are_of_use).unwrap_or_default();
            let names = all.iter().map(|(name, _)| name.clone()).collect();
            let mut held = self.held();
            for (name, blob) in all {
                held.entry(name).or_insert(blob);
            }
            names
        })
    }

    fn forget(&self, py: Python<'_>, keep: Vec<String>) {
        py.detach(|| {
            let keep: HashSet<String> = keep.into_iter().collect();
            self.held().retain(|(id, _), _| keep.contains(id));
            self.items.forget_unused();
        });
    }

    fn link<'py>(
        &self,
        py: Python<'py>,
        release: &str,
        files: Files,
        texts: HashMap<String, PyBackedBytes>,
        stand_ins: HashMap<String, HashSet<String>>,
        unbuilt: HashMap<String, HashSet<String>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let left_out = LeftOut {
            stand_ins: by_abi(stand_ins)?,
            unbuilt: by_abi(unbuilt)?,
        };
        let linked = py.detach(|| {
            let blobs = self.facts(&files);
            let texts: BTreeMap<&str, &[u8]> = texts
                .iter()
                .map(|(path, text)| (path.as_str(), &text[..]))
                .collect();
            let link = || release::link(release, &blobs, &texts, &left_out);
            self.pool.install(|| caught(link))
        });
        let linked = linked.map_err(PyRuntimeError::new_err)?;
        Rows::new(py, &linked, &files).all()
    }

    fn texts_wanted(&self, paths: Vec<String>) -> Vec<String> {
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let wanted = release::texts_wanted(&paths);
        wanted.into_iter().map(String::from).collect()
    }
}

impl Engine {
    fn held(&self) -> std::sync::MutexGuard<'_, FxHashMap<Name, Arc<Blob>>> {
        self.blobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The facts of the files that hold C or assembler, by path; nothing of what was not read.
    fn facts(&self, files: &Files) -> Vec<(String, Arc<Blob>)> {
        let held = self.held();
        let nothing: Arc<Blob> = Arc::default();
        let mut found = Vec::with_capacity(files.len());
        for (path, id) in files {
            let assembler = path.ends_with(".S") || path.ends_with(".s");
            if assembler || path.ends_with(".c") || path.ends_with(".h") {
                let blob = held.get(&(id.clone(), assembler)).unwrap_or(&nothing);
                found.push((path.clone(), blob.clone()));
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        found
    }
}

fn by_abi(files: HashMap<String, HashSet<String>>) -> PyResult<ByAbi> {
    let mut found = ByAbi::default();
    for (abi, paths) in files {
        match abi.as_str() {
            "i386" => found.i386 = paths,
            "x86_64" => found.x86_64 = paths,
            _ => return Err(PyValueError::new_err(format!("no ABI {abi:?}"))),
        }
    }
    Ok(found)
}

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}
static LAST_PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Keep what panics say, rather than print it: it becomes the reason why something is missing.
fn keep_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let place = info.location().map_or_else(String::new, |at| {
                let file = at.file().rsplit(['/', '\\']).next().unwrap_or_default();
                format!(" ({file}:{})", at.line())
            });
            let reason = format!("{}{place}", said(info.payload()));
            *LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.clone());
            PANIC.with_borrow_mut(|kept| *kept = Some(reason));
        }));
    });
}

fn said(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("something unknown")
}

/// What a function gives, or what it says in a panic, be it on a thread that it started.
fn caught<T>(function: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(function)).map_err(|payload| {
        let here = PANIC.with_borrow_mut(Option::take);
        let mut elsewhere = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = here.or_else(|| elsewhere.take());
        reason.unwrap_or_else(|| said(&*payload).into())
    })
}

/// The rows of a release as Python has them. What is equal is one object.
struct Rows<'py, 'a> {
    py: Python<'py>,
    linked: &'a LinkedRelease,
    files: &'a Files,
    paths: FxHashMap<PathId, Bound<'py, PyString>>,
    texts: FxHashMap<Sym, Bound<'py, PyString>>,
    sites: FxHashMap<CheckSite, Bound<'py, PyTuple>>,
    steps: FxHashMap<Step, Bound<'py, PyTuple>>,
    chains: FxHashMap<ChainId, Bound<'py, PyTuple>>,
    meanings: FxHashMap<Meaning, Bound<'py, PyTuple>>,
}

type Object<'py> = Bound<'py, PyAny>;

impl<'py, 'a> Rows<'py, 'a> {
    fn new(py: Python<'py>, linked: &'a LinkedRelease, files: &'a Files) -> Self {
        Rows {
            py,
            linked,
            files,
            paths: FxHashMap::default(),
            texts: FxHashMap::default(),
            sites: FxHashMap::default(),
            steps: FxHashMap::default(),
            chains: FxHashMap::default(),
            meanings: FxHashMap::default(),
        }
    }

    fn all(mut self) -> PyResult<Bound<'py, PyTuple>> {
        let linked = self.linked;
        let parts = [
            self.list(&linked.check_sites, Self::site)?,
            self.list(&linked.capability_definitions, Self::definition)?,
            self.list(&linked.syscalls, Self::syscall)?,
            self.list(&linked.syscall_checks, Self::check)?,
            self.list(&linked.wrappers, Self::wrapper)?,
            self.audit()?.into_any(),
            self.list(&linked.audit_details, Self::detail)?,
        ];
        PyTuple::new(self.py, parts)
    }

    fn list<T>(
        &mut self,
        all: &[T],
        row: impl Fn(&mut Self, &T) -> PyResult<Bound<'py, PyTuple>>,
    ) -> PyResult<Object<'py>> {
        let mut rows = Vec::with_capacity(all.len());
        for one in all {
            rows.push(row(self, one)?);
        }
        Ok(PyList::new(self.py, rows)?.into_any())
    }

    fn none(&self) -> Object<'py> {
        PyNone::get(self.py).to_owned().into_any()
    }

    fn number(&self, number: usize) -> Object<'py> {
        PyInt::new(self.py, number).into_any()
    }

    fn text(&mut self, text: Sym) -> Object<'py> {
        let py = self.py;
        let known = self.texts.entry(text);
        let found = known.or_insert_with(|| PyString::new(py, text.text()));
        found.clone().into_any()
    }

    fn literal(&mut self, text: &'static str) -> Object<'py> {
        self.text(Sym::new(text))
    }

    fn text_or_none(&mut self, text: Option<Sym>) -> Object<'py> {
        match text {
            Some(text) => self.text(text),
            None => self.none(),
        }
    }

    fn path(&mut self, path: PathId) -> Object<'py> {
        let py = self.py;
        let linked = self.linked;
        let known = self.paths.entry(path);
        let text = || linked.paths.get(path.0 as usize).map_or("", String::as_str);
        let found = known.or_insert_with(|| PyString::new(py, text()));
        found.clone().into_any()
    }

    fn site(&mut self, site: &CheckSite) -> PyResult<Bound<'py, PyTuple>> {
        if let Some(known) = self.sites.get(site) {
            return Ok(known.clone());
        }
        let path = self.linked.paths.get(site.path.0 as usize);
        let blob = path.and_then(|path| self.files.get(path));
        let row = [
            self.path(site.path),
            self.number(site.line as usize),
            self.text_or_none(site.function),
            self.text(site.check_name),
            self.text_or_none(site.capability),
            self.text_or_none(site.argument),
            self.literal(if site.of_macro { "macro" } else { "call" }),
            self.literal(site.effect.text()),
            self.text_or_none(site.errno),
            self.text_or_none(site.condition),
            PyString::new(self.py, blob.map_or("", String::as_str)).into_any(),
        ];
        let row = PyTuple::new(self.py, row)?;
        self.sites.insert(*site, row.clone());
        Ok(row)
    }

    fn definition(&mut self, one: &CapabilityDefinition) -> PyResult<Bound<'py, PyTuple>> {
        let number = one
            .number
            .map(|number| PyInt::new(self.py, number).into_any());
        let doc = one
            .doc
            .as_ref()
            .map(|doc| PyString::new(self.py, doc).into_any());
        let row = [
            self.text(one.capability),
            number.unwrap_or_else(|| self.none()),
            self.literal(one.path),
            self.number(one.line as usize),
            doc.unwrap_or_else(|| self.none()),
        ];
        PyTuple::new(self.py, row)
    }

    fn syscall(&mut self, one: &Syscall) -> PyResult<Bound<'py, PyTuple>> {
        let number = one.number.map(|number| self.number(number as usize));
        let (path, line) = match one.place {
            Some((path, line)) => (self.path(path), self.number(line as usize)),
            None => (self.none(), self.none()),
        };
        let row = [
            self.literal(one.abi),
            number.unwrap_or_else(|| self.none()),
            self.text(one.syscall),
            self.text(one.function),
            path,
            line,
            self.text_or_none(one.parent),
        ];
        PyTuple::new(self.py, row)
    }

    fn check(&mut self, one: &SyscallCheck) -> PyResult<Bound<'py, PyTuple>> {
        let row = [
            self.literal(one.abi),
            self.text(one.syscall),
            self.site(&one.check)?.into_any(),
            self.literal(one.reach()),
            self.number(usize::from(one.depth)),
            self.number(usize::from(one.pointer_hops)),
            self.number(usize::from(one.conditional)),
            self.number(usize::from(one.feasible)),
            self.number(one.shared_by),
            self.chain(one.chain)?.into_any(),
            self.meaning(&one.meaning)?.into_any(),
        ];
        PyTuple::new(self.py, row)
    }

    fn meaning(&mut self, meaning: &Meaning) -> PyResult<Bound<'py, PyTuple>> {
        if let Some(known) = self.meanings.get(meaning) {
            return Ok(known.clone());
        }
        let instead = meaning.instead.get().iter().map(|one| self.text(*one));
        let instead: Vec<Object<'py>> = instead.collect();
        let namespace = meaning.namespace.map(|one| self.literal(one.text()));
        let row = [
            self.text(meaning.operation),
            self.literal(meaning.effect.text()),
            self.text_or_none(meaning.errno),
            PyTuple::new(self.py, instead)?.into_any(),
            self.literal(meaning.subject.text()),
            namespace.unwrap_or_else(|| self.none()),
        ];
        let row = PyTuple::new(self.py, row)?;
        self.meanings.insert(*meaning, row.clone());
        Ok(row)
    }

    fn chain(&mut self, chain: ChainId) -> PyResult<Bound<'py, PyTuple>> {
        if let Some(known) = self.chains.get(&chain) {
            return Ok(known.clone());
        }
        let mut steps = Vec::new();
        for step in self.linked.chains.steps(chain) {
            steps.push(self.step(&step)?);
        }
        let found = PyTuple::new(self.py, steps)?;
        self.chains.insert(chain, found.clone());
        Ok(found)
    }

    fn step(&mut self, step: &Step) -> PyResult<Bound<'py, PyTuple>> {
        if let Some(known) = self.steps.get(step) {
            return Ok(known.clone());
        }
        let edge = if step.hops > 0 { "pointer" } else { "call" };
        let row = [
            self.text(step.function),
            self.path(step.path),
            self.number(step.line as usize),
            self.literal(edge),
            self.text_or_none(step.via),
        ];
        let row = PyTuple::new(self.py, row)?;
        self.steps.insert(*step, row.clone());
        Ok(row)
    }

    fn wrapper(&mut self, one: &Wrapper) -> PyResult<Bound<'py, PyTuple>> {
        let parameter = one.parameter.map(|number| self.number(number));
        let row = [
            self.text(one.name),
            self.literal(one.kind()),
            self.text(one.check_name),
            self.text_or_none(one.capability),
            parameter.unwrap_or_else(|| self.none()),
            self.path(one.path),
            self.number(one.line as usize),
        ];
        PyTuple::new(self.py, row)
    }

    fn audit(&self) -> PyResult<Bound<'py, PyTuple>> {
        let audit = &self.linked.audit;
        let row = [
            audit.lexical,
            audit.calls,
            audit.macros,
            audit.definitions,
            audit.declarations,
            audit.unexplained,
            audit.functions,
            audit.parse_errors,
            audit.pointer_calls,
            audit.pointer_calls_resolved,
        ];
        PyTuple::new(self.py, row)
    }

    fn detail(&mut self, one: &AuditDetail) -> PyResult<Bound<'py, PyTuple>> {
        let path = one.path.map(|path| self.path(path));
        let line = one.line.map(|line| self.number(line as usize));
        let row = [
            self.literal(one.kind),
            path.unwrap_or_else(|| self.none()),
            line.unwrap_or_else(|| self.none()),
            PyString::new(self.py, &one.detail).into_any(),
        ];
        PyTuple::new(self.py, row)
    }
}

/// Reads kernel C and links it.
#[pymodule]
fn caphistory_engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(crate::python_facts::read_facts, module)?)?;
    module.add_class::<Engine>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_reason() {
        keep_panics();
        assert_eq!(caught(|| 1), Ok(1));
        let reason = caught(|| -> u32 { panic!("no such file") });
        assert!(reason.is_err_and(|reason| reason.starts_with("no such file (python.rs:")));
    }
}
