"""A delivered run as a BagIt 1.0 bag (RFC 8493): written, and verified with every fault at once."""
