-- title: The checks of a release by kind
-- description: How many check sites a release has of each kind of check, and in how many of them a missing privilege denies, limits, or does what the syntax around it does not say.
-- param release: a release (default: the newest in the database)
with asked as (
    select release, ordinal
    from asked_releases
    where asked = {{without_v :release}}
)
select
    asked.release,
    sites.check_name,
    count(*) as sites,
    sum(sites.effect = 'deny') as denies,
    sum(sites.effect = 'limit') as limits,
    sum(sites.effect = 'unknown') as unknown
from check_site_runs as sites
join asked on asked.ordinal between sites.first_ordinal and sites.last_ordinal
group by sites.check_name
order by sites desc, sites.check_name
