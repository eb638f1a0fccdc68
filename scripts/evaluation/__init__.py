"""How good the matches are: the parts of scripts/evaluate.py."""
