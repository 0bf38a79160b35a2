"""Saved-search filters: what they may say, whether they are complete, and the SQL they become."""
