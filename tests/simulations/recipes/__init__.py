"""The bundled recipes have the published shapes, and the shipped files are theirs."""
