-- title: A syscall's checks through all releases
-- description: Every check that a syscall comes to, each with the unbroken runs of releases in which it does; `line`, `reach` and `shared_by` are those of the last release of the run, and `open` is 1 for a run that reaches the newest release of the database. `gap_before` and `gap_after` are the nearest releases without it, where mainline releases between are not in the database: it came, or went, anywhere there.
-- param syscall: the name that user space knows it by (default: chroot)
-- param abi: a system-call table (default: i386, or x86_64 where only that has the syscall)
-- param withheld: 1 to show also what is not in telling_checks (default: 0)
with asked as (
    select
        coalesce(nullif(trim(:syscall), ''), 'chroot') as syscall,
        coalesce(trim(:withheld), '') not in ('', '0') as withheld
),
tables as (
    select coalesce(nullif(trim(:abi), ''), min(abi)) as abi
    from syscall_timeline
    where syscall = (select syscall from asked)
),
numbered as (
    select release, ordinal, row_number() over (order by ordinal) as position from releases
),
-- Materialised: the ends of its rows are expressions, by which no release can be looked up, and
-- SQLite would else find the rows anew for each release.
found as materialized (
    select
        check_name, capability, function, path, line, reach, shared_by, first_ordinal,
        last_ordinal
    from syscall_check_runs
    where syscall = (select syscall from asked)
        and abi = (select abi from tables)
        and (telling = 1 or (select withheld from asked))
),
-- Evidence that follows other evidence of the same check goes on with its run.
evidence as (
    select
        found.check_name, found.capability, found.function, found.path, found.line,
        found.shared_by,
        case found.reach when 'direct' then 0 when 'call' then 1 else 2 end as nearest,
        opening.position as first_position,
        closing.position as last_position
    from found
    join numbered as opening on opening.ordinal = found.first_ordinal
    join numbered as closing on closing.ordinal = found.last_ordinal
),
followed as (
    select
        evidence.*,
        max(last_position) over (
            partition by check_name, capability, function, path
            order by first_position, last_position
            rows between unbounded preceding and 1 preceding
        ) as covered
    from evidence
),
islands as (
    select
        followed.*,
        sum(covered is null or first_position > covered + 1) over (
            partition by check_name, capability, function, path
            order by first_position, last_position
        ) as island
    from followed
),
ended as (
    select
        islands.*,
        max(last_position) over (
            partition by check_name, capability, function, path, island
        ) as end_position
    from islands
),
runs as (
    select
        check_name, capability, function, path,
        min(first_position) as first_position,
        end_position,
        min(line) filter (where last_position = end_position) as line,
        min(nearest) filter (where last_position = end_position) as nearest,
        min(shared_by) filter (where last_position = end_position) as shared_by
    from ended
    group by check_name, capability, function, path, island
)
select
    tables.abi,
    asked.syscall,
    (select release from numbered where position = runs.first_position) as first_release,
    (select release from numbered where position = runs.end_position) as last_release,
    runs.end_position = (select count(*) from numbered) as open,
    runs.check_name,
    runs.capability,
    case runs.nearest when 0 then 'direct' when 1 then 'call' else 'pointer' end as reach,
    runs.function,
    runs.path,
    runs.line,
    runs.shared_by,
    {{gap_before opening.ordinal}} as gap_before,
    case
        when runs.end_position < (select count(*) from numbered)
            then {{gap_after closing.ordinal}}
    end as gap_after
from asked, tables, runs
join numbered as opening on opening.position = runs.first_position
join numbered as closing on closing.position = runs.end_position
order by runs.first_position, runs.nearest, runs.shared_by, runs.path, runs.line
