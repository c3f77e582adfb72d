"""What the deployed functions cost, measured on this machine."""
