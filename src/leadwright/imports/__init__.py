"""The record of each add call: its counters, and what became of the rows that were not added."""
