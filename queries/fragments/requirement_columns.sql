-- The columns of the view requirements.
release, abi, syscall, operation, privilege, instead, effect, errno, subject, namespace, standing,
sites, check_name, capability, reach, depth, pointer_hops, function, path, line, shared_by, chain, swhid
