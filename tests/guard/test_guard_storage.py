"""Storage in the guard: bands are clipped, its exchange with the grid is bounded, charging past its floor is found."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from guard_bench import SETTINGS, Bench, site

from edge.guard.fitness import judge
from edge.guard.guard import permit
from edge.guard.settings import DerSettings, ElementSettings, GuardSettings, StorageBound
from edge.guard.state import guard_start
from edge.guard.storage_bound import exchanged
from edge.model.durable import NEW_SITE
from edge.model.image import DerReading, Image, PccReading
from edge.model.sample import Sample

CELL = DerSettings("c", 50.0, "k", 1.0, 2.0, charge_w=40.0, unheard_w=50.0, unheard_charge_w=40.0)
DERS = (DerSettings("a", 200.0, None, 1.0, 2.0), CELL)
NOW_S = 100.0


def bound(kind: str, limit_w: float = 5.0) -> StorageBound:
    """Past its limit for 30 s it operates, 10 s within reset it."""
    return StorageBound(kind, ElementSettings(f"bound-{kind}", limit_w, limit_w, 30.0, 10.0))  # type: ignore[arg-type]


def value_w(
    kind: str, export_w: float, storage: Sample, *, closed: bool = True, ders: tuple[DerSettings, ...] = DERS
) -> float:
    """What a bound of this kind is about."""
    readings = (
        DerReading("a", Sample.good(7.0, NOW_S), Sample.none()),
        DerReading("c", storage, Sample.none()),
    )
    image = Image(0, PccReading(Sample.none(), Sample.none(), Sample.none()), readings)
    export = Sample.good(export_w, 99.0, 99.5)
    found = exchanged(bound(kind), export, image, ders, NOW_S, closed=closed)
    assert (found.oldest_s, found.newest_s) == (99.0, 99.5)
    return found.otherwise(math.nan)


def now(output_w: float) -> Sample:
    return Sample.good(output_w, NOW_S)


def test_storage_takes_its_charge_or_the_import_whichever_is_less() -> None:
    assert value_w("taken", -30.0, now(-20.0)) == 20.0
    assert value_w("taken", -10.0, now(-20.0)) == 10.0
    assert value_w("taken", 10.0, now(-20.0)) == -10.0
    assert value_w("taken", -30.0, now(20.0)) == 0.0


def test_storage_sends_its_discharge_or_the_export_whichever_is_less() -> None:
    assert value_w("sent", 30.0, now(20.0)) == 20.0
    assert value_w("sent", 10.0, now(20.0)) == 10.0
    assert value_w("sent", -10.0, now(20.0)) == -10.0
    assert value_w("sent", 30.0, now(-20.0)) == 0.0


def test_the_import_of_the_site_counts_while_storage_charges() -> None:
    assert value_w("import", -30.0, now(-1.251)) == 30.0
    assert value_w("import", -30.0, now(-1.25)) == 0.0, "half a percent of 250 W is no charging"
    assert value_w("import", -30.0, now(20.0)) == 0.0


def test_storage_that_is_not_measured_does_the_most_it_may_unheard() -> None:
    old, fresh = Sample.good(0.0, NOW_S - 10.001), Sample.good(0.0, NOW_S - 10.0)
    assert (value_w("taken", -90.0, old), value_w("taken", -90.0, fresh)) == (40.0, 0.0)
    assert value_w("sent", 90.0, Sample.none()) == 50.0
    assert value_w("taken", -90.0, old, closed=False) == 0.0, "behind an open contact"
    bare = (DERS[0], replace(CELL, contact=None, unheard_charge_w=3.0))
    assert value_w("taken", -90.0, old, closed=False, ders=bare) == 3.0


def cell_bench(*bounds: StorageBound) -> Bench:
    """Generator a, storage c behind the contact."""
    return Bench(SETTINGS, elements=(), lost_sensing_s=None, ders=DERS, bounds=bounds).in_service()


def test_a_bound_forces_fallback_then_trips_and_says_which() -> None:
    bench = cell_bench(bound("taken"))
    bench.floors_w["c"] = -40.0
    bench.scans(24.9, -30.0, a=0.0, c=-20.0)
    assert not permit(bench.settings, bench.state, bench.now_s).force_fallback
    bench.scans(0.3, -30.0, a=0.0, c=-20.0)
    assert permit(bench.settings, bench.state, bench.now_s).force_fallback
    bench.scans(4.4, -30.0, a=0.0, c=-20.0)
    assert not bench.state.durable.tripped
    bench.scans(0.7, -30.0, a=0.0, c=-20.0)
    assert bench.state.durable.target == "bound-taken"


def test_within_its_bound_nothing_happens() -> None:
    bench = cell_bench(bound("taken"), bound("sent"), bound("import", 60.0))
    bench.floors_w["c"] = -40.0
    bench.scans(60.0, -50.0, a=0.0, c=-5.0)
    assert not bench.state.durable.tripped
    assert not permit(bench.settings, bench.state, bench.now_s).force_fallback


def test_before_anything_was_commanded_storage_may_charge_as_much_as_it_can() -> None:
    start = guard_start(replace(SETTINGS, ders=DERS), NEW_SITE, NOW_S)
    assert [limit.floor_w for limit in start.limits] == [0.0, -40.0]


def told(limit_w: float, floor_w: float, name: str = "c") -> tuple[float, float]:
    """The band that the guard lets pass."""
    bench = cell_bench()
    bench.limits_w[name], bench.floors_w[name] = limit_w, floor_w
    limit = next(one for one in bench.scan(0.0).commands.limits if one.name == name)
    assert limit.floor_w <= min(0.0, limit.limit_w)
    return limit.limit_w, limit.floor_w


def test_bands_are_clipped_to_what_storage_can() -> None:
    assert told(30.0, -20.0) == (30.0, -20.0)
    assert told(50.1, -40.1) == (50.0, -40.0)
    assert told(-10.0, -20.0) == (-10.0, -20.0)
    assert told(-30.0, -20.0) == (-20.0, -20.0)
    assert told(-10.0, 5.0) == (0.0, 0.0)
    assert told(math.nan, -20.0) == (0.0, -20.0)
    assert told(30.0, math.nan) == (30.0, 0.0)
    assert told(math.inf, -math.inf) == (0.0, 0.0)
    assert told(-5.0, -5.0, "a") == (0.0, 0.0), "what only generates has no floor"


def test_one_that_nothing_is_said_of_may_give_nothing() -> None:
    bench = cell_bench()
    bench.limits_w, bench.floors_w = {"a": 0.0}, {"c": -20.0}
    assert [(one.limit_w, one.floor_w) for one in bench.scan(0.0).commands.limits] == [
        (0.0, 0.0),
        (0.0, -20.0),
    ]


def test_tripped_it_neither_gives_nor_takes() -> None:
    bench = cell_bench(bound("taken", -100.0))
    bench.limits_w["c"], bench.floors_w["c"] = 30.0, -20.0
    bench.scans(31.0, 0.0, a=0.0, c=0.0)
    assert bench.state.durable.tripped
    assert [(limit.limit_w, limit.floor_w) for limit in bench.commands.limits] == [(0.0, 0.0)] * 2


def test_charging_past_its_floor_is_found_and_ends_at_the_contact() -> None:
    bench = cell_bench()
    bench.floors_w["c"] = -10.0
    bench.scans(20.0, 0.0, a=0.0, c=-10.8)
    assert not permit(bench.settings, bench.state, bench.now_s).unresponsive, "2 % of its charge rating"
    bench.scans(5.0, 0.0, a=0.0, c=-10.81)
    assert permit(bench.settings, bench.state, bench.now_s).unresponsive == {"c"}
    assert bench.kinds().count("write-unverified") == 1
    bench.scans(10.0, 0.0, a=0.0, c=-10.81)
    assert bench.state.durable.target == "supervisor:c"


def test_the_smallest_store_is_watched_as_well() -> None:
    tiny = replace(CELL, charge_w=0.5)
    bench = Bench(SETTINGS, elements=(), lost_sensing_s=None, ders=(DERS[0], tiny)).in_service()
    bench.floors_w["c"] = -0.1
    bench.scans(25.0, 0.0, a=0.0, c=-0.5)
    assert permit(bench.settings, bench.state, bench.now_s).unresponsive == {"c"}


@pytest.mark.parametrize(("output_w", "defies"), [(1.0, False), (1.001, True)])
def test_storage_told_to_charge_is_convicted_of_giving_only(output_w: float, *, defies: bool) -> None:
    """2 % of its 50 W count as none."""
    bench = cell_bench()
    bench.limits_w["c"], bench.floors_w["c"] = -20.0, -20.0
    bench.scans(30.0, 0.0, a=0.0, c=output_w)
    assert (bench.state.durable.target == "supervisor:c") is defies


def test_nothing_is_closed_while_storage_charges_past_its_floor() -> None:
    bench = Bench(ders=(DerSettings("a", 200.0, None, 1.0, 2.0), replace(CELL, contact=None)))
    bench.outputs_w = {"a": Sample.none(), "c": Sample.none()}
    bench.scans(20.0, 0.0, a=0.0, c=-20.0)
    assert permit(bench.settings, bench.state, bench.now_s).unresponsive == {"c"}
    assert not bench.scan(0.0, ready=True, a=0.0, c=-20.0).closed
    assert bench.scan(0.0, ready=True, a=0.0, c=0.0).closed


def test_storage_that_absorbs_less_than_it_was_told_to_is_not_to_blame() -> None:
    bench = cell_bench()
    bench.limits_w["c"], bench.floors_w["c"] = -20.0, -30.0
    bench.scans(20.0, 0.0, a=0.0, c=0.0)
    assert not permit(bench.settings, bench.state, bench.now_s).unresponsive
    bench.scans(5.0, 0.0, a=0.0, c=1.01)
    assert permit(bench.settings, bench.state, bench.now_s).unresponsive == {"c"}


# The site file.

CELLS = (
    'profile = "sunspec-1xx"\nnameplate_w = 80_000.0',
    'profile = "sunspec-124"\nkind = "storage"\nnameplate_w = 80_000.0\ncharge_w = 60_000.0',
)
MODES = 'pcs_modes = ["export_limiting_all_sources"]'
METHOD = ("rpa =", 'import_limit_method = "limiter"\nrpa =')


def modes(*names: str, more: str = "") -> tuple[str, str]:
    return MODES, f"pcs_modes = {list(names)}\n{more}".replace("'", '"')


def bounds(*pairs: tuple[str, str]) -> dict[str, float]:
    """Name and pickup of each bound."""
    return {one.element.name: one.element.pickup_w for one in GuardSettings.of(site(*pairs)).bounds}


def test_each_agreement_has_its_bound_of_half_a_percent_more() -> None:
    assert bounds() == bounds(modes("no_exchange")) == {}, "there is no storage"
    assert bounds(CELLS, METHOD) == {}
    assert bounds(CELLS, METHOD, modes("export_only")) == {"PCS-storage-import": 500.0}
    assert bounds(CELLS, METHOD, modes("import_only")) == {"PCS-storage-export": 500.0}
    held = modes("import_limiting_to_ess", more="ess_import_limit_w = 8000.0\nimport_limit_w = 40000.0")
    assert bounds(CELLS, METHOD, held) == {"PCS-storage-import": 8_500.0, "PCS-import": 40_500.0}
    none = ("= 25_000.0", "= 0.0")
    assert bounds(CELLS, METHOD, modes("no_exchange"), none) == {
        "PCS-storage-import": 2_500.0,
        "PCS-storage-export": 500.0,
    }
    assert (
        bounds(CELLS, METHOD, modes("export_only"), ("= 25_000.0", "= 499.0"))["PCS-storage-import"]
        == 2_500.0
    )
    assert (
        bounds(CELLS, METHOD, modes("export_only"), ("= 25_000.0", "= 500.0"))["PCS-storage-import"] == 500.0
    )


def test_what_the_guard_knows_of_storage() -> None:
    cell = GuardSettings.of(site(CELLS, METHOD)).ders[1]
    assert (cell.charge_w, cell.unheard_w, cell.unheard_charge_w) == (60_000.0, 80_000.0, 60_000.0)
    back = ('contact = "coil-2"', 'contact = "coil-2"\nreversion = { safe_w = 1000.0 }')
    cell = GuardSettings.of(site(CELLS, METHOD, back)).ders[1]
    assert (cell.unheard_w, cell.unheard_charge_w) == (1_000.0, 60_000.0)
    operated = ("charge_w = 60_000.0", 'charge_w = 60_000.0\noperation = "setpoint"')
    assert GuardSettings.of(site(CELLS, METHOD, back, operated)).ders[1].unheard_charge_w == 0.0
    assert GuardSettings.of(site(CELLS, METHOD, operated)).ders[1].unheard_charge_w == 60_000.0
    assert GuardSettings.of(site()).ders[1].charge_w == 0.0


def said(*pairs: tuple[str, str], level: str = "problem") -> list[str]:
    """Key path and text of what is said of storage."""
    return [f"{one.path}: {one.text}" for one in judge(site(*pairs)) if one.level == level]


UNHELD = [
    (
        modes("export_only", "import_only"),
        "agreement.pcs_modes: export_only and import_only contradict each other",
    ),
    (modes("unrestricted", "no_exchange"), "unrestricted and no_exchange contradict each other"),
    (
        modes("export_limiting_from_ess"),
        "agreement.ess_export_limit_w: is required by export_limiting_from_ess",
    ),
    (modes("import_limiting_to_ess"), "agreement.ess_import_limit_w: is required by import_limiting_to_ess"),
    (modes("unrestricted", more="ess_import_limit_w = 5.0"), "must name import_limiting_to_ess"),
    (modes("unrestricted", more="import_limit_w = 5.0"), "must name import_limiting_to_ess"),
    (modes("unrestricted", more="ess_export_limit_w = 5.0"), "must name export_limiting_from_ess"),
]


@pytest.mark.parametrize(("swap", "text"), UNHELD)
def test_contradictions_are_refused(swap: tuple[str, str], text: str) -> None:
    assert any(text in one for one in said(CELLS, METHOD, swap)), said(CELLS, METHOD, swap)


def test_import_limits_need_their_method() -> None:
    held = modes("import_limiting_to_ess", more="import_limit_w = 5.0")
    assert any(
        "agreement.import_limit_method: is required where import is limited" in one
        for one in said(CELLS, held)
    )


def test_limits_on_storage_without_storage_are_refused() -> None:
    for key in ("import_limit_w", "ess_import_limit_w", "ess_export_limit_w"):
        assert any(
            "a limit on storage is given, and no [[der]]" in one
            for one in said(modes("unrestricted", more=f"{key} = 5.0"))
        )


def test_export_only_with_nothing_to_export_is_no_exchange() -> None:
    none = (("= 25_000.0", "= 0.0"), ('kind = "32"', 'kind = "32"\npickup_w = 0.0'))
    assert any("is no_exchange: say so" in one for one in said(CELLS, METHOD, modes("export_only"), *none))
    assert not any("is no_exchange: say so" in one for one in said(CELLS, METHOD, modes("export_only")))
    assert not any("is no_exchange: say so" in one for one in said(modes("export_only"), *none))


@pytest.mark.parametrize("mode", ["unrestricted", "export_only", "import_only", "no_exchange"])
def test_each_mode_is_held_and_said_in_watts(mode: str) -> None:
    assert said(CELLS, METHOD, modes(mode)) == []
    (text,) = (one for one in said(CELLS, METHOD, modes(mode), level="fact") if "storage:" in one)
    assert "all DERs together may export 25000 W" in text
    sends = "0 W to the grid" if mode in {"import_only", "no_exchange"} else "any power to the grid"
    takes = "0 W from the grid" if mode in {"export_only", "no_exchange"} else "any power from the grid"
    assert f"storage may send {sends}; storage may take {takes}" in text
    assert ("and charging is held to 0 W" in text) is (mode in {"export_only", "no_exchange"})
    assert "twice the margin" not in text
    assert "while the site imports" not in text
    blind_w = "0" if mode in {"import_only", "no_exchange"} else "25000"
    assert f"discharging is held to {blind_w} W in sum with generation" in text


def test_the_overlap_of_the_margins_is_told_where_there_is_one() -> None:
    def overlaps(limit_w: str) -> bool:
        swaps = (CELLS, METHOD, modes("no_exchange"), ("= 25_000.0", f"= {limit_w}"))
        return any("takes up to twice the margin (here 400 W" in one for one in said(*swaps, level="fact"))

    assert overlaps("599.0")
    assert not overlaps("600.0")
    held = modes("import_limiting_to_ess", more="import_limit_w = 5.0\ness_import_limit_w = 7.0")
    facts = said(CELLS, METHOD, held, level="fact")
    assert any(
        "it may charge while the site imports up to 5 W" in one and "take 7 W from" in one for one in facts
    )


CONTACT = 'contact = "coil-2"'
LOOKS_IN = ('kind = "32"', 'kind = "import"\npickup_w = 90_000.0')


def test_an_import_element_reaches_storage_and_asks_nothing_of_generation() -> None:
    big = ("nameplate_w = 20_000.0", "nameplate_w = 25_001.0")
    assert said(CELLS, METHOD, big, LOOKS_IN) == []
    assert any("der.contact: reach: 25001 W" in one for one in said(CELLS, METHOD, big))
    bare = (CONTACT, "reversion = { safe_w = 0.0 }")
    text = "der[1].contact: reach: inverter-2 is not behind a trip output; opening could not end the 60000 W"
    assert any(text in one for one in said(CELLS, METHOD, bare, LOOKS_IN))
    assert not any("der[1].contact" in one for one in said(CELLS, METHOD, bare))
    assert not any("der[1].contact" in one for one in said(METHOD, bare, LOOKS_IN))


def alone(operation: str, mode: str, safe_w: float = 0.0) -> list[str]:
    """What is said of storage that has a reversion and no contact."""
    swaps = (
        CELLS,
        METHOD,
        modes(mode),
        (CONTACT, f'operation = "{operation}"\nreversion = {{ safe_w = {safe_w} }}'),
        ('[[guard.element]]\nkind = "32"', ""),
    )
    return [one for level in ("problem", "fact") for one in said(*swaps, level=level) if "der[1]" in one]


def test_what_it_does_when_nobody_speaks_to_it() -> None:
    (text,) = (one for one in said(CELLS, METHOD, level="fact") if "der[1]" in one)
    assert text.endswith("inverter-2, when nobody speaks to it: coil-2 opens, it neither gives nor takes")
    (text,) = alone("setpoint", "no_exchange")
    assert text.endswith("for 10 s: its set-point is 0 W, it takes nothing")
    (text,) = alone("band", "import_only")
    assert text.endswith("it gives at most 0 W and charges as it likes, up to 60000 W")
    (text,) = alone("band", "export_only")
    assert "charges as it likes" in text
    assert text.endswith(
        'where import is limited it needs operation = "setpoint" or a contact with a dead-man'
    )
    assert any(
        "der[1].reversion.safe_w: may be at most 0 W" in one for one in alone("setpoint", "import_only", 1.0)
    )
    assert not any("may be at most" in one for one in alone("setpoint", "export_only", 1.0))
    kept = said(CELLS, METHOD, (CONTACT, ""), ('[[guard.element]]\nkind = "32"', ""))
    assert any("der[1].reversion: inverter-2 keeps its last limit" in one for one in kept)


def test_a_floor_begins_at_nothing() -> None:
    assert told(10.0, 0.05) == (10.0, 0.0)
    assert told(10.0, -0.05) == (10.0, -0.05)
