"""What is known of a person beyond one lead: the other keys that the person goes by."""
