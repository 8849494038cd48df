-- The release after the one at an ordinal, where releases between the two are missing; else NULL.
(
    select to_release from neighbours
    where from_ordinal = $1 and missing > 0
        and to_ordinal = (select min(ordinal) from releases where ordinal > $1)
)
