-- Whether a list of privileges names a capability.
$1 like '%CAP#_%' escape '#'
