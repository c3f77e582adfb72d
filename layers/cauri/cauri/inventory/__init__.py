"""Products, and the stock that is there, claimed, or allocated."""
