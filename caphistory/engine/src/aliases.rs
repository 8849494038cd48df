//! Local variables that point to what a parameter points to, wherever they are used: members of the one
//! are those of the other. In go the sets of a function and what calls do with variables, out come
//! expressions with the parameter in the variable's place.
//!
//! `struct sockaddr_ipx *addr = (struct sockaddr_ipx *) uaddr;` of ipx_bind (`net/ipx/af_ipx.c`).

use rustc_hash::{FxHashMap, FxHashSet};

use crate::decisions::{Uses, variable};
use crate::intern::{Expr, ExprList, ExprNode, Sym};

/// The parameters that local variables stand for, by the variable (`$x`).
#[derive(Debug, Default)]
pub struct Aliases(FxHashMap<&'static str, &'static str>);

impl Aliases {
    /// Of a variable that is only ever set to a parameter, and neither is set to anything else or
    /// handed on as it is: what it is handed to may be a macro that changes it.
    pub fn new(sets: &[(Sym, Expr)], uses: &Uses, parameters: &FxHashSet<&str>) -> Aliases {
        let mut found: FxHashMap<&'static str, Option<&'static str>> = FxHashMap::default();
        let plain = sets.iter().filter(|(place, _)| !place.text().contains('>'));
        for (place, value) in plain {
            let stands_for = value
                .as_text()
                .filter(|text| is_parameter(text, parameters));
            let known = found.entry(place.text()).or_insert(stands_for);
            if *known != stands_for {
                *known = None;
            }
        }
        let is_set: FxHashSet<&str> = found.keys().copied().collect();
        let handed = uses.handed.iter().map(|(place, _)| place);
        let others = [&uses.addressed, &uses.copied, &uses.filled];
        let used: FxHashSet<&str> = handed
            .chain(others.into_iter().flatten())
            .map(|place| place.text())
            .collect();
        let aliases = found.into_iter().filter_map(|(place, parameter)| {
            let parameter = parameter?;
            let own = parameters.contains(variable(Sym::new(place)));
            let changes =
                is_set.contains(parameter) || uses.addressed.contains(&Sym::new(parameter));
            (!own && !changes && !used.contains(place)).then_some((place, parameter))
        });
        Aliases(aliases.collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A place with the parameter instead of the variable whose member it is.
    pub fn place(&self, place: Sym) -> Sym {
        let renamed = place.text().split_once('>').and_then(|(base, member)| {
            let parameter = self.0.get(base)?;
            Some(Sym::new(&format!("{parameter}>{member}")))
        });
        renamed.unwrap_or(place)
    }

    pub fn expr(&self, expr: Expr) -> Expr {
        match expr.get() {
            ExprNode::Text(sym) => Expr::sym(self.place(sym)),
            ExprNode::Tuple(parts) => Expr::node(ExprNode::Tuple(self.list(parts))),
        }
    }

    pub fn list(&self, all: ExprList) -> ExprList {
        let made: Vec<Expr> = all.iter().map(|one| self.expr(*one)).collect();
        if made == all.get() {
            all
        } else {
            ExprList::new(&made)
        }
    }

    pub fn sets(&self, sets: &[(Sym, Expr)]) -> Vec<(Sym, Expr)> {
        let renamed = sets
            .iter()
            .map(|(place, value)| (self.place(*place), self.expr(*value)));
        renamed.collect()
    }
}

fn is_parameter(text: &str, parameters: &FxHashSet<&str>) -> bool {
    text.strip_prefix('$')
        .is_some_and(|name| parameters.contains(name))
}
