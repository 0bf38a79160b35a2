"""The first and last bytes of each container, without a media library."""
