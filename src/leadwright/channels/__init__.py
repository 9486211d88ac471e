"""Channels: who performs a sender's deeds in the world, one file each, behind one small protocol."""
