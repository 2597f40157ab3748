"""Load: a synthetic engine, a generator of chats, and the arithmetic of the bench."""
