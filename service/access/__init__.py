"""API keys, their roles and rates, and the table of keys that each API process holds."""
