"""Worker processes: each runs handlers one request at a time, as an instance of a Lambda does."""
