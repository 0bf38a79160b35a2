"""What connects runs."""
