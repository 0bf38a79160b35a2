"""How a run ended, and who is told."""
