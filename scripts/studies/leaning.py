"""The network that ships, shown one view of a sound and the other of another."""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from antithesis.encoding import HEADS, WIDTH, probabilities
from antithesis.network import Network, load_network
from studies.asking import Answers, ask
from studies.views import SHIPPED, Batch, Mels

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Shipped:
    """``strange`` is the view that is of the sound before, if any."""

    network: Network
    strange: str

    @property
    def name(self) -> str:
        return f"{self.strange} of another" if self.strange else "both"

    @property
    def sizes(self) -> frozenset[Mels]:
        return frozenset([SHIPPED])

    def answer(self, seen: Batch) -> Floats:
        feed = {"mel": seen.mels[SHIPPED], "fine": seen.fine, "key": seen.key}
        if self.strange:
            feed[self.strange] = np.roll(feed[self.strange], 1, axis=0)
        shown = {name: view.astype(np.float32) for name, view in feed.items()}
        logits = self.network.session.run(None, shown)[0]
        return probabilities(logits.reshape(-1, len(HEADS), WIDTH))


def study(asked: int, jobs: int) -> Answers:
    """Ask the network that ships, also with one view of another sound."""
    network = load_network()
    listeners = [_Shipped(network, strange) for strange in ("", "mel", "fine")]
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        return Answers(network.card["training"]["sounds"], dict(ask(listeners, pool, asked)))
