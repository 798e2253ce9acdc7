"""Selection policies, one a file."""
