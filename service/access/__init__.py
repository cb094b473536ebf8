"""Who may do what: API keys, their roles, and the table of keys that each API process holds."""
