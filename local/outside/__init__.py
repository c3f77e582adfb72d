"""Outside parties that the local cloud plays: what they document, over real HTTP. Never deployed."""
