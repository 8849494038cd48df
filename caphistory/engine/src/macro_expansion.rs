//! Macros as they are where they are used: the calls and stores that depend on their arguments.
//!
//! `#define CALL(p, x) ((p)->ops->f(x))` calls something else in each function that uses it, and
//! `#define ENTRY(name, f) { name, f }` stores something else in each list. What a macro does
//! whatever its arguments are stays with the macro itself.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::choices::is_choice;
use crate::facts::{Call, Flow, Macro, Stored};
use crate::guards::{substitute, unknown};
use crate::intern::{Expr, ExprList, Sym, SymList};
use crate::names::{
    DefId, Fact, Gathering, Index, PathId, StoredAt, View, distinct, key_of, may_be_function,
    outside,
};
use crate::notation::{LISTED, PASTE, Values, as_use, filled, is_use, named, names, used};

/// Macros within macros: deeper than any kernel has them.
const DEEPEST: usize = 8;
/// What stands for any number of arguments.
pub const ANY_NUMBER: &str = ":__VA_ARGS__";

/// What a macro calls and stores that depends on its arguments.
#[derive(Default)]
struct Template {
    calls: Vec<Call>,
    flows: Vec<Flow>,
}

impl Template {
    fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.flows.is_empty()
    }
}

/// The calls, flows and initialisers' entries of a release that macros make, under the keys under
/// which a `Program` has its own.
pub struct Expansions {
    pub calls: Index<(DefId, Call)>,
    pub pointer_calls: Index<(DefId, Call)>,
    pub passed: Index<(DefId, Call, u32)>,
    pub flows: Index<(DefId, Flow)>,
    pub stored: Index<StoredAt>,
}

impl Expansions {
    /// What macros make in the files that are built.
    pub fn make(view: &View<'_, '_>) -> Expansions {
        let mut making = Making {
            view,
            templates: FxHashMap::default(),
            within: Vec::new(),
            whole: true,
            calls: Gathering::default(),
            pointer_calls: Gathering::default(),
            passed: Gathering::default(),
            flows: Gathering::default(),
            stored: Gathering::default(),
        };
        for path in view.built_files() {
            making.make(path);
        }
        let files = view.program.files.len();
        Expansions {
            calls: making.calls.finish(files),
            pointer_calls: making.pointer_calls.finish(files),
            passed: making.passed.finish(files),
            flows: making.flows.finish(files),
            stored: making.stored.finish(files),
        }
    }
}

/// Whether a call in a macro depends on its arguments: it is made where the macro is used, and not
/// in the macro.
pub fn is_template(caller: Fact<'_>, call: &Call) -> bool {
    match caller {
        Fact::Macro(macro_) => has_parameters(macro_) && depends(call, macro_),
        Fact::Function(_) => false,
    }
}

struct Making<'v, 'p, 'f> {
    view: &'v View<'p, 'f>,
    templates: FxHashMap<DefId, Rc<Template>>,
    /// The macros whose templates are being made, and whether the last of them will be whole: not
    /// where another one was left out.
    within: Vec<DefId>,
    whole: bool,
    calls: Gathering<(DefId, Call)>,
    pointer_calls: Gathering<(DefId, Call)>,
    passed: Gathering<(DefId, Call, u32)>,
    flows: Gathering<(DefId, Flow)>,
    stored: Gathering<StoredAt>,
}

impl<'v, 'p, 'f> Making<'v, 'p, 'f> {
    /// Make what macros make in a file.
    fn make(&mut self, path: PathId) {
        let view = self.view;
        let program = view.program;
        for (name, uses) in program.calls.held(path) {
            if program.with_parameters.contains(name) {
                for &macro_ in &*view.resolve(name, path) {
                    self.expand(macro_, uses, path);
                }
            }
        }
        for (_, entries) in program.uses.held(path) {
            for at in entries {
                self.store(at, 0);
            }
        }
        // The entries that are a macro's name and no more.
        for (name, entries) in program.stored.held(path) {
            if name.text().ends_with(')') && !program.by_name.contains(name) {
                for at in entries {
                    self.store(
                        &with_source(at, Sym::new(&as_use(at.stored.source.text()))),
                        0,
                    );
                }
            } else if program.lists.contains(name) {
                for at in entries {
                    if self.is_list(at.stored.source, path) {
                        self.store(at, 0);
                    }
                }
            }
        }
    }

    fn template(&mut self, id: DefId, macro_: &Macro) -> Rc<Template> {
        if let Some(known) = self.templates.get(&id) {
            return known.clone();
        }
        if self.within.contains(&id) || self.within.len() > DEEPEST {
            // What is made now of others is not all that they are by themselves; but a macro is
            // never expanded within itself.
            self.whole = self.whole && self.within.last() == Some(&id);
            return Rc::default();
        }
        let outer = std::mem::replace(&mut self.whole, true);
        self.within.push(id);
        let made = Rc::new(self.make_template(id, macro_));
        self.within.pop();
        if self.whole || self.within.is_empty() {
            self.templates.insert(id, made.clone());
        }
        self.whole = (self.whole && outer) || self.within.is_empty();
        made
    }

    fn make_template(&mut self, id: DefId, macro_: &Macro) -> Template {
        let view = self.view;
        let mut calls: Vec<Call> = macro_
            .calls
            .iter()
            .copied()
            .filter(|call| depends(call, macro_))
            .collect();
        let hangs = |place: Sym| place.text().contains('$');
        let mut flows: Vec<Flow> = macro_
            .flows
            .iter()
            .copied()
            .filter(|flow| hangs(flow.source) || hangs(flow.target))
            .collect();
        let path = view.program[id].path;
        for call in &macro_.calls {
            if call.pointer || !call.arguments.iter().any(|one| one.text().starts_with('$')) {
                continue;
            }
            for &inner in &*view.resolve(call.target, path) {
                if let Fact::Macro(fact) = view.program[inner].fact
                    && has_parameters(fact)
                {
                    let template = self.template(inner, fact);
                    let user = view.program[id].fact;
                    let within = instance(fact, &template, user, call);
                    let within = self.with_handed(within, user, path, 0);
                    calls.extend(within.calls);
                    flows.extend(within.flows);
                }
            }
        }
        Template {
            calls: distinct(calls.into_iter()),
            flows: distinct(flows.into_iter()),
        }
    }

    fn expand(&mut self, id: DefId, uses: &[(DefId, &Call)], path: PathId) {
        let program = self.view.program;
        let Fact::Macro(macro_) = program[id].fact else {
            return;
        };
        if macro_.parameters.is_none() {
            return;
        }
        let template = self.template(id, macro_);
        if template.is_empty() {
            return;
        }
        for (user, call) in uses {
            let fact = program[*user].fact;
            if fact.macro_().is_some_and(has_parameters) {
                continue; // made where that one is used
            }
            let made = instance(macro_, &template, fact, call);
            let made = self.with_handed(made, fact, path, 0);
            for one in made.calls {
                self.add_call(*user, one, path);
            }
            for flow in made.flows {
                self.flows.add(key_of(flow.source), path, (*user, flow));
            }
        }
    }

    /// What a macro makes, with what those macros make in it that it was handed by their names:
    /// `#define TWICE(M, x) M(0, x) M(1, x)`.
    fn with_handed(
        &mut self,
        mut made: Template,
        user: Fact<'_>,
        path: PathId,
        depth: usize,
    ) -> Template {
        let view = self.view;
        let mut more = Template::default();
        for call in &made.calls {
            let name = outside(call.target).filter(|_| names(call.target.text()));
            let name = name.filter(|name| view.program.with_parameters.contains(*name));
            let (Some(name), true) = (name, depth < DEEPEST) else {
                continue;
            };
            for &id in &*view.resolve(name, path) {
                if let Fact::Macro(macro_) = view.program[id].fact
                    && has_parameters(macro_)
                {
                    let template = self.template(id, macro_);
                    let inner = instance(macro_, &template, user, call);
                    let inner = self.with_handed(inner, user, path, depth + 1);
                    more.calls.extend(inner.calls);
                    more.flows.extend(inner.flows);
                }
            }
        }
        made.calls.extend(more.calls);
        made.flows.extend(more.flows);
        made
    }

    fn add_call(&mut self, user: DefId, mut call: Call, path: PathId) {
        let program = self.view.program;
        if call.pointer
            && names(call.target.text())
            && let Some(name) = outside(call.target)
            && program.by_name.contains(name)
        {
            call.target = name;
            call.pointer = false;
        }
        if call.pointer {
            self.pointer_calls
                .add(key_of(call.target), path, (user, call));
        } else {
            self.calls.add(call.target, path, (user, call));
        }
        let fact = program[user].fact;
        for (position, &argument) in (0..).zip(call.arguments.get()) {
            if may_be_function(argument, fact) {
                self.passed
                    .add(key_of(argument), path, (user, call, position));
            }
        }
    }

    fn store(&mut self, at: &StoredAt, depth: usize) {
        let view = self.view;
        let text = at.stored.source.text();
        let use_ = used(text);
        let (name, arguments) = match &use_ {
            Some((name, arguments)) => (*name, arguments.as_slice()),
            None => (without_sign(text), &[][..]),
        };
        if let Some(member) = name.strip_prefix(LISTED)
            && let [value] = arguments
        {
            self.store_listed(at, member, Sym::new(value));
            return;
        }
        for &id in &*view.resolve(Sym::new(name), at.path) {
            let Fact::Macro(macro_) = view.program[id].fact else {
                continue;
            };
            if depth > DEEPEST {
                continue;
            }
            let parameters = parameters(macro_).iter().map(|name| name.text());
            let values: Values<'_> = parameters.zip(arguments.iter().map(|one| &**one)).collect();
            // "#define ENTRY(f) OTHER(0, f)"
            if is_use(macro_.place.text()) && macro_.stored.is_empty() {
                let source = filled(macro_.place.text(), &values, &values);
                if !source.is_empty() && used(&source) != use_ {
                    self.store(&with_source(at, Sym::new(&source)), depth + 1);
                }
            }
            for inner in &macro_.stored {
                self.store_inner(at, inner, &values, depth);
            }
        }
    }

    /// An entry that is a braced list of one member.
    fn store_listed(&mut self, at: &StoredAt, member: &str, source: Sym) {
        let mut path = at.stored.path.to_vec();
        path.push(Sym::new(member));
        let mut entry = with_source(at, source);
        entry.stored.path = SymList::new(&path);
        if let Some(name) = outside(source).filter(|_| names(source.text())) {
            self.stored.add(name, at.path, entry);
        }
    }

    /// An entry of a list that a macro stands for.
    fn store_inner(&mut self, at: &StoredAt, inner: &Stored, values: &Values<'_>, depth: usize) {
        let fill = |place: Sym| Sym::new(&filled(place.text(), values, values));
        let source = fill(inner.source);
        let or = |one: Sym, other| if one.is_empty() { other } else { one };
        let steps = inner
            .path
            .iter()
            .map(|step| Sym::new(&named(step.text(), values)));
        let path: Vec<Sym> = self.element(at).iter().copied().chain(steps).collect();
        let entry = StoredAt {
            stored: Stored {
                line: at.stored.line,
                variable: or(fill(inner.variable), at.stored.variable),
                type_: or(inner.type_, at.stored.type_),
                path: SymList::new(&path),
                source,
            },
            ..*at
        };
        if is_use(source.text()) || self.is_list(source, at.path) {
            self.store(&entry, depth + 1);
        } else if names(source.text())
            && let Some(name) = outside(source)
        {
            self.stored.add(name, at.path, entry);
        }
    }

    /// The path to an entry, without the step to the element of an array of structs:
    /// `Scsi_Host_Template builtin_scsi_hosts[] = { ULTRASTOR_14F, … }` (up to 2.2).
    fn element(&self, at: &StoredAt) -> &'static [Sym] {
        let path = at.stored.path.get();
        let place = at.stored.variable;
        if let [step] = path
            && step.text().starts_with('#')
            && names(place.text())
            && let Some(name) = outside(place)
            && let Some((_, variable)) = self.view.variable(name, at.path)
            && variable.array
        {
            return &[];
        }
        path
    }

    /// Whether a source is a macro that is a braced list.
    fn is_list(&self, source: Sym, path: PathId) -> bool {
        let program = self.view.program;
        let lists = |id: &DefId| {
            program[*id]
                .fact
                .macro_()
                .is_some_and(|one| !one.stored.is_empty())
        };
        names(source.text())
            && outside(source).is_some_and(|name| self.view.resolve(name, path).iter().any(lists))
    }
}

fn with_source(at: &StoredAt, source: Sym) -> StoredAt {
    StoredAt {
        stored: Stored {
            source,
            ..at.stored
        },
        ..*at
    }
}

/// A place without its first character.
fn without_sign(place: &str) -> &str {
    let mut rest = place.chars();
    rest.next();
    rest.as_str()
}

fn parameters(macro_: &Macro) -> &'static [Sym] {
    macro_.parameters.map_or(&[], SymList::get)
}

fn has_parameters(macro_: &Macro) -> bool {
    !parameters(macro_).is_empty()
}

/// Whether what a call in a macro calls depends on the macro's arguments.
fn depends(call: &Call, macro_: &Macro) -> bool {
    let target = call.target.text();
    if !call.pointer {
        return target.contains(PASTE);
    }
    let own = parameters(macro_);
    target.contains('$')
        || target
            .split('>')
            .skip(1)
            .any(|member| own.iter().any(|one| one.text() == member))
}

/// A template as it is in a use of the macro.
fn instance(macro_: &Macro, template: &Template, user: Fact<'_>, use_: &Call) -> Template {
    if template.is_empty() {
        return Template::default();
    }
    let given = Given::new(macro_, user, use_);
    let mut made = Template::default();
    for call in &template.calls {
        let target = if call.pointer {
            filled(call.target.text(), &given.values, &given.types)
        } else {
            named(call.target.text(), &given.values)
        };
        if !target.is_empty() {
            made.calls.push(given.call(call, &target));
        }
    }
    for flow in &template.flows {
        let source = filled(flow.source.text(), &given.values, &given.types);
        let target = filled(flow.target.text(), &given.values, &given.types);
        if !source.is_empty() && !target.is_empty() {
            let (target, source) = (Sym::new(&target), Sym::new(&source));
            made.flows.push(Flow {
                line: use_.line,
                target,
                source,
            });
        }
    }
    made
}

/// What a use gives a macro.
struct Given<'a> {
    use_: &'a Call,
    /// The arguments that are places, and the same as what the user's variables are.
    values: Values<'a>,
    types: Values<'a>,
    /// The names of what stands for any number of arguments, and those for which it stands; None
    /// where the use itself does not name them.
    more: Vec<String>,
    rest: Option<Vec<Sym>>,
    fixed: usize,
    passes: FxHashMap<Sym, Expr>,
}

impl<'a> Given<'a> {
    fn new(macro_: &Macro, user: Fact<'a>, use_: &'a Call) -> Self {
        let own = parameters(macro_);
        let arguments: Vec<Sym> = use_.arguments.iter().map(|&one| only_place(one)).collect();
        let values: Values<'_> = own
            .iter()
            .zip(&arguments)
            .map(|(name, value)| (name.text(), value.text()))
            .collect();
        let types = values
            .iter()
            .map(|(&name, &value)| (name, type_of(user, value)))
            .collect();
        // "#define MTD_READ(mtd, args...)": any number of arguments, as __VA_ARGS__.
        let mut more: Vec<String> = own
            .iter()
            .filter_map(|name| name.text().strip_suffix("..."))
            .map(|name| format!(":{}", name.trim_end()))
            .collect();
        if own.iter().any(|name| name.text() == "...") {
            more.push(ANY_NUMBER.to_owned());
        }
        let fixed = if more.is_empty() {
            own.len()
        } else {
            own.len() - 1
        };
        // What stands for any number of arguments may be handed on behind others.
        let named = arguments.get(..fixed).unwrap_or(&arguments);
        let any = named.iter().any(|one| one.text() == ANY_NUMBER);
        let rest = (!any).then(|| arguments.get(fixed..).unwrap_or(&[]).to_vec());
        let passes = own
            .iter()
            .enumerate()
            .map(|(position, name)| {
                let name = Sym::new(&format!("${}", name.text()));
                (
                    name,
                    use_.passes
                        .get()
                        .get(position)
                        .copied()
                        .unwrap_or_else(unknown),
                )
            })
            .collect();
        Given {
            use_,
            values,
            types,
            more,
            rest,
            fixed,
            passes,
        }
    }

    /// A call of the macro's as it is in the use.
    fn call(&self, call: &Call, target: &str) -> Call {
        // What chooses the use's own callee chooses no other.
        let around = self.use_.guards.iter().copied();
        let mut guards: Vec<Expr> = around.filter(|one| !is_choice(*one)).collect();
        guards.extend(call.guards.iter().map(|&one| substitute(one, &self.passes)));
        Call {
            line: self.use_.line,
            target: Sym::new(target),
            arguments: SymList::new(&self.arguments(call)),
            conditional: self.use_.conditional || call.conditional,
            refuses: !self.use_.conditional && call.refuses,
            condition: self.use_.condition,
            guards: ExprList::new(&guards),
            passes: ExprList::new(&self.passes(call)),
            ..*call
        }
    }

    /// A call's arguments, those that `__VA_ARGS__` stands for among them.
    fn arguments(&self, call: &Call) -> Vec<Sym> {
        let mut all = Vec::with_capacity(call.arguments.len());
        for one in call.arguments.iter() {
            if !self.stands_for_more(one.text()) {
                all.push(Sym::new(&filled(
                    one.text(),
                    &self.values,
                    &Values::default(),
                )));
            } else if let Some(rest) = &self.rest {
                all.extend(rest);
            } else {
                all.push(Sym::new(ANY_NUMBER));
            }
        }
        all
    }

    fn passes(&self, call: &Call) -> Vec<Expr> {
        let mut all = Vec::with_capacity(call.passes.len());
        for &one in call.passes.iter() {
            if one.as_text().is_some_and(|text| self.stands_for_more(text)) {
                all.extend(self.use_.passes.get().get(self.fixed..).unwrap_or(&[]));
            } else {
                all.push(substitute(one, &self.passes));
            }
        }
        all
    }

    fn stands_for_more(&self, place: &str) -> bool {
        self.more.iter().any(|one| one == place)
    }
}

/// An argument if it is a place, else nothing.
fn only_place(argument: Sym) -> Sym {
    let text = argument.text();
    let place = text.starts_with(['$', ':']) || text.contains('>');
    if place { argument } else { Sym::default() }
}

/// What a place is, if it is a variable of a function whose type is known, else the place; a
/// macro's parameters are themselves.
fn type_of<'a>(user: Fact<'a>, place: &'a str) -> &'a str {
    let Fact::Function(function) = user else {
        return place;
    };
    let Some(name) = place.strip_prefix('$') else {
        return place;
    };
    let mut all = function
        .variables
        .iter()
        .rev()
        .chain(function.parameters.iter().rev());
    all.find(|one| one.name.text() == name && !one.type_.is_empty())
        .map_or(place, |one| one.type_.text())
}
