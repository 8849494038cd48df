//! Tables of objects that are filled by registrations, each under a key: the families of sockets,
//! line disciplines.
//!
//! `families[ops->family] = ops` in a function that is handed `ops` says that the table holds the
//! objects that calls of it name, each under the key that its own member has; `lines[n] = *line`
//! that they stand under the number that the call gives. A table into which anything else is put
//! is not known.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::choices::held_in;
use crate::facts::Variable;
use crate::intern::{Expr, Sym};
use crate::names::{DefId, PathId, View, outside, place_of};
use crate::notation::names;
use crate::points_to::PointsTo;

/// Functions that hand what they register on to others.
const DEEPEST: u32 = 3;

/// What may be put into a table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Object {
    /// A variable: its file, if it is static, and its name.
    Variable(Option<PathId>, Sym),
    /// A local variable of a function.
    Local(DefId),
}

/// An object in a table, and the constant under which it stands there, with the file in which that
/// is named; None for what is not known.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub object: Option<Object>,
    pub key: Option<(Expr, PathId)>,
}

/// Tells what is in which table.
pub struct Registries<'s, 'v, 'p, 'f> {
    pointers: &'s PointsTo<'v, 'p, 'f>,
    /// The functions that put something into a table, by its place.
    filling: FxHashMap<Sym, Vec<DefId>>,
    tables: FxHashMap<Object, Option<Rc<[Entry]>>>,
    holders: FxHashMap<DefId, Option<Rc<[Object]>>>,
}

/// How a function fills a table: as which argument it is handed the object, and where the key is.
#[derive(Clone, Copy)]
struct Filling {
    function: DefId,
    position: usize,
    key: Key,
}

#[derive(Clone, Copy)]
enum Key {
    Member(Sym),
    Argument(usize),
    Constant(Expr, PathId),
    Unknown,
}

impl Key {
    fn constant(self) -> Option<(Expr, PathId)> {
        match self {
            Key::Constant(key, path) => Some((key, path)),
            _ => None,
        }
    }
}

impl<'s, 'v, 'p, 'f> Registries<'s, 'v, 'p, 'f> {
    pub fn new(pointers: &'s PointsTo<'v, 'p, 'f>) -> Self {
        let view = pointers.view;
        let mut filling: FxHashMap<Sym, Vec<DefId>> = FxHashMap::default();
        for path in view.built_files() {
            for id in view.program.of_file(path) {
                let function = view.program[id].fact.function();
                for (place, _) in function.map_or(&[][..], |one| &one.sets) {
                    if place.text().ends_with(">[]") {
                        filling.entry(*place).or_default().push(id);
                    }
                }
            }
        }
        for all in filling.values_mut() {
            all.dedup();
        }
        Registries {
            pointers,
            filling,
            tables: FxHashMap::default(),
            holders: FxHashMap::default(),
        }
    }

    fn view(&self) -> &'v View<'p, 'f> {
        self.pointers.view
    }

    fn variable(&self, place: Sym, path: PathId) -> Option<(Object, &'f Variable)> {
        let name = outside(place).filter(|_| names(place.text()))?;
        let (file, variable) = self.view().variable(name, path)?;
        Some((Object::Variable(file, name), variable))
    }

    /// What is in a table that a file names; None where that is not known.
    pub fn entries(&mut self, table: Sym, path: PathId) -> Option<Rc<[Entry]>> {
        let (object, _) = self.variable(table, path)?;
        if let Some(known) = self.tables.get(&object) {
            return known.clone();
        }
        let found = self.filled(table, object).map(Rc::from);
        self.tables.insert(object, found.clone());
        found
    }

    fn filled(&self, table: Sym, object: Object) -> Option<Vec<Entry>> {
        let program = self.view().program;
        let is_listed = |path: PathId| {
            let here = self
                .variable(table, path)
                .is_some_and(|(one, _)| one == object);
            let listed = !program.tables.at(table, path).is_empty();
            here && (listed || !program.namings.at(table, path).is_empty())
        };
        let mut listing = program
            .tables
            .paths(table)
            .chain(program.namings.paths(table));
        if listing.any(is_listed) {
            return None;
        }
        let mut found = Vec::new();
        for id in self.filling.get(&held_in(table))? {
            let definition = &program[*id];
            let meant = self.variable(table, definition.path);
            if meant.is_none_or(|(one, _)| one != object) {
                continue;
            }
            for (place, value) in &definition.fact.function()?.sets {
                if *place == held_in(table) {
                    let Some(("at", [key, value])) = value.as_tuple() else {
                        return None;
                    };
                    if *value != Expr::text("0") {
                        self.add(*id, *key, *value, &mut found);
                    }
                }
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// Add what a function puts into a table.
    fn add(&self, function: DefId, key: Expr, value: Expr, found: &mut Vec<Entry>) {
        let parameter = value.as_sym().and_then(|one| self.position(function, one));
        let member = value.as_sym().zip(key.as_sym());
        let member = member.and_then(|(value, key)| key.text().strip_prefix(value.text()));
        let key = match member.and_then(|member| member.strip_prefix('>')) {
            Some(member) => Key::Member(Sym::new(member)),
            None => self.key_of(Some(key), function),
        };
        match parameter {
            Some(position) => {
                let filling = Filling {
                    function,
                    position,
                    key,
                };
                self.registered(&filling, found, 0);
            }
            None => found.push(Entry {
                object: None,
                key: key.constant(),
            }),
        }
    }

    /// The position of a parameter (`$x`).
    fn position(&self, function: DefId, place: Sym) -> Option<usize> {
        let name = place.text().strip_prefix('$')?;
        let mut all = self.view().program[function].fact.parameters();
        all.position(|one| one.text() == name)
    }

    /// Add the objects that calls of a function are handed.
    fn registered(&self, filling: &Filling, found: &mut Vec<Entry>, depth: u32) {
        let view = self.view();
        let name = view.program[filling.function].name;
        let calls = view.of_built(&view.program.calls, name);
        let made = self.pointers.expansions.calls.get(name).iter();
        let made = made.map(|(user, call)| (*user, call));
        for (user, call) in calls.chain(made) {
            let path = view.program[user].path;
            let passed = call.passes.get().get(filling.position);
            let is_meant = view.resolve(name, path).contains(&filling.function);
            if !is_meant || passed == Some(&Expr::text("0")) {
                continue;
            }
            let arguments = call.arguments.get();
            let argument = arguments.get(filling.position).copied().unwrap_or_default();
            let variable = self.variable(argument, path);
            let key = match filling.key {
                Key::Argument(at) => self.key_of(call.passes.get().get(at).copied(), user),
                key => key,
            };
            if let (None, Some(position), true) =
                (variable, self.position(user, argument), depth < DEEPEST)
            {
                let outer = Filling {
                    function: user,
                    position,
                    key,
                };
                self.registered(&outer, found, depth + 1);
                continue;
            }
            let key = match (key, variable) {
                (Key::Member(member), Some((object, variable))) => {
                    self.member(object, variable, member, path)
                }
                (key, _) => key.constant(),
            };
            let address = passed.and_then(|one| one.as_tuple());
            let is_local = address.is_some_and(|(head, _)| head == "addr");
            let local = is_local.then_some(Object::Local(user));
            let object = variable.map(|(object, _)| object).or(local);
            found.push(Entry { object, key });
        }
    }

    fn key_of(&self, key: Option<Expr>, user: DefId) -> Key {
        let Some(key) = key else {
            return Key::Unknown;
        };
        let position = key.as_sym().and_then(|place| self.position(user, place));
        match position {
            Some(position) => Key::Argument(position),
            None => Key::Constant(key, self.view().program[user].path),
        }
    }

    /// The constant that an object's initialiser has for a member.
    fn member(
        &self,
        object: Object,
        variable: &Variable,
        member: Sym,
        path: PathId,
    ) -> Option<(Expr, PathId)> {
        let Object::Variable(file, name) = object else {
            return None;
        };
        let view = self.view();
        let all = view.program.namings.get(place_of(name)).iter();
        let own = all.filter(|one| one.within.is_none() && file.is_none_or(|at| at == one.path));
        let (_, _, definition) = view.struct_(variable.type_, path)?;
        let number = definition
            .members
            .iter()
            .position(|one| one.name == member)?;
        let places = [member.text().to_owned(), format!("#{number}")];
        for one in own {
            for label in one.naming.labels.iter() {
                if let Some((place, constant)) = label.text().split_once('=')
                    && places.iter().any(|one| one == place)
                    && !constant.starts_with('"')
                {
                    return Some((Expr::text(&format!(":{constant}")), one.path));
                }
            }
        }
        None
    }

    /// The variables that hold a function as their initialisers or assignments to them say; None
    /// where others may hold it too.
    pub fn holders(&mut self, function: DefId) -> Option<Rc<[Object]>> {
        if let Some(known) = self.holders.get(&function) {
            return known.clone();
        }
        let found = self.held_by(function).map(Rc::from);
        self.holders.insert(function, found.clone());
        found
    }

    fn held_by(&self, function: DefId) -> Option<Vec<Object>> {
        let view = self.view();
        let name = view.program[function].name;
        let means = |path: PathId| view.built(path) && view.resolve(name, path).contains(&function);
        let mut found = Vec::new();
        let stored = view.program.stored.get(name).iter();
        for at in stored.chain(self.pointers.expansions.stored.get(name)) {
            if means(at.path) {
                found.push(self.variable(at.stored.variable, at.path)?.0);
            }
        }
        let place = place_of(name);
        let flows = view.program.flows.get(place).iter();
        for (user, flow) in flows.filter(|(_, flow)| flow.source == place) {
            let path = view.program[*user].path;
            if means(path) {
                found.push(self.object(*user, flow.target)?);
            }
        }
        (!found.is_empty()).then_some(found)
    }

    /// The object of whose members a place is one; of a type that no parameter has it is a local
    /// variable.
    fn object(&self, user: DefId, place: Sym) -> Option<Object> {
        let base = Sym::new(place.text().split('>').next()?);
        let definition = &self.view().program[user];
        if let Some((object, _)) = self.variable(base, definition.path) {
            return Some(object);
        }
        let parameters = &definition.fact.function()?.parameters;
        let is_type = base.text().starts_with("struct ");
        let is_local = is_type && parameters.iter().all(|one| one.type_ != base);
        is_local.then_some(Object::Local(user))
    }

    /// Whether a function may be one of those of an object in a table.
    pub fn may_hold(&mut self, entry: &Entry, function: DefId) -> bool {
        let holders = self.holders(function);
        let object = entry.object;
        object.is_none_or(|one| holders.is_none_or(|all| all.contains(&one)))
    }

    /// All keys that are known.
    pub fn keys(&self) -> Vec<Expr> {
        let entries = self.tables.values().flatten().flat_map(|one| one.iter());
        entries.filter_map(|one| Some(one.key?.0)).collect()
    }
}
