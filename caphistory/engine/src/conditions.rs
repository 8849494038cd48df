//! Whether code under a preprocessor condition can be part of a kernel.
//!
//! A kernel can be configured in any way, but it has one version and one architecture, and it is
//! compiled as C and as the kernel: a condition that these decide is decided, any other may hold.

use std::sync::LazyLock;

use regex::Regex;
use rustc_hash::{FxHashMap, FxHashSet};

/// What gcc defines for its targets (its manual, "Common Predefined Macros", and cpp -dM).
const TARGETS: [(&str, &[&str]); 3] = [
    ("i386", &["__i386__"]),
    ("x86_64", &["__x86_64__", "__LP64__"]),
    (
        "others",
        &[
            "__alpha__",
            "__arm__",
            "__aarch64__",
            "__cris__",
            "__hppa__",
            "__ia64__",
            "__m68k__",
            "__mc68000__",
            "__mips__",
            "__mips64__",
            "__powerpc__",
            "__powerpc64__",
            "__ppc__",
            "__riscv",
            "__s390__",
            "__s390x__",
            "__sh__",
            "__sh3__",
            "__sparc__",
            "__sparc_v9__",
            "__sparc64__",
        ],
    ),
];
/// What arch/x86/Kconfig sets by the processor alone (2.6.24 on), and others do not have.
const OPTIONS: [(&str, &[&str]); 2] = [
    ("i386", &["CONFIG_X86_32"]),
    ("x86_64", &["CONFIG_X86_64", "CONFIG_64BIT"]),
];
/// What only kernels with these ABIs can have: `CONFIG_COMPAT` (2.5.48 on) is for the calls of 32-bit
/// programs in 64-bit kernels.
const ALONE: [(&str, &[&str]); 1] = [("x86_64", &["CONFIG_COMPAT"])];
const VERSION: &str = "LINUX_VERSION_CODE";
const ALWAYS: [&str; 3] = ["__KERNEL__", "__GNUC__", VERSION];
const NEVER: [&str; 3] = ["__ASSEMBLY__", "__ASSEMBLER__", "__cplusplus"];
static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"defined\b|&&|\|\||[<>=!]=|[<>!()]|\w+|,|[^\s\x1c-\x1f]")
        .expect("a pattern of this module")
});
static RELEASE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^([0-9]+)\.([0-9]+)(?:\.([0-9]+))?").expect("a pattern of this module")
});
const DEEPEST: u32 = 50;

/// What a kernel is built as: its ABI, the other architectures of the tree with the macros that only
/// they define, and its version as `LINUX_VERSION_CODE` has it (None where its name does not tell).
#[derive(Clone, Debug)]
pub struct Target<'a> {
    pub abi: &'a str,
    pub others: Vec<&'a str>,
    pub undefined: FxHashSet<&'a str>,
    pub version: Option<u64>,
}

/// `KERNEL_VERSION(2, 2, 24)` of the release 2.2.24; that of 2.2.24 for 2.2.24pre3.
pub fn version_code(release: &str) -> Option<u64> {
    let found = RELEASE.captures(release.strip_prefix("pre").unwrap_or(release))?;
    let part = |n| {
        let digits = found.get(n).map_or("0", |part| part.as_str());
        digits.parse::<u32>().map_or(u32::MAX.into(), u64::from)
    };
    Some((part(1) << 16) + (part(2) << 8) + part(3).min(255))
}

/// The options that no kernel with an ABI has, as they tell its processors from others.
pub fn options_off(abi: &str) -> Vec<&'static str> {
    let others = OPTIONS.iter().filter(|&&(other, _)| other != abi);
    others.flat_map(|&(_, names)| names).copied().collect()
}

/// The parts of a condition that `&&` joins, those within its parentheses too.
pub fn terms(condition: &str) -> std::str::Split<'_, &'static str> {
    condition.split(" && ")
}

/// Whether a condition (`defined(A) && !(B > 1)`; empty for none) may hold in a kernel.
pub fn possible(condition: &str, target: &Target<'_>) -> bool {
    if condition.is_empty() {
        return true;
    }
    let mut reader = Reader {
        tokens: TOKEN
            .find_iter(condition)
            .map(|token| token.as_str())
            .collect(),
        at: 0,
        depth: 0,
        target,
        known: FxHashMap::default(),
    };
    reader.disjunction() != Some(false)
}

/// Reads an expression by descent; None is for what nothing decides.
struct Reader<'a> {
    tokens: Vec<&'a str>,
    at: usize,
    depth: u32,
    target: &'a Target<'a>,
    /// By place and depth, the truth of what begins there, and where it ends: it is read as a
    /// number first, and nested ones would be read twice at each depth.
    known: FxHashMap<(usize, u32), (Option<bool>, usize)>,
}

impl Reader<'_> {
    fn disjunction(&mut self) -> Option<bool> {
        let mut all = self.conjunction();
        while self.take("||") {
            let side = self.conjunction();
            all = either(all, side, true);
        }
        all
    }

    fn conjunction(&mut self) -> Option<bool> {
        let mut all = self.comparison();
        while self.take("&&") {
            let side = self.comparison();
            all = either(all, side, false);
        }
        all
    }

    fn comparison(&mut self) -> Option<bool> {
        let start = self.at;
        let left = self.value();
        let sign = self.peek();
        if let Some(compare) = comparing(sign) {
            self.at += 1;
            let right = self.value();
            return Some(compare(&left?, &right?));
        }
        if !matches!(sign, "&&" | "||" | ")" | "") {
            self.skip(); // arithmetic: nothing that is known here
            return None;
        }
        self.at = start;
        self.unary()
    }

    /// A number: the version of the kernel, one that is spelt out, or KERNEL_VERSION(…), for which
    /// drivers have names of their own (`CVT_LINUX_VERSION`, `KERNEL_VER`).
    fn value(&mut self) -> Option<u128> {
        let token = self.peek();
        if token == VERSION {
            self.at += 1;
            return self.target.version.map(u128::from);
        }
        if let Some(number) = number(token) {
            self.at += 1;
            return Some(number);
        }
        if token.to_ascii_lowercase().contains("ver")
            && let Some(["(", major, ",", minor, ",", patch, ")"]) =
                self.tokens.get(self.at + 1..self.at + 8)
            && let (Some(major), Some(minor), Some(patch)) =
                (digits(major, 10), digits(minor, 10), digits(patch, 10))
        {
            self.at += 8;
            return Some((major << 16) + (minor << 8) + patch);
        }
        if !token.is_empty() {
            self.unary();
        }
        None
    }

    fn unary(&mut self) -> Option<bool> {
        let start = (self.at, self.depth);
        if let Some(&(found, end)) = self.known.get(&start) {
            self.at = end;
            return found;
        }
        self.depth += 1;
        let found = if self.depth > DEEPEST {
            self.at = self.tokens.len();
            None
        } else {
            self.operand()
        };
        self.depth -= 1;
        self.known.insert(start, (found, self.at));
        found
    }

    fn operand(&mut self) -> Option<bool> {
        if self.take("!") {
            return self.unary().map(|inner| !inner);
        }
        if self.take("(") {
            let inner = self.disjunction();
            self.take(")");
            return inner;
        }
        if self.take("defined") {
            let bracketed = self.take("(");
            let name = self.next();
            if bracketed {
                self.take(")");
            }
            return self.defined(name);
        }
        match self.next() {
            "0" => Some(false),
            "1" => Some(true),
            _ => None,
        }
    }

    fn defined(&self, name: &str) -> Option<bool> {
        let of = |table: &[(&str, &[&str])], mine: bool| {
            let abis = table
                .iter()
                .filter(|&&(abi, _)| (abi == self.target.abi) == mine);
            abis.into_iter().any(|(_, names)| names.contains(&name))
        };
        if ALWAYS.contains(&name) || of(&TARGETS, true) || of(&OPTIONS, true) {
            return Some(true);
        }
        let never = NEVER.contains(&name) || self.target.undefined.contains(name);
        if never || of(&TARGETS, false) || of(&OPTIONS, false) || of(&ALONE, false) {
            return Some(false);
        }
        let option = name.strip_prefix("CONFIG_")?;
        let option = option
            .strip_prefix("ARCH_")
            .unwrap_or(option)
            .to_lowercase();
        self.target
            .others
            .contains(&option.as_str())
            .then_some(false)
    }

    fn skip(&mut self) {
        let mut depth = 0;
        loop {
            let token = self.peek();
            if token.is_empty() || (depth == 0 && matches!(token, "&&" | "||" | ")")) {
                return;
            }
            depth += i32::from(token == "(") - i32::from(token == ")");
            self.at += 1;
        }
    }
}

impl<'a> Reader<'a> {
    fn peek(&self) -> &'a str {
        self.tokens.get(self.at).copied().unwrap_or("")
    }

    fn next(&mut self) -> &'a str {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn take(&mut self, token: &str) -> bool {
        let there = self.peek() == token;
        self.at += usize::from(there);
        there
    }
}

/// Two sides of an `||` (`decisive` is true) or an `&&`.
fn either(left: Option<bool>, right: Option<bool>, decisive: bool) -> Option<bool> {
    if left == Some(decisive) || right == Some(decisive) {
        return Some(decisive);
    }
    left.and(right)
}

fn comparing(sign: &str) -> Option<fn(&u128, &u128) -> bool> {
    Some(match sign {
        "<" => u128::lt,
        ">" => u128::gt,
        "<=" => u128::le,
        ">=" => u128::ge,
        "==" => u128::eq,
        "!=" => u128::ne,
        _ => return None,
    })
}

/// A number of C.
fn number(token: &str) -> Option<u128> {
    let plain = token.trim_end_matches(['u', 'U', 'l', 'L']);
    match plain
        .strip_prefix("0x")
        .or_else(|| plain.strip_prefix("0X"))
    {
        Some(hexadecimal) => digits(hexadecimal, 16),
        None if plain.starts_with('0') && plain != "0" => None,
        None => digits(plain, 10),
    }
}

/// A number that is as large as may be where it has too many digits.
fn digits(text: &str, base: u32) -> Option<u128> {
    let all = !text.is_empty() && text.chars().all(|c| c.is_digit(base));
    all.then(|| u64::from_str_radix(text, base).unwrap_or(u64::MAX).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(condition: &str) -> bool {
        let version = version_code("2.2.24");
        possible(
            condition,
            &Target {
                abi: "i386",
                others: vec!["", "alpha"],
                undefined: FxHashSet::from_iter(["HAVE_PCI_MMAP"]),
                version,
            },
        )
    }

    #[test]
    fn what_is_known_of_a_kernel_decides() {
        assert!(holds(
            "defined(A) && LINUX_VERSION_CODE >= KERNEL_VERSION(2,2,0)"
        ));
        assert!(!holds(
            "LINUX_VERSION_CODE < KERNEL_VERSION(2,2,0) || defined(__alpha__)"
        ));
        assert!(!holds("LINUX_VERSION_CODE < 0x20100"));
        assert!(!holds("defined(CONFIG_ALPHA)"));
        assert!(!holds("defined(HAVE_PCI_MMAP)"));
        assert!(holds("!(X + 1 > 2)"));
        assert!(!holds("!defined(__KERNEL__)"));
    }

    #[test]
    fn deep_nesting_takes_no_time() {
        assert!(holds(&"(".repeat(1000)));
        assert!(holds(&format!("{}0", "!".repeat(1000))));
    }

    #[test]
    fn versions() {
        assert_eq!(version_code("2.2.24pre3"), Some(0x0002_0218));
        assert_eq!(version_code("pre2.0.1"), Some(0x0002_0001));
        assert_eq!(version_code("2.6"), Some(0x0002_0600));
        assert_eq!(version_code("x"), None);
    }
}
