"""Questions put to a database: the queries, and names and sets as people write them."""
