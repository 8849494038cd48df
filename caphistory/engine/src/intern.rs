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
use std::thread::LocalKey;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

use crate::facts::Outcome;

const SHARDS: usize = 64;
const SEGMENT: usize = 1 << 16;
const SEGMENTS: usize = 1 << 12;
const MOST_RECENT: usize = 1 << 13;
const CHUNK: usize = 1 << 14;
/// Lists up to this length, which most have, stand where their numbers lead.
const SHORT: usize = 3;

/// Room for values that last as long as the process: of two million texts most are shorter than
/// what an allocation of its own costs.
struct Room<E: 'static>(&'static mut [E]);

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

/// A value as it is kept, made of `E`s.
trait Kept: Sized + 'static {
    type Value: ?Sized + Eq + Hash;
    type Element: Copy + Default;

    fn keep(value: &Self::Value, room: &mut Room<Self::Element>) -> Self;
    fn get(&'static self) -> &'static Self::Value;
}

impl Kept for &'static str {
    type Value = str;
    type Element = u8;

    fn keep(value: &str, room: &mut Room<u8>) -> &'static str {
        std::str::from_utf8(room.keep(value.as_bytes())).expect("the bytes of a text")
    }

    fn get(&'static self) -> &'static str {
        self
    }
}

/// A list as it is kept.
enum List<E: 'static> {
    Short(u8, [E; SHORT]),
    Long(&'static &'static [E]),
}

impl<E: Copy + Default + Eq + Hash + 'static> Kept for List<E> {
    type Value = [E];
    type Element = E;

    fn keep(items: &[E], room: &mut Room<E>) -> List<E> {
        if items.len() > SHORT {
            return List::Long(Box::leak(Box::new(room.keep(items))));
        }
        let mut kept = [E::default(); SHORT];
        kept[..items.len()].copy_from_slice(items);
        List::Short(items.len() as u8, kept)
    }

    fn get(&'static self) -> &'static [E] {
        match self {
            List::Short(count, kept) => &kept[..usize::from(*count)],
            List::Long(kept) => kept,
        }
    }
}

/// The numbers of values, by their hashes, and the room for them.
struct Shard<E: 'static> {
    numbers: HashTable<u32>,
    room: Room<E>,
}

/// What belongs to numbers: room for it comes as it is needed.
type Segments<T> = [OnceLock<Box<[T]>>; SEGMENTS];

fn new_segment<T: Default>() -> Box<[T]> {
    (0..SEGMENT).map(|_| T::default()).collect()
}

fn locate(number: u32) -> (usize, usize) {
    (number as usize / SEGMENT, number as usize % SEGMENT)
}

fn shard_of(hash: u64) -> usize {
    (hash >> 40) as usize % SHARDS
}

/// Values by number and numbers by value, for all threads. The empty value has the number 0.
struct Interner<K: Kept> {
    shards: [RwLock<Shard<K::Element>>; SHARDS],
    segments: Segments<OnceLock<K>>,
    next: AtomicU32,
}

impl<K: Kept> Interner<K> {
    fn new(empty: &K::Value) -> Self {
        let hash = FxBuildHasher.hash_one(empty);
        let shards = std::array::from_fn(|shard| {
            let mut numbers = HashTable::new();
            if shard == shard_of(hash) {
                numbers.insert_unique(hash, 0, |_| hash);
            }
            let room = Room(&mut []);
            RwLock::new(Shard { numbers, room })
        });
        let slots: Box<[OnceLock<K>]> = new_segment();
        let _ = slots[0].set(K::keep(empty, &mut Room(&mut [])));
        let mut segments = [const { OnceLock::new() }; SEGMENTS];
        segments[0] = slots.into();
        Interner {
            shards,
            segments,
            next: AtomicU32::new(1),
        }
    }

    /// The number of a value, which the thread may have asked for shortly before.
    fn number(&'static self, value: &K::Value, recent: &'static LocalKey<Recent<K>>) -> u32 {
        let hash = FxBuildHasher.hash_one(value);
        let known = recent.try_with(|recent| {
            let slot = &recent[(hash >> 20) as usize % MOST_RECENT];
            match slot.get() {
                Some((same, number)) if same == value => number,
                _ => {
                    let number = self.hashed(hash, value);
                    slot.set(Some((self.value(number), number)));
                    number
                }
            }
        });
        known.unwrap_or_else(|_| self.hashed(hash, value))
    }

    /// The number of a value with this hash.
    fn hashed(&'static self, hash: u64, value: &K::Value) -> u32 {
        let same = |number: &u32| self.value(*number) == value;
        let shard = &self.shards[shard_of(hash)];
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
        let slots = self.segments[segment].get_or_init(new_segment);
        let _ = slots[at].set(K::keep(value, room));
        numbers.insert_unique(hash, number, |number| {
            FxBuildHasher.hash_one(self.value(*number))
        });
        number
    }

    /// The value of a number that `number` gave.
    fn value(&'static self, number: u32) -> &'static K::Value {
        let (segment, at) = locate(number);
        self.segments[segment]
            .get()
            .and_then(|slots| slots[at].get())
            .expect("a number that was given out")
            .get()
    }
}

/// Values that a thread asked for shortly before, and their numbers.
type Recent<K> = Box<[Cell<Option<(&'static <K as Kept>::Value, u32)>>]>;

fn none_recent<K: Kept>() -> Recent<K> {
    vec![Cell::new(None); MOST_RECENT].into()
}

thread_local! {
    // Seven of ten came shortly before: their numbers without a lock.
    static RECENT_TEXTS: Recent<&'static str> = none_recent::<&'static str>();
    static RECENT_SYM_LISTS: Recent<List<Sym>> = none_recent::<List<Sym>>();
    static RECENT_OUTCOME_LISTS: Recent<List<Outcome>> = none_recent::<List<Outcome>>();
    static RECENT_EXPR_LISTS: Recent<List<Expr>> = none_recent::<List<Expr>>();
}

static TEXTS: LazyLock<Interner<&'static str>> = LazyLock::new(|| Interner::new(""));
static SYM_LISTS: LazyLock<Interner<List<Sym>>> = LazyLock::new(|| Interner::new(&[][..]));
static OUTCOME_LISTS: LazyLock<Interner<List<Outcome>>> = LazyLock::new(|| Interner::new(&[][..]));
static EXPR_LISTS: LazyLock<Interner<List<Expr>>> = LazyLock::new(|| Interner::new(&[][..]));

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

macro_rules! list {
    ($(#[$doc:meta])* $name:ident, $item:ty, $table:ident, $recent:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name(u32);

        impl $name {
            pub fn new(items: &[$item]) -> $name {
                $name($table.number(items, &$recent))
            }

            pub fn get(self) -> &'static [$item] {
                $table.value(self.0)
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
    OutcomeList, Outcome, OUTCOME_LISTS, RECENT_OUTCOME_LISTS
);
list!(
    /// An interned list of texts.
    SymList, Sym, SYM_LISTS, RECENT_SYM_LISTS
);
list!(
    /// An interned list of expressions.
    ExprList, Expr, EXPR_LISTS, RECENT_EXPR_LISTS
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
