"""What needs no tasks.py: `python3 -m monoyard adopt`, and the checks that other checks call."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> int:
    """Return the exit code of the command."""
    from monoyard.bindings.adopting import adopt  # noqa: PLC0415  `--help` needs none of it
    from monoyard.bindings.charting import check_charts  # noqa: PLC0415  likewise
    from monoyard.bindings.errors import report  # noqa: PLC0415  likewise

    parser = argparse.ArgumentParser(prog="python3 -m monoyard")
    verbs = parser.add_subparsers(dest="verb", required=True)
    adopting = verbs.add_parser("adopt", help="show what is found here, write the files needed")
    adopting.add_argument("--dry-run", action="store_true", help="show only")
    checking = verbs.add_parser("check-deploy", help="what `invoke deploy.check` does, in `lint`")
    checking.add_argument("--helm", type=Path, help="the program (default: the engine's)")
    checking.add_argument("--kubeconform", type=Path, help="the program (default: the engine's)")
    arguments = parser.parse_args()
    try:
        if arguments.verb == "adopt":
            adopt(Path.cwd(), dry_run=arguments.dry_run)
        else:
            check_charts(Path.cwd(), helm=arguments.helm, kubeconform=arguments.kubeconform)
    except Exception as error:  # noqa: BLE001  the error printer of this door
        return report(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
