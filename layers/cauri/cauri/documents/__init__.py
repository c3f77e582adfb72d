"""Documents on paper: what an invoice, a credit note or a statement says, and how it is set."""
