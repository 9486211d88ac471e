"""Every call of the API as a function that makes its request. Both clients bind these; see ``binding``."""
