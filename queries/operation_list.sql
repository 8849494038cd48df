-- title: The operations that ask for a privilege
-- description: Every operation by which a syscall comes to a check in any release, by the names that the source gives to what is asked of it.
-- param syscall: the name that user space knows it by (default: all)
select distinct syscall, operation
from syscall_operations
where coalesce(nullif(trim(:syscall), ''), syscall) = syscall
order by syscall, operation
