//! The functions in headers that only tell what something is: the text of a file goes in, and each
//! such function comes out as a macro with the same parameters and the expression that it returns.
//!
//! `is_posix_acl_xattr(name)` (4.x on) stands for two names of attributes.

use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::facts::Constant;
use crate::intern::{Sym, SymList};
use crate::lexer::{is_upper, is_word, latin1};

/// How the names of functions begin that tell what something is.
const BEGIN: &str = "is_";
static FUNCTION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?-u)\bstatic\s+(?:__always_)?inline\s+(?:bool|int)\s+(is_\w+)\s*\(([^(){}]+)\)",
        r"\s*\{\s*return\s+([\w\s()&|!=,<>-]{1,400});\s*\}"
    ))
    .expect("a pattern of this module")
});

/// Whether a function of this name is one that tells what something is.
pub fn is_predicate(name: &str) -> bool {
    name.starts_with(BEGIN)
}

/// Such functions of a file, in order. `code` is without comments and strings.
pub fn predicates(code: &[u8]) -> Vec<Constant> {
    let found = FUNCTION.captures_iter(code).filter_map(|found| {
        let text = |part: usize| found.get(part).map(|one| latin1(one.as_bytes()));
        let (name, listed, body) = (text(1)?, text(2)?, text(3)?);
        let parameters: Option<Vec<Sym>> = listed.split(',').map(parameter).collect();
        let words: Vec<&str> = body.split_ascii_whitespace().collect();
        Some(Constant {
            name: Sym::new(&name),
            parameters: SymList::new(&parameters?),
            body: Sym::new(&words.join(" ")),
        })
    });
    found.collect()
}

/// The name of a parameter: `name` of `const char *name`.
fn parameter(declared: &str) -> Option<Sym> {
    let declared = declared.trim_end();
    let start = declared.rfind(|c: char| !c.is_ascii() || !is_word(c as u8))?;
    let name = &declared[start + 1..];
    (!name.is_empty() && !is_upper(name)).then(|| Sym::new(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_that_returns_one_expression_is_a_macro() {
        let code = b"static inline bool\nis_one(const char *name, int type)\n{\n\treturn \
            (strcmp(name, ONE) == 0) ||\n\t       type == TWO;\n}\n\
            static inline int is_more(int x) { y(); return x; }\n\
            int is_outside(int x) { return x; }\n";
        let found = predicates(code);
        let shown: Vec<String> = found
            .iter()
            .map(|one| format!("{:?} {:?} {:?}", one.name, one.parameters, one.body))
            .collect();
        let expected = [r#""is_one" ["name", "type"] "(strcmp(name, ONE) == 0) || type == TWO""#];
        assert_eq!(shown, expected);
    }
}
