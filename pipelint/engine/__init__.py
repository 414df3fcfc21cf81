"""Order of events: pull, prepare, evaluate, record, write back; no CRM names, no YAML."""
