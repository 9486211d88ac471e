"""The HTTP edge: who calls, how much, how large, in which transaction, and what an error looks like."""
