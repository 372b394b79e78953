"""Between any client and a real server: what happened, what is to go wrong, and what the properties say."""
