"""The shipped step and the simulated site in one loop: it settles, holds, and answers a load step at once."""

from __future__ import annotations

from edge.model.image import Image
from edge.model.site import Site
from edge.model.strict_toml import load
from sim.closed_loop import ClosedLoop
from sim.simfile import DEMO, load_simfile
from sim.truth import excursions, response_time_s, settled_s
from sim.virtual import clairvoyant_time_s

SITE_FILE = DEMO.with_name("demo.site.toml")
SIM = load_simfile(DEMO).model_copy(update={"script": ()})
SITE = load(Site, SITE_FILE.read_text(encoding="utf-8"), str(SITE_FILE))
LIMIT_W = SITE.limit_w


def test_it_settles_at_the_limit_and_comes_back_after_a_load_step() -> None:
    loop = ClosedLoop(SIM, SITE, seed=1).run(15.0)
    assert settled_s(loop.truth, LIMIT_W, SIM.nameplate_w) is not None
    step_s = loop.load_step(-36_000.0)
    truth = loop.run(6.0).truth
    assert truth.export_w.max() > LIMIT_W + 30_000.0, "the step must really exceed the limit"
    ours_s = response_time_s(truth, step_s, LIMIT_W, SIM.nameplate_w)
    best_s = clairvoyant_time_s(SIM, truth, step_s, LIMIT_W)
    assert ours_s is not None
    assert best_s is not None
    assert 1.0 <= ours_s / best_s < 1.5
    assert max(one.duration_s for one in excursions(truth, LIMIT_W, SIM.nameplate_w)) < 2.0
    assert "trip" not in [event.kind for event in loop.events]


def test_the_same_seed_gives_the_same_run_and_another_does_not() -> None:
    def final_w(seed: int) -> list[float]:
        loop = ClosedLoop(SIM, SITE, seed=seed).run(8.0)
        loop.load_step(-20_000.0)
        export_w: list[float] = loop.run(1.0).truth.export_w.tolist()
        return export_w

    assert final_w(1) == final_w(1)
    assert final_w(1) != final_w(2)


def test_images_hold_telemetry_as_old_as_it_is() -> None:
    images: list[tuple[Image, float]] = []
    ClosedLoop(SIM, SITE, seed=3, on_scan=lambda image, now_s: images.append((image, now_s))).run(5.0)
    late = [(image, now_s) for image, now_s in images if now_s > 1.0]
    assert late
    ages_s = [now_s - der.output_w.oldest_s for image, now_s in late for der in image.ders]
    assert 0.3 < max(ages_s) < 0.6, "telemetry at 2 Hz is up to half a second old"
    meter_s = [now_s - image.pcc.export_w.oldest_s for image, now_s in late]
    assert max(meter_s) < 2 * SITE.meter.period_s + SITE.meter.latency_s
    sequences = [image.pcc.sequence for image, _ in late]
    assert sequences == sorted(sequences)
    assert len(set(sequences)) > 15
