"""Whose messages they are: erasing a person, handing out what is stored of them."""
