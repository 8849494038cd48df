//! Syntax trees as flat arrays: tree-sitter's own, copied once in one walk.
//!
//! What reads a tree asks for parents, fields and siblings all the time, each of which
//! tree-sitter answers with a walk of its own; here each is one step.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::LazyLock;

use tree_sitter::{Language, Parser, TreeCursor};

macro_rules! named {
    ($(#[$doc:meta])* $type:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        #[repr(u8)]
        pub enum $type {
            /// Any other.
            #[default]
            Other,
            $($variant,)*
        }

        impl $type {
            const ALL: &[($type, &str)] = &[$(($type::$variant, $text),)*];

            /// The name that the grammar gives it; empty for any other.
            pub fn text(self) -> &'static str {
                match self {
                    $type::Other => "",
                    $($type::$variant => $text,)*
                }
            }
        }
    };
}

named! {
    /// The kinds of nodes that something asks for.
    Kind {
        ArgumentList = "argument_list",
        ArrayDeclarator = "array_declarator",
        AssignmentExpression = "assignment_expression",
        BinaryExpression = "binary_expression",
        BreakStatement = "break_statement",
        CallExpression = "call_expression",
        CaseStatement = "case_statement",
        CastExpression = "cast_expression",
        CharLiteral = "char_literal",
        CommaExpression = "comma_expression",
        Comment = "comment",
        CompoundLiteralExpression = "compound_literal_expression",
        CompoundStatement = "compound_statement",
        ConcatenatedString = "concatenated_string",
        ConditionalExpression = "conditional_expression",
        ContinueStatement = "continue_statement",
        Declaration = "declaration",
        DoStatement = "do_statement",
        ElseClause = "else_clause",
        EnumSpecifier = "enum_specifier",
        ExpressionStatement = "expression_statement",
        FieldDeclaration = "field_declaration",
        FieldDeclarationList = "field_declaration_list",
        FieldDesignator = "field_designator",
        FieldExpression = "field_expression",
        FieldIdentifier = "field_identifier",
        ForStatement = "for_statement",
        FunctionDeclarator = "function_declarator",
        FunctionDefinition = "function_definition",
        GnuAsmOutputOperand = "gnu_asm_output_operand",
        GotoStatement = "goto_statement",
        Identifier = "identifier",
        IfStatement = "if_statement",
        InitDeclarator = "init_declarator",
        InitializerList = "initializer_list",
        InitializerPair = "initializer_pair",
        LabeledStatement = "labeled_statement",
        Null = "null",
        NumberLiteral = "number_literal",
        ParameterDeclaration = "parameter_declaration",
        ParameterList = "parameter_list",
        ParenthesizedDeclarator = "parenthesized_declarator",
        ParenthesizedExpression = "parenthesized_expression",
        PointerDeclarator = "pointer_declarator",
        PointerExpression = "pointer_expression",
        PrimitiveType = "primitive_type",
        ReturnStatement = "return_statement",
        SizedTypeSpecifier = "sized_type_specifier",
        SizeofExpression = "sizeof_expression",
        StatementIdentifier = "statement_identifier",
        StorageClassSpecifier = "storage_class_specifier",
        StringLiteral = "string_literal",
        StructSpecifier = "struct_specifier",
        SubscriptDesignator = "subscript_designator",
        SubscriptExpression = "subscript_expression",
        SwitchStatement = "switch_statement",
        TranslationUnit = "translation_unit",
        TypeDefinition = "type_definition",
        TypeDescriptor = "type_descriptor",
        TypeIdentifier = "type_identifier",
        TypeQualifier = "type_qualifier",
        UnaryExpression = "unary_expression",
        UnionSpecifier = "union_specifier",
        UpdateExpression = "update_expression",
        VariadicParameter = "variadic_parameter",
        WhileStatement = "while_statement",
        Dot = ".",
        AndAnd = "&&",
        OrOr = "||",
        And = "&",
        Or = "|",
        Equal = "==",
        NotEqual = "!=",
        Less = "<",
        LessEqual = "<=",
        Greater = ">",
        GreaterEqual = ">=",
        Xor = "^",
        ShiftLeft = "<<",
        ShiftRight = ">>",
        Plus = "+",
        Minus = "-",
        Times = "*",
        Assign = "=",
        OrAssign = "|=",
        AndAssign = "&=",
    }
}

named! {
    /// The fields of nodes that something asks for.
    Field {
        Alternative = "alternative",
        Argument = "argument",
        Arguments = "arguments",
        Body = "body",
        Condition = "condition",
        Consequence = "consequence",
        Declarator = "declarator",
        Designator = "designator",
        Field = "field",
        Function = "function",
        Initializer = "initializer",
        Label = "label",
        Left = "left",
        Name = "name",
        Operator = "operator",
        Parameters = "parameters",
        Right = "right",
        Type = "type",
        Value = "value",
    }
}

/// A kind as tree-sitter numbers it: what it is here.
#[derive(Clone, Copy, Default)]
struct Described {
    kind: Kind,
    named: bool,
    declares: bool,
    holds_statements: bool,
    error: bool,
}

struct Grammar {
    language: Language,
    kinds: Vec<Described>,
    fields: Vec<Field>,
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    let language: Language = tree_sitter_c::LANGUAGE.into();
    let kinds = (0..language.node_kind_count() as u16)
        .map(|id| {
            let name = language.node_kind_for_id(id).unwrap_or("");
            let named = language.node_kind_is_named(id);
            // Words such as "goto" are kinds too: a name alone does not tell.
            let sought =
                |kind: Kind| named == kind.text().starts_with(|c: char| c.is_ascii_alphabetic());
            let kind = Kind::ALL
                .iter()
                .find(|(kind, text)| *text == name && sought(*kind));
            Described {
                kind: kind.map_or(Kind::Other, |(kind, _)| *kind),
                named,
                declares: name.contains("declarator") || name.contains("ident"),
                holds_statements: ["statement", "definition", "clause", "unit"]
                    .iter()
                    .any(|end| name.ends_with(end)),
                error: false,
            }
        })
        .collect();
    let fields = (0..=language.field_count() as u16)
        .map(|id| {
            let name = language.field_name_for_id(id).unwrap_or("");
            let found = Field::ALL.iter().find(|(_, text)| *text == name);
            found.map_or(Field::Other, |(field, _)| *field)
        })
        .collect();
    Grammar {
        language,
        kinds,
        fields,
    }
});

const NONE: u32 = u32::MAX;

/// Brackets within each other, of any kind: the deepest file of 2.4.31 has 16, of 6.8 about
/// 100 (in a part of its files, counted over all branches of #if). Time and
/// memory of the parser grow with the square of those that are never closed.
const DEEPEST: usize = 500;

/// Whether brackets stand in each other more deeply than any kernel needs. Those in strings count
/// too, and kinds are not told apart.
fn nests_too_deeply(code: &[u8]) -> bool {
    let mut open = 0_usize;
    code.iter().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > DEEPEST
    })
}

/// Nodes whose children are in no field.
fn is_list(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ArgumentList
            | Kind::CompoundStatement
            | Kind::ExpressionStatement
            | Kind::FieldDeclarationList
            | Kind::InitializerList
            | Kind::ParameterList
            | Kind::ParenthesizedExpression
            | Kind::ReturnStatement
            | Kind::TranslationUnit
    )
}

/// Nodes that have no children, or none that matter.
fn is_flat(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Identifier
            | Kind::FieldIdentifier
            | Kind::TypeIdentifier
            | Kind::NumberLiteral
            | Kind::StringLiteral
            | Kind::CharLiteral
    )
}

#[derive(Clone, Copy)]
struct Entry {
    start: u32,
    end: u32,
    row: u32,
    parent: u32,
    previous: u32,
    next: u32,
    described: Described,
    field: Field,
    has_children: bool,
}

/// A syntax tree of some code: its named nodes, and those others that are a field.
pub struct Tree {
    entries: Vec<Entry>,
    error: bool,
}

thread_local! {
    // Making a parser is dear, using one is not.
    static PARSER: RefCell<Parser> = RefCell::new({
        let mut parser = Parser::new();
        parser.set_language(&GRAMMAR.language).expect("a grammar of this version of tree-sitter");
        parser
    });
    // The memory of the tree before.
    static SPARE: RefCell<Vec<Entry>> = const { RefCell::new(vec![]) };
}

/// Entries whose memory is used again: more are of files that are mangled, or tables.
const MOST_SPARE: usize = 1 << 18;

impl Drop for Tree {
    fn drop(&mut self) {
        let mut entries = std::mem::take(&mut self.entries);
        if entries.capacity() <= MOST_SPARE {
            entries.clear();
            let _ = SPARE.try_with(|spare| spare.replace(entries));
        }
    }
}

impl Tree {
    /// Parses C; nothing is read of what nests more deeply than `DEEPEST`.
    pub fn parse(code: &[u8]) -> Tree {
        let parsed = if nests_too_deeply(code) {
            None
        } else {
            PARSER.with_borrow_mut(|parser| parser.parse(code, None))
        };
        match parsed {
            Some(tree) => {
                let entries = SPARE.try_with(RefCell::take).unwrap_or_default();
                let mut copied = Tree {
                    error: tree.root_node().has_error(),
                    entries,
                };
                copied.copy(&mut tree.walk());
                copied
            }
            None => Tree {
                entries: vec![NOTHING],
                error: true,
            },
        }
    }

    /// Whether the grammar lost its place somewhere.
    pub fn has_error(&self) -> bool {
        self.error
    }

    /// The node that holds all others.
    pub fn root(&self) -> Node<'_> {
        Node { tree: self, at: 0 }
    }

    /// Whether children of a node may be in a field that something asks for. Those of what the
    /// grammar could not read never are.
    fn has_fields(&self, at: u32) -> bool {
        let described = self.entries.get(at as usize).map(|entry| entry.described);
        described.is_some_and(|described| !described.error && !is_list(described.kind))
    }

    fn copy(&mut self, cursor: &mut TreeCursor) {
        let grammar = &*GRAMMAR;
        // The nodes above the cursor, each with the last of its children so far.
        let mut above: Vec<(u32, u32)> = vec![];
        loop {
            let node = cursor.node();
            let described = grammar
                .kinds
                .get(node.kind_id() as usize)
                .copied()
                .unwrap_or(ERROR);
            let field = match above.last() {
                Some(&(parent, _)) if self.has_fields(parent) => cursor
                    .field_id()
                    .and_then(|id| grammar.fields.get(id.get() as usize))
                    .copied()
                    .unwrap_or_default(),
                _ => Field::Other,
            };
            if described.named || field != Field::Other || above.is_empty() {
                let at = self.entries.len() as u32;
                let (parent, previous) = above.last().copied().unwrap_or((NONE, NONE));
                if let Some(top) = above.last_mut() {
                    top.1 = at;
                    self.entries[parent as usize].has_children = true;
                    if previous != NONE {
                        self.entries[previous as usize].next = at;
                    }
                }
                self.entries.push(Entry {
                    start: node.start_byte() as u32,
                    end: node.end_byte() as u32,
                    row: node.start_position().row as u32,
                    parent,
                    previous,
                    next: NONE,
                    described,
                    field,
                    has_children: false,
                });
                if !is_flat(described.kind) && cursor.goto_first_child() {
                    above.push((at, NONE));
                    continue;
                }
            }
            while !cursor.goto_next_sibling() {
                if above.pop().is_none() || !cursor.goto_parent() {
                    return;
                }
            }
        }
    }
}

const ERROR: Described = Described {
    kind: Kind::Other,
    named: true,
    declares: false,
    holds_statements: false,
    error: true,
};
const NOTHING: Entry = Entry {
    start: 0,
    end: 0,
    row: 0,
    parent: NONE,
    previous: NONE,
    next: NONE,
    described: ERROR,
    field: Field::Other,
    has_children: false,
};

/// A node of a tree. Two handles are equal if they are of the same node of one tree.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    at: u32,
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at && std::ptr::eq(self.tree, other.tree)
    }
}

impl<'t> Node<'t> {
    fn entry(self) -> &'t Entry {
        &self.tree.entries[self.at as usize]
    }

    fn at(self, at: u32) -> Option<Node<'t>> {
        (at != NONE).then_some(Node {
            tree: self.tree,
            at,
        })
    }

    pub fn kind(self) -> Kind {
        self.entry().described.kind
    }

    /// Whether its kind's name holds "declarator" or "ident".
    pub fn declares(self) -> bool {
        self.entry().described.declares
    }

    /// Whether its kind is a statement, a definition, a clause or the whole.
    pub fn holds_statements(self) -> bool {
        self.entry().described.holds_statements
    }

    /// The offset at which it begins.
    pub fn start(self) -> usize {
        self.entry().start as usize
    }

    /// The offset behind it.
    pub fn end(self) -> usize {
        self.entry().end as usize
    }

    /// The line on which it begins, from 0.
    pub fn row(self) -> u32 {
        self.entry().row
    }

    /// The bytes that it spans.
    pub fn bytes(self, code: &[u8]) -> &[u8] {
        code.get(self.start()..self.end()).unwrap_or_default()
    }

    /// Its text, read as latin-1.
    pub fn text(self, code: &[u8]) -> Cow<'_, str> {
        latin1(self.bytes(code))
    }

    pub fn parent(self) -> Option<Node<'t>> {
        self.at(self.entry().parent)
    }

    /// The node that holds all others of its tree.
    pub fn root(self) -> Node<'t> {
        self.tree.root()
    }

    fn all_children(self) -> Siblings<'t> {
        let first = if self.entry().has_children {
            self.at + 1
        } else {
            NONE
        };
        Siblings {
            tree: self.tree,
            next: first,
        }
    }

    /// Its children but for operators and other punctuation.
    pub fn named_children(self) -> impl Iterator<Item = Node<'t>> {
        self.all_children()
            .filter(|child| child.entry().described.named)
    }

    pub fn named_child_count(self) -> usize {
        self.named_children().count()
    }

    pub fn first_named(self) -> Option<Node<'t>> {
        self.named_children().next()
    }

    /// An expression without the parentheses around it.
    pub fn bare(mut self) -> Node<'t> {
        while self.kind() == Kind::ParenthesizedExpression {
            let mut inner = self.named_children();
            let (Some(only), None) = (inner.next(), inner.next()) else {
                break;
            };
            self = only;
        }
        self
    }

    pub fn last_named(self) -> Option<Node<'t>> {
        self.named_children().last()
    }

    /// The statement that labels stand before; a statement without one is itself.
    pub fn behind_labels(self) -> Node<'t> {
        let inner = self
            .last_named()
            .filter(|_| self.kind() == Kind::LabeledStatement);
        inner.map_or(self, Node::behind_labels)
    }

    /// The sign and the two sides of a binary operation; None of anything else.
    pub fn sides(self) -> Option<(Kind, Node<'t>, Node<'t>)> {
        let sign = self.field(Field::Operator)?.kind();
        Some((sign, self.field(Field::Left)?, self.field(Field::Right)?))
            .filter(|_| self.kind() == Kind::BinaryExpression)
    }

    /// Its first child in a field.
    pub fn field(self, field: Field) -> Option<Node<'t>> {
        self.all_children()
            .find(|child| child.entry().field == field)
    }

    /// All its children in a field.
    pub fn fields(self, field: Field) -> impl Iterator<Item = Node<'t>> {
        self.all_children()
            .filter(move |child| child.entry().field == field)
    }

    /// The named sibling before it.
    pub fn previous(self) -> Option<Node<'t>> {
        let mut at = self.at(self.entry().previous)?;
        while !at.entry().described.named {
            at = at.at(at.entry().previous)?;
        }
        Some(at)
    }

    /// The named sibling behind it.
    pub fn next(self) -> Option<Node<'t>> {
        let mut at = self.at(self.entry().next)?;
        while !at.entry().described.named {
            at = at.at(at.entry().next)?;
        }
        Some(at)
    }
}

struct Siblings<'t> {
    tree: &'t Tree,
    next: u32,
}

impl<'t> Iterator for Siblings<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        let at = self.next;
        if at == NONE {
            return None;
        }
        self.next = self.tree.entries[at as usize].next;
        Some(Node {
            tree: self.tree,
            at,
        })
    }
}

/// Bytes read as latin-1.
pub fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.iter().map(|&b| b as char).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nests_too_deeply_is_nothing() {
        let nested = |depth: usize| {
            let code = ["int x = ", &"(".repeat(depth), "1", &")".repeat(depth), ";"].concat();
            Tree::parse(code.as_bytes()).root().named_child_count()
        };
        assert_eq!(nested(DEEPEST), 1);
        assert_eq!(nested(DEEPEST + 1), 0);
        assert!(Tree::parse(&b"{.a=b,".repeat(200_000)).has_error());
    }

    #[test]
    fn fields_and_siblings() {
        let code = b"int f(void){ a = b /* c */ + 1; g(); }";
        let tree = Tree::parse(code);
        assert!(!tree.has_error());
        let body = tree
            .root()
            .first_named()
            .and_then(|f| f.field(Field::Body))
            .unwrap();
        assert_eq!(body.kind(), Kind::CompoundStatement);
        let statements: Vec<_> = body.named_children().collect();
        assert_eq!(statements.len(), 2);
        assert!(statements[0].next() == Some(statements[1]));
        assert!(statements[1].previous() == Some(statements[0]));
        assert!(statements[0].parent() == Some(body));
        let sum = statements[0]
            .first_named()
            .and_then(|a| a.field(Field::Right))
            .unwrap();
        assert_eq!(sum.field(Field::Operator).unwrap().kind(), Kind::Plus);
        assert_eq!(sum.named_child_count(), 3);
        assert_eq!(sum.text(code), "b /* c */ + 1");
    }
}
