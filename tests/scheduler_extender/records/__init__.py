"""Records of decisions: what they say, what they compare, what was left out."""
