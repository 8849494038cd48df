//! The keys by which places (see `facts`) meet, each computed once: a place goes in, and its key,
//! the name in it, or whether it may be a function comes out.

use super::definitions::Fact;
use crate::intern::{Memo, Sym};
use crate::lexer::is_upper;
use crate::notation::key;

/// What an argument's text tells of whether it may be a function.
const NO: u32 = 0;
const YES: u32 = 1;
const LOCAL: u32 = 2;

static KEYS: Memo = Memo::new(|place| Sym::new(key(place)).number());
static ARGUMENTS: Memo = Memo::new(|place| match place.as_bytes().first() {
    Some(b':') if !is_upper(place) || place.contains('>') => YES,
    Some(b'$') if !place.contains('>') => LOCAL,
    Some(b':' | b'=') | None => NO,
    Some(_) => u32::from(place.contains('>')),
});
static OUTSIDE: Memo = Memo::new(|place| match place.strip_prefix(':') {
    Some(name) => Sym::new(name).number() + 1,
    None => 0,
});
static PLACES: Memo = Memo::new(|name| Sym::new(&format!(":{name}")).number());

/// The key of all places that may be the same as this one.
pub fn key_of(place: Sym) -> Sym {
    Sym::of_number(KEYS.get(place))
}

/// The name in a place that begins with a name from outside functions (`:name`).
pub fn outside(place: Sym) -> Option<Sym> {
    OUTSIDE.get(place).checked_sub(1).map(Sym::of_number)
}

/// The place that is a name from outside functions.
pub fn place_of(name: Sym) -> Sym {
    Sym::of_number(PLACES.get(name))
}

/// Whether an argument may hand a function on: a name from outside that is no constant, one of the
/// user's parameters, a variable of its own that is set to what may be one, or a member.
pub fn may_be_function(argument: Sym, user: Fact<'_>) -> bool {
    match ARGUMENTS.get(argument) {
        LOCAL => user.is_parameter(argument.text()) || user.sets_to_place(argument),
        kind => kind == YES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Macro;

    #[test]
    fn what_may_be_a_function() {
        let user = Macro::default();
        let may_be = |place| may_be_function(Sym::new(place), Fact::Macro(&user));
        assert!(may_be(":inet_bind"));
        assert!(may_be(":_1"));
        assert!(may_be(":GFP_KERNEL>bind"));
        assert!(may_be("struct proto>bind"));
        assert!(!may_be(":GFP_KERNEL"));
        assert!(!may_be("$of_nobody"));
        assert!(!may_be("=1"));
        assert!(!may_be(""));
    }

    #[test]
    fn a_name_and_its_place() {
        let [name, place] = ["inet_bind", ":inet_bind"].map(Sym::new);
        assert_eq!(place_of(name), place);
        assert_eq!(outside(place), Some(name));
        assert_eq!(outside(name), None);
        assert_eq!(key_of(Sym::new("struct proto>bind")), Sym::new("bind"));
    }
}
