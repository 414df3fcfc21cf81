"""The cache: one table model in SQLite, its migrations, and how pages of records get into it."""
