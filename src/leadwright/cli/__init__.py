"""The command line: one file a command group; every body is a few calls into services."""
