"""The front end against Kapre, and the exported network against Keras."""

from __future__ import annotations

import numpy as np
import pytest

from antithesis import spectra
from antithesis.encoding import HEADS, WIDTH, probabilities
from antithesis.network import key_input, load_network
from antithesis.spectra import FrontEnd
from antithesis.synth.live import note_frequency
from antithesis.training.stream import Recipe, sounds

pytest.importorskip("kapre", reason="kapre comes with the extra antithesis[train]")

from antithesis.training import export, front_end, network

KEYS = np.array([36, 45, 57, 60, 76, 96])


@pytest.fixture(scope="module")
def audio():
    heard = sounds(Recipe(), np.random.default_rng(5))
    return spectra.normalize(heard.audio[: len(KEYS)], FrontEnd().n_samples)


def both_views(ears: FrontEnd, audio: np.ndarray):
    hz = [note_frequency(float(key)) for key in KEYS]
    twin = spectra.views(ears, audio, hz)
    mel, fine = front_end.build(ears).predict_on_batch([audio, ears.band_edges(hz)])
    return twin, np.asarray(mel), np.asarray(fine)


@pytest.mark.parametrize(
    "ears",
    [
        FrontEnd(),
        FrontEnd(mel_window=2048, mel_hop=700, n_mels=96, fine_window=8192, fine_hop=4096),
    ],
    ids=["default", "other sizes"],
)
def test_numpy_views_equal_kapre(ears, audio):
    twin, mel, fine = both_views(ears, audio)
    assert mel.shape == (len(KEYS), ears.mel_frames, ears.n_mels)
    assert fine.shape == (len(KEYS), ears.fine_frames, ears.fine_bands)
    assert np.abs(twin.mel - mel).max() < 1e-4
    assert np.abs(twin.fine - fine).max() < 1e-4
    assert twin.mel.std() > 0.1
    assert twin.fine.std() > 0.1


def test_exported_network_equals_the_whole_keras_model(tmp_path, audio):
    ears = FrontEnd()
    model = network.build(ears)
    export.export(model, export.card(ears, {}), tmp_path / "fresh.onnx")
    at_run_time = load_network(tmp_path / "fresh.onnx").predict(audio, KEYS)
    hz = [note_frequency(float(key)) for key in KEYS]
    whole = front_end.join(ears, network.hearing(model))
    logits, told = whole.predict_on_batch([audio, ears.band_edges(hz), key_input(KEYS)])
    logits = np.asarray(logits).reshape(len(KEYS), len(HEADS), WIDTH)
    # The weights are rounded to float16 on their way.
    assert np.abs(at_run_time.distributions - probabilities(logits)).max() < 1e-3
    assert at_run_time.told.ravel() == pytest.approx(np.asarray(told).ravel(), abs=0.01)
    assert (tmp_path / "fresh.onnx").stat().st_size < 2.2 * model.count_params()


def test_one_sound_is_asked_about_on_many_keys_as_on_each(audio):
    shipped = load_network()
    at_once = shipped.predict(audio[:1], KEYS)
    for row, key in enumerate(KEYS):
        alone = shipped.predict(audio[:1], [key])
        assert at_once.logits[row] == pytest.approx(alone.logits[0], abs=1e-3)
        assert at_once.told[row] == pytest.approx(alone.told[0], abs=1e-3)


def test_the_shipped_weights_hear_alike_on_both_paths(audio):
    shipped = load_network()
    hz = [note_frequency(float(key)) for key in KEYS]
    mel, fine = front_end.build(shipped.front_end).predict_on_batch(
        [audio, shipped.front_end.band_edges(hz)]
    )
    feed = {"mel": np.asarray(mel), "fine": np.asarray(fine), "key": key_input(KEYS)}
    logits = shipped.session.run(None, feed)[0].reshape(len(KEYS), len(HEADS), WIDTH)
    own = shipped.predict(audio, KEYS).distributions
    assert np.abs(own - probabilities(logits)).max() < 1e-4
