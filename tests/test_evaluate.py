"""The evaluation says what it claims to say: floors, rules, intervals, and the whole script."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from antithesis import distances, sampling
from antithesis.parameters import BY_ID
from antithesis.preset import Preset
from evaluation import (
    elsewhere,
    families,
    features,
    knobs,
    learned,
    lessons,
    others,
    picture,
    results,
    rivals,
    scoring,
    statistics,
    systems,
    tables,
    tuning,
    vital,
)
from evaluation.results import Results, row
from evaluation.scoring import Answer
from evaluation.targets import SETS, Target, choose, read_targets, rendered

SCRIPT = Path(__file__).parents[1] / "scripts" / "evaluate.py"
LEARNS = importlib.util.find_spec("kapre") is not None
TRAIN = "librosa, Keras and Kapre come with the extra antithesis[train]"


def truth(target: Target) -> Answer:
    return Answer(target.preset, target.note, target.velocity, target.gate_s)


def played(preset: Preset, note: int = 60, velocity: int = 100, gate_s: float = 1.0):
    return preset, note, velocity, gate_s


def init(**plain: float) -> Preset:
    return Preset.init().replace(**plain)


# Targets


def test_development_targets_are_560_in_four_sets_and_two_equal_parts() -> None:
    sizes = {name: len(choose([name], "all")) for name in SETS}
    assert sizes == {"musical": 200, "uniform": 200, "nine": 100, "split": 60}
    for name in SETS:
        held_out, tuning_part = choose([name], "held-out"), choose([name], "tuning")
        assert len(held_out) == len(tuning_part) == sizes[name] / 2
        assert all(target.id % 2 for target in held_out)


def test_a_limit_counts_per_set() -> None:
    chosen = choose(SETS, "held-out", 3)
    assert [target.set for target in chosen] == [name for name in SETS for _ in range(3)]


@pytest.mark.parametrize("name", families.FAMILIES)
def test_a_stress_set_holds_what_it_says_and_nothing_else(name: str) -> None:
    chosen = families.family(name)
    assert len(chosen) == (42 if name == families.FACTORY else 20)
    assert all(target.part == "held-out" and families.find(name, target.id) is target
               for target in chosen)  # fmt: skip
    assert all(scoring.level_db(sound) > scoring.QUIETEST_DB for sound in rendered(chosen))
    if name != families.FACTORY:
        assert BELONGS[name]([target.preset.by_id() for target in chosen], chosen)


def _s(preset: dict[str, float], id: str) -> float:
    """Seconds of an envelope's knob."""
    return 1 / (BY_ID[id].min + BY_ID[id].max - preset[id])


BELONGS = {
    "FM": lambda presets, _: all(p["kFmMode"] for p in presets),
    "cutoff envelope": lambda presets, _: all(
        p["kFilterEnabled"] and abs(p["kModEnvCutoff"]) > 1000 for p in presets
    ),
    "vibrato": lambda presets, _: all(abs(p["kLfoAmount"]) >= 0.005 for p in presets),
    "octaves apart": lambda presets, _: all(
        0 < p["kOscMix"] < 1 and abs(p["kOsc1Coarse"] - p["kOsc2Coarse"]) in (12, 24, 36, 48)
        for p in presets
    ),
    "plucks": lambda presets, _: all(
        _s(p, "kVolEnvD") < 0.25 and p["kVolEnvS"] == 0 for p in presets
    ),
    "pads": lambda presets, chosen: all(
        _s(p, "kVolEnvA") >= 0.15 and target.gate_s >= 1
        for p, target in zip(presets, chosen, strict=True)
    ),
}


def test_factory_presets_stand_in_their_set_as_they_are() -> None:
    wanted = {Preset.from_plain(plain).replace(kVoiceMode=0, kMasterVolume=0.25).values
              for plain in sampling.factory_presets()}  # fmt: skip
    assert {target.preset.values for target in families.family(families.FACTORY)} <= wanted


# Scoring


@pytest.mark.parametrize("name", families.ORDER)
def test_the_true_preset_scores_the_floor_that_stands_with_it(name: str) -> None:
    two = [*choose([name], "held-out", 2), *families.choose([name], 2)]
    for target, sound in zip(two, rendered(two), strict=True):
        judge = distances.Target(sound)
        scored = scoring.score(scoring.sounds(truth(target)), judge, ("mss_db",))
        assert scored["mss_db"] == pytest.approx(target.floor_db, abs=6e-4)  # three decimals


def test_a_sound_is_at_no_distance_from_itself() -> None:
    sound = rendered(choose(["musical"], "held-out", 1))
    scored = scoring.score(sound, distances.Target(sound[0]), scoring.QUICK_METRICS)
    best = {"mss_db": 0, "sot": 0, "log_mel_l1_db": 0, "rms_cos": 1}
    assert scored == pytest.approx(best, abs=1e-9)


def test_a_score_is_the_mean_over_three_vibrato_phases() -> None:
    vibrato = Answer(init(kLfoAmount=-0.05), 60, 100, 1.0)
    sounds = scoring.sounds(vibrato)
    judge = distances.Target(sounds[0])
    each = [judge.compare(distances.mss, sound)[0] for sound in sounds]
    assert each[0] == 0
    assert min(each[1:]) > 1
    scored = scoring.score(sounds, judge, ("mss_db",))
    assert scored["mss_db"] == pytest.approx(np.mean(each))


@pytest.mark.parametrize(
    ("floor", "limit"), [(0.1, 0.4), (1.2, 1.5), (2.0, 2.5)], ids=["low", "even", "high"]
)
def test_matched_is_a_quarter_or_three_tenths_of_a_decibel_above_the_floor(
    floor: float, limit: float
) -> None:
    assert scoring.matched(limit - 1e-9, floor)
    assert not scoring.matched(limit + 1e-6, floor)


def test_a_baseline_is_brought_to_the_target_s_level_as_far_as_the_knob_goes() -> None:
    sound = np.full(10, 0.1)
    assert scoring.levelled(init(), sound, 0.5 * sound)["kMasterVolume"] == pytest.approx(0.125)
    assert scoring.levelled(init(), sound, 100 * sound)["kMasterVolume"] == 0.5


# Statistics


def test_an_interval_holds_its_median_and_narrows_with_targets() -> None:
    values = np.random.default_rng(1).exponential(2.0, 400)
    few, many = statistics.interval(values[:25]), statistics.interval(values)
    for found in (few, many):
        assert found.low <= found.value <= found.high
    assert many.value == np.median(values)
    assert many.high - many.low < few.high - few.low


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    found = [statistics.interval(rng.normal(3.0, 1.0, 40), np.mean) for _ in range(100)]
    assert 85 <= sum(one.low <= 3.0 <= one.high for one in found) <= 100


def test_failures_without_a_number_are_worse_than_all_others() -> None:
    assert statistics.interval([1.0, 2.0, np.inf]).value == 2.0
    assert statistics.interval([1.0, np.inf, np.inf]).value == np.inf


def test_a_lead_is_paired() -> None:
    hardness = np.linspace(0, 20, 30)
    ahead = statistics.lead(hardness, hardness + 0.5)
    assert ahead.won == 1
    assert [ahead.by.value, ahead.by.low, ahead.by.high] == pytest.approx([0.5] * 3)


# Knobs


EQUIVALENT = {
    "fine carried into coarse": (
        played(init(kOsc1Coarse=2.0, kOsc1Fine=-0.9)),
        played(init(kOsc1Coarse=1.0, kOsc1Fine=0.1)),
    ),
    "key and coarse": (
        played(init(kOsc1Coarse=12.0), note=48),
        played(init(), note=60),
    ),
    "oscillator 2 alone": (
        played(init(kOscMix=0.0, kOsc2Wave=3.0, kOsc1Wave=1.0)),
        played(init(kOscMix=1.0, kOsc2Wave=4.0, kOsc1Wave=3.0)),
    ),
    "what is not heard": (
        played(init(kFilterCutoff=300.0, kModEnvA=700.0, kFmCoarse=20.0)),
        played(init()),
    ),
    "key tracking and cutoff": (
        played(init(kFilterEnabled=1.0, kFilterCutoff=1000.0, kFilterKeyTrack=1.0), note=69),
        played(init(kFilterEnabled=1.0, kFilterCutoff=1440.0, kFilterKeyTrack=0.0), note=69),
    ),
    "velocity and its sensitivity": (
        played(init(kVolEnvV=0.0), velocity=30),
        played(init(kVolEnvV=0.0), velocity=120),
    ),
}


@pytest.mark.parametrize("case", EQUIVALENT)
def test_presets_that_sound_alike_cost_nothing(case: str) -> None:
    first, second = EQUIVALENT[case]
    compared = knobs.compare([first, second], [second, first])
    assert knobs.mean_error(compared).value == pytest.approx(0, abs=1e-9)
    assert knobs.choices(compared) == 1
    assert all(knob.right in (None, 1) for knob in knobs.each_knob(compared))


def test_oscillators_on_one_pitch_may_come_in_either_order() -> None:
    both = {"kOscMix": 0.5, "kOsc1Wave": 2.0, "kOsc2Wave": 4.0}
    higher, lower = (init(**both, kOsc2Fine=fine) for fine in (0.01, -0.01))
    compared = knobs.compare([played(higher)], [played(lower)])
    assert knobs.choices(compared) == 1
    assert compared.error("kOsc1Fine").max() < 0.02


def test_choices_are_averaged_over_parameters_or_over_their_values_too() -> None:
    saws, square = [played(init())] * 3, played(init(kOsc1Wave=3.0))
    compared = knobs.compare([*saws, square], [*saws, played(init())])
    assert knobs.right(compared, "kOsc1Wave") == 0.75
    assert knobs.accuracy(compared, "kOsc1Wave") == 0.5
    assert knobs.choices(compared, knobs.right) == pytest.approx((0.75 + 1 + 1) / 3)


def test_what_is_on_and_not_heard_is_off() -> None:
    def heard(**settings: float) -> Preset:
        return scoring.without_unheard(Answer(init(**settings), 48, 100, 0.5))

    open_filter, shallow = {"kFilterEnabled": 1.0, "kFilterCutoff": 8000.0}, {"kFmMode": 1.0}
    assert heard(**open_filter) == init(kFilterCutoff=8000.0)
    assert heard(**shallow, kFmFine=1e-4) == init(kFmFine=1e-4)
    closed = open_filter | {"kFilterCutoff": 500.0}
    assert heard(**closed) == init(**closed)
    assert heard(**shallow, kFmCoarse=12.0) == init(**shallow, kFmCoarse=12.0)


def test_only_what_is_heard_in_the_truth_counts() -> None:
    compared = knobs.compare([played(init())], [played(init(kFilterEnabled=1.0))])
    assert compared.count("kFilterCutoff") == compared.count("kOsc2Wave") == 0
    assert compared.count("kFilterEnabled") == compared.count("kOsc1Wave") == 1
    assert knobs.accuracy(compared, "kFilterEnabled") == 0


def test_a_rare_choice_counts_as_much_as_a_frequent_one() -> None:
    truths = [played(init(kOsc1Wave=float(wave))) for wave in (2, 2, 2, 2, 0)]
    always_saw = [played(init(kOsc1Wave=2.0))] * 5
    assert knobs.accuracy(knobs.compare(truths, always_saw), "kOsc1Wave") == 0.5


def test_split_is_judged_by_its_size() -> None:
    truths = [played(init(kOsc1Split=0.010))] * 3
    answers = [played(init(kOsc1Split=value)) for value in (-0.0101, 0.0124, 0.0126)]
    assert knobs.split(knobs.compare(truths, answers)).value == pytest.approx(2 / 3)


def test_a_time_is_near_within_a_tenth_or_5_ms() -> None:
    def attack(seconds: float) -> Preset:
        return init(kVolEnvA=1000.5 - 1 / seconds)

    truths = [played(attack(s)) for s in (0.010, 0.010, 0.100, 0.100)]
    answers = [played(attack(s)) for s in (0.0149, 0.0151, 0.109, 0.111)]
    compared = knobs.compare(truths, answers)
    assert knobs.time(compared, "kVolEnvA").value == 0.5
    assert knobs.time_error_ms(compared, "kVolEnvA").value == pytest.approx(7, abs=0.1)


def test_every_parameter_has_a_line() -> None:
    knobs_found = list(knobs.each_knob(knobs.compare([played(init())], [played(init())])))
    assert len(knobs_found) == 38
    assert all(knob.error == 0 for knob in knobs_found if knob.count)


# Pitch


def test_failures_stay_among_the_pitch_errors() -> None:
    errors = [tuning.cents(hz, 440.0) for hz in (440.0, 441.0, 880.0, 660.0, None)]
    found = tuning.tuning(errors)
    assert found.count == 5
    assert found.in_tune.value == pytest.approx(0.4)
    assert found.octaves == pytest.approx(0.2)
    assert found.failed == pytest.approx(0.2)


def test_a_pitch_that_another_phase_does_not_bring_back_is_none() -> None:
    t = np.arange(44100) / 44100
    low, high, noise = (
        *(np.sin(2 * np.pi * hz * t) for hz in (220.0, 221.0)),
        np.random.default_rng(0).normal(0, 0.1, len(t)),
    )
    assert tuning.steady(low, low) == pytest.approx(220, abs=0.1)
    assert tuning.steady(low, high) is None  # 8 cents
    assert tuning.steady(noise, noise) is None


def test_what_repeats_too_slowly_for_a_melody_has_no_pitch() -> None:
    t = np.arange(88200) / 44100
    rattle, bass = (
        sum(np.sin(2 * np.pi * k * hz * t) / k for k in range(1, 25)) for hz in (20, 41)
    )
    assert tuning.by_ear(rattle) == pytest.approx(20, rel=0.003)
    assert tuning.steady(rattle, rattle) is None
    assert tuning.steady(bass, bass) == pytest.approx(41, rel=0.003)


def test_the_tracker_hears_the_targets_where_their_presets_say() -> None:
    easy = choose(["split"], "held-out", 4)
    for target, sound in zip(easy, rendered(easy), strict=True):
        expected = tuning.by_preset(target.preset, target.note)
        assert abs(tuning.cents(tuning.by_ear(sound), expected)) < 50


# Baselines and tables


@pytest.fixture
def case() -> systems.Case:
    target = choose(["musical"], "held-out", 1)[0]
    return systems.Case(target, rendered([target])[0], seed=1)


def test_baselines_keep_to_what_they_are_told(case: systems.Case) -> None:
    target = case.target
    (name, near), (_, again) = (next(iter(systems.nearest(case, [20]))) for _ in range(2))
    assert near == again
    assert (name, near.renders) == ("nearest of 20", 20)
    assert (near.note, near.velocity, near.gate_s) == (target.note, target.velocity, target.gate_s)
    assert systems.init_preset(case).preset.replace(kMasterVolume=0.25) == Preset.init()
    assert systems.mean_preset(case).preset["kOscMix"] == pytest.approx(0.6, abs=0.2)


def test_a_library_is_the_beginning_of_a_larger_one(case: systems.Case) -> None:
    together = dict(systems.nearest(case, [15, 60]))
    assert list(together) == ["nearest of 15", "nearest of 60"]
    assert dict(systems.nearest(case, [15])) == {"nearest of 15": together["nearest of 15"]}
    few, many = (
        distances.Target(case.sound).compare(distances.mss, scoring.sounds(answer)).mean()
        for answer in together.values()
    )
    assert many < few  # true of this target, and of none if the nearest were not what is told


def test_a_rival_searches_with_the_renders_it_is_allowed(
    case: systems.Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered_counts: list[int] = []
    distances_of = systems.Stage.distances

    def counted(stage: systems.Stage, normalized: np.ndarray, warmups_s: np.ndarray) -> np.ndarray:
        rendered_counts.append(len(normalized))
        return distances_of(stage, normalized, warmups_s)

    monkeypatch.setattr(systems.Stage, "distances", counted)
    spent = {}
    for name, answer in rivals.rivals(case, {"1 s": 50}, times=(1, 3)):
        spent[name] = (answer.renders, sum(rendered_counts))
        rendered_counts.clear()
    names = ["random search, renders of 1 s", "CMA-ES, renders of 1 s"]
    assert list(spent) == [*names, "CMA-ES, 3 times the renders of 1 s"]
    assert [told for told, _ in spent.values()] == [50, 50, 150]
    assert all(told - 20 < took <= told for told, took in spent.values())
    assert [name for name, _ in rivals.fixed(case, [1100])] == ["CMA-ES, 1,100 renders"]


def test_what_learned_rivals_hear_is_free_of_level_and_repeats() -> None:
    pytest.importorskip("librosa", reason=TRAIN)
    sounds, statistics_, how, labels = lessons.chunk(3)
    assert len(sounds) == len(statistics_) == len(how) == len(labels) == 50
    assert features.statistics(features.heard(7 * sounds[:1])[0]) == pytest.approx(
        statistics_[0], abs=1e-3, rel=1e-3
    )
    again = lessons.chunk(3)
    assert np.array_equal(again[1], statistics_)
    assert not np.array_equal(lessons.chunk(4)[3], labels)


def test_statistics_know_bright_sounds_from_dark_ones() -> None:
    pytest.importorskip("librosa", reason=TRAIN)
    t = np.arange(features.N_SAMPLES) / 44100
    dark = np.sin(2 * np.pi * 220 * t)
    bright = sum(np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, 60))
    heard = features.heard(np.stack([dark, bright]))
    low, high = (features.statistics(sound)[20] for sound in heard)  # the mean of the centroid
    assert low == pytest.approx(220, rel=0.2)
    assert high > 5 * low
    assert features.statistics(heard[0]).shape == (130,)


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> learned.Learned:
    """Trained once, by whichever test comes first."""
    return learned.Learned(tmp_path_factory.mktemp("evaluate") / "school", sounds=100)


def test_rivals_learn_once_and_guess_from_the_sound(
    case: systems.Case, school: learned.Learned
) -> None:
    pytest.importorskip("kapre", reason=TRAIN)
    school.prepare(jobs=1)
    kept = {path: path.stat().st_mtime_ns for path in school.folder.iterdir()}
    assert {path.name for path in kept} == {"sounds-100.npz", "mlp-100.keras", "study-100.keras"}
    school.prepare(jobs=1)
    assert kept == {path: path.stat().st_mtime_ns for path in school.folder.iterdir()}
    other = systems.Case(case.target, case.sound[::-1].copy(), seed=1)
    first, second = (dict(school.answers(one)) for one in (case, other))
    assert list(first) == [learned.MLP, learned.STUDY]
    assert set(first) < set(dict(others.answers(others.Rivals(learned=school), case, {})))
    for name, answer in first.items():
        target = case.target
        told = (target.note, target.velocity, target.gate_s)
        assert (answer.note, answer.velocity, answer.gate_s) == told
        assert answer.preset != second[name].preset
        level = scoring.level_db(scoring.sounds(answer, 0.0)[0])
        assert level == pytest.approx(scoring.level_db(case.sound), abs=0.01)


def test_a_lead_is_told_of_the_targets_that_both_answered() -> None:
    two, one = ({1: 1.0, 3: 5.0}, {3: 6.0})
    kept = Results(
        tuple(
            row(target, system, truth(target), level_error_db=0.0, target_hz=None, answer_hz=None,
                distances={"mss_db": answered[target.id]}, told=target.preset.values)
            for system, answered in (("2 s", two), ("rival", one))
            for target in choose(["nine"]) if target.id in answered
        ),
        {},
    )  # fmt: skip
    assert "| nine (1) | 2 s | rival | +1.00 [+1.00, +1.00] | 100 % |" in tables.leads(kept)


def test_runs_of_other_sets_and_systems_are_put_together(tmp_path: Path) -> None:
    measured = {"mss_db": 1.0, "sot": 0.0, "rms_cos": 1.0, "log_mel_l1_db": 0.0}
    files = []
    for set, system in (("nine", "2 s"), ("split", "10 s")):
        (target,) = choose([set], limit=1)
        rows = tuple(
            row(target, name, truth(target), level_error_db=0.0, target_hz=440.0, answer_hz=440.0,
                distances=measured, told=target.preset.values)
            for name in ("true preset", system, "Init")
        )  # fmt: skip
        files.append(tmp_path / f"{set}.json")
        results.write(Results(rows, {}), files[-1], {})
    whole = results.read(files)
    assert tables.figures(whole)["split"].keys() == {"true preset", "10 s", "Init"}
    assert "| split (1) | 10 s | 1.00" in tables.report(whole, per_parameter=True)
    picture.draw(whole, tmp_path / "both.png")
    assert (tmp_path / "both.png").stat().st_size > 0


def test_what_is_right_is_drawn_against_seconds(tmp_path: Path) -> None:
    near = {"mss_db": 0.0}
    rows = [
        row(target, system, truth(target), level_error_db=0.0, target_hz=440.0, answer_hz=440.0,
            distances=near, told=target.preset.values)
        for name in ("musical", "uniform", "nine")
        for target in choose([name], limit=3) for system in ("0.15 s", "2 s")
    ]  # fmt: skip
    picture.draw_shares(Results(tuple(rows), {}), tmp_path / "shares.png")
    assert (tmp_path / "shares.png").read_bytes().startswith(b"\x89PNG")
    some = tuple(one for one in rows if one.set != "nine")
    with pytest.raises(ValueError, match="musical, uniform and nine"):
        picture.draw_shares(Results(some, {}), tmp_path / "none.png")


def test_tables_of_perfect_answers_say_so() -> None:
    chosen = [target for target in read_targets() if target.id in (1, 3)]
    perfect = {"mss_db": 0.0, "sot": 0.0, "rms_cos": 1.0, "log_mel_l1_db": 0.0}
    rows = [
        row(target, system, truth(target), level_error_db=0.0, target_hz=440.0, answer_hz=440.0,
            distances=perfect, told=scoring.without_unheard(truth(target)).values)
        for target in chosen for system in ("network", "Init")
    ]  # fmt: skip
    kept = Results(tuple(rows), {})
    text = tables.report(kept, per_parameter=True)
    assert "| nine (2) | network | 0.00 [0.00, 0.00] | 100 [100, 100] |" in text
    assert "| kModEnvCutoff | " in text
    for found in tables.figures(kept).values():
        assert found["network"]["mean_error"] == 0
        assert found["network"]["in_tune_by_preset"] in (1, pytest.approx(np.nan, nan_ok=True))


def test_quick_runs_from_end_to_end(tmp_path: Path, school: learned.Learned) -> None:
    kept, picture = tmp_path / "quick.json", tmp_path / "quick.png"
    command = [sys.executable, str(SCRIPT), "--quick", "--limit", "1", "--set", "nine", "plucks"]
    command += ["--budget", "0.2", "--steps", "127", "--library", "10", "20", "--renders", "30"]
    command += ["--learned", str(school.folder), "--sounds", "100"] if LEARNS else []
    command += ["--jobs", "2", "--json", str(kept), "--picture", str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    whole = json.loads(kept.read_text())
    assert set(whole) == {"options", "tables", "rows"}
    answered = ["true preset", "network", "0.2 s", "0.2 s, rounded", "0.2 s, on the grid"]
    answered += ["mean preset", "mean preset of the set", "Init", "nearest of 10", "nearest of 20"]
    answered += [*learned.RIVALS] if LEARNS else []
    answered += ["CMA-ES, 30 renders"]
    assert list(whole["tables"]["nine"]) == list(whole["tables"]["plucks"]) == answered
    assert len(whole["rows"]) == 2 * len(answered)
    assert "| nine (1) | network |" in done.stdout
    assert picture.read_bytes().startswith(b"\x89PNG")
    remade = tables.report(results.read([kept]), per_parameter=False)
    assert remade == done.stdout.strip()


def test_sounds_from_elsewhere_are_matched_and_compared() -> None:
    command = [sys.executable, str(SCRIPT), "--elsewhere", "--limit", "1", "--budget", "0.2"]
    command += ["--library", "10", "--rivals", "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    for family in ("General MIDI (1)", "one-shots (1)", "degraded captures (1)"):
        if family.split()[0].lower() in done.stderr.lower():
            pytest.skip(done.stderr.strip().splitlines()[0])
        assert f"| {family} | 0.2 s |" in done.stdout
    assert "| degraded captures | 0.2 s | CMA-ES, renders of 0.2 s |" in done.stdout


def test_rivals_are_told_how_a_capture_was_played_and_of_a_one_shot_what_we_found() -> None:
    ours = Answer(Preset.init(), 50, 90, 0.4)
    (captured,) = elsewhere.degraded_captures(1)
    (target,) = choose(["musical"], "held-out", 1)
    told = elsewhere.played(captured, ours)
    assert (told.note, told.velocity, told.gate_s) == (target.note, target.velocity, target.gate_s)
    shot = elsewhere.Sample("one-shots", "snare", captured.sound, None)
    told = elsewhere.played(shot, ours)
    assert (told.note, told.velocity, told.gate_s) == (50, 90, 0.4)


def test_what_is_only_printed_cannot_be_kept(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--elsewhere", "--json", str(tmp_path / "kept.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 2
    assert "they keep nothing" in done.stderr


def test_another_synth_is_played_where_it_is_installed(monkeypatch, capsys) -> None:
    assert vital.patch(1) == vital.patch(1) != vital.patch(2)
    if importlib.util.find_spec("vita"):
        first, second = elsewhere.another_synth(2)
        assert first.sound.shape == second.sound.shape == (88200,)
        assert first.sound.std() > 1e-3
        assert not np.allclose(first.sound, second.sound)
    monkeypatch.setitem(sys.modules, "vita", None)
    monkeypatch.setattr(vital, "sounds", lambda *_: vital._rendered({}, 60, 1.0, 2.0))
    assert list(elsewhere.another_synth(1)) == []
    assert "pip install vita" in capsys.readouterr().err
