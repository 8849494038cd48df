-- title: Which syscall checks which capability
-- description: Every pair of a syscall and a capability that it comes to a check of in one release, with its best evidence: rows of telling_checks before others, then the nearest. `telling` is 0 where no row of telling_checks stands behind the pair, and `sites` counts the check sites.
-- param release: a release (default: the newest in the database)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
-- param withheld: 1 to show also what is not in telling_checks (default: 0)
with asked as (
    select
        release,
        coalesce(nullif(trim(:abi), ''), abi) as abi,
        coalesce(trim(:withheld), '') not in ('', '0') as withheld
    from asked_releases
    where asked = {{without_v :release}}
),
-- Materialised: SQLite would else look up what it shows of a row again to sort by it.
checks as materialized (
    select * from weighed_checks
    where release = (select release from asked)
        and abi = (select abi from asked)
        and capability is not null
        and (telling = 1 or (select withheld from asked))
),
ranked as (
    select
        *,
        count(*) over (partition by syscall, capability, telling) as sites,
        row_number() over (
            partition by syscall, capability
            order by
                telling desc, feasible desc,
                case reach when 'direct' then 0 when 'call' then 1 else 2 end,
                shared_by, pointer_hops, depth, path, line
        ) as rank
    from checks
)
select
    release, abi, syscall, capability, check_name, telling, feasible, reach, depth, pointer_hops,
    shared_by, effect, errno, function, path, line, chain, sites
from ranked
where rank = 1
order by
    telling desc, feasible desc,
    case reach when 'direct' then 0 when 'call' then 1 else 2 end,
    shared_by, pointer_hops, depth, syscall, capability
