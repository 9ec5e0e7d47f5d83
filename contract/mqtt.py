"""One thin class over aiomqtt: a session that survives, honest publishes, acknowledgements when it is safe.

aiomqtt 2.5's traps, each closed here and held by a test: `publish()` returns normally on a refusing PUBACK, a
message is acknowledged on receipt, and the first connection of a process is a clean start.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiomqtt
from paho.mqtt.client import MQTT_ERR_SUCCESS
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

SESSION_EXPIRY_S = 7 * 24 * 3600
KEEPALIVE_S = 60
"""Also bounds one packet: paho gives up when a packet takes over twice this to send (12 MiB needs 100 kB/s)."""

RECEIVE_MAXIMUM = 20
"""How many messages the broker may have outstanding towards us before we acknowledge."""

_NO_MATCHING_SUBSCRIBERS = 16


class BrokerError(Exception):
    """The broker cannot be reached, or the connection to it was lost; one sentence."""


class RefusedError(BrokerError):
    """The broker refused a publish or a subscription, for instance by its ACL (135)."""


class BadUriError(ValueError):
    """A broker URI that is none."""


@dataclass(frozen=True)
class BrokerUri:
    """Where the broker is: `mqtt://host[:1883]` or `mqtts://host[:8883]`."""

    host: str
    port: int
    tls: bool

    @classmethod
    def parse(cls, text: str) -> BrokerUri:
        """Read a URI; raises BadUriError."""
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise BadUriError(f"{text}: {error}") from error
        if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path or parts.username:
            raise BadUriError(f"{text}: a broker is given as mqtt://host:port or mqtts://host:port")
        tls = parts.scheme == "mqtts"
        return cls(parts.hostname, port or (8883 if tls else 1883), tls)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"


@dataclass(frozen=True)
class TlsFiles:
    """PEM files for mutual TLS: who signs the broker's certificate, and who we are."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """A context that verifies the broker's name, TLS 1.2 or later; raises BrokerError."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.cert:
                context.load_cert_chain(self.cert, self.key)
        except OSError as error:
            named = ", ".join(path.name for path in (self.ca, self.cert, self.key) if path)
            raise BrokerError(f"the TLS files {named} cannot be used: {error.strerror or error}") from error
        return context


class _Client(aiomqtt.Client):
    """aiomqtt's client with PUBACK reason codes kept and, if asked, manual acknowledgement."""

    def __init__(self, *args: Any, manual_ack: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._acks: dict[int, asyncio.Future[ReasonCode]] = {}
        self._client.manual_ack_set(manual_ack)

    def _on_publish(
        self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        if (ack := self._acks.pop(mid, None)) and not ack.done():
            ack.set_result(reason_code)
        super()._on_publish(client, userdata, mid, reason_code, properties)

    async def publish_checked(
        self, topic: str, payload: bytes, *, retain: bool, properties: Properties | None, timeout_s: float
    ) -> bool:
        info = self._client.publish(topic, payload, 1, retain, properties)
        if info.rc != MQTT_ERR_SUCCESS:
            raise BrokerError(f"the message could not be sent ({info.rc.name})")
        ack: asyncio.Future[ReasonCode] = asyncio.get_running_loop().create_future()
        self._acks[info.mid] = ack
        either: set[asyncio.Future[Any]] = {ack, self._disconnected}
        try:
            await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._acks.pop(info.mid, None)
        if not ack.done():
            raise BrokerError("the connection to the broker was lost before it confirmed the message")
        if ack.result().is_failure:
            raise RefusedError(f"the broker refused {topic}: {ack.result()} ({ack.result().value})")
        return ack.result().value != _NO_MATCHING_SUBSCRIBERS

    def acknowledge(self, message: aiomqtt.Message) -> None:
        """Confirm a message to the broker; without it the broker delivers it again after a reconnect."""
        self._client.ack(message.mid, message.qos)

    def forget(self) -> None:
        """Take note of how the connection ended, which asyncio would otherwise report as never looked at."""
        if self._disconnected.done() and not self._disconnected.cancelled():
            self._disconnected.exception()


class Session:
    """A connection within a session that outlives it. Made by `connect`."""

    def __init__(self, client: _Client) -> None:
        self._client = client

    async def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        expiry_s: int | None = None,
        timeout_s: float = 2.0 * KEEPALIVE_S,
    ) -> bool:
        """Publish with QoS 1 and wait for the PUBACK; False when it says that nobody is subscribed.

        Raises:
            RefusedError: The broker refused it (135: not authorised).
            BrokerError: It was not confirmed.
        """
        properties = None
        if expiry_s is not None:
            properties = _properties(PacketTypes.PUBLISH)
            properties.MessageExpiryInterval = expiry_s
        return await self._client.publish_checked(
            topic, payload, retain=retain, properties=properties, timeout_s=timeout_s
        )

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Subscribe with QoS 1; raises RefusedError or BrokerError."""
        try:
            codes = await self._client.subscribe([(topic, 1) for topic in topics])
        except aiomqtt.MqttError as error:
            raise BrokerError(f"the broker did not confirm the subscription: {error}") from error
        for topic, code in zip(topics, codes, strict=True):
            if isinstance(code, ReasonCode) and code.is_failure:
                raise RefusedError(f"the broker refused the subscription {topic}: {code} ({code.value})")

    async def unsubscribe(self, topics: Sequence[str]) -> None:
        """Give subscriptions back; raises BrokerError."""
        try:
            await self._client.unsubscribe(list(topics))
        except aiomqtt.MqttError as error:
            raise BrokerError(f"the broker did not take the subscription back: {error}") from error

    async def messages(self) -> AsyncIterator[aiomqtt.Message]:
        """Messages as they come; raises BrokerError when the connection is lost."""
        try:
            async for message in self._client.messages:
                yield message
        except aiomqtt.MqttError as error:
            raise BrokerError("the connection to the broker was lost") from error

    def waiting(self) -> int:
        """How many messages have come and were not yet taken from `messages`."""
        return len(self._client.messages)

    def acknowledge(self, message: aiomqtt.Message) -> None:
        """Confirm a message to the broker, once it is safe."""
        self._client.acknowledge(message)


@asynccontextmanager
async def connect(
    broker: BrokerUri,
    identifier: str,
    *,
    tls: TlsFiles | None = None,
    will: aiomqtt.Will | None = None,
    manual_ack: bool = False,
    timeout_s: float = 10.0,
) -> AsyncIterator[Session]:
    """Connect once, without clean start; the session is kept for `SESSION_EXPIRY_S` after it ends.

    Raises:
        BrokerError: No connection, or the broker refused it.
    """
    properties = _properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = SESSION_EXPIRY_S
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    client = _Client(
        broker.host,
        broker.port,
        identifier=identifier,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=False,
        properties=properties,
        keepalive=KEEPALIVE_S,
        timeout=timeout_s,
        tls_context=(tls or TlsFiles()).context() if broker.tls else None,
        will=will,
        manual_ack=manual_ack,
    )
    try:
        await client.__aenter__()
    except aiomqtt.MqttError as error:
        raise BrokerError(f"the broker {broker} cannot be reached: {error}") from error
    try:
        yield Session(client)
    finally:
        await _leave(client)


async def _leave(client: _Client) -> None:
    # When the connection is lost already there is nothing to say; the session waits at the broker.
    with suppress(aiomqtt.MqttError):
        await client.__aexit__(None, None, None)
    client.forget()


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]  # paho leaves its constructor bare


def reconnect_window_s(outage_s: float) -> float:
    """Reconnect at a random moment within this: soon after a short outage, over ten minutes after a long one.

    A million gateways that come back together would otherwise be one storm of TLS handshakes.
    """
    return min(600.0, 1.0 + outage_s / 4)
