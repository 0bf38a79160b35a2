"""What the stages of a run leave each other."""
