//! Reads one file: the bytes of a blob in, its facts out.
//!
//! A file is cut into items (functions, declarations, macros), and each item is read by itself
//! and kept under a key of its text: neighbouring versions of a file share most of their items,
//! and an item whose key is known is not read again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::bytes::Regex;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::bodies::{Body, BodyReader, ConditionAt, in_order};
use crate::conditionals::{
    Conditions, Group, Nest, condition_text, groups, selections, without_guards,
};
use crate::constants::{defined, enumerated, returned};
use crate::decisions::decided;
use crate::declarations::{declared, structs_in, type_name};
use crate::facts::{
    Blob, Call, Declared, Function, Item, Mention, MentionKind, Naming, Parameter, Placed, Stored,
    Struct, Typedef,
};
use crate::file_macros;
use crate::headers::{Header, KEYWORDS, parse_header};
use crate::initialisers::{Found, variables_in};
use crate::intern::{Sym, SymList};
use crate::items::{Extent, cut};
use crate::lexer::{Directive, Keyword, Scan, blank, is_upper, is_word, scan, with_names};
use crate::lower_bounds::bounded;
use crate::macros::{macro_, matters, used_alone};
use crate::notation;
use crate::outcomes::refusals;
use crate::places::{Local, Locals};
use crate::repairs::{readable, with_groups, without_attributes};
use crate::tables::assembler_functions;
use crate::tree::{Field, Kind, Node, Tree, latin1};

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern")
}

/// Any name that may be, or hold, a check's name: the lexical count starts from these.
const HINTS: [&[u8]; 5] = [
    b"suser",
    b"capable",
    b"cap_raised",
    b"has_cap",
    b"capability",
];
static INCLUDE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"(?-u)\A#\s*include\s*([<"][^">\n]+)[">]"#));
static STORES_NAME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?-u)[{,:=(]\s*(?:&\s*)?[A-Za-z_]\w*\s*[,})]"));
static ATTRIBUTE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?-u)__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)"));
static ANNOTATION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?-u)(?:\b(?:struct|union)\s+\w+[\s*]+\w+\s*(?:\[[^\]]*\]\s*)*|\)\s*)(\b__\w+)\s*=")
});
const LARGE: usize = 20_000;
/// A function is read once for each selection of its branches: so many bytes at most, or 16
/// times (real ones need less than 15 and 200,000; a mangled file could ask for any number).
const MOST_READ: usize = 8_000_000;
const SHARDS: usize = 64;

/// The facts of each distinct item text, once, for all threads.
pub struct Store {
    shards: [Mutex<FxHashMap<u128, Arc<Item>>>; SHARDS],
}

impl Default for Store {
    fn default() -> Self {
        Store {
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }
}

impl Store {
    pub fn new() -> Store {
        Store::default()
    }

    /// How many items are kept.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drop the items that no blob holds any more.
    pub fn forget_unused(&self) {
        for shard in &self.shards {
            lock(shard).retain(|_, item| Arc::strong_count(item) > 1);
        }
    }

    /// The item of a text in three parts, which `make` reads if it is new.
    fn item(&self, text: [&[u8]; 3], make: impl FnOnce() -> Item) -> Arc<Item> {
        let mut hasher = blake3::Hasher::new();
        for part in text {
            hasher.update(part);
        }
        let mut key = [0; 16];
        hasher.finalize_xof().fill(&mut key);
        let key = u128::from_le_bytes(key);
        let shard = &self.shards[(key % SHARDS as u128) as usize];
        if let Some(known) = lock(shard).get(&key) {
            return known.clone();
        }
        let made = Arc::new(make());
        lock(shard).entry(key).or_insert(made).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The facts of a file.
///
/// Never fails on any bytes: what cannot be read as C gives no facts, and the lexical count
/// (`Blob::mentions`) shows it.
pub fn read(source: &[u8], store: &Store) -> Blob {
    let scanned = scan(source);
    let found = groups(&scanned.directives, source.len());
    let nest = Nest::new(without_guards(found, &scanned.directives, &scanned.code));
    let mut placed: Vec<(usize, Placed)> = vec![];
    let mut place = |start: usize, condition: Sym, item: Arc<Item>| {
        placed.push((
            start,
            Placed {
                line: scanned.line(start),
                condition,
                item,
            },
        ));
    };
    let mut prototypes = vec![];
    let mut extents = cut(&scanned);
    for made in file_macros::take_uses(&scanned, &mut extents) {
        let condition = condition_at(made.start, &nest.enclosing(made.start));
        for item in made_items(&made, store) {
            place(made.start, condition, item);
        }
    }
    for extent in extents {
        let code = scanned
            .code
            .get(extent.start..extent.end)
            .unwrap_or_default();
        if extent.body.is_none() && is_prototype(code) {
            prototypes.push(extent);
            if let Some(used) = used_alone(code) {
                let item = store.item([b"u", code, b""], || use_alone(&used));
                place(
                    extent.start,
                    condition_at(extent.start, &nest.enclosing(extent.start)),
                    item,
                );
            }
            continue;
        }
        let (inner, outer) = nest.split(extent.start, extent.end);
        let mark: &[u8] = if extent.body.is_some() { b"f" } else { b"d" };
        // Groups that only partly lie in the item change how it is read.
        let partly = inner
            .iter()
            .any(|g| g.start < extent.start || g.end > extent.end);
        let context = if partly {
            context(&inner, extent.start)
        } else {
            String::new()
        };
        let text = source.get(extent.start..extent.end).unwrap_or_default();
        let item = store.item([mark, text, context.as_bytes()], || {
            item(&with_names(code, text), extent, &inner)
        });
        place(extent.start, condition_at(extent.start, &outer), item);
    }
    for directive in &scanned.directives {
        if directive.keyword == Keyword::Define && matters(&directive.code) {
            let item = store.item([b"m", &directive.code, b""], || Item {
                macro_: macro_(&directive.code).map(Box::new),
                ..Item::default()
            });
            let start = directive.start;
            place(start, condition_at(start, &nest.enclosing(start)), item);
        }
    }
    placed.sort_by_key(|(start, _)| *start);
    let [mentions, called] = mentions(&scanned, &prototypes);
    let mut constants = defined(&scanned.directives, source).into_vec();
    constants.extend(enumerated(&scanned.code, &scanned.directives));
    constants.extend(returned(&scanned.code, &scanned.directives));
    constants.extend(bounded(&scanned.code));
    Blob {
        items: placed.into_iter().map(|(_, item)| item).collect(),
        includes: includes(source, scanned.directives.iter()),
        required: includes(
            source,
            scanned
                .directives
                .iter()
                .filter(|d| nest.enclosing(d.start).is_empty()),
        ),
        mentions,
        called,
        constants: constants.into(),
    }
}

/// What a use of a file's own macro makes. A check in the macro is one of the macro, not of all that
/// it makes: such a function does no more than use the macro.
fn made_items(made: &file_macros::Use, store: &Store) -> Vec<Arc<Item>> {
    let scanned = scan(&made.made);
    let mut found = vec![];
    for extent in cut(&scanned) {
        let code = scanned
            .code
            .get(extent.start..extent.end)
            .unwrap_or_default();
        match extent.body.map(|body| body - extent.start) {
            None if is_prototype(code) => {
                let used = used_alone(code);
                found.extend(used.map(|used| store.item([b"u", code, b""], || use_alone(&used))));
            }
            None => found.push(store.item([b"d", code, b""], || declaration(&[code.into()]))),
            Some(body) => {
                let head = code.get(..body).unwrap_or_default();
                let code = if named(code).iter().any(|(_, name, _)| hints(name)) {
                    [head, b"{ return ", &made.written, b"; }"].concat()
                } else {
                    code.to_vec()
                };
                let read = || function(&[Cow::Borrowed(&code[..])], body, &|_| Sym::default());
                found.push(store.item([b"f", &code, b""], read));
            }
        }
    }
    found
}

/// The facts of an assembler file: what its global labels call.
pub fn read_assembler(source: &[u8], store: &Store) -> Blob {
    let items = assembler_functions(source).into_iter().map(|function| {
        let calls: Box<[Call]> = function
            .calls
            .iter()
            .map(|&(line, target)| Call {
                line: line.saturating_sub(function.line),
                target,
                conditional: true,
                ..Call::default()
            })
            .collect();
        let text = format!("{:?} {calls:?}", function.name);
        let item = store.item([b"s", text.as_bytes(), b""], || Item {
            function: Some(Box::new(Function {
                name: function.name,
                calls,
                ..Function::default()
            })),
            ..Item::default()
        });
        Placed {
            line: function.line,
            condition: Sym::default(),
            item,
        }
    });
    Blob {
        items: items.collect(),
        ..Blob::default()
    }
}

/// What groups are, with offsets from an item's start: part of the key of an item that holds
/// only a part of one of them.
fn context(groups: &[&Group], start: usize) -> String {
    let mut text = String::new();
    let from = |offset: usize| offset as i64 - start as i64;
    for group in groups {
        text.push_str(&format!("{} {} ", from(group.start), from(group.end)));
        for (number, branch) in group.branches.iter().enumerate() {
            let facts: Vec<_> = group.facts(number).collect();
            text.push_str(&format!(
                "{} {} {} {facts:?};",
                from(branch.start),
                from(branch.end),
                from(branch.directive)
            ));
        }
    }
    text
}

fn condition_at(offset: usize, enclosing: &[&Group]) -> Sym {
    if enclosing.is_empty() {
        return Sym::default();
    }
    let mut found = vec![];
    for group in enclosing {
        for (number, branch) in group.branches.iter().enumerate() {
            if branch.start <= offset && offset < branch.end {
                found.extend(group.facts(number));
            }
        }
    }
    condition_text(&found)
}

fn is_prototype(code: &[u8]) -> bool {
    let mut opening = None;
    for (at, byte) in code.iter().enumerate() {
        match byte {
            b'{' | b'=' => return false,
            b'(' => opening = Some(at),
            b' ' => {}
            b'*' if opening.is_some() && opening == last_visible(code, at) => return false,
            _ => {}
        }
    }
    opening.is_some()
}

/// The last byte before an offset that is no space.
fn last_visible(code: &[u8], at: usize) -> Option<usize> {
    code.get(..at)?.iter().rposition(|&byte| byte != b' ')
}

/// The item's code, once for each selection of branches.
fn readings<'c>(code: &'c [u8], extent: Extent, inner: &[&Group]) -> Vec<Cow<'c, [u8]>> {
    if inner.is_empty() {
        return vec![Cow::Borrowed(code)];
    }
    let most = (MOST_READ / code.len().max(1)).max(16);
    let mut readings: Vec<Cow<[u8]>> = selections(inner, most)
        .into_iter()
        .map(|removed| {
            let mut changed = code.to_vec();
            for (start, end) in removed {
                let low = start.max(extent.start) - extent.start;
                let high = end.min(extent.end).saturating_sub(extent.start);
                if let Some(part) = changed.get_mut(low..high) {
                    blank(part);
                }
            }
            Cow::Owned(changed)
        })
        .collect();
    // Under #if 0 may be a brace too many, or no C at all: once more, as if no condition held.
    let disabled = inner.iter().any(|group| {
        group
            .facts(0)
            .any(|(expression, truth)| truth && expression.text() == "0")
    });
    let braces = |code: &[u8], brace: u8| memchr::memchr_iter(brace, code).count();
    if disabled
        || readings
            .iter()
            .any(|one| braces(one, b'{') != braces(one, b'}'))
    {
        readings.push(Cow::Owned(bare(code, extent.start, inner)));
    }
    readings
}

/// Code without any branch but those of #else.
fn bare(code: &[u8], base: usize, inner: &[&Group]) -> Vec<u8> {
    let mut changed = code.to_vec();
    for group in inner {
        let count = group.branches.len();
        let last = count.saturating_sub(1);
        let otherwise = group.facts(last).count() < count;
        let removed = if otherwise { last } else { count };
        for branch in group.branches.iter().take(removed) {
            let low = branch.start.saturating_sub(base);
            let high = branch.end.saturating_sub(base).min(code.len());
            if let Some(part) = changed.get_mut(low..high) {
                blank(part);
            }
        }
    }
    changed
}

/// Reads an item anew.
fn item(code: &[u8], extent: Extent, inner: &[&Group]) -> Item {
    let conditions = (!inner.is_empty()).then(|| Conditions::new(inner));
    let condition_at = |offset: i64| match &conditions {
        Some(conditions) => conditions.at((offset + extent.start as i64).max(0) as usize),
        None => Sym::default(),
    };
    let readings = readings(code, extent, inner);
    match extent.body {
        Some(body) => function(&readings, body - extent.start, &condition_at),
        None => declaration(&readings),
    }
}

// Functions.

fn is_keyword(name: Sym) -> bool {
    KEYWORDS.contains(&name.text())
}

fn newlines(code: &[u8]) -> u32 {
    memchr::memchr_iter(b'\n', code).count() as u32
}

fn function(readings: &[Cow<[u8]>], body: usize, condition_at: ConditionAt) -> Item {
    let mut found = Body::default();
    let mut first: Option<(Header, Vec<Parameter>, SymList, u32)> = None;
    let mut error = false;
    for code in readings {
        let brace = match code.get(body) {
            Some(b'{') => Some(body),
            _ => memchr::memchr(b'{', code),
        };
        let Some((mut at, mut header)) =
            brace.and_then(|at| Some((at, parse_header(code.get(..at)?)?)))
        else {
            continue;
        };
        if is_keyword(header.name) {
            at = 0;
            header.parameters.clear();
            header.old_style = b" ".to_vec();
        }
        let one = read_body(code, at, &header, condition_at);
        found.add(&one);
        error = error || one.error;
        if first
            .as_ref()
            .is_none_or(|(known, ..)| is_keyword(known.name))
        {
            let line = newlines(code.get(..header.name_at).unwrap_or_default());
            first = Some((header, one.parameters, one.relays, line));
        }
    }
    let Some((header, parameters, relays, line)) = first else {
        return Item::default();
    };
    let names: Vec<Sym> = parameters.iter().map(|parameter| parameter.name).collect();
    let settled = decided(
        in_order(&found.calls),
        in_order(&found.uid_tests),
        &in_order(&found.sets),
        &in_order(&found.made),
        &found.uses(),
        &names,
    );
    let refusals: Vec<Sym> = found.refusals.iter().map(|one| Sym::new(one)).collect();
    let function = Function {
        // Statements that stand alone under #if 0 belong to no function (ide/pci/generic.c, 2.6).
        name: if is_keyword(header.name) {
            Sym::default()
        } else {
            header.name
        },
        line,
        end: readings.first().map_or(0, |code| newlines(code)),
        is_static: header.is_static,
        inline: header.inline,
        error,
        parameters: parameters.into(),
        returns: header.returns,
        calls: settled.calls,
        uid_tests: settled.uid_tests,
        flows: found.flows.values().copied().collect(),
        tables: found.tables.values().copied().collect(),
        relays: if readings.len() == 1 {
            relays
        } else {
            SymList::default()
        },
        sets: settled.sets,
        variables: handed_on(&found),
        refusals: SymList::new(&refusals),
    };
    let declared = Declared {
        structs: found.structs.into_values().collect(),
        stored: found.stored.into_values().collect(),
        namings: found.namings.into_values().collect(),
        ..Declared::default()
    };
    Item {
        function: Some(Box::new(function)),
        declared: declared.boxed(),
        ..Item::default()
    }
}

/// The local variables of a type that are arguments of calls.
fn handed_on(found: &Body) -> Box<[Parameter]> {
    if found.locals.is_empty() {
        return [].into();
    }
    let variables: FxHashSet<&str> = found
        .calls
        .values()
        .flat_map(|call| call.arguments.get())
        .filter_map(|argument| argument.text().strip_prefix('$'))
        .collect();
    found
        .locals
        .iter()
        .filter(|(name, _)| variables.contains(**name))
        .map(|(name, &type_)| Parameter {
            name: Sym::new(name),
            type_,
        })
        .collect()
}

/// Code with white space folded, as bytes.
fn folded(code: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> = code
        .split(|byte| matches!(byte, b' ' | b'\t'..=b'\r'))
        .filter(|word| !word.is_empty())
        .collect();
    words.join(&b' ')
}

/// Reads `code[at..]`, a braced body, as the body of a function with this head.
fn read_body(code: &[u8], at: usize, header: &Header, condition_at: ConditionAt) -> Body {
    let rest = code.get(at..).unwrap_or_default();
    let old_style = !header.old_style.is_empty();
    let (prefix, end): (Vec<u8>, &[u8]) = if old_style {
        (
            [&b"void f(){"[..], &folded(&header.old_style)].concat(),
            b"}",
        )
    } else {
        let listed = header.parameters.join(&b", "[..]);
        (folded(&[b"void f(", &listed[..], b")"].concat()), b"")
    };
    let wrapped = [&prefix[..], rest, end].concat();
    let tree = Tree::parse(&readable(&wrapped));
    let root = tree.root();
    let base = at as i64 - prefix.len() as i64;
    let row = newlines(code.get(..at).unwrap_or_default());
    let mut reader = BodyReader::new(&wrapped, base, row, condition_at, Locals::default());
    reader.returns = header.returns;
    let definition = root.first_named();
    let listed = definition
        .and_then(|definition| definition.field(Field::Declarator))
        .and_then(|declarator| declarator.field(Field::Parameters));
    let mut parameters = listed.map_or_else(Vec::new, |listed| reader.parameters(listed));
    let body = definition.and_then(|definition| definition.field(Field::Body));
    for child in root.named_children() {
        match body {
            Some(body) if definition.is_some_and(|first| child.start() == first.start()) => {
                reader.read(body);
            }
            _ => reader.read(child),
        }
    }
    if old_style {
        parameters = old_parameters(reader.places.locals.iter(), &header.old_style);
    }
    let relays = body.map_or_else(SymList::default, |body| only_return(&reader, body));
    let local = |local: &&Local| {
        !local.type_.is_empty() && parameters.iter().all(|one| one.name != local.name)
    };
    let locals = reader.places.locals.iter().filter(local);
    let locals: BTreeMap<_, _> = locals.map(|one| (one.name.text(), one.type_)).collect();
    Body {
        parameters,
        relays,
        refusals: refusals(rest).into_iter().map(Sym::text).collect(),
        error: tree.has_error(),
        locals,
        ..reader.body
    }
}

/// What a body relays that consists of a single return statement.
fn only_return<'t>(reader: &BodyReader<'t, '_, '_>, body: Node<'t>) -> SymList {
    only(body)
        .filter(|statement| statement.kind() == Kind::ReturnStatement)
        .and_then(only)
        .map_or_else(SymList::default, |value| reader.relays(value))
}

/// The only child of a node.
fn only(node: Node) -> Option<Node> {
    let mut children = node.named_children();
    children.next().filter(|_| children.next().is_none())
}

fn old_parameters<'a>(locals: impl Iterator<Item = &'a Local>, old_style: &[u8]) -> Vec<Parameter> {
    let text = latin1(old_style);
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    // A parameter that the grammar misses has an empty name.
    let declared: FxHashSet<&str> = words.filter(|word| !word.is_empty()).collect();
    locals
        .filter(|local| declared.contains(local.name.text()))
        .map(|local| Parameter {
            name: local.name,
            type_: local.type_,
        })
        .collect()
}

// Declarations.

/// Blanks what stands between a declarator and its value, which the grammar does not know:
/// `struct ops o __attribute__((unused)) = {` (2.2), `struct ops o __initdata = {`.
fn without_annotations(code: &[u8]) -> Cow<'_, [u8]> {
    let plain = without_attributes(code);
    let mut changed = match with_groups(&plain) {
        Cow::Borrowed(_) if memchr::memmem::find(&plain, b"__").is_none() => return plain,
        grouped => grouped.into_owned(),
    };
    if memchr::memmem::find(&changed, b"__").is_none() {
        return Cow::Owned(changed);
    }
    let blank_all = |changed: &mut [u8], ranges: Vec<std::ops::Range<usize>>, all: bool| {
        for range in ranges {
            match changed.get_mut(range) {
                Some(part) if all => part.fill(b' '),
                Some(part) => blank(part),
                None => {}
            }
        }
    };
    let found = ATTRIBUTE
        .find_iter(&changed)
        .map(|found| found.range())
        .collect();
    blank_all(&mut changed, found, false);
    let found = ANNOTATION
        .captures_iter(&changed)
        .filter_map(|found| found.get(1))
        .map(|annotation| annotation.range())
        .collect();
    blank_all(&mut changed, found, true);
    Cow::Owned(changed)
}

/// Facts by name, in the order in which the names first came.
struct Ordered<T> {
    found: Vec<T>,
    numbers: FxHashMap<Sym, usize>,
}

impl<T> Default for Ordered<T> {
    fn default() -> Self {
        Ordered {
            found: vec![],
            numbers: FxHashMap::default(),
        }
    }
}

impl<T> Ordered<T> {
    /// The first fact of a name.
    fn entry(&mut self, name: Sym, fact: impl FnOnce() -> T) -> Option<&mut T> {
        let number = *self.numbers.entry(name).or_insert(self.found.len());
        if number == self.found.len() {
            self.found.push(fact());
        }
        self.found.get_mut(number)
    }
}

fn declaration(readings: &[Cow<[u8]>]) -> Item {
    let mut structs: Ordered<(Sym, Ordered<Parameter>)> = Ordered::default();
    let mut typedefs = Ordered::default();
    let mut variables = Ordered::default();
    let mut stored: BTreeMap<(usize, &str), Stored> = BTreeMap::new();
    let mut namings: BTreeMap<usize, Naming> = BTreeMap::new();
    for code in readings {
        if code.len() > LARGE && !STORES_NAME.is_match(code) {
            continue; // firmware and font tables: large, and no name in them
        }
        let code = &without_annotations(code);
        let tree = Tree::parse(code);
        for node in tree.root().named_children() {
            for one in structs_of(node, code) {
                let known = structs.entry(one.tag, || (one.tag, Ordered::default()));
                if let Some((_, known)) = known {
                    for member in &one.members {
                        known.entry(member.name, || *member);
                    }
                }
            }
            match node.kind() {
                Kind::TypeDefinition => {
                    for typedef in typedefs_in(node, code) {
                        typedefs.entry(typedef.name, || typedef);
                    }
                }
                Kind::Declaration => {
                    for one in variables_in(node, code) {
                        match one {
                            Found::Variable(variable) => {
                                variables.entry(variable.name, || variable);
                            }
                            Found::Stored(at, one) => {
                                stored.entry((at, one.source.text())).or_insert(one);
                            }
                            Found::Naming(at, one) => {
                                namings.entry(at).or_insert(one);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
    }
    let structs = structs.found.into_iter().map(|(tag, members)| Struct {
        tag,
        members: members.found.into(),
    });
    let declared = Declared {
        structs: structs.collect(),
        typedefs: typedefs.found.into(),
        variables: variables.found.into(),
        stored: stored.into_values().collect(),
        namings: namings.into_values().collect(),
    };
    Item {
        declared: declared.boxed(),
        ..Item::default()
    }
}

fn structs_of(node: Node, code: &[u8]) -> Vec<Struct> {
    let mut specifier = node;
    let mut name = Sym::default();
    if matches!(node.kind(), Kind::Declaration | Kind::TypeDefinition) {
        let Some(inner) = node.field(Field::Type) else {
            return vec![];
        };
        specifier = inner;
        let found = node
            .field(Field::Declarator)
            .and_then(|declarator| declared(declarator, code));
        name = found.map_or(name, |found| found.name);
    }
    match specifier.kind() {
        Kind::StructSpecifier | Kind::UnionSpecifier => structs_in(specifier, code, name.text()),
        _ => vec![],
    }
}

fn typedefs_in(node: Node, code: &[u8]) -> Vec<Typedef> {
    let specifier = node.field(Field::Type);
    node.fields(Field::Declarator)
        .filter_map(|declarator| declared(declarator, code))
        .filter_map(|found| {
            // A struct without a tag is known by the typedef's own name.
            let type_ = if found.pointer_to_function {
                Sym::new("()")
            } else {
                type_name(specifier, code)
            };
            let own = !type_.is_empty() && type_ != found.name;
            own.then_some(Typedef {
                name: found.name,
                type_,
            })
        })
        .collect()
}

/// What a macro that is used alone stores, and, as it may define functions that hand on what it is
/// given (`DEFINE_SIMPLE_ATTRIBUTE(fops, get, set, "%llu\n")`), a call of it by nobody.
fn use_alone(used: &str) -> Item {
    let (name, arguments) = notation::used(used).unwrap_or_default();
    let arguments: Vec<Sym> = arguments.iter().map(|one| Sym::new(one)).collect();
    let call = Call {
        target: Sym::new(name),
        arguments: SymList::new(&arguments),
        ..Call::default()
    };
    let hands_on = arguments.iter().filter(|one| !is_upper(one.text())).count() > 2;
    let by_nobody = hands_on.then(|| Function {
        calls: [call].into(),
        ..Function::default()
    });
    let stored = Stored {
        line: 0,
        variable: Sym::default(),
        type_: Sym::default(),
        path: SymList::default(),
        source: Sym::new(used),
    };
    let declared = Declared {
        stored: [stored].into(),
        ..Declared::default()
    };
    Item {
        function: by_nobody.map(Box::new),
        declared: declared.boxed(),
        ..Item::default()
    }
}

// The file as a whole.

fn includes<'d, 's: 'd>(
    source: &[u8],
    directives: impl Iterator<Item = &'d Directive<'s>>,
) -> SymList {
    let mut found = vec![];
    let mut seen = FxHashSet::default();
    for directive in directives.filter(|directive| directive.keyword == Keyword::Include) {
        let name = source
            .get(directive.start..)
            .and_then(|text| INCLUDE.captures(text))
            .and_then(|included| included.get(1))
            .map(|name| Sym::latin1(name.as_bytes()));
        found.extend(name.filter(|&name| seen.insert(name)));
    }
    SymList::new(&found)
}

/// Where names that may be checks' stand (`Blob::mentions`), and where others are called
/// (`Blob::called`): which of these are wrappers of checks, a release tells.
fn mentions(scanned: &Scan, prototypes: &[Extent]) -> [Box<[Mention]>; 2] {
    let mut found = [vec![], vec![]];
    let mut add = |line: u32, name: &[u8], kind: MentionKind| {
        let list = &mut found[usize::from(!hints(name))];
        list.push((line, Sym::latin1(name), kind));
    };
    for (at, name, called) in named(&scanned.code) {
        let before = prototypes
            .partition_point(|extent| extent.start <= at)
            .checked_sub(1);
        let declared = before
            .and_then(|before| prototypes.get(before))
            .is_some_and(|extent| at < extent.end);
        let kind = match (called, declared) {
            (true, true) => MentionKind::Declaration,
            (true, false) => MentionKind::Call,
            (false, _) => MentionKind::Name,
        };
        add(scanned.line(at), name, kind);
    }
    for directive in &scanned.directives {
        if matches!(
            directive.keyword,
            Keyword::Define | Keyword::If | Keyword::Elif
        ) {
            for (at, name, called) in named(&directive.code) {
                let kind = if called {
                    MentionKind::Call
                } else {
                    MentionKind::Name
                };
                add(scanned.line(directive.start + at), name, kind);
            }
        }
    }
    found.map(|mut list| {
        list.sort_by_key(|(line, name, kind)| (*line, name.text(), *kind));
        list.into()
    })
}

fn hints(name: &[u8]) -> bool {
    // Every file has a hundred thousand names: a search for each is dear.
    let at = |start: usize| HINTS.iter().any(|hint| name[start..].starts_with(hint));
    (0..name.len().saturating_sub(4))
        .any(|start| matches!(name[start], b's' | b'c' | b'h') && at(start))
}

/// Offset and text of each name that is called or may be a check's, and whether the name itself is
/// called: a member of that name is another thing (`security_ops->capable(…)`, 2.6).
fn named(code: &[u8]) -> Vec<(usize, &[u8], bool)> {
    let mut found = vec![];
    let mut end = 0;
    while let Some(skipped) = code[end..].iter().position(|&byte| is_word(byte)) {
        let start = end + skipped;
        let rest = &code[start..];
        end = start + rest.iter().position(|&b| !is_word(b)).unwrap_or(rest.len());
        let name = &code[start..end];
        if name[0].is_ascii_digit() {
            continue;
        }
        let followed = code[end..].trim_start_white().first() == Some(&b'(');
        let called = followed && !ends_with_member(&code[start.saturating_sub(40)..start]);
        if called || hints(name) {
            found.push((start, name, called));
        }
    }
    found
}

/// Whether code ends with what stands before a member's name: `a->`, `a.`.
fn ends_with_member(code: &[u8]) -> bool {
    let code = code.trim_end_white();
    match code.strip_suffix(b".") {
        Some(object) => {
            let last = object.trim_end_white().last();
            last.is_some_and(|&b| is_word(b) || matches!(b, b')' | b']'))
        }
        None => code.ends_with(b"->"),
    }
}

trait Trim {
    fn trim_start_white(&self) -> &[u8];
    fn trim_end_white(&self) -> &[u8];
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

impl Trim for [u8] {
    fn trim_start_white(&self) -> &[u8] {
        let start = self
            .iter()
            .position(|&b| !is_white(b))
            .unwrap_or(self.len());
        self.get(start..).unwrap_or_default()
    }

    fn trim_end_white(&self) -> &[u8] {
        let end = self
            .iter()
            .rposition(|&b| !is_white(b))
            .map_or(0, |last| last + 1);
        self.get(..end).unwrap_or_default()
    }
}
