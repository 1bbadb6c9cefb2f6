"""The examples, as a person would run them."""
