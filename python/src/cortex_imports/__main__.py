"""`python cortex-imports.py PROJECT PREDICTOR [PYTHON_PATH]`: prints what the predictor imports, as JSON."""

from __future__ import annotations

import json
import sys
import warnings

from cortex_imports.project import Project
from cortex_imports.scan import scan


def main() -> None:
    """Read the arguments, and print the three lists."""
    folder, predictor, *python_path = sys.argv[1:]
    # Odd literals in the user's code are theirs to hear of, when it runs.
    warnings.simplefilter("ignore")
    found = scan(Project(folder, *python_path), predictor)
    lists = {"needed": found.needed, "optional": found.optional - found.needed, "mentioned": found.mentioned}
    print(json.dumps({name: sorted(modules) for name, modules in lists.items()}))


if __name__ == "__main__":
    main()
