"""The public facts, in order, for feeds and webhooks."""
