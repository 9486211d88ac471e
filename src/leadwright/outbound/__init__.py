"""Everything that goes out over HTTP: one guarded client, one signer, one rule of where it may go."""
