"""Ask a database: run the queries, and read names and capability sets as people write them."""
