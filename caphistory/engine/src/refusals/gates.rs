//! Which check refuses first: in goes a place on a chain, out comes an earlier check of the same
//! privilege there, which who lacks it does not get past.

use std::rc::Rc;

use super::places::{Places, subject};
use super::{Refusals, privilege};
use crate::effects::{Given, Outcome};
use crate::facts::Call;
use crate::guards::{has_calls, is_told};
use crate::intern::{Expr, ExprList, Sym};
use crate::meaning::Subject;
use crate::names::{DefId, Definition};

/// A check that a function asks wherever its `guards` hold, and that refuses by itself with an error;
/// `within` another function that it calls on every way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    line: u32,
    within: bool,
    privilege: Sym,
    guards: ExprList,
    pub(super) outcome: Outcome,
    pub(super) places: Places,
}

/// What a later check asks for, and the operation that leads there.
#[derive(Clone, Copy)]
pub(super) struct Asking {
    pub(super) privilege: Option<Sym>,
    pub(super) places: Places,
    pub(super) operation: Sym,
}

impl Refusals<'_, '_, '_, '_> {
    /// The first check of the same privilege that a function asks up to a line, on every way or on
    /// that of the operation: who lacks it is refused there. In the namespace of the later one, or in
    /// the initial one.
    pub(super) fn gate(&mut self, definition: DefId, line: u32, later: Asking) -> Option<Gate> {
        if subject(later.places.whose) != Subject::Caller {
            return None;
        }
        let gates = match self.gates.get(&definition) {
            Some(known) => known.clone(),
            None => {
                let found = self.gates_in(definition);
                self.gates.insert(definition, found.clone());
                found
            }
        };
        let is_init = |places: Places| places.namespace.text().contains("init_user_ns");
        let covers = |gate: &&Gate| {
            (gate.line < line || gate.line == line && !gate.within)
                && Some(gate.privilege) == later.privilege
                && (!self.namespaces || is_init(gate.places) || !is_init(later.places))
                && are_chosen(gate.guards, later.operation)
        };
        gates.iter().find(covers).copied()
    }

    /// The gates of a function: its own, and those of what it calls on every way, if it returns their
    /// error: vfs_getxattr asks xattr_permission, which refuses trusted names, before the handler of a
    /// file system does (from 2.6.16 on).
    fn gates_in(&mut self, definition: DefId) -> Rc<[Gate]> {
        let view = self.view;
        let Definition {
            fact, item_line, ..
        } = view.program[definition];
        let mut found = self.own_gates(definition).to_vec();
        if fact.macro_().is_some() {
            return found.into();
        }
        let calls = fact.calls().iter().filter(|call| is_asked(call));
        for call in calls {
            let targets = view.resolve(call.target, view.program[definition].path);
            let &[target] = &targets[..] else {
                continue;
            };
            for gate in self.own_gates(target).iter() {
                let places = Places {
                    whose: self.handed(gate.places.whose, target, call),
                    namespace: self.handed(gate.places.namespace, target, call),
                };
                let outcome = self.carried(call, definition, target, gate.outcome);
                if matches!(outcome, Outcome::Error(_)) && subject(places.whose) == Subject::Caller
                {
                    found.push(Gate {
                        line: item_line + call.line,
                        within: true,
                        outcome,
                        places,
                        ..*gate
                    });
                }
            }
        }
        found.sort_by_key(|gate| gate.line);
        found.into()
    }

    /// The gates that a function asks itself.
    fn own_gates(&mut self, definition: DefId) -> Rc<[Gate]> {
        if let Some(known) = self.own_gates.get(&definition) {
            return known.clone();
        }
        let view = self.view;
        let Definition {
            fact, item_line, ..
        } = view.program[definition];
        let mut found = Vec::new();
        let calls = fact.calls().iter().filter(|_| fact.macro_().is_none());
        for call in calls {
            if !call.refuses || !call.condition.is_empty() {
                continue;
            }
            // What the guards exclude would do as well: another name, another command.
            let is_alone = match call.conditional {
                true => self.privileges(call.instead, definition, 0).is_empty(),
                false => call.instead.get().is_empty(),
            };
            if !is_alone {
                continue;
            }
            let [meaning] = self.checks.meanings(call, definition)[..] else {
                continue;
            };
            if let Some(privilege) = privilege(&meaning)
                && self.given(call, definition, 0) == Outcome::Zero
                && self.within(call, definition, &meaning, 0).is_empty()
            {
                let places = self.places(call, definition, &meaning, 0);
                if subject(places.whose) == Subject::Caller {
                    found.push(Gate {
                        line: item_line + call.line,
                        within: false,
                        privilege,
                        guards: guards_of(call),
                        outcome: call.outcome(Given::False),
                        places,
                    });
                }
            }
        }
        found.sort_by_key(|gate| gate.line);
        let found: Rc<[Gate]> = found.into();
        self.own_gates.insert(definition, found.clone());
        found
    }
}

/// The conditions under which a check is asked; none where it is on every way.
fn guards_of(call: &Call) -> ExprList {
    match call.conditional {
        true => call.guards,
        false => ExprList::default(),
    }
}

/// Whether a function calls another one by name on every way and returns the error that it gives.
fn is_asked(call: &Call) -> bool {
    let returns = matches!(
        call.outcome(Given::Error),
        Outcome::Same | Outcome::Error(_)
    );
    !call.pointer && !call.conditional && call.condition.is_empty() && returns
}

/// Whether an operation says that all conditions hold: each compares with a constant that the
/// operation names, or says that the same is not another constant.
fn are_chosen(guards: ExprList, operation: Sym) -> bool {
    let named = |name: &str| operation.text().split('/').any(|label| label == name);
    let mut subjects = Vec::new();
    for guard in guards.iter() {
        collect_subjects(*guard, &named, &mut subjects);
    }
    let holds = |guard: &Expr| truth(*guard, &named, &subjects) == Some(true);
    guards
        .iter()
        .all(|guard| is_told(*guard) && !has_calls(*guard) && holds(guard))
}

/// What a condition compares with a constant, and the names of the constants.
fn comparison(expr: Expr) -> Option<(Expr, Vec<&'static str>)> {
    let (head, operands) = expr.as_tuple()?;
    let name = |one: &Expr| one.as_text()?.strip_prefix(':');
    match (head, operands) {
        ("case", [subject, own, ..]) => {
            let (_, labels) = own.as_tuple()?;
            Some((*subject, labels.iter().filter_map(name).collect()))
        }
        ("==" | "!=" | "&" | "strcmp" | "strncmp", [one, other, ..]) => {
            match (name(one), name(other)) {
                (None, Some(constant)) => Some((*one, vec![constant])),
                (Some(constant), None) => Some((*other, vec![constant])),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What is compared with the constants of an operation.
fn collect_subjects(expr: Expr, named: &dyn Fn(&str) -> bool, found: &mut Vec<Expr>) {
    match comparison(expr) {
        Some((subject, names)) => {
            let is_named = names.into_iter().any(named);
            found.extend(is_named.then_some(subject));
        }
        None => {
            let operands = expr.as_tuple().map_or(&[][..], |(_, operands)| operands);
            for one in operands {
                collect_subjects(*one, named, found);
            }
        }
    }
}

/// Whether a condition holds where what the `subjects` are is what the operation names; None where
/// that does not tell.
fn truth(expr: Expr, named: &dyn Fn(&str) -> bool, subjects: &[Expr]) -> Option<bool> {
    let (head, operands) = expr.as_tuple()?;
    if let Some((subject, names)) = comparison(expr) {
        let is_named = names.into_iter().any(named);
        // Another flag may be there too.
        let is_known = is_named || head != "&" && subjects.contains(&subject);
        let differs = matches!(head, "!=" | "strcmp" | "strncmp");
        return is_known.then_some(is_named != differs);
    }
    let mut all = operands.iter().map(|one| truth(*one, named, subjects));
    match head {
        "!" => all.next()?.map(|one| !one),
        "&&" if all.clone().any(|one| one == Some(false)) => Some(false),
        "&&" => all.all(|one| one == Some(true)).then_some(true),
        "||" if all.clone().any(|one| one == Some(true)) => Some(true),
        "||" => all.all(|one| one == Some(false)).then_some(false),
        _ => None,
    }
}
