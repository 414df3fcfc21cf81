"""Derives from the cache what rules compare: folded text, day numbers, stages, facts (rules.md §5)."""
