"""The script that another interpreter runs: it lets subjects live there, and answers what is asked of them.

The environment of that interpreter needs numpy, the subject and its framework, and nothing that Exactstep needs: what is
imported here, and by `conformance.remote.office`, imports no more.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
from pathlib import Path
from types import ModuleType

__all__ = ["main"]


def main(root: str, folder: str, trace: str) -> None:
    """Answer until nobody asks any more.

    Parameters
    ----------
    root : str
        Where the packages of this project lie.
    folder : str
        Where targets are imported from first; nowhere but in the environment if empty.
    trace : str
        The file for a traceback, should a signal end this process; none if empty.
    """
    sys.path[:1] = [folder] if folder else []  # instead of the folder of this script
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # an interrupt goes to who asks, and its end is the end of this process
    if trace:
        faulthandler.enable(Path(trace).open("a"), all_threads=False)  # noqa: SIM115 - open as long as this process lives
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what a subject prints from C is no answer
    _find_packages(Path(root))

    from conformance.remote.office import serve

    serve(incoming, outgoing)
    os._exit(0)  # threads that a subject left would keep it from ending by itself


def _find_packages(root: Path) -> None:
    """Let the modules of this project be found, without what its packages import and what is installed beside them."""
    for name in ("conformance", "properties"):
        package = ModuleType(name)
        package.__path__ = [str(root / name)]
        sys.modules[name] = package


if __name__ == "__main__":
    main(*sys.argv[1:])
