"""Money that a provider takes for us, and gives back."""
