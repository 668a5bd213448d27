"""What differs between two models that were surveyed on the same photos."""
