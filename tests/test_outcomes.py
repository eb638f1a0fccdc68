"""Outcomes: one for each dropped file, whole or not there, and known again."""

from __future__ import annotations

import json
import os

import pytest

from antithesis.errors import ConfigError
from daemon.outcomes import Outcomes, record
from daemon.settling import Drop


@pytest.fixture
def drops(tmp_path):
    folder = tmp_path / "drops"
    folder.mkdir()

    def drop(name="kick.wav", content=b"sound"):
        (folder / name).write_bytes(content)
        return Drop.at(folder / name)

    return drop


@pytest.fixture
def outcomes(tmp_path):
    return Outcomes(tmp_path / "results").make_ready()


def match(outcomes, drop, text="preset"):
    with outcomes.matched(drop) as folder:
        (folder / "preset.txt").write_text(text)
        content = json.dumps({"dropped": record(drop)})
        (folder / f"{drop.path.stem}.json").write_text(content)
    return outcomes.matched_at(drop)


def names(outcomes):
    return sorted(path.name for path in outcomes.folder.iterdir())


def test_match_is_known_until_its_file_changes(outcomes, drops):
    drop = drops()
    assert not outcomes.known(drop)
    match(outcomes, drop)
    assert names(outcomes) == ["kick.wav.antithesis"]
    assert outcomes.known(drop)
    os.utime(drop.path, ns=(1, 1))
    assert not outcomes.known(Drop.at(drop.path))


def test_refusal_is_known_and_says_why(outcomes, drops):
    drop = drops()
    place = outcomes.refused(drop, "cut off; export it again")
    assert names(outcomes) == ["kick.wav.refused.txt"]
    assert "cut off; export it again" in place.read_text()
    assert outcomes.known(drop)
    assert not outcomes.known(drops(content=b"another sound"))


def test_outcomes_are_known_after_a_restart(outcomes, drops):
    matched, refused = drops("a.wav"), drops("b.wav")
    match(outcomes, matched)
    outcomes.refused(refused, "silent")
    again = Outcomes(outcomes.folder).make_ready()
    assert again.known(matched)
    assert again.known(refused)
    assert not again.known(drops("c.wav"))


def test_a_file_has_one_outcome_at_a_time(outcomes, drops):
    drop = drops()
    outcomes.refused(drop, "cut off")
    match(outcomes, drop, "first")
    assert names(outcomes) == ["kick.wav.antithesis"]
    match(outcomes, drop, "second")
    assert (outcomes.matched_at(drop) / "preset.txt").read_text() == "second"
    outcomes.refused(drop, "cut off again")
    assert names(outcomes) == ["kick.wav.refused.txt"]


def test_same_name_of_another_kind_has_an_outcome_of_its_own(outcomes, drops):
    places = {match(outcomes, drops(name)) for name in ("kick.wav", "kick.aiff")}
    assert len(places) == 2
    assert all(place.is_dir() for place in places)


def test_nothing_is_seen_of_a_match_that_was_not_finished(outcomes, drops):
    def fill(folder):
        (folder / "preset.txt").write_text("half")
        assert all(name.startswith(".") for name in names(outcomes))
        raise OSError("disk full")

    with pytest.raises(OSError, match="full"), outcomes.matched(drops()) as folder:
        fill(folder)
    assert names(outcomes) == []


def test_earlier_match_stays_when_the_new_one_fails(outcomes, drops):
    drop = drops()
    match(outcomes, drop, "first")
    with pytest.raises(OSError, match="full"), outcomes.matched(drop):
        raise OSError("disk full")
    assert (outcomes.matched_at(drop) / "preset.txt").read_text() == "first"


def test_what_a_killed_one_left_is_cleared_away(outcomes, drops):
    aside = outcomes.matched(drops())
    with aside as folder:
        left = outcomes.folder / folder.name.replace(folder.name[1:5], "dead")
        left.mkdir()
        (left / "preset.txt").write_text("half")
        Outcomes(outcomes.folder).make_ready()
        assert not left.exists()
        folder.mkdir()


@pytest.mark.parametrize(
    "name", ["x" * 240 + ".wav", "日" * 80 + ".wav", "new\nline.wav", "k\udce9ck.wav", "\u2028.wav"]
)
def test_any_name_a_file_can_have_can_have_an_outcome(outcomes, drops, name):
    try:
        drop = drops(name)
    except OSError:
        pytest.skip("this system has no such file names")
    outcomes.refused(drop, f"{drop.path}: silent")
    assert outcomes.known(drop)
    assert len(names(outcomes)) == 1


def test_long_names_that_begin_alike_keep_apart(outcomes, drops):
    places = {outcomes.refused(drops("x" * 240 + f"{n}.wav"), "silent") for n in range(2)}
    assert len(places) == 2


def test_strange_things_in_the_folder_are_no_outcomes(outcomes, drops):
    drop = drops()
    outcomes.matched_at(drop).mkdir()
    assert not outcomes.known(drop)
    (outcomes.matched_at(drop) / "kick.json").write_text("[1, 2]")
    outcomes.refused_at(drop).write_bytes(b"\xff\xfe{")
    assert not outcomes.known(drop)


def test_folder_that_cannot_be_written_to_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"set watch\.output"):
        Outcomes(tmp_path / "file" / "results").make_ready()
