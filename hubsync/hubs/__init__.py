"""The hubs: one a file, speaking HTTP, returning the nouns of `hubsync.domain`."""
