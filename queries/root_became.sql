-- title: What became of the root checks
-- description: Every syscall that asked for root by suser or fsuser in the earlier of two releases, and what it asks for in the later one. `became` is `capability` where it asks for capabilities alone, `both` where for capabilities and still for root, `root` where for no capability, `nothing` where for nothing any more, and `removed` where it is gone. A remaining comparison of a uid with 0 counts as nothing. What only changes its standing does not count (see syscall_asked_runs).
-- param from: the earlier release (default: the last 2.0 in the database)
-- param to: the later release (default: the last 2.2 in the database)
-- param abi: a system-call table (default: i386)
with asked as (
    select
        {{asked_ends}},
        {{abi_or_i386}} as abi
),
states as (
    select releases.release, timeline.syscall, timeline.checks
    from syscall_timeline as timeline
    join asked on timeline.abi = asked.abi
    join releases on releases.release in (asked.from_release, asked.to_release)
        and releases.ordinal between timeline.first_ordinal and timeline.last_ordinal
)
select
    asked.abi,
    earlier.syscall,
    asked.from_release,
    asked.to_release,
    earlier.checks as before,
    later.checks as after,
    case
        when later.checks is null then 'removed'
        when {{names_capability later.checks}} and {{names_root later.checks}} then 'both'
        when {{names_capability later.checks}} then 'capability'
        when {{names_root later.checks}} then 'root'
        else 'nothing'
    end as became
from asked
join states as earlier on earlier.release = asked.from_release
left join states as later
    on later.release = asked.to_release and later.syscall = earlier.syscall
where {{names_root earlier.checks}}
order by
    case became
        when 'capability' then 0 when 'both' then 1 when 'root' then 2 when 'nothing' then 3 else 4
    end,
    earlier.syscall
