"""The do-not-contact list of a workspace."""
