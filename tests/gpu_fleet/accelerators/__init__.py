"""The accelerator catalogue: sourced, checked against a formula, honest about what is unknown."""
