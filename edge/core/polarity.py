"""Whether the PCC meter answers the DERs with the right sign: transformers the wrong way, or a wrong sign in the file.

A meter that lies consistently looks like a load, and the limiter opens the DERs to nameplate against it. But what the
DERs make more must be exported more: a meter with the wrong sign shows the opposite, move after move, whatever the host
does. Loads that change at the same time say either in turn, so moves are added up: against the meter, less those for it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.model.image import Image

LOOK_S = 1.0
"""Between two looks: longer than telemetry and meter are apart."""
MOVE = 0.02
"""Of nameplate: what the DERs in sum must have moved by to say anything."""
WHOLE_MOVE = 0.1
"""Of nameplate: a move of this size counts whole, a smaller one by its share: noise of the load answers those as it likes."""
MOVE_WITHIN_S = 10.0
"""A slower move is lost among the changes of the host load."""
AGAINST = 3.0
"""So many whole moves more against the meter than for it are told: 3 s of a fast ramp, 90 s of one that takes 300 s."""
FRESH_S = 2.0
"""An output older than this belongs to no move."""


@dataclass(frozen=True, slots=True)
class Polarity:
    """`made_w` and `export_w` at the start of the present move, `since_s`; `against`: what speaks against the meter."""

    looked_s: float = float("-inf")
    since_s: float = float("-inf")
    made_w: float | None = None
    export_w: float = float("-inf")
    against: float = 0.0
    told: bool = False


NO_MOVES = Polarity()


def polarity_step(
    state: Polarity, image: Image, nameplate_w: float, stale_s: float, now_s: float
) -> Polarity:
    """Advance one scan; `told` becomes true when the meter's sign contradicts the DERs, false when it no longer does."""
    if now_s - state.looked_s < LOOK_S:
        return state
    export_w = image.pcc.export_w.fresh(now_s, stale_s)
    outputs_w = [der.output_w.fresh(now_s, FRESH_S) for der in image.ders]
    known_w = [output_w for output_w in outputs_w if output_w is not None]
    if export_w is None or len(known_w) < len(outputs_w):
        return replace(state, looked_s=now_s, made_w=None)
    made_w = sum(known_w)
    begun = Polarity(now_s, now_s, made_w, export_w, state.against, state.told)
    if state.made_w is None:
        return begun
    moved_w = made_w - state.made_w
    if abs(moved_w) >= MOVE * nameplate_w:
        answer = min(1.0, max(-1.0, (export_w - state.export_w) / moved_w))
        weight = min(1.0, abs(moved_w) / (WHOLE_MOVE * nameplate_w))
        against = min(AGAINST, max(0.0, state.against - weight * answer))
        return replace(begun, against=against, told=against >= AGAINST or (state.told and against > 0.0))
    return begun if now_s - state.since_s >= MOVE_WITHIN_S else replace(state, looked_s=now_s)
