"""One module per container format: what its first and last bytes say, read without a media library."""
