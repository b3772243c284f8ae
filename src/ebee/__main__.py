"""`python -m ebee`."""

from ebee.cli import main

main()
