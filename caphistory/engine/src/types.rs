//! The types of places, and the abstract locations in which functions are kept.
//!
//! A *location* is a place that can hold a function: a member of a struct type (whatever the
//! object), a variable, a function's parameter or local variable, or what a function returns.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::facts::Function;
use crate::intern::Sym;
use crate::names::{DefId, Fact, PathId, StoredAt, Type, View, place_of};
use crate::notation::{RETURNED, Values, filled, used};

/// Macros that stand for places within such: deeper than any kernel has them.
const DEEPEST: usize = 100;

/// The number of a location; whenever it is the same place, the same number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LocationId(pub u32);

impl LocationId {
    /// As a place in a list with one for each location.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// A place that can hold a function.
///
/// `key` is that of the places as which it may be written, and `path` the only file whose places
/// are meant, if it is one: a function's locals are named in it alone, and `dev` and `data` are
/// names of locals in thousands of others.
#[derive(Clone, Copy, Debug)]
pub struct Location {
    pub kind: Kind,
    pub key: Sym,
    pub path: Option<PathId>,
}

/// What sort of place a location is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// A parameter or local variable of a function or macro.
    Local(DefId, Sym),
    /// What a function returns.
    Returned(DefId),
    /// A member of a struct.
    Member(Type, Sym),
    /// A variable outside functions, with its file if it is static.
    Variable(Option<PathId>, Sym),
}

impl Location {
    /// Whether it belongs to one function.
    pub fn is_local(&self) -> bool {
        matches!(self.kind, Kind::Local(..) | Kind::Returned(_))
    }
}

/// A place taken apart: its first part, the members behind it, and the place without the last.
struct Parts {
    base: Base,
    members: Box<[Sym]>,
    holder: Sym,
}

/// The first part of a place.
enum Base {
    Local(Sym),
    Outside(Sym),
    Call(Sym, Box<[Sym]>),
    /// What the function itself returns.
    Returned,
    Type(Sym),
}

impl Parts {
    fn of(place: Sym) -> Parts {
        let text = place.text();
        let mut parts = text.split('>');
        let base = parts.next().unwrap_or("");
        Parts {
            base: if base == "()" {
                Base::Returned
            } else if let Some(name) = base.strip_prefix('$') {
                Base::Local(Sym::new(name))
            } else if let Some(name) = base.strip_prefix(':') {
                Base::Outside(Sym::new(name))
            } else if let Some((name, arguments)) = used(base) {
                let arguments = arguments.iter().map(|one| Sym::new(one)).collect();
                Base::Call(Sym::new(name), arguments)
            } else {
                Base::Type(Sym::new(base))
            },
            members: parts.map(Sym::new).collect(),
            holder: text
                .rsplit_once('>')
                .map_or(Sym::default(), |(holder, _)| Sym::new(holder)),
        }
    }
}

/// Tells what a place is, in a file of a release.
pub struct Locations<'v, 'p, 'f> {
    view: &'v View<'p, 'f>,
    parts: RefCell<FxHashMap<Sym, Rc<Parts>>>,
    types: RefCell<FxHashMap<(Sym, PathId), Option<Type>>>,
    expanding: RefCell<FxHashSet<Sym>>,
    all: RefCell<Vec<Location>>,
    numbers: RefCell<FxHashMap<Kind, LocationId>>,
    labels: RefCell<FxHashMap<LocationId, Sym>>,
}

impl<'v, 'p, 'f> Locations<'v, 'p, 'f> {
    pub fn new(view: &'v View<'p, 'f>) -> Self {
        Locations {
            view,
            parts: RefCell::default(),
            types: RefCell::default(),
            expanding: RefCell::default(),
            all: RefCell::default(),
            numbers: RefCell::default(),
            labels: RefCell::default(),
        }
    }

    /// How many there are as yet.
    pub fn len(&self) -> usize {
        self.all.borrow().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn get(&self, id: LocationId) -> Location {
        self.all.borrow()[id.at()]
    }

    /// A location's name for people: `proto_ops.bind`, `hook`, `schedule_task(routine)`.
    pub fn label(&self, id: LocationId) -> Sym {
        let label = || match self.get(id).kind {
            Kind::Local(function, name) => {
                let function = self.view.program[function].name.text();
                Sym::new(&format!("{function}({})", name.text()))
            }
            Kind::Returned(function) => {
                Sym::new(&format!("{}()", self.view.program[function].name.text()))
            }
            Kind::Member((tag, _), member) => {
                let tag = tag.text();
                let plain = tag.split_once(' ').map_or("", |(_, plain)| plain);
                let plain = if plain.is_empty() { tag } else { plain };
                Sym::new(&format!("{}.{}", plain.replace('>', "."), member.text()))
            }
            Kind::Variable(_, name) => name,
        };
        *self.labels.borrow_mut().entry(id).or_insert_with(label)
    }

    fn number(&self, kind: Kind) -> LocationId {
        *self.numbers.borrow_mut().entry(kind).or_insert_with(|| {
            let (key, path) = match kind {
                Kind::Local(function, name) => {
                    let path = self.view.program[function].path;
                    (Sym::new(&format!("${}", name.text())), Some(path))
                }
                Kind::Returned(_) => (Sym::new(RETURNED), None),
                Kind::Member(_, member) => (member, None),
                Kind::Variable(_, name) => (place_of(name), None),
            };
            let mut all = self.all.borrow_mut();
            all.push(Location { kind, key, path });
            LocationId(all.len() as u32 - 1)
        })
    }

    /// The location of a parameter by position; None where there is none.
    pub fn parameter(&self, definition: DefId, position: usize) -> Option<LocationId> {
        let name = self.view.program[definition].fact.parameter(position)?;
        let real = !matches!(name.text(), "" | "..." | RETURNED);
        real.then(|| self.number(Kind::Local(definition, name)))
    }

    fn parts(&self, place: Sym) -> Rc<Parts> {
        let mut known = self.parts.borrow_mut();
        known
            .entry(place)
            .or_insert_with(|| Rc::new(Parts::of(place)))
            .clone()
    }

    /// The struct type of what a place holds; None where it cannot be told.
    pub fn type_of(&self, place: Sym, path: PathId) -> Option<Type> {
        if let Some(&found) = self.types.borrow().get(&(place, path)) {
            return found;
        }
        // A place that depends on itself has no type.
        self.types.borrow_mut().insert((place, path), None);
        let parts = self.parts(place);
        let mut found = self.base_type(&parts.base, path);
        for &member in &parts.members {
            found = found.and_then(|holder| self.member_type(holder, member, path));
        }
        self.types.borrow_mut().insert((place, path), found);
        found
    }

    fn base_type(&self, base: &Base, path: PathId) -> Option<Type> {
        let (name, place) = match base {
            Base::Local(_) | Base::Returned => return None,
            Base::Outside(name) => match self.view.variable(*name, path) {
                Some((_, variable)) => return self.view.type_(variable.type_, path),
                None => (*name, self.macro_place(*name, None, path)),
            },
            Base::Call(name, arguments) => match self.function(*name, path) {
                Some((function, at)) => return self.view.type_(function.returns, at),
                None => (*name, self.macro_place(*name, Some(arguments), path)),
            },
            Base::Type(type_) => return self.view.type_(*type_, path),
        };
        self.within(name, || self.type_of(place?, path))
    }

    /// What `inner` finds, as long as `name` is not being expanded: a macro is not expanded within
    /// itself.
    fn within<T>(&self, name: Sym, inner: impl FnOnce() -> Option<T>) -> Option<T> {
        {
            let mut expanding = self.expanding.borrow_mut();
            if expanding.len() > DEEPEST || !expanding.insert(name) {
                return None;
            }
        }
        let found = inner();
        self.expanding.borrow_mut().remove(&name);
        found
    }

    /// The first function that a name means in a file, and the file that defines it.
    fn function(&self, name: Sym, path: PathId) -> Option<(&'f Function, PathId)> {
        self.view.resolve(name, path).iter().find_map(|&id| {
            let definition = &self.view.program[id];
            Some((definition.fact.function()?, definition.path))
        })
    }

    /// The place that a macro denotes where it is used.
    fn macro_place(&self, name: Sym, arguments: Option<&[Sym]>, path: PathId) -> Option<Sym> {
        for &id in &*self.view.resolve(name, path) {
            let Fact::Macro(macro_) = self.view.program[id].fact else {
                continue;
            };
            let mut place = macro_.place;
            if place.is_empty() && !macro_.alias.is_empty() {
                place = place_of(macro_.alias);
            }
            if let (Some(arguments), Some(parameters)) = (arguments, macro_.parameters) {
                let names = parameters.iter().map(|name| name.text());
                let values: Values<'_> =
                    names.zip(arguments.iter().map(|one| one.text())).collect();
                place = Sym::new(&filled(place.text(), &values, &values));
            }
            if !place.is_empty() && !is_itself(place.text(), name.text()) {
                return Some(place);
            }
        }
        None
    }

    fn member_type(&self, (tag, at): Type, member: Sym, path: PathId) -> Option<Type> {
        let (_, _, definition) = self.view.struct_(tag, at)?;
        match definition.members.iter().find(|one| one.name == member) {
            Some(one) => self.view.type_(one.type_, at),
            None => self.behind_macro((tag, at), member, path),
        }
    }

    /// The type of the member that a macro stands for where it is used as a member's name:
    /// `sk_prot` is `__sk_common.skc_prot` in 4.15.
    fn behind_macro(&self, holder: Type, name: Sym, path: PathId) -> Option<Type> {
        self.within(name, || {
            let place = self.macro_place(name, None, path)?;
            let mut members = place.text().strip_prefix(':')?.split('>');
            members.try_fold(holder, |found, member| {
                self.member_type(found, Sym::new(member), path)
            })
        })
    }

    /// The location that a place is, in a file and (for places of a function) a definition; None
    /// where it is none or nobody can tell.
    pub fn location(
        &self,
        place: Sym,
        path: PathId,
        function: Option<DefId>,
    ) -> Option<LocationId> {
        let parts = self.parts(place);
        if let Some(&member) = parts.members.last() {
            let holder = self.type_of(parts.holder, path)?;
            return Some(self.number(Kind::Member(holder, member)));
        }
        match &parts.base {
            Base::Returned => Some(self.number(Kind::Returned(function?))),
            Base::Local(name) => Some(self.number(Kind::Local(function?, *name))),
            Base::Outside(name) => {
                let (place, _) = self.view.variable(*name, path)?;
                Some(self.number(Kind::Variable(place, *name)))
            }
            Base::Call(name, arguments) => self.returned(*name, arguments, path),
            Base::Type(_) => None,
        }
    }

    fn returned(&self, name: Sym, arguments: &[Sym], path: PathId) -> Option<LocationId> {
        for &id in &*self.view.resolve(name, path) {
            if self.view.program[id].fact.function().is_some() {
                return Some(self.number(Kind::Returned(id)));
            }
        }
        let place = self.macro_place(name, Some(arguments), path)?;
        self.within(name, || self.location(place, path, None))
    }

    /// The location that an entry of an initialiser fills.
    pub fn stored(&self, at: &StoredAt) -> Option<LocationId> {
        let stored = &at.stored;
        let typed = stored.type_.text() != "()";
        let holder = if typed {
            self.view.type_(stored.type_, at.path)
        } else {
            None
        };
        let Some(mut holder) = holder else {
            return self.location(stored.variable, at.path, at.within);
        };
        let mut member = Sym::default();
        for (depth, &step) in stored.path.iter().enumerate() {
            let (_, _, definition) = self.view.struct_(holder.0, holder.1)?;
            member = match step.text().strip_prefix('#') {
                Some(number) => {
                    // A flat list for an array of structs: the members come round again.
                    let count = definition.members.len();
                    let number = number.parse::<usize>().ok()?;
                    definition.members.get(number.checked_rem(count)?)?.name
                }
                None => step,
            };
            if depth + 1 < stored.path.len() {
                match self.member_type(holder, member, at.path) {
                    Some(inner) => holder = inner,
                    // An array of pointers in a member: the member itself is the location.
                    None => break,
                }
            }
        }
        (!member.is_empty()).then(|| self.number(Kind::Member(holder, member)))
    }
}

/// Whether a macro's place is the macro's own name, or a call of it.
fn is_itself(place: &str, name: &str) -> bool {
    place.strip_prefix(':') == Some(name) || place.strip_suffix("()") == Some(name)
}
