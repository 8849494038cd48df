//! Facts on disk: what was read of files goes in and bytes come out, and the other way round, so
//! that the next run reads only what is new.
//!
//! Texts and lists stand once, by number, in tables of their own before the facts that name them;
//! numbers take seven bits a byte. The bytes begin with a hash of all others and of a mark, by which
//! the writer says which program it is: what another one wrote, what was cut short or changed is not
//! taken. Even with the right hash no bytes make it panic.

use std::hash::Hash;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::effects::{Outcome, OutcomeList};
use crate::facts::{
    Blob, Call, Constant, Declared, Flow, Function, Item, Macro, MentionKind, Naming, Parameter,
    Placed, Stored, Struct, TableFlow, Typedef, UidTest, Variable,
};
use crate::intern::{Expr, ExprList, ExprNode, Sym, SymList};

/// A content, by its id, and whether it is read as assembler.
pub type Name = (String, bool);

const HASH: usize = 32;
/// Room is made for so many entries of a list before the first is seen.
const MOST_AHEAD: usize = 1 << 10;

/// The facts of these contents as bytes, in parts that follow one another: 6.8 has 450 MB, which are
/// not to stand in memory twice.
pub fn keep(mark: &str, blobs: &[(Name, Arc<Blob>)]) -> Vec<Vec<u8>> {
    let mut to = Writer::default();
    let names = to.apart(|to| {
        for ((id, assembler), _) in blobs {
            to.put_bytes(id.as_bytes());
            assembler.put(to);
        }
    });
    let facts = to.apart(|to| blobs.iter().for_each(|(_, blob)| blob.put(to)));
    let mut parts = vec![Vec::new()];
    for (count, bytes) in [
        (blobs.len(), names),
        (to.texts.count(), to.texts.bytes),
        (to.lists.count(), to.lists.bytes),
        (to.exprs.count(), to.exprs.bytes),
        (to.outcomes.count(), to.outcomes.bytes),
        (to.items.count(), to.items.bytes),
        (blobs.len(), facts),
    ] {
        let mut head = Vec::new();
        number(count as u32, &mut head);
        parts.extend([head, bytes]);
    }
    parts[0] = hash(mark, &parts).to_vec();
    parts
}

/// The facts that were kept under this mark, if they are of use, by the contents that they are of;
/// None where the bytes are no such.
pub fn take(
    mark: &str,
    kept: &[u8],
    are_of_use: impl FnOnce(&[Name]) -> bool,
) -> Option<Vec<(Name, Arc<Blob>)>> {
    let (head, bytes) = kept.split_at_checked(HASH)?;
    let mut from = Reader {
        bytes,
        ..Reader::default()
    };
    let names = from.all(|from| Some((from.text()?.to_owned(), bool::take(from)?)))?;
    if !are_of_use(&names) || head != hash(mark, &[bytes]) {
        return None;
    }
    from.texts = from.all(|from| from.text().map(Sym::new))?;
    from.lists = from.all(|from| Some(SymList::new(&from.all(Sym::take)?)))?;
    for _ in 0..from.count()? {
        let list = ExprList::new(&from.all(Expr::take)?);
        from.exprs.push(list);
    }
    from.outcomes = from.all(|from| Some(OutcomeList::new(&from.all(Outcome::take)?)))?;
    from.items = from.all(|from| Item::take(from).map(Arc::new))?;
    let blobs = from.all(|from| Blob::take(from).map(Arc::new))?;
    let whole = from.bytes.is_empty() && names.len() == blobs.len();
    whole.then(|| names.into_iter().zip(blobs).collect())
}

fn hash(mark: &str, parts: &[impl AsRef<[u8]>]) -> [u8; HASH] {
    let mut hasher = blake3::Hasher::new_derive_key("caphistory facts");
    hasher.update(&(mark.len() as u64).to_le_bytes());
    hasher.update(mark.as_bytes());
    for part in parts {
        hasher.update(part.as_ref());
    }
    hasher.finalize().into()
}

fn number(mut number: u32, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// Values that stand once, in the order in which they were first asked for.
#[derive(Default)]
struct Table<T> {
    numbers: FxHashMap<T, u32>,
    bytes: Vec<u8>,
}

impl<T: Hash + Eq> Table<T> {
    fn count(&self) -> usize {
        self.numbers.len()
    }

    fn add(&mut self, value: T, bytes: &[u8]) -> u32 {
        let number = self.numbers.len() as u32;
        self.numbers.insert(value, number);
        self.bytes.extend(bytes);
        number
    }
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
    texts: Table<Sym>,
    lists: Table<SymList>,
    exprs: Table<ExprList>,
    outcomes: Table<OutcomeList>,
    /// By their addresses.
    items: Table<usize>,
}

impl Writer {
    fn put_bytes(&mut self, bytes: &[u8]) {
        number(bytes.len() as u32, &mut self.bytes);
        self.bytes.extend(bytes);
    }

    /// What `put` writes, apart from the rest.
    fn apart(&mut self, put: impl FnOnce(&mut Self)) -> Vec<u8> {
        let outer = std::mem::take(&mut self.bytes);
        put(self);
        std::mem::replace(&mut self.bytes, outer)
    }
}

#[derive(Default)]
struct Reader<'a> {
    bytes: &'a [u8],
    texts: Vec<Sym>,
    lists: Vec<SymList>,
    exprs: Vec<ExprList>,
    outcomes: Vec<OutcomeList>,
    items: Vec<Arc<Item>>,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.bytes.split_first()?;
        self.bytes = rest;
        Some(first)
    }

    fn number(&mut self) -> Option<u32> {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let byte = self.byte()?;
            number |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// How many entries follow, of which each takes a byte at least.
    fn count(&mut self) -> Option<usize> {
        let count = self.number()? as usize;
        (count <= self.bytes.len()).then_some(count)
    }

    fn text(&mut self) -> Option<&'a str> {
        let count = self.count()?;
        let (text, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        std::str::from_utf8(text).ok()
    }

    fn all<T>(&mut self, mut take: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.count()?;
        let mut all = Vec::with_capacity(count.min(MOST_AHEAD));
        for _ in 0..count {
            all.push(take(self)?);
        }
        Some(all)
    }

    fn entry<T: Clone>(&mut self, table: impl FnOnce(&Self) -> &Vec<T>) -> Option<T> {
        let number = self.number()?;
        table(self).get(number as usize).cloned()
    }
}

/// What is kept: each writes itself, and is read where it was written.
trait Kept: Sized {
    fn put(&self, to: &mut Writer);
    fn take(from: &mut Reader) -> Option<Self>;
}

impl Kept for u32 {
    fn put(&self, to: &mut Writer) {
        number(*self, &mut to.bytes);
    }

    fn take(from: &mut Reader) -> Option<u32> {
        from.number()
    }
}

impl Kept for u8 {
    fn put(&self, to: &mut Writer) {
        to.bytes.push(*self);
    }

    fn take(from: &mut Reader) -> Option<u8> {
        from.byte()
    }
}

impl Kept for bool {
    fn put(&self, to: &mut Writer) {
        to.bytes.push(u8::from(*self));
    }

    fn take(from: &mut Reader) -> Option<bool> {
        Some(from.byte()? != 0)
    }
}

impl Kept for Sym {
    fn put(&self, to: &mut Writer) {
        let known = to.texts.numbers.get(self).copied();
        let number = known.unwrap_or_else(|| {
            let bytes = to.apart(|to| to.put_bytes(self.text().as_bytes()));
            to.texts.add(*self, &bytes)
        });
        number.put(to);
    }

    fn take(from: &mut Reader) -> Option<Sym> {
        from.entry(|from| &from.texts)
    }
}

/// A list that stands once.
macro_rules! list {
    ($name:ident, $table:ident) => {
        impl Kept for $name {
            fn put(&self, to: &mut Writer) {
                let known = to.$table.numbers.get(self).copied();
                let number = known.unwrap_or_else(|| {
                    let bytes = to.apart(|to| put_all(self, to));
                    to.$table.add(*self, &bytes)
                });
                number.put(to);
            }

            fn take(from: &mut Reader) -> Option<$name> {
                from.entry(|from| &from.$table)
            }
        }
    };
}

list!(SymList, lists);
list!(ExprList, exprs);
list!(OutcomeList, outcomes);

/// A text, or a list, which stands before all in which it occurs.
impl Kept for Expr {
    fn put(&self, to: &mut Writer) {
        match self.get() {
            ExprNode::Text(text) => {
                false.put(to);
                text.put(to);
            }
            ExprNode::Tuple(parts) => {
                true.put(to);
                parts.put(to);
            }
        }
    }

    fn take(from: &mut Reader) -> Option<Expr> {
        Some(Expr::node(match bool::take(from)? {
            false => ExprNode::Text(Sym::take(from)?),
            true => ExprNode::Tuple(ExprList::take(from)?),
        }))
    }
}

impl Kept for Outcome {
    fn put(&self, to: &mut Writer) {
        let none = Sym::default();
        let (number, text): (u8, Sym) = match *self {
            Outcome::GoesOn => (0, none),
            Outcome::Same => (1, none),
            Outcome::Zero => (2, none),
            Outcome::One => (3, none),
            Outcome::Reason => (4, none),
            Outcome::Unknown => (5, none),
            Outcome::Error(errno) => (6, errno),
            Outcome::Left(errno) => (7, errno),
            Outcome::Reply(errno) => (8, errno),
            Outcome::Limited(errno) => (9, errno),
            Outcome::Of(function) => (10, function),
            Outcome::Either(_) => (11, none),
            Outcome::Turned(_) => (12, none),
        };
        (number, text).put(to);
        if let Outcome::Either(parts) | Outcome::Turned(parts) = *self {
            parts.put(to);
        }
    }

    fn take(from: &mut Reader) -> Option<Outcome> {
        let (number, text) = <(u8, Sym)>::take(from)?;
        Some(match number {
            0 => Outcome::GoesOn,
            1 => Outcome::Same,
            2 => Outcome::Zero,
            3 => Outcome::One,
            4 => Outcome::Reason,
            5 => Outcome::Unknown,
            6 => Outcome::Error(text),
            7 => Outcome::Left(text),
            8 => Outcome::Reply(text),
            9 => Outcome::Limited(text),
            10 => Outcome::Of(text),
            11 => Outcome::Either(SymList::take(from)?),
            12 => Outcome::Turned(SymList::take(from)?),
            _ => return None,
        })
    }
}

impl Kept for MentionKind {
    fn put(&self, to: &mut Writer) {
        (*self as u8).put(to);
    }

    fn take(from: &mut Reader) -> Option<MentionKind> {
        let all = [
            MentionKind::Call,
            MentionKind::Declaration,
            MentionKind::Name,
        ];
        let number = u8::take(from)?;
        all.into_iter().find(|one| *one as u8 == number)
    }
}

fn put_all<T: Kept>(all: &[T], to: &mut Writer) {
    number(all.len() as u32, &mut to.bytes);
    for one in all {
        one.put(to);
    }
}

impl<T: Kept> Kept for Box<[T]> {
    fn put(&self, to: &mut Writer) {
        put_all(self, to);
    }

    fn take(from: &mut Reader) -> Option<Box<[T]>> {
        from.all(T::take).map(Vec::into_boxed_slice)
    }
}

impl<T: Kept> Kept for Box<T> {
    fn put(&self, to: &mut Writer) {
        (**self).put(to);
    }

    fn take(from: &mut Reader) -> Option<Box<T>> {
        T::take(from).map(Box::new)
    }
}

impl<T: Kept> Kept for Option<T> {
    fn put(&self, to: &mut Writer) {
        self.is_some().put(to);
        if let Some(one) = self {
            one.put(to);
        }
    }

    fn take(from: &mut Reader) -> Option<Option<T>> {
        match bool::take(from)? {
            true => T::take(from).map(Some),
            false => Some(None),
        }
    }
}

/// An item that several contents share stands once too.
impl Kept for Arc<Item> {
    fn put(&self, to: &mut Writer) {
        let address = Arc::as_ptr(self) as usize;
        let known = to.items.numbers.get(&address).copied();
        let number = known.unwrap_or_else(|| {
            let bytes = to.apart(|to| (**self).put(to));
            to.items.add(address, &bytes)
        });
        number.put(to);
    }

    fn take(from: &mut Reader) -> Option<Arc<Item>> {
        from.entry(|from| &from.items)
    }
}

/// A record: its fields, one after the other.
macro_rules! record {
    ($($name:ident { $($field:ident),* })*) => {$(
        impl Kept for $name {
            fn put(&self, to: &mut Writer) {
                $(self.$field.put(to);)*
            }

            fn take(from: &mut Reader) -> Option<$name> {
                Some($name { $($field: Kept::take(from)?),* })
            }
        }
    )*};
}

record! {
    Call {
        line, target, arguments, outcomes, instead, case, condition, guards, passes, tables, kinds,
        creds, pointer, every, conditional, refuses
    }
    UidTest { line, text, outcome, instead, condition, guards, conditional }
    Flow { line, target, source }
    TableFlow { target, source, kinds }
    Parameter { name, type_ }
    Function {
        name, line, end, is_static, inline, error, parameters, returns, calls, uid_tests, flows,
        tables, relays, sets, variables, refusals
    }
    Macro { name, parameters, calls, uid_tests, relays, alias, place, flows, stored, refusals }
    Struct { tag, members }
    Typedef { name, type_ }
    Variable { name, type_, is_static, array }
    Stored { line, variable, type_, path, source }
    Naming { line, end, holder, type_, labels, sources }
    Declared { structs, typedefs, variables, stored, namings }
    Item { function, macro_, declared }
    Placed { line, condition, item }
    Constant { name, parameters, body }
    Blob { items, includes, required, mentions, called, constants }
}

impl<A: Kept, B: Kept> Kept for (A, B) {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
        self.1.put(to);
    }

    fn take(from: &mut Reader) -> Option<(A, B)> {
        Some((A::take(from)?, B::take(from)?))
    }
}

impl<A: Kept, B: Kept, C: Kept> Kept for (A, B, C) {
    fn put(&self, to: &mut Writer) {
        self.0.put(to);
        self.1.put(to);
        self.2.put(to);
    }

    fn take(from: &mut Reader) -> Option<(A, B, C)> {
        Some((A::take(from)?, B::take(from)?, C::take(from)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::reader::{Store, read};

    const CODE: &str = r#"
#include <linux/sched.h>
#define MAY_SET(task) ((task)->euid == 0 || capable(CAP_SYS_TIME))
#define LIMIT 12
typedef struct timer timer_t;
struct clock_operations { int (*set)(struct clock *, int); };
static struct clock_operations plain = { .set = plain_set };
static struct ctl_table table[] = { { .procname = "clock", .handler = plain_set } };
#ifdef CONFIG_CLOCK
int clock_set(struct clock *clock, int value)
{
    struct clock_operations *ops = clock->ops;
    int flags = value & LIMIT, error = 0;
    if (value > LIMIT && !capable(CAP_SYS_TIME))
        return -EPERM;
    if (current->uid && !MAY_SET(current))
        return -EACCES;
    switch (flags) {
    case 4:
        error = ops->set(clock, value);
    }
    return error;
}
#endif
"#;

    fn facts() -> Vec<(Name, Arc<Blob>)> {
        let store = Store::new();
        let longer = format!("{CODE}int more(void) {{ return suser(); }}");
        let of = |code: &str| Arc::new(read(code.as_bytes(), &store));
        vec![
            (("a1".into(), false), of(CODE)),
            (("b2".into(), true), of(&longer)),
        ]
    }

    fn taken(mark: &str, kept: &[u8]) -> Option<Vec<(Name, Arc<Blob>)>> {
        take(mark, kept, |_| true)
    }

    #[test]
    fn what_was_kept_is_taken_up_as_it_was() {
        let facts = facts();
        let again = taken("one", &keep("one", &facts).concat()).expect("the facts");
        assert_eq!(format!("{again:?}"), format!("{facts:?}"));
        assert!(Arc::ptr_eq(
            &again[0].1.items[0].item,
            &again[1].1.items[0].item
        ));
    }

    #[test]
    fn what_is_of_no_use_or_of_another_program_is_not() {
        let kept = keep("one", &facts()).concat();
        assert!(taken("two", &kept).is_none());
        assert!(take("one", &kept, |names| names.len() != 2).is_none());
    }

    #[test]
    fn nor_is_what_was_cut_short_or_changed() {
        let mut kept = keep("one", &facts()).concat();
        for end in 0..kept.len() {
            assert!(taken("one", &kept[..end]).is_none());
            kept[end] ^= 1;
            assert!(taken("one", &kept).is_none());
            kept[end] ^= 1;
        }
        kept.push(0);
        assert!(taken("one", &kept).is_none());
    }

    proptest! {
        #[test]
        fn whatever_follows_the_hash_nothing_panics(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..9),
            end in any::<prop::sample::Index>(),
            cut in any::<bool>(),
        ) {
            let mut kept = keep("one", &facts()).concat();
            for (at, byte) in changes {
                let at = HASH + at.index(kept.len() - HASH);
                kept[at] = byte;
            }
            if cut {
                kept.truncate(HASH + end.index(kept.len() - HASH));
            }
            let hash = hash("one", &[&kept[HASH..]]);
            kept[..HASH].copy_from_slice(&hash);
            if let Some(facts) = taken("one", &kept) {
                let shown = format!("{facts:?}");
                prop_assert!(!shown.is_empty());
            }
        }
    }
}
