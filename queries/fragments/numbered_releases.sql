-- The releases counted in their order.
select release, ordinal, row_number() over (order by ordinal) as position from releases
