"""The capacity statement by each method and PCS mode."""

from __future__ import annotations

import pytest
from engineering_site import FIRST, GUARD, LIMIT, METHOD, MODES, SECOND, site
from hypothesis import given
from hypothesis import strategies as st

from edge.engineering.capacity import capacity
from edge.model.site import NON_EXPORT_METHODS, Method, PcsMode, Site

STORAGE = (FIRST, f'{FIRST}\nkind = "storage"')
UNMANAGED = (GUARD, f"[unmanaged]\nnameplate_w = 7_000.0\n{GUARD}")


def by(method: str, *pairs: tuple[str, str]) -> Site:
    """The bench site by another method, storage first."""
    return site((METHOD, f'method = "{method}"'), STORAGE, *pairs)


def modes(*names: str) -> tuple[str, str]:
    quoted = ", ".join(f'"{name}"' for name in names)
    return MODES, f"pcs_modes = [{quoted}]"


def test_the_golden_example() -> None:
    # 20 + 80 = 100 kW of inverters (22 + 80 = 102 kVA) and 7 kW that nobody limits: 107 kW, 109 kVA. Agreed: 25 kW.
    told = capacity(site((FIRST, f"{FIRST}\nnameplate_va = 22_000.0"), UNMANAGED))
    assert (told.nameplate_w, told.nameplate_va) == (107_000.0, 109_000.0)
    assert (told.export_w, told.export_va, told.unmanaged_w) == (25_000.0, None, 7_000.0)
    assert told.limited
    assert told.at_the_same_time == ("inverter-1", "inverter-2", "unmanaged")
    assert told.statement == (
        "Total aggregate nameplate output rating 107 kW (109 kVA); Export Capacity 25 kW, not counting Inadvertent"
        " Export, limited by mutually agreed-upon means (Section IV.B.3.c.ii): DEMO-2026-001. inverter-1, inverter-2"
        " and unmanaged may export at the same time; together they are held to 25 kW. The kVA of inverter-2 are"
        " counted at a power factor of 1. Generation that is not under this control: 7 kW, counted in full."
    )


@pytest.mark.parametrize("method", sorted(NON_EXPORT_METHODS))
def test_by_a_non_export_method_nothing_exports(method: str) -> None:
    told = capacity(by(method, (LIMIT, "export_limit_w = 0.0"), UNMANAGED))
    assert told.export_w == 0.0
    assert told.at_the_same_time == ()
    assert {(unit.exports, unit.export_w) for unit in told.units} == {(False, 0.0)}
    assert "No inverter exports, alone or at the same time as another." in told.statement
    assert "Storage inverter-1 is not counted in the Export Capacity: non-export method" in told.statement


@pytest.mark.parametrize("method", [Method.DIRECTIONAL_POWER_32, Method.PCS, Method.AGREED_MEANS])
@pytest.mark.parametrize(
    ("limit_w", "export_w", "limited"),
    [(25_000.0, 25_000.0, True), (99_999.9, 99_999.9, True), (100_000.0, 1e5, False), (2e5, 1e5, False)],
)
def test_a_limit_counts_up_to_the_nameplate(
    method: Method, limit_w: float, export_w: float, *, limited: bool
) -> None:
    told = capacity(by(method, (LIMIT, f"export_limit_w = {limit_w}")))
    assert (told.export_w, told.limited) == (export_w, limited)


def test_the_owner_s_tighter_wish_is_not_the_capacity() -> None:
    assert capacity(site((GUARD, f"[control]\nsite_limit_w = 1.0\n{GUARD}"))).export_w == 25_000.0


@pytest.mark.parametrize(
    ("mode", "counted", "charged"),
    [
        ("unrestricted", True, True),
        ("export_only", True, False),
        ("import_only", False, True),
        ("no_exchange", False, False),
        ("export_limiting_all_sources", True, True),
        ("export_limiting_from_ess", True, True),
        ("import_limiting_to_ess", True, True),
    ],
)
def test_storage_counts_unless_a_mode_keeps_it_from_the_grid(
    mode: str, *, counted: bool, charged: bool
) -> None:
    told = capacity(by("pcs", modes(mode), (LIMIT, "export_limit_w = 1e6")))
    store, sun = told.units
    assert store.exports is counted
    assert mode in store.why
    assert told.charged_from_grid is charged
    assert (f"Storage is {'' if charged else 'not '}charged from the grid.") in told.statement
    assert sun.exports is (mode != "no_exchange")
    expected_w = 20_000.0 * counted + 80_000.0 * (mode != "no_exchange")
    assert told.export_w == expected_w


def test_storage_without_a_declared_mode_counts() -> None:
    store = capacity(by("directional_power_32", modes())).units[0]
    assert store.exports
    assert store.why == "no PCS mode keeps its discharge from the grid (none is declared)"


def test_of_two_modes_the_stricter_holds() -> None:
    told = capacity(by("pcs", modes("unrestricted", "import_only", "export_only")))
    assert not told.units[0].exports
    assert told.charged_from_grid is False


def test_without_storage_charging_is_not_asked() -> None:
    told = capacity(site())
    assert told.charged_from_grid is None
    assert "torage" not in told.statement


def test_configured_ratings_add_up_and_no_limit_cuts_them() -> None:
    papers = 'certificate = "C", derating_tag = "T"'
    swaps = (
        (METHOD, 'method = "configured_rating"'),
        (FIRST, f"{FIRST}\nconfigured = {{ limit_va = 5_000.0, {papers} }}"),
        (SECOND, f"{SECOND}\nconfigured = {{ limit_w = 30_000.0, limit_va = 31_000.0, {papers} }}"),
    )
    told = capacity(site(*swaps, UNMANAGED))
    assert (told.export_w, told.export_va) == (42_000.0, 43_000.0)
    assert [unit.export_w for unit in told.units] == [5_000.0, 30_000.0, 7_000.0]
    assert "Export Capacity 42 kW (43 kVA), not counting" in told.statement
    assert "may export at the same time, each up to its configured rating." in told.statement
    partly = capacity(site(*swaps[:2]))
    assert (partly.export_w, partly.export_va) == (85_000.0, None)
    assert partly.units[1].why == "no configured rating: at nameplate"


def test_a_configured_rating_beside_another_method_frees_and_cuts_nothing() -> None:
    told = capacity(site((FIRST, f"{FIRST}\nconfigured = {{ limit_w = 5_000.0 }}"), (LIMIT, LIMIT)))
    assert told.units[0].export_w == 20_000.0


def test_a_limit_in_va_is_stated() -> None:
    told = capacity(site((LIMIT, f"{LIMIT}\nexport_limit_va = 26_000.0")))
    assert told.export_va == 26_000.0
    assert "Export Capacity 25 kW (26 kVA), not" in told.statement


def test_one_inverter_exports_alone() -> None:
    told = capacity(by("pcs", modes("import_only")))
    assert "inverter-2 may export; together they are held to 25 kW." in told.statement


def test_emergency_generation_is_named_and_counted_in_full() -> None:
    told = capacity(site((MODES, f"{MODES}\nemergency_generation = true")))
    assert told.emergency_generation
    assert (
        "emergency, legally required or critical backup generation; it is counted in full" in told.statement
    )
    assert told.nameplate_w == 100_000.0
    assert "emergency" not in capacity(site()).statement


@given(
    method=st.sampled_from(list(Method)),
    chosen=st.sets(st.sampled_from(list(PcsMode))),
    limit_w=st.floats(0, 2e5),
    unmanaged_w=st.floats(0, 5e4),
    storage=st.booleans(),
)
def test_capacity_is_never_above_nameplate_or_limit(
    method: Method, chosen: set[PcsMode], limit_w: float, unmanaged_w: float, *, storage: bool
) -> None:
    at = site(
        (METHOD, f'method = "{method}"'),
        modes(*sorted(chosen)),
        (LIMIT, f"export_limit_w = {limit_w!r}"),
        (GUARD, f"[unmanaged]\nnameplate_w = {unmanaged_w!r}\n{GUARD}"),
        *((STORAGE,) if storage else ()),
    )
    told = capacity(at)
    assert 0.0 <= told.export_w <= told.nameplate_w <= told.nameplate_va
    assert told.nameplate_w == pytest.approx(100_000.0 + unmanaged_w)
    if method in NON_EXPORT_METHODS:
        assert told.export_w == 0.0
    if method is not Method.CONFIGURED_RATING:
        assert told.export_w <= limit_w
    assert told.export_w <= sum(unit.export_w for unit in told.units) * (1 + 1e-12)
    assert (told.export_w > 0) <= bool(told.at_the_same_time)
