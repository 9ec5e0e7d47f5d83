"""Faults in virtual time: what becomes of a request, and what the loop makes of it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from edge.model.image import Image
from edge.model.sample import Quality
from sim.closed_loop import ClosedLoop
from sim.files.ask import Ask
from sim.files.fault import NEEDS, Fault, FaultKind
from sim.limit import LimitWrite
from sim.plant import Plant
from sim.scenario import load_scenario
from sim.virtual_der import VirtualDer
from sim.virtual_faults import FINE, ON_THE_WIRE, SPOILS, Reply, VirtualWire
from sim.virtual_gateway import Gateway
from sim.virtual_meter import TRANSACTION_S

FIVE = load_scenario("load-drop").varied()
SIM = FIVE.sim.model_copy(update={"script": ()})
SITE = FIVE.site_file
REVERTING = load_scenario("slow-meter").varied(
    plant={"meter": {"period_s": 0.5, "latency_s": 0.02}},
    agent={"meter": {"period_s": 0.5, "latency_s": 0.02}},
)


def fault(kind: str, target: str | None = "meter", at_s: float = 10.0, **more: float | str) -> Fault:
    needed: dict[str, float | str] = {"delay_s": 5.0, "code": 6, "swap_with": "inverter-2", "jump_s": 60.0}
    needs = NEEDS.get(FaultKind(kind))
    if needs is not None and needs not in more:
        more[needs] = needed[needs]
    return Fault.model_validate({"kind": FaultKind(kind), "target": target, "at_s": at_s, **more})


def wire(*faults: Fault, role: str = "meter") -> VirtualWire:
    return VirtualWire(faults, role, timeout_s=0.15, retries=1, draw=random.Random(1))


def loop(*faults: Fault, asks: Sequence[Ask] = ()) -> tuple[ClosedLoop, list[tuple[Image, float]]]:
    images: list[tuple[Image, float]] = []
    made = ClosedLoop(
        SIM,
        SITE,
        seed=1,
        faults=faults,
        asks=asks,
        on_scan=lambda image, now_s: images.append((image, now_s)),
    )
    return made, images


def kinds(made: ClosedLoop) -> list[str]:
    return [event.kind for event in made.events]


@pytest.mark.parametrize("kind", sorted(ON_THE_WIRE))
def test_a_request_is_struck_from_the_begin_to_the_end_of_a_fault(kind: str) -> None:
    line = wire(fault(kind, for_s=5.0))
    assert line.ask(9.999) is FINE
    assert line.ask(10.0) != FINE
    assert line.ask(14.999) != FINE
    assert line.ask(15.0) is FINE
    assert wire(fault(kind), role="inverter-1").ask(10.0) is FINE, "another device's fault"


@pytest.mark.parametrize(
    ("kind", "reply"),
    [
        ("silence", Reply(0.3, lost="silence", reached=False)),
        ("reboot", Reply(0.3, lost="reboot", reached=False)),
        ("reset", Reply(0.0, lost="reset", reached=False)),
        ("exception", Reply(0.0, lost="exception 6", reached=False)),
        ("foreign-id", Reply(0.3, lost="foreign-id")),
        ("truncated", Reply(0.3, lost="truncated")),
        ("bit-flip", Reply(0.3, lost="bit-flip")),
        ("repeated-id", Reply(0.0, lost="repeated-id")),
        ("merged", Reply(0.0, lost="merged")),
        ("late", Reply(0.3, lost="late")),
        *((str(kind), Reply(spoilt=kind)) for kind in sorted(SPOILS)),
    ],
)
def test_how_a_struck_request_ends(kind: str, reply: Reply) -> None:
    assert wire(fault(kind)).ask(10.0) == reply


@pytest.mark.parametrize("kind", ["late", "slow"])
def test_an_answer_within_the_time_out_is_an_answer(kind: str) -> None:
    assert wire(fault(kind, delay_s=0.149)).ask(10.0) == Reply(0.149)
    assert wire(fault(kind, delay_s=0.151)).ask(10.0).lost == kind


def test_a_share_of_the_requests_is_struck_and_a_retry_helps() -> None:
    line = wire(fault("silence", rate=0.5))
    replies = [line.ask(10.0) for _ in range(4_000)]
    lost = sum(reply.lost is not None for reply in replies) / len(replies)
    late = sum(reply.lost is None and reply.after_s > 0 for reply in replies) / len(replies)
    assert lost == pytest.approx(0.25, abs=0.03)
    assert late == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize(
    ("kind", "quality"),
    [
        ("silence", Quality.GOOD),
        ("frozen", Quality.GOOD),
        ("zeros", Quality.INVALID),
        ("torn", Quality.INVALID),
        ("sentinel", Quality.ABSENT),
    ],
)
def test_a_meter_that_shows_nothing_new_gives_no_new_measurement(kind: str, quality: Quality) -> None:
    made, images = loop(fault(kind))
    made.run(14.0)
    last = images[-1][0].pcc
    at_fault = max(image.pcc.sequence for image, now_s in images if now_s < 10.0)
    assert at_fault <= last.sequence <= at_fault + 1
    assert last.export_w.quality is quality
    assert last.export_w.fresh(14.0, 1.5) is None
    assert "trip" in kinds(made)


def test_a_meter_that_is_silent_for_long_is_said_to_be_lost_and_to_be_back() -> None:
    made, _ = loop(fault("silence", for_s=3.0))
    made.run(16.0)
    assert kinds(made).count("device-loss") == 1
    assert kinds(made).count("device-return") == 1


def test_a_slow_answer_is_older_when_it_comes() -> None:
    made, images = loop(fault("slow", delay_s=0.1))
    made.run(14.0)

    def youngest_s(from_s: float, until_s: float) -> float:
        return min(now_s - image.pcc.export_w.oldest_s for image, now_s in images if from_s < now_s < until_s)

    assert youngest_s(11.0, 14.0) >= youngest_s(8.0, 10.0) + 0.05


def test_an_inverter_that_does_not_answer_is_unreachable_and_met_again() -> None:
    made, images = loop(fault("silence", "inverter-2", for_s=6.0))
    made.run(20.0)
    seen = {round(now_s, 2): image.ders[1].reachable for image, now_s in images}
    assert all(reachable for now_s, reachable in seen.items() if 0.5 < now_s < 12.0)
    assert not any(reachable for now_s, reachable in seen.items() if 13.0 < now_s < 16.0)
    assert all(reachable for now_s, reachable in seen.items() if now_s > 17.0)
    assert [kind for kind in kinds(made) if kind.startswith("device")] == ["device-loss", "device-return"]


@pytest.mark.parametrize("kind", ["write-refused", "write-ignored"])
def test_a_write_that_is_not_taken_is_found_and_the_limit_stays(kind: str) -> None:
    made, images = loop(fault(kind, "inverter-2"))
    made.run(9.0)
    held_pu = float(made.plant.fleet.limit.cap_pu[1])
    made.load_step(-10_000.0)
    made.run(1.0)
    assert float(made.plant.fleet.limit.cap_pu[1]) < held_pu, "before the fault it follows"
    held_pu = float(made.plant.fleet.limit.cap_pu[1])
    made.load_step(-10_000.0)
    made.run(2.0)
    assert float(made.plant.fleet.limit.cap_pu[1]) == held_pu
    assert images[-1][0].ders[1].refused
    assert "write-unverified" in kinds(made)
    assert float(made.plant.fleet.limit.cap_pu[0]) < held_pu


def test_a_lost_acknowledgement_leaves_a_limit_that_went_in() -> None:
    made, images = loop(fault("foreign-id", "inverter-2", for_s=1.0))
    made.run(10.0)
    made.load_step(-20_000.0)
    made.run(0.6)
    assert float(made.plant.fleet.limit.cap_pu[1]) < 0.6, "the device took it"
    held_w = images[-1][0].ders[1].limit_w.otherwise(0.0)
    assert held_w > 0.6 * 20_000.0, "nobody knows"


def test_swapped_units_answer_for_each_other() -> None:
    made, images = loop(fault("unit-swap", "inverter-1", swap_with="inverter-2"))
    made.run(9.9)
    made.plant.fleet.sun_pu[1] = 0.1
    made.run(3.0)
    first, second = images[-1][0].ders[0].output_w, images[-1][0].ders[1].output_w
    assert first.otherwise(0.0) == pytest.approx(2_000.0, abs=10.0)
    assert second.otherwise(0.0) > 5_000.0


def test_two_swaps_of_the_same_units_undo_each_other() -> None:
    made, images = loop(
        fault("unit-swap", "inverter-1", swap_with="inverter-2"),
        fault("unit-swap", "inverter-2", swap_with="inverter-1"),
    )
    made.run(9.9)
    made.plant.fleet.sun_pu[1] = 0.1
    made.run(3.0)
    assert images[-1][0].ders[1].output_w.otherwise(0.0) == pytest.approx(2_000.0, abs=10.0)


def test_a_restart_of_an_inverter_wipes_limit_and_reversion() -> None:
    made = ClosedLoop(
        REVERTING.sim, REVERTING.site_file, seed=1, faults=(fault("reboot", "inverter-1", for_s=5.0),)
    )
    made.run(9.0)
    limit = made.plant.fleet.limit
    assert bool(limit.enabled[0])
    assert float(limit.revert_after_s[0]) == 10.0
    made.run(4.0)
    assert not bool(limit.enabled[0])
    assert float(limit.revert_after_s[0]) == 0.0
    assert float(made.plant.fleet.power_w[0]) == 0.0
    made.run(6.0)
    assert bool(limit.enabled[0])
    assert float(limit.revert_after_s[0]) == 10.0, "met again, its reversion is set again"


def test_a_stopped_agent_asks_and_writes_nothing_and_the_watchdog_opens() -> None:
    made, images = loop(fault("agent-stopped", None, for_s=5.0))
    made.run(20.0)
    assert not [now_s for _, now_s in images if 10.02 < now_s < 15.0]
    assert not [written for written in made.written if 10.02 < written.at_s < 15.0]
    truth = made.truth
    assert not truth.coil_closed[(truth.t_s > 10.7) & (truth.t_s < 15.0)].any()
    assert "out-of-service" in kinds(made)
    assert "restart" not in kinds(made)


def test_a_restarted_agent_knows_nothing_of_the_devices_and_all_of_its_trips() -> None:
    made, images = loop(
        fault("silence", "meter", at_s=10.0, for_s=4.0), fault("agent-restart", None, at_s=13.0, for_s=2.0)
    )
    made.run(14.0)
    assert made.state.durable.tripped
    trips_s = made.state.durable.trips_s
    made.run(1.6)
    first = next(image for image, now_s in images if now_s > 15.0 - 1e-6)
    assert first.ders[0].limit_w.oldest_s >= 15.0 - TRANSACTION_S, "what it was before is forgotten"
    assert made.state.durable.tripped
    assert made.state.durable.trips_s == trips_s
    assert "restart" in kinds(made)


def test_a_restart_is_over_once() -> None:
    gateway = Gateway([fault("agent-restart", None, at_s=50.0, for_s=10.0)])
    assert gateway.is_down(50.0)
    assert not gateway.restarted(59.9)
    assert gateway.restarted(60.0)
    assert not gateway.restarted(60.0), "once"


def test_a_clock_jump_moves_nothing() -> None:
    plain, jumping = loop()[0].run(15.0), loop(fault("clock-jump", None, jump_s=-86_400.0))[0].run(15.0)
    assert plain.truth.export_w.tolist() == jumping.truth.export_w.tolist()
    assert plain.written == jumping.written


def test_a_welded_contact_stays_and_is_told() -> None:
    made, _ = loop(fault("contact-welded", "coil-1", at_s=9.0), fault("silence"))
    made.run(16.0)
    assert made.truth.coil_closed[-1]
    assert "breaker-failure" in kinds(made)


def test_a_module_that_nobody_reaches_opens_by_itself_and_shows_open() -> None:
    made, images = loop(fault("silence", "coil-1", for_s=4.0))
    made.run(13.0)
    assert not made.truth.coil_closed[-1]
    shown = {image.outputs[0].closed.fresh(now_s, 0.1) for image, now_s in images if 10.3 < now_s < 13.0}
    assert 0.0 in shown
    assert 1.0 not in shown
    made.run(10.0)
    assert made.truth.coil_closed[-1]


def test_a_module_whose_watchdog_is_not_the_declared_one_is_never_closed() -> None:
    slow = SIM.model_copy(update={"coil": (SIM.coil[0].model_copy(update={"watchdog_ms": 5_000}),)})
    made = ClosedLoop(slow, SITE, seed=1).run(12.0)
    assert not made.truth.coil_closed.any()
    assert "alarm" in kinds(made)


def test_what_people_ask_is_in_the_image_for_its_time_and_a_reset_once() -> None:
    asks = (
        Ask(at_s=5.0, for_s=2.0, limit_w=1_000.0),
        Ask(at_s=9.0, for_s=1.0, blind=True),
        Ask(at_s=8.0, reset=True),
    )
    made, images = loop(asks=asks)
    made.run(12.0)
    limited = [now_s for image, now_s in images if image.overrides and image.overrides[0].limit_w]
    assert 5.0 <= min(limited) < 5.1
    assert 6.8 < max(limited) < 7.0
    assert [round(now_s, 1) for image, now_s in images if image.reset] == [8.0]
    hidden = {image.pcc.sequence for image, now_s in images if 9.05 < now_s < 10.0}
    assert len(hidden) == 1, "the last one seen before, ageing"


def alone(*faults: Fault) -> tuple[Plant, VirtualDer, list[float]]:
    """One inverter's task on a plant that nobody else touches."""
    plant, written = Plant(SIM), list[float]()
    der = VirtualDer(
        SITE.der[0],
        plant,
        VirtualWire(faults, "inverter-1", 0.3, 1, random.Random(1)),
        nominal_v=277.0,
        reassert_s=3.0,
        first_s=0.0,
        tell=lambda _kind, _detail: None,
        wrote=lambda _name, limit_w: written.append(limit_w),
    )
    return plant, der, written


def test_the_first_write_after_meeting_a_device_loosens_nothing_and_the_next_one_may() -> None:
    plant, der, written = alone(fault("silence", "inverter-1", for_s=4.0))
    plant.fleet.limit.write(0, LimitWrite(enabled=True, cap_pu=0.1))
    for tick in range(1, 1_800):
        now_s = tick / 100
        if now_s == 12.0:
            plant.fleet.limit.write(0, LimitWrite(enabled=True, cap_pu=0.2))
        der.tick(now_s)
        if tick % 20 == 0:
            der.command(15_000.0, now_s)
    assert written[:2] == [2_000.0, 15_000.0]
    after_loss = [limit_w for limit_w in written if limit_w != 15_000.0]
    assert after_loss == [2_000.0, 4_000.0], "met again, it was found at 4 kW"
    assert written[-1] == 15_000.0


def test_a_scan_that_comes_late_holds_no_contact() -> None:
    plain, images = loop()
    plain.run(12.0)
    scanned_s = max(now_s for _, now_s in images if now_s < 10.0)
    made, late = loop(fault("agent-stopped", None, at_s=scanned_s + 0.01, for_s=0.45))
    made.run(12.0)
    resumed_s = min(now_s for _, now_s in late if now_s > scanned_s)
    assert 2 * SITE.control.scan_s < resumed_s - scanned_s < made.plant.coils[0].watchdog_s
    assert plain.truth.coil_closed[plain.truth.t_s > 10.0].all()
    assert not made.truth.coil_closed[made.truth.t_s > 10.0].all()


def test_a_refusal_is_told_as_one() -> None:
    made, _ = loop(fault("write-refused", "inverter-2"))
    made.run(10.5)
    made.load_step(-0.2 * SIM.nameplate_w)  # something to write: a calm plant is told nothing new
    made.run(1.5)
    told = next(event.detail for event in made.events if event.kind == "write-unverified")
    assert told.endswith("refused")
