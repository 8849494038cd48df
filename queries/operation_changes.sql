-- title: What changed between two releases, by operation
-- description: Every operation of a syscall that asks for other privileges in one of two releases than in the other. `became` groups them as in what changed between two releases: `added` and `removed` are operations that only one of the two asks a privilege for. A privilege counts that is an own or shared requirement in at least one of the two, in each where the operation comes to a check of it at all (in any standing but off). `missing` counts the mainline releases between the two that are not in the database: what changed there may have come in any of them.
-- param from: the earlier release (default: the last 2.0 in the database)
-- param to: the later release (default: the last 2.2 in the database)
-- param operation: an operation, with * for any text (default: all)
-- param syscall: the name that user space knows it by (default: all)
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: every privilege)
-- param abi: a system-call table (default: i386)
with recursive asked as (
    select
        {{asked_ends}},
        {{abi_or_i386}} as abi,
        nullif(trim(:syscall), '') as syscall,
        privilege
    from asked_privileges
    where asked = lower(trim(coalesce(:privilege, '')))
),
-- Those names rather than a condition on each row: by them few rows of other releases are read.
wanted as materialized (
    select distinct syscall from syscall_timeline
    where abi = (select abi from asked)
        and coalesce((select syscall from asked), syscall) = syscall
),
of_each as materialized (
    {{named_operations from_release}}
    union all
    {{named_operations to_release}}
),
asks as (
    select
        syscall, operation, privilege,
        max("end" = 'from_release') as earlier, max("end" = 'to_release') as later
    from of_each
    where standing <> 'off'
    group by syscall, operation, privilege
    having max({{is_told standing}})
),
compared as (
    select
        syscall,
        operation,
        group_concat(case when earlier then privilege end, ', ') as before,
        group_concat(case when later then privilege end, ', ') as after
    from (select * from asks order by syscall, operation, privilege)
    group by syscall, operation
),
{{asked_line}}
select
    asked.abi,
    compared.syscall,
    compared.operation,
    asked.from_release,
    asked.to_release,
    compared.before,
    compared.after,
    case
        when before is null then 'added'
        when after is null then 'removed'
        when not {{names_capability before}} and {{names_capability after}}
            then 'capability'
        else 'changed'
    end as became,
    (select coalesce(sum(missing), 0) from line) as missing
from compared, asked
where coalesce(compared.before, '') <> coalesce(compared.after, '')
    and (
        asked.privilege is null
        or instr(', ' || coalesce(before, '') || ',', ' ' || asked.privilege || ',') > 0
        or instr(', ' || coalesce(after, '') || ',', ' ' || asked.privilege || ',') > 0
    )
order by
    case became when 'capability' then 0 when 'changed' then 1 when 'added' then 2 else 3 end,
    compared.syscall, compared.operation
