"""Derives from the cache what a pack's rules compare: folded text, day numbers, stages, facts (rules.md §5)."""
