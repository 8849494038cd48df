-- title: How a capability was defined, through the releases
-- description: The definitions of one capability, each with the first and the last release that holds it: its number, the file, the line in the last of these releases, and what the source says of it there. `gap_before` and `gap_after` are the nearest releases without it, where mainline releases between are not in the database.
-- param capability: its name, with or without CAP_ (default: CAP_SYS_ADMIN)
with asked as (
    select privilege as capability
    from asked_privileges
    where asked = coalesce(nullif(lower(trim(:capability)), ''), 'cap_sys_admin')
),
-- Bare columns of a query with one max() are those of its row: SQLite's own rule.
defined as (
    select
        definitions.capability, definitions.number, definitions.path, definitions.line,
        definitions.doc, definitions.release as last_release,
        max(releases.ordinal) as last_ordinal
    from asked
    join capability_definitions as definitions on definitions.capability = asked.capability
    join releases on releases.release = definitions.release
    group by definitions.number, definitions.path, definitions.doc
),
begun as (
    select
        definitions.number, definitions.path, definitions.doc,
        definitions.release as first_release,
        min(releases.ordinal) as first_ordinal
    from asked
    join capability_definitions as definitions on definitions.capability = asked.capability
    join releases on releases.release = definitions.release
    group by definitions.number, definitions.path, definitions.doc
)
select
    defined.capability, defined.number, begun.first_release, defined.last_release,
    defined.path, defined.line, defined.doc,
    {{gap_before begun.first_ordinal}} as gap_before,
    {{gap_after defined.last_ordinal}} as gap_after
from defined
join begun on begun.number is defined.number
    and begun.path = defined.path and begun.doc is defined.doc
order by begun.first_ordinal
