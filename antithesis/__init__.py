"""Antithesis: the Mika Micro preset that sounds like the file you dropped."""
