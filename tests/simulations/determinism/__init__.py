"""One spec and one seed give one decision log, byte for byte, however it is computed."""
