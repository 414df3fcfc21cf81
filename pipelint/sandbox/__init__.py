"""Local stand-ins for the CRM APIs, with a generated, realistic sales organisation behind them."""
