"""`python -m tgpipeline` is the command line."""

from tgpipeline.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
