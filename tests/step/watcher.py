"""Looks over a plant's shoulder at every scan: what must hold whatever happens, by rules of its own."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from known import Known
from plant import Plant

from edge.core import control
from edge.model.commands import Commands
from edge.step import State, step


class Watcher:
    """Attach to a plant with `Watcher(plant)`; it asserts at each scan."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.before: State = plant.state
        self.cause_s = plant.now_s
        self.scans = 0
        self.sequence = plant.pcc.sequence
        self.known = Known(plant.site, plant.site.agreement.export_limit_w, plant.now_s)
        plant.on_scan = self.look

    def look(self, plant: Plant) -> None:
        """One scan is over."""
        self.scans += 1
        self._sane()
        self._latch_opens()
        self._clears_rightly()
        self._sum_holds()
        self._start_tightens()
        self.before = plant.state

    def only_narrows(self, plant: Plant) -> None:
        """The same scan without its overrides would have allowed no less, were no limit waiting for another."""
        image = replace(plant.image(), scan=plant.scan + 1)
        now_s = plant.now_s + 0.01
        with_state, with_commands, _ = step(image, plant.settings, plant.state, now_s)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(control, "handed_over", lambda _boundaries, _tracks, limits_w, *_: limits_w)
            bare_state, bare_commands, _ = step(
                replace(image, overrides=()), plant.settings, plant.state, now_s
            )
        assert total_w(with_commands) <= total_w(bare_commands) + 1e-6
        assert not any(
            had.closed and not bare.closed
            for had, bare in zip(with_commands.outputs, bare_commands.outputs, strict=True)
        )
        assert with_state.durable.tripped >= bare_state.durable.tripped

    def _sane(self) -> None:
        plant = self.plant
        assert [limit.name for limit in plant.commands.limits] == [der.name for der in plant.site.der]
        for limit, der in zip(plant.commands.limits, plant.site.der, strict=True):
            assert math.isfinite(limit.limit_w)
            assert 0.0 <= limit.limit_w <= der.nameplate_w

    def _latch_opens(self) -> None:
        plant = self.plant
        if plant.state.durable.tripped:
            assert plant.commanded_w == 0.0
            assert not any(output.closed for output in plant.commands.outputs)

    def _clears_rightly(self) -> None:
        plant, durable, was = self.plant, self.plant.state.durable, self.before.durable
        now_s = plant.now_s
        if plant.state.guard.causes:
            self.cause_s = now_s
        if not was.tripped or durable.tripped:
            return
        if plant.was_reset:
            assert not plant.state.guard.causes
            return
        assert plant.site.guard.reset == "auto"
        assert not was.lockout
        assert was.target != "state-lost"
        assert now_s - self.cause_s >= plant.site.enter_service.delay_s

    def _sum_holds(self) -> None:
        plant = self.plant
        image, now_s = plant.image(), plant.now_s
        restarted = image.pcc.sequence < self.sequence
        if restarted:  # it forgets, and its outputs are open
            self.known = Known(plant.site, plant.site.agreement.export_limit_w, now_s)
        is_new, self.sequence = image.pcc.sequence != self.sequence, image.pcc.sequence
        sighted = image.pcc.export_w.fresh(now_s, plant.settings.core.stale_s) is not None
        open_at_s = None if self.before.guard.closed and not restarted else now_s
        allowed_w = self.known.seen(image, sighted=sighted, is_new=is_new, open_at_s=open_at_s)
        limits_w = {limit.name: limit.limit_w for limit in plant.commands.limits}
        assert self.known.counted_w(limits_w) <= allowed_w + 1e-6
        self.known.commanded(limits_w, now_s)

    def _start_tightens(self) -> None:
        plant = self.plant
        if not plant.state.core.fallback.starting:
            return
        for limit, der in zip(plant.commands.limits, plant.site.der, strict=True):
            held_w = plant.ders[der.name].limit_w.otherwise(der.nameplate_w)
            assert limit.limit_w <= held_w + 1e-9


def total_w(commands: Commands) -> float:
    """The sum of the limits."""
    return sum(limit.limit_w for limit in commands.limits)
