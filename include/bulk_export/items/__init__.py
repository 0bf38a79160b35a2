"""What became of each contact: items.csv."""
