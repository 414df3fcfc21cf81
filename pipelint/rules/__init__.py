"""What must be true of a pipeline, independent of any CRM and of the network."""
