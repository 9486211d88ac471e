"""What senders have with people: relationships, conversations and their messages."""
