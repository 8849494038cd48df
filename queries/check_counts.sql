-- title: How many checks of each kind each release has
-- description: The check sites of each release by the name of the check: suser falls and capable rises through 2.1.
-- param kind: release or prerelease (default: release)
with steps as (
    select check_name, first_ordinal as ordinal, 1 as step from check_site_runs
    union all
    select check_name, last_ordinal + 1, -1 from check_site_runs
    union all
    select names.check_name, releases.ordinal, 0
    from releases, (select distinct check_name from check_site_runs) as names
),
counted as (
    select distinct
        check_name,
        ordinal,
        sum(step) over (partition by check_name order by ordinal) as sites
    from steps
)
select releases.release, releases.released, counted.check_name, counted.sites
from counted
join releases on releases.ordinal = counted.ordinal
where releases.kind = coalesce(nullif(trim(:kind), ''), 'release')
    and counted.sites > 0
order by releases.ordinal, counted.check_name
