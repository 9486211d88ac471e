"""Tasks: deeds that wait for a person, who does them and says what came of it."""
