"""A small market, and a day at it: what `cauri seed` sets up and `cauri demo` plays."""
