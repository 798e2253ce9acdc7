"""Earning the trust to act alone, kind of act by kind of act."""
