"""What customers have with the tenant: for now a plain prepaid balance."""
