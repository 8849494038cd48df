-- title: A syscall's checks through all releases
-- description: Every check that a syscall comes to, each with the unbroken runs of releases in which it does; `line`, `reach` and `shared_by` are those of the last release of the run, and `open` is 1 for a run that reaches the newest release of the database.
-- param syscall: the name that user space knows it by (default: chroot)
-- param abi: a system-call table (default: i386)
-- param withheld: 1 to show also what is not in telling_checks (default: 0)
with asked as (
    select
        coalesce(nullif(trim(:syscall), ''), 'chroot') as syscall,
        coalesce(nullif(trim(:abi), ''), 'i386') as abi,
        coalesce(trim(:withheld), '') not in ('', '0') as withheld
),
numbered as (
    select release, row_number() over (order by ordinal) as position from releases
),
checks as (
    select release, check_name, capability, reach, function, path, line, shared_by
    from telling_checks
    where syscall = (select syscall from asked)
        and abi = (select abi from asked)
        and not (select withheld from asked)
    union all
    select release, check_name, capability, reach, function, path, line, shared_by
    from syscall_checks
    where syscall = (select syscall from asked)
        and abi = (select abi from asked)
        and (select withheld from asked)
),
held as (
    select
        checks.check_name, checks.capability, checks.function, checks.path,
        numbered.position,
        min(case checks.reach when 'direct' then 0 when 'call' then 1 else 2 end) as nearest,
        min(checks.shared_by) as shared_by,
        min(checks.line) as line
    from checks
    join numbered on numbered.release = checks.release
    group by checks.check_name, checks.capability, checks.function, checks.path, numbered.position
),
islands as (
    select
        held.*,
        position - row_number() over (
            partition by check_name, capability, function, path order by position
        ) as island
    from held
),
runs as (
    -- Bare columns of a query with one max() are those of its row: SQLite's own rule.
    select
        check_name, capability, function, path, line, nearest, shared_by,
        max(position) as last_position,
        count(*) as releases
    from islands
    group by check_name, capability, function, path, island
)
select
    asked.abi,
    asked.syscall,
    (
        select release from numbered where position = runs.last_position - runs.releases + 1
    ) as first_release,
    (select release from numbered where position = runs.last_position) as last_release,
    runs.last_position = (select count(*) from numbered) as open,
    runs.check_name,
    runs.capability,
    case runs.nearest when 0 then 'direct' when 1 then 'call' else 'pointer' end as reach,
    runs.function,
    runs.path,
    runs.line,
    runs.shared_by
from asked, runs
order by
    runs.last_position - runs.releases, runs.nearest, runs.shared_by, runs.path, runs.line
