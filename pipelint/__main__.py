"""`python -m pipelint`."""

from pipelint.cli import main

main()
