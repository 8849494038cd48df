//! How data comes from the user's memory, and other memory to be: the primitives that copy and
//! give it.

/// Functions that return what they copy, with the number of their arguments if it matters
/// (`get_user(p)` up to 2.0, `get_user(x, p)` from 2.1 on).
const RETURNING: [(&str, Option<usize>); 11] = [
    ("get_fs_byte", None),
    ("get_fs_word", None),
    ("get_fs_long", None),
    ("get_user", Some(1)),
    ("get_user_byte", None),
    ("get_user_word", None),
    ("get_user_long", None),
    ("memdup_user", None),
    ("vmemdup_user", None),
    ("memdup_sockptr", None),
    ("memdup_user_nul", None),
];
/// Parts of the names of functions that copy into what their arguments point to.
const COPYING: [&str; 5] = [
    "from_user",
    "fromfs",
    "from_sockptr",
    "from_bpfptr",
    "fromiovec",
];
/// Those that do so under other names.
const ALSO_COPYING: [&str; 3] = ["get_user", "unsafe_get_user", "get_user_ifreq"];
/// Structs that hold what a user gives, and nothing else: a control message, and the name and the
/// value of an extended attribute (`fs/xattr.c`, 5.19 on).
const FILLED: [&str; 3] = [
    "struct cmsghdr",
    "struct xattr_ctx",
    "struct kernel_xattr_ctx",
];
const WORD: i128 = 0xffff_ffff;
/// Macros and functions that give a part of a number: by how many places they shift it and which
/// bits they keep then, where that is the same in all releases.
const PARTS: [(&str, Option<(u32, i128)>); 12] = [
    ("_IOC_NR", Some((0, 0xff))),
    ("_IOC_TYPE", Some((8, 0xff))),
    ("_IOC_DIR", None),
    ("_IOC_SIZE", None),
    ("MAJOR", None),
    ("MINOR", None),
    ("lower_32_bits", Some((0, WORD))),
    ("upper_32_bits", Some((32, WORD))),
    ("array_index_nospec", Some((0, -1))),
    ("READ_ONCE", Some((0, -1))),
    ("le32_to_cpu", Some((0, -1))),
    ("le16_to_cpu", Some((0, -1))),
];

/// Whether a call with so many arguments returns what it copies from the user's memory.
pub fn returns_copy(name: &str, arguments: usize) -> bool {
    let name = name.trim_start_matches('_');
    RETURNING
        .iter()
        .any(|(one, number)| *one == name && number.is_none_or(|number| number == arguments))
}

/// Whether users fill structs of a type, and nobody else.
pub fn fills(type_: &str) -> bool {
    FILLED.contains(&type_)
}

/// Whether a call copies from the user's memory into what its arguments point to.
pub fn copies(name: &str) -> bool {
    COPYING.iter().any(|part| name.contains(part))
        || ALSO_COPYING.contains(&name.trim_start_matches('_'))
}

/// Whether a copying call changes its first argument itself, not what that points to.
pub fn sets_argument(name: &str) -> bool {
    name.ends_with("get_user")
}

/// Whether a call returns memory that is filled with 0 (get_free_page until 2.4).
pub fn returns_zeros(name: &str) -> bool {
    let page = ["get_zeroed_page", "get_free_page"].contains(&name);
    page || name.contains("zalloc") || name.contains("calloc")
}

/// Whether a call changes nothing in a struct that it is handed while that is of use: it frees it,
/// or asks whether it is one.
pub fn leaves_alone(name: &str) -> bool {
    let frees = ["kfree", "kvfree", "vfree", "kmem_cache_free", "kfree_s"];
    let asks = ["IS_ERR", "IS_ERR_OR_NULL", "PTR_ERR", "PTR_ERR_OR_ZERO"];
    frees.contains(&name) || asks.contains(&name)
}

/// Whether a call makes an error of what it is handed that stands for a pointer.
pub fn is_error(name: &str) -> bool {
    matches!(name, "ERR_PTR" | "ERR_CAST")
}

/// Whether a call gives a part of its first argument.
pub fn takes_part(name: &str) -> bool {
    PARTS.iter().any(|(one, _)| *one == name)
}

/// What such a call does to a number (see `PARTS`); None where that is not known.
pub fn part(name: &str) -> Option<(u32, i128)> {
    PARTS.iter().find(|(one, _)| *one == name)?.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copying_functions_are_known_by_their_names() {
        assert!(copies("copy_from_user") && copies("__copy_from_user_inatomic"));
        assert!(copies("memcpy_fromfs") && copies("__get_user") && copies("copy_from_sockptr"));
        assert!(!copies("get_user_pages") && !copies("copy_to_user"));
        assert!(returns_copy("get_user", 1) && !returns_copy("get_user", 2));
    }
}
