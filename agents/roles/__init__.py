"""The roles as played by a chat model."""
