"""The query language, by which lists, comparisons, exports and actions select records: its grammar, fields and values.

`docs/query.md` describes it. SQL is made from a query in service.storage.records.queries.
"""
