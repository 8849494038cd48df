//! Under which labels functions and objects are registered, as far as one function's text tells.
//!
//! `proc_create("kallsyms", 0, NULL, &ops)` tells it by itself. Up to 3.x the call comes first:
//! `entry = create_proc_entry("mtrr", 0, NULL); entry->proc_fops = &mtrr_fops;`.

use rustc_hash::FxHashMap;

use crate::facts::Naming;
use crate::initialisers::{bare, label};
use crate::intern::{Sym, SymList};
use crate::places::Places;
use crate::tree::{Field, Kind, Node};

/// The labels, or names, of one call that are told of: no registering call has more.
const MOST: usize = 8;
/// Constants alone are labels only among so many arguments (rtnl_register of 2.6.22 and later has
/// four or more), as flags of locks and bits are everywhere.
const FEWEST: usize = 3;

/// Functions by which an open file is given what reads it: it is named as who opens it.
pub const OPENERS: [&str; 6] = [
    "seq_open",
    "__seq_open_private",
    "seq_open_private",
    "seq_open_net",
    "single_open",
    "single_open_size",
];

/// Functions by which a character device is given what serves it; its name is told where its numbers
/// are taken (`alloc_chrdev_region(&dev, 0, 1, "sg")`).
pub const DEVICES: [&str; 2] = ["cdev_init", "cdev_alloc"];
/// The source of a call that takes the numbers of a device.
pub const REGION: &str = ":chrdev_region";
/// Parts of the names of functions that give names to what they make.
const MAKING: [&str; 4] = ["create", "regist", "mk_cdev", "device_add"];

/// Parts of the names of functions that register a file under the name that they are handed.
const NAMING: [&str; 6] = [
    "create_proc_",
    "proc_create",
    "securityfs_create_file",
    "debugfs_create_file",
    "register_chrdev",
    "register_blkdev",
];
/// The label of a file whose name nobody knows.
pub const UNKNOWN: &str = "?=?";

/// The holder of what is put in a member under a `case`; its labels are those that lead there.
pub const SELECTED: &str = "case()";

/// A call that may register something (`proc_create()`), its labels and the names beside them, as
/// `Naming` has them.
#[derive(Clone, Debug, Default)]
pub struct Registered {
    call: Sym,
    labels: Vec<Sym>,
    sources: Vec<Sym>,
}

impl Registered {
    /// The fact, if labels and names are there, or what an open file or a device is served by.
    pub fn naming(&self, line: u32) -> Option<Naming> {
        let opens = || {
            let name = self.call.text().strip_suffix("()");
            name.is_some_and(|name| OPENERS.contains(&name) || DEVICES.contains(&name))
        };
        let region = || self.sources.first().is_some_and(|one| one.text() == REGION);
        let told = !self.sources.is_empty() && (!self.labels.is_empty() || opens() || region());
        told.then(|| Naming {
            line,
            end: line,
            holder: self.call,
            type_: Sym::default(),
            labels: SymList::new(&self.labels),
            sources: SymList::new(&self.sources),
        })
    }

    /// It as what the constants of a switch select, where nothing else says what it is: `case
    /// PROC_PID_MEM: inode->i_fop = &mem_operations;`, 2.4.
    pub fn selected(mut self, constants: impl FnOnce() -> Vec<Sym>) -> Registered {
        if self.labels.is_empty() && !self.sources.is_empty() && self.naming(0).is_none() {
            self.call = Sym::new(SELECTED);
            for constant in constants() {
                self.label("(0)", constant.text());
            }
        }
        self
    }

    fn label(&mut self, at: &str, label: &str) {
        if self.labels.len() < MOST {
            self.labels.push(Sym::new(&format!("{at}={label}")));
        }
    }

    /// An argument that may be a folder that nobody knows: `proc_create("x", 0, dir, &ops)`,
    /// `devfs_register(dir, "x", …)`.
    fn folder(&mut self, number: usize) {
        let first = usize::from(!self.call.text().starts_with("devfs_"));
        if (first..=2).contains(&number) {
            self.label(&format!("({number})>"), "?");
        }
    }

    fn source(&mut self, source: Sym) {
        if self.sources.len() < MOST && !self.sources.contains(&source) {
            self.sources.push(source);
        }
    }
}

type Known = FxHashMap<&'static str, Registered>;

/// What a call registers; `known` is what local variables were given.
pub fn of_call(name: &str, listed: Node, places: &Places, known: &Known) -> Registered {
    let mut found = Registered {
        call: Sym::new(&format!("{name}()")),
        ..Registered::default()
    };
    let arguments: Vec<Node> = listed
        .named_children()
        .filter(|one| one.kind() != Kind::Comment)
        .collect();
    let (mut strings, mut literal) = (false, false);
    let makes = MAKING.iter().any(|part| name.contains(part));
    if name.ends_with("chrdev_region") && !name.starts_with("unreg") {
        found.source(Sym::new(REGION));
    }
    for (number, argument) in arguments.iter().map(|one| bare(*one)).enumerate() {
        let place = format!("({number})");
        if let Some(text) = label(argument, places.code) {
            strings = strings || text.starts_with('"');
            literal = literal || text.starts_with('"');
            found.label(&place, &text);
        } else if argument.kind() == Kind::FieldExpression {
            // The folder: `net->proc_net`.
            if let Some(member) = argument.field(Field::Field) {
                let member = member.text(places.code);
                found.label(&format!("{place}>"), &member);
                // The name: `leaf->name`.
                let from = places.place(argument);
                if makes && member.ends_with("name") && !from.is_empty() {
                    strings = true;
                    found.label("#", &from);
                    found.source(Sym::new(&from));
                }
            }
        } else if argument.kind() == Kind::Identifier {
            let name = argument.text(places.code);
            match known.get(&*name) {
                Some(given) => {
                    if given.labels.is_empty() && given.sources.is_empty() {
                        found.folder(number);
                    }
                    for label in &given.labels {
                        let (_, text) = label.text().split_once('=').unwrap_or_default();
                        found.label(&format!("{place}>"), text);
                    }
                    for source in &given.sources {
                        found.source(*source);
                    }
                }
                None if places.locals.contains(&name) => found.folder(number),
                None if name == "current" => {}
                None => found.source(Sym::new(&format!(":{name}"))),
            }
        }
    }
    let named = !name.starts_with("un") && NAMING.iter().any(|part| name.contains(part));
    if named && !literal && !name.ends_with("_region") && found.labels.len() < MOST {
        found.labels.push(Sym::new(UNKNOWN));
        strings = true;
    }
    if !strings {
        // Folders matter to files alone.
        let few = arguments.len() < FEWEST;
        found
            .labels
            .retain(|one| !few && !one.text().contains(")>="));
    }
    found
}

/// What a value registers, or is registered as.
pub fn of_value(value: Node, places: &Places, known: &Known) -> Registered {
    let value = bare(value);
    let plain = |node: &Node| node.kind() == Kind::Identifier;
    match value.kind() {
        Kind::CallExpression => {
            let listed = value.field(Field::Arguments);
            let name = value.field(Field::Function).filter(plain);
            match (name, listed) {
                (Some(name), Some(listed)) => {
                    of_call(&name.text(places.code), listed, places, known)
                }
                _ => Registered::default(),
            }
        }
        Kind::AssignmentExpression => value
            .field(Field::Right)
            .map_or_else(Registered::default, |right| of_value(right, places, known)),
        Kind::Identifier => {
            let name = value.text(places.code);
            if let Some(given) = known.get(&*name) {
                return given.clone();
            }
            let mut found = Registered::default();
            if !places.locals.contains(&name) && label(value, places.code).is_none() {
                found.source(Sym::new(&format!(":{name}")));
            }
            found
        }
        _ => Registered::default(),
    }
}

/// The key of what a variable from outside functions was given in the function at hand.
pub fn given_to(variable: &str) -> String {
    format!("={variable}")
}

/// What an assignment registers: what is set in a member of what a call returned (`e->write_proc =
/// f`), or the variable that is given it (`proc_bus = proc_mkdir("bus", NULL)`); of a local
/// variable, what it is given.
pub fn of_assignment(left: Node, right: Node, places: &Places, known: &Known) -> Registered {
    let value = of_value(right, places, known);
    match left.kind() {
        Kind::FieldExpression => {
            let Some(holder) = left.field(Field::Argument) else {
                return Registered::default();
            };
            let given = known.get(&*given_to(&places.text(holder)));
            let given = given.filter(|_| holder.kind() == Kind::Identifier);
            let mut found = given.map_or_else(|| of_value(holder, places, known), Clone::clone);
            // The folder stays one of what is beside.
            let beside = std::mem::replace(&mut found.sources, value.sources);
            beside.into_iter().for_each(|one| found.source(one));
            found
        }
        // Labels of what it is itself begin with "=".
        Kind::Identifier if !places.locals.contains(&places.text(left)) => {
            let labels = value.labels.iter();
            let labels = labels.map(|one| Sym::new(&format!("={}", one.text())));
            let mut found = Registered {
                call: value.call,
                labels: labels.collect(),
                sources: vec![Sym::new(&format!(":{}", places.text(left)))],
            };
            value.sources.iter().for_each(|one| found.source(*one));
            found
        }
        _ => value,
    }
}
