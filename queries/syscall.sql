-- title: What a syscall asks for through all releases
-- description: Every privilege that a syscall asks for, by operation, each with the unbroken runs of releases in which it does; what it means and where it is checked are as in the last release of the run, and `open` is 1 for a run that reaches the newest release of the database. `gap_before` and `gap_after` are the nearest releases without it, where mainline releases between are not in the database: it came, or went, anywhere there.
-- param syscall: the name that user space knows it by (default: chroot)
-- param operation: an operation, with * for any text (default: all)
-- param abi: a system-call table (default: i386, or x86_64 where only that has the syscall)
-- param everything: 1 to show also remote requirements (default: 0)
with asked as (
    select coalesce(nullif(trim(:syscall), ''), 'chroot') as syscall
),
tables as (
    select coalesce(nullif(trim(:abi), ''), min(abi)) as abi
    from syscall_timeline
    where syscall = (select syscall from asked)
),
-- Materialised: the ends of its rows are expressions, by which no release can be looked up, and
-- SQLite would else find the rows anew for each release.
found as materialized (
    select
        abi, syscall, operation, {{one_spelling operation}} as spelling, privilege,
        coalesce(namespace, '') = 'owner' as owned, {{is_told standing}} as told, first_ordinal,
        last_ordinal
    from syscall_requirement_runs
    where syscall = (select syscall from asked)
        and abi = (select abi from tables)
        and standing <> 'off'
        and ({{matches_operation operation}})
),
{{requirement_histories}}
select
    abi, syscall, operation, privilege, first_release, last_release, open, instead, effect, errno,
    subject, namespace, standing, sites, check_name, reach, function, path, line, gap_before,
    gap_after
from histories
order by {{one_spelling operation}}, begins, privilege, first_release
