"""Reports: a study as one document, with its question, results and methods in words, tables and figures."""
