"""Notices: what people are told, by which message, and whether it went out."""
