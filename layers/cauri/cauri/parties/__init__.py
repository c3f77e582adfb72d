"""Tenants and their rules, vendors, and the people behind the ids."""
