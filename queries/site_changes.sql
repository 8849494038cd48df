-- title: Which check sites two releases do not share
-- description: The check sites, whatever their line, that only one of two releases has; `change` is `added` for those of the later one and `removed` for those of the earlier one.
-- param from: the earlier release (default: the last 2.0 in the database)
-- param to: the later release (default: the last 2.2 in the database)
with asked as (
    select
        {{asked_ends}}
),
ends as (
    select
        asked.*,
        (select ordinal from releases where release = asked.from_release) as from_ordinal,
        (select ordinal from releases where release = asked.to_release) as to_ordinal
    from asked
)
select
    ends.from_release, ends.to_release,
    case
        when ends.to_ordinal between sites.first_ordinal and sites.last_ordinal then 'added'
        else 'removed'
    end as change,
    sites.path, sites.function, sites.check_name, sites.capability, sites.argument,
    sites.effect, sites.errno
from check_site_runs as sites, ends
where (ends.to_ordinal between sites.first_ordinal and sites.last_ordinal)
    <> (ends.from_ordinal between sites.first_ordinal and sites.last_ordinal)
order by sites.path, sites.function, change desc, sites.capability
