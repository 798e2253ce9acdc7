"""Prompt templates as Markdown files, and what renders them."""
