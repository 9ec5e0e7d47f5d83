"""The style of every picture: a PNG that is the same twice, limits with their names, events marked."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes

from sim.plots import style


def draw(path: Path) -> list[Axes]:
    with style.picture(path, "Title", "how it came about", rows=2, heights=[2, 1], share_x=True) as axes:
        axes[0].plot([0, 1], [0, 1])
        style.name_limit(axes[0], 0.5, "export limit 5 kW")
        style.name_bound(axes[1], 0.2, "2 s bound")
        style.mark_events(axes[1], [(0.3, "load drops"), (0.6, "trip")])
    return axes


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def test_a_picture_is_a_png_and_the_same_twice(tmp_path: Path) -> None:
    draw(tmp_path / "one.png")
    draw(tmp_path / "two.png")
    one = (tmp_path / "one.png").read_bytes()
    assert one.startswith(b"\x89PNG")
    assert one == (tmp_path / "two.png").read_bytes()


def test_limits_bounds_and_events_have_their_names(tmp_path: Path) -> None:
    above, below = draw(tmp_path / "one.png")
    assert texts(above) == ["export limit 5 kW"]
    assert texts(below) == ["2 s bound", "load drops", "trip"]
    assert np.asarray(above.lines[-1].get_ydata())[0] == 0.5
    assert [np.asarray(line.get_xdata())[0] for line in below.lines] == [0.2, 0.3, 0.6]


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    before = dict(mpl.rcParams)
    draw(tmp_path / "one.png")
    assert dict(mpl.rcParams) == before


def test_no_window_and_no_pyplot() -> None:
    asked = "import sys, sim.plots.style; print('matplotlib.pyplot' in sys.modules, 'tkinter' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        draw(tmp_path / "nowhere" / "one.png")


def test_lines_differ_in_lightness_as_well_as_in_hue() -> None:
    def lightness(colour: str) -> float:
        red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    first_three = sorted(lightness(colour) for colour in style.CYCLE[:3])
    assert min(after - before for before, after in itertools.pairwise(first_three)) > 0.03
    assert len(set(style.CYCLE)) == len(style.CYCLE)
