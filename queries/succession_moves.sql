-- title: Checks that began to ask something else
-- description: Every check that asks something else than its ancestor in the release before, on the line of development that leads from the earlier of two releases (or from where it branched off) to the later one. `move` is `to capability` where a root check became a capability, `capability changed` where one capability took another's place, `to root` where a capability gave way to a root check, and `root changed` between suser, fsuser and uid0.
-- param from: the earlier release (default: the last 2.0 in the database)
-- param to: the later release (default: the last 2.2 in the database)
with recursive asked as (
    select
        {{asked_ends}}
),
before as (
    select from_release as release from asked
    union
    select pairs.from_release
    from before
    join succession_pairs_stored as pairs
        on pairs.to_release = before.release and pairs.neighbours = 1
),
line as (
    select to_release as release from asked
    union
    select pairs.from_release
    from line
    join succession_pairs_stored as pairs on pairs.to_release = line.release and pairs.neighbours = 1
    where pairs.from_release not in (select release from before)
)
select
    changes.to_release as release,
    case
        when {{is_root changes.check_before}}
            and {{is_root changes.check_after}} then 'root changed'
        when {{is_root changes.check_before}} then 'to capability'
        when {{is_root changes.check_after}} then 'to root'
        else 'capability changed'
    end as move,
    changes.path_before, changes.function_before, changes.line_before,
    changes.check_before, changes.capability_before,
    changes.path_after, changes.function_after, changes.line_after,
    changes.check_after, changes.capability_after, changes.fate, changes.certain
from line
join successions_changed as changes on changes.to_release = line.release
join releases on releases.release = line.release
where changes.neighbours = 1
    and (changes.check_before <> changes.check_after
        or changes.capability_before is not changes.capability_after)
    and changes.check_before is not null
    and changes.check_after is not null
order by releases.ordinal, changes.path_before, changes.line_before
