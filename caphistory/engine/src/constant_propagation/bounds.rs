//! Whether the conditions under which code runs leave any number that a variable may be.

use rustc_hash::FxHashMap;

use crate::intern::{Expr, ExprList, Sym};
use crate::values::{Known, Value, mirrored, parts, value_of};

/// Larger numbers may be negative ones.
const LARGEST: i128 = i32::MAX as i128;

/// The least and the largest number that a variable may be.
#[derive(Clone, Copy)]
struct Bounds {
    least: i128,
    most: i128,
}

const NONE: Bounds = Bounds {
    least: i128::MIN,
    most: i128::MAX,
};

/// Whether conditions that should all hold leave no number that a variable (`$x`) may be which they
/// compare with constants.
pub fn exclude_one_another(guards: ExprList, known: &dyn Known) -> bool {
    let mut found = FxHashMap::default();
    for guard in guards.iter() {
        narrow(*guard, true, known, &mut found);
    }
    found.values().any(|one: &Bounds| one.least > one.most)
}

fn narrow(expr: Expr, truth: bool, known: &dyn Known, found: &mut FxHashMap<Sym, Bounds>) {
    match (parts(expr), truth) {
        (Err(("!", [inner])), _) => narrow(*inner, !truth, known, found),
        (Err(("&&", sides)), true) | (Err(("||", sides)), false) => {
            for side in sides {
                narrow(*side, truth, known, found);
            }
        }
        (Err((sign, [left, right])), _) => {
            if let (Some(variable), Some(number)) = (variable(*left), number(*right, known)) {
                bound(variable, sign, number, truth, found);
            } else if let (Some(number), Some(variable)) = (number(*left, known), variable(*right))
            {
                bound(variable, mirrored(sign), number, truth, found);
            }
        }
        _ => {}
    }
}

/// A variable as it was handed to the function: a member may change meanwhile.
fn variable(expr: Expr) -> Option<Sym> {
    let name = parts(expr).ok()?;
    (name.text().starts_with('$') && !name.text().contains('>')).then_some(name)
}

fn number(expr: Expr, known: &dyn Known) -> Option<i128> {
    match value_of(expr, known) {
        Some(Value::Int(number)) if (0..=LARGEST).contains(&number) => Some(number),
        _ => None,
    }
}

fn bound(
    variable: Sym,
    sign: &'static str,
    number: i128,
    truth: bool,
    found: &mut FxHashMap<Sym, Bounds>,
) {
    let (least, most) = match (sign, truth) {
        ("<", true) | (">=", false) => (NONE.least, number - 1),
        ("<=", true) | (">", false) => (NONE.least, number),
        (">", true) | ("<=", false) => (number + 1, NONE.most),
        (">=", true) | ("<", false) => (number, NONE.most),
        ("==", true) | ("!=", false) => (number, number),
        _ => return,
    };
    let bounds = found.entry(variable).or_insert(NONE);
    bounds.least = bounds.least.max(least);
    bounds.most = bounds.most.min(most);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(sign: &'static str, number: &str) -> Expr {
        Expr::tuple(sign, &[Expr::text("$x"), Expr::text(number)])
    }

    fn exclude(guards: &[Expr]) -> bool {
        exclude_one_another(ExprList::new(guards), &|_| None)
    }

    #[test]
    fn limits_exclude_one_another_where_they_leave_no_number() {
        let not_more = Expr::tuple("!", &[compared(">=", "63")]);
        assert!(exclude(&[not_more, compared(">=", "63")]));
        assert!(!exclude(&[not_more, compared(">=", "62")]));
        assert!(exclude(&[not_more, compared("==", "64")]));
        assert!(!exclude(&[not_more, Expr::text("$x")]));
    }
}
