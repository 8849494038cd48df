-- Requirements that name an operation that is asked for, in the release $1 of asked.
select syscall, {{one_spelling operation}} as operation, privilege, standing, '$1' as "end"
from requirements
where release = (select $1 from asked)
    and abi = (select abi from asked)
    and syscall in (select syscall from wanted)
    and operation <> ''
    and ({{matches_operation operation}})
