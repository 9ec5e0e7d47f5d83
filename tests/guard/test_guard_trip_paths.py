"""What `check` says of trip outputs, kind by kind, with the sums; one count inside each bound nothing is said."""

from __future__ import annotations

import pytest
from guard_bench import BENCH, site

from edge.guard import budget
from edge.guard.fitness import judge
from edge.guard.settings import GuardSettings, OutputSettings
from edge.guard.trip_paths import bare_w, has_dead_man
from edge.guard.wire import sharers
from edge.model.site import Site

COIL = BENCH[BENCH.index("[[trip_output]]") : BENCH.index("[guard]")]
PULSE = """[[trip_output]]
name = "coil-2"
kind = "gpio-pulse"
chip = "/dev/gpiochip0"
line = 17
feedback = 18
watchdog_s = 0.5

"""
PERMIT = """[[trip_output]]
name = "permit-1"
kind = "permit-service"
der = "inverter-1"

"""
MAIN = """[[trip_output]]
name = "main-1"
uri = "tcp://127.0.0.1:15099"
watchdog_s = 0.5

"""
GUARD = "[guard]"
REVERSION = "reversion = { safe_w = 5_000.0, timer_s = 10 }\n"
ELEMENT = '[[guard.element]]\nkind = "32"\n'


def said(at: Site, path: str) -> list[tuple[str, str]]:
    """Level and text of all that is told at a key."""
    return [(finding.level, finding.text) for finding in judge(at) if finding.path.startswith(path)]


def problems(at: Site) -> dict[str, str]:
    return {finding.path: finding.text for finding in judge(at) if finding.level == "problem"}


class TestPulse:
    def test_the_clearing_sum_holds_the_whole_drop_out_after_a_scan(self) -> None:
        opening = budget.opening(site((COIL, PULSE)))
        assert opening.terms == (("scan", 0.2), ("relay drop-out", 0.5), ("actuation", 0.05))
        assert budget.auto_delay_s(site((COIL, PULSE))) == pytest.approx(1.8 - 0.75)
        assert problems(site((COIL, PULSE))) == {}

    @pytest.mark.parametrize(("watchdog_s", "fits"), [(0.439, False), (0.44, True), (0.441, True)])
    def test_two_scans_a_pulse_and_its_pause_must_fit_the_relays_time(
        self, watchdog_s: float, fits: bool
    ) -> None:
        found = problems(site((COIL, PULSE.replace("watchdog_s = 0.5", f"watchdog_s = {watchdog_s}"))))
        assert (found == {}) is fits
        if not fits:
            assert found["trip_output[0].watchdog_s"] == (
                "feeding: 0.40 two scans + 0.02 pulse + 0.02 pause = 0.44 s may pass between two feeds of coil-2, and"
                " it opens after 0.44 s: healthy operation would drop it out; scan faster, or let it wait longer"
            )

    def test_a_relay_that_drops_out_too_late_is_refused_with_its_sum(self) -> None:
        found = problems(site((COIL, PULSE.replace("watchdog_s = 0.5", "watchdog_s = 1.2"))))
        assert "0.20 scan + 1.20 relay drop-out + 0.05 actuation" in found["guard.element[0].delay_s"]

    def test_it_is_on_no_wire(self) -> None:
        at = site((COIL, PULSE))
        assert sharers(at, "trip_output[0]") == {}
        assert "coil-2" not in sharers(at, "meter")

    def test_the_guard_gives_it_the_time_of_its_relay(self) -> None:
        settings = GuardSettings.of(site((COIL, PULSE)))
        assert settings.outputs == (OutputSettings("coil-2", 0.55),)
        assert settings.watchdog_s == 0.5


class TestCoil:
    @pytest.mark.parametrize(("timeout_s", "fits"), [(0.1, True), (0.101, False)])
    def test_two_scans_and_a_write_must_fit_its_watchdog(self, timeout_s: float, fits: bool) -> None:
        at = site(("watchdog_s = 0.5\n", f"watchdog_s = 0.5\ntimeout_s = {timeout_s}\n"))
        assert ("trip_output[0].watchdog_s" in problems(at)) is not fits

    def test_without_a_watchdog_nothing_feeds_it(self) -> None:
        bare = site(
            ("watchdog_s = 0.5\n", ""), (ELEMENT, ""), ('contact = "coil-2"', REVERSION.replace("5_000", "0"))
        )
        assert not has_dead_man(bare, bare.der[1])
        assert said(bare, "trip_output") == []

    def test_a_dead_man_is_that_of_the_ders_own_contact(self) -> None:
        assert [has_dead_man(site(), der) for der in site().der] == [False, True]
        assert bare_w(site()) == 20_000.0


class TestPermit:
    def test_beside_a_contact_it_counts_in_no_budget(self) -> None:
        beside = PERMIT.replace("inverter-1", "inverter-2")
        at = site((GUARD, beside + GUARD))
        assert budget.opening(at) == budget.opening(site())
        assert said(at, "trip_output[1]") == [
            (
                "fact",
                "permit-1 makes inverter-2 cease in 0.20 scan + 0.30 write + 2.00 cease = 2.50 s, on command only: it"
                " has no dead-man and counts in no budget; when the gateway falls silent, coil-2 stands before"
                " inverter-2 and opens by itself",
            )
        ]

    def test_a_reversion_bounds_it_where_the_reach_allows(self) -> None:
        ((level, text),) = said(site((GUARD, PERMIT + GUARD)), "trip_output[1]")
        assert level == "fact"
        assert text.endswith("inverter-1 falls to 5000 W by its own reversion within 11.2 s")

    @pytest.mark.parametrize(("unmanaged_w", "level"), [(5_000.0, "fact"), (5_000.1, "problem")])
    def test_a_two_second_element_refuses_it_where_the_reach_does_not(
        self, unmanaged_w: float, level: str
    ) -> None:
        at = site((GUARD, f"{PERMIT}[unmanaged]\nnameplate_w = {unmanaged_w}\n{GUARD}"))
        ((found, text),) = said(at, "trip_output[1]")
        assert found == level
        assert ("a 2-second element needs a contact with one" in text) is (level == "problem")

    def test_without_an_element_a_reversion_is_enough_and_nothing_is_too_little(self) -> None:
        calm = (ELEMENT, "")
        only = ('contact = "coil-2"', "reversion = { safe_w = 20_000.0 }")
        at = site((COIL, PERMIT), calm, only)
        assert problems(at) == {}
        found = problems(site((COIL, PERMIT), calm, only, (REVERSION, "")))
        assert found["trip_output[0].kind"] == (
            "permit-1 has no dead-man: SunSpec 703 has no timer, so a stopped process would leave inverter-1 its permit;"
            " it needs a reversion value"
        )
        assert "der[0].reversion" in found

    def test_its_requests_wait_on_the_wire_of_its_der(self) -> None:
        at = site((GUARD, PERMIT + GUARD), ("127.0.0.1:15022?unit=1", "127.0.0.1:15021?unit=2"))
        assert sharers(at, "meter") == {"inverter-1": 0.3, "permit-1": 0.3}

    def test_the_guard_knows_whose_permit_it_can_take(self) -> None:
        assert [der.has_permit for der in GuardSettings.of(site((GUARD, PERMIT + GUARD))).ders] == [
            True,
            False,
        ]
        assert [der.has_permit for der in GuardSettings.of(site()).ders] == [False, False]

    def test_its_feedback_is_read_no_more_often_than_its_der(self) -> None:
        at = site((GUARD, PERMIT + GUARD), ("dead_time_s = 0.2", "dead_time_s = 0.2\npoll_s = 0.7"))
        assert [budget.feedback_every_s(at, output) for output in at.trip_output] == [0.2, 0.7]


class TestBackup:
    BACKED = ('name = "coil-2"\n', 'name = "coil-2"\nbackup = ["main-1"]\n')

    def test_one_that_stands_by_opens_at_no_ordinary_trip_and_counts_in_no_clearing(self) -> None:
        slow = MAIN.replace("0.5", "5.0")
        at = site(self.BACKED, (GUARD, slow + GUARD))
        assert budget.opening(at) == budget.opening(site())
        assert GuardSettings.of(at).outputs == (
            OutputSettings("coil-2", 0.05, ("main-1",)),
            OutputSettings("main-1", 0.05, (), stands_by=True),
        )

    def test_what_a_welded_contact_costs_is_spelled_out(self) -> None:
        at = site(self.BACKED, (GUARD, MAIN + GUARD))
        ((level, text),) = said(at, "trip_output[0].backup")
        assert level == "warning"
        assert text == (
            "were coil-2 welded, main-1 would be open after 1.25 delay + 0.20 scan + 0.05 coil-2 to open + 0.50 grace"
            " + 0.20 feedback + 0.20 scan + 0.10 write + 0.05 actuation = 2.55 s: later than the 2.0 s, which then rest"
            " on the DERs that are told to cease"
        )

    @pytest.mark.parametrize(("delay_s", "level"), [(1.0, "fact"), (1.01, "warning")])
    def test_within_two_seconds_it_is_a_fact(self, delay_s: float, level: str) -> None:
        at = site(
            self.BACKED,
            (GUARD, f"{MAIN}[control]\nscan_s = 0.05\n{GUARD}"),
            ('kind = "32"', f'kind = "32"\ndelay_s = {delay_s}'),
        )
        ((found, text),) = said(at, "trip_output[0].backup")
        assert found == level, text
        assert ("= 2.00 s: within 2.0 s" in text) is (level == "fact")

    def test_of_several_elements_the_slowest_counts(self) -> None:
        two = (ELEMENT, f"{ELEMENT}delay_s = 1.0\n{ELEMENT}delay_s = 1.3\n")
        ((_, text),) = said(site(self.BACKED, (GUARD, MAIN + GUARD), two), "trip_output[0].backup")
        assert "after 1.30 delay" in text

    def test_without_an_element_nothing_is_said_of_it(self) -> None:
        assert said(site(self.BACKED, (GUARD, MAIN + GUARD), (ELEMENT, "")), "trip_output[0]") == []
