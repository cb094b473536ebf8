"""Objects that the clients return: mappings whose fields are attributes too, with methods for further requests."""
