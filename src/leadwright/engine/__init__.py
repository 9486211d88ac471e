"""The campaign engine: sequences, and how leads walk through them."""
