-- Whether a list of privileges names suser or fsuser; comparing a uid with 0 is left out.
$1 like '%suser%'
