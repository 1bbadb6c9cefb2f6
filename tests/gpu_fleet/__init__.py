"""The vocabulary of the fleet: values, quantities, accelerators, the view."""
