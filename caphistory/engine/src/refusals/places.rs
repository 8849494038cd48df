//! Whose privilege a check asks for, and where: in goes a call of a check, or one of the chain above
//! it, out come the places of whoever is asked about and of the user namespace, and what they mean.

use super::{DEEPEST, Refusals, is_part};
use crate::checks::{Meaning, Site};
use crate::facts::Call;
use crate::intern::Sym;
use crate::meaning::{Namespace, Subject};
use crate::names::DefId;
use crate::notation::base;

/// Whom a check asks about, and in which user namespace: places (see `facts`) in the function that
/// asks. An empty one is the caller, or no namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Places {
    pub(super) whose: Sym,
    pub(super) namespace: Sym,
}

impl Refusals<'_, '_, '_, '_> {
    /// Whom a call of a check asks about, and in which namespace.
    pub(super) fn places(
        &self,
        call: &Call,
        caller: DefId,
        meaning: &Meaning,
        depth: u32,
    ) -> Places {
        let program = self.view.program;
        let argument = |at: usize| call.arguments.get().get(at).copied().unwrap_or_default();
        match call.target.text() {
            "suser" | "fsuser" => return Places::default(),
            "capable" => {
                return Places {
                    whose: Sym::default(),
                    namespace: Sym::new(":init_user_ns"),
                };
            }
            "ns_capable" => {
                return Places {
                    whose: Sym::default(),
                    namespace: argument(0),
                };
            }
            "cap_raised" => {
                return Places {
                    whose: argument(0),
                    namespace: Sym::default(),
                };
            }
            _ => {}
        }
        let targets = self.view.resolve(call.target, program[caller].path);
        if call.target.text() == "security_capable" {
            let position = |names: &[&str]| {
                targets.iter().find_map(|one| {
                    let parameters = program[*one].fact.parameters();
                    parameters
                        .into_iter()
                        .position(|name| names.contains(&name.text()))
                })
            };
            let whose = position(&["cred", "tsk"]).map_or(Sym::new(":current"), argument);
            let namespace = position(&["ns", "target_ns", "targ_ns"]);
            return Places {
                whose,
                namespace: namespace.map_or(Sym::new(":init_user_ns"), argument),
            };
        }
        let mut found = Vec::new();
        if depth < DEEPEST {
            for target in targets.iter().filter(|one| self.checks.is_check(**one)) {
                for inner in program[*target].fact.calls() {
                    let meanings = self.checks.meanings(inner, *target);
                    if meanings.iter().any(|one| is_part(one, meaning)) {
                        let places = self.places(inner, *target, meaning, depth + 1);
                        found.push(Places {
                            whose: self.handed(places.whose, *target, call),
                            namespace: self.handed(places.namespace, *target, call),
                        });
                    }
                }
            }
        }
        // cap_capable, a security module's own, looks at the sets of what it is handed.
        let typed = |type_: &str| {
            targets.iter().find_map(|one| {
                let parameters = &program[*one].fact.function()?.parameters;
                let at = parameters
                    .iter()
                    .position(|one| one.type_.text() == type_)?;
                self.checks.is_check(*one).then(|| argument(at))
            })
        };
        // netlink_ns_capable asks about whoever opened the socket and about the sender: what the
        // caller lacks is what a caller can know.
        let of_caller = |one: &&Places| subject(one.whose) == Subject::Caller;
        let chosen = found.iter().find(of_caller).or(found.first());
        let read = chosen.copied().unwrap_or_default();
        Places {
            whose: typed("struct cred").unwrap_or(read.whose),
            namespace: typed("struct user_namespace").unwrap_or(read.namespace),
        }
    }

    /// A place of a callee's as the call hands it over; as it is, if it is no parameter of it.
    pub(super) fn handed(&self, place: Sym, callee: DefId, call: &Call) -> Sym {
        let text = place.text();
        let fact = self.view.program[callee].fact;
        // "=__task_cred(t)"
        let written = text
            .strip_prefix("=__task_cred(")
            .and_then(|rest| rest.strip_suffix(')'));
        let name = match (text.strip_prefix('$'), written) {
            (Some(rest), _) => base(rest),
            (None, Some(name)) => name,
            (None, None) => return place,
        };
        let position = fact.parameters().position(|one| one.text() == name);
        let Some(handed) = position.and_then(|at| call.arguments.get().get(at)) else {
            return place;
        };
        match (written, handed.text()) {
            (_, ":current") => Sym::default(),
            (Some(_), other) => match other.strip_prefix('$') {
                Some(variable) => Sym::new(&format!("=__task_cred({variable})")),
                None => Sym::new("=__task_cred(?)"),
            },
            (None, "") => Sym::new("?"),
            (None, other) if text.len() == name.len() + 1 => Sym::new(other),
            (None, other) => Sym::new(&format!("{other}{}", &text[name.len() + 1..])),
        }
    }

    pub(super) fn namespace(&self, site: &Site, place: Sym) -> Option<Namespace> {
        if !self.namespaces || site.check.capability.is_none() && site.check.argument.is_none() {
            return None;
        }
        Some(if place.text().contains("init_user_ns") {
            Namespace::Init
        } else {
            Namespace::Owner
        })
    }
}

/// Whose privilege is asked for at a place.
pub(super) fn subject(place: Sym) -> Subject {
    let text = place.text();
    if text.contains("f_cred") {
        Subject::Opener
    } else if matches!(text, "" | "?") || text.contains("current") {
        Subject::Caller
    } else if text.starts_with("struct cred>") || text.contains("NETLINK_C") {
        // Its own credentials that it makes anew (from 2.6.29 on); what netlink took down of the
        // sender.
        Subject::Caller
    } else {
        Subject::Other
    }
}
