-- title: Since when a syscall asks for what it asks for
-- description: For each operation, privilege and user namespace that a syscall asks for in one release, the first release of the unbroken run of releases up to it in which it does so; before there were user namespaces, all was asked in the first one (init). `gap_before` is the release before that, where mainline releases between the two are not in the database: it came anywhere there.
-- param syscall: the name that user space knows it by (default: setgid)
-- param release: a release (default: the newest in the database)
-- param operation: an operation, with * for any text (default: all)
-- param abi: a system-call table (default: i386, from 3.0 on x86_64)
with recursive asked as (
    select
        coalesce(nullif(trim(:syscall), ''), 'setgid') as syscall,
        ordinal,
        coalesce(nullif(trim(:abi), ''), abi) as abi
    from asked_releases
    where asked = {{without_v :release}}
),
runs as materialized (
    select
        operation, {{one_spelling operation}} as spelling, privilege,
        coalesce(namespace, 'init') as namespace, first_ordinal, last_ordinal
    from syscall_requirement_runs
    where syscall = (select syscall from asked)
        and abi = (select abi from asked)
        and standing <> 'off'
        and first_ordinal <= (select ordinal from asked)
        and ({{matches_operation operation}})
),
-- Each run with the position of the release before it: a run that ends there, or later, adjoins.
placed as materialized (
    select
        runs.*,
        (select max(ordinal) from releases where ordinal < runs.first_ordinal) as before
    from runs
    where (spelling, privilege, namespace) in (
        select spelling, privilege, namespace from runs
        where last_ordinal >= (select ordinal from asked)
    )
),
chained as (
    select operation, spelling, privilege, namespace, first_ordinal, before
    from placed, asked
    where asked.ordinal between first_ordinal and last_ordinal
    union
    select
        chained.operation, earlier.spelling, earlier.privilege, earlier.namespace,
        earlier.first_ordinal, earlier.before
    from chained
    join placed as earlier
        on earlier.spelling = chained.spelling and earlier.privilege = chained.privilege
        and earlier.namespace = chained.namespace
        and earlier.first_ordinal < chained.first_ordinal
        and earlier.last_ordinal >= chained.before
),
begun as (
    select operation, privilege, namespace, min(first_ordinal) as first_ordinal
    from chained
    group by operation, privilege, namespace
)
select
    begun.operation,
    begun.privilege,
    begun.namespace,
    (select release from releases where ordinal = begun.first_ordinal) as first_release,
    {{gap_before begun.first_ordinal}} as gap_before
from begun
order by begun.operation, begun.privilege, begun.namespace
