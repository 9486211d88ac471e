"""One person over everything that is held: shown, erased; and what is forgotten by age."""
