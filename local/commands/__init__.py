"""The commands of `cauri`, a file per group. Each file has `register(app)`, and imports when it runs what is heavy."""
