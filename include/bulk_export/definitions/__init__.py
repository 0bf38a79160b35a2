"""What people write (settings, saved searches, saved exports), how it is read, and how it is refused."""
