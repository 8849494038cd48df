-- title: What changed between two releases
-- description: Every syscall whose checked privileges differ between two releases. `became` groups them: `capability` where a root check became a capability, `gained` and `lost` where there was nothing before or after, `added` and `removed` for syscalls that only one of the two releases has, `changed` for the rest. Only rows of telling_checks count.
-- param from: the earlier release (default: the last 2.0 in the database)
-- param to: the later release (default: the last 2.2 in the database)
-- param abi: a system-call table (default: i386)
with asked as (
    select
        coalesce(
            nullif(ltrim(trim(:from), 'vV'), ''),
            (select from_release from usual_ends)
        ) as from_release,
        coalesce(
            nullif(ltrim(trim(:to), 'vV'), ''),
            (select to_release from usual_ends)
        ) as to_release,
        coalesce(nullif(trim(:abi), ''), 'i386') as abi
),
states as (
    select releases.release, timeline.syscall, timeline.checks
    from syscall_timeline as timeline
    join asked on timeline.abi = asked.abi
    join releases on releases.release in (asked.from_release, asked.to_release)
        and releases.ordinal between timeline.first_ordinal and timeline.last_ordinal
),
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
        when before not like '%CAP#_%' escape '#' and after like '%CAP#_%' escape '#'
            then 'capability'
        else 'changed'
    end as became
from compared, asked
where coalesce(compared.before, '') <> coalesce(compared.after, '')
order by
    case became
        when 'capability' then 0 when 'changed' then 1 when 'gained' then 2
        when 'lost' then 3 when 'added' then 4 else 5
    end,
    compared.syscall
