-- The release before the one at an ordinal, where releases between the two are missing; else NULL.
(select from_release from neighbours where to_ordinal = $1 and missing > 0)
