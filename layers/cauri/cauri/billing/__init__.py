"""Billing: what customers owe for deliveries and credit sales, invoices, and the payments that settle them."""
