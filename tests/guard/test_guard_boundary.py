"""Elements and the PCS bound on each phase and on apparent power: each by its own quantity, with its own timer."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from guard_bench import SETTINGS, Bench, site

from edge.guard.boundary import quantity, whole
from edge.guard.guard import permit
from edge.guard.settings import ElementSettings, GuardSettings, ZeroLoadSum, pickup_w, safe_w
from edge.model.image import Override, PccReading
from edge.model.sample import Quality, Sample

NONE = Sample.none()
PHASE_B = ElementSettings("32-b", 40.0, 36.0, 1.0, 0.0, phase=1)
BOUND_B = ElementSettings("PCS-b", 40.0, 40.0, 30.0, 10.0, phase=1, bound=True)
BOUND_VA = ElementSettings("PCS-va", 50.0, 50.0, 30.0, 10.0, apparent=True, bound=True)
BOUND_C_VA = ElementSettings("PCS-c-va", 50.0, 50.0, 30.0, 10.0, phase=2, apparent=True, bound=True)
FURTHER = replace(SETTINGS, further=(PHASE_B, BOUND_B), lost_sensing_s=1.0)


def reading(
    phases_w: tuple[float, ...] = (), var: float | None = None, phases_var: tuple[float, ...] = ()
) -> PccReading:
    """What the meter shows of a total of 30 W, measured at 7."""

    def good(value: float) -> Sample:
        return Sample.good(value, 7.0, 7.5)

    shown_var = NONE if var is None else good(var)
    return PccReading(
        good(30.0), NONE, NONE, 1, tuple(map(good, phases_w)), shown_var, tuple(map(good, phases_var))
    )


class PhaseBench(Bench):
    """The guard's bench with a meter of three phases."""

    def phases(self, *phases_w: float, after_s: float = 0.1, **given: object) -> PhaseBench:
        """One scan with a new sample of each phase; their sum is the total."""
        at_s = self.now_s + after_s
        self.pcc = replace(self.pcc, phase_export_w=tuple(Sample.good(watts, at_s) for watts in phases_w))
        self.scan(sum(phases_w), after_s=after_s, **given)  # type: ignore[arg-type]  # as `scan` takes them
        return self


class TestQuantity:
    def test_each_looks_at_its_own(self) -> None:
        shown = reading((1.0, 2.0, 3.0))
        for place, watts in [(None, 30.0), (0, 1.0), (1, 2.0), (2, 3.0)]:
            found = quantity(replace(PHASE_B, phase=place), shown, 0.0)
            assert (found.otherwise(math.nan), found.oldest_s, found.newest_s) == (watts, 7.0, 7.5)

    @pytest.mark.parametrize(("calm_w", "seen"), [(0.0, 50.0), (29.9, 50.0), (30.0, 30.0), (31.0, 30.0)])
    def test_apparent_power_counts_while_active_power_goes_out(self, calm_w: float, seen: float) -> None:
        for var in (40.0, -40.0):
            found = quantity(BOUND_VA, reading(var=var), calm_w)
            assert (found.otherwise(math.nan), found.oldest_s, found.newest_s) == (seen, 7.0, 7.5)

    def test_unless_said_otherwise_any_export_counts(self) -> None:
        for export_w, seen in [(0.0, 0.0), (0.05, 40.0)]:
            shown = replace(reading(var=40.0), export_w=Sample.good(export_w, 7.0))
            found = quantity(BOUND_VA, shown, SETTINGS.calm_w).otherwise(math.nan)
            assert found == pytest.approx(seen, abs=0.001)

    def test_on_its_phase(self) -> None:
        shown = reading((9.0, 9.0, 6.0), 100.0, (100.0, 100.0, 8.0))
        assert quantity(BOUND_C_VA, shown, 0.0).otherwise(math.nan) == 10.0

    def test_an_import_is_none(self) -> None:
        assert (
            quantity(BOUND_C_VA, reading((9.0, 9.0, -6.0), 0.0, (0.0, 0.0, 8.0)), 0.0).otherwise(0.0) == -6.0
        )


class TestWhole:
    def test_the_total_alone_is_whole_where_nothing_else_is_limited(self) -> None:
        assert whole(SETTINGS, reading())
        assert not whole(SETTINGS, replace(reading(), export_w=Sample.none(Quality.INVALID)))
        assert not whole(FURTHER, replace(reading((1.0, 1.0, 1.0)), export_w=NONE))

    def test_what_is_limited_must_be_there(self) -> None:
        assert not whole(FURTHER, reading())
        assert not whole(FURTHER, reading((1.0,)))
        assert whole(FURTHER, reading((1.0, 1.0)))
        va = replace(SETTINGS, further=(BOUND_VA,))
        assert not whole(va, reading((1.0, 1.0, 1.0)))
        assert whole(va, reading(var=1.0))
        phase_va = replace(SETTINGS, further=(BOUND_C_VA,))
        assert not whole(phase_va, reading((1.0, 1.0, 1.0), 1.0, (1.0, 1.0)))
        assert not whole(phase_va, reading((1.0, 1.0), 1.0, (1.0, 1.0, 1.0)))
        assert whole(phase_va, reading((1.0, 1.0, 1.0), None, (1.0, 1.0, 1.0)))

    def test_all_that_is_limited_must_be_there(self) -> None:
        both = replace(SETTINGS, further=(PHASE_B, BOUND_VA))
        assert not whole(both, reading((1.0, 1.0, 1.0)))
        assert not whole(both, reading(var=1.0))
        assert whole(both, reading((1.0, 1.0, 1.0), 1.0))

    def test_a_reading_that_is_not_buys_no_time_and_ends_in_lost_sensing(self) -> None:
        bench = PhaseBench(FURTHER).phases(0.0, 0.0, 0.0, ready=True)
        assert bench.closed
        bench.pcc = replace(bench.pcc, phase_export_w=())
        bench.scans(0.9, 0.0)
        assert bench.closed
        bench.scans(0.3, 0.0)
        assert bench.state.durable.target == "lost-sensing"


class TestElement:
    def test_one_phase_operates_it_while_the_total_is_an_import(self) -> None:
        bench = PhaseBench(FURTHER).phases(0.0, 0.0, 0.0, ready=True)
        for _ in range(10):
            bench.phases(-60.0, 41.0, -60.0)
            assert bench.closed
        bench.phases(-60.0, 41.0, -60.0)
        assert bench.state.durable.target == "32-b"
        assert not bench.closed
        assert bench.granted_w == (0.0, 0.0)
        assert "pickup" in bench.kinds()

    @pytest.mark.parametrize("phases_w", [(90.0, 40.0, -90.0), (41.0, 0.0, 41.0), (-90.0, -41.0, 0.0)])
    def test_at_its_pickup_and_on_other_phases_nothing_happens(self, phases_w: tuple[float, ...]) -> None:
        bench = PhaseBench(FURTHER).phases(0.0, 0.0, 0.0, ready=True)
        for _ in range(30):
            bench.phases(*phases_w)
        assert bench.closed
        assert bench.kinds() == []

    def test_timers_are_apart(self) -> None:
        """0.9 s on one phase and then on another is no second on either."""
        other = replace(PHASE_B, name="32-c", phase=2)
        bench = PhaseBench(replace(FURTHER, further=(PHASE_B, other))).phases(0.0, 0.0, 0.0, ready=True)
        for phases_w in ((0.0, 41.0, 0.0), (0.0, 0.0, 41.0)) * 2:
            for _ in range(9):
                bench.phases(*phases_w)
        assert bench.closed
        assert bench.kinds().count("pickup") == 4
        assert bench.kinds().count("dropout") == 3

    def test_it_trips_by_itself_and_no_test_is_to_blame(self) -> None:
        """A lowered pickup is one of the total."""
        bench = PhaseBench(FURTHER).phases(0.0, 0.0, 0.0, ready=True)
        bench.overrides = (Override("test", 1e9, pickup_w=95.0),)
        for _ in range(12):
            bench.phases(0.0, 41.0, 0.0)
        assert bench.state.durable.target == "32-b"
        assert len(bench.state.durable.trips_s) == 1

    def test_one_that_is_blocked_at_zero_output_is_so_on_a_phase(self) -> None:
        minimum = ElementSettings("32F-b", -5.0, -6.0, 1.0, 0.0, blocked_at_zero_output=True, phase=1)
        bench = PhaseBench(replace(FURTHER, further=(minimum,))).phases(-9.0, -9.0, -9.0, ready=True)
        for _ in range(30):
            bench.phases(-9.0, 0.0, -9.0, a=0.0, b=0.0)
        assert bench.closed
        assert bench.state.further[0].blocked
        for _ in range(12):
            bench.phases(-9.0, 0.0, -9.0, a=0.0, b=50.0)
        assert bench.state.durable.target == "32F-b"


class TestBound:
    """The PCS bound of a phase: forced down before it, tripped at it, without a word at pickup."""

    def test_it_forces_fallback_and_then_trips(self) -> None:
        settings = replace(FURTHER, elements=(), lost_sensing_s=None, further=(BOUND_B,))
        bench = PhaseBench(settings).phases(0.0, 0.0, 0.0, ready=True)
        while bench.now_s < 100.1 + 24.95:
            bench.phases(-60.0, 41.0, -60.0)
            assert not permit(settings, bench.state, bench.now_s).force_fallback
        bench.phases(-60.0, 41.0, -60.0, after_s=0.1)
        assert permit(settings, bench.state, bench.now_s).force_fallback
        while bench.now_s < 100.1 + 29.9:
            bench.phases(-60.0, 41.0, -60.0)
            assert bench.closed
        bench.phases(-60.0, 41.0, -60.0, after_s=0.2)
        assert bench.state.durable.target == "PCS-b"
        assert bench.kinds() == ["trip"]

    def test_an_element_behind_it_says_when_it_picks_up_and_drops_out(self) -> None:
        bench = PhaseBench(replace(FURTHER, further=(BOUND_B, PHASE_B))).phases(0.0, 0.0, 0.0, ready=True)
        bench.phases(-60.0, 41.0, -60.0).phases(0.0, 0.0, 0.0)
        assert bench.kinds() == ["pickup", "dropout"]

    def test_an_element_forces_nothing(self) -> None:
        slow = replace(PHASE_B, delay_s=60.0)
        bench = PhaseBench(replace(FURTHER, further=(slow,), lost_sensing_s=None)).phases(0.0, 0.0, 0.0)
        for _ in range(280):
            bench.phases(-60.0, 41.0, -60.0)
        assert not permit(bench.settings, bench.state, bench.now_s).force_fallback


class TestProof:
    """At zero host load, on each phase that is limited, with what else is there."""

    @pytest.mark.parametrize(("b_w", "trips"), [(50.0, False), (50.1, True)])
    def test_power_on_one_phase_alone_is_proof_enough_to_the_contrary(self, b_w: float, trips: bool) -> None:
        """100 W in sum are allowed; on the phase 30, with 5 unmanaged and half of b."""
        settings = replace(
            SETTINGS, sums=(ZeroLoadSum((0.0, 0.5), 5.0, 30.0), ZeroLoadSum((1.0, 0.0), 0.0, 1.0))
        )
        bench = Bench(settings).in_service()
        for _ in range(15):
            bench.scan(a=1.0, b=b_w)
        assert (bench.state.durable.target == "lost-sensing") is trips

    def test_power_taken_is_none_made(self) -> None:
        settings = replace(SETTINGS, sums=(ZeroLoadSum((1.0, 1.0), 0.0, 30.0),))
        bench = Bench(settings).in_service()
        for _ in range(15):
            bench.scan(a=-20.0, b=31.0)
        assert bench.state.durable.target == "lost-sensing"


LIMIT = "export_limit_w = 25_000.0"
ON_A = ('profile = "sunspec-7xx"', 'profile = "sunspec-7xx"\nphases = "a"')


class TestSettings:
    """What is made of the site file."""

    def test_a_site_without_limits_on_phases_has_none_of_it(self) -> None:
        settings = GuardSettings.of(site())
        assert (settings.further, settings.sums) == ((), ())

    def test_every_export_element_and_the_bound_by_phase(self) -> None:
        limited = site((LIMIT, f"{LIMIT}\nexport_limit_phase_w = 9_000.0\nexport_limit_phase_va = 10_000.0"))
        settings = GuardSettings.of(limited)
        assert [
            (each.name, each.pickup_w, each.phase, each.apparent, each.bound) for each in settings.further
        ] == [
            ("32-a", 9_000.0, 0, False, False),
            ("32-b", 9_000.0, 1, False, False),
            ("32-c", 9_000.0, 2, False, False),
            ("PCS-a", 9_000.0, 0, False, True),
            ("PCS-a-va", 10_000.0, 0, True, True),
            ("PCS-b", 9_000.0, 1, False, True),
            ("PCS-b-va", 10_000.0, 1, True, True),
            ("PCS-c", 9_000.0, 2, False, True),
            ("PCS-c-va", 10_000.0, 2, True, True),
        ]
        element, bound = settings.further[0], settings.further[3]
        assert (element.dropout_w, element.delay_s) == (9_000.0 - 180.0, settings.elements[0].delay_s)
        assert (bound.dropout_w, bound.delay_s, bound.reset_delay_s) == (9_000.0, 30.0, 10.0)
        assert settings.calm_w == 180.0

    def test_apparent_power_alone_has_a_bound(self) -> None:
        (bound,) = GuardSettings.of(site((LIMIT, f"{LIMIT}\nexport_limit_va = 26_000.0"))).further
        assert (bound.name, bound.pickup_w, bound.phase, bound.apparent) == ("PCS-va", 26_000.0, None, True)

    def test_an_import_element_looks_at_the_total_alone(self) -> None:
        importing = site(
            (LIMIT, f"{LIMIT}\nexport_limit_phase_w = 9_000.0"),
            ('kind = "32"', 'kind = "import"\npickup_w = 10.0'),
        )
        assert [each.name for each in GuardSettings.of(importing).further] == ["PCS-a", "PCS-b", "PCS-c"]

    @pytest.mark.parametrize(
        ("kind", "pickups_w"),
        [
            ("32R", [50.0] * 3),
            ("32", [9_000.0] * 3),
            ("32F", [-2_333.3333333333335, -1_333.3333333333333, -1_333.3333333333333]),
        ],
    )
    def test_pickups_by_phase(self, kind: str, pickups_w: list[float]) -> None:
        """0.1 % of a third of 150 kVA; the limit; 5 % of what is there: 20 kW on a, 80 kW on all."""
        limited = site(
            (LIMIT, f"{LIMIT}\nexport_limit_phase_w = 9_000.0"), ('kind = "32"', f'kind = "{kind}"'), ON_A
        )
        (element,) = limited.guard.element
        assert [pickup_w(limited, element, phase) for phase in "abc"] == pytest.approx(pickups_w)

    @pytest.mark.parametrize(("kind", "w"), [("32R", 30.0), ("32", 30.0), ("32F", -30.0)])
    def test_a_pickup_that_is_given(self, kind: str, w: float) -> None:
        limited = site(
            (LIMIT, f"{LIMIT}\nexport_limit_phase_w = 9_000.0"),
            ('kind = "32"', f'kind = "{kind}"\npickup_phase_w = 30.0'),
        )
        (element,) = limited.guard.element
        assert [pickup_w(limited, element, phase) for phase in "abc"] == [w] * 3
        assert pickup_w(limited, element) == pickup_w(site(('kind = "32"', f'kind = "{kind}"')), element)

    def test_what_is_safe_without_sight(self) -> None:
        """20 kW and 80 kW, either with as many var as W: nothing is left of 26 kVA; 10 kvar declared leave 24 kW."""
        plain, va = site(), site((LIMIT, f"{LIMIT}\nexport_limit_va = 26_000.0"))
        assert safe_w(plain) == 25_000.0
        assert safe_w(va) == 0.0
        declared = site(
            (LIMIT, f"{LIMIT}\nexport_limit_va = 26_000.0\nexport_limit_phase_va = 12_000.0"),
            ("[[der]]", "[meter.instruments]\nexpected_var = 10_000.0\nmeter_error_pct = 0.2\n\n[[der]]"),
        )
        assert safe_w(declared) == pytest.approx(24_000.0)
        assert safe_w(declared, "b") == pytest.approx(math.sqrt(12_000.0**2 - 10_000.0**2))
        loose = site(
            (LIMIT, f"{LIMIT}\nexport_limit_va = 99_000.0"),
            ("[[der]]", "[meter.instruments]\nexpected_var = 10_000.0\nmeter_error_pct = 0.2\n\n[[der]]"),
        )
        assert safe_w(loose) == 25_000.0

    def test_sums_at_zero_load(self) -> None:
        limited = site(
            (LIMIT, f"{LIMIT}\nexport_limit_phase_w = 9_000.0\nexport_limit_va = 99_000.0"),
            ON_A,
            ("[guard]", '[unmanaged]\nnameplate_w = 300.0\nphases = "bc"\n[guard]'),
        )
        whole_site, a, b, _ = GuardSettings.of(limited).sums
        assert (whole_site.shares, whole_site.unmanaged_w) == ((1.0, 1.0), 300.0)
        assert a == ZeroLoadSum((1.0, pytest.approx(1.03 / 3)), 0.0, 9_000.0)  # type: ignore[arg-type]  # approx
        assert b == ZeroLoadSum((0.0, pytest.approx(1.03 / 3)), pytest.approx(154.5), 9_000.0)  # type: ignore[arg-type]
