"""The quirks that show in registers, each as a change of a device's models (`sim/quirks.py` says what they are)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from math import ceil, log10

from sim.devices.inverter import Inverter
from sim.devices.sunspec import BASE, END, MARKER, Live, Model, SunSpecMap
from sim.files.device import MEASUREMENTS
from sim.quirks import Quirk

_GARBAGE = "\0\udcfe7\udcff"
"""A NUL and bytes behind it that are no text in any encoding."""

_E3DC = (0xE3DC, 0x0100)

_SURVIVES_THE_NIGHT = ("WH", "TotWhInj", "TotWhAbs")

_Change = Callable[[Model, Inverter], Model]


def quirky_map(
    models: Sequence[Model], quirks: Collection[Quirk], advance: Callable[[], None], inverter: Inverter | None
) -> SunSpecMap:
    """The map of a device with these models and quirks; a meter has no `inverter`."""
    for quirk in quirks:
        models = [_changed(model, quirk, inverter) for model in models]
    base, marker, end = BASE, MARKER, END
    if Quirk.BASE_0 in quirks or Quirk.BASE_50000 in quirks:
        base = 0 if Quirk.BASE_0 in quirks else 50_000
    if Quirk.NOT_SUNSPEC in quirks:
        marker = _E3DC
    if Quirk.END_MARKER_MISSING in quirks or Quirk.END_MARKER_ZERO in quirks:
        end = () if Quirk.END_MARKER_MISSING in quirks else (0, 0)
    return SunSpecMap(models, advance, base, marker, end)


def _changed(model: Model, quirk: Quirk, inverter: Inverter | None) -> Model:
    if quirk in _OF_ANY_DEVICE:
        return _OF_ANY_DEVICE[quirk](model)
    if quirk in _OF_AN_INVERTER and inverter:
        return _OF_AN_INVERTER[quirk](model, inverter)
    return model


def _without_pad(model: Model) -> Model:
    return replace(model, omit=("Pad",)) if model.model_id == 1 else model


def _with_garbage(model: Model) -> Model:
    if model.model_id != 1:
        return model
    fixed = {
        path: value + _GARBAGE if isinstance(value, str) else value for path, value in model.fixed.items()
    }
    return replace(model, fixed=fixed)


def _pf_times(model: Model, factor: float, scale: int) -> Model:
    """A model whose power factors are so many times what its definition asks for."""
    live = {
        path: _times(value, factor) if path.startswith("PF") else value for path, value in model.live.items()
    }
    return replace(model, live=live, fixed={**model.fixed, "PF_SF": scale})


def _times(value: Live, factor: float) -> Live:
    return lambda: (value() or 0.0) * factor


def _pf_as_fraction(model: Model) -> Model:
    is_percent = model.model_id // 10 in (10, 11, 20)
    return _pf_times(model, 0.01, -3) if is_percent else model


def _pf_in_percent(model: Model) -> Model:
    return _pf_times(model, 100.0, -2) if model.model_id == 701 else model


def _reads_back_nothing(model: Model) -> Model:
    if model.model_id != 123:
        return model
    shown: dict[str, float] = {"Conn": 0, "WMaxLimPct": 0, "WMaxLim_Ena": 1}
    return _with_live(model, {path: _always(value) for path, value in shown.items()})


def _always(value: float) -> Live:
    return lambda: value


def _ports_by_day(model: Model, inverter: Inverter) -> Model:
    if model.model_id != 714:
        return model
    by_day, by_night = model.counts_now(), {"NPrt": 0}
    return replace(model, counts=lambda: by_night if inverter.dark() else by_day, closed=("Prt",))


def _moving_scale(model: Model, inverter: Inverter) -> Model:
    """The scale factor with which the power of now has most digits."""

    def scale() -> float:
        size = max(abs(inverter.dc_w()), abs(inverter.watts()), 1.0)
        return ceil(log10(size / 32_000.0))

    path = {160: "DCW_SF", 701: "W_SF"}.get(
        model.model_id, "W_SF" if model.model_id in (101, 102, 103) else ""
    )
    return _with_live(model, {path: scale}) if path else model


def _absent_at_night(model: Model, inverter: Inverter) -> Model:
    if model.model_id not in MEASUREMENTS:
        return model
    live = {path: value for path, value in model.live.items() if path not in _SURVIVES_THE_NIGHT}
    return _with_live(model, {path: _unless_dark(value, inverter, None) for path, value in live.items()})


def _rating_0_at_night(model: Model, inverter: Inverter) -> Model:
    path = {120: "WRtg", 702: "WMaxRtg"}.get(model.model_id)
    return (
        _with_live(model, {path: _unless_dark(lambda: inverter.nameplate_w, inverter, 0.0)})
        if path
        else model
    )


def _unless_dark(value: Live, inverter: Inverter, otherwise: float | None) -> Live:
    return lambda: otherwise if inverter.dark() else value()


def _with_live(model: Model, live: Mapping[str, Live]) -> Model:
    return replace(model, live={**model.live, **live})


_OF_ANY_DEVICE: dict[Quirk, Callable[[Model], Model]] = {
    Quirk.MODEL_1_OF_65: _without_pad,
    Quirk.GARBAGE_AFTER_NUL: _with_garbage,
    Quirk.PF_AS_FRACTION: _pf_as_fraction,
    Quirk.PF_IN_PERCENT: _pf_in_percent,
    Quirk.READS_BACK_NOTHING: _reads_back_nothing,
}

_OF_AN_INVERTER: dict[Quirk, _Change] = {
    Quirk.MODEL_LENGTH_CHANGES_WITH_LIGHT: _ports_by_day,
    Quirk.SCALE_FACTOR_CHANGES: _moving_scale,
    Quirk.NOT_IMPLEMENTED_AT_NIGHT: _absent_at_night,
    Quirk.RATING_0_AT_NIGHT: _rating_0_at_night,
}
