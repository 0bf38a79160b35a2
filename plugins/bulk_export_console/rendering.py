"""Fill a template in the reader's language and with their rights.

Numbers, sizes and times are written as the reader writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from bulk_export.sizes import size_text
from bulk_export_airflow.plugin import PREFIX
from bulk_export_console import wording
from bulk_export_console.language import COOKIE, LANGUAGES, language_of, translator

_FOLDER = Path(__file__).parent / "templates"
_PREFIX = f"/{PREFIX}"
_YEAR_S = 365 * 24 * 3600


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(request: Request, template: str, *, zone: str = "UTC", status_code: int = 200, **content: Any) -> HTMLResponse:
    """A page.

    Args:
        request: whose language and rights count.
        template: file in `templates/`.
        zone: IANA zone in which times are shown.
        status_code: of the answer.
        content: what the template needs.
    """
    language = language_of(request)
    reader = Reader(language, zone)
    root = request.scope.get("root_path", "")
    visitor = getattr(request.state, "visitor", None)
    shared: Mapping[str, Any] = {
        "_": translator(language),
        "language": language,
        "languages": LANGUAGES,
        "language_links": {name: str(request.url.include_query_params(language=name).query) for name in LANGUAGES},
        "root": root,
        "airflow": root.removesuffix(_PREFIX),
        "visitor": visitor,
        "may_change": bool(visitor and visitor.may_change),
        "navigation": request.app.state.navigation,
        # Behind a proxy the path may begin with that of [api] base_url, or not.
        "path": request.scope["path"].partition(_PREFIX)[2] or request.scope["path"],
        "zone": zone,
        "number": reader.number,
        "size": reader.size,
        "time": reader.time,
        "day": reader.day,
        "words": wording,
        "quote": lambda text: quote(str(text), safe=""),
    }
    html = _environment().get_template(template).render({**shared, **content})
    response = HTMLResponse(html, status_code=status_code)
    response.headers["Content-Language"] = language
    if request.query_params.get("language") in LANGUAGES:
        response.set_cookie(COOKIE, language, max_age=_YEAR_S, path=root or "/", httponly=True, samesite="lax")
    return response


@dataclass(frozen=True, slots=True)
class Reader:
    """How a reader writes numbers, sizes and times."""

    language: str
    zone: str

    def number(self, value: float | None, digits: int = 0) -> str:
        """`1,234` or `1.234`; a dash for what is not known."""
        if value is None:
            return "–"
        text = f"{value:,.{digits}f}"
        return text.translate(str.maketrans(",.", ".,")) if self.language == "es" else text

    def size(self, size: float | None) -> str:
        """Bytes as people say them."""
        return "–" if size is None else size_text(size, self.number)

    def day(self, day: date) -> str:
        """`2026-11-23`, as Airflow writes it, or `23/11/2026`."""
        return f"{day:%d/%m/%Y}" if self.language == "es" else f"{day:%Y-%m-%d}"

    def moment(self, moment: datetime, *, zone: str | None = None) -> str:
        """Day and time in the reader's zone, or another."""
        local = moment.astimezone(ZoneInfo(zone or self.zone))
        return f"{self.day(local)} {local:%H:%M}"

    def time(self, moment: datetime | None, *, zone: str | None = None) -> str | Markup:
        """A `<time>` element in the reader's zone; a dash for None.

        Its attributes have the UTC time, for machines and for whoever points at it.
        """
        if moment is None:
            return "–"
        shown = self.moment(moment, zone=zone)
        return Markup('<time datetime="{}" title="{:%Y-%m-%d %H:%M:%S} UTC">{}</time>').format(
            f"{moment:%Y-%m-%dT%H:%M:%SZ}", moment, shown
        )
