"""Use cases: what a client asks for that takes several records.

Each runs in the caller's transaction and says how many workers to wake once that has committed. Routes and background
work call them; storage does not know them.
"""
