"""Makes the reference pages out of the program and its data."""
