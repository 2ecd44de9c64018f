"""What the tables say: conversations, the problems in them, rates with their definitions."""
