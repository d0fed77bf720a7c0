"""The list of time zones: the clinic's own first, its country by the names people use, then the world."""

from __future__ import annotations

import re
from html import unescape

from sqlalchemy import update

from outreach.domain.window import zone_names
from outreach.store.tables import Staff
from tests.web.house import House


def test_the_clinics_country_comes_first_by_the_names_that_people_use(house: House) -> None:
    def offered() -> list[tuple[str, list[tuple[str, str]]]]:
        select = re.search(r'<select id="zone".*?</select>', house.desk().get("/patients/new").text, re.S)
        assert select
        groups = re.findall(r'<optgroup label="([^"]+)">(.*?)</optgroup>', unescape(select[0]), re.S)
        return [(name, re.findall(r'<option value="([^"]+)"[^>]*>([^<]+)<', options)) for name, options in groups]

    groups = offered()
    assert [name for name, _ in groups] == [
        "In this country", "Africa", "Americas", "Antarctica", "Asia", "Australia", "Europe", "Arctic",
        "Atlantic Ocean", "Indian Ocean", "Pacific Ocean", "Other",
    ]  # fmt: skip
    home = dict(groups[0][1])
    assert groups[0][1][0] == ("America/New_York", "Eastern Time: New York")
    assert (home["America/Chicago"], home["Pacific/Honolulu"]) == (
        "Central Time: Chicago", "Hawaii-Aleutian Time: Honolulu",
    )  # fmt: skip
    names = [name for _, options in groups for name, _ in options]
    assert len(names) == len(set(names))
    assert set(names) <= zone_names()
    cities = [said for _, options in groups for _, said in options]
    assert [one for one in cities if one in ("Toronto", "Sydney", "Tokyo")] == ["Toronto", "Tokyo", "Sydney"]
    assert {"America/Argentina/Buenos_Aires", "Asia/Ho_Chi_Minh", "Europe/Madrid", "UTC"} <= set(names)
    with house.out.sessions.begin() as session:
        session.execute(update(Staff).values(locale="es"))
    assert offered()[0][1][0][1] == "Hora oriental: Nueva York"
