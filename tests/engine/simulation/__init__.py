"""The whole system on a virtual clock: what is played, the channel that it is played against, and who judges it."""
