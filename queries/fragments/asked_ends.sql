-- The two releases that are compared: those asked for, else the last 2.0 and the last 2.2.
coalesce(
    nullif({{without_v :from}}, ''),
    (select from_release from usual_ends)
) as from_release,
coalesce(
    nullif({{without_v :to}}, ''),
    (select to_release from usual_ends)
) as to_release
