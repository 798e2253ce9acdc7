"""An example plug-in for Understudy, about the tide in an imagined harbour."""
