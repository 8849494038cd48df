//! Whether what a variable is set to is settled where it is used.

use memchr::memmem;

use crate::lexer::is_word;
use crate::tree::{Kind, Node};

/// Whether a statement depends on nothing but the ifs that it stands in.
pub(super) fn runs_straight(node: Node) -> bool {
    let mut above = node.parent();
    while let Some(one) = above {
        match one.kind() {
            Kind::FunctionDefinition => return true,
            Kind::ExpressionStatement
            | Kind::CompoundStatement
            | Kind::IfStatement
            | Kind::ElseClause => above = one.parent(),
            _ => return false,
        }
    }
    false
}

/// Whether code gives a variable all its values before it looks at it.
pub(super) fn all_first(code: &[u8], name: &[u8]) -> bool {
    let (mut first, mut used) = (true, false);
    for at in memmem::find_iter(code, name) {
        let (before, behind) = (&code[..at], &code[at + name.len()..]);
        let is_part = |byte: Option<&u8>| byte.is_some_and(|&byte| is_word(byte));
        let is_member = before.ends_with(b"->") || before.ends_with(b".");
        if is_member || is_part(before.last()) || is_part(behind.first()) {
            continue;
        }
        let mut signs = behind.iter().filter(|byte| !byte.is_ascii_whitespace());
        match (signs.next(), signs.next()) {
            (Some(b'='), next) if next != Some(&b'=') => {
                if used {
                    return false;
                }
            }
            // Where it is declared.
            (Some(b';' | b','), _) if first => {}
            _ => used = true,
        }
        first = false;
    }
    true
}
