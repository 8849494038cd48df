-- Whether an operation is asked for: a pattern such as TIOC*, or a part between slashes, in any
-- case; all without one. AF_INET asks for PF_INET too, and the other way round.
coalesce(nullif(trim(:operation), ''), '*') = '*'
or {{between_slashes $1}} glob '*' || {{between_slashes trim(:operation)}} || '*'
