//! The kinds of files, as plain sets: a macro's name (`S_ISREG`) goes in, and the kind that it
//! tests for comes out.

/// A set of kinds of files, each a bit; 0 where nothing is told.
pub type Kinds = u8;

/// The kinds of POSIX, by the ends of `S_ISREG` and `S_IFREG`.
const NAMES: [&str; 7] = ["REG", "DIR", "LNK", "CHR", "BLK", "FIFO", "SOCK"];
/// All of them.
pub const ALL: Kinds = 0xff;
/// A file that is written from its beginning to its end, of whatever kind it is: one has no say in
/// where.
pub const UNPLACED: Kinds = 0x80;
/// The flag of a file that is not such.
pub const PLACED_FLAG: &str = "FMODE_PWRITE";
/// What is no data of a file system's own: devices, pipes and sockets.
pub const SPECIAL: Kinds = 0x78;

/// The kind that a name tells behind a prefix: `S_ISREG` behind `S_IS`.
pub fn kind_of(name: &str, prefix: &str) -> Option<Kinds> {
    let kind = name.strip_prefix(prefix)?;
    let number = NAMES.iter().position(|one| *one == kind)?;
    Some(1 << number)
}
