-- Histories of requirements, one for each syscall, operation, privilege and user namespace (that of
-- the owner, or the first), from found: what they mean is that of the last release. A run that follows another goes on with it; of runs that are
-- told in less than half of their releases nothing is said unless all is asked for.
numbered as (
    select release, ordinal, row_number() over (order by ordinal) as position from releases
),
evidence as (
    select
        found.*,
        coalesce(namespace, '') = 'owner' as owned,
        opening.position as first_position,
        closing.position as last_position
    from found
    join numbered as opening on opening.ordinal = found.first_ordinal
    join numbered as closing on closing.ordinal = found.last_ordinal
),
followed as (
    select
        evidence.*,
        max(last_position) over (
            partition by abi, syscall, operation, privilege, owned order by first_position, last_position
            rows between unbounded preceding and 1 preceding
        ) as covered
    from evidence
),
islands as (
    select
        followed.*,
        sum(covered is null or first_position > covered + 1) over (
            partition by abi, syscall, operation, privilege, owned order by first_position, last_position
        ) as island
    from followed
),
ranked as (
    select
        islands.*,
        min(first_position) over same as begins,
        max(last_position) over same as ends,
        sum((last_position - first_position + 1) * ({{is_told standing}})) over same as told,
        row_number() over (
            partition by abi, syscall, operation, privilege, owned, island
            order by
                last_position desc,
                {{standing_rank}},
                pointer_hops, depth, path, line
        ) as rank
    from islands
    window same as (partition by abi, syscall, operation, privilege, owned, island)
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
    where rank = 1 and (2 * told > ends - begins or {{all_asked}})
)
