"""Every default and range against the standard's tables, typed in here by hand for three kinds of DER.

The three are the pairs of categories that are built: A with I, B with II, B with III. Ranges that refer to
other settings are given as they come out with the defaults around them.
"""

from __future__ import annotations

import pytest

from tiir import catalogue
from tiir.complete import RATINGS, complete
from tiir.setting import Der
from tiir.values import Value

Each = tuple[Value, Value, Value]
Bounds = tuple[float, float]

DERS = tuple(
    Der.model_validate({"normal": normal, "abnormal": abnormal, "rated_va": 1e3})
    for normal, abnormal in (("A", "I"), ("B", "II"), ("B", "III"))
)
SETTINGS = catalogue.settings()


Q: Bounds = (-1.0, 1.0)

# Label: default, one for all or one each for A/I, B/II, B/III.
DEFAULTS: dict[str, Value | Each] = {
    "AP_LIMIT_ENABLE": False,
    "AP_LIMIT": 1.0,
    "ES_PERMIT_SERVICE": True,
    "ES_V_LOW": 0.917,
    "ES_V_HIGH": 1.05,
    "ES_F_LOW": 59.5,
    "ES_F_HIGH": 60.1,
    "ES_DELAY": 300.0,
    "ES_RANDOMIZED_DELAY": 300.0,
    "ES_RAMP_RATE": 300.0,
    "CONST_PF_MODE_ENABLE": True,
    "CONST_PF": 1.0,
    "CONST_PF_EXCITATION": "ABS",
    "CONST_Q_MODE_ENABLE": False,
    "CONST_Q": 0.0,
    "QV_MODE_ENABLE": False,
    "QV_VREF": 1.0,
    "QV_VREF_AUTO_MODE": False,
    "QV_VREF_TIME": 300.0,
    "QV_CURVE_V1": (0.9, 0.92, 0.92),
    "QV_CURVE_V2": (1.0, 0.98, 0.98),
    "QV_CURVE_V3": (1.0, 1.02, 1.02),
    "QV_CURVE_V4": (1.1, 1.08, 1.08),
    "QV_CURVE_Q1": (0.25, 0.44, 0.44),
    "QV_CURVE_Q2": 0.0,
    "QV_CURVE_Q3": 0.0,
    "QV_CURVE_Q4": (-0.25, -0.44, -0.44),
    "QV_OLRT": (10.0, 5.0, 5.0),
    "QP_MODE_ENABLE": False,
    "QP_CURVE_P3_GEN": 1.0,
    "QP_CURVE_P2_GEN": 0.5,
    "QP_CURVE_P1_GEN": 0.2,
    "QP_CURVE_P1_LOAD": -0.2,
    "QP_CURVE_P2_LOAD": -0.5,
    "QP_CURVE_P3_LOAD": -1.0,
    "QP_CURVE_Q3_GEN": (-0.25, -0.44, -0.44),
    "QP_CURVE_Q2_GEN": 0.0,
    "QP_CURVE_Q1_GEN": 0.0,
    "QP_CURVE_Q1_LOAD": 0.0,
    "QP_CURVE_Q2_LOAD": 0.0,
    "QP_CURVE_Q3_LOAD": 0.44,
    "PV_MODE_ENABLE": False,
    "PV_CURVE_V1": 1.06,
    "PV_CURVE_P1": 1.0,
    "PV_CURVE_V2": 1.1,
    "PV_CURVE_P2": 0.0,
    "PV_OLRT": 10.0,
    "OV2_TRIP_V": 1.2,
    "OV2_TRIP_T": 0.16,
    "OV1_TRIP_V": 1.1,
    "OV1_TRIP_T": (2.0, 2.0, 13.0),
    "UV1_TRIP_V": (0.7, 0.7, 0.88),
    "UV1_TRIP_T": (2.0, 10.0, 21.0),
    "UV2_TRIP_V": (0.45, 0.45, 0.5),
    "UV2_TRIP_T": (0.16, 0.16, 2.0),
    "OF2_TRIP_F": 62.0,
    "OF2_TRIP_T": 0.16,
    "OF1_TRIP_F": 61.2,
    "OF1_TRIP_T": 300.0,
    "UF1_TRIP_F": 58.5,
    "UF1_TRIP_T": 300.0,
    "UF2_TRIP_F": 56.5,
    "UF2_TRIP_T": 0.16,
    "MC_ENABLE": (False, False, True),
    "MC_LVRT_V1": 0.5,
    "MC_HVRT_V1": 1.1,
    "PF_MODE_ENABLE": True,
    "PF_DBOF": 0.036,
    "PF_DBUF": 0.036,
    "PF_KOF": 0.05,
    "PF_KUF": 0.05,
    "PF_OLRT": 5.0,
}

# Label: least and greatest, one for all or one each for A/I, B/II, B/III.
RANGES: dict[str, Bounds | tuple[Bounds, Bounds, Bounds]] = {
    "AP_LIMIT": (0.0, 1.0),
    "ES_V_LOW": (0.88, 0.95),
    "ES_V_HIGH": (1.05, 1.06),
    "ES_F_LOW": (59.0, 59.9),
    "ES_F_HIGH": (60.1, 61.0),
    "ES_DELAY": (0.0, 600.0),
    "ES_RANDOMIZED_DELAY": (1.0, 1000.0),
    "ES_RAMP_RATE": (1.0, 1000.0),
    "CONST_PF": (0.0, 1.0),
    "CONST_Q": Q,
    "QV_VREF": (0.95, 1.05),
    "QV_VREF_TIME": (300.0, 5000.0),
    "QV_CURVE_V1": ((0.82, 0.98), (0.82, 0.96), (0.82, 0.96)),
    "QV_CURVE_V2": (0.97, 1.0),
    "QV_CURVE_V3": (1.0, 1.03),
    "QV_CURVE_V4": ((1.02, 1.18), (1.04, 1.18), (1.04, 1.18)),
    "QV_CURVE_Q1": (0.0, 1.0),
    "QV_CURVE_Q2": Q,
    "QV_CURVE_Q3": Q,
    "QV_CURVE_Q4": (-1.0, 0.0),
    "QV_OLRT": (1.0, 90.0),
    "QP_CURVE_P3_GEN": (0.6, 1.0),
    "QP_CURVE_P2_GEN": (0.4, 0.8),
    "QP_CURVE_P1_GEN": (0.0, 0.4),
    "QP_CURVE_P1_LOAD": (-0.4, 0.0),
    "QP_CURVE_P2_LOAD": (-0.8, -0.4),
    "QP_CURVE_P3_LOAD": (-1.0, -0.6),
    "QP_CURVE_Q3_GEN": Q,
    "QP_CURVE_Q2_GEN": Q,
    "QP_CURVE_Q1_GEN": Q,
    "QP_CURVE_Q1_LOAD": Q,
    "QP_CURVE_Q2_LOAD": Q,
    "QP_CURVE_Q3_LOAD": Q,
    "PV_CURVE_V1": (1.05, 1.09),
    "PV_CURVE_P1": (0.0, 1.0),
    "PV_CURVE_V2": (1.07, 1.1),
    "PV_CURVE_P2": (0.0, 1.0),
    "PV_OLRT": (0.5, 60.0),
    "OV2_TRIP_V": (1.2, 1.2),
    "OV2_TRIP_T": (0.16, 0.16),
    "OV1_TRIP_V": (1.1, 1.2),
    "OV1_TRIP_T": (1.0, 13.0),
    "UV1_TRIP_V": (0.0, 0.88),
    "UV1_TRIP_T": ((2.0, 21.0), (2.0, 21.0), (21.0, 50.0)),
    "UV2_TRIP_V": (0.0, 0.5),
    "UV2_TRIP_T": ((0.16, 2.0), (0.16, 2.0), (2.0, 21.0)),
    "OF2_TRIP_F": (61.8, 66.0),
    "OF2_TRIP_T": (0.16, 1000.0),
    "OF1_TRIP_F": (61.0, 66.0),
    "OF1_TRIP_T": (180.0, 1000.0),
    "UF1_TRIP_F": (50.0, 59.0),
    "UF1_TRIP_T": (180.0, 1000.0),
    "UF2_TRIP_F": (50.0, 57.0),
    "UF2_TRIP_T": (0.16, 1000.0),
    "MC_LVRT_V1": (0.0, 0.88),
    "MC_HVRT_V1": (1.1, 1.2),
    "PF_DBOF": (0.017, 1.0),
    "PF_DBUF": (0.017, 1.0),
    "PF_KOF": ((0.03, 0.05), (0.03, 0.05), (0.02, 0.05)),
    "PF_KUF": ((0.03, 0.05), (0.03, 0.05), (0.02, 0.05)),
    "PF_OLRT": ((1.0, 10.0), (1.0, 10.0), (0.2, 10.0)),
}


def test_the_tables_name_every_setting_and_no_other() -> None:
    held = [setting for setting in SETTINGS.values() if setting.function not in RATINGS]
    assert [setting.label for setting in held] == list(DEFAULTS)
    ranged = [s.label for s in held if s.unit not in {"switch", "word"}]
    assert ranged == list(RANGES)


@pytest.mark.parametrize("label", DEFAULTS)
@pytest.mark.parametrize("which", range(3), ids=["A/I", "B/II", "B/III"])
def test_default(label: str, which: int) -> None:
    # What completing leaves off because two defaults exclude each other is looked up as the standard has it.
    chosen = complete({}, DERS[which])[label]
    if label == "ES_RANDOMIZED_DELAY":
        assert chosen == 0.0
        chosen = SETTINGS[label].default_for(DERS[which], {}) or 0.0
    stated = DEFAULTS[label]
    wanted = stated[which] if isinstance(stated, tuple) else stated
    assert chosen == pytest.approx(wanted, abs=1e-12)
    assert type(chosen) is type(wanted)


@pytest.mark.parametrize("label", RANGES)
@pytest.mark.parametrize("which", range(3), ids=["A/I", "B/II", "B/III"])
def test_range(label: str, which: int) -> None:
    known = {**complete({}, DERS[which]), **DERS[which].facts}
    stated = RANGES[label]
    bounds = stated[which] if len(stated) == 3 else stated
    assert SETTINGS[label].range_for(DERS[which], known) == pytest.approx(bounds, abs=1e-12)
