-- title: How each check came to ask what it asks
-- description: For every check site of a release, each release on its line of development in which something else began to be asked in its place, the earliest first (`step` counts from 1), back to where the check was new. `capability_before` is empty for suser, fsuser and uid0. `certain` is 0 where this step, or a later one that leads back to it, allows another reading.
-- param release: the release whose checks are followed back (default: the last 2.2 in the database)
-- param path: the file of the check in that release (default: all)
-- param function: its function there (default: all)
with recursive asked as (
    select
        coalesce(
            nullif({{without_v :release}}, ''),
            (select to_release from usual_ends)
        ) as release,
        nullif(trim(:path), '') as path,
        nullif(trim(:function), '') as function
),
line as (
    select release from asked
    union
    select pairs.from_release
    from line
    join succession_pairs_stored as pairs on pairs.to_release = line.release and pairs.neighbours = 1
),
steps as materialized (
    select changes.*, releases.ordinal
    from line
    join successions_changed as changes on changes.to_release = line.release
    join releases on releases.release = line.release
    where changes.neighbours = 1 and changes.site_after is not null
),
-- Each site as it was from a step on until the next one that leads to it again.
changed as materialized (
    select
        steps.*,
        coalesce(min(ordinal) over (
            partition by site_after order by ordinal
            range between 1 following and unbounded following
        ), 9e18) as until
    from steps
),
-- Each half of the view successions by itself: of their union SQLite would make all pairs first.
now as materialized (
    select path_after, function_after, line_after, site_after
    from asked
    join successions_changed on successions_changed.to_release = asked.release
    where neighbours = 1 and site_after is not null
    union all
    select path_after, function_after, line_after, site_after
    from asked
    join successions_kept on successions_kept.to_release = asked.release
    where neighbours = 1
),
history as (
    select
        now.path_after as path, now.function_after as function, now.line_after as line,
        now.site_after as site_now, now.site_after as site, releases.ordinal, 1 as certain,
        cast(null as integer) as change
    from now
    join asked
    join releases on releases.release = asked.release
    where coalesce(asked.path, now.path_after) = now.path_after
        and coalesce(asked.function, now.function_after) = now.function_after
    union
    select
        history.path, history.function, history.line, history.site_now, changed.site_before,
        changed.ordinal - 1, min(history.certain, changed.certain), changed.ordinal
    from history
    join changed
        on changed.site_after = history.site
        and history.ordinal >= changed.ordinal
        and history.ordinal < changed.until
)
select
    history.path, history.function, history.line,
    row_number() over (partition by history.site_now order by changed.ordinal) as step,
    changed.to_release as release,
    changed.path_before, changed.function_before, changed.line_before,
    changed.check_before, changed.capability_before,
    changed.check_after, changed.capability_after, changed.fate, history.certain,
    history.site_now as site
from history
join changed
    on changed.ordinal = history.change
    and changed.site_before is history.site
where (changed.site_after = history.site_now or exists (
        select 1 from history as later
        where later.site_now = history.site_now and later.site = changed.site_after))
    and (changed.site_before is null
        or changed.check_before <> changed.check_after
        or changed.capability_before is not changed.capability_after)
order by history.path, history.line, history.site_now, step
