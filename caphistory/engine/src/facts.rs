//! What is read from one file: plain records.
//!
//! Lines inside an item count from 0 at the item's first line, so that an item whose text did
//! not change keeps its facts wherever it moves in its file.
//!
//! A *place* is a text that says where a value is kept, as far as one function's text tells. Its
//! first part is one of
//!
//! - `$name`: a parameter or local variable of the function itself
//! - `:name`: a name from outside the function (a global, a macro, a function)
//! - `name()`: what a call of `name` returns, with the places of the arguments between the
//!   parentheses (`name(struct sock/ops)`, see `notation`)
//! - `?`: nobody knows what
//! - `struct tag`: something of that type (also `union tag` or a typedef's name)
//!
//! and each further part, after a `>`, is a member (`struct sock>ops>bind` for `sock->ops->bind`
//! where `sock` is a `struct sock *`). Pointers and arrays are not told apart from what they
//! point to or hold: C's own types do that.

use std::sync::Arc;

use crate::effects::{Given, Outcome, OutcomeList};
use crate::file_kinds::Kinds;
use crate::intern::{Expr, ExprList, Sym, SymList};

/// A call in a function or macro body.
///
/// `target` is a bare name, or a place when the call goes through a pointer (`pointer`).
/// `arguments` holds for each argument a number, a place, or the empty text for anything else.
/// `conditional` is set under an if, a switch, a loop or on the right side of `&&`, `||` or `?`;
/// `refuses` where it is made wherever its `guards` hold, and an error is returned for no other
/// reason than that the call gives 0.
/// `outcomes` say what the function does about what the call gives, in the order of `Given` (see
/// `outcomes`; none for a jump, which returns what it leads to; no last one where the call leaves
/// no error); `instead` the other calls any one of which, if
/// true, does as well as this one (see `alternatives`). `case` is the label of the innermost `case` that has a name. `condition` is the preprocessor condition inside the item.
/// `guards` are conditions on parameters that all hold where it runs, `passes` the arguments,
/// both as `guards` has them. `tables` are the places from which a call through a pointer has the
/// table that it calls by, where the function itself took that table (see `TableFlow`), and `kinds`
/// those of which the file is that it is handed or returns, where the function goes on for no others. `creds` is the place of the credentials that the task
/// has put on meanwhile (`struct file>f_cred`), empty where it has its own. `every` is set where a
/// call through a pointer calls all that is registered, one after the other (see `bodies::walks`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Call {
    pub line: u32,
    pub target: Sym,
    pub arguments: SymList,
    pub outcomes: OutcomeList,
    pub instead: ExprList,
    pub case: Sym,
    pub condition: Sym,
    pub guards: ExprList,
    pub passes: ExprList,
    pub tables: SymList,
    pub kinds: Kinds,
    pub creds: Sym,
    pub pointer: bool,
    pub every: bool,
    pub conditional: bool,
    pub refuses: bool,
}

impl Call {
    /// What the function does if the call gives this.
    pub fn outcome(&self, given: Given) -> Outcome {
        let all = self.outcomes.get();
        let told = all.get(given as usize).or(all.first());
        told.copied().unwrap_or(Outcome::Same)
    }
}

/// A place where a uid of a task is compared with 0, or used as a truth value. `outcome` says what
/// the function does where it is not 0; `instead` is as in `Call`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct UidTest {
    pub line: u32,
    pub text: Sym,
    pub outcome: Outcome,
    pub instead: ExprList,
    pub condition: Sym,
    pub guards: ExprList,
    pub conditional: bool,
}

/// A value that may be a function goes from place `source` to place `target`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Flow {
    pub line: u32,
    pub target: Sym,
    pub source: Sym,
}

/// A pointer to a table of functions goes from place `source` to place `target`, or is returned
/// (`()`), only where a file is of one of these `kinds` (0 for whatever it is). Places begin with
/// the name of a parameter, not with its type, so that they can be told for a single call: `$tb>fops`.
/// A source is `?` where nobody can tell. So does a mount of the kernel's own go to the place that
/// keeps it, with its source as `bodies::mounts` has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TableFlow {
    pub target: Sym,
    pub source: Sym,
    pub kinds: Kinds,
}

/// A parameter, variable or member: its name and the type it has without qualifiers, pointers
/// and array bounds (empty where it cannot be told).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Parameter {
    pub name: Sym,
    pub type_: Sym,
}

/// A function definition. `name` is empty for statements outside any function; `line` is where
/// the name stands and `end` where the function ends; `returns` is a type as in `Parameter`;
/// `relays` names what the body returns if it only passes calls on (`return capable(…) ||
/// capable(…);`); `error` says that its syntax tree holds an error. `sets` are the values that
/// variables and their members are given (`$attr>ia_valid`); `variables` those local ones that
/// are handed to calls as they are; `refusals` the errors that the function gives by name, as far
/// as a missing privilege may (see `outcomes::refusals`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Function {
    pub name: Sym,
    pub line: u32,
    pub end: u32,
    pub is_static: bool,
    pub inline: bool,
    pub error: bool,
    pub parameters: Box<[Parameter]>,
    pub returns: Sym,
    pub calls: Box<[Call]>,
    pub uid_tests: Box<[UidTest]>,
    pub flows: Box<[Flow]>,
    pub tables: Box<[TableFlow]>,
    pub relays: SymList,
    pub sets: Box<[(Sym, Expr)]>,
    pub variables: Box<[Parameter]>,
    pub refusals: SymList,
}

/// A `#define`. `parameters` is None for an object-like macro; `alias` is the single name that
/// the body consists of and `place` the place that it denotes; `flows` and `stored` are what it
/// stores, where it is a statement, a braced list or a declaration of a variable. In all of them
/// `$name` is a parameter. `refusals` are as in `Function`, with the error that the macro is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Macro {
    pub name: Sym,
    pub parameters: Option<SymList>,
    pub calls: Box<[Call]>,
    pub uid_tests: Box<[UidTest]>,
    pub relays: SymList,
    pub alias: Sym,
    pub place: Sym,
    pub flows: Box<[Flow]>,
    pub stored: Box<[Stored]>,
    pub refusals: SymList,
}

/// A struct or union: `tag` as `struct sock`; members in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Struct {
    pub tag: Sym,
    pub members: Box<[Parameter]>,
}

/// A typedef of a type (not of a function pointer).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Typedef {
    pub name: Sym,
    pub type_: Sym,
}

/// A variable outside functions; `is_static` limits it to its file.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Variable {
    pub name: Sym,
    pub type_: Sym,
    pub is_static: bool,
    pub array: bool,
}

/// A name in an initialiser: in `variable` (a place) of `type_`, at `path` (a member's name, or
/// `#n` for the n-th place of a braced list), stands `source`: a name from outside
/// (`:inet_bind`) or the use of a macro (`CTL(:name,:handler)`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Stored {
    pub line: u32,
    pub variable: Sym,
    pub type_: Sym,
    pub path: SymList,
    pub source: Sym,
}

/// Labels that stand beside functions and objects: in one element of an initialiser, or among the
/// arguments of one call.
///
/// `holder` is the variable that is initialised (a place) or the call (`proc_create()`), `type_` the
/// variable's; `line` to `end` are the lines of the element. A label is a string or a named constant
/// with where it stands: the path to it as in `Stored`, its subscript (`[]`), or the number of the
/// argument: `procname="modprobe"`, `#1="nvram"`, `[]=RTM_NEWLINK`, `(0)="kallsyms"`;
/// `[#]=RTM_BASE+12` where an array whose length counts from a constant has the element in that
/// place; `=(0)="bus"` where the source is what the call returns, `(2)>="bus"` where the argument
/// is what another call with that label returned. `sources` are the names beside them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Naming {
    pub line: u32,
    pub end: u32,
    pub holder: Sym,
    pub type_: Sym,
    pub labels: SymList,
    pub sources: SymList,
}

/// What declarations tell, those in a function's body too.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Declared {
    pub structs: Box<[Struct]>,
    pub typedefs: Box<[Typedef]>,
    pub variables: Box<[Variable]>,
    pub stored: Box<[Stored]>,
    pub namings: Box<[Naming]>,
}

impl Declared {
    /// It in a box, None if there is nothing: half of all functions declare nothing of note.
    pub fn boxed(self) -> Option<Box<Declared>> {
        (self != Declared::default()).then(|| Box::new(self))
    }
}

/// The facts of one stretch of a file: a function, a declaration or a macro.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Item {
    pub function: Option<Box<Function>>,
    pub macro_: Option<Box<Macro>>,
    pub declared: Option<Box<Declared>>,
}

/// An item in a file: its first line (from 1) and its enclosing preprocessor condition.
#[derive(Clone, Debug)]
pub struct Placed {
    pub line: u32,
    pub condition: Sym,
    pub item: Arc<Item>,
}

/// How a check's name is mentioned: a parenthesis follows, in a prototype, or anything else,
/// such as a member of that name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum MentionKind {
    Call,
    Declaration,
    Name,
}

/// A macro that may be a constant, with its parameters in lower case: `body` is
/// empty where it is no expression that `constants::constant` reads, and `?` where that leaves its
/// arguments as they are. A function may stand here for what it returns (see `constants::returned`
/// and `lower_bounds`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Constant {
    pub name: Sym,
    pub parameters: SymList,
    pub body: Sym,
}

/// A name in a file's text: its line, and how it stands there.
pub type Mention = (u32, Sym, MentionKind);

/// The facts of one content of a file. `mentions` are the places where a check's name occurs
/// outside comments and strings, the lexical count; `called` those where any other name is called,
/// which may be a wrapper's. `includes` are the names of included files with the sign before them (`<asm/io.h`, `"hosts.h`); `required` are those that stand under no
/// preprocessor condition; `constants` the macros that may be constants, in order.
#[derive(Clone, Debug, Default)]
pub struct Blob {
    pub items: Box<[Placed]>,
    pub includes: SymList,
    pub required: SymList,
    pub mentions: Box<[Mention]>,
    pub called: Box<[Mention]>,
    pub constants: Box<[Constant]>,
}
