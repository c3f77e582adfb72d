"""Books that prove themselves: what must be true of everything stored, looked for, found, and repaired."""
