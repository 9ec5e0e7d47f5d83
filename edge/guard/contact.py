"""Trip outputs as the guard sees them: what each was told, since when, and whether its feedback agrees (50BF).

A contact that still shows closed when it should be open has failed. It stays failed until it shows open; without
feedback nothing is ever known of it. Its backup opens in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from edge.guard.settings import OutputSettings
from edge.model.commands import Event
from edge.model.image import Image
from edge.model.sample import Sample

BREAKER_FAILURE = "breaker-failure"
FEEDBACK_GRACE_S = 0.5
"""On top of the time that an output needs to open: until its feedback must have been read."""

_NOTHING = Sample.none()


@dataclass(frozen=True, slots=True)
class Contact:
    """`closed`: what it was told last, at `told_s`. `failed`: it shows closed though it was told to open."""

    told_s: float
    closed: bool = False
    failed: bool = False


Outputs = tuple[OutputSettings, ...]
Contacts = tuple[Contact, ...]
"""One for each output of the settings, in their order."""


def feedback(outputs: Outputs, contacts: Contacts, image: Image) -> tuple[float | None, ...]:
    """What each contact showed after it had the time to do as it was told: 1.0 closed, 0.0 open, None unknown."""
    samples = {output.name: output.closed for output in image.outputs}
    return tuple(
        [
            samples.get(output.name, _NOTHING).since(contact.told_s + output.opens_s + FEEDBACK_GRACE_S)
            for output, contact in zip(outputs, contacts, strict=True)
        ]
    )


def looked_at(contacts: Contacts, shown: tuple[float | None, ...]) -> Contacts:
    """After their feedback: one that was told to open and shows closed has failed, one that shows open has not."""
    return tuple(
        [
            contact
            if contact.closed or value is None or contact.failed == (value == 1.0)
            else replace(contact, failed=value == 1.0)
            for contact, value in zip(contacts, shown, strict=True)
        ]
    )


def fell_open(contacts: Contacts, shown: tuple[float | None, ...]) -> tuple[bool, ...]:
    """Which show open though they were told to close."""
    return tuple([contact.closed and value == 0.0 for contact, value in zip(contacts, shown, strict=True)])


def commanded(
    outputs: Outputs,
    contacts: Contacts,
    fell: tuple[bool, ...],
    now_s: float,
    *,
    in_service: bool,
) -> Contacts:
    """After the scan's commands: closed in service.

    A backup that closed once stays closed when the site trips, until it is needed or falls open.
    """
    needed = {
        name
        for output, contact in zip(outputs, contacts, strict=True)
        if contact.failed
        for name in output.backup
    }
    return tuple(
        [
            _told(
                contact,
                now_s,
                closed=(in_service or (output.stands_by and contact.closed and not has_fallen))
                and output.name not in needed,
            )
            for output, contact, has_fallen in zip(outputs, contacts, fell, strict=True)
        ]
    )


def opened(contacts: Contacts, now_s: float) -> Contacts:
    """All of them open, by themselves: their dead-man was not fed."""
    return tuple(_told(contact, now_s, closed=False) for contact in contacts)


def failures(outputs: Outputs, before: Contacts, after: Contacts, now_s: float) -> Iterator[Event]:
    """An event for each contact that has failed since the last scan."""
    for output, was, contact in zip(outputs, before, after, strict=True):
        if contact.failed and not was.failed:
            instead = f"; {', '.join(output.backup)} opens in its place" if output.backup else ""
            yield Event(
                BREAKER_FAILURE,
                now_s,
                f"{output.name} shows closed {now_s - contact.told_s:.2f} s after it was told to open{instead};"
                " every DER is told to cease",
            )


def _told(contact: Contact, now_s: float, *, closed: bool) -> Contact:
    return contact if contact.closed == closed else Contact(now_s, closed)
