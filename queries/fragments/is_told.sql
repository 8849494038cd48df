-- Whether a standing is told unless all is asked for.
$1 in ('own', 'shared')
