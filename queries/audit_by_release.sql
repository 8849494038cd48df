-- title: How completely each release was read
-- description: For each release, how many times the name of a check occurs outside comments and strings and what each occurrence is; `unexplained` is what nobody could account for. Then the check sites, those of them without a function around them and those whose effect could not be read from the syntax; the functions found, and those whose syntax tree holds an error; and the calls through pointers with how many of them have a target by type.
-- param release: a release (default: all)
with asked as (
    select nullif(ltrim(trim(:release), 'vV'), '') as release
),
sites as (
    select
        release, count(*) as sites,
        sum(function is null) as without_function,
        sum(effect = 'unknown') as effect_unknown
    from check_sites
    where (select release from asked) is null or release = (select release from asked)
    group by release
)
select
    audit.release, audit.lexical, audit.calls, audit.macros, audit.definitions,
    audit.declarations, audit.unexplained, coalesce(sites.sites, 0) as sites,
    coalesce(sites.without_function, 0) as without_function,
    coalesce(sites.effect_unknown, 0) as effect_unknown, audit.functions, audit.parse_errors,
    audit.pointer_calls, audit.pointer_calls_resolved
from audit
join releases on releases.release = audit.release
left join sites on sites.release = audit.release
where coalesce((select release from asked), audit.release) = audit.release
order by releases.ordinal
