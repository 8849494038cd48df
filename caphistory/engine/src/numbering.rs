//! Values of any one type, each distinct one once: a value goes in and its number comes out, and
//! for a number comes out the value, which lasts as long as the process.

use std::cell::Cell;
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{OnceLock, RwLock};
use std::thread::LocalKey;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;

const SHARDS: usize = 64;
const SEGMENT: usize = 1 << 16;
pub const SEGMENTS: usize = 1 << 12;
const MOST_RECENT: usize = 1 << 13;
const CHUNK: usize = 1 << 14;
/// Lists up to this length, which most have, stand where their numbers lead.
const SHORT: usize = 3;

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

/// A value as it is kept, made of `E`s.
pub trait Kept: Sized + 'static {
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
pub enum List<E: 'static> {
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
pub type Segments<T> = [OnceLock<Box<[T]>>; SEGMENTS];

pub fn new_segment<T: Default>() -> Box<[T]> {
    (0..SEGMENT).map(|_| T::default()).collect()
}

pub fn locate(number: u32) -> (usize, usize) {
    (number as usize / SEGMENT, number as usize % SEGMENT)
}

fn shard_of(hash: u64) -> usize {
    (hash >> 40) as usize % SHARDS
}

/// Values by number and numbers by value, for all threads. The empty value has the number 0.
pub struct Interner<K: Kept> {
    shards: [RwLock<Shard<K::Element>>; SHARDS],
    segments: Segments<OnceLock<K>>,
    next: AtomicU32,
}

impl<K: Kept> Interner<K> {
    pub fn new(empty: &K::Value) -> Self {
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
    pub fn number(&'static self, value: &K::Value, recent: &'static LocalKey<Recent<K>>) -> u32 {
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
    pub fn value(&'static self, number: u32) -> &'static K::Value {
        let (segment, at) = locate(number);
        self.segments[segment]
            .get()
            .and_then(|slots| slots[at].get())
            .expect("a number that was given out")
            .get()
    }
}

/// Values that a thread asked for shortly before, and their numbers: seven of ten came shortly
/// before, and have theirs without a lock.
pub type Recent<K> = Box<[Cell<Option<(&'static <K as Kept>::Value, u32)>>]>;

pub fn none_recent<K: Kept>() -> Recent<K> {
    vec![Cell::new(None); MOST_RECENT].into()
}

/// A type of lists, each distinct one once, that are their numbers.
macro_rules! list {
    ($(#[$doc:meta])* $name:ident, $item:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name(u32);

        const _: () = {
            use $crate::numbering::{Interner, List, Recent, none_recent};

            thread_local! {
                static RECENT: Recent<List<$item>> = none_recent::<List<$item>>();
            }

            static LISTS: std::sync::LazyLock<Interner<List<$item>>> =
                std::sync::LazyLock::new(|| Interner::new(&[][..]));

            impl $name {
                pub fn new(items: &[$item]) -> $name {
                    $name(LISTS.number(items, &RECENT))
                }

                pub fn get(self) -> &'static [$item] {
                    LISTS.value(self.0)
                }
            }
        };

        impl std::ops::Deref for $name {
            type Target = [$item];

            fn deref(&self) -> &'static [$item] {
                self.get()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_list().entries(self.get()).finish()
            }
        }
    };
}

pub(crate) use list;
