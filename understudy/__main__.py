"""Lets `python -m understudy` do what the command `understudy` does."""

from understudy.cli.main import main

main()
