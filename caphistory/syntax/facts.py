"""What is read from one file: plain records.

Lines inside an item count from 0 at the item's first line, so that an item whose
text did not change keeps its facts wherever it moves in its file.

A *place* is a string that says where a value is kept, as far as one function's
text tells. Its first part is one of

``$name``          a parameter or local variable of the function itself
``:name``          a name from outside the function (a global, a macro, a function)
``name()``         what a call of ``name`` returns, with the places of the arguments between
                   the parentheses (``name(struct sock/ops)``, see ``notation``)
``?``              nobody knows what
``struct tag``     something of that type (also ``union tag`` or a typedef's name)

and each further part, after a ``>``, is a member (``struct sock>ops>bind`` for
``sock->ops->bind`` where ``sock`` is a ``struct sock *``). Pointers and arrays
are not told apart from what they point to or hold: C's own types do that.
"""

from __future__ import annotations

from typing import NamedTuple

from caphistory.syntax.guards import Expr


class Call(NamedTuple):
    """A call in a function or macro body.

    ``target`` is a bare name, or a place when the call goes through a pointer
    (``pointer``). ``arguments`` holds for each argument a number, a place, or the
    empty string for anything else. ``conditional`` is 1 under an if, a switch, a loop
    or on the right side of ``&&``, ``||`` or ``?``. ``effect`` and ``errno`` say what
    a false result does (see ``effects``). ``case`` is the label of the innermost
    ``case`` that has a name. ``condition`` is the preprocessor condition inside the item.
    ``guards`` are conditions on parameters that all hold where it runs, ``passes`` the
    arguments, both as ``guards.Expr``.
    """

    line: int
    target: str
    pointer: bool
    arguments: tuple[str, ...]
    conditional: int
    effect: str
    errno: str
    case: str
    condition: str
    guards: tuple[Expr, ...] = ()
    passes: tuple[Expr, ...] = ()


class UidTest(NamedTuple):
    """A place where a uid of a task is compared with 0, or used as a truth value."""

    line: int
    text: str
    conditional: int
    effect: str
    errno: str
    condition: str
    guards: tuple[Expr, ...] = ()


class Flow(NamedTuple):
    """A value that may be a function goes from place ``source`` to place ``target``."""

    line: int
    target: str
    source: str


class Parameter(NamedTuple):
    """A parameter or variable: its name and the type it has without qualifiers,
    pointers and array bounds (empty where it cannot be told)."""

    name: str
    type: str


class Function(NamedTuple):
    """A function definition. ``name`` is empty for statements outside any function; ``line``
    is where the name stands and ``end`` where the function ends; ``returns`` is a type as in
    ``Parameter``; ``relays`` names what the body returns if it only passes calls on
    (``return capable(…) || capable(…);``); ``error`` says that its syntax tree holds an
    error. ``sets`` are the values that variables and their members are given
    (``$attr>ia_valid``); ``variables`` those local ones that are handed to calls as they are."""

    name: str
    line: int
    end: int
    static: bool
    inline: bool
    parameters: tuple[Parameter, ...]
    returns: str
    calls: tuple[Call, ...]
    uid_tests: tuple[UidTest, ...]
    flows: tuple[Flow, ...]
    relays: tuple[str, ...]
    error: bool
    sets: tuple[tuple[str, Expr], ...] = ()
    variables: tuple[Parameter, ...] = ()


class Macro(NamedTuple):
    """A ``#define``. ``parameters`` is None for an object-like macro; ``alias`` is the
    single name that the body consists of and ``place`` the place that it denotes; ``flows``
    and ``stored`` are what it stores, where it is a statement, a braced list or a declaration
    of a variable. In all of them ``$name`` is a parameter."""

    name: str
    parameters: tuple[str, ...] | None
    calls: tuple[Call, ...]
    uid_tests: tuple[UidTest, ...]
    relays: tuple[str, ...]
    alias: str
    place: str
    flows: tuple[Flow, ...] = ()
    stored: tuple[Stored, ...] = ()


class Struct(NamedTuple):
    """A struct or union: ``tag`` as ``struct sock``; members in order."""

    tag: str
    members: tuple[Parameter, ...]


class Typedef(NamedTuple):
    """A typedef of a type (not of a function pointer)."""

    name: str
    type: str


class Variable(NamedTuple):
    """A variable outside functions; ``static`` limits it to its file."""

    name: str
    type: str
    static: bool
    array: bool


class Stored(NamedTuple):
    """A name in an initialiser: in ``variable`` (a place) of ``type``, at ``path``
    (a member's name, or ``#n`` for the n-th place of a braced list), stands ``source``: a name
    from outside (``:inet_bind``) or the use of a macro (``CTL(:name,:handler)``)."""

    line: int
    variable: str
    type: str
    path: tuple[str, ...]
    source: str


class Item(NamedTuple):
    """The facts of one stretch of a file: a function, a declaration or a macro."""

    functions: tuple[Function, ...] = ()
    macros: tuple[Macro, ...] = ()
    structs: tuple[Struct, ...] = ()
    typedefs: tuple[Typedef, ...] = ()
    variables: tuple[Variable, ...] = ()
    stored: tuple[Stored, ...] = ()


class Placed(NamedTuple):
    """An item in a file: its first line (from 1), its enclosing preprocessor
    condition, and the key under which its ``Item`` is kept."""

    line: int
    condition: str
    key: bytes


class Blob(NamedTuple):
    """The facts of one content of a file. ``mentions`` are the places where a check's
    name occurs outside comments and strings, as (line, name, kind): the lexical
    count. ``kind`` is ``call`` (a parenthesis follows), ``declaration`` (in a prototype) or
    ``name`` (anything else, such as a member of that name). ``includes`` are the names of
    included files with the sign before them (``<asm/io.h``, ``"hosts.h``); ``required`` are
    those that stand under no preprocessor condition; ``constants`` the macros without parameters
    (see ``constants.defined``)."""

    items: tuple[Placed, ...]
    includes: tuple[str, ...]
    mentions: tuple[tuple[int, str, str], ...]
    required: tuple[str, ...] = ()
    constants: bytes = b""


NOTHING = Item()
