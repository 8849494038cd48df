//! The names under which functions that are called through pointers are registered: the operation
//! that a caller of the system selects by opening a file, or by the number of a command or message.
//!
//! A name stands beside the function, or beside the object that holds it: in one element of an
//! initialiser (`{ .procname = "modprobe", .proc_handler = f }`), or in one call
//! (`proc_create("kallsyms", 0, NULL, &ops)`). Which label of an element is the name, and where it
//! belongs, is known of some types and functions (`OF_TYPES`, `OF_CALLS`); elsewhere a constant that
//! selects an element of an array (`[RTM_NEWLINK - RTM_BASE] = …`, `{ SIOCX, f }`) is one.
//!
//! A file's name is a path; `**` in it stands for folders that the source does not tell
//! (`/sys/**/power`), or at its end for a file, and `PID` for a process.

use std::cell::{OnceCell, RefCell};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::call_graph::Edge;
use crate::facts::Call;
use crate::guards::selecting;
use crate::intern::{Sym, SymList};
use crate::lexer::is_upper;
use crate::makers::{Makers, TABLE};
use crate::names::{DefId, NamingAt, PathId, StoredAt, View, key_of, outside, place_of};
use crate::namings::{DEVICES, OPENERS, REGION, SELECTED, UNKNOWN};
use crate::numbered_files::{NumberedFiles, folder_of};
use crate::points_to::PointsTo;
use crate::types::Kind;

/// From a function to the objects that hold it, one in another: `write` in `file_operations` in
/// `miscdevice`, or a table within a table.
const DEEPEST: usize = 4;
/// So far from a function an index of an array selects it: `write` in a table in an array.
const NEAR: usize = 1;
/// What is registered under more names is no operation: 40 sysctls have one handler. So many are
/// told apart on a chain (see `chains`).
const MOST: usize = 24;

/// What a label is, where it is one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Label {
    /// A string: the name of a file in this folder.
    File(&'static str),
    /// A named constant, below this operation (or alone).
    Constant(&'static str),
}
use Label::{Constant, File};

/// By the tag of a type and the member that holds the label; `[]` is the index of an array.
const OF_TYPES: [(&str, &str, Label); 36] = [
    ("pid_entry", "name", File("/proc/PID")),
    ("ctl_table", "procname", File(SYSCTL)),
    ("proc_dir_entry", "name", File("/proc/**")),
    ("miscdevice", "name", File("/dev")),
    ("attribute", "name", File("/sys/**")),
    ("device_attribute", "", File("/sys/**")),
    ("kobj_attribute", "", File("/sys/**")),
    ("driver_attribute", "", File("/sys/**")),
    ("bus_attribute", "", File("/sys/**")),
    ("class_attribute", "", File("/sys/**")),
    ("module_attribute", "", File("/sys/**")),
    ("sensor_device_attribute", "", File("/sys/**")),
    ("subsys_attribute", "", File("/sys/**")),
    ("sysdev_attribute", "", File("/sys/**")),
    ("bin_attribute", "", File("/sys/**")),
    ("cftype", "name", File("/sys/fs/cgroup/**")),
    ("tree_descr", "name", File("**")),
    ("rtnl_msg_handler", "msgtype", Constant("NETLINK_ROUTE")),
    ("rtnetlink_link", "[]", Constant("NETLINK_ROUTE")),
    ("rtnl_link", "[]", Constant("NETLINK_ROUTE")),
    ("xfrm_link", "[]", Constant("NETLINK_XFRM")),
    ("nfnl_callback", "[]", Constant("NETLINK_NETFILTER")),
    ("genl_ops", "cmd", Constant("NETLINK_GENERIC")),
    ("genl_small_ops", "cmd", Constant("NETLINK_GENERIC")),
    ("genl_split_ops", "cmd", Constant("NETLINK_GENERIC")),
    ("rdma_nl_cbs", "[]", Constant("NETLINK_RDMA")),
    ("sock_diag_handler", "family", Constant("NETLINK_SOCK_DIAG")),
    ("xattr_handler", "prefix", Constant("")),
    ("xattr_handler", "name", Constant("")),
    ("ext2_xattr_handler", "prefix", Constant("")),
    ("ext3_xattr_handler", "prefix", Constant("")),
    ("reiserfs_xattr_handler", "prefix", Constant("")),
    ("proc_ns_operations", "name", File("/proc/PID/ns")),
    ("net_proto_family", "family", Constant("")),
    ("proto_ops", "family", Constant("")),
    ("drm_ioctl_desc", "[]", Constant("")),
];

/// By how the name of a registering function begins, and the number of the argument with the label;
/// None for any.
const OF_CALLS: [(&str, Label); 22] = [
    ("proc_net_", File("/proc/net")),
    ("proc_create_net", File("/proc/net")),
    ("create_proc_info_entry", File("/proc")),
    ("create_proc_", File("/proc")),
    ("proc_create", File("/proc")),
    ("proc_mkdir", File("/proc")),
    ("debugfs_create_", File(DEBUG)),
    ("securityfs_create_", File(SECURITY)),
    ("aafs_create", File(SECURITY)),
    ("register_chrdev", File("/dev")),
    ("__register_chrdev", File("/dev")),
    ("device_create", File("/dev")),
    ("class_simple_device_add", File("/dev")),
    ("class_device_create", File("/dev")),
    ("devfs_mk_cdev", File("/dev")),
    ("tracefs_create_", File("/sys/kernel/tracing/**")),
    ("devfs_register", File("/dev")),
    ("register_blkdev", File("/dev")),
    ("register_sysctl", File(SYSCTL)),
    ("register_net_sysctl", File(SYSCTL)),
    ("__register_sysctl", File(SYSCTL)),
    ("rtnl_register", Constant("NETLINK_ROUTE")),
];

const PROC: &str = "/proc";
const SYSCTL: &str = "/proc/sys";
const DEBUG: &str = "/sys/kernel/debug/**";
const SECURITY: &str = "/sys/kernel/security";
/// What a family's or a header's constants begin with says nothing of the operation.
const UNSPECIFIC: [&str; 4] = ["PF_UNSPEC", "AF_UNSPEC", "PF_", "AF_"];

/// A function, or a variable with its file if it is static.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Thing {
    Function(DefId),
    Variable(Option<PathId>, Sym),
}

/// Tells under which names functions are registered.
pub struct Registrations<'s, 'v, 'p, 'f> {
    pointers: &'s PointsTo<'v, 'p, 'f>,
    known: RefCell<FxHashMap<(DefId, Sym), SymList>>,
    numbered: RefCell<FxHashMap<&'static str, Option<&'static str>>>,
    written: OnceCell<FxHashMap<Sym, Vec<(PathId, &'static str)>>>,
    by_number: OnceCell<NumberedFiles>,
    makers: Makers,
}

impl<'s, 'v, 'p, 'f> Registrations<'s, 'v, 'p, 'f> {
    pub fn new(pointers: &'s PointsTo<'v, 'p, 'f>) -> Self {
        Registrations {
            pointers,
            known: RefCell::default(),
            numbered: RefCell::default(),
            written: OnceCell::new(),
            by_number: OnceCell::new(),
            makers: Makers::default(),
        }
    }

    /// The names under which the callee of a step is registered; of a step by name the files whose
    /// numbers select it. None is the family of what a named object has: a socket of PF_INET6 comes
    /// to `udp_prot.setsockopt` too.
    pub fn names_of(&self, edge: &Edge) -> SymList {
        if edge.via.is_none() {
            let files = edge.call.map(|call| self.files_of_step(&call));
            return files.unwrap_or_default();
        }
        // listxattr is given no name.
        let named = edge
            .via
            .filter(|via| !via.text().ends_with("xattr_handler.list"));
        let through = named.map(|via| self.names(edge.callee, via));
        let names = through.unwrap_or_default();
        let is_family = |name: &Sym| is_family(name.text());
        // A command says more than that it is for some device or other.
        let is_ioctl = edge.via.is_some_and(|via| via.text().ends_with("ioctl"));
        match &edge.call {
            _ if is_ioctl && names.iter().any(|name| name.text().ends_with("/**")) => {
                SymList::default()
            }
            Some(call)
                if call.target.text().starts_with(':')
                    && edge.via.is_some_and(|via| via.text().starts_with("proto."))
                    && names.iter().any(is_family) =>
            {
                SymList::default()
            }
            _ => names,
        }
    }

    /// The names of a function that is called by way of `via` (`file_operations.write`), ordered;
    /// none where there are too many to tell anything.
    pub fn names(&self, callee: DefId, via: Sym) -> SymList {
        if let Some(&known) = self.known.borrow().get(&(callee, via)) {
            return known;
        }
        // For a folder in which there are more of its kind.
        let mut known = self.known.borrow_mut();
        known.insert((callee, via), SymList::default());
        drop(known);
        let mut found = Vec::new();
        let mut seen = FxHashSet::default();
        self.add_names(Thing::Function(callee), Some(via), 0, &mut seen, &mut found);
        found.sort_by_key(|name| name.text());
        found.dedup();
        without_unknown(&mut found);
        without_those_below(&mut found);
        if found.len() > MOST {
            found.clear();
        }
        let found = SymList::new(&found);
        self.known.borrow_mut().insert((callee, via), found);
        found
    }

    fn view(&self) -> &'v View<'p, 'f> {
        self.pointers.view
    }

    /// Add the names of what holds a thing, or is handed it.
    fn add_names(
        &self,
        thing: Thing,
        via: Option<Sym>,
        depth: usize,
        seen: &mut FxHashSet<Thing>,
        found: &mut Vec<Sym>,
    ) {
        if seen.len() >= MOST * DEEPEST || !seen.insert(thing) {
            return;
        }
        for at in self.holders(thing, via) {
            let before = found.len();
            self.add_labels(&at, depth <= NEAR, found);
            if found.len() == before {
                self.add_family(&at, found);
            }
            if found.len() == before
                && let Some(holder) = self.holder(&at)
            {
                self.add_names(holder, None, depth + 1, seen, found);
            }
        }
        for at in self.registering(thing) {
            let call = called(&at);
            if OPENERS.contains(&call) {
                if let Some(opener) = at.within {
                    self.add_names(Thing::Function(opener), None, depth, seen, found);
                }
            } else if DEVICES.contains(&call) {
                found.extend(self.region_beside(&at));
            } else if at.naming.holder.text() == SELECTED {
                found.extend(self.files_selected(thing, &at));
            } else if let Some((_, label)) =
                OF_CALLS.iter().find(|(name, _)| call.starts_with(name))
                && !matches!(label, File(SYSCTL))
            {
                found.extend(self.label_of_call(&at, *label));
            } else if self.serves_files(thing, at.path) {
                found.extend(self.file_made(&at));
            }
        }
        if let Thing::Function(function) = thing
            && found.is_empty()
        {
            self.add_served(function, found);
        }
    }

    /// Add the files of the tables that macros make of a function: `DEFINE_SIMPLE_ATTRIBUTE(fops, get,
    /// set, "%llx")`.
    fn add_served(&self, function: DefId, found: &mut Vec<Sym>) {
        let (view, path) = (self.view(), self.view().program[function].path);
        let place = place_of(view.program[function].name);
        let handed = view.program.passed.at(key_of(place), path).iter();
        let made = handed.filter(|(user, call, _)| {
            view.program[*user].name.text().is_empty() && call.arguments.contains(&place)
        });
        for (_, call, _) in made {
            let beside = call.arguments.iter();
            let new = beside.filter(|one| {
                let name = outside(**one);
                name.is_some_and(|name| view.variable(name, path).is_none())
            });
            for table in new {
                for at in view.program.registering.at(*table, path) {
                    found.extend(self.file_of_call(at));
                }
            }
        }
    }

    /// The file that a call makes by a function that is known to.
    fn file_of_call(&self, at: &NamingAt) -> Option<Sym> {
        let mut known = OF_CALLS.iter();
        let (_, label) = known.find(|(name, _)| called(at).starts_with(name))?;
        match label {
            File(SYSCTL) | Constant(_) => None,
            File(_) => self.label_of_call(at, *label),
        }
    }

    /// The entries of initialisers that hold a thing: those that make it called by way of `via`,
    /// if there are any.
    fn holders(&self, thing: Thing, via: Option<Sym>) -> Vec<StoredAt> {
        let name = self.name(thing);
        let (program, made) = (self.view().program, &self.pointers.expansions);
        let all = program.stored.get(name).iter();
        let all = all.chain(made.stored.get(name)).copied();
        let meant: Vec<StoredAt> = all
            .filter(|at| self.view().built(at.path) && self.means(name, at.path, thing))
            .collect();
        let Some(via) = via else {
            return meant;
        };
        let locations = &self.pointers.locations;
        let is_way = |at: &StoredAt| {
            let location = locations.stored(at);
            location.is_some_and(|one| locations.label(one) == via)
        };
        let on_way: Vec<StoredAt> = meant.iter().filter(|at| is_way(at)).copied().collect();
        if on_way.is_empty() { meant } else { on_way }
    }

    /// The calls that are handed a thing beside labels.
    fn registering(&self, thing: Thing) -> Vec<NamingAt> {
        let name = self.name(thing);
        let calls = self.view().program.registering.get(place_of(name)).iter();
        calls
            .filter(|at| self.view().built(at.path) && self.means(name, at.path, thing))
            .copied()
            .collect()
    }

    fn name(&self, thing: Thing) -> Sym {
        match thing {
            Thing::Function(id) => self.view().program[id].name,
            Thing::Variable(_, name) => name,
        }
    }

    fn means(&self, name: Sym, path: PathId, thing: Thing) -> bool {
        match thing {
            Thing::Function(id) => self.view().resolve(name, path).contains(&id),
            Thing::Variable(place, _) => {
                let meant = self.view().variable(name, path);
                meant.is_some_and(|(meant, _)| meant == place)
            }
        }
    }

    /// The variable that an entry is in.
    fn holder(&self, at: &StoredAt) -> Option<Thing> {
        let name = outside(at.stored.variable)?;
        let (place, _) = self.view().variable(name, at.path)?;
        Some(Thing::Variable(place, name))
    }

    /// Add the labels of the innermost element with any that an entry is in.
    /// With `near` a constant may be one that selects the element.
    fn add_labels(&self, at: &StoredAt, near: bool, found: &mut Vec<Sym>) {
        let program = self.view().program;
        let namings = program.namings.at(at.stored.variable, at.path).iter();
        let line = at.stored.line;
        let mut around: Vec<&NamingAt> = namings
            .filter(|one| {
                one.within == at.within && one.naming.line <= line && line <= one.naming.end
            })
            .collect();
        // Of elements that stand in one line, the one that has the name.
        around.sort_by_key(|one| {
            let named = one.naming.sources.contains(&at.stored.source);
            (!named, one.naming.end - one.naming.line)
        });
        let before = found.len();
        for one in around {
            self.add_labels_of(one, at, near, found);
            if found.len() > before {
                return;
            }
        }
        found.extend(self.attribute(at));
    }

    fn add_labels_of(&self, one: &NamingAt, at: &StoredAt, near: bool, found: &mut Vec<Sym>) {
        let holders = self.tags(at);
        let in_array = self.is_array(at);
        let labels = one.naming.labels.iter();
        let labels = labels.filter_map(|label| label.text().split_once('='));
        let mut selecting = None;
        for (place, text) in labels {
            let indexed = place.starts_with(['[', '(']);
            let inside = if indexed {
                None
            } else {
                self.member(one, place, at)
            };
            let (tags, member) = match inside {
                Some((tag, member)) => (vec![tag], member),
                None => (holders.clone(), if indexed { "[]" } else { place }),
            };
            let of_type = OF_TYPES.iter().find(|(tag, wanted, _)| {
                tags.contains(tag) && (*wanted == member || place == "(0)")
            });
            let kind = of_type.map(|(_, _, kind)| *kind);
            if kind.is_none()
                && let (Some((tag, member)), Some(name)) = (inside, file(text))
            {
                let before = found.len();
                self.add_made(at, tag, member, name, found);
                if found.len() > before {
                    return;
                }
            }
            let name = match kind {
                Some(File(_)) => self.string(text, at.path),
                _ => file(text),
            };
            match (kind, name) {
                (Some(File(SYSCTL)), Some(name)) => return self.add_sysctl(at, name, found),
                (Some(File(folder)), Some(name)) => {
                    let folder = folder_of(&one.naming).unwrap_or(folder);
                    return found.push(join(folder, name));
                }
                (Some(Constant(above)), None) if !is_unspecific(text) => {
                    let text = self.constant_at(place, text, at.path);
                    return found.extend(text.map(|text| join_operation(above, text)));
                }
                (None, None) if near && selects(place, member) && (indexed || in_array) => {
                    selecting = selecting.or(Some((place, text)));
                }
                _ => {}
            }
        }
        let selecting = selecting.filter(|(_, text)| !is_unspecific(text));
        let constant = selecting.and_then(|(place, text)| self.constant_at(place, text, at.path));
        found.extend(constant.map(Sym::new));
    }

    /// Add the name of an element whose struct's member with it is handed to a registering call:
    /// `proc_create(leaf->name, 0, dir, leaf->fops)`.
    fn add_made(&self, at: &StoredAt, tag: &str, member: &str, name: &str, found: &mut Vec<Sym>) {
        let variable = at.stored.variable.text();
        let places = [
            format!("struct {tag}>{member}"),
            format!("{tag}>{member}"),
            format!("{variable}>{member}"),
        ];
        let places = places.map(|place| Sym::new(&place));
        let calls = places.iter().flat_map(|place| {
            let all = self.view().program.registering.get(*place).iter();
            all.filter(|one| self.view().built(one.path))
        });
        for call in calls {
            if let Some(folder) = self.folder_of_call(call) {
                return found.push(join(&folder, name));
            }
        }
    }

    /// Add the family of the sockets whose operations stand beside a protocol: `{ .prot = &tcp_prot,
    /// .ops = &inet_stream_ops }`.
    fn add_family(&self, at: &StoredAt, found: &mut Vec<Sym>) {
        let view = self.view();
        let line = at.stored.line;
        let namings = view.program.namings.at(at.stored.variable, at.path).iter();
        let around = namings.filter(|one| one.naming.line <= line && line <= one.naming.end);
        let Some(element) = around.min_by_key(|one| one.naming.end - one.naming.line) else {
            return;
        };
        for place in element.naming.sources.get() {
            let meant = |path| view.variable(outside(*place)?, path);
            let Some((file, variable)) = meant(at.path) else {
                continue;
            };
            let type_ = view.type_(variable.type_, at.path);
            if type_.is_none_or(|(tag, _)| plain(tag) != "proto_ops") {
                continue;
            }
            let namings = view.program.namings.get(*place).iter();
            let own = namings.filter(|one| meant(one.path).is_some_and(|(known, _)| known == file));
            let labels = own.flat_map(|one| one.naming.labels.iter());
            let families = labels.filter_map(|label| match label.text().split_once('=')? {
                ("family" | "(0)" | "#0", name) if !is_unspecific(name) => Some(Sym::new(name)),
                _ => None,
            });
            found.extend(families);
        }
    }

    fn is_array(&self, at: &StoredAt) -> bool {
        let variable =
            outside(at.stored.variable).and_then(|one| self.view().variable(one, at.path));
        variable.is_some_and(|(_, variable)| variable.array)
    }

    /// The files whose numbers lead to where a thing is stored, and any file in a folder whose own
    /// function stores it too, as what reads the links in /proc/PID/fd (2.4); none where another
    /// one does.
    fn files_selected(&self, thing: Thing, at: &NamingAt) -> Vec<Sym> {
        let place = place_of(self.name(thing));
        let flows = self.view().program.flows.get(key_of(place)).iter();
        let stored = flows.filter(|(user, flow)| {
            flow.source == place && self.view().built(self.view().program[*user].path)
        });
        let all = self.registering(thing);
        let selected = all
            .iter()
            .filter(|one| one.naming.holder == at.naming.holder);
        let selected: Vec<Option<DefId>> = selected.map(|one| one.within).collect();
        let stored: Vec<DefId> = stored.map(|(user, _)| *user).collect();
        let others = stored
            .iter()
            .filter(|user| !selected.contains(&Some(**user)));
        let others: Vec<Vec<Sym>> = others.map(|user| self.files_below(*user)).collect();
        if stored.len() > selected.len() + others.len() || others.iter().any(Vec::is_empty) {
            return Vec::new();
        }
        let numbers = at.naming.labels.iter();
        let numbers = numbers.filter_map(|one| one.text().split_once('='));
        let numbers: Vec<Sym> = numbers.map(|(_, text)| Sym::new(text)).collect();
        let mut found = self.numbered_files().with(&numbers);
        found.extend(others.concat());
        found
    }

    /// Any file of the folders in which a function looks files up.
    fn files_below(&self, function: DefId) -> Vec<Sym> {
        let folders = self.names(function, Sym::new("inode_operations.lookup"));
        folders
            .iter()
            .map(|folder| join(folder.text(), "**"))
            .collect()
    }

    /// The files whose numbers lead to a call under a `case` (`case PROC_PID_STAT: return
    /// get_stat(pid, page);`, 2.2).
    fn files_of_step(&self, call: &Call) -> SymList {
        if call.case.is_empty() || self.numbered_files().with(&[call.case]).is_empty() {
            return SymList::default();
        }
        let numbers = selecting(call.guards.iter().copied());
        SymList::new(&self.numbered_files().with(&numbers))
    }

    fn numbered_files(&self) -> &NumberedFiles {
        self.by_number
            .get_or_init(|| NumberedFiles::new(self.view()))
    }

    /// The constant that selects an element: the label itself, or (`[#]`) that which is so much more
    /// than the one that the index begins with: `RTM_NEWNEIGH` for element 12 from `RTM_BASE` on.
    fn constant_at(&self, place: &str, text: &'static str, path: PathId) -> Option<&'static str> {
        if place != "[#]" {
            return Some(text);
        }
        let known = self.numbered.borrow().get(text).copied();
        if let Some(known) = known {
            return known;
        }
        let (base, _) = text.split_once('+')?;
        let program = self.view().program;
        let named = Sym::new(base);
        let defines = |one: &PathId| program.blob(*one).constants.iter().any(|c| c.name == named);
        let headers = self
            .view()
            .built_files()
            .filter(|one| program.path(*one).ends_with(".h"));
        let seen = headers.filter(|one| self.view().includes(path, *one));
        let file = std::iter::once(path).chain(seen).find(defines);
        let found = file.and_then(|file| {
            let mut constants = program.blob(file).constants.iter();
            constants.find(|one| one.body.text().replace(['(', ')', ' '], "") == text)
        });
        let found = found.map(|one| one.name.text());
        self.numbered.borrow_mut().insert(text, found);
        found
    }

    /// The tags of the struct that an entry is in, and of the variable.
    fn tags(&self, at: &StoredAt) -> Vec<&'static str> {
        let locations = &self.pointers.locations;
        let mut found = Vec::new();
        if let Some(location) = locations.stored(at)
            && let Kind::Member((tag, _), _) = locations.get(location).kind
        {
            found.push(plain(tag));
        }
        if let Some((tag, _)) = self.view().type_(at.stored.type_, at.path) {
            found.push(plain(tag));
        }
        found
    }

    /// The struct and the member in which a label stands.
    fn member(
        &self,
        one: &NamingAt,
        place: &str,
        at: &StoredAt,
    ) -> Option<(&'static str, &'static str)> {
        let path: Vec<Sym> = place.split('>').map(Sym::new).collect();
        let mut entry = *at;
        entry.stored.path = SymList::new(&path);
        entry.stored.type_ = one.naming.type_;
        let locations = &self.pointers.locations;
        match locations.get(locations.stored(&entry)?).kind {
            Kind::Member((tag, _), member) => Some((plain(tag), member.text())),
            _ => None,
        }
    }

    /// The file of an attribute of sysfs that a macro declares: `dev_attr_power`.
    fn attribute(&self, at: &StoredAt) -> Option<Sym> {
        let tags = self.tags(at);
        tags.iter().find(|tag| tag.ends_with("_attribute"))?;
        let variable = at.stored.variable.text().strip_prefix(':')?;
        let behind = variable.split_once("attr_").map(|(_, name)| name);
        let name = behind.or_else(|| variable.strip_suffix("_attr"))?;
        Some(join("/sys/**", name))
    }

    // Sysctls.

    fn add_sysctl(&self, at: &StoredAt, name: &str, found: &mut Vec<Sym>) {
        let mut folders = Vec::new();
        let mut seen = FxHashSet::default();
        if let Some(table) = self.holder(at) {
            self.add_folders(table, &mut seen, &mut folders);
        }
        if folders.is_empty() {
            folders.push(format!("{SYSCTL}/**"));
        }
        found.extend(folders.iter().map(|folder| join(folder, name)));
    }

    /// Add the folders of a table: what it is registered below, or the entry that has it as child.
    fn add_folders(&self, table: Thing, seen: &mut FxHashSet<Thing>, found: &mut Vec<String>) {
        if seen.len() > DEEPEST || !seen.insert(table) {
            return;
        }
        for at in self.registering(table) {
            if !called(&at).contains("sysctl") {
                continue;
            }
            let mut labels = at
                .naming
                .labels
                .iter()
                .filter_map(|one| one.text().split_once('='));
            let folder = labels.find_map(|(_, text)| file(text));
            found.extend(folder.map(|folder| format!("{SYSCTL}/{folder}")));
        }
        for at in self.holders(table, None) {
            let program = self.view().program;
            let line = at.stored.line;
            let namings = program.namings.at(at.stored.variable, at.path).iter();
            let mut around: Vec<&NamingAt> = namings
                .filter(|one| one.naming.line <= line && line <= one.naming.end)
                .collect();
            around.sort_by_key(|one| {
                let named = one.naming.sources.contains(&at.stored.source);
                (!named, one.naming.end - one.naming.line)
            });
            let labels = around.iter().flat_map(|one| one.naming.labels.iter());
            let mut names = labels.filter_map(|one| file(one.text().split_once('=')?.1));
            let Some(name) = names.next() else {
                continue;
            };
            let mut above = Vec::new();
            if let Some(outer) = self.holder(&at) {
                self.add_folders(outer, seen, &mut above);
            }
            if above.is_empty() {
                above.push(SYSCTL.to_owned());
            }
            found.extend(above.iter().map(|folder| format!("{folder}/{name}")));
        }
    }

    // Calls.

    fn label_of_call(&self, at: &NamingAt, label: Label) -> Option<Sym> {
        let labels = at.naming.labels.iter();
        let mut labels = labels.filter_map(|one| one.text().split_once('='));
        match label {
            Constant(above) => {
                let mut constants =
                    labels.filter(|(_, text)| !text.starts_with('"') && !is_unspecific(text));
                constants
                    .next()
                    .map(|(_, text)| join_operation(above, text))
            }
            File(folder) => {
                let own = |(place, text): (&str, &'static str)| {
                    let written = || self.string(text, at.path);
                    let alone = place.starts_with('(') && place.ends_with(')');
                    if alone { written() } else { None }
                };
                let unknown = || {
                    let mut labels = at.naming.labels.iter();
                    let any = labels.any(|one| one.text() == UNKNOWN);
                    any.then_some("?")
                };
                let name = labels.find_map(own).or_else(unknown)?;
                let folder = self.folder_within(at, folder);
                Some(join(&folder, name))
            }
        }
    }

    /// The file that a call makes by a function which does that for others.
    fn file_made(&self, at: &NamingAt) -> Option<Sym> {
        let known = |name: &str| match OF_CALLS.iter().find(|(start, _)| name.starts_with(start)) {
            Some((_, File(folder))) => Some(*folder),
            _ => DEVICES.contains(&name).then_some("/dev"),
        };
        let makers = self.view().resolve(Sym::new(called(at)), at.path);
        let mut folders = makers
            .iter()
            .map(|one| self.makers.folder(self.view(), *one, &known));
        let folder = folders.find_map(|folder| folder)?;
        let labels = at.naming.labels.iter();
        let mut labels = labels.filter_map(|one| one.text().split_once("="));
        let name = labels.find_map(|(_, text)| file(text));
        let any = folder
            .strip_suffix("**")
            .unwrap_or(folder)
            .trim_end_matches('/');
        match (folder, name) {
            // What a device is called is put together there: "afu%i.%im".
            ("/dev", _) => Some(join(folder, "?")),
            ("**", name) => name.map(|name| join(folder, name)),
            (_, name) => Some(join(&format!("{any}/**"), name.unwrap_or("?"))),
        }
    }

    /// Whether a thing is a table of functions that serves a file.
    fn serves_files(&self, thing: Thing, user: PathId) -> bool {
        let meant = self.view().variable(self.name(thing), user);
        meant.is_some_and(|(_, variable)| variable.type_.text() == TABLE)
    }

    /// The folder in which a call makes a file.
    fn folder_of_call(&self, at: &NamingAt) -> Option<String> {
        let call = called(at);
        let (_, label) = OF_CALLS.iter().find(|(name, _)| call.starts_with(name))?;
        match label {
            File(folder) => Some(self.folder_within(at, folder)),
            Constant(_) => None,
        }
    }

    fn folder_within(&self, at: &NamingAt, folder: &str) -> String {
        if folder == DEBUG {
            let parent = self.parent_in_debugfs(at);
            return parent.unwrap_or_else(|| folder.to_owned());
        }
        let named = called(at).starts_with("devfs_register");
        match self.parent(at, &mut FxHashSet::default()) {
            Some(parent) if [PROC, SECURITY].contains(&folder) || named => {
                format!("{folder}/{parent}")
            }
            _ => folder.to_owned(),
        }
    }

    /// The name under which numbers of devices are taken next to a call.
    fn region_beside(&self, at: &NamingAt) -> Option<Sym> {
        let regions = self
            .view()
            .program
            .registering
            .at(Sym::new(REGION), at.path);
        let named = regions.iter().map(|one| {
            let labels = one.naming.labels.iter();
            let mut names = labels.filter_map(|label| label.text().split_once('='));
            let name = names.find_map(|(_, text)| self.string(text, at.path));
            (
                one.naming.line.abs_diff(at.naming.line),
                name.unwrap_or("**"),
            )
        });
        let (_, name) = named.min_by_key(|(distance, _)| *distance)?;
        Some(join("/dev", name.strip_prefix("/dev/").unwrap_or(name)))
    }

    /// A string as the name of a file, or the constant for one: `.name = GAMMA_NAME`.
    fn string(&self, text: &'static str, path: PathId) -> Option<&'static str> {
        if text.starts_with('"') || !is_upper(text) {
            return file(text);
        }
        let written = self.written.get_or_init(|| self.all_written());
        let all = written.get(&Sym::new(text))?.iter();
        let mut seen = all.filter(|(at, _)| *at == path || self.view().includes(path, *at));
        seen.next().map(|(_, name)| *name)
    }

    /// The constants that are strings, by name.
    fn all_written(&self) -> FxHashMap<Sym, Vec<(PathId, &'static str)>> {
        let mut found: FxHashMap<Sym, Vec<(PathId, &'static str)>> = FxHashMap::default();
        for path in self.view().built_files() {
            for constant in &self.view().program.blob(path).constants {
                if let Some(name) = file(constant.body.text()) {
                    found.entry(constant.name).or_default().push((path, name));
                }
            }
        }
        found
    }
}

/// The name of the function that a call with labels calls.
fn called(at: &NamingAt) -> &'static str {
    let text = at.naming.holder.text();
    text.strip_suffix("()").unwrap_or(text)
}

/// A string as the name of a file.
pub fn file(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"')
}

pub fn plain(tag: Sym) -> &'static str {
    let text = tag.text();
    text.split_once(' ').map_or(text, |(_, plain)| plain)
}

/// Takes out the files whose names nobody knows (`/proc/bus/pci/?`), or, if all are such, puts any
/// file of their folders in their place.
fn without_unknown(found: &mut Vec<Sym>) {
    let folder = |name: &Sym| name.text().strip_suffix("/?");
    if found.iter().any(|name| folder(name).is_none()) {
        found.retain(|name| folder(name).is_none());
    }
    for name in found {
        if let Some(folder) = folder(name) {
            let any = folder.strip_suffix("/**").unwrap_or(folder);
            *name = Sym::new(&format!("{any}/**"));
        }
    }
}

/// Takes out the files in a folder of which any file may be meant (`/dev/**`), and those of which
/// nothing but the name is known where another file has it.
fn without_those_below(found: &mut Vec<Sym>) {
    let named: Vec<&str> = found.iter().map(|name| name.text()).collect();
    let is_told = |name: &str| {
        let anywhere = name.strip_prefix("**");
        let told =
            |other: &&str| *other != name && anywhere.is_some_and(|one| other.ends_with(one));
        named.iter().any(told)
    };
    found.retain(|name| !is_told(name.text()));
    let folders = found
        .iter()
        .filter_map(|name| name.text().strip_suffix("**"));
    let folders: Vec<&str> = folders.collect();
    found.retain(|name| {
        let text = name.text();
        !folders
            .iter()
            .any(|folder| text.starts_with(folder) && text.len() > folder.len() + 2)
    });
}

pub fn join(folder: &str, name: &str) -> Sym {
    Sym::new(&format!("{folder}/{}", name.trim_start_matches('/')))
}

fn join_operation(above: &str, operation: &str) -> Sym {
    if above.is_empty() {
        Sym::new(operation)
    } else {
        Sym::new(&format!("{above}/{operation}"))
    }
}

/// Whether a constant selects what stands beside it, in a type that is not known: an index, the
/// first in its element, a command.
fn selects(place: &str, member: &str) -> bool {
    matches!(place, "[]" | "[#]" | "(0)" | "#0") || matches!(member, "cmd" | "command")
}

fn is_family(constant: &str) -> bool {
    constant.starts_with("PF_") || constant.starts_with("AF_")
}

fn is_unspecific(constant: &str) -> bool {
    UNSPECIFIC.contains(&constant)
}

mod parents;
#[cfg(test)]
mod tests;
