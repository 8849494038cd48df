//! How data comes from the user's memory: the primitives that copy it.

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
/// Macros and functions that give a part of a number.
const PARTS: [&str; 12] = [
    "_IOC_NR",
    "_IOC_TYPE",
    "_IOC_DIR",
    "_IOC_SIZE",
    "MAJOR",
    "MINOR",
    "lower_32_bits",
    "upper_32_bits",
    "array_index_nospec",
    "READ_ONCE",
    "le32_to_cpu",
    "le16_to_cpu",
];

/// Whether a call with so many arguments returns what it copies from the user's memory.
pub fn returns_copy(name: &str, arguments: usize) -> bool {
    let name = name.trim_start_matches('_');
    RETURNING
        .iter()
        .any(|(one, number)| *one == name && number.is_none_or(|number| number == arguments))
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

/// Whether a call gives a part of its first argument.
pub fn takes_part(name: &str) -> bool {
    PARTS.contains(&name)
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
