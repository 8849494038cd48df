-- title: Which syscall checks which capability
-- description: Every pair of a syscall and a capability that it asks for in one release, with its best evidence: own requirements before shared and remote ones, then the nearest. `operations` and `errors` are JSON arrays of all by which the syscall asks for it with this standing (an operation may be empty), and `sites` counts the check sites.
-- param release: a release (default: the newest in the database)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
-- param everything: 1 to show also remote and switched off requirements (default: 0)
with asked as (
    select
        release,
        coalesce(nullif(trim(:abi), ''), abi) as abi,
        {{all_asked}} as everything
    from asked_releases
    where asked = {{without_v :release}}
),
-- Those names rather than a condition on each row: by them few rows of other releases are read.
wanted as materialized (
    select distinct syscall from syscalls
    where release = (select release from asked)
        and abi = (select abi from asked)
),
-- Without the chains, which take longest to make: they are looked up for what is shown.
found as materialized (
    select
        release, abi, syscall, privilege, capability, check_name, standing, reach, depth,
        pointer_hops, shared_by, effect, errno, instead, subject, namespace, function, path, line,
        sites, operation
    from requirements
    where release = (select release from asked)
        and abi = (select abi from asked)
        and syscall in (select syscall from wanted)
        and capability is not null
        and ({{is_told standing}} or (select everything from asked))
),
ranked as (
    select
        *,
        json_group_array(operation) over alike as operations,
        json_group_array(errno) over alike as errors,
        sum(sites) over alike as all_sites,
        row_number() over (
            partition by syscall, capability
            order by
                {{standing_order}}, path, line, operation
        ) as rank
    from found
    window alike as (partition by syscall, capability, standing)
)
select
    release, abi, syscall, capability, check_name, standing, reach, depth, pointer_hops, shared_by,
    effect, errno, instead, function, path, line,
    (
        select best.chain from requirements as best
        where best.release = ranked.release
            and best.abi = ranked.abi
            and best.syscall = ranked.syscall
            and best.privilege = ranked.privilege
            and best.operation = ranked.operation
            and best.effect = ranked.effect
            and best.errno is ranked.errno
            and best.instead = ranked.instead
            and best.subject = ranked.subject
            and best.namespace is ranked.namespace
    ) as chain,
    all_sites as sites, operations, errors
from ranked
where rank = 1
order by
    {{standing_order}}, syscall, capability
