"""What the benchmark of the wallet is held against: the same calls of the database, with nothing around them."""
