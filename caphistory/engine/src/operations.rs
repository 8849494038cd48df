//! What a caller asks a syscall to do, as far as named constants select the way to a check.
//!
//! A *label* is a name that the user gives: a constant with which an argument is compared
//! (`cmd == X`, `case X`, `flags & X`), or that under which what is called is registered. A *way*
//! is a list of labels that all must be given; an *operation* the labels on a whole chain,
//! outermost first.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::call_graph::Edge;
use crate::guards::{STAYING, leaves, names};
use crate::intern::{Expr, ExprList, Sym, SymList};
use crate::lexer::is_upper;
use crate::names::DefId;
use crate::values::{Known, User, Value, bits, chosen_by_mode, parts, user_of, value_of};

/// A name that the user gives. Where it is all that an argument of the syscall says, or what a
/// function of it gives, `exact` tells which: that has no other value then. `number` is the
/// constant's, where it is known. With `not` it is one that the user does not give.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Label {
    name: Sym,
    exact: Option<u64>,
    number: Option<i128>,
    not: bool,
}

impl Label {
    /// The name of what is called.
    pub fn registered(name: Sym) -> Label {
        Label {
            name,
            exact: None,
            number: None,
            not: false,
        }
    }

    /// The operation of the open file that is called: a file that names what is shown has some of
    /// them (see `open_files`). It is none that the user gives, and not told.
    pub fn of_file(operation: DefId) -> Label {
        Label {
            exact: Some(OF_FILE),
            number: Some(operation.0.into()),
            ..Label::registered(Sym::default())
        }
    }

    /// The operation of a file that the kernel keeps for itself: what is called there by the name of
    /// a file is none that the user names. It is not told either.
    pub fn of_kept_file() -> Label {
        Label {
            exact: Some(OF_KEPT_FILE),
            number: Some(0),
            ..Label::registered(Sym::default())
        }
    }

    /// The number that an argument of the syscall, which is told by a number too, has where the user
    /// gives the name.
    pub fn value(&self) -> Option<(u64, i128)> {
        let (argument, number) = (self.exact?, self.number?);
        (!self.not && self.is_told()).then_some((argument, number))
    }

    fn is_told(&self) -> bool {
        !matches!(self.exact, Some(OF_FILE | OF_KEPT_FILE))
    }

    /// What it names, where that is an object: a file by its path, or a family of sockets. Nobody
    /// asks for two at once: of a driver that hands on to another one (misc, mem, sound) the last is
    /// the one that was opened.
    fn object(&self) -> Option<&'static str> {
        let name = self.name.text();
        let begun = ["/", "PF_", "AF_"];
        let found = begun.iter().position(|begin| name.starts_with(begin))?;
        Some(if found == 0 { FILE_OBJECT } else { FAMILY })
    }

    fn is_same(&self, other: &Label) -> bool {
        let known = self.number.is_some() && self.number == other.number;
        self.name == other.name && self.is_told() && other.is_told()
            || self.exact.is_some() && self.exact == other.exact && known
    }

    /// Whether no argument can be both.
    fn excludes(&self, other: &Label) -> bool {
        let one_subject = self.exact.is_some() && self.exact == other.exact;
        one_subject
            && match (self.not, other.not) {
                (false, false) => !self.is_same(other),
                (true, true) => false,
                _ => self.is_same(other),
            }
    }
}

/// The subjects of labels of open files, which no argument of a syscall is.
const OF_FILE: u64 = u64::MAX;
const OF_KEPT_FILE: u64 = u64::MAX - 1;

/// What a label names that is a path, and one that is a family of sockets.
const FILE_OBJECT: &str = "file";
const FAMILY: &str = "family";

/// Labels that all must be given, outermost first; none where everything leads there.
pub type Way = Rc<[Label]>;

/// The labels any one of which selects the callee of a step, beyond the guards of the step: names
/// under which handlers are registered. None where it is not selected by name.
pub type Registered<'a> = &'a dyn Fn(&Edge) -> SymList;

/// Labels within one operation, beside a family of sockets: in 6.8 no more than 3 are ever of use
/// (`SOL_IP/IP_ADD_MEMBERSHIP`, `NETLINK_ROUTE/RTM_NEWLINK`,
/// `PF_INET6/SOL_IPV6/IPV6_PKTOPTIONS/IPV6_HOPOPTS`).
const MOST_LABELS: u8 = 3;
/// Ways to one call or check; with more of them the innermost conditions are left out.
const MOST_WAYS: usize = 200;
/// Of so many flags together one says which are meant: O_TMPFILE has two.
const MANY_FLAGS: u32 = 4;
/// The modes of open, from 0 on.
const MODES: [&str; 3] = ["O_RDONLY", "O_WRONLY", "O_RDWR"];
/// Words in capitals that name nothing to ask for.
const NO_LABELS: [&str; 3] = ["TRUE", "FALSE", "NULL"];
/// Parts of the names of constants that all calls must give, whatever they ask for
/// (`LINUX_REBOOT_MAGIC1`, `MS_MGC_VAL`, `_LINUX_CAPABILITY_VERSION_3`, `NFSCTL_VERSION`).
const FORMATS: [&str; 4] = ["_MAGIC", "_MGC_", "_CAPABILITY_VERSION", "CTL_VERSION"];

// The labels of conditions.

/// The ways on which all conditions hold; none if they exclude one another.
pub fn ways(guards: ExprList, known: &dyn Known) -> Vec<Way> {
    let mut found = vec![Way::default()];
    for guard in guards.get() {
        let more = labels(*guard, true, known);
        if found.len() * more.len() <= MOST_WAYS {
            found = both(&found, &more);
        }
    }
    found
}

/// The ways on which a condition has this outcome.
fn labels(expr: Expr, truth: bool, known: &dyn Known) -> Vec<Way> {
    let everything = || vec![Way::default()];
    let (head, operands) = match parts(expr) {
        Err(parts) => parts,
        Ok(_) => return everything(),
    };
    let inner = |at: usize, truth: bool| {
        let operand = operands.get(at);
        operand.map_or_else(everything, |one| labels(*one, truth, known))
    };
    let zero = Expr::text("0");
    match (head, truth) {
        ("!", _) => inner(0, !truth),
        ("unless", _) => inner(0, truth),
        ("&&", true) | ("||", false) => both(&inner(0, truth), &inner(1, truth)),
        ("&&", false) | ("||", true) => either(&[inner(0, truth), inner(1, truth)]),
        ("==" | "!=", _) if operands.get(1) == Some(&zero) => inner(0, truth == (head == "!=")),
        ("==", _) | ("!=", _) => compared(operands, truth == (head == "=="), known),
        ("&", true) => flags(operands, known),
        ("case", true) => cases(operands, known),
        ("grow", true) => given(operands, known),
        // They are 0 where the strings are the same.
        ("strcmp" | "strncmp", false) => {
            compared(operands.get(..2).unwrap_or_default(), true, known)
        }
        _ => everything(),
    }
}

/// The ways on which a variable is not 0 that is given its values under conditions: `if (flags &
/// O_TRUNC) truncate = 1;`.
fn given(operands: &[Expr], known: &dyn Known) -> Vec<Way> {
    let everything = || vec![Way::default()];
    let is_zero = |value: Expr| value_of(value, known) == Some(Value::Int(0));
    let ways = |value: &Expr| match parts(*value) {
        Err(("plain", all)) if all.iter().all(|one| is_zero(*one)) => vec![],
        Err(("when" | "then", [_, value])) if is_zero(*value) => vec![],
        Err(("when" | "then", [guard, _])) => labels(*guard, true, known),
        _ => everything(),
    };
    let all: Vec<Vec<Way>> = operands.iter().map(ways).collect();
    if all.iter().all(Vec::is_empty) {
        return everything();
    }
    either(&all)
}

/// The ways on which two conditions hold, each with these ways.
pub fn both(one: &[Way], other: &[Way]) -> Vec<Way> {
    match (one, other) {
        ([only], _) if only.is_empty() => return other.to_vec(),
        (_, [only]) if only.is_empty() => return one.to_vec(),
        _ => {}
    }
    let mut found = Vec::with_capacity(one.len() * other.len());
    for first in one {
        for second in other {
            if first
                .iter()
                .any(|one| second.iter().any(|other| one.excludes(other)))
            {
                continue;
            }
            let is_new = |label: &&Label| !first.iter().any(|one| one.is_same(label));
            let all = first.iter().chain(second.iter().filter(is_new));
            found.push(all.copied().collect());
        }
    }
    found
}

/// The ways on which any one of some conditions holds.
pub fn either(all: &[Vec<Way>]) -> Vec<Way> {
    let mut found: Vec<Way> = Vec::new();
    for way in all.iter().flatten() {
        if way.is_empty() {
            return vec![Way::default()];
        }
        if !found.contains(way) {
            found.push(way.clone());
        }
    }
    found
}

/// The ways on which two things are `equal`, or are not.
fn compared(operands: &[Expr], equal: bool, known: &dyn Known) -> Vec<Way> {
    let [left, right] = operands else {
        return vec![Way::default()];
    };
    for (subject, constant) in [(left, right), (right, left)] {
        let all = constants(*constant);
        let user = user_of(value_of(*subject, known));
        match (&all[..], user) {
            ([], _) | (_, User::Nothing) => {}
            ([one], User::Argument(_)) if !equal => {
                let not = true;
                let label = label(*one, *constant, user, known);
                return vec![[Label { not, ..label }].into()];
            }
            _ if !equal => {}
            (_, User::Chosen(element)) if let Some(mode) = mode(element, *constant, known) => {
                return vec![[Label::registered(Sym::new(mode))].into()];
            }
            ([one], _) => return vec![[label(*one, *constant, user, known)].into()],
            _ => return vec![all.iter().map(|one| Label::registered(*one)).collect()],
        }
    }
    vec![Way::default()]
}

/// The mode of open that alone gives a number: MAY_READ is what O_RDONLY asks for. Up to 2.6.32 the
/// modes were counted up before ("\000\004\002\006").
fn mode(element: Expr, constant: Expr, known: &dyn Known) -> Option<&'static str> {
    let numbers = chosen_by_mode(element)?;
    let number = value_of(constant, known).filter(|one| matches!(one, Value::Int(_)))?;
    let is_zero = |one: &&Expr| **one == Expr::text("0");
    let numbers = &numbers[usize::from(numbers.first().as_ref().is_some_and(is_zero))..];
    let named = MODES.iter().zip(numbers);
    let mut same = named.filter(|(_, one)| value_of(**one, known) == Some(number));
    let (mode, _) = same.next()?;
    same.next().is_none().then_some(mode)
}

fn flags(operands: &[Expr], known: &dyn Known) -> Vec<Way> {
    let [left, right] = operands else {
        return vec![Way::default()];
    };
    for (subject, mask) in [(left, right), (right, left)] {
        let all = constants(*mask);
        if !all.is_empty()
            && !is_mask(*mask, known)
            && user_of(value_of(*subject, known)) != User::Nothing
        {
            let allowed = bits(value_of(*subject, known)).may;
            let (possible, none) = all
                .iter()
                .partition(|one| may_be_set(**one, allowed, known));
            let left: Vec<&Sym> = if Vec::is_empty(&possible) {
                none
            } else {
                possible
            };
            let way = |one: &Sym| -> Way { [Label::registered(*one)].into() };
            return left.into_iter().map(way).collect();
        }
    }
    vec![Way::default()]
}

/// Whether a flag is one of the bits that something may have: clone() takes CSIGNAL away, and
/// CLONE_NEWTIME is one of its bits (5.6).
fn may_be_set(flag: Sym, allowed: i128, known: &dyn Known) -> bool {
    let flag = Expr::text(&format!(":{}", flag.text()));
    bits(value_of(flag, known)).may & allowed != 0
}

/// Whether one name stands for so many flags that it names nothing to ask for: `ALL_EVENTS`.
fn is_mask(expr: Expr, known: &dyn Known) -> bool {
    parts(expr).is_ok() && bits(value_of(expr, known)).must.count_ones() >= MANY_FLAGS
}

fn cases(operands: &[Expr], known: &dyn Known) -> Vec<Way> {
    let own = operands.get(1).and_then(|own| parts(*own).err());
    let (Some(subject), Some((head, own))) = (operands.first(), own) else {
        return vec![Way::default()];
    };
    let user = user_of(value_of(*subject, known));
    // A switch that only says which bits are allowed selects nothing of what stands behind it.
    let allows = head == STAYING && parts(*subject).is_err_and(|(operator, _)| operator == "&");
    if user == User::Nothing || allows {
        return vec![Way::default()];
    }
    let way = |one: &Expr| {
        let name = case_name(*one);
        let way = name.map(|name| [label(name, *one, user, known)].into());
        vec![way.unwrap_or_default()]
    };
    // 0 is what is asked for by a name beside it: "case 0: case S_IFREG:".
    let zero = Expr::text("0");
    let named = own.iter().any(|one| case_name(*one).is_some());
    let asked = own.iter().filter(|one| !named || **one != zero);
    let all: Vec<Vec<Way>> = asked.map(way).collect();
    either(&all)
}

/// The name of a case's label: `X`, `X+1`.
fn case_name(label: Expr) -> Option<Sym> {
    let name = match parts(label) {
        Ok(name) => name.text().strip_prefix(':')?.to_owned(),
        Err(("+", [base, number])) => {
            let (base, number) = (parts(*base).ok()?, parts(*number).ok()?);
            format!("{}+{}", base.text().strip_prefix(':')?, number.text())
        }
        Err(_) => return None,
    };
    is_request(&name).then(|| Sym::new(&name))
}

fn label(name: Sym, constant: Expr, user: User, known: &dyn Known) -> Label {
    let exact = match user {
        User::Argument(number) => Some(number),
        _ => None,
    };
    let number = match value_of(constant, known) {
        Some(Value::Int(number)) => Some(number),
        _ => None,
    };
    Label {
        exact,
        number,
        ..Label::registered(name)
    }
}

fn is_request(name: &str) -> bool {
    !NO_LABELS.contains(&name) && !FORMATS.iter().any(|part| name.contains(part))
}

/// The named constants of which an expression is made by `|`; none if a part of it has no name.
fn constants(expr: Expr) -> Vec<Sym> {
    match parts(expr) {
        Ok(text) => {
            let name = text.text().strip_prefix(':').unwrap_or_default();
            let named = is_upper(name) && is_request(name);
            if named {
                vec![Sym::new(name)]
            } else {
                Vec::new()
            }
        }
        Err(("|", [left, right])) => {
            let (mut found, more) = (constants(*left), constants(*right));
            if found.is_empty() || more.is_empty() {
                return Vec::new();
            }
            found.extend(more);
            found
        }
        Err(("<<", [one, shift])) if *one == Expr::text("1") => constants(*shift),
        Err(_) => Vec::new(),
    }
}

/// What of a condition is compared with named constants: `$x`, `$x>m`.
pub fn selectors(expr: Expr) -> Vec<Sym> {
    let mut found = Vec::new();
    collect(expr, &mut found);
    found
}

fn collect(expr: Expr, found: &mut Vec<Sym>) {
    let Err((head, operands)) = parts(expr) else {
        return;
    };
    match head {
        "==" | "!=" | "&" | "strcmp" | "strncmp"
            if operands.iter().any(|side| !constants(*side).is_empty()) =>
        {
            found.extend(leaves(expr));
        }
        "case" => {
            let named = operands.get(1).is_some_and(|own| !names(*own).is_empty());
            if named && let Some(subject) = operands.first() {
                found.extend(leaves(*subject));
            }
        }
        _ => {
            for operand in operands {
                collect(*operand, found);
            }
        }
    }
}

// Operations.

/// An operation, by number: equal ones of one `Operations` have equal numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct OperationId(u32);

/// No label at all.
pub const EVERYTHING: OperationId = OperationId(0);

struct Operation {
    before: OperationId,
    /// None says that so many labels follow that none is told.
    label: Option<Label>,
    labels: u8,
}

/// Operations; each is another one with a label behind it.
pub struct Operations {
    all: Vec<Operation>,
    numbers: FxHashMap<(OperationId, Option<Label>), OperationId>,
}

impl Default for Operations {
    fn default() -> Self {
        let nothing = Operation {
            before: EVERYTHING,
            label: Some(Label::registered(Sym::default())),
            labels: 0,
        };
        Operations {
            all: vec![nothing],
            numbers: FxHashMap::default(),
        }
    }
}

impl Operations {
    fn get(&self, operation: OperationId) -> &Operation {
        &self.all[operation.0 as usize]
    }

    fn longer(&mut self, before: OperationId, label: Option<Label>) -> OperationId {
        let next = OperationId(self.all.len() as u32);
        let found = *self.numbers.entry((before, label)).or_insert(next);
        if found == next {
            let more = label.is_some_and(|label| label.is_told());
            let labels = self.get(before).labels + u8::from(more);
            self.all.push(Operation {
                before,
                label,
                labels,
            });
        }
        found
    }

    /// An operation whose caller gives these labels too; None if one excludes another. Labels that
    /// it has, and those beyond the most, add nothing.
    pub fn with(&mut self, operation: OperationId, way: &Way) -> Option<OperationId> {
        let mut found = operation;
        for label in way.iter() {
            let known = || self.begin(found).filter_map(|one| self.get(one).label);
            if known().any(|one| one.excludes(label)) {
                return None;
            }
            let object = label.object();
            let is_path = object == Some(FILE_OBJECT);
            if label.not || is_path && self.is_of_kept_file(found) {
                continue;
            }
            let other = |one: Label| object.is_some() && one.object() == object;
            if known().any(|one| other(one) && !one.is_same(label)) {
                found = self.without(found, object);
            }
            let known = || self.begin(found).filter_map(|one| self.get(one).label);
            let families = known().filter(|one| one.object() == Some(FAMILY)).count();
            let most = usize::from(self.labels(found)) >= usize::from(MOST_LABELS) + families;
            let most = most && label.is_told();
            let full = self.is_any(found) || most;
            if !full && !known().any(|one| one.is_same(label)) {
                found = self.longer(found, Some(*label));
            }
        }
        Some(found)
    }

    /// An operation without the object of this kind that it names.
    fn without(&mut self, operation: OperationId, object: Option<&str>) -> OperationId {
        let all: Vec<OperationId> = self.begin(operation).collect();
        let labels: Vec<Option<Label>> = all.iter().map(|one| self.get(*one).label).collect();
        let kept = labels.iter().rev().skip(1);
        let kept = kept.filter(|label| !label.is_some_and(|label| label.object() == object));
        kept.fold(EVERYTHING, |before, label| self.longer(before, *label))
    }

    /// The number of the operation of an open file that is called (see `Label::of_file`).
    pub fn file(&self, operation: OperationId) -> Option<i128> {
        let mut labels = self.begin(operation).filter_map(|one| self.get(one).label);
        let of_file = labels.find(|label| !label.is_told());
        of_file.and_then(|label| label.number)
    }

    /// Whether it is by an operation of a file that the kernel keeps for itself.
    pub fn is_of_kept_file(&self, operation: OperationId) -> bool {
        let mut labels = self.begin(operation).filter_map(|one| self.get(one).label);
        labels.any(|one| one == Label::of_kept_file())
    }

    /// An operation as it is told, whatever its labels are compared with.
    pub fn told(&mut self, operation: OperationId) -> OperationId {
        let all: Vec<OperationId> = self.begin(operation).collect();
        let labels = all.iter().rev().skip(1).map(|one| self.get(*one).label);
        let told = labels.filter(|label| label.is_none_or(|label| label.is_told()));
        let labels: Vec<Option<Label>> = told.collect();
        labels.iter().fold(EVERYTHING, |before, label| {
            self.longer(before, label.map(|label| Label::registered(label.name)))
        })
    }

    /// Any of the operations that begin with this one.
    pub fn any(&mut self, operation: OperationId) -> OperationId {
        self.longer(operation, None)
    }

    /// Whether it is `any` of some.
    pub fn is_any(&self, operation: OperationId) -> bool {
        self.get(operation).label.is_none()
    }

    /// An operation without its last label.
    pub fn before(&self, operation: OperationId) -> OperationId {
        self.get(operation).before
    }

    /// `any` of an operation, if there is such.
    pub fn known_any(&self, operation: OperationId) -> Option<OperationId> {
        self.numbers.get(&(operation, None)).copied()
    }

    /// How many labels an operation has.
    pub fn labels(&self, operation: OperationId) -> u8 {
        self.get(operation).labels
    }

    /// An operation, it without its last label, and so on, down to `EVERYTHING`.
    pub fn begin(&self, operation: OperationId) -> impl Iterator<Item = OperationId> {
        let mut next = Some(operation);
        std::iter::from_fn(move || {
            let found = next?;
            next = (found != EVERYTHING).then(|| self.get(found).before);
            Some(found)
        })
    }

    /// Whether whoever may do one operation by it may do the other: it begins with it.
    pub fn covers(&self, one: OperationId, other: OperationId) -> bool {
        let start = if self.is_any(one) {
            self.before(one)
        } else {
            one
        };
        self.begin(other).any(|each| each == start)
    }

    /// Whether one operation has fewer labels than another, and that has them all.
    pub fn is_part(&self, one: OperationId, other: OperationId) -> bool {
        let names = |operation| {
            let all = self.begin(operation).filter(|one| *one != EVERYTHING);
            all.filter_map(|one| self.get(one).label.map(|label| label.name))
        };
        let fewer = self.labels(one) < self.labels(other);
        fewer && names(one).all(|name| names(other).any(|other| other == name))
    }

    /// As it is told: `PR_SET_MM/PR_SET_MM_MAP`.
    pub fn text(&self, operation: OperationId) -> Sym {
        let all = self.begin(operation).filter(|one| *one != EVERYTHING);
        let mut labels: Vec<&str> = all
            .filter_map(|one| self.get(one).label.map(|label| label.name.text()))
            .collect();
        labels.reverse();
        Sym::new(&labels.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::of_user;

    fn ways_of(guard: Expr) -> Vec<String> {
        let known = |name: Sym| (name.text() == "$cmd").then_some(of_user(User::Argument(1)));
        let found = ways(ExprList::new(&[guard]), &known);
        let text = |way: &Way| {
            let shown = |label: &Label| {
                format!("{}{}", if label.not { "!" } else { "" }, label.name.text())
            };
            way.iter().map(shown).collect::<Vec<String>>().join("/")
        };
        found.iter().map(text).collect()
    }

    fn of(head: &str, operands: &[&str]) -> Expr {
        let operands: Vec<Expr> = operands.iter().map(|one| Expr::text(one)).collect();
        Expr::tuple(head, &operands)
    }

    #[test]
    fn a_comparison_with_a_named_constant_is_a_label() {
        assert_eq!(ways_of(of("==", &["$cmd", ":X"])), ["X"]);
        assert_eq!(ways_of(of("==", &["$cmd", "5"])), [""]);
        assert_eq!(ways_of(of("==", &["$other", ":X"])), [""]);
        assert_eq!(ways_of(of("!=", &["$cmd", ":X"])), ["!X"]);
        let not = Expr::tuple("!", &[of("!=", &["$cmd", ":X"])]);
        assert_eq!(ways_of(not), ["X"]);
    }

    #[test]
    fn tests_of_flags_are_labels() {
        let mask = of("|", &[":A", ":B"]);
        let tested = Expr::tuple("&", &[Expr::text("$cmd"), mask]);
        assert_eq!(ways_of(tested), ["A", "B"]);
        assert_eq!(
            ways_of(Expr::tuple("!=", &[tested, Expr::text("0")])),
            ["A", "B"]
        );
        assert_eq!(ways_of(Expr::tuple("==", &[tested, Expr::text("0")])), [""]);
        assert_eq!(ways_of(Expr::tuple("==", &[tested, mask])), ["A/B"]);
    }

    #[test]
    fn conditions_are_put_together() {
        let (x, y) = (of("==", &["$cmd", ":X"]), of("==", &["$cmd", ":Y"]));
        assert_eq!(ways_of(Expr::tuple("||", &[x, y])), ["X", "Y"]);
        assert_eq!(ways_of(Expr::tuple("||", &[x, Expr::text("?")])), [""]);
        assert_eq!(ways_of(Expr::tuple("&&", &[x, Expr::text("?")])), ["X"]);
        let neither = Expr::tuple("!", &[Expr::tuple("||", &[x, y])]);
        assert_eq!(ways_of(neither), ["!X/!Y"]);
        let other = Expr::tuple("&&", &[y, of("!=", &["$cmd", ":X"])]);
        assert_eq!(ways_of(other), ["Y/!X"]);
        let same = Expr::tuple("&&", &[x, of("!=", &["$cmd", ":X"])]);
        assert!(ways_of(same).is_empty());
        let labels = |names| of("labels", names);
        let case = |own| Expr::tuple("case", &[Expr::text("$cmd"), labels(own), labels(&[":X"])]);
        assert_eq!(ways_of(case(&[":X", ":Y"])), ["X", "Y"]);
        assert_eq!(ways_of(case(&[":X", "default"])), [""]);
    }

    #[test]
    fn a_family_takes_no_room_from_what_is_asked_of_its_sockets() {
        let mut all = Operations::default();
        let mut text = |names: &[&str]| {
            let label = |name: &&str| Label::registered(Sym::new(name));
            let way: Way = names.iter().map(label).collect();
            let found = all.with(EVERYTHING, &way).expect("an operation");
            all.text(found).text()
        };
        assert_eq!(text(&["A", "B", "C", "D"]), "A/B/C");
        assert_eq!(text(&["PF_A", "A", "B", "C", "D"]), "PF_A/A/B/C");
    }

    #[test]
    fn an_operation_covers_those_that_begin_with_it() {
        let mut all = Operations::default();
        let label = |name, exact| Label {
            exact,
            ..Label::registered(Sym::new(name))
        };
        let a = all.with(EVERYTHING, &[label("A", Some(1))].into());
        let a = a.expect("an operation");
        let ab = all.with(a, &[label("A", Some(1)), label("B", None)].into());
        let ab = ab.expect("an operation");
        assert_eq!(all.with(a, &[label("C", Some(1))].into()), None);
        let any = all.any(a);
        assert_eq!(all.text(ab).text(), "A/B");
        assert_eq!(all.text(any).text(), "A");
        assert!(all.covers(any, ab) && all.covers(EVERYTHING, a) && !all.covers(ab, a));
    }
}
