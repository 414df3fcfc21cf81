"""pipelint checks a sales pipeline against rules and writes the findings back into the CRM."""
