-- Sorts requirements, those that say the most of their syscall first.
{{standing_rank}},
case reach when 'direct' then 0 when 'call' then 1 else 2 end,
shared_by, pointer_hops, depth
