-- title: A capability through the releases
-- description: One capability in each release that defines it: its number, where it is defined, what the source says of it, how many check sites ask for it and how many syscalls come to one (by a row of telling_checks).
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
reached as materialized (
    select distinct syscall, first_ordinal, last_ordinal
    from syscall_privilege_runs
    where capability = (select capability from asked)
        and abi = (select abi from asked)
        and telling = 1
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
    ) as syscalls
from capability_definitions as defined
join releases on releases.release = defined.release
where defined.capability = (select capability from asked)
order by releases.ordinal
