//! To which objects variables point, and which of their members are set for sure.

use super::BodyReader;
use crate::guards;
use crate::intern::{Expr, Sym};
use crate::lexer::is_word;
use crate::tree::{Field, Kind, Node};
use crate::user_data;

/// What is open: the kernel keeps some for itself (the one that acct(2) was given).
const FILE: &str = "struct file";

/// Whether an expression may name a place as it is.
fn is_place(value: Node<'_>) -> bool {
    matches!(
        value.kind(),
        Kind::Identifier | Kind::FieldExpression | Kind::SubscriptExpression
    )
}

impl<'t, 'c, 'a> BodyReader<'t, 'c, 'a> {
    /// The object that a pointer is set to: `("made", "@f", …)` of a call, the variable that points
    /// to it, 0 of none.
    pub(super) fn object(&self, value: Node<'t>) -> Expr {
        let mut value = value;
        while matches!(
            value.kind(),
            Kind::ParenthesizedExpression | Kind::CastExpression
        ) && let Some(inner) = value.field(Field::Value).or_else(|| value.last_named())
        {
            value = inner;
        }
        let function = value.field(Field::Function);
        let arguments = value.field(Field::Arguments);
        match (value.kind(), function.zip(arguments)) {
            (Kind::Identifier, _) if self.is_object(&value.text(self.code)) => {
                self.expression(value)
            }
            (Kind::Null, _) => Expr::text("0"),
            (Kind::CallExpression, Some((function, arguments)))
                if function.kind() == Kind::Identifier =>
            {
                let name = function.text(self.code);
                if user_data::is_error(&name) {
                    return Expr::text("0");
                }
                let mut made = vec![Expr::text(&format!("@{name}"))];
                let given = arguments
                    .named_children()
                    .filter(|one| one.kind() != Kind::Comment);
                made.extend(given.map(|one| self.expression(one)));
                Expr::tuple("made", &made)
            }
            _ => guards::unknown(),
        }
    }

    /// What a variable is set to: `("kept", ":acct_file")` of a file that stands in a place outside
    /// functions, else the object that it points to.
    pub(super) fn object_for(&self, name: &str, value: Node<'t>) -> Expr {
        let is_file = self.type_of(name).text() == FILE;
        let place = Some(self.places.place(value)).filter(|_| is_file && is_place(value));
        match place.filter(|place| place.starts_with(':')) {
            Some(place) => Expr::tuple("kept", &[Expr::text(&place)]),
            None => self.object(value),
        }
    }

    /// Whether a local variable is a struct or points to one.
    pub(super) fn is_object(&self, name: &str) -> bool {
        let local = self.places.locals.get(name);
        local.is_some_and(|one| !one.function && one.type_.text().starts_with("struct "))
    }

    /// Takes down to which object a variable is set, and that a member is set for sure.
    pub(super) fn set_object(
        &mut self,
        node: Node<'t>,
        target: Node<'t>,
        value: Option<Node<'t>>,
        sure: bool,
    ) {
        let place = self.expression(target);
        let Some(place) = place.as_sym().filter(|one| one.text().starts_with('$')) else {
            return;
        };
        if place.text().contains('>') {
            if sure {
                self.settle(node, place);
            }
        } else if self.is_object(&place.text()[1..]) {
            let object = value.map_or_else(guards::unknown, |value| {
                self.object_for(&place.text()[1..], value)
            });
            self.add_object(node, place, object);
        }
    }

    /// Takes down that a struct is set as a whole, unless the function may have returned before.
    pub(super) fn settle_members(&mut self, node: Node<'t>, variable: Sym) {
        self.settle(node, Sym::new(&format!("{}>*", variable.text())));
    }

    fn settle(&mut self, node: Node<'t>, place: Sym) {
        if !self.returned {
            let sure = Sym::new(&format!("{}!", place.text()));
            let line = Expr::text(&self.row(node).to_string());
            self.add_object(node, sure, line);
        }
    }

    pub(super) fn add_object(&mut self, node: Node<'t>, place: Sym, value: Expr) {
        let key = (self.offset(node), place.text());
        self.body.made.entry(key).or_insert((place, value));
    }

    /// Takes down which flags of a member stay for sure.
    pub(super) fn clear_flags(&mut self, node: Node<'t>, target: Node<'t>, flags: Node<'t>) {
        let place = self.expression(target);
        let place = place.as_sym().filter(|one| one.text().contains('>'));
        if let Some(place) = place.filter(|one| one.text().starts_with('$')) {
            let sure = Sym::new(&format!("{}&!", place.text()));
            let flags = self.expression(flags);
            self.add_object(node, sure, flags);
        }
    }

    /// Whether a value that is returned is an error: NULL, -EPERM, ERR_PTR(…), or what was tested
    /// right before.
    pub(super) fn is_failing(&self, value: Node<'t>) -> bool {
        match value.kind() {
            Kind::Null => true,
            Kind::UnaryExpression | Kind::NumberLiteral => {
                self.code.get(value.start()) == Some(&b'-')
            }
            Kind::CallExpression => {
                let function = value.field(Field::Function);
                function.is_some_and(|one| user_data::is_error(&one.text(self.code)))
            }
            Kind::Identifier => self.under.last().is_some_and(|guard| {
                let within = guard.start <= value.start() && value.end() <= guard.end;
                let condition = guard.condition.bytes(self.code);
                let mut words = condition.split(|&byte| !is_word(byte));
                within && words.any(|word| word == value.bytes(self.code))
            }),
            _ => false,
        }
    }
}
