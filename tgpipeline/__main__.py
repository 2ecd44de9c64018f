"""`python -m tgpipeline` is the command line."""

import sys

from tgpipeline.cli import main

if __name__ == "__main__":
    sys.exit(main())
