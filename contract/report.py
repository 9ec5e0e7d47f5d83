"""The commissioning report: what was tested, what was seen, and what an installer signs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Verdict = Literal["pass", "fail", "inconclusive", "not-applicable"]


class Part(BaseModel):
    """Base of the report's parts: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Series(Part):
    """A recorded time series; `t_s` counts from the start of the test, None where nothing was known."""

    name: str
    unit: str
    t_s: tuple[float, ...]
    y: tuple[float | None, ...]


class Mark(Part):
    """An instant worth a line in the plot."""

    t_s: float
    text: str


class Measurement(Part):
    """One figure held against what is allowed; `passed` is None where it is only reported."""

    name: str
    value: float | str | None
    unit: str
    allowed: str
    passed: bool | None


class TestResult(Part):
    """One test: what was done, what was seen."""

    __test__ = False

    id: str
    title: str
    source: str = Field(description="clause or practice that asks for it")
    verdict: Verdict
    summary: str
    started_at: str
    duration_s: float
    measurements: tuple[Measurement, ...] = ()
    series: tuple[Series, ...] = ()
    marks: tuple[Mark, ...] = ()
    findings: tuple[dict[str, Any], ...] = ()
    restored: bool = Field(description="everything the test changed was put back and read back")


class DeviceRecord(Part):
    """One device as found."""

    name: str
    role: str
    manufacturer: str | None
    model: str | None
    version: str | None
    serial: str | None
    nameplate_w: float | None


class Report(Part):
    """A whole commissioning report; `blanks` names every declaration of the application left blank."""

    schema_version: Literal[1] = 1
    id: str
    site: str
    site_name: str
    method: str
    means: str = Field(description="whose function is the means of export limitation")
    export_limit_w: float
    declarations: dict[str, Any]
    blanks: tuple[str, ...]
    site_sha256: str
    software: str
    started_at: str
    ended_at: str
    time_quality: str
    operator: str
    devices: tuple[DeviceRecord, ...]
    tests: tuple[TestResult, ...]
    verdict: Verdict
    disclaimer: str
