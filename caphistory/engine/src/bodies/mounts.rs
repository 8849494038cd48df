//! On which mount of the kernel's own the files are that a body hands on.
//!
//! Of some file systems the kernel keeps a mount for itself (`mqueue_mnt`); what is looked up there
//! is of that file system whatever a user does. Assignments go in (`mnt = ns->mq_mnt`, `path.mnt =
//! mntget(mnt)`), and for a call the *source* comes out of the mount that its arguments come from:
//! the place that keeps it (`:mqueue_mnt`), the file system that it is made of (`:mqueue_fs_type`,
//! `"nfsd"`), or the function that makes it (`mq_create_mount()`).

use memchr::memmem;
use rustc_hash::FxHashMap;

use crate::guards;
use crate::intern::Sym;
use crate::places::Places;
use crate::tree::{Field, Kind, Node};

/// How the names end of what keeps a mount, so that not every place need be looked at: what it
/// keeps is found out where the release is linked.
const KEEPING: &str = "_mnt";
/// What makes a mount for the kernel itself, and the names of functions that do so for others.
const MAKING: &str = "kern_mount";
const MOUNT: &str = "mount";
const DEEPEST: u32 = 8;

/// Whether a text may take a file from such a mount.
pub fn may_mount(code: &[u8]) -> bool {
    let signs = [KEEPING, MAKING];
    let mut found = signs.iter().map(|sign| memmem::find(code, sign.as_bytes()));
    found.any(|one| one.is_some())
}

/// The sources of the mounts from which local variables come; None for those of several ones.
#[derive(Default)]
pub struct Mounts {
    known: FxHashMap<Sym, Option<Sym>>,
}

impl Mounts {
    /// Takes down that a place is given a value. If it keeps a mount, its text comes out with the
    /// value's source, `?` where nobody can tell.
    pub fn give(&mut self, target: Node, value: Node, places: &Places) -> Option<(Sym, Sym)> {
        let nothing = is_nothing(value, places);
        let source = self.source_of(value, places);
        if is_keeping(target, places) {
            let place = places.place(target);
            let source = source.unwrap_or_else(|| Sym::new("?"));
            return (!place.is_empty() && !nothing).then(|| (Sym::new(&place), source));
        }
        if let Some(variable) = local_of(target, places) {
            let whole = target.kind() == Kind::Identifier;
            self.set(variable, source, whole && !nothing);
        }
        None
    }

    /// Takes down what a new variable is given.
    pub fn declare(&mut self, variable: Sym, value: Node, places: &Places) {
        let source = self.source_of(value, places);
        self.set(variable, source, !is_nothing(value, places));
    }

    /// A member that comes from no mount changes nothing; what a variable is as a whole does.
    fn set(&mut self, variable: Sym, source: Option<Sym>, whole: bool) {
        if source.is_some() || whole {
            let known = self.known.entry(variable).or_insert(source);
            if *known != source {
                *known = None;
            }
        }
    }

    /// The source of the one mount that the arguments of a call come from, or that it makes.
    pub fn of_call(
        &self,
        name: &str,
        given: Node,
        arguments: &[Node],
        places: &Places,
    ) -> Option<Sym> {
        let from = self.of_arguments(arguments, places);
        from.or_else(|| mounted_by(name, given, places))
    }

    /// The source of the one mount that arguments come from.
    pub fn of_arguments(&self, arguments: &[Node], places: &Places) -> Option<Sym> {
        let mut sources = arguments
            .iter()
            .filter_map(|one| self.source_of(*one, places));
        let first = sources.next()?;
        sources.all(|one| one == first).then_some(first)
    }

    fn source_of(&self, value: Node, places: &Places) -> Option<Sym> {
        self.source_within(value, places, 0)
    }

    fn source_within(&self, node: Node, places: &Places, depth: u32) -> Option<Sym> {
        if depth > DEEPEST {
            return None;
        }
        if is_keeping(node, places) {
            let place = places.place(node);
            return (!place.is_empty()).then(|| Sym::new(&place));
        }
        let below = |node: Node| self.source_within(node, places, depth + 1);
        match node.kind() {
            Kind::Identifier => *self.known.get(&Sym::new(&places.text(node)))?,
            Kind::CallExpression => {
                let function = node.field(Field::Function)?;
                let given = node.field(Field::Arguments)?;
                let name = places.text(function);
                if function.kind() == Kind::Identifier && name.contains(MOUNT) {
                    return made_by(&name, given, places);
                }
                given.named_children().find_map(below)
            }
            _ => node.named_children().find_map(below),
        }
    }
}

/// The file system that a call mounts, or the call, which tells as little as its name.
fn made_by(name: &str, given: Node, places: &Places) -> Option<Sym> {
    let type_ = mounted_by(name, given, places);
    Some(type_.unwrap_or_else(|| Sym::new(&format!("{name}()"))))
}

/// The file system that a call mounts for the kernel itself.
fn mounted_by(name: &str, given: Node, places: &Places) -> Option<Sym> {
    if !name.contains(MAKING) {
        return None;
    }
    let named = |node: Node| match node.kind() {
        Kind::StringLiteral if guards::string(node.bytes(places.code)) => {
            Some(Sym::latin1(node.bytes(places.code)))
        }
        Kind::PointerExpression => {
            let place = places.place(node);
            (!place.is_empty()).then(|| Sym::new(&place))
        }
        _ => None,
    };
    given.named_children().find_map(named)
}

/// Whether an expression is a place that may keep a mount: no local variable.
fn is_keeping(node: Node, places: &Places) -> bool {
    let name = match node.kind() {
        Kind::FieldExpression => node.field(Field::Field),
        Kind::Identifier => Some(node),
        _ => None,
    };
    let name = name.map(|name| places.text(name));
    name.is_some_and(|name| {
        let local = node.kind() == Kind::Identifier && places.locals.contains(&name);
        name.ends_with(KEEPING) && !local
    })
}

/// The local variable that a place is, or of which it is a member.
fn local_of(node: Node, places: &Places) -> Option<Sym> {
    let mut base = node;
    while matches!(
        base.kind(),
        Kind::FieldExpression | Kind::SubscriptExpression | Kind::ParenthesizedExpression
    ) {
        base = base.field(Field::Argument).or_else(|| base.last_named())?;
    }
    let name = places.text(base);
    let is_local = base.kind() == Kind::Identifier && places.locals.contains(&name);
    is_local.then(|| Sym::new(&name))
}

fn is_nothing(value: Node, places: &Places) -> bool {
    matches!(value.kind(), Kind::Null | Kind::NumberLiteral) || value.bytes(places.code) == b"NULL"
}
