-- title: What a syscall checks, from release to release
-- description: The unbroken runs of releases in which a syscall checks the same privileges; `checks` is empty where it checks none, and `open` is 1 for the run that reaches the newest release of the database. Only rows of telling_checks count.
-- param syscall: the name that user space knows it by (default: setgid)
-- param abi: a system-call table (default: i386)
select abi, syscall, checks, first_release, last_release, open
from syscall_timeline
where syscall = coalesce(nullif(trim(:syscall), ''), 'setgid')
    and abi = coalesce(nullif(trim(:abi), ''), 'i386')
order by first_ordinal
