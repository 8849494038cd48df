-- title: The system-call table that is meant in each release
-- description: The table that a question about one release means when it names none: i386, from 3.0 on x86_64 where the release has it.
select usual_abis.release, usual_abis.abi
from usual_abis
join releases on releases.release = usual_abis.release
order by releases.ordinal
