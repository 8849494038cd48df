-- title: The capabilities of a release
-- description: Every capability that a release defines, with its number, how many check sites ask for it there, and how many syscalls do, and how many of these only in code that many share (`shared`).
-- param release: a release (default: the newest in the database)
-- param abi: the system-call table whose syscalls are counted (default: i386, from 3.0 on x86_64)
with asked as (
    select release, ordinal, coalesce(nullif(trim(:abi), ''), abi) as abi
    from asked_releases
    where asked = {{without_v :release}}
),
sites as (
    select runs.capability, count(*) as sites
    from check_site_runs as runs
    join asked on asked.ordinal between runs.first_ordinal and runs.last_ordinal
    group by runs.capability
),
{{reached_capabilities asked}}
select
    defined.release,
    defined.capability,
    defined.number,
    coalesce(sites.sites, 0) as sites,
    coalesce(reached.syscalls, 0) as syscalls,
    coalesce(reached.shared, 0) as shared,
    defined.path,
    defined.line,
    defined.doc
from capability_definitions as defined
join asked on defined.release = asked.release
left join sites on sites.capability = defined.capability
left join reached on reached.capability = defined.capability
order by defined.number is null, defined.number, defined.capability
