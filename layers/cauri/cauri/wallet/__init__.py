"""What customers have with the tenant: store credit, points and rewards."""
