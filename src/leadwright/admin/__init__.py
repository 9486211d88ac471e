"""What a key may know and do of its own workspace: itself, its allowance, other keys, the workspace's name."""
