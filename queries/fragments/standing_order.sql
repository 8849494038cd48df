-- Sorts requirements, those that say the most of their syscall first.
case standing when 'own' then 0 when 'shared' then 1 when 'remote' then 2 else 3 end,
case reach when 'direct' then 0 when 'call' then 1 else 2 end,
shared_by, pointer_hops, depth
