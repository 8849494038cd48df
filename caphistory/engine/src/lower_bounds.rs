//! Functions that return a number which they raise to a lower limit first: in goes the text of a file,
//! out comes for each what it returns, as a constant has it (see `facts::Constant`).
//!
//! `if (port < 0x4000) port = 0x4000; while (is_used(port)) if (port > LAST) port = 0x4000; else
//! port++; return htons(port);` returns no number below 0x4000.

use std::sync::LazyLock;

use memchr::memmem;
use regex::bytes::Regex;

use crate::byte_order::Order;
use crate::constants::last_word;
use crate::facts::Constant;
use crate::guards::AT_LEAST;
use crate::intern::{Expr, Sym, SymList};
use crate::lexer::{is_space, is_word};

/// "if (port < FIRST_PORT) port = FIRST_PORT;"
static RAISED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?-u)[;{}]\s*(if\s*\(\s*(\w+)\s*<\s*([A-Z_][A-Z0-9_]*)\s*\)\s*\{?\s*(\w+)\s*=\s*([A-Z_][A-Z0-9_]*)\s*;)",
    )
    .expect("a pattern of this module")
});
/// The head of a function, up to the line with its brace.
static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u)\b(\w+)\s*\(([\w\s*,]{1,200})\)\s*\z").expect("a pattern of this module")
});
/// Types of numbers that are neither negative nor as large as to be taken for such.
const NARROW: [&[&[u8]]; 3] = [&[b"unsigned", b"short"], &[b"u16"], &[b"__u16"]];
/// Longer functions do more than to look for a number.
const LONGEST: usize = 2_000;

/// What a body says that is at least a constant.
pub fn bounded(code: &[u8]) -> Vec<Constant> {
    let found = RAISED.captures_iter(code).filter_map(|parts| {
        let (variable, limit) = (&parts[2], &parts[3]);
        let is_raised = variable == &parts[4] && limit == &parts[5];
        let at = parts.get(1).filter(|_| is_raised)?.range();
        let start = memmem::rfind(&code[..at.start], b"\n{")?;
        let end = at.end + memmem::find(&code[at.end..], b"\n}")?;
        let (before, behind) = (
            tokens(&code[start + 2..at.start]),
            tokens(&code[at.end..end]),
        );
        let depth = |sign: &[u8]| before.iter().filter(|one| **one == sign).count();
        let is_plain = end - start <= LONGEST
            && depth(b"{") == depth(b"}")
            && is_narrow(&before, variable)
            && !before.iter().chain(&behind).any(|one| *one == b"goto");
        let order = returned(&behind, variable).filter(|_| is_plain)?;
        if !stays_up(&behind, variable, limit) {
            return None;
        }
        let head = HEAD.captures(&code[..start])?;
        let parameters: Option<Vec<Sym>> =
            head[2].split(|&byte| byte == b',').map(last_word).collect();
        Some(Constant {
            name: Sym::latin1(&head[1]),
            parameters: SymList::new(&parameters?),
            body: body(&String::from_utf8_lossy(limit), order),
        })
    });
    found.collect()
}

/// What such a function returns, as a text: `>=LIMIT`, or `ntohs >=LIMIT`.
fn body(limit: &str, order: Option<Order>) -> Sym {
    let order = order.map_or_else(String::new, |order| format!("{} ", order.name()));
    Sym::new(&format!("{order}>={limit}"))
}

/// The expression of such a text; None for any other.
pub fn expression(body: &str) -> Option<Expr> {
    let (order, limit) = body.split_once(">=")?;
    let least = Expr::tuple(AT_LEAST, &[Expr::text(&format!(":{limit}"))]);
    match order.trim_end() {
        "" => Some(least),
        order => Some(Expr::tuple(Order::named(order)?.name(), &[least])),
    }
}

/// Whether a variable is declared with a narrow type: in the first statement that names it.
fn is_narrow(before: &[&[u8]], variable: &[u8]) -> bool {
    let first = before.iter().position(|one| *one == variable);
    let statement = first.and_then(|at| before[..at].rsplit(|one| is_end(one)).next());
    statement.is_some_and(|type_| NARROW.contains(&type_))
}

fn is_end(token: &[u8]) -> bool {
    matches!(token, b";" | b"{" | b"}")
}

/// In which order a function returns a variable; None where it returns anything else as well.
fn returned(behind: &[&[u8]], variable: &[u8]) -> Option<Option<Order>> {
    let mut all = behind.split(|one| *one == b"return").skip(1);
    let (given, None) = (all.next()?, all.next()) else {
        return None;
    };
    let given = given.split(|one| is_end(one)).next()?;
    let given = given.iter().filter(|one| !matches!(**one, b"(" | b")"));
    match given.collect::<Vec<_>>().as_slice() {
        [only] if **only == variable => Some(None),
        [function, only] if **only == variable => {
            Order::named(std::str::from_utf8(function).ok()?).map(Some)
        }
        _ => None,
    }
}

/// Whether a variable is only set to the limit again, or counted up where it is not above something.
fn stays_up(behind: &[&[u8]], variable: &[u8], limit: &[u8]) -> bool {
    let reset = [variable, b"=", limit, b";"];
    let mut all = (0..behind.len()).filter(|at| behind[*at] == variable);
    all.all(|at| {
        let (before, now, rest) = (&behind[..at], &behind[at..], &behind[at + 1..]);
        let taken = before.ends_with(&[b"&"]) && !before.ends_with(&[b"&", b"&"]);
        match rest {
            [b"+", b"+", ..] => is_below(before, &reset),
            [b"=", b"=", ..] => true,
            [b"=", ..] => now.starts_with(&reset),
            [b"-", b"-", ..] | [b"<", b"<", b"=", ..] | [b">", b">", b"=", ..] => false,
            [sign, b"=", ..] => matches!(*sign, b"<" | b">" | b"!"),
            _ => !taken && !before.ends_with(&[b"+", b"+"]) && !before.ends_with(&[b"-", b"-"]),
        }
    })
}

/// Whether code ends with the other side of an if in which a variable is set to its limit again
/// because it is above something.
fn is_below<'c>(before: &[&'c [u8]], reset: &[&'c [u8]; 4]) -> bool {
    let before = match without(before, b"{").split_last() {
        Some((&b"else", rest)) => without(rest, b"}").strip_suffix(reset.as_slice()),
        _ => None,
    };
    let before = before.map(|one| without(one, b"{"));
    matches!(before, Some([.., b"if", b"(", variable, b">", _, b")"]) if *variable == reset[0])
}

/// Code without a sign at its end.
fn without<'o, 'c>(code: &'o [&'c [u8]], sign: &[u8]) -> &'o [&'c [u8]] {
    match code.split_last() {
        Some((last, rest)) if *last == sign => rest,
        _ => code,
    }
}

/// The words and signs of code.
fn tokens(code: &[u8]) -> Vec<&[u8]> {
    let mut found = vec![];
    let mut at = 0;
    while let Some(&byte) = code.get(at) {
        let word = code[at..].iter().take_while(|byte| is_word(**byte)).count();
        let length = word.max(1);
        if !is_space(byte) {
            found.push(&code[at..at + length]);
        }
        at += length;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORTS: &str = "static unsigned short free_port(struct ports *all)\n{\n\
        unsigned short port = all->next;\n\
        if (port < FIRST)\n port = FIRST;\n\
        while (find(all, port))\n if (port > LAST)\n port = FIRST;\n else\n port++;\n\
        return ntohs(port);\n}\n";

    fn bodies(code: &str) -> Vec<&'static str> {
        let found = bounded(code.as_bytes());
        found.iter().map(|one| one.body.text()).collect()
    }

    #[test]
    fn what_is_raised_to_a_limit_is_at_least_that() {
        assert_eq!(bodies(PORTS), ["ntohs >=FIRST"]);
        let in_braces = PORTS.replace("port = FIRST;\n else", "{ port = FIRST; } else");
        assert_eq!(bodies(&in_braces).len(), 1);
        let least = Expr::tuple(AT_LEAST, &[Expr::text(":FIRST")]);
        assert_eq!(expression(">=FIRST"), Some(least));
        assert_eq!(expression("1"), None);
    }

    #[test]
    fn what_may_be_lowered_again_is_not() {
        for (kept, changed) in [
            ("port++", "port--"),
            ("else\n port++", "else\n port = 1"),
            ("(port > LAST)", "(all->full)"),
            ("find(all, port)", "find(all, &port)"),
            ("return ntohs(port)", "if (all->full) return 0; return port"),
            ("unsigned short port", "int port"),
            ("if (port < FIRST)", "if (all->low) if (port < FIRST)"),
        ] {
            assert!(
                bodies(&PORTS.replace(kept, changed)).is_empty(),
                "{changed}"
            );
        }
    }
}
