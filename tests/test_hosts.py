"""The table of hosts."""

from __future__ import annotations

from pkgutil import resolve_name

import pytest

from antithesis.errors import ConfigError
from antithesis.parameters import PARAMETERS
from daemon.hosts import HOSTS, HostRow, OscLink, find_host

ROWS = pytest.mark.parametrize("row", HOSTS.values(), ids=list(HOSTS))
OSC_ROWS = [row for row in HOSTS.values() if isinstance(row.link, OscLink)]


def link_of(row: HostRow) -> OscLink:
    assert isinstance(row.link, OscLink)
    return row.link


def fill(template: str, link: OscLink, index: int) -> str:
    number = link.first_number + index
    return template.format(id=PARAMETERS[index].id, number=number, **link.places)


@ROWS
def test_every_row_has_a_route_that_can_be_made(row: HostRow) -> None:
    route = resolve_name(row.link.route)(row.link)

    assert {"write", "read", "grid", "__enter__", "__exit__"} <= set(dir(route))


@pytest.mark.parametrize("row", OSC_ROWS, ids=lambda row: row.name)
def test_every_osc_row_has_38_addresses_that_differ(row: HostRow) -> None:
    link = link_of(row)

    assert len({fill(link.set_one, link, p.index) for p in PARAMETERS}) == len(PARAMETERS)


@pytest.mark.parametrize("row", OSC_ROWS, ids=lambda row: row.name)
def test_every_osc_row_that_asks_says_where_the_answer_comes(row: HostRow) -> None:
    link = link_of(row)

    assert bool(link.ask) == bool(link.read_one or link.read_all)


@ROWS
def test_a_host_whose_silence_is_failure_can_be_asked(row: HostRow) -> None:
    if row.answers and isinstance(row.link, OscLink):
        assert row.link.ask


def test_reaper_is_addressed_as_its_documentation_says() -> None:
    link = link_of(HOSTS["reaper"])

    assert fill(link.set_one, link, 0) == "/track/1/fxinstparam/1/value"
    assert fill(link.set_one, link, 37) == "/track/1/fxinstparam/38/value"
    assert (link.address, link.port, link.reply_port) == ("127.0.0.1", 8000, 9000)
    assert HOSTS["reaper"].wait_s >= 0.1


def test_no_host_is_named_by_a_word_that_may_mean_ipv6() -> None:
    assert all(link_of(row).address == "127.0.0.1" for row in OSC_ROWS)


def test_settings_of_a_link_are_replaced_and_the_table_is_not() -> None:
    row = find_host("reaper", port=8100, places={"track": 3})

    assert link_of(row).port == 8100
    assert fill(link_of(row).set_one, link_of(row), 1) == "/track/3/fxinstparam/2/value"
    assert link_of(HOSTS["reaper"]).port == 8000


def test_an_unknown_host_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"'reapr'.*did you mean 'reaper'"):
        find_host("reapr")


def test_a_host_like_no_other_is_refused_with_all_names() -> None:
    with pytest.raises(ConfigError, match="choose one of builtin, reaper, midi, memory"):
        find_host("zzz")


def test_an_unknown_setting_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"'midi' has no setting 'bit'.*did you mean 'bits'"):
        find_host("midi", bit=7)
