"""Tools that do real work without any key."""
