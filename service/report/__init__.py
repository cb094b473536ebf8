"""A study as one document: what was asked, found and measured with, in words, tables and figures."""
