"""`python cortex-imports.py PROJECT PREDICTOR [PYTHON_PATH]`: prints what the predictor imports, as `needed numpy`."""

from __future__ import annotations

import sys
import warnings

from cortex_imports.project import Project
from cortex_imports.scan import scan


def main() -> None:
    """Read the arguments, and print a line for each module."""
    folder, predictor, *python_path = sys.argv[1:]
    # Odd literals in the user's code are theirs to hear of, when it runs.
    warnings.simplefilter("ignore")
    found = scan(Project(folder, *python_path), predictor)
    lists = {"needed": found.needed, "optional": found.optional - found.needed, "mentioned": found.mentioned}
    for name, modules in lists.items():
        for module in sorted(modules):
            # One that is not ASCII is in none of the lists that this is for, and some outputs cannot hold it.
            if module.isascii():
                print(name, module)


if __name__ == "__main__":
    main()
