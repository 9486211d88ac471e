"""The answers of the API as records."""
