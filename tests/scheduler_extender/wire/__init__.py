"""The bytes of extender/v1, from a scheduler's request to the answer."""
