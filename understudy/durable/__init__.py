"""Runs that outlive their process: who may advance one, which questions wait, and what is due when."""
