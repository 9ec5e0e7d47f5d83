"""The pages in a real browser: Debian's Chromium, headless, against a portal that ingested from a real broker."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from portal_processes import Gateway, PortalProcess, until
from portal_samples import event, excursion, minute, report, settings, status
from pypdf import PdfReader

from contract.envelope import RecordClass
from edge.link.private_broker import PrivateBroker

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]
FLAGS = [
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def fill(gateway: Gateway) -> None:
    for minutes_ago in range(180, 0, -1):
        export_w = 23_800 + 900 * math.sin(minutes_ago / 9) - (9000 if 70 < minutes_ago < 95 else 0)
        top_w = 38_400 if minutes_ago == 40 else export_w
        gateway.put(minute(minutes_ago, top_w), RecordClass.TELEMETRY)
    gateway.put(status())
    gateway.put(event("restart", "the agent started; state was whole", 181))
    gateway.put(event("pickup", "32 picked up at 38.4 kW, dropped out after 0.9 s", 40))
    gateway.put(excursion(minutes_ago=40))
    gateway.put(event("fallback", "no new sample of the PCC meter for 1.1 s; DERs to 25.0 kW in sum", 22))
    gateway.put(event("fallback-end", "fresh samples and a verified write for 10 s", 21))
    gateway.put(settings("inverter-1"))
    gateway.put(settings("inverter-2", verified=False))
    gateway.put(report(60_000))


@pytest.fixture
def site(portal: PortalProcess, gateway: Gateway) -> PortalProcess:
    portal.start()
    fill(gateway)
    gateway.start()
    until(gateway.empty)
    return portal


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium, "Debian's Chromium is missing: make setup installs it"
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else FLAGS
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    one = context.new_page()
    faults: list[str] = []
    one.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    one.on("pageerror", lambda error: faults.append(str(error)))
    yield one
    context.close()
    assert faults == [], "the browser complained, for instance of the content security policy"


def keep(page: Page, name: str) -> None:
    """Keep a picture where DERGATE_SCREENSHOTS points, for a person to look at."""
    if folder := os.environ.get("DERGATE_SCREENSHOTS"):
        page.screenshot(path=str(Path(folder) / name), full_page=True)


def test_the_list_then_a_site_then_its_report(site: PortalProcess, page: Page, tmp_path: Path) -> None:
    page.goto(site.url)
    keep(page, "sites.png")
    row = page.locator("tr[data-gateway='gw-1']")
    text = row.inner_text()
    for shown in ("Miller Creek Dairy", "online", "25.0 kW", "38.4 kW", "longest 0.9 s", "drifted", "pass"):
        assert shown in text, shown
    assert "not a certified relay or power control system" in page.locator("footer").inner_text()
    row.get_by_role("link", name="Miller Creek Dairy").click()
    page.wait_for_selector("h1")
    keep(page, "site.png")
    assert page.title() == "Miller Creek Dairy · dergate"
    body = page.locator("body").inner_text()
    for shown in (
        "Agreed-upon means",
        "NEM-2024-1187",
        "no new sample of the PCC meter",
        "QV_OLRT",
        "differs",
    ):
        assert shown in body, shown
    assert page.locator("svg polyline.export").count() == 1
    with page.expect_download() as download:
        page.get_by_role("link", name="Download PDF").click()
    download.value.save_as(tmp_path / "report.pdf")
    data = (tmp_path / "report.pdf").read_bytes()
    assert "Commissioning report" in PdfReader(BytesIO(data)).pages[0].extract_text()
    assert len(data) > 60_000


def test_the_page_follows_without_being_reloaded(site: PortalProcess, gateway: Gateway, page: Page) -> None:
    page.goto(f"{site.url}/sites/gw-1")
    page.evaluate("window.stillTheSamePage = true")
    assert "lockout" not in page.locator("main").inner_text()
    gateway.put(event("lockout", "three trips within 24 h", 0))
    gateway.put(status(tripped=True, target="32"))
    page.get_by_text("three trips within 24 h").wait_for(timeout=15_000)
    page.get_by_text("tripped now, target 32").wait_for(timeout=15_000)
    gateway.end()
    page.locator("main .state.bad", has_text="offline").first.wait_for(timeout=15_000)
    assert page.evaluate("window.stillTheSamePage")


def test_on_a_phone_nothing_is_wider_than_the_screen(site: PortalProcess, browser: Browser) -> None:
    context = browser.new_context(
        viewport={"width": 375, "height": 740}, device_scale_factor=2, is_mobile=True
    )
    page = context.new_page()
    for name, path in (("phone-sites.png", "/"), ("phone-site.png", "/sites/gw-1")):
        page.goto(site.url + path)
        keep(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 375, path
    context.close()


def test_a_portal_that_stops_is_said_on_the_page(site: PortalProcess, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(site.url)
    assert not page.get_by_text("The portal does not answer").is_visible()
    site.end()
    page.get_by_text("The portal does not answer").wait_for(timeout=15_000)
    page.close()


def test_json_headers_and_what_is_not_there(site: PortalProcess, broker: PrivateBroker) -> None:
    with httpx.Client(base_url=site.url) as client:
        [listed] = client.get("/api/sites").json()
        assert (listed["gateway"], listed["settings_state"]) == ("gw-1", "drifted")
        detail = client.get("/api/sites/gw-1").json()
        assert detail["excursions"][0]["peak_w"] == 38_400.0
        identity = detail["reports"][0]["id"]
        assert client.get(f"/reports/{identity}.json").json()["operator"] == "A. Ruiz"
        home = client.get("/")
        assert home.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert "<script>" not in home.text
        assert " style=" not in home.text
        for absent in ("/sites/gw-9", "/api/sites/gw-9", f"/reports/{'0' * 36}.pdf"):
            assert client.get(absent).status_code == 404
        assert client.get("/reports/x.pdf").status_code == 422
        assert client.get("/docs").status_code == 404
        broker.kill()
        until(lambda: "No connection to the broker since" in client.get("/").text)
