"""Orders: what was sold, by whom, and where it stands."""
