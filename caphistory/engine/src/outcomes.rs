//! What a function does about what a call in it returns, read from the syntax around the call.
//!
//! A call is assumed to give 0, 1 or an error, and the code behind it is run with that, as far as
//! its text tells: an error variable, a goto and a negation are followed; a condition that does not
//! rest on the call is taken to let the call decide.
//!
//! In goes the syntax tree of a function (`Flow`) and a call in it, out comes its `Outcome`. The
//! parts use each other in this order: `statements`, `branches`, `answers`, `expressions`, `run`,
//! `flow`, then what looks at the text alone: `values`, `errors`, `assignments`, `control_flow`.

mod answers;
mod assignments;
mod branches;
mod control_flow;
mod errors;
mod expressions;
mod flow;
mod run;
mod statements;
mod values;

pub(crate) use assignments::each_set;
use control_flow::statement_of;
pub(crate) use control_flow::{each_before, is_leaving, leaves};
pub(crate) use errors::{EXHAUSTED, refusals};
pub use flow::Flow;
use run::Run;
use values::converted;

use crate::effects::{Given, Outcome};
use crate::tree::{Kind, Node};

/// Whether a node stands behind the `&&` of an expression.
fn is_last_of_all<'t>(above: Node<'t>, node: Node<'t>) -> bool {
    let sides = above.sides();
    sides.is_some_and(|(sign, _, right)| sign == Kind::AndAnd && right == node)
}

impl<'t> Flow<'t, '_> {
    /// What the function does if an expression in it, a call or a uid, gives this.
    pub fn outcome(&self, call: Node<'t>, given: Given) -> Outcome {
        let Some(statement) = statement_of(call) else {
            return Outcome::Unknown;
        };
        let is_error = matches!(given, Given::Error | Given::Left);
        let is_whole = self
            .whole
            .is_some_and(|whole| statement.end() >= whole.end());
        if statement.kind() == Kind::ExpressionStatement
            && statement.first_named() == Some(call)
            && !(is_whole && self.whole == Some(call))
            && (!is_error || self.reason(call).is_none())
        {
            return Outcome::GoesOn;
        }
        let mut run = Run::new(self, call, statement, given);
        run.follow(statement, Vec::new(), false, None)
            .unwrap_or(Outcome::GoesOn)
    }

    /// What running a statement comes to by itself; None where it is left behind.
    pub fn left(&self, statement: Node<'t>, call: Node<'t>) -> Option<Outcome> {
        let mut run = Run::new(self, call, statement, Given::False);
        run.made = true;
        run.follow(statement, Vec::new(), true, Some(statement))
    }

    /// The ifs behind a call that gives 0 which are passed by on the way to its outcome, and those
    /// whose own refusal that is.
    pub fn passed_by(&self, call: Node<'t>) -> [Vec<Node<'t>>; 2] {
        let Some(statement) = statement_of(call) else {
            return [vec![], vec![]];
        };
        let mut run = Run::new(self, call, statement, Given::False);
        run.follow(statement, Vec::new(), false, None);
        [run.passed, run.denying]
    }

    /// Whether a call that gives 0 decides alone about the error that the function returns: not in
    /// "if (!f() && a)", nor where an if within what it decides about refuses.
    pub fn decides_alone(&self, call: Node<'t>) -> bool {
        let mut node = call;
        while let Some(above) = node.parent() {
            match above.kind() {
                Kind::ParenthesizedExpression | Kind::UnaryExpression | Kind::ArgumentList => {}
                Kind::CallExpression if converted(above, self.code).is_some() => {}
                // What stands before an && is a condition under which the call is made.
                Kind::BinaryExpression if is_last_of_all(above, node) => {}
                Kind::IfStatement => {
                    let [_, denying] = self.passed_by(call);
                    return denying.is_empty();
                }
                _ => return false,
            }
            node = above;
        }
        false
    }
}
