"""What people write (settings, saved searches, saved exports) and how it is read and refused."""
