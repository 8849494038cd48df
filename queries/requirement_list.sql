-- title: What is asked for in a release, by operation
-- description: The requirements of one release that are told (own and shared), each with its best evidence, without the chain: of one syscall, of one privilege, or all. `operation` is what the syscall is asked to do, empty where the arguments do not select the way; `instead` lists what does as well.
-- param syscall: the name that user space knows it by (default: all)
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: all)
-- param release: a release (default: the newest in the database)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
-- param withheld: 1 to show also what is remote or switched off (default: 0)
with asked as (
    select
        nullif(trim(:syscall), '') as syscall,
        privilege,
        release,
        coalesce(nullif(trim(:abi), ''), abi) as abi,
        coalesce(trim(:withheld), '') not in ('', '0') as withheld
    from asked_releases, asked_privileges
    where asked_releases.asked = {{without_v :release}}
        and asked_privileges.asked = lower(trim(coalesce(:privilege, '')))
)
select
    release, abi, syscall, operation, privilege, instead, effect, errno, subject, namespace,
    standing, sites, check_name, capability, reach, depth, pointer_hops, function, path, line,
    shared_by
from requirements
where release = (select release from asked)
    and abi = (select abi from asked)
    and coalesce((select syscall from asked), syscall) = syscall
    and coalesce((select privilege from asked), privilege) = privilege
    and (standing in ('own', 'shared') or (select withheld from asked))
order by
    case standing when 'own' then 0 when 'shared' then 1 when 'remote' then 2 else 3 end,
    case reach when 'direct' then 0 when 'call' then 1 else 2 end,
    syscall, operation, shared_by, pointer_hops, depth, path, line
