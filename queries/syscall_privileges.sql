-- title: Since when a syscall checks each privilege
-- description: The unbroken runs of releases in which a syscall comes to a check of each privilege, all its check sites taken together; `open` is 1 for a run that reaches the newest release of the database.
-- param syscall: the name that user space knows it by (default: setgid)
-- param abi: a system-call table (default: i386, or x86_64 where only that has the syscall)
-- param withheld: 1 to show also what is not in telling_checks (default: 0)
with runs as (
    select * from syscall_privilege_runs
    where syscall = coalesce(nullif(trim(:syscall), ''), 'setgid')
)
select
    abi, syscall, check_name, capability, reach, feasible, telling, first_release, last_release,
    open
from runs
where abi = coalesce(nullif(trim(:abi), ''), (select min(abi) from runs))
    and (telling = 1 or coalesce(trim(:withheld), '') not in ('', '0'))
order by
    coalesce(capability, check_name) like 'CAP#_%' escape '#',
    coalesce(capability, check_name), check_name, first_ordinal
