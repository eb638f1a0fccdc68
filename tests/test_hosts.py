"""The table of hosts."""

from __future__ import annotations

import re
from pkgutil import resolve_name

import pytest

from antithesis.errors import ConfigError
from antithesis.parameters import PARAMETERS
from daemon.hosts import HOSTS, HostRow, OscLink, find_host
from daemon.osc import OscMessage
from daemon.senders.patterns import fill

ROWS = pytest.mark.parametrize("row", HOSTS.values(), ids=list(HOSTS))
# The custom row is empty until the configuration fills it.
OSC_ROWS = [r for r in HOSTS.values() if isinstance(r.link, OscLink) and r.name != "custom"]


def link_of(row: HostRow) -> OscLink:
    assert isinstance(row.link, OscLink)
    return row.link


def set_address(link: OscLink, index: int) -> OscMessage:
    number = link.first_number + index
    holes = dict.fromkeys(re.findall(r"\{(\w+)\}", str(link.set_one)), 1) | dict(link.places)
    key = PARAMETERS[index].name
    each = {"id": PARAMETERS[index].id, "key": key, "number": number, "value": 0.5}
    return fill(link.set_one, {**holes, **each})


@ROWS
def test_every_row_has_a_route_that_can_be_made(row: HostRow) -> None:
    route = resolve_name(row.link.route)(row.link)

    assert {"find", "write", "read", "__enter__", "__exit__"} <= set(dir(route))


@pytest.mark.parametrize("row", OSC_ROWS, ids=lambda row: row.name)
def test_every_osc_row_has_38_messages_that_differ(row: HostRow) -> None:
    link = link_of(row)

    assert len({set_address(link, p.index) for p in PARAMETERS}) == len(PARAMETERS)


@pytest.mark.parametrize("row", OSC_ROWS, ids=lambda row: row.name)
def test_every_osc_row_that_asks_says_where_the_answer_comes(row: HostRow) -> None:
    link = link_of(row)

    assert bool(link.ask) == bool(link.told)


@ROWS
def test_a_host_whose_silence_is_failure_can_be_asked(row: HostRow) -> None:
    if row.answers and isinstance(row.link, OscLink):
        assert row.link.ask


def test_no_host_is_named_by_a_word_that_may_mean_ipv6() -> None:
    assert all(link_of(row).address == "127.0.0.1" for row in OSC_ROWS)


def test_settings_of_a_link_are_replaced_and_the_table_is_not() -> None:
    row = find_host("ardour", port=8100, track=3)

    assert (link_of(row).port, link_of(row).track) == (8100, 3)
    assert (link_of(HOSTS["ardour"]).port, link_of(HOSTS["ardour"]).track) == (3819, 0)


def test_an_unknown_host_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"'reapr'.*did you mean 'reaper'"):
        find_host("reapr")


def test_a_host_like_no_other_is_refused_with_all_names() -> None:
    with pytest.raises(ConfigError, match="choose one of ardour, reaper"):
        find_host("zzz")


def test_an_unknown_setting_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match=r"'midi' has no setting 'bit'.*did you mean 'bits'"):
        find_host("midi", bit=7)
