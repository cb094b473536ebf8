"""Published figures to set one's own beside, carried as data of the package."""
