"""Count the code: `make check` prints it, and fails where the package outgrows its plan.

Docstrings, comments and blank lines do not count; SQL, TOML and templates are shown, not counted.
"""

import ast
import io
import sys
import tokenize
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Lines of code. The plan for tgpipeline is under 8,000; what grows it is to be a decision.
LIMITS = {"tgpipeline": 7_700, "telegram_standin": 1_250}
OTHERS = ("*.sql", "*.toml", "*.yaml", "*.j2", "*.html")
_LAYOUT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENDMARKER,
}  # fmt: skip
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def lines_of_code(source: str) -> int:
    '''How many lines of a module are code.

    >>> lines_of_code('"""About."""\\n\\nx = (1,  # one\\n     2)\\n')
    2
    '''
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    spans = [range(t.start[0], t.end[0] + 1) for t in tokens if t.type not in _LAYOUT]
    return len({line for span in spans for line in span} - _docstrings(source))


def _docstrings(source: str) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            found.update(range(first.lineno, (first.end_lineno or 0) + 1))
    return found


def rooms(package: Path) -> Counter[str]:
    """Lines of code by room; the modules at the top together."""
    found: Counter[str] = Counter()
    for path in package.rglob("*.py"):
        room, *inside = path.relative_to(package).parts
        found[room if inside else "(top)"] += lines_of_code(path.read_text(encoding="utf-8"))
    return found


def main() -> int:
    """Print the figures; the exit code says whether a package is over its limit."""
    over = False
    for name, limit in LIMITS.items():
        found = rooms(ROOT / name)
        total = sum(found.values())
        over = over or total > limit
        each = ", ".join(f"{room} {n}" for room, n in sorted(found.items()))
        verdict = "OVER THE LIMIT" if total > limit else "limit"
        print(f"{name}: {total:,} lines of code, {verdict} {limit:,} ({each})")
    folders = [*(ROOT / name for name in LIMITS), ROOT / "lambda_src"]
    for pattern in OTHERS:
        texts = [p.read_text(encoding="utf-8") for f in folders for p in f.rglob(pattern)]
        if texts:
            print(f"{pattern}: {sum(t.count(chr(10)) for t in texts):,} lines, not counted")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
