-- title: What changed between two releases
-- description: Every syscall whose checked privileges differ between two releases. `became` groups them: `capability` where a root check became a capability, `gained` and `lost` where there was nothing before or after, `added` and `removed` for syscalls that only one of the two releases has, `changed` for the rest. A privilege counts that is an own or shared requirement in at least one of the two, in each where the syscall comes to a check of it at all (in any standing but off). `missing` counts the mainline releases between the two that are not in the database: what changed there may have come in any of them.
-- param from: the earlier release (default: the last 2.0 in the database)
-- param to: the later release (default: the last 2.2 in the database)
-- param abi: a system-call table (default: i386)
with recursive asked as (
    select
        {{asked_ends}},
        {{abi_or_i386}} as abi
),
ends as (
    select releases.release, releases.ordinal
    from releases, asked
    where releases.release in (asked.from_release, asked.to_release)
),
-- A check that only came to be shared by more syscalls is not lost.
asks as (
    select
        ends.release,
        runs.syscall,
        runs.privilege,
        max({{is_told runs.standing}}) over (
            partition by runs.syscall, runs.privilege
        ) as counts
    from syscall_privilege_runs as runs
    join ends on ends.ordinal between runs.first_ordinal and runs.last_ordinal
    where runs.abi = (select abi from asked) and runs.standing <> 'off'
),
said as (
    select release, syscall, group_concat(privilege, ', ') as checks
    from (select * from asks where counts = 1 order by release, syscall, privilege)
    group by release, syscall
),
states as materialized (
    select ends.release, timeline.syscall, coalesce(said.checks, '') as checks
    from syscall_timeline as timeline
    join ends on ends.ordinal between timeline.first_ordinal and timeline.last_ordinal
    left join said on said.release = ends.release and said.syscall = timeline.syscall
    where timeline.abi = (select abi from asked)
),
{{asked_line}},
compared as (
    select
        names.syscall,
        earlier.checks as before,
        later.checks as after
    from (select distinct syscall from states) as names
    join asked
    left join states as earlier
        on earlier.syscall = names.syscall and earlier.release = asked.from_release
    left join states as later
        on later.syscall = names.syscall and later.release = asked.to_release
)
select
    asked.abi,
    compared.syscall,
    asked.from_release,
    asked.to_release,
    compared.before,
    compared.after,
    case
        when before is null then 'added'
        when after is null then 'removed'
        when before = '' then 'gained'
        when after = '' then 'lost'
        when not {{names_capability before}} and {{names_capability after}}
            then 'capability'
        else 'changed'
    end as became,
    (select coalesce(sum(missing), 0) from line) as missing
from compared, asked
where coalesce(compared.before, '') <> coalesce(compared.after, '')
order by
    case became
        when 'capability' then 0 when 'changed' then 1 when 'gained' then 2
        when 'lost' then 3 when 'added' then 4 else 5
    end,
    compared.syscall
