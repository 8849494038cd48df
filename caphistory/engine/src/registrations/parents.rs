//! In which folder a call makes a file of /proc, of securityfs or of devfs.
//!
//! The call names it (`create_proc_entry("x", 0, proc_bus)`), what it names was made in one, or the
//! function that calls was handed it: `register_proc_table(root_table, proc_sys_root)` makes the
//! files of all sysctls (up to 2.6.20). `**` stands for folders whose names nobody knows.

use rustc_hash::FxHashSet;

use super::{Registrations, Thing, called, file, plain};
use crate::facts::Call;
use crate::intern::{Expr, Sym};
use crate::names::{DefId, NamingAt, PathId, outside};

/// Where the folders of /proc are kept.
const FOLDERS: [(&str, &str); 7] = [
    ("proc_net", "net"),
    ("proc_net_stat", "net/stat"),
    ("proc_root_driver", "driver"),
    ("proc_root_fs", "fs"),
    ("proc_bus", "bus"),
    ("proc_tty_driver", "tty/driver"),
    ("proc_scsi", "scsi"),
];

/// Folders of /proc, and of securityfs and debugfs.
const FOLDER_TYPES: [&str; 2] = ["struct proc_dir_entry", "struct dentry"];
/// How the name of a function ends that makes one.
const FOLDER_MADE: &str = "fs_create_dir";

impl Registrations<'_, '_, '_, '_> {
    /// The folder of /proc, of securityfs or of devfs, that a call is handed.
    pub(super) fn parent(&self, at: &NamingAt, seen: &mut FxHashSet<Thing>) -> Option<String> {
        let labels = at.naming.labels.iter();
        let mut given = labels.filter_map(|one| one.text().split_once(")>="));
        let place = match called(at) {
            call if call.starts_with("devfs_") => ["(0", "=(0"],
            call if call.starts_with("proc_mkdir") || call.ends_with(FOLDER_MADE) => ["(1", "=(1"],
            _ => ["(2", "=(2"],
        };
        let mut named = || {
            let mut sources = at.naming.sources.iter();
            sources.find_map(|source| self.folder_kept(*source, at.path, seen))
        };
        let Some((_, text)) = given.find(|(at, _)| place.contains(at)) else {
            return named();
        };
        let folder = known(text).or_else(|| file(text).map(str::to_owned));
        // It is somewhere below what is named besides: `de = create_proc_entry(name, S_IFDIR,
        // proc_bus_pci_dir); e = create_proc_entry(name, mode, de);` (2.2).
        let below = || {
            named()
                .or_else(|| self.folder_handed(at))
                .map(|above| any_below(&above))
        };
        folder.or_else(below).or_else(|| Some("**".to_owned()))
    }

    /// The folder that a variable keeps.
    fn folder_kept(
        &self,
        source: Sym,
        path: PathId,
        seen: &mut FxHashSet<Thing>,
    ) -> Option<String> {
        let name = outside(source)?;
        if let Some(folder) = known(name.text()) {
            return Some(folder);
        }
        let (place, _) = self.view().variable(name, path)?;
        let folder = Thing::Variable(place, name);
        if !seen.insert(folder) {
            return None;
        }
        // What a variable itself is stands first.
        let own = |made: &NamingAt| made.naming.sources.first() == Some(&source);
        for made in self.registering(folder).into_iter().filter(own) {
            let labels = made.naming.labels.iter();
            let mut labels = labels.filter_map(|one| one.text().strip_prefix('='));
            let own = labels.find_map(|one| file(one.split_once(")=")?.1));
            if let Some(own) = own {
                let above = self.parent(&made, seen);
                let above = above.map_or_else(String::new, |above| format!("{above}/"));
                return Some(format!("{above}{own}"));
            }
        }
        let is_folder = self.is_folder(name, path);
        is_folder.then(|| "**".to_owned())
    }

    /// The folder that all other callers of a function hand it in which a call stands.
    fn folder_handed(&self, at: &NamingAt) -> Option<String> {
        let view = self.view();
        let maker = at.within?;
        let parameters = &view.program[maker].fact.function()?.parameters;
        let is_folder = |at: &usize| FOLDER_TYPES.contains(&parameters[*at].type_.text());
        let position = (0..parameters.len()).find(is_folder)?;
        let name = view.program[maker].name;
        let calls = view.of_built(&view.program.calls, name);
        let others = calls.filter(|(caller, _)| {
            *caller != maker
                && view
                    .resolve(name, view.program[*caller].path)
                    .contains(&maker)
        });
        let handed = |(caller, call): (DefId, &Call)| {
            let place = *call.arguments.get().get(position)?;
            let kept =
                self.folder_kept(place, view.program[caller].path, &mut FxHashSet::default());
            kept.or_else(|| top_folder_made(&view.program[caller].fact.function()?.sets, place))
        };
        let mut all = others.map(handed);
        let first = all.next()??;
        all.all(|one| one.as_ref() == Some(&first)).then_some(first)
    }

    /// The folder of debugfs that a call is handed, where all of its names are known: `dir =
    /// debugfs_create_dir("iosf_sb", NULL)`.
    pub(super) fn parent_in_debugfs(&self, at: &NamingAt) -> Option<String> {
        let labels = at.naming.labels.iter();
        let mut handed = labels.filter_map(|one| one.text().strip_prefix("(2)>="));
        let mut sources = at.naming.sources.iter();
        let seen = &mut FxHashSet::default();
        let above = sources.find_map(|source| self.folder_kept(*source, at.path, seen));
        let parent = match (handed.next(), above) {
            (None, above) => above?,
            (Some(name), None) => file(name)?.to_owned(),
            (Some(name), Some(above)) => format!("{above}/{}", file(name)?),
        };
        let known = handed.next().is_none() && !parent.contains("**");
        known.then(|| format!("/sys/kernel/debug/{parent}"))
    }

    /// Whether a variable is a folder of /proc or securityfs, and not /proc itself.
    fn is_folder(&self, name: Sym, path: PathId) -> bool {
        let variable = self.view().variable(name, path);
        let type_ = variable.and_then(|(_, one)| self.view().type_(one.type_, path));
        let folder =
            type_.is_some_and(|(tag, _)| ["proc_dir_entry", "dentry"].contains(&plain(tag)));
        folder && name.text() != "proc_root"
    }
}

/// The name of the only folder that a local variable is given, where that stands at the top:
/// `securityfs_create_dir("tomoyo", NULL)`.
fn top_folder_made(sets: &[(Sym, Expr)], variable: Sym) -> Option<String> {
    let place = Sym::new(&format!("{}>*", variable.text()));
    let mut given = sets.iter().filter(|(to, _)| *to == place);
    let (_, made) = given.next().filter(|_| given.next().is_none())?;
    let ("made", [maker, name, above]) = made.as_tuple()? else {
        return None;
    };
    let at_top = maker.as_text()?.ends_with(FOLDER_MADE) && *above == Expr::text("0");
    file(name.as_text()?).filter(|_| at_top).map(str::to_owned)
}

/// The folder that a variable keeps of which that is known.
fn known(name: &str) -> Option<String> {
    let found = FOLDERS.iter().find(|(variable, _)| *variable == name);
    found.map(|(_, folder)| (*folder).to_owned())
}

/// Any folder below one.
fn any_below(folder: &str) -> String {
    match folder {
        "**" => folder.to_owned(),
        _ => format!("{folder}/**"),
    }
}
