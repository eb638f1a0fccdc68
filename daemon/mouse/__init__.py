"""The plug-in's own panel, worked as a hand works it: for hosts that take nothing else."""
