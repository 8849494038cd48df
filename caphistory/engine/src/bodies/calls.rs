//! Reads calls: whom they call, with what, under which conditions, and what their result leads to.

use super::BodyReader;
use super::walks::calls_all;
use crate::choices;
use crate::effects::{Given, Outcome, OutcomeList};
use crate::facts::Call;
use crate::intern::{Expr, ExprList, Sym, SymList};
use crate::namings;
use crate::tree::{Field, Kind, Node};
use crate::uids::compares_root;

impl<'t, 'c, 'a> BodyReader<'t, 'c, 'a> {
    pub(super) fn call(&mut self, node: Node<'t>, conditional: bool, depth: u32) {
        let (Some(function), Some(arguments)) =
            (node.field(Field::Function), node.field(Field::Arguments))
        else {
            self.through(node, conditional, depth + 1);
            return;
        };
        let mut given: Vec<_> = arguments
            .named_children()
            .filter(|one| one.kind() != Kind::Comment)
            .collect();
        // UNROLL(3, M, x) is M(0, x) M(1, x) M(2, x).
        let mut function = function;
        if given.len() > 1 && function.bytes(self.code) == b"UNROLL" {
            function = given.remove(1);
        }
        let (target, pointer) = self.places.called(function);
        if let Some(variable) = self.cleared(&target, &given) {
            self.set_members(node, variable, node);
            if !conditional {
                self.settle_members(node, variable);
            }
        }
        if target == "uid_eq" && compares_root(arguments, &self.places, &self.roots) {
            // True for root, as a uid itself is true for everybody else.
            self.uid_test(node, conditional, false);
        }
        let plain = function.kind() == Kind::Identifier;
        if !target.is_empty() {
            // In get_blkfops(major)->ioctl(…) (2.0) two calls begin at the same place.
            let key = self.offset(if plain { node } else { arguments });
            let mut made = self.made_call(node, &target, pointer, &given, conditional);
            if pointer {
                made.every = calls_all(node, &self.places);
                made.tables = self.tables_of(function);
            }
            made.kinds = self.kinds_of(arguments);
            self.fill_structs(&given);
            let choice = self.choices.of(function, &self.places);
            let mounts = self.mounts.as_ref();
            let source =
                mounts.and_then(|mounts| mounts.of_call(&target, arguments, &given, &self.places));
            let mount = source.map(choices::on);
            let told = choice.filter(|_| pointer).into_iter().chain(mount);
            made.guards = with_guards(made.guards, told);
            if plain && !pointer {
                self.choices
                    .make(&target, &given, made.passes, &self.places);
            }
            self.body.calls.entry(key).or_insert(made);
            self.put(node);
            if !pointer {
                let named = namings::of_call(&target, arguments, &self.places, &self.registered);
                self.add_naming(node, &named);
            }
        }
        if pointer && !plain {
            self.visit(function, conditional, depth + 1);
        }
        for one in given {
            self.visit(one, conditional, depth + 1);
        }
    }

    pub(super) fn made_call(
        &mut self,
        node: Node<'t>,
        target: &str,
        pointer: bool,
        given: &[Node<'t>],
        conditional: bool,
    ) -> Call {
        let leaves = self.outcomes.reason(node).is_some();
        let cases = &Given::ALL[..if leaves { 4 } else { 3 }];
        let outcomes: Vec<Outcome> = cases
            .iter()
            .map(|&given| self.outcomes.outcome(node, given))
            .collect();
        let condition = (self.condition_at)(self.offset(node));
        let target_sym = Sym::new(target);
        let arguments: Vec<Sym> = given
            .iter()
            .map(|&one| Sym::new(&self.places.argument(one, target)))
            .collect();
        let guards = self.guards(condition);
        Call {
            line: self.row(node),
            target: target_sym,
            arguments: SymList::new(&arguments),
            outcomes: OutcomeList::new(&outcomes),
            refuses: (!conditional || self.are_all_told(guards))
                && matches!(outcomes[0], Outcome::Error(_) | Outcome::Either(_))
                && self.outcomes.decides_alone(node),
            instead: self.instead(node, false, outcomes[0]),
            case: self.case,
            condition,
            guards,
            passes: self.passed(given, (!pointer).then_some(target_sym)),
            tables: SymList::default(),
            kinds: 0,
            creds: Sym::default(),
            pointer,
            every: false,
            conditional,
        }
    }

    /// The struct that a call of memset fills with 0: a variable, or all of what a parameter points to
    /// that stays as it is (`memset(scm, 0, sizeof(*scm))` of scm_send); what another pointer leads
    /// to may be another one elsewhere.
    pub(super) fn cleared(&self, target: &str, given: &[Node<'t>]) -> Option<Sym> {
        let &[filled, zero, size] = given else {
            return None;
        };
        if target != "memset" || self.expression(zero).as_text() != Some("0") {
            return None;
        }
        match self.expression(filled).as_tuple() {
            Some(("addr", [variable, ..])) => variable.as_sym(),
            _ => self.pointed_to(filled, size),
        }
    }

    /// The parameter that always points to the same struct, whose size is this.
    fn pointed_to(&self, pointer: Node<'t>, size: Node<'t>) -> Option<Sym> {
        let name = std::str::from_utf8(pointer.bytes(self.code)).ok()?;
        let of_all = size.bytes(self.code).strip_prefix(b"sizeof")?.iter();
        let of_all = of_all.filter(|byte| !matches!(byte, b'(' | b')' | b' '));
        let is_whole = of_all.eq(format!("*{name}").as_bytes());
        let stays = self.parameters.contains(name) && !self.changing.contains(name);
        (is_whole && stays).then(|| Sym::new(&format!("${name}")))
    }
}

/// Guards, and more behind them.
fn with_guards(guards: ExprList, more: impl Iterator<Item = Expr>) -> ExprList {
    let more: Vec<Expr> = more.collect();
    if more.is_empty() {
        return guards;
    }
    let all = guards.iter().copied().chain(more);
    ExprList::new(&all.collect::<Vec<_>>())
}
