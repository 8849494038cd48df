-- title: How completely each release was read
-- description: For each release, how many times the name of a check occurs outside comments and strings and what each occurrence is; `unexplained` is what nobody could account for. Then the check sites, those of them without a function around them and those whose effect could not be read from the syntax; the functions found, and those whose syntax tree holds an error; and the calls through pointers with how many of them have a target by type.
-- param release: a release (default: all)
with asked as (
    select nullif({{without_v :release}}, '') as release
),
-- Runs of releases added up where they begin and taken off behind their ends: looking up the
-- sites of each release would take several times as long.
steps as (
    select
        first_ordinal as ordinal, 1 as sites,
        function is null as without_function, effect = 'unknown' as effect_unknown
    from check_site_runs
    union all
    select last_ordinal + 1, -1, -(function is null), -(effect = 'unknown')
    from check_site_runs
    union all
    select ordinal, 0, 0, 0 from releases
),
sites as (
    select distinct
        ordinal,
        sum(sites) over up_to as sites,
        sum(without_function) over up_to as without_function,
        sum(effect_unknown) over up_to as effect_unknown
    from steps
    window up_to as (order by ordinal)
)
select
    audit.release, audit.lexical, audit.calls, audit.macros, audit.definitions,
    audit.declarations, audit.unexplained, sites.sites, sites.without_function,
    sites.effect_unknown, audit.functions, audit.parse_errors, audit.pointer_calls,
    audit.pointer_calls_resolved
from audit
join releases on releases.release = audit.release
join sites on sites.ordinal = releases.ordinal
where coalesce((select release from asked), audit.release) = audit.release
order by releases.ordinal
