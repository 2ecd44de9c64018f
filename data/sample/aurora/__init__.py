"""A made-up support group: the people, what they write, and what the Bot API would have sent."""
