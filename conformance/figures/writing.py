"""Writing figures to files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from conformance.errors import LoadError, UsageError
from conformance.figures.gallery import FIGURES
from conformance.figures.style import SETTINGS, Figure

__all__ = ["FORMS", "write"]

#: Forms of a figure, and the metadata that would otherwise hold the time or the version of a program.
FORMS: dict[str, dict[str, None]] = {"svg": {"Creator": None, "Date": None}, "png": {"Software": None}}


def write(folder: Path, figures: Sequence[Figure] = FIGURES) -> list[Path]:
    """Draw figures as SVG and PNG; the same figures always become the same bytes.

    Parameters
    ----------
    folder : Path
        Where to put them; made if it is not there.
    figures : sequence of Figure, optional
        All of them if not given.

    Returns
    -------
    list of Path
        The files, in order.

    Raises
    ------
    LoadError
        If matplotlib is not installed.
    UsageError
        If there is something else at the folder's place.
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure as Canvas
    except ImportError as error:
        raise LoadError("figures need matplotlib: pip install -c constraints.txt -e '.[figures]'") from error
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"--output must be a folder, got {str(folder)!r}")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for figure in figures:
        with mpl.rc_context({**mpl.rcParamsDefault, **SETTINGS}):
            canvas = Canvas(figsize=figure.size, layout="constrained")
            figure.draw(canvas)
            for form, metadata in FORMS.items():
                written.append(folder / f"{figure.name}.{form}")
                canvas.savefig(written[-1], metadata=metadata)
    return written
