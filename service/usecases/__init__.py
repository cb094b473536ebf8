"""Use cases: requests of a client that read or write several records.

Each runs in the transaction of its caller and returns the number of workers to wake once that has committed. Routes
and background work call them; storage does not know them.
"""
