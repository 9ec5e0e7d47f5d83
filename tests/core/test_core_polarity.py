"""A meter of the wrong sign is found by how it answers the DERs' moves; one of the right sign never is by a few loads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.core.polarity import AGAINST, FRESH_S, LOOK_S, MOVE_WITHIN_S, Polarity, polarity_step
from edge.model.image import DerReading, Image, PccReading
from edge.model.sample import Sample

NAMEPLATE_W = 1000.0
STALE_S = 0.9
NONE = Sample.none()


class Site:
    """Two DERs that make the same, a meter of either sign, a host load; a look a second."""

    def __init__(self, sign: float = 1.0) -> None:
        self.sign = sign
        self.state = Polarity()
        self.now_s = 100.0
        self.made_w, self.load_w = 0.0, 200.0

    def image(self, *, age_s: float = 0.0, outputs: int = 2) -> Image:
        at_s = self.now_s - age_s
        output_w = Sample.good(self.made_w / 2, at_s)
        ders = tuple(
            DerReading(name, output_w if place < outputs else NONE, NONE) for place, name in enumerate("ab")
        )
        return Image(
            0, PccReading(Sample.good(self.sign * (self.made_w - self.load_w), self.now_s), NONE, NONE), ders
        )

    def look(
        self, by_w: float = 0.0, load_w: float = 0.0, after_s: float = LOOK_S, **image: float
    ) -> Polarity:
        self.now_s += after_s
        self.made_w += by_w
        self.load_w += load_w
        self.state = polarity_step(self.state, self.image(**image), NAMEPLATE_W, STALE_S, self.now_s)  # type: ignore[arg-type]  # as `image` takes them
        return self.state


def begun(sign: float = 1.0) -> Site:
    site = Site(sign)
    site.look()
    return site


@pytest.mark.parametrize("by_w", [100.0, -100.0, 500.0])
def test_whole_moves_that_are_answered_the_wrong_way_are_told_with_the_third(by_w: float) -> None:
    site = begun(-1.0)
    assert [site.look(by_w).told for _ in range(4)] == [False, False, True, True]
    assert site.state.against == AGAINST


def test_less_than_three_whole_moves_are_not_enough() -> None:
    site = begun(-1.0)
    assert not any(site.look(by_w).told for by_w in (100.0, 100.0, 96.0))
    assert site.look(20.0).told


def test_a_smaller_move_counts_by_its_share_and_one_below_two_percent_not_at_all() -> None:
    site = begun(-1.0)
    assert site.look(50.0).against == pytest.approx(0.5)
    assert site.look(20.0).against == pytest.approx(0.7)
    assert site.look(19.9).against == pytest.approx(0.7)
    assert site.look(0.1).against == pytest.approx(0.9), "a move goes on until it is one"


def test_the_right_sign_is_never_told_and_takes_back_what_loads_said() -> None:
    site = begun()
    for _ in range(50):
        assert site.look(100.0).against == 0.0
        assert site.look(-100.0).against == 0.0
    assert site.look(50.0, load_w=100.0).against == pytest.approx(0.5), (
        "the load grew by more at the same time"
    )
    assert site.look(20.0).against == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("load_w", "against"), [(50.0, 0.0), (100.0, 0.0), (150.0, 0.5), (200.0, 1.0), (900.0, 1.0)]
)
def test_an_answer_counts_once_however_large(load_w: float, against: float) -> None:
    site = begun()
    assert site.look(100.0, load_w=load_w).against == pytest.approx(against)


def test_it_is_withdrawn_when_the_meter_has_made_up_for_it() -> None:
    site = begun(-1.0)
    for _ in range(3):
        site.look(100.0)
    site.sign = 1.0
    site.state = replace(site.state, made_w=None)
    site.look()
    assert [site.look(-100.0).told for _ in range(3)] == [True, True, False]


def test_a_move_takes_at_most_ten_seconds() -> None:
    site = begun(-1.0)
    for _ in range(round(MOVE_WITHIN_S)):
        assert site.look(1.9).against == 0.0
    assert site.state.since_s == site.now_s, "begun anew"
    early = begun(-1.0)
    for _ in range(round(MOVE_WITHIN_S) - 2):
        early.look(1.9)
    early.look(1.9, after_s=1.95)
    assert early.state.since_s < early.now_s, "still the same move"
    slow = begun(-1.0)
    for _ in range(round(MOVE_WITHIN_S) - 1):
        slow.look(2.1)
    assert slow.look(2.1).against == pytest.approx(0.21)


def test_a_look_is_taken_once_a_second() -> None:
    site = begun(-1.0)
    assert site.look(100.0, after_s=LOOK_S - 0.01).against == 0.0
    assert site.look(0.0, after_s=0.01).against == 1.0


@pytest.mark.parametrize(
    ("image", "counts"),
    [({"age_s": FRESH_S}, True), ({"age_s": FRESH_S + 0.1}, False), ({"outputs": 1}, False)],
)
def test_without_every_output_lately_measured_there_is_no_move(image: dict[str, float], counts: bool) -> None:
    site = begun(-1.0)
    site.look(100.0, **image)
    assert (site.state.against > 0.0) is counts
    assert (site.state.made_w is not None) is counts
    assert (site.look(0.0).against > 0.0) is counts, "what was missed is no move"


def test_without_sight_there_is_no_move() -> None:
    site = begun(-1.0)
    blind = replace(site.image(), pcc=PccReading(NONE, NONE, NONE))
    lost = polarity_step(site.state, blind, NAMEPLATE_W, STALE_S, site.now_s + LOOK_S)
    assert (lost.made_w, lost.against, lost.looked_s) == (None, 0.0, site.now_s + LOOK_S)


def test_an_answer_for_the_meter_takes_back_one_whole_move_however_large() -> None:
    site = begun()
    site.state = replace(site.state, against=2.0)
    assert site.look(by_w=100.0, load_w=-300.0).against == 1.0


def test_a_move_counts_once_however_large() -> None:
    assert begun().look(200.0, load_w=400.0).against == 1.0


def test_it_stays_told_until_nothing_speaks_against_the_meter() -> None:
    site = begun()
    site.state = replace(site.state, against=0.25, told=True)
    assert site.look(20.0).told, "a fifth of a move takes back a fifth"
    assert not site.look(20.0).told


@pytest.mark.parametrize(("age_s", "known"), [(FRESH_S, True), (2.05, False)])
def test_an_output_of_two_seconds_ago_belongs_to_no_move(age_s: float, known: bool) -> None:
    assert (begun().look(100.0, age_s=age_s).made_w is not None) is known
