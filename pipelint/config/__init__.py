"""What the user wrote, and where."""
