-- Histories of requirements, one for each syscall, operation, privilege and user namespace (that of
-- the owner, or the first), from found, which is of one system-call table: what they mean is that of
-- the last release. A run that follows another goes on with it; of runs that are told in less than
-- half of their releases nothing is said unless all is asked for.
numbered as (
    select release, ordinal, row_number() over (order by ordinal) as position from releases
),
-- Numbers in place of names from here on: SQLite copies all columns in each window.
named as materialized (
    select
        row_number() over (order by spelling, privilege, owned, syscall) as history,
        syscall, spelling, privilege, owned
    from (select distinct syscall, spelling, privilege, owned from found where told or {{all_asked}})
),
evidence as materialized (
    select
        named.history,
        opening.position as first_position,
        closing.position as last_position,
        found.told,
        found.operation,
        found.first_ordinal,
        found.last_ordinal
    from found
    cross join named on named.spelling = found.spelling
        and named.privilege = found.privilege
        and named.syscall = found.syscall
        and named.owned = found.owned
    cross join numbered as opening on opening.ordinal = found.first_ordinal
    cross join numbered as closing on closing.ordinal = found.last_ordinal
),
followed as (
    select
        history, first_position, last_position, told,
        max(last_position) over (
            partition by history order by first_position, last_position
            rows between unbounded preceding and 1 preceding
        ) as covered
    from evidence
),
islands as (
    select
        history, first_position, last_position, told,
        sum(covered is null or first_position > covered + 1) over (
            partition by history order by first_position, last_position
        ) as island
    from followed
),
spans as materialized (
    select
        history,
        island,
        min(first_position) as begins,
        max(last_position) as ends
    from islands
    group by history, island
    having {{all_asked}}
        or 2 * sum((last_position - first_position + 1) * told) > max(last_position) - min(first_position)
),
-- What is said of each is looked up for these few rows alone.
closing_runs as materialized (
    select
        spans.history, spans.island, spans.begins, spans.ends, named.syscall, named.privilege,
        named.owned, evidence.operation, evidence.first_ordinal, evidence.last_ordinal
    from spans
    cross join evidence on evidence.history = spans.history
        and evidence.last_position = spans.ends
    cross join named on named.history = spans.history
),
ranked as (
    select
        closing.history, closing.island, closing.begins, closing.ends,
        run.abi, run.syscall, run.operation, run.privilege, run.instead, run.effect, run.errno,
        run.subject, run.namespace, run.standing, run.sites, run.check_name, run.reach,
        run.function, run.path, run.line,
        row_number() over (
            partition by closing.history, closing.island
            order by {{standing_rank}}, run.pointer_hops, run.depth, run.path, run.line
        ) as rank
    from closing_runs as closing
    cross join syscall_requirement_runs as run on run.syscall = closing.syscall
        and run.privilege = closing.privilege
        and run.operation = closing.operation
        and run.first_ordinal = closing.first_ordinal
        and run.last_ordinal = closing.last_ordinal
        and run.abi = (select abi from found limit 1)
        and run.standing <> 'off'
        and (coalesce(run.namespace, '') = 'owner') = closing.owned
),
histories as (
    select
        ranked.abi,
        ranked.syscall,
        ranked.operation,
        ranked.privilege,
        (select release from numbered where position = ranked.begins) as first_release,
        (select release from numbered where position = ranked.ends) as last_release,
        ranked.ends = (select count(*) from numbered) as open,
        ranked.instead, ranked.effect, ranked.errno, ranked.subject, ranked.namespace,
        ranked.standing, ranked.sites, ranked.check_name, ranked.reach, ranked.function,
        ranked.path, ranked.line,
        (
            select {{gap_before opening.ordinal}}
            from numbered as opening where opening.position = ranked.begins
        ) as gap_before,
        case when ranked.ends < (select count(*) from numbered) then (
            select {{gap_after closing.ordinal}}
            from numbered as closing where closing.position = ranked.ends
        ) end as gap_after,
        ranked.begins
    from ranked
    where rank = 1
)
