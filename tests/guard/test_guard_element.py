"""Elements, densely at their boundaries, against a rule of their own (IREC 2023 IV.B.3; ANSI device 32)."""

from __future__ import annotations

import itertools

import pytest
from guard_bench import site

from edge.guard.element import ElementState, elapsed_s, element_step
from edge.guard.settings import ElementSettings, GuardSettings
from edge.model.sample import Sample

SCAN_S = 0.1


def compiled(kind: str, *pairs: tuple[str, str]) -> ElementSettings:
    """The element of a kind, as compiled from the bench site, with a delay of 0.25 s."""
    return GuardSettings.of(site(('kind = "32"', f'kind = "{kind}"\ndelay_s = 0.25'), *pairs)).elements[0]


KINDS = [
    compiled("32R"),
    compiled("32"),
    compiled("32F"),
    compiled("import", ("delay_s = 0.25", "delay_s = 0.25\npickup_w = 30_000")),
]
EACH_KIND = pytest.mark.parametrize("element", KINDS, ids=[element.name for element in KINDS])


def levels(element: ElementSettings) -> dict[str, float]:
    """Exports at the element's boundaries, in the order in which they lie, from harmless to beyond."""
    way, count_w = element.direction, 0.001
    return {
        "below": element.dropout_w - way * count_w,
        "at dropout": element.dropout_w,
        "between": element.dropout_w + way * count_w,
        "at pickup": element.pickup_w,
        "above": element.pickup_w + way * count_w,
    }


@EACH_KIND
def test_the_levels_really_pass_the_boundaries(element: ElementSettings) -> None:
    below, at_dropout, between, at_pickup, above = (
        element.direction * level for level in levels(element).values()
    )
    assert below < at_dropout < between < at_pickup < above


def test_pickups_and_dropouts_are_those_of_the_rule() -> None:
    found = {element.name: (element.pickup_w, element.dropout_w, element.direction) for element in KINDS}
    assert found == {
        "32R": (150.0, 150.0 - 180.0, 1.0),  # 0.1 % of 150 kVA; 3 sigma of 60 W is the hysteresis
        "32": (25_000.0, 24_500.0, 1.0),  # 2 % of pickup
        "32F": (-5_000.0, -5_180.0, 1.0),  # import below 5 % of 100 kW
        "import": (-30_000.0, -29_400.0, -1.0),
    }


@EACH_KIND
@pytest.mark.parametrize("level", ["below", "at dropout", "between", "at pickup", "above"])
def test_only_a_sample_beyond_pickup_starts_it(element: ElementSettings, level: str) -> None:
    state = element_step(element, ElementState(0.0), Sample.good(levels(element)[level], 1.0), 1.0)
    assert state.picked_up is (level == "above")
    assert state.below_s == (0.0 if level == "above" else 1.0)


@EACH_KIND
@pytest.mark.parametrize("level", ["below", "at dropout", "between", "at pickup", "above"])
def test_only_a_sample_at_or_below_dropout_ends_it(element: ElementSettings, level: str) -> None:
    timing = ElementState(0.0, picked_up=True)
    state = element_step(element, timing, Sample.good(levels(element)[level], 0.2), 0.2)
    assert state.picked_up is (level not in ("below", "at dropout"))


def rule(element: ElementSettings, seen: list[str | None], now_s: float) -> bool:
    """Operate when the delay is over since the last sample known before the pickup, and no dropout came since.

    Written from the sentence of control.md over the whole history, not step by step.
    """
    history = [
        (0.0, "below"),
        *(((k + 1) * SCAN_S, level) for k, level in enumerate(seen) if level is not None),
    ]
    dropped = max(k for k, (_, level) in enumerate(history) if level in ("below", "at dropout"))
    since = history[dropped:]
    first = next((k for k, (_, level) in enumerate(since) if level == "above"), None)
    return first is not None and now_s - since[first - 1][0] >= element.delay_s


@EACH_KIND
def test_every_short_history_of_boundary_samples_and_losses(element: ElementSettings) -> None:
    level_w = levels(element)
    operated = 0
    for seen in itertools.product([*level_w, None], repeat=4):
        state = ElementState(0.0)
        for k, level in enumerate(seen):
            now_s = (k + 1) * SCAN_S
            sample = None if level is None else Sample.good(level_w[level], now_s)
            state = element_step(element, state, sample, now_s)
            assert state.operated is rule(element, list(seen[: k + 1]), now_s), (seen, k)
        operated += state.operated
    assert 100 < operated < 6**4 - 100


@pytest.mark.parametrize("past_s", [-0.011, -0.001, 0.0, 0.001])
def test_it_operates_at_the_delay_and_not_before(past_s: float) -> None:
    element = ElementSettings("32", 100.0, 90.0, 1.0, 0.0)
    state = element_step(element, ElementState(0.0), Sample.good(0.0, 2.0), 2.0)
    state = element_step(element, state, Sample.good(101.0, 2.1), 2.1)
    assert element_step(element, state, None, 3.0 + past_s).operated is (past_s >= 0)


def test_time_counts_from_the_oldest_time_that_the_last_low_sample_can_have() -> None:
    element = ElementSettings("32", 100.0, 90.0, 1.0, 0.0)
    state = element_step(element, ElementState(0.0), Sample.good(100.0, 1.5, 2.0), 2.0)
    state = element_step(element, state, Sample.good(101.0, 2.0, 2.5), 2.5)
    assert state.operated
    assert elapsed_s(state, 2.5) == 1.0
    assert elapsed_s(ElementState(1.5), 2.5) == 0.0


@pytest.mark.parametrize(("now_s", "shown_s"), [(2.4, 0.0), (2.5, 0.0), (2.55, 0.05), (3.0, 0.5)])
def test_time_shown_is_never_below_zero(now_s: float, shown_s: float) -> None:
    assert elapsed_s(ElementState(2.5, picked_up=True), now_s) == pytest.approx(shown_s)


class TestResetDelay:
    """Below dropout for the reset delay it lets go; until then the time stands, but it does not operate."""

    ELEMENT = ElementSettings("PCS", 100.0, 90.0, 5.0, 2.0)

    def timing(self) -> ElementState:
        """Picked up at 0."""
        return element_step(self.ELEMENT, ElementState(0.0), Sample.good(101.0, 0.1), 0.1)

    @pytest.mark.parametrize("clear_s", [1.9, 1.999, 2.0, 2.001])
    def test_boundary(self, clear_s: float) -> None:
        state = element_step(self.ELEMENT, self.timing(), Sample.good(90.0, 1.0), 1.0)
        assert state.picked_up
        state = element_step(self.ELEMENT, state, Sample.good(90.0, 1.0 + clear_s), 1.0 + clear_s)
        assert state.picked_up is (clear_s < 2.0)

    @pytest.mark.parametrize("again_w", [90.001, 100.0, 101.0])
    def test_a_sample_above_dropout_begins_it_anew(self, again_w: float) -> None:
        state = element_step(self.ELEMENT, self.timing(), Sample.good(0.0, 1.0), 1.0)
        state = element_step(self.ELEMENT, state, Sample.good(again_w, 2.0), 2.0)
        state = element_step(self.ELEMENT, state, Sample.good(0.0, 3.5), 3.5)
        assert state.picked_up
        assert state.clear_s == 3.5

    def test_it_does_not_operate_while_the_power_is_known_to_be_below(self) -> None:
        """A string of short excursions, ended in time by fallback, tripped the PCS bound while all was well."""
        state = element_step(self.ELEMENT, self.timing(), Sample.good(0.0, 4.5), 4.5)
        state = element_step(self.ELEMENT, state, None, 6.0)
        assert not state.operated
        assert element_step(self.ELEMENT, state, Sample.good(101.0, 6.1), 6.1).operated


def test_a_block_counts_as_low_when_it_was_proven_and_not_later() -> None:
    """Telemetry that proves zero output may be seconds old when it fails: that time is not given away."""
    element = ElementSettings("32F", -100.0, -110.0, 1.0, 0.0)
    timing = element_step(element, ElementState(0.0), Sample.good(0.0, 5.0), 5.0)
    assert timing.operated
    held = element_step(element, timing, Sample.good(0.0, 5.1), 5.1, blocked_s=4.5)
    assert held == ElementState(below_s=4.5, blocked=True)
    loose = element_step(element, held, Sample.good(0.0, 5.2), 5.2)
    assert (loose.blocked, loose.operated) == (False, False)
    assert element_step(element, loose, None, 5.5).operated
