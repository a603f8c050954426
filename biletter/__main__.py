"""`python -m biletter`."""

import sys

from biletter.cli.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
