"""From a cart of several vendors to one order."""
