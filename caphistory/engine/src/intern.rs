//! Texts, expressions and lists of them, each distinct one once, by number.
//!
//! A release has two million strings in its facts, one in seven of them different; what calls
//! stand under is shared by most calls of a function. What is interned lives as long as the
//! process.

use std::cell::Cell;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, OnceLock, RwLock};

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::facts::Outcome;

const SHARDS: usize = 64;
const FIRST: usize = 1 << 10;
const SEGMENTS: usize = 22;
const MOST_RECENT: usize = 1 << 13;
const CHUNK: usize = 1 << 14;

type Segment<T> = Box<[OnceLock<&'static T>]>;

/// Room for values that last as long as the process: of two million texts most are shorter than
/// what an allocation of its own costs.
pub struct Room<E: 'static>(&'static mut [E]);

impl<E: Copy + Default> Room<E> {
    /// A copy of items that lasts.
    fn keep(&mut self, items: &[E]) -> &'static [E] {
        if items.len() > CHUNK / 4 {
            return Box::leak(items.into());
        }
        if items.len() > self.0.len() {
            self.0 = Box::leak(vec![E::default(); CHUNK].into());
        }
        let (kept, rest) = std::mem::take(&mut self.0).split_at_mut(items.len());
        self.0 = rest;
        kept.copy_from_slice(items);
        kept
    }
}

/// The numbers of values, by their hashes, and the room for them.
struct Shard<E: 'static> {
    numbers: HashTable<u32>,
    room: Room<E>,
}

/// Values by number and numbers by value, for all threads. Values are made of `E`s.
pub struct Interner<T: ?Sized + 'static, E: 'static> {
    shards: [RwLock<Shard<E>>; SHARDS],
    segments: [OnceLock<Segment<T>>; SEGMENTS],
    next: AtomicU32,
}

impl<T: ?Sized + Eq + Hash + Sync, E: Copy + Default> Interner<T, E> {
    fn new() -> Self {
        let shard = || Shard {
            numbers: HashTable::new(),
            room: Room(&mut []),
        };
        Interner {
            shards: std::array::from_fn(|_| RwLock::new(shard())),
            segments: std::array::from_fn(|_| OnceLock::new()),
            next: AtomicU32::new(0),
        }
    }

    /// The number of a value; `keep` makes it last if it is new.
    fn number(&self, value: &T, keep: impl FnOnce(&mut Room<E>) -> &'static T) -> u32 {
        let hash = FxBuildHasher.hash_one(value);
        let same = |number: &u32| self.value(*number) == value;
        let shard = &self.shards[(hash >> 40) as usize % SHARDS];
        let known = shard.read().expect("no panic within");
        if let Some(&number) = known.numbers.find(hash, same) {
            return number;
        }
        drop(known);
        let mut held = shard.write().expect("no panic within");
        let Shard { numbers, room } = &mut *held;
        if let Some(&number) = numbers.find(hash, same) {
            return number;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (segment, at) = locate(number);
        let slots = self.segments[segment]
            .get_or_init(|| (0..FIRST << segment).map(|_| OnceLock::new()).collect());
        let _ = slots[at].set(keep(room));
        numbers.insert_unique(hash, number, |number| {
            FxBuildHasher.hash_one(self.value(*number))
        });
        number
    }

    /// The value of a number that `number` gave.
    fn value(&self, number: u32) -> &'static T {
        let (segment, at) = locate(number);
        self.segments[segment]
            .get()
            .and_then(|slots| slots[at].get())
            .expect("a number that was given out")
    }
}

fn locate(number: u32) -> (usize, usize) {
    let shifted = number as usize + FIRST;
    let segment = shifted.ilog2() as usize - FIRST.ilog2() as usize;
    (segment, shifted - (FIRST << segment))
}

static TEXTS: LazyLock<Interner<str, u8>> = LazyLock::new(Interner::new);
static EXPRS: LazyLock<Interner<ExprNode, ExprNode>> = LazyLock::new(Interner::new);
static SYM_LISTS: LazyLock<Interner<[Sym], Sym>> = LazyLock::new(Interner::new);
static OUTCOME_LISTS: LazyLock<Interner<[Outcome], Outcome>> = LazyLock::new(Interner::new);
static EXPR_LISTS: LazyLock<Interner<[Expr], Expr>> = LazyLock::new(Interner::new);

fn keep_text(room: &mut Room<u8>, text: &str) -> &'static str {
    std::str::from_utf8(room.keep(text.as_bytes())).expect("the bytes of a text")
}

/// An interned text. Equal texts have equal numbers; order it by `text()`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sym(u32);

type Recent = Box<[Cell<(&'static str, u32)>]>;

thread_local! {
    // Seven of ten texts came shortly before: their numbers without a lock.
    static RECENT: Recent = vec![Cell::new(("", u32::MAX)); MOST_RECENT].into();
}

impl Sym {
    pub fn new(text: &str) -> Sym {
        let fresh = || TEXTS.number(text, |room| keep_text(room, text));
        let known = RECENT.try_with(|recent| {
            let hash = FxBuildHasher.hash_one(text) >> 20;
            let Some(slot) = recent.get(hash as usize % MOST_RECENT) else {
                return fresh();
            };
            let (same, number) = slot.get();
            if number != u32::MAX && same == text {
                return number;
            }
            let number = fresh();
            slot.set((TEXTS.value(number), number));
            number
        });
        Sym(known.unwrap_or_else(|_| fresh()))
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

impl Default for Sym {
    fn default() -> Self {
        static EMPTY: LazyLock<Sym> = LazyLock::new(|| Sym::new(""));
        *EMPTY
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

impl Default for ExprNode {
    fn default() -> Self {
        ExprNode::Text(Sym::default())
    }
}

/// An interned expression: equal ones have equal numbers.
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
        let mut parts = vec![Expr::text(head)];
        parts.extend_from_slice(operands);
        Expr::node(ExprNode::Tuple(ExprList::new(&parts)))
    }

    pub fn node(node: ExprNode) -> Expr {
        Expr(EXPRS.number(&node, |room| &room.keep(&[node])[0]))
    }

    pub fn get(self) -> &'static ExprNode {
        EXPRS.value(self.0)
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
    segments: [OnceLock<Box<[AtomicU32]>>; SEGMENTS],
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
        let slots = self.segments[segment]
            .get_or_init(|| (0..FIRST << segment).map(|_| AtomicU32::new(0)).collect());
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

macro_rules! list {
    ($(#[$doc:meta])* $name:ident, $item:ty, $table:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(u32);

        impl $name {
            pub fn new(items: &[$item]) -> $name {
                $name($table.number(items, |room| room.keep(items)))
            }

            pub fn get(self) -> &'static [$item] {
                $table.value(self.0)
            }
        }

        impl Default for $name {
            fn default() -> Self {
                static EMPTY: LazyLock<$name> = LazyLock::new(|| $name::new(&[]));
                *EMPTY
            }
        }

        impl std::ops::Deref for $name {
            type Target = [$item];

            fn deref(&self) -> &'static [$item] {
                self.get()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_list().entries(self.get()).finish()
            }
        }
    };
}

list!(
    /// An interned list of outcomes.
    OutcomeList, Outcome, OUTCOME_LISTS
);
list!(
    /// An interned list of texts.
    SymList, Sym, SYM_LISTS
);
list!(
    /// An interned list of expressions.
    ExprList, Expr, EXPR_LISTS
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
