-- title: Which two releases are compared
-- description: The two releases that the question “What changed between two releases” compares, also where nothing changed between them.
-- param from: the earlier release (default: the last 2.0 in the database)
-- param to: the later release (default: the last 2.2 in the database)
select
    coalesce(
        nullif(ltrim(trim(:from), 'vV'), ''),
        (select from_release from usual_ends)
    ) as "from",
    coalesce(
        nullif(ltrim(trim(:to), 'vV'), ''),
        (select to_release from usual_ends)
    ) as "to"
