"""The web application: pages for people, JSON for machines, read only."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi import Path as UrlPath
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from contract.topics import GATEWAY_PATTERN
from portal import show
from portal.ingest import Ingest
from portal.service import ReportFile, Service

_HERE = Path(__file__).parent
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
T = TypeVar("T")
GatewayId = Annotated[str, UrlPath(pattern=GATEWAY_PATTERN)]
ReportId = Annotated[str, UrlPath(pattern=r"^[0-9a-f-]{36}$")]


def make_app(service: Service, ingest: Ingest | None = None) -> FastAPI:
    """The application; `ingest` is asked whether the broker is there."""
    app = FastAPI(title="dergate portal", docs_url=None, redoc_url=None, openapi_url=None)
    app.mount("/static", StaticFiles(directory=_HERE / "static"), name="static")
    app.middleware("http")(_with_headers)
    _add_pages(app, service, ingest, _templates())
    _add_json(app, service)
    return app


def _templates() -> Jinja2Templates:
    templates = Jinja2Templates(directory=_HERE / "templates")
    templates.env.filters.update(
        event_label=show.event_label,
        event_tone=show.event_tone,
        power=show.power,
        lasting=show.lasting,
        minute=show.minute_clock,
        energy=show.energy,
        span=show.span,
        ago=show.ago,
        clock=show.clock,
        value=show.value,
    )
    return templates


async def _with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    for name, text in HEADERS.items():
        response.headers.setdefault(name, text)
    return response


def _add_pages(app: FastAPI, service: Service, ingest: Ingest | None, templates: Jinja2Templates) -> None:
    def page(request: Request, name: str, **content: Any) -> HTMLResponse:
        lost = ingest.lost_at if ingest and not ingest.connected.is_set() else None
        whole = {"now": datetime.now(UTC), "broker_lost_at": lost} | content
        # htmx asks for the same address again, and needs only what changes.
        template = f"_{name}.html" if "HX-Request" in request.headers else f"{name}.html"
        return templates.TemplateResponse(request, template, whole, headers={"Vary": "HX-Request"})

    @app.get("/")
    def sites(request: Request) -> HTMLResponse:
        return page(request, "sites", sites=service.sites(datetime.now(UTC)), rejected=service.rejected())

    @app.get("/sites/{gateway}")
    def site(request: Request, gateway: GatewayId) -> HTMLResponse:
        detail = _found(service.site(gateway, datetime.now(UTC)), "site")
        return page(request, "site", detail=detail, site=detail.site, chart=show.chart(detail.minutes))

    @app.get("/reports/{report_id}.pdf")
    def pdf(report_id: ReportId) -> Response:
        report = _found(service.report(report_id), "report")
        name = f"{report.gateway}-commissioning-{report_id[:8]}.pdf"
        disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(report.pdf, media_type="application/pdf", headers=disposition)


def _add_json(app: FastAPI, service: Service) -> None:
    @app.get("/api/sites")
    def sites() -> list[dict[str, Any]]:
        return [_plain(view) for view in service.sites(datetime.now(UTC))]

    @app.get("/api/sites/{gateway}")
    def site(gateway: GatewayId) -> dict[str, Any]:
        detail = _found(service.site(gateway, datetime.now(UTC)), "site")
        return asdict(detail) | {
            "site": _plain(detail.site),
            "status": detail.status.model_dump(mode="json") if detail.status else None,
            "elements": [element.model_dump(mode="json") for element in detail.elements],
        }

    @app.get("/reports/{report_id}.json")
    def report(report_id: ReportId) -> JSONResponse:
        found: ReportFile = _found(service.report(report_id), "report")
        return JSONResponse(found.report)


def _plain(view: Any) -> dict[str, Any]:
    return asdict(view) | {"settings_state": view.settings_state, "attention": view.attention}


def _found(thing: T | None, what: str) -> T:
    if thing is None:
        raise HTTPException(404, f"there is no such {what}")
    return thing
