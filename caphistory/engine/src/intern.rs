//! Texts, expressions and lists of them, each distinct one once, by number.
//!
//! A release has two million strings in its facts, one in seven of them different; what calls
//! stand under is shared by most calls of a function. What is interned lives as long as the
//! process (see `numbering`).

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, OnceLock};

use crate::numbering::{
    Interner, Recent, SEGMENTS, Segments, list, locate, new_segment, none_recent,
};

thread_local! {
    static RECENT_TEXTS: Recent<&'static str> = none_recent::<&'static str>();
}

static TEXTS: LazyLock<Interner<&'static str>> = LazyLock::new(|| Interner::new(""));

/// An interned text. Equal texts have equal numbers; order it by `text()`. The empty one is 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Sym(u32);

impl Sym {
    pub fn new(text: &str) -> Sym {
        Sym(TEXTS.number(text, &RECENT_TEXTS))
    }

    /// Bytes of a file, read as latin-1: any byte is a character.
    pub fn latin1(bytes: &[u8]) -> Sym {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.is_ascii() => Sym::new(text),
            _ => Sym::new(&bytes.iter().map(|&b| b as char).collect::<String>()),
        }
    }

    pub fn text(self) -> &'static str {
        TEXTS.value(self.0)
    }

    pub fn is_empty(self) -> bool {
        self == Sym::default()
    }

    pub fn number(self) -> u32 {
        self.0
    }

    /// The text of a number that `number` gave.
    pub fn of_number(number: u32) -> Sym {
        Sym(number)
    }
}

impl fmt::Debug for Sym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.text(), f)
    }
}

/// An expression of `guards`: a text, or an operator (or any other head) with its operands.
/// `Tuple` holds the head as a `Text` in the first place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ExprNode {
    Text(Sym),
    Tuple(ExprList),
}

/// An expression in one number, twice that of its text, or one more than twice that of its list:
/// equal ones have equal numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Expr(u32);

impl Expr {
    pub fn text(text: &str) -> Expr {
        Expr::node(ExprNode::Text(Sym::new(text)))
    }

    pub fn sym(sym: Sym) -> Expr {
        Expr::node(ExprNode::Text(sym))
    }

    pub fn tuple(head: &str, operands: &[Expr]) -> Expr {
        let head = Expr::text(head);
        let parts = match *operands {
            [only] => ExprList::new(&[head, only]),
            [first, second] => ExprList::new(&[head, first, second]),
            _ => ExprList::new(&[&[head], operands].concat()),
        };
        Expr::node(ExprNode::Tuple(parts))
    }

    pub fn node(node: ExprNode) -> Expr {
        match node {
            ExprNode::Text(sym) => Expr(sym.0 << 1),
            ExprNode::Tuple(parts) => Expr(parts.0 << 1 | 1),
        }
    }

    pub fn get(self) -> ExprNode {
        match self.0 & 1 {
            0 => ExprNode::Text(Sym(self.0 >> 1)),
            _ => ExprNode::Tuple(ExprList(self.0 >> 1)),
        }
    }
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.get() {
            ExprNode::Text(sym) => sym.fmt(f),
            ExprNode::Tuple(parts) => f.debug_list().entries(parts.iter()).finish(),
        }
    }
}

/// What a function makes of texts, by their numbers, once for all threads.
pub struct Memo {
    make: fn(&'static str) -> u32,
    /// One more than what was made; 0 where nothing was as yet.
    segments: Segments<AtomicU32>,
}

impl Memo {
    /// `make` always makes the same of a text, and not the highest number.
    pub const fn new(make: fn(&'static str) -> u32) -> Memo {
        Memo {
            make,
            segments: [const { OnceLock::new() }; SEGMENTS],
        }
    }

    pub fn get(&self, sym: Sym) -> u32 {
        let (segment, at) = locate(sym.0);
        let slots = self.segments[segment].get_or_init(new_segment);
        match slots[at].load(Ordering::Relaxed) {
            0 => {
                let made = (self.make)(sym.text());
                slots[at].store(made.saturating_add(1), Ordering::Relaxed);
                made
            }
            made => made - 1,
        }
    }
}

list!(
    /// An interned list of texts.
    SymList, Sym
);
list!(
    /// An interned list of expressions.
    ExprList, Expr
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_one_number() {
        assert_eq!(Sym::new("suser"), Sym::new("suser"));
        assert_ne!(Sym::new("suser"), Sym::new("fsuser"));
        assert_eq!(Sym::latin1(b"\xe9").text(), "é");
        assert_eq!(
            Expr::tuple("!", &[Expr::text("$x")]),
            Expr::tuple("!", &[Expr::text("$x")])
        );
        assert_eq!(SymList::default().len(), 0);
        let many: Vec<Sym> = (0..5000).map(|n| Sym::new(&format!("n{n}"))).collect();
        assert!(
            many.iter()
                .enumerate()
                .all(|(n, s)| s.text() == format!("n{n}"))
        );
    }
}
