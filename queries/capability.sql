-- title: A capability through the releases
-- description: One capability in each release that defines it: its number, where it is defined, what the source says of it, how many check sites ask for it and how many syscalls do (see syscall_asked_runs). `gap_before` and `gap_after` are the releases before and after it that do not define it, where mainline releases between are not in the database: it came, or went, anywhere there.
-- param capability: its name, with or without CAP_ (default: CAP_SYS_ADMIN)
-- param abi: the system-call table whose syscalls are counted (default: i386)
with asked as (
    select
        privilege as capability,
        {{abi_or_i386}} as abi
    from asked_privileges
    where asked = coalesce(nullif(lower(trim(:capability)), ''), 'cap_sys_admin')
),
sites as materialized (
    select first_ordinal, last_ordinal
    from check_site_runs
    where capability = (select capability from asked)
),
holding as materialized (
    select release from capability_definitions
    where capability = (select capability from asked)
),
reached as materialized (
    select distinct syscall, first_ordinal, last_ordinal
    from syscall_asked_runs
    where privilege = (select capability from asked)
        and abi = (select abi from asked)
)
select
    releases.release,
    defined.capability,
    defined.number,
    defined.path,
    defined.line,
    defined.doc,
    (
        select count(*) from sites
        where releases.ordinal between sites.first_ordinal and sites.last_ordinal
    ) as sites,
    (
        select count(distinct reached.syscall) from reached
        where releases.ordinal between reached.first_ordinal and reached.last_ordinal
    ) as syscalls,
    (
        select from_release from neighbours
        where to_ordinal = releases.ordinal and missing > 0 and from_release not in holding
    ) as gap_before,
    (
        select to_release from neighbours
        where from_ordinal = releases.ordinal and missing > 0 and to_release not in holding
            and to_ordinal
            = (select min(ordinal) from releases as later where later.ordinal > releases.ordinal)
    ) as gap_after
from capability_definitions as defined
join releases on releases.release = defined.release
where defined.capability = (select capability from asked)
order by releases.ordinal
