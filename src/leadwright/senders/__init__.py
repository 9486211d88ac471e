"""Senders: the accounts on whose behalf leads are approached, with what each may do and when."""
