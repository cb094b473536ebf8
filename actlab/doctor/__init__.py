"""Checks of an installation, each with its finding and a remedy."""
