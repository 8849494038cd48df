-- The system-call table that a question about many releases asks about.
coalesce(nullif(trim(:abi), ''), 'i386')
