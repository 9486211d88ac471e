"""The database: where it comes from, how it is reached, how its schema came to be."""
