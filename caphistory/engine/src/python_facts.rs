//! Facts as Python tuples, for tests: the shape of the records, field by field.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::effects::{Given, Outcome};
use crate::facts::{
    Blob, Call, Constant, Declared, Flow, Function, Item, Macro, MentionKind, Parameter, Placed,
    Stored, UidTest,
};
use crate::intern::{Expr, ExprNode, Sym, SymList};
use crate::reader::{Store, read, read_assembler};

type Tuple<'py> = PyResult<Bound<'py, PyTuple>>;

fn expr<'py>(py: Python<'py>, one: Expr) -> PyResult<Bound<'py, PyAny>> {
    match one.get() {
        ExprNode::Text(sym) => Ok(sym.text().into_pyobject(py)?.into_any()),
        ExprNode::Tuple(parts) => Ok(exprs(py, &parts)?.into_any()),
    }
}

fn exprs<'py>(py: Python<'py>, all: &[Expr]) -> Tuple<'py> {
    tuple(py, all, |&one| expr(py, one))
}

fn texts<'py>(py: Python<'py>, all: SymList) -> Tuple<'py> {
    PyTuple::new(py, all.iter().map(|one| one.text()))
}

fn tuple<'py, T, U>(
    py: Python<'py>,
    all: &[T],
    make: impl Fn(&T) -> PyResult<Bound<'py, U>>,
) -> Tuple<'py> {
    let made = all.iter().map(|one| make(one).map(Bound::into_any));
    PyTuple::new(py, made.collect::<PyResult<Vec<_>>>()?)
}

fn call<'py>(py: Python<'py>, one: &Call) -> Tuple<'py> {
    (
        (
            one.line,
            one.target.text(),
            one.pointer,
            texts(py, one.arguments)?,
        ),
        (
            u8::from(one.conditional),
            one.outcome(Given::False).effect().text(),
            one.outcome(Given::False).errno().text(),
            one.case.text(),
        ),
        (
            one.condition.text(),
            exprs(py, &one.guards)?,
            exprs(py, &one.passes)?,
            tuple(py, &Given::ALL.map(|given| one.outcome(given)), |&one| {
                outcome(py, one)
            })?,
            exprs(py, &one.instead)?,
        ),
    )
        .into_pyobject(py)
        .and_then(|nested| flat(py, &nested))
}

/// An outcome as text; of an error its name, or `-1`.
fn outcome<'py>(py: Python<'py>, one: Outcome) -> PyResult<Bound<'py, PyString>> {
    let text = match one {
        Outcome::GoesOn => "goes on".into(),
        Outcome::Same => "same".into(),
        Outcome::Zero => "0".into(),
        Outcome::One => "1".into(),
        Outcome::Error(errno) if errno.is_empty() => "-1".into(),
        Outcome::Error(errno) => errno.text().to_owned(),
        Outcome::Limited(errno) => format!("limited, {}", errno.text()),
        Outcome::Either(_) => format!("{} or another", one.errno().text()),
        Outcome::Turned(parts) => {
            let [from, to] = [0, 1].map(|at| parts.get().get(at).map_or("", |one| one.text()));
            format!("same, and {to} for {from}")
        }
        Outcome::Of(name) => format!("of {}", name.text()),
        Outcome::Reply(errno) => format!("reply {}", errno.text()),
        Outcome::Left(errno) => format!("0 and {}", errno.text()),
        Outcome::Reason => "reason".into(),
        Outcome::Unknown => "unknown".into(),
    };
    Ok(PyString::new(py, &text))
}

fn flat<'py>(py: Python<'py>, nested: &Bound<'py, PyTuple>) -> Tuple<'py> {
    let mut all = vec![];
    for part in nested {
        all.extend(part.cast_into::<PyTuple>()?.iter());
    }
    PyTuple::new(py, all)
}

fn uid_test<'py>(py: Python<'py>, one: &UidTest) -> Tuple<'py> {
    let (condition, guards) = (one.condition.text(), exprs(py, &one.guards)?);
    let (effect, errno) = (one.outcome.effect().text(), one.outcome.errno().text());
    let text = one.text.text();
    (
        one.line,
        text,
        u8::from(one.conditional),
        effect,
        errno,
        condition,
        guards,
        exprs(py, &one.instead)?,
    )
        .into_pyobject(py)
}

fn flow<'py>(py: Python<'py>, one: &Flow) -> Tuple<'py> {
    (one.line, one.target.text(), one.source.text()).into_pyobject(py)
}

fn parameter<'py>(py: Python<'py>, one: &Parameter) -> Tuple<'py> {
    (one.name.text(), one.type_.text()).into_pyobject(py)
}

fn set<'py>(py: Python<'py>, one: &(Sym, Expr)) -> Tuple<'py> {
    (one.0.text(), expr(py, one.1)?).into_pyobject(py)
}

fn stored<'py>(py: Python<'py>, one: &Stored) -> Tuple<'py> {
    let (variable, type_) = (one.variable.text(), one.type_.text());
    (
        one.line,
        variable,
        type_,
        texts(py, one.path)?,
        one.source.text(),
    )
        .into_pyobject(py)
}

fn function<'py>(py: Python<'py>, one: &Function) -> Tuple<'py> {
    let nested = (
        (
            one.name.text(),
            one.line,
            one.end,
            one.is_static,
            one.inline,
        ),
        (
            tuple(py, &one.parameters, |one| parameter(py, one))?,
            one.returns.text(),
            tuple(py, &one.calls, |one| call(py, one))?,
            tuple(py, &one.uid_tests, |one| uid_test(py, one))?,
            tuple(py, &one.flows, |one| flow(py, one))?,
            texts(py, one.relays)?,
            one.error,
        ),
        (
            tuple(py, &one.sets, |one| set(py, one))?,
            tuple(py, &one.variables, |one| parameter(py, one))?,
        ),
    );
    flat(py, &nested.into_pyobject(py)?)
}

fn macro_<'py>(py: Python<'py>, one: &Macro) -> Tuple<'py> {
    let nested = (
        (
            one.name.text(),
            one.parameters.map(|all| texts(py, all)).transpose()?,
        ),
        (
            tuple(py, &one.calls, |one| call(py, one))?,
            tuple(py, &one.uid_tests, |one| uid_test(py, one))?,
            texts(py, one.relays)?,
        ),
        (
            one.alias.text(),
            one.place.text(),
            tuple(py, &one.flows, |one| flow(py, one))?,
            tuple(py, &one.stored, |one| stored(py, one))?,
        ),
    );
    flat(py, &nested.into_pyobject(py)?)
}

fn item<'py>(py: Python<'py>, one: &Item) -> Tuple<'py> {
    let none = Declared::default();
    let declared = one.declared.as_deref().unwrap_or(&none);
    (
        tuple(py, one.function.as_slice(), |one| function(py, one))?,
        tuple(py, one.macro_.as_slice(), |one| macro_(py, one))?,
        tuple(py, &declared.structs, |one| {
            (
                one.tag.text(),
                tuple(py, &one.members, |one| parameter(py, one))?,
            )
                .into_pyobject(py)
        })?,
        tuple(py, &declared.typedefs, |one| {
            (one.name.text(), one.type_.text()).into_pyobject(py)
        })?,
        tuple(py, &declared.variables, |one| {
            (one.name.text(), one.type_.text(), one.is_static, one.array).into_pyobject(py)
        })?,
        tuple(py, &declared.stored, |one| stored(py, one))?,
        tuple(py, &declared.namings, |one| {
            let (holder, type_) = (one.holder.text(), one.type_.text());
            let (labels, sources) = (texts(py, one.labels)?, texts(py, one.sources)?);
            (one.line, one.end, holder, type_, labels, sources).into_pyobject(py)
        })?,
    )
        .into_pyobject(py)
}

fn placed<'py>(py: Python<'py>, one: &Placed) -> Tuple<'py> {
    (one.line, one.condition.text(), item(py, &one.item)?).into_pyobject(py)
}

fn mention<'py>(py: Python<'py>, one: &(u32, Sym, MentionKind)) -> Tuple<'py> {
    let kind = match one.2 {
        MentionKind::Call => "call",
        MentionKind::Declaration => "declaration",
        MentionKind::Name => "name",
    };
    (one.0, one.1.text(), kind).into_pyobject(py)
}

/// Constants one in a line: the name with its parameters, a tab and the body.
fn constants(all: &[Constant]) -> Vec<u8> {
    let lines: Vec<String> = all
        .iter()
        .map(|one| {
            let listed: Vec<&str> = one.parameters.iter().map(|one| one.text()).collect();
            let name = one.name.text();
            let body = one.body.text();
            match listed.is_empty() {
                true => format!("{name}\t{body}"),
                false => format!("{name}({})\t{body}", listed.join(",")),
            }
        })
        .collect();
    lines.join("\n").chars().map(|c| c as u8).collect()
}

fn blob<'py>(py: Python<'py>, one: &Blob) -> Tuple<'py> {
    (
        tuple(py, &one.items, |one| placed(py, one))?,
        texts(py, one.includes)?,
        tuple(py, &one.mentions, |one| mention(py, one))?,
        texts(py, one.required)?,
        PyBytes::new(py, &constants(&one.constants)),
    )
        .into_pyobject(py)
}

/// The facts of one content, after others were read: what they have in common is read once.
#[pyfunction]
#[pyo3(signature = (content, assembler=false, before=vec![]))]
pub fn read_facts<'py>(
    py: Python<'py>,
    content: &[u8],
    assembler: bool,
    before: Vec<PyBackedBytes>,
) -> Tuple<'py> {
    let store = Store::new();
    let read = if assembler { read_assembler } else { read };
    for other in &before {
        read(other, &store);
    }
    blob(py, &read(content, &store))
}
