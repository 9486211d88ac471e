"""Campaigns: what leads are added to, their sequences and counters."""
