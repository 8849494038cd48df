-- title: What the reading of a release could not account for
-- description: Each occurrence of a check that is unexplained or stands in no known function, each file that could not be read, and each search that was cut off.
-- param release: a release (default: the newest in the database)
select release, kind, path, line, detail
from audit_details
where release = (
    select release from asked_releases
    where asked = {{without_v :release}}
)
order by kind, path, line
