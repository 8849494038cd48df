//! The files of /proc that are known by a number: what initialisers say of them goes in, and their
//! paths by the constants of their numbers come out.
//!
//! Until 2.6.19 one function serves many of them, and a switch over the number tells them apart:
//! `{ PROC_PID_MEM, 3, "mem", … }` and `case PROC_PID_MEM: inode->i_fop = &proc_mem_operations;`.

use rustc_hash::FxHashMap;

use crate::facts::Naming;
use crate::intern::Sym;
use crate::names::{NamingAt, View};
use crate::registrations::{file, join, plain};

/// The types whose elements are such files, and their folder; None where the number tells it.
const TYPES: [(&str, Option<&str>); 2] =
    [("proc_dir_entry", None), ("pid_entry", Some("/proc/PID"))];

/// The folders of /proc by how the constants of their files' numbers begin (up to 2.2).
const NUMBERS: [(&str, &str); 4] = [
    ("PROC_PID_", "/proc/PID"),
    ("PROC_NET_", "/proc/net"),
    ("PROC_SCSI_", "/proc/scsi"),
    ("PROC_", "/proc"),
];

/// The paths of files by the constants of their numbers; None where more than one has a number.
pub struct NumberedFiles {
    paths: FxHashMap<Sym, Option<Sym>>,
}

impl NumberedFiles {
    pub fn new(view: &View<'_, '_>) -> NumberedFiles {
        let mut paths: FxHashMap<Sym, Option<Sym>> = FxHashMap::default();
        let namings = &view.program.namings;
        let all = view.built_files().flat_map(|file| namings.held(file));
        for one in all.flat_map(|(_, all)| all) {
            if let Some((number, path)) = numbered(view, one) {
                let known = paths.entry(number).or_insert(Some(path));
                *known = known.filter(|known| *known == path);
            }
        }
        NumberedFiles { paths }
    }

    /// The files with these numbers; none if one of the numbers is no file's.
    pub fn with(&self, numbers: &[Sym]) -> Vec<Sym> {
        let files = numbers
            .iter()
            .map(|one| self.paths.get(one).copied().flatten());
        files.collect::<Option<_>>().unwrap_or_default()
    }
}

/// The constant of a file's number and its path, where an element of an initialiser has both.
fn numbered(view: &View<'_, '_>, one: &NamingAt) -> Option<(Sym, Sym)> {
    let (tag, _) = view.type_(one.naming.type_, one.path)?;
    let (_, folder) = TYPES.iter().find(|(known, _)| *known == plain(tag))?;
    let labels = one.naming.labels.iter();
    let mut labels = labels.filter_map(|label| Some(label.text().split_once('=')?.1));
    let number = labels.next().filter(|text| !text.starts_with('"'))?;
    let name = labels.find_map(file)?;
    let folder = folder.or_else(|| folder_of(&one.naming));
    Some((Sym::new(number), join(folder.unwrap_or("/proc/**"), name)))
}

/// The folder of /proc that the constant of an entry's number tells (2.0 to 2.2).
pub fn folder_of(one: &Naming) -> Option<&'static str> {
    let constants = one.labels.iter();
    let constants = constants.filter_map(|label| label.text().split_once('='));
    let mut folders = constants.filter_map(|(_, text)| {
        let of_number = |(start, _): &&(&str, &str)| text.starts_with(start);
        NUMBERS.iter().find(of_number).map(|(_, folder)| *folder)
    });
    folders.next()
}
