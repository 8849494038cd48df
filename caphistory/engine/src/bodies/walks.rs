//! Calls through a pointer that choose nothing: all that is registered is called, one after the
//! other.

use crate::places::Places;
use crate::tree::{Field, Kind, Node};

/// In the names of the macros that walk a list whose entries are structs.
const WALKING: &str = "for_each_entry";

/// Whether a call through a pointer is one of those that together call all that is registered: the
/// static calls of one hook (since 6.12), or that of a member of every entry of a list outside
/// functions, where it is the first thing that is done for each:
/// `hlist_for_each_entry(P, &security_hook_heads.FUNC, list) { RC = P->hook.FUNC(…); … }` (4.2 to
/// 6.11).
pub fn calls_all(call: Node, places: &Places<'_>) -> bool {
    let Some(function) = call.field(Field::Function) else {
        return false;
    };
    places.static_hook(function).is_some() || calls_every_entry(call, function, places)
}

fn calls_every_entry(call: Node, function: Node, places: &Places<'_>) -> bool {
    entry(function, places).is_some_and(|entry| {
        let walked = body_of(call).and_then(|body| walk_over(body, places));
        walked.is_some_and(|walked| places.text(entry) == places.text(walked))
    })
}

/// The `P` of `P->hook.FUNC`: a member of a table that an entry points to is another matter.
fn entry<'t>(mut node: Node<'t>, places: &Places<'_>) -> Option<Node<'t>> {
    while node.kind() == Kind::FieldExpression {
        let base = node.field(Field::Argument)?;
        let direct = base.kind() == Kind::Identifier;
        if !direct && node.field(Field::Operator)?.bytes(places.code) == b"->" {
            return None;
        }
        node = base;
    }
    (node.kind() == Kind::Identifier).then_some(node)
}

/// What may be the body of a loop that makes a call first and in any case: the statement that makes
/// it, or the block that begins with that.
fn body_of(call: Node) -> Option<Node> {
    let mut node = call;
    while !matches!(
        node.kind(),
        Kind::ExpressionStatement | Kind::ReturnStatement | Kind::Declaration | Kind::IfStatement
    ) {
        let parent = node.parent()?;
        let chooses = match parent.kind() {
            Kind::ConditionalExpression | Kind::CompoundStatement => true,
            Kind::BinaryExpression => {
                let operator = parent.field(Field::Operator)?.kind();
                matches!(operator, Kind::AndAnd | Kind::OrOr)
            }
            _ => false,
        };
        if chooses {
            return None;
        }
        node = parent;
    }
    let block = node
        .parent()
        .filter(|parent| parent.kind() == Kind::CompoundStatement)?;
    let mut statements = block.named_children();
    let first = statements.find(|one| one.kind() != Kind::Comment)?;
    Some(if first.start() == node.start() {
        block
    } else {
        node
    })
}

/// The variable that walks a list outside functions with this statement as the body of the loop.
fn walk_over<'t>(body: Node<'t>, places: &Places<'_>) -> Option<Node<'t>> {
    let head = body.previous()?.first_named()?;
    let name = head
        .field(Field::Function)
        .filter(|_| head.kind() == Kind::CallExpression)?;
    if !places.text(name).contains(WALKING) {
        return None;
    }
    let mut given = head.field(Field::Arguments)?.named_children();
    let (variable, list) = (given.next()?, given.next()?);
    let is_outside = places.place(list).starts_with(':');
    is_outside.then_some(variable)
}
