-- Whether a check asks for root and for no capability (records.ROOT_CHECKS).
$1 in ('suser', 'fsuser', 'uid0')
