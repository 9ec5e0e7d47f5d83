"""What `judge` says of limits beside the one on total active power, with their sums."""

from __future__ import annotations

import pytest
from guard_bench import site

from edge.guard.finding import Finding
from edge.guard.fitness import judge
from edge.model.site import Site
from edge.model.strict_toml import FileRefusedError

LIMIT = "export_limit_w = 25_000.0"
PHASE = (LIMIT, f"{LIMIT}\nexport_limit_phase_w = 9_000.0")
KVA = (LIMIT, f"{LIMIT}\nexport_limit_va = 26_000.0")
DECLARED = ("[[der]]", "[meter.instruments]\nexpected_var = 10_000.0\nmeter_error_pct = 0.2\n\n[[der]]")
ON_A = ('profile = "sunspec-7xx"', 'profile = "sunspec-7xx"\nphases = "a"')
ON_B = ('profile = "sunspec-1xx"', 'profile = "sunspec-1xx"\nphases = "b"')
SMALL = ("nameplate_w = 20_000.0", "nameplate_w = 6_000.0")


def told(at: Site, path: str) -> list[Finding]:
    """What is said at a key path."""
    return [finding for finding in judge(at) if finding.path == path]


def problems(at: Site) -> list[tuple[str, str]]:
    """Key path and text of each problem."""
    return [(finding.path, finding.text) for finding in judge(at) if finding.level == "problem"]


def test_apparent_power_is_spelled_out() -> None:
    (found,) = told(site(KVA, DECLARED), "agreement.export_limit_va")
    assert found == Finding(
        "fact",
        "agreement.export_limit_va",
        "apparent power is held at 26000 VA by the reactive power that the meter shows; while it shows none, 10000 var"
        " are reckoned with (meter.instruments.expected_var), which leaves sqrt(26000² - 10000²) = 24000 W for DERs"
        " and unmanaged generation",
    )
    assert not problems(site(KVA, DECLARED))


def test_where_nothing_is_left_it_warns_with_the_ratings() -> None:
    unmanaged = ("[guard]", "[unmanaged]\nnameplate_w = 300.0\n[guard]")
    (found,) = told(site(KVA, SMALL, unmanaged), "agreement.export_limit_va")
    assert found.level == "warning"
    assert (
        "86300 var are reckoned with (what the DERs can make: 6000 inverter-1 + 80000 inverter-2 + 300"
        in found.text
    )
    assert (
        "meter.instruments.expected_var would say it), which leaves sqrt(26000² - 86300²) = 0 W" in found.text
    )
    assert found.text.endswith("; every fallback takes the DERs to 0 W")


def test_a_rating_in_var_counts() -> None:
    rated = ("nameplate_w = 6_000.0", "nameplate_w = 6_000.0\nrated_var = 1_000.0")
    (found,) = told(site(KVA, SMALL, rated), "agreement.export_limit_va")
    assert "1000 inverter-1 + 80000 inverter-2" in found.text


def test_by_phase_each_is_told_with_its_own_ders() -> None:
    phase_va = (LIMIT, f"{LIMIT}\nexport_limit_phase_va = 30_000.0")
    found = told(site(phase_va, SMALL, ON_A), "agreement.export_limit_phase_va")
    apparent = [finding.text for finding in found if finding.text.startswith("apparent")]
    assert [text.partition("what the DERs can make: ")[2].partition(";")[0] for text in apparent] == [
        "6000 inverter-1 + 27466.7 inverter-2",
        "27466.7 inverter-2",
        "27466.7 inverter-2",
    ]
    active = [finding.text for finding in found if finding.text.startswith("phase")]
    assert [text[:24] for text in active] == [f"phase {phase} is held at 30000" for phase in "abc"]


@pytest.mark.parametrize(
    ("limit_w", "said"),
    [
        (8_300.0, "3 x 8300 W beside 24900 W: the total stays a limit"),
        (8_333.0, "3 x 8333 W beside 25000 W: the phases together are the tighter limit"),
        (8_334.0, "3 x 8334 W beside 25000 W: the total stays a limit"),
    ],
)
def test_which_limit_is_the_tighter_one(limit_w: float, said: str) -> None:
    total_w = said.split()[5]
    limited = site((LIMIT, f"export_limit_w = {total_w}.0\nexport_limit_phase_w = {limit_w}"))
    for finding in told(limited, "agreement.export_limit_phase_w"):
        assert finding.level == "fact"
        assert said in finding.text


def test_a_phase_is_told_with_its_sum() -> None:
    limited = site(PHASE, SMALL, ON_A, ON_B, ("[guard]", "[unmanaged]\nnameplate_w = 300.0\n[guard]"))
    texts = [finding.text for finding in told(limited, "agreement.export_limit_phase_w")]
    assert "DERs can put 6000 inverter-1 = 6000 W on it" in texts[0]
    assert "1.03 times" in texts[0]
    assert "stays within 9000 W, of which 300 W are unmanaged" in texts[0]
    assert "DERs can put 80000 inverter-2 = 80000 W on it" in texts[1]
    assert "DERs can put none = 0 W on it" in texts[2]


def test_elements_by_phase_with_the_loss_of_load_that_they_survive() -> None:
    """46 % of nameplate in time: of 6 kW wholly on a; of 80 kW on b alone; on c nothing can be shed."""
    found = told(site(PHASE, SMALL, ON_A, ON_B), "guard.element")
    assert [finding.level for finding in found] == ["fact"] * 3
    assert [finding.text.rpartition(": ")[2] for finding in found] == ["2760 W", "36800 W", "0 W"]
    assert found[0].text.startswith(
        "element 32-a: pickup 9000 W, dropout 8820 W, delay 1.25 s; largest step of host"
    )
    mixed = told(site(PHASE, SMALL, ON_A), "guard.element")
    assert [finding.text.rpartition(": ")[2] for finding in mixed] == ["6849 W", "12267 W", "12267 W"]


@pytest.mark.parametrize(("given_w", "wide"), [(9_000.0, False), (9_000.1, True)])
def test_a_pickup_by_phase_may_only_be_tighter(given_w: float, wide: bool) -> None:
    limited = site(PHASE, SMALL, ON_A, ('kind = "32"', f'kind = "32"\npickup_phase_w = {given_w}'))
    found = [text for path, text in problems(limited) if path == "guard.element[0].pickup_phase_w"]
    assert len(found) == (3 if wide else 0)
    if wide:
        assert found[1].startswith(
            "element 32 would pick up on phase b at an export of 9000.1 W, above the 9000 W"
        )


def test_a_pickup_by_phase_is_looked_at_behind_one_that_follows_its_rule() -> None:
    second = 'kind = "32"\n\n[[guard.element]]\nkind = "32F"\npickup_phase_w = 0.0'
    found = problems(site(PHASE, SMALL, ON_A, ('kind = "32"', second)))
    assert [path for path, _ in found] == ["guard.element[1].pickup_phase_w"] * 3


def test_reach_and_reversion_hold_on_each_phase() -> None:
    """6 kW without a contact, all of it on a, beside a limit of 5 kW there; it reverts to 5 kW at 1.03 of a third."""
    tight = (LIMIT, f"{LIMIT}\nexport_limit_phase_w = 4_999.0")
    assert problems(site(tight, SMALL)) == []
    assert problems(site(tight, SMALL, ON_A)) == [
        (
            "der.contact",
            "reach: 6000 W of nameplate on phase a are not behind a trip output, more than the export capacity of"
            " 4999 W; opening could not end an export above it",
        ),
        (
            "der.reversion",
            "the reversion values outside dead-man contacts sum to 5000 W on phase a, above the limit of 4999 W",
        ),
    ]


def test_apparent_power_counts_in_reach_and_reversion() -> None:
    """10 kvar leave 3 kW of 10.44 kVA."""
    tight = (LIMIT, "export_limit_w = 10_000.0\nexport_limit_va = 10_440.0")
    found = dict(problems(site(tight, DECLARED)))
    assert "more than the export capacity of 2998.93 W" in found["der.contact"]
    assert "sum to 5000 W, above the limit of 2998.93 W" in found["der.reversion"]


REFUSED = [
    (
        [(LIMIT, f"{LIMIT}\nexport_limit_va = 24_999.0")],
        "agreement.export_limit_va: must not be below export_limit_w",
    ),
    (
        [(LIMIT, f"{LIMIT}\nexport_limit_phase_w = 9_000.0\nexport_limit_phase_va = 8_999.0")],
        "agreement.export_limit_phase_va: must not be below export_limit_phase_w, 9000 W",
    ),
    ([PHASE, ("nominal_hz = 60", 'phases = "a"')], "export_limit_phase_w: a single-phase site has one limit"),
    (
        [(LIMIT, f"{LIMIT}\nexport_limit_phase_va = 9_000.0"), ("nominal_hz = 60", 'phases = "a"')],
        "export_limit_phase_va: a single-phase site has one limit",
    ),
    (
        [
            ("nominal_hz = 60", 'phases = "ab"'),
            ('profile = "sunspec-7xx"', 'profile = "sunspec-7xx"\nphases = "c"'),
        ],
        "der[0].phases: the site's phases are 'ab'",
    ),
    (
        [("nominal_hz = 60", 'phases = "ab"'), ("[guard]", '[unmanaged]\nphases = "bc"\n[guard]')],
        "unmanaged.phases: the site's phases are 'ab'",
    ),
    (
        [('kind = "32"', 'kind = "32"\npickup_phase_w = 1.0')],
        "guard.element[0].pickup_phase_w: says nothing: there is no export limit on the phases",
    ),
    (
        [PHASE, ('kind = "32"', 'kind = "import"\npickup_w = 1.0\npickup_phase_w = 1.0')],
        "guard.element[0].pickup_phase_w: an import element looks at the total alone",
    ),
]


@pytest.mark.parametrize(("swaps", "said"), REFUSED)
def test_what_contradicts_itself_is_refused(swaps: list[tuple[str, str]], said: str) -> None:
    with pytest.raises(FileRefusedError) as refused:
        site(*swaps)
    assert any(said in problem for problem in refused.value.problems), refused.value.problems


def test_a_limit_in_va_may_be_the_one_in_w() -> None:
    assert site((LIMIT, f"{LIMIT}\nexport_limit_va = 25_000.0")).agreement.export_limit_va == 25_000.0


class TestShares:
    """Which part of what is on which phase."""

    def test_ders(self) -> None:
        at = site(PHASE, ON_A, ("nominal_hz = 60", 'phases = "ab"'))
        first, second = at.der
        assert [at.share(first, phase) for phase in "abc"] == [1.0, 0.0, 0.0]
        assert [at.share(second, phase) for phase in "abc"] == [0.5, 0.5, 0.0]
        assert [at.most_share(first, phase) for phase in "abc"] == [1.0, 0.0, 0.0]
        assert [at.most_share(second, phase) for phase in "abc"] == [0.515, 0.515, 0.0]
        assert at.limited_phases == "ab"
        assert site().limited_phases == ""

    def test_unmanaged_generation_counts_wholly_where_nobody_says(self) -> None:
        plain = site(PHASE, ("[guard]", "[unmanaged]\nnameplate_w = 300.0\n[guard]"))
        assert [plain.unmanaged_w(phase) for phase in (None, "a", "b", "c")] == [300.0] * 4
        shared = site(PHASE, ("[guard]", '[unmanaged]\nnameplate_w = 300.0\nphases = "ac"\n[guard]'))
        assert [shared.unmanaged_w(phase) for phase in (None, "a", "b", "c")] == [300.0, 154.5, 0.0, 154.5]

    def test_the_limit_of_a_phase_is_the_lower_of_w_and_va(self) -> None:
        assert site().phase_limit_w == 25_000.0
        assert site(PHASE).phase_limit_w == 9_000.0
        assert site((LIMIT, f"{LIMIT}\nexport_limit_phase_va = 8_000.0")).phase_limit_w == 8_000.0
        both = (LIMIT, f"{LIMIT}\nexport_limit_phase_w = 7_000.0\nexport_limit_phase_va = 8_000.0")
        assert site(both).phase_limit_w == 7_000.0

    def test_the_expected_flow(self) -> None:
        plain = site(PHASE, ON_A, ("[guard]", "[unmanaged]\nnameplate_w = 300.0\n[guard]"))
        assert plain.expected_var() == 100_300.0
        assert plain.expected_var("a") == pytest.approx(20_000.0 + 80_000.0 * 1.03 / 3 + 300.0)
        assert plain.expected_var("b") == pytest.approx(80_000.0 * 1.03 / 3 + 300.0)
        assert [site(DECLARED).expected_var(phase) for phase in (None, "a")] == [10_000.0, 10_000.0]
