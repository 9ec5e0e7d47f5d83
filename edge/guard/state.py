"""What the guard remembers from scan to scan, and the state of one that has just come up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from edge.guard.contact import Contact
from edge.guard.element import ElementState
from edge.guard.settings import DerSettings, GuardSettings
from edge.guard.supervisor import Watch
from edge.model.commands import DerLimit
from edge.model.durable import Durable


class GuardState(NamedTuple):
    """Everything the guard remembers from scan to scan.

    `limits`: what it commanded last. `closed`: the site is in service, its outputs told to close. `unresponsive`:
    the DERs that by their watches do not follow their limit.
    """

    durable: Durable
    elements: tuple[ElementState, ...]
    pcs: ElementState
    watches: tuple[Watch, ...]
    sequence: int
    sample_s: float
    scan_s: float
    commanded_s: float
    limits: tuple[DerLimit, ...]
    contacts: tuple[Contact, ...]
    bounds: tuple[ElementState, ...] = ()
    charge_watches: tuple[Watch, ...] = ()
    closed: bool = False
    causes: tuple[str, ...] = ()
    trips: int = 0
    further: tuple[ElementState, ...] = ()
    unresponsive: frozenset[str] = frozenset()

    @property
    def breaker_failed(self) -> bool:
        """Whether a contact shows closed that was told to open."""
        return any(contact.failed for contact in self.contacts)


def guard_start(settings: GuardSettings, durable: Durable, now_s: float) -> GuardState:
    """The state of a process that has just come up: latch as stored, outputs open."""
    return GuardState(
        durable=durable,
        elements=tuple(ElementState(now_s) for _ in settings.elements),
        pcs=ElementState(now_s),
        watches=tuple(Watch(((now_s, der.nameplate_w),)) for der in settings.ders),
        sequence=-1,
        sample_s=now_s,
        scan_s=now_s,
        commanded_s=now_s,
        limits=tuple(DerLimit(der.name, der.nameplate_w, -der.charge_w) for der in settings.ders),
        contacts=tuple(Contact(now_s) for _ in settings.outputs),
        bounds=tuple(ElementState(now_s) for _ in settings.bounds),
        charge_watches=tuple(Watch(((now_s, der.charge_w),)) for der in settings.ders if der.is_storage),
        further=tuple(ElementState(now_s) for _ in settings.further),
    )


def watched(settings: GuardSettings, state: GuardState) -> Iterator[tuple[DerSettings, Watch]]:
    """Every DER with its watch, storage once more with that of its charging."""
    yield from zip(settings.ders, state.watches, strict=True)
    if state.charge_watches:
        stores = (der for der in settings.ders if der.is_storage)
        yield from zip(stores, state.charge_watches, strict=True)
