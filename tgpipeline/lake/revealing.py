"""What tells who somebody is inside a text: one pattern, for reports and pseudonymous tables.

E-mail addresses, @names, and long numbers: telephones, documents (CPF, CNPJ), cards, orders.
"""

import re

REVEALING = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|@\w{3,}|\+?\(?\d[\d .()-]{3,}\d")


def mask(text: str) -> str:
    """The text with … in the place of whatever tells who somebody is.

    >>> mask("sou a @bia_n, CPF 123.456.789-09, fone (11) 91234-5678, bia@loja.com, 2 caixas")
    'sou a …, CPF …, fone …, …, 2 caixas'
    """
    return REVEALING.sub("…", text)
