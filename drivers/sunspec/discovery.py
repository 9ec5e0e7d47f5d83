"""Find the SunSpec map of a unit and walk its chain of models, however it ends."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.bus import Bus
from drivers.errors import DriverError, ModbusException, NotSunSpec, Timeout
from drivers.sunspec.definition import COMMON, END, HEADER, model_name

BASES = (40000, 0, 50000)
MARKER = [0x5375, 0x6E53]  # "SunS"
COMMON_LENGTHS = (65, 66)
MAX_MODELS = 256
_LAST_ADDRESS = 0xFFFF


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model instance in a chain; `address` is that of its ID register, `length` its L."""

    id: int
    address: int
    length: int

    @property
    def name(self) -> str | None:
        """SunSpec's name, None for a vendor's own model."""
        return model_name(self.id)


@dataclass(frozen=True, slots=True)
class Chain:
    """All models of a unit in order, and what was odd about them."""

    base: int
    models: tuple[ModelRef, ...]
    warnings: tuple[str, ...]

    def devices(self) -> list[tuple[ModelRef, ...]]:
        """The models device by device: each common model starts another one."""
        found: list[list[ModelRef]] = []
        for ref in self.models:
            if ref.id == COMMON or not found:
                found.append([])
            found[-1].append(ref)
        return [tuple(device) for device in found]


async def discover(bus: Bus, unit: int) -> Chain:
    """Walk a unit's chain.

    What was found before a failed or broken block is kept, with a warning.

    Raises:
        NotSunSpec: the unit answers, but has no SunSpec map.
        DriverError: it does not answer.
    """
    base = await _find_base(bus, unit)
    return await _Walk(bus, unit, base).run()


async def _find_base(bus: Bus, unit: int) -> int:
    seen: list[str] = []
    silent: Timeout | None = None
    answered = zeros = False
    for base in BASES:
        try:
            words = list((await bus.read(unit, base, HEADER)).words)
        except ModbusException as error:
            answered = True
            seen.append(f"{base}: exception {error.code}")
            continue
        except Timeout as error:
            silent = error
            seen.append(f"{base}: no answer")
            continue
        if words == MARKER:
            return base
        answered = True
        zeros = zeros or not any(words)
        seen.append(f"{base}: 0x{words[0]:04X} 0x{words[1]:04X}")
    if silent is not None and not answered:
        raise silent
    told = f"unit {unit} on {bus.line.endpoint} answers but is not SunSpec ({'; '.join(seen)})"
    raise NotSunSpec(f"{told}; zeros may mean that it was asked too soon: try again" if zeros else told)


class _Walk:
    def __init__(self, bus: Bus, unit: int, base: int) -> None:
        self.bus = bus
        self.unit = unit
        self.base = base
        self.models: list[ModelRef] = []
        self.warnings: list[str] = []

    async def run(self) -> Chain:
        address = self.base + len(MARKER)
        while (ref := await self.header(address)) is not None:
            self.note(ref)
            self.models.append(ref)
            address = ref.address + HEADER + ref.length
        return Chain(self.base, tuple(self.models), tuple(self.warnings))

    async def header(self, address: int) -> ModelRef | None:
        """The model at an address; None at the end, said why when it is no proper end."""
        if address >= _LAST_ADDRESS or len(self.models) >= MAX_MODELS:
            self.stop(f"the chain has no end before {address} ({len(self.models)} models)")
            return None
        try:
            model_id, length = (await self.bus.read(self.unit, address, HEADER)).words
        except ModbusException as error:
            await self.lone_end(address, error)
            return None
        except DriverError as error:
            if not self.models:
                raise
            self.stop(f"the chain could not be followed at {address}: {error}")
            return None
        if model_id == END:
            return None
        if model_id == 0:
            self.stop(f"the chain ends at {address} with id 0 instead of 65535")
            return None
        return ModelRef(model_id, address, length)

    async def lone_end(self, address: int, error: ModbusException) -> None:
        """Some devices let only one register be read at the end marker."""
        try:
            words = (await self.bus.read(self.unit, address, 1)).words
        except DriverError:
            self.stop(f"the chain has no end marker: exception {error.code} at {address}")
            return
        if words[0] != END:
            self.stop(f"only the id {words[0]} can be read at {address}: exception {error.code}")

    def note(self, ref: ModelRef) -> None:
        if not self.models and ref.id != COMMON:
            self.warnings.append(f"the chain starts with model {ref.id} instead of the common model 1")
        if ref.id == COMMON and ref.length not in COMMON_LENGTHS:
            self.warnings.append(f"model 1 at {ref.address} states a length of {ref.length}, not 65 or 66")

    def stop(self, warning: str) -> None:
        self.warnings.append(warning)
