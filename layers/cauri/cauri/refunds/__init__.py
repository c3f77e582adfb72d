"""Money back: asked for, granted, and given through the ways it came."""
