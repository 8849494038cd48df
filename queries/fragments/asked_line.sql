-- From the later release that is asked for back along its line, as far as the earlier one.
line as (
    select from_ordinal, missing from neighbours
    where to_release = (select to_release from asked)
    union all
    select earlier.from_ordinal, earlier.missing
    from line
    join neighbours as earlier on earlier.to_ordinal = line.from_ordinal
    where line.from_ordinal > (
        select ordinal from releases where release = (select from_release from asked)
    )
)
