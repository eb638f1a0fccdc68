"""How fast it is: the parts of scripts/bench.py."""
