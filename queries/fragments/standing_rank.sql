-- The place of a standing: what says the most of its syscall first.
case standing when 'own' then 0 when 'shared' then 1 when 'remote' then 2 else 3 end
