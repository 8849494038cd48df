-- title: From which release to which syscalls check a privilege
-- description: For each syscall that comes to a check of one privilege, the unbroken runs of releases in which it does; `reach` is that of the last release of the run, and `open` is 1 for a run that reaches the newest release of the database. `gap_before` and `gap_after` are the nearest releases without it, where mainline releases between are not in the database: it came, or went, anywhere there.
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: CAP_SYS_CHROOT)
-- param reach: direct, call or pointer (default: all three)
-- param abi: a system-call table (default: i386)
-- param withheld: 1 to show also what is not in telling_checks (default: 0)
with asked as (
    select
        privilege,
        {{abi_or_i386}} as abi,
        nullif(trim(:reach), '') as reach,
        coalesce(trim(:withheld), '') not in ('', '0') as withheld
    from asked_privileges
    where asked = coalesce(nullif(lower(trim(:privilege)), ''), 'cap_sys_chroot')
),
held as (
    select runs.*
    from syscall_privilege_runs as runs
    where abi = (select abi from asked)
        and coalesce(capability, check_name) = (select privilege from asked)
        and coalesce((select reach from asked), reach) = reach
        and (telling = 1 or (select withheld from asked))
),
-- A run of evidence ends where its reach changes; whether the privilege is asked for goes on.
numbered as (
    select release, ordinal, row_number() over (order by ordinal) as position from releases
),
joined as (
    select
        held.*,
        opening.position as first_position,
        max(closing.position) over (
            partition by held.syscall order by held.first_ordinal, held.last_ordinal
            rows between unbounded preceding and 1 preceding
        ) as covered
    from held
    join numbered as opening on opening.ordinal = held.first_ordinal
    join numbered as closing on closing.ordinal = held.last_ordinal
),
islands as (
    select
        joined.*,
        sum(covered is null or first_position > covered + 1) over (
            partition by syscall order by first_ordinal, last_ordinal
        ) as island
    from joined
),
ended as (
    select islands.*, max(last_ordinal) over (partition by syscall, island) as end_ordinal
    from islands
),
runs as (
    select
        syscall,
        min(first_ordinal) as first_ordinal,
        end_ordinal as last_ordinal,
        max(open) as open,
        min(case reach when 'direct' then 0 when 'call' then 1 else 2 end)
            filter (where last_ordinal = end_ordinal) as nearest
    from ended
    group by syscall, island
)
select
    asked.abi,
    runs.syscall,
    asked.privilege,
    case runs.nearest when 0 then 'direct' when 1 then 'call' else 'pointer' end as reach,
    (select release from releases where ordinal = runs.first_ordinal) as first_release,
    (select release from releases where ordinal = runs.last_ordinal) as last_release,
    runs.open,
    {{gap_before runs.first_ordinal}} as gap_before,
    case when not runs.open then {{gap_after runs.last_ordinal}} end as gap_after
from runs, asked
order by
    min(runs.nearest) over (partition by runs.syscall), runs.syscall, runs.first_ordinal
