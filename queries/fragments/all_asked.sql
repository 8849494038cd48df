-- Whether remote and switched off requirements are asked for too.
coalesce(trim(:everything), '') not in ('', '0')
