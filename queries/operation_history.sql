-- title: Since which release an operation asks for which privilege
-- description: For each operation, what it asks for from which release to which; what it means and where it is checked are as in the last release of the run, and `open` is 1 for a run that reaches the newest release of the database. `gap_before` and `gap_after` are the nearest releases without it, where mainline releases between are not in the database: it came, or went, anywhere there.
-- param operation: an operation, with * for any text (default: MS_REMOUNT)
-- param syscall: the name that user space knows it by (default: all)
-- param privilege: a capability (with or without CAP_), suser, fsuser or uid0 (default: every privilege)
-- param abi: a system-call table (default: i386)
-- param everything: 1 to show also remote requirements (default: 0)
with asked as (
    select
        nullif(trim(:syscall), '') as syscall,
        privilege,
        {{abi_or_i386}} as abi
    from asked_privileges
    where asked = lower(trim(coalesce(:privilege, '')))
),
-- Those names rather than a condition on each row: so their few rows are found by them.
wanted as materialized (
    select distinct operation
    from (
        select operation from syscall_operations
        where syscall = (select syscall from asked)
        union all
        select operation from syscall_requirement_runs
        where coalesce(trim(:syscall), '') = '' and operation <> ''
    )
    where {{between_slashes operation}} glob
        '*' || {{between_slashes coalesce(nullif(trim(:operation), ''), 'MS_REMOUNT')}} || '*'
),
found as materialized (
    select
        abi, syscall, operation, {{one_spelling operation}} as spelling, privilege,
        coalesce(namespace, '') = 'owner' as owned, {{is_told standing}} as told, first_ordinal,
        last_ordinal
    from syscall_requirement_runs
    where abi = (select abi from asked)
        and coalesce((select syscall from asked), syscall) = syscall
        and coalesce((select privilege from asked), privilege) = privilege
        and standing <> 'off'
        and operation in (select operation from wanted)
),
{{requirement_histories}}
select
    abi, syscall, operation, privilege, first_release, last_release, open, instead, effect, errno,
    subject, namespace, standing, sites, check_name, reach, function, path, line, gap_before,
    gap_after
from histories
order by syscall, {{one_spelling operation}}, begins, privilege, first_release
