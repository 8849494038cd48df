//! How places are written (see `facts`): put together, and taken apart again.

use rustc_hash::FxHashMap;

/// Where macros paste names together ("show_##name"), as a name can hold it.
pub const PASTE: &str = "__cat__";
/// How the name begins of what a braced list of one member is as an argument of a macro:
/// `__list__show(:f)` for `{ .show = f }`.
pub const LISTED: &str = "__list__";
/// The key of what functions return, whatever they are called.
pub const RETURNED: &str = "$()";
const LONGEST: usize = 300;
/// Uses within uses: deeper than any kernel has them.
const DEEPEST: u32 = 100;

/// Places by the names of the parameters that they are given for.
pub type Values<'a> = FxHashMap<&'a str, &'a str>;

/// The place that a call of `name` returns, with the places of its arguments:
/// `READ_ONCE(struct sock/ops)`.
pub fn use_of(name: &str, arguments: &[impl AsRef<str>]) -> String {
    let mut made = String::with_capacity(name.len() + 24);
    made.push_str(name);
    made.push('(');
    if arguments
        .iter()
        .any(|argument| !argument.as_ref().is_empty())
    {
        for (position, argument) in arguments.iter().enumerate() {
            if position > 0 {
                made.push(',');
            }
            made.extend(
                argument
                    .as_ref()
                    .chars()
                    .map(|c| if c == '>' { '/' } else { c }),
            );
        }
        let listed = made.get(name.len() + 1..).unwrap_or_default();
        if listed.len() > LONGEST && listed.chars().count() > LONGEST {
            made.truncate(name.len() + 1);
        }
    }
    made.push(')');
    made
}

/// Whether a place is what a call returns.
pub fn is_use(place: &str) -> bool {
    place.ends_with(')')
}

/// The name and the arguments of such a place; None for another one.
pub fn used(place: &str) -> Option<(&str, Vec<String>)> {
    let inner = place.strip_suffix(')')?;
    let (name, listed) = inner.split_once('(').unwrap_or((inner, ""));
    let mut arguments = Vec::new();
    let mut argument = String::new();
    let mut depth = 0;
    for character in listed.chars() {
        if character == ',' && depth == 0 {
            arguments.push(std::mem::take(&mut argument));
            continue;
        }
        depth += i32::from(character == '(') - i32::from(character == ')');
        argument.push(if character == '/' && depth == 0 {
            '>'
        } else {
            character
        });
    }
    arguments.push(argument);
    Some((name, arguments))
}

/// A name that a macro makes (`:DRM(open)`) as the use of that macro; any other place as it is.
pub fn as_use(source: &str) -> String {
    match source
        .strip_prefix(':')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        Some(inner) => {
            let (name, argument) = inner.split_once('(').unwrap_or((inner, ""));
            use_of(name, &[format!(":{argument}")])
        }
        None => source.to_owned(),
    }
}

/// A place's first part, and the members behind it.
pub fn split(place: &str) -> (&str, std::str::Split<'_, char>) {
    let mut parts = place.split('>');
    (parts.next().unwrap_or(""), parts)
}

/// A place's first part.
pub fn base(place: &str) -> &str {
    place.split_once('>').map_or(place, |(base, _)| base)
}

/// A place's last part: the key of all places that may be the same.
pub fn key(place: &str) -> &str {
    match place.rsplit_once('>').map_or(place, |(_, last)| last) {
        "" => "?",
        last if last.ends_with(')') && !last.starts_with(':') => RETURNED,
        last => last,
    }
}

/// Whether a place is a name from outside functions, and no more.
pub fn names(place: &str) -> bool {
    place.starts_with(':') && !place.contains('>')
}

/// A place in a macro as it is where the macro is used; empty where nobody can tell. `values` are
/// the arguments by the names of the macro's parameters; `types` those that are variables of the
/// user's, by what they are.
pub fn filled(place: &str, values: &Values<'_>, types: &Values<'_>) -> String {
    filled_at(place, values, types, 0)
}

fn filled_at(place: &str, values: &Values<'_>, types: &Values<'_>, depth: u32) -> String {
    let (base, members) = split(place);
    let value = |name: &str| values.get(name).copied().unwrap_or("");
    let mut filled = if depth > DEEPEST {
        String::new()
    } else if let Some((name, arguments)) = used(base) {
        let mut inner = values.clone();
        inner.extend(types);
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| filled_at(argument, &inner, &inner, depth + 1))
            .collect();
        use_of(&named(name, values), &arguments)
    } else if let Some(name) = base.strip_prefix('$') {
        let known = if members.clone().next().is_some() {
            types.get(name).copied()
        } else {
            None
        };
        known
            .filter(|known| !known.is_empty())
            .unwrap_or_else(|| value(name))
            .to_owned()
    } else if let Some(name) = base.strip_prefix(':') {
        format!(":{}", named(name, values))
    } else if let Some(&value) = values.get(base) {
        // "(type *) p", where type is a parameter
        value.strip_prefix(':').unwrap_or(value).to_owned()
    } else {
        base.to_owned()
    };
    if !filled.is_empty() {
        for member in members {
            filled.push('>');
            filled.push_str(&named(member, values));
        }
    }
    filled
}

/// A name in a macro, in which parameters may stand for names or parts of them.
pub fn named(name: &str, values: &Values<'_>) -> String {
    let mut all = String::with_capacity(name.len());
    for piece in name.split(PASTE) {
        let value = values
            .get(piece)
            .copied()
            .filter(|value| !value.contains('>'));
        let name = value.and_then(|value| value.strip_prefix([':', '$']));
        all.push_str(name.unwrap_or(piece));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_taken_apart_as_they_were_put_together() {
        let place = use_of("READ_ONCE", &["struct sock>ops", "f(a,b/c)"]);
        assert_eq!(place, "READ_ONCE(struct sock/ops,f(a,b/c))");
        let (name, arguments) = used(&place).expect("a use");
        assert_eq!(
            (name, arguments),
            (
                "READ_ONCE",
                vec!["struct sock>ops".into(), "f(a,b/c)".into()]
            )
        );
        assert_eq!(use_of("f", &["", ""]), "f()");
        assert_eq!(used("f()"), Some(("f", vec![String::new()])));
        assert_eq!(used(":f"), None);
        assert_eq!(as_use(":DRM(open)"), "DRM(:open)");
    }

    #[test]
    fn places_meet_by_their_last_part() {
        assert_eq!(key("struct sock>ops"), "ops");
        assert_eq!(key("f(:x)"), RETURNED);
        assert_eq!(key(":f(x)"), ":f(x)");
        assert_eq!(key(""), "?");
    }

    #[test]
    fn parameters_are_filled_in() {
        let values = Values::from_iter([("p", "$sk"), ("name", ":bind"), ("t", ":struct sock")]);
        let types = Values::from_iter([("p", "struct sock")]);
        let filled = |place| filled(place, &values, &types);
        assert_eq!(filled("$p>ops>name"), "struct sock>ops>bind");
        assert_eq!(filled("$p"), "$sk");
        assert_eq!(filled(":show___cat__name"), ":show_bind");
        assert_eq!(filled("t>x"), "struct sock>x");
        assert_eq!(filled("f($p)"), "f(struct sock)");
        assert_eq!(filled("$q>x"), "");
    }
}
