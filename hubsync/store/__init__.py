"""The library database: the only place with SQL."""
