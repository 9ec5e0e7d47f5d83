"""Storage in whole scans: both ends of its band, in service, blind, at a start, and once it is lost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from core_bench import NONE, SETTINGS, B, der, image, pcc, still
from storage_bench import ABILITIES, EXPORT_ONLY, IMPORT_ONLY, MODES, NO_EXCHANGE, C

from edge.core.control import CoreState, Wish, core_start, core_step
from edge.core.enter_service import EnterService
from edge.core.fallback import Fallback
from edge.core.limiter import Limiter
from edge.core.noise import Noise
from edge.core.settings import CoreSettings
from edge.model.image import DerReading, Image, Override
from edge.model.permit import Permit
from edge.model.sample import Sample
from edge.model.storage_rules import NO_RULES, StorageRules


def test_what_is_taken_for_full_absorbs_nothing_until_it_is_asked_again() -> None:
    def floor_w(until_s: float) -> float:
        state = running()
        assert state.storage is not None
        full = state._replace(storage=replace(state.storage, full_s=(0.0, until_s)))
        return scan(seen(), full)[1].floors_w["c"]

    assert floor_w(NOW_S) == -25.0
    assert floor_w(NOW_S + 0.01) == 0.0


NOW_S = 100.0
SITE = replace(SETTINGS, ders=(B, C), charge_w=30.0, nameplate_w=120.0, fallback_hold_s=0.0)
ON = EnterService(after_trip=False, ramp_s=0.0, done=True)


def running(plant: CoreSettings = SITE, **swaps: object) -> CoreState:
    """In service, regulating at a ceiling of 60 W; host load 40 W."""
    start = core_start(plant, 0.0, 0.0, after_trip=False)
    state = start._replace(
        limiter=Limiter(60.0, 1, 99.8, Noise(0.0), 0.0, 35.0),
        fallback=Fallback(active=False, since_s=0.0),
        enter=ON,
        tracks=(still(B, 70.0, 99.5, last_w=70.0), still(C, -10.0, 99.5, last_w=-10.0)),
        storage=replace(start.storage, at_s=99.9, discharge_w=5.0, charge_w=25.0, serve_w=3.0),  # type: ignore[type-var]
    )
    return state._replace(**swaps)  # type: ignore[arg-type]  # named fields of the state


def seen(c: DerReading | None = None, export_w: float | None = 0.0, sequence: int = 1) -> Image:
    """Generator at 70 W of 70 W, storage at -10 W."""
    c = c or der("c", -10.0, -10.0, NOW_S, floor_w=Sample.good(-25.0, NOW_S))
    return image(pcc(export_w, NOW_S, sequence), der("b", 70.0, 70.0, NOW_S), c)


def scan(at: Image, state: CoreState, plant: CoreSettings = SITE, **given: object) -> tuple[CoreState, Wish]:
    """One scan at `NOW_S`."""
    return core_step(at, plant, state, Permit(**given), NOW_S, in_service=True)  # type: ignore[arg-type]


def test_a_scan_gives_limits_and_floors() -> None:
    _, wish = scan(seen(), running())
    assert wish.limits_w == {"b": pytest.approx(70.0), "c": pytest.approx(-19.984, abs=0.05)}
    assert wish.floors_w == {"c": -25.0}


def test_a_full_battery_absorbs_nothing() -> None:
    def floor_w(soc_pu: float) -> float:
        c = der("c", -10.0, -10.0, NOW_S, soc_pu=Sample.good(soc_pu, NOW_S))
        return scan(seen(c), running())[1].floors_w["c"]

    assert floor_w(0.9449) == -25.0
    assert floor_w(0.945) == 0.0


def test_lost_storage_gives_no_credit_and_counts_at_its_most() -> None:
    _, wish = scan(seen(der("c", -10.0, -10.0, NOW_S, reachable=False)), running())
    assert wish.limits_w == {"b": pytest.approx(20.0), "c": 0.0}
    assert wish.floors_w == {}


def test_storage_that_nobody_hears_is_disconnected_where_its_exchange_is_limited() -> None:
    c = der("c", -10.0, -10.0, NOW_S, reachable=False)
    for rules, isolated in ((NO_RULES, set()), *((mode, {"k"}) for mode in (*MODES[1:], *ABILITIES))):
        plant = replace(SITE, storage=rules)
        assert scan(seen(c), running(plant), plant)[1].isolate == isolated
    bare = replace(SITE, ders=(B, replace(C, contact=None)), storage=NO_EXCHANGE)
    assert scan(seen(c), running(bare), bare)[1].isolate == set()
    generator = replace(SITE, ders=(replace(B, contact="k"), C), storage=NO_EXCHANGE)
    lost_b = image(
        pcc(0.0, NOW_S), der("b", 70.0, 70.0, NOW_S, reachable=False), der("c", -10.0, -10.0, NOW_S)
    )
    assert scan(lost_b, running(generator), generator)[1].isolate == {"k"}, "it shares the contact of storage"


def test_a_contact_that_no_storage_stands_behind_stays_where_it_is() -> None:
    plant = replace(SITE, ders=(replace(B, contact="m"), C), storage=NO_EXCHANGE)
    silent = image(
        pcc(0.0, NOW_S), der("b", 20.0, 20.0, NOW_S, reachable=False), der("c", -10.0, -10.0, NOW_S)
    )
    assert scan(silent, running(plant), plant)[1].isolate == set()


def test_blind_storage_gives_what_may_be_sent_and_takes_nothing_where_import_is_limited() -> None:
    def blind(rules: StorageRules) -> tuple[float, float, float]:
        plant = replace(SITE, storage=rules)
        _, wish = scan(seen(export_w=None), running(plant), plant)
        return wish.limits_w["b"], wish.limits_w["c"], wish.floors_w["c"]

    assert blind(NO_RULES) == (24.0, 0.0, -30.0), "generation wants it all"
    assert blind(EXPORT_ONLY) == (24.0, 0.0, 0.0)
    assert blind(StorageRules(import_w=5.0)) == (24.0, 0.0, 0.0)
    assert blind(StorageRules(site_import_w=5.0)) == (24.0, 0.0, 0.0)
    dark = running(tracks=(still(B, 70.0, 99.5, last_w=0.0, weather_w=0.0), still(C, 0.0, 99.5, last_w=0.0)))
    night = image(pcc(None, NOW_S), der("b", 0.0, 70.0, NOW_S), der("c", 0.0, 0.0, NOW_S))
    for rules, most_w in ((NO_RULES, 22.4), (IMPORT_ONLY, 0.0), (StorageRules(export_w=3.0), 3.0)):
        plant = replace(SITE, storage=rules)
        assert scan(night, dark, plant)[1].limits_w["c"] == pytest.approx(most_w)


def test_a_remote_cap_on_the_sum_is_absorbed_too() -> None:
    at = replace(seen(), overrides=(Override("portal", 1e9, limit_w=45.0),))
    _, wish = scan(at, running())
    assert wish.limits_w == {"b": pytest.approx(55.0), "c": pytest.approx(-25.0)}


def test_storage_enters_service_by_its_share_both_ways() -> None:
    entering = replace(ON, done=False, ramp_s=NOW_S - 25.0)
    _, wish = scan(seen(), running(enter=entering))
    assert wish.floors_w["c"] == pytest.approx(-7.5)


def test_a_start_loosens_neither_end_of_what_storage_holds() -> None:
    start = core_start(SITE, 0.0, 0.0, after_trip=False)
    _, wish = scan(seen(), start._replace(enter=ON))
    assert (wish.limits_w["c"], wish.floors_w["c"]) == (-10.0, -25.0)
    _, wish = scan(seen(der("c", -10.0, -10.0, NOW_S)), start._replace(enter=ON))
    assert wish.floors_w["c"] == -30.0, "nothing is known of its floor"


def test_without_sight_what_a_device_absorbs_from_before_a_start_makes_no_room() -> None:
    """It may stop, and nobody would see what then goes out; nor would such limits ever be verified to be safe."""
    state = running()
    state = state._replace(fallback=replace(state.fallback, active=True, starting=True, since_s=100.0))
    c = der("c", -20.0, -20.0, 100.9, floor_w=Sample.good(-20.0, 100.9))
    _, wish = scan(seen(c, None), state)
    assert wish.limits_w["c"] == -20.0
    assert wish.limits_w["b"] == pytest.approx(wish.narrowings[0].limit_w)


def test_fallback_is_left_only_with_charging_verified_to_be_off_where_import_is_limited() -> None:
    blind = Fallback(active=True, since_s=0.0, sighted_s=0.0)

    def stays(rules: StorageRules, floor: Sample, limit_w: float = 0.0) -> bool:
        plant = replace(SITE, storage=rules)
        at = image(
            pcc(0.0, NOW_S),
            der("b", 20.0, 24.0, NOW_S),
            DerReading("c", Sample.good(0.0, NOW_S), Sample.good(limit_w, NOW_S), floor_w=floor),
        )
        state, _ = scan(at, running(plant, fallback=blind), plant)
        return state.fallback.active

    assert not stays(NO_RULES, NONE)
    assert stays(EXPORT_ONLY, NONE)
    assert not stays(EXPORT_ONLY, Sample.good(-0.2, NOW_S))
    assert stays(EXPORT_ONLY, Sample.good(-0.201, NOW_S))
    assert stays(EXPORT_ONLY, Sample.good(0.0, 0.0)), "read before the fallback"
    assert stays(NO_RULES, NONE, limit_w=10.0), "24 W and 10 W are too much"
    at = image(pcc(0.0, NOW_S), der("b", 20.0, 34.0, NOW_S), der("c", -10.0, -10.0, NOW_S))
    assert scan(at, running(fallback=blind))[0].fallback.active, "an order to absorb makes no room"
