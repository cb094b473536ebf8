"""Changes as they happen: one poller a process asks for them, and everybody who waits is told from memory."""
