-- title: The releases in the database
-- description: Every release that was read, in the order of their versions, with the date of its publication where a source for it is known, how sure it is that the tree read is what was released (`provenance`: mainline, tree or defective), and what is known of the tree. `before` is the release that it is compared with, and `missing` counts the mainline releases between the two that are not in the database.
-- param series: a series such as 2.2 (default: all)
-- param kind: release or prerelease (default: both)
select
    release, series, kind, ordinal, released, source, commit_sha, provenance, note,
    from_release as before, missing, swhid
from releases
left join neighbours on to_release = release
where coalesce(nullif(trim(:series), ''), series) = series
    and coalesce(nullif(trim(:kind), ''), kind) = kind
order by ordinal
