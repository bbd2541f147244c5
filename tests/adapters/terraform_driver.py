"""A process that plans or applies, so that tests can kill it: `driver <folder> <plan|apply>`."""

import sys
from pathlib import Path

from terraform_workshop import Onlooker, Workshop


def main() -> None:
    """Do what the command line says, in the workshop that the test has made."""
    workshop = Workshop(Path(sys.argv[1]))
    if sys.argv[2] == "plan":
        workshop.engine.plan("ada", "one", Onlooker())
    else:
        workshop.engine.apply("ada", "one", Onlooker())


if __name__ == "__main__":
    main()
