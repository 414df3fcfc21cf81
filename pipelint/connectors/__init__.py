"""The only room that knows CRMs."""
