-- Requirements of the release and table that are asked for, by the operation, told or all.
select * from requirements
where release = (select release from asked)
    and abi = (select abi from asked)
    and ({{matches_operation operation}})
    and ({{is_told standing}} or (select everything from asked))
