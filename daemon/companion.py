"""The daemon: what is dropped is heard, matched, sent, and written down.

Each settled file in turn: its sound is found in it, the first match is sent at once, and better
ones follow while nobody waits; then the best is written beside its presets, its sound and its
picture. One loop in one thread; watchdog's thread only fills the queue behind `Watch`.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias, TypeVar

from antithesis.audio import Sound, write_wav
from antithesis.errors import AntithesisError, AudioError, DeviceError, MissingSound, SendError
from antithesis.judgement import remarks
from antithesis.report import key_name, likeness, write_files
from daemon import child
from daemon.alone import alone
from daemon.capture.clips import Clip
from daemon.capture.ear import Ear
from daemon.choices import Choices
from daemon.config import Config, load, results_folder
from daemon.decoding import Decoder
from daemon.ending import ended_by_signals
from daemon.hosts import HOSTS
from daemon.journal import JOURNAL, Job, Journal, JournalError, Outcome
from daemon.limits import limits
from daemon.logs import telling
from daemon.machine import Machine, step_back
from daemon.matchers import Matcher, load_matcher, say_all
from daemon.memory import give_back
from daemon.notices import Notices
from daemon.orders import taking_orders
from daemon.outcomes import Outcomes, record
from daemon.outputs import output_devices
from daemon.pictures import Pictures
from daemon.presses import Action, Answer, Press, Presses
from daemon.routing import open_router
from daemon.senders import Delivery, Grade, Router
from daemon.settling import Drop
from daemon.urgency import tidy_up
from daemon.watch import Watch

if TYPE_CHECKING:
    from antithesis.matching import Match

WORTH_SENDING_DB: Final = 0.1
"""While refining, a match travels if it is nearer by this than the one sent last."""

RETRY_S: Final = 30.0
"""What could not be written is tried again after this long: a match alone, or else its file."""

UNWRITTEN_AT_MOST: Final = 32
"""So many results wait in memory while others wait to be heard; then the oldest is written.

Of those that could not be written, so many more are kept.
"""

DEATHS_AT_MOST: Final = 3
"""A file at which the program died this often is refused."""

LONGEST_AUDITION_S: Final = 2.0
"""A note is held no longer than this when it is played to be heard."""

ROUNDED_SHOWN: Final = 3
"""Of the knobs that a route rounds, so many are told in a line; the outcome's JSON has all."""

BUSY_POLL_S: Final = 0.25
"""While others need the machine, it is looked so often whether they still do."""

_SIGNAL_POLL_S: Final = 0.1

Value = TypeVar("Value")

_log: Final = logging.getLogger(__name__)


Reader: TypeAlias = Callable[[Path], Sound | None]
"""Finds the first sound in a file; AudioError where there is none, None where there is no time."""


@dataclass(frozen=True)
class Sent:
    """A match that travelled, and how far it came."""

    match: Match
    delivery: Delivery

    def facts(self) -> dict[str, Any]:
        """What the outcome's JSON says of it."""
        return {
            "distance": self.match.distance,
            "elapsed_s": self.match.elapsed_s,
            **asdict(self.delivery),
        }


@dataclass(frozen=True)
class Result:
    """What a dropped file came to: the first match that travelled, and the last and best one."""

    drop: Drop
    sound: Sound
    first: Sent
    last: Sent
    captured: Mapping[str, object] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """What the outcome's JSON says beside the match itself."""
        return {
            "dropped": record(self.drop),
            "first_sent": self.first.facts(),
            "last_sent": self.last.facts(),
            **({"captured": self.captured} if self.captured else {}),
        }


class _Retry(NamedTuple):
    """A result that could not be written, and when on the monotonic clock it is tried again."""

    at: float
    result: Result


def _keep_silent(_words: str) -> None:
    """Show nothing on the desktop."""


def _in_silence(_match: Match) -> None:
    """Play no note."""


def _say_nothing(_first: Sent) -> None:
    """Tell nobody of a first match."""


class Companion:
    """Attends to dropped files, one after the other, until its watch is closed."""

    def __init__(
        self,
        watch: Watch,
        journal: Journal,
        outcomes: Outcomes,
        reader: Reader,
        router: Router,
        matcher: Matcher,
        budget_s: float,
        draw: Callable[[Path], object],
        *,
        audition: bool = False,
        notify: Callable[[str], object] = _keep_silent,
        busy: Callable[[], bool] = bool,
        presses: Presses | None = None,
        ear: Ear | None = None,
    ) -> None:
        self._watch = watch
        self._journal = journal
        self._outcomes = outcomes
        self._reader = reader
        self._router = router
        self._matcher = matcher
        self._budget_s = budget_s
        self._draw = draw
        self._audition = audition
        self._notify = notify
        self._busy = busy
        self._presses = presses or Presses(watch.call)
        self._ear = ear
        self._choices = Choices()
        self._unwritten: deque[Result] = deque()
        self._retries: deque[_Retry] = deque()  # the earliest first
        self._let_go: list[Drop] = []

    def run(self) -> None:
        """Attend to what is dropped; outcomes are written while nobody waits to be heard."""
        self._end_what_is_over()
        for drop in self._watch:
            if drop and not self._done_with(drop):
                self._attend(drop)
            for press in self._presses:
                self._obey(press)
            self._use_pause()
            if not self._wanted():
                give_back()
        for press in self._presses:  # what was asked for as the end came
            self._obey(press)
        if self._unwritten:  # what was left for the end; the others are taken up at the next start
            self._write(self._unwritten.pop())

    def _use_pause(self) -> None:
        """While nobody waits: write what had to wait."""
        while self._unwritten and not self._wanted():
            self._write(self._unwritten.popleft())
        while len(self._unwritten) > UNWRITTEN_AT_MOST:
            self._write(self._unwritten.popleft())
        while self._retry_at() <= time.monotonic() and not self._wanted():
            self._write(self._retries.popleft().result, again=True)
        self._watch.wake(self._retry_at())

    def _retry_at(self) -> float:
        """When the next result that could not be written is due; infinity if there is none."""
        return self._retries[0].at if self._retries else math.inf

    def _done_with(self, drop: Drop) -> bool:
        """Whether a file, as it is, has its outcome, or its match and only the writing is left."""
        matched = chain(self._unwritten, (retry.result for retry in self._retries))
        return self._outcomes.known(drop) or any(drop == result.drop for result in matched)

    def _wanted(self) -> bool:
        """Whether something else than the sound at hand asks for attention."""
        return self._watch.closed or self._watch.waiting() or self._presses.waiting()

    def _leave(self) -> bool:
        """Whether to leave the search; while others need the machine, it waits in here."""
        if not self._wanted() and self._busy():
            _log.info("others need the machine: the search waits")
            while not self._wanted() and self._busy():
                self._watch.rest(BUSY_POLL_S)
        return self._wanted()

    @contextmanager
    def _outliving(self, drop: Drop) -> Iterator[None]:
        """A bug in one job is told in full, and ends that job only."""
        try:
            yield
        except Exception as error:  # noqa: BLE001
            _log.exception("%s: internal error", _shown(drop))
            self._refuse(drop, _reason(drop, error))

    def _end_what_is_over(self) -> None:
        """End the jobs of an earlier daemon that nobody would hand on once more."""
        for job in self._journal.unfinished():
            drop = job.drop
            if self._outcomes.has_match(drop):
                self._end(drop, Outcome.MATCHED, str(self._outcomes.matched_at(drop)))
            elif self._outcomes.has_refusal(drop):
                self._end(drop, Outcome.REFUSED, str(self._outcomes.refused_at(drop)))
            elif Drop.at(drop.path) is None:
                self._refuse(drop, "taken away before it was matched; drop it again")
            elif drop.path.parent != self._watch.folder:  # another one was watched then
                self._attend(drop)

    def _attend(self, drop: Drop) -> None:
        # Of a file that has changed, what waits to be written is of the one before.
        self._unwritten = deque(kept for kept in self._unwritten if kept.drop.path != drop.path)
        self._retries = deque(kept for kept in self._retries if kept.result.drop.path != drop.path)
        with self._outliving(drop):
            try:
                _check_deaths(self._journal.begin(drop))
                if (sound := self._reader(drop.path)) is None:
                    self._watch.again(drop, 0.0)
                    return
                result = self._match(drop, sound)
            except (JournalError, DeviceError) as error:
                self._postpone(drop, error)
            except MissingSound as error:
                self._miss(drop, _reason(drop, error))
            except AntithesisError as error:
                self._refuse(drop, _reason(drop, error))
            else:
                self._unwritten.extend([result] if result else [])

    def _match(
        self,
        drop: Drop,
        sound: Sound,
        *,
        early: bool = False,
        fresh: bool = True,
        once_sent: Callable[[Sent], None] = _say_nothing,
    ) -> Result | None:
        """Search for as long as nobody waits; None if it was left before its first match.

        `once_sent` is called with the first match, when it has travelled; `fresh` says that no
        match of the same sound has done so before. `early` is the first match alone, unheard, of
        a sound that is still on: what is played now would be recorded with it.
        """
        # Of a sound that is still being heard there is a better match to come.
        unsettled = (Grade.FAILED,) if early else (Grade.FAILED, Grade.WAITING)
        budget_s = 0.0 if early else self._budget_s
        play = _in_silence if early else self._play
        sent: list[Sent] = []
        locked = self._router.locked()
        search = self._matcher(sound, budget_s=budget_s, locked=locked, stop=self._leave)
        self._choices = Choices(drop.path.stem, search.candidates)
        with closing(search):
            for best in search:
                if not sent:
                    sent.append(self._send(drop, best, fresh=fresh, last=False))
                    once_sent(sent[0])
                    play(best)
                elif best.distance <= sent[-1].match.distance - WORTH_SENDING_DB:
                    sent.append(self._send(drop, best, last=False))
                self._use_pause()
                if self._wanted():
                    break
        if not sent:
            return None
        if sent[-1].match is not best or sent[-1].delivery.grade in unsettled:
            sent.append(self._send(drop, best))
            play(best)
        return Result(drop, sound, first=sent[0], last=sent[-1])

    def _obey(self, press: Press) -> None:
        """Do what a press asks for; whatever was searched for has been left for it."""
        try:
            if press.action in (Action.CAPTURE, Action.HOLD):
                self._capture(press)
            else:
                press.answer(self._done(press.action))
        except AntithesisError as error:
            _log.warning("%s: %s", press.action, _one_line(str(error)))
            press.answer(Answer(False, str(error)))
        except Exception as error:  # noqa: BLE001
            _log.exception("%s: internal error", press.action)
            press.answer(Answer(False, _why(error)))

    def _done(self, action: Action) -> Answer:
        if action is Action.UNDO:
            return _answered("undone", self._router.undo())
        if action is Action.ARM:
            armed = self._hearing().arm()
            return Answer(True, "each sound is captured by itself" if armed else "not armed")
        if action is Action.STOP:
            return Answer(True, "stopped refining")
        if action is Action.LEARN:
            return Answer(True, self._hearing().learn(load().hotkeys))
        match = self._choices.step(1 if action is Action.NEXT else -1)
        delivery = self._router.apply(match.preset.named(self._choices.name), fresh=False)
        self._play(match)
        return _answered(f"{self._choices}: {_said(match)}", delivery)

    def _hearing(self) -> Ear:
        if self._ear is None:
            raise DeviceError("this daemon has no ears: it was started without them")
        return self._ear

    def _capture(self, press: Press) -> None:
        """Match what was just heard, out of memory."""
        clip = self._hearing().cut(press)
        if clip is None:
            press.answer(Answer(True, "recording until the release"))
            return
        drop = Drop(self._watch.folder / clip.file_name, 0, 0)
        tell = partial(_tell, press, clip)
        if clip.enough:
            _, result = self._match_clip(clip, drop, once_sent=tell)
        else:  # there is more of it to come: until then, what there is
            drop, _ = self._match_clip(clip, drop, early=True, once_sent=tell)
            self._rest(clip.missing_s)
            clip = self._hearing().whole(clip)
            _, result = self._match_clip(clip, drop, fresh=False)
        if result:
            self._unwritten.append(replace(result, captured=clip.facts()))

    def _match_clip(
        self,
        clip: Clip,
        drop: Drop,
        *,
        early: bool = False,
        fresh: bool = True,
        once_sent: Callable[[Sent], None] = _say_nothing,
    ) -> tuple[Drop, Result | None]:
        """Match a clip; it is saved once its first match has travelled, or will not.

        `drop` is it so far; comes back as it is on the disk.
        """
        sound = clip.sound(str(drop.path))

        def save() -> None:
            nonlocal drop
            drop = self._keep(clip, drop)
            if fresh:
                _log.info("%s: captured: %s", _shown(drop), clip)

        def sent(first: Sent) -> None:
            once_sent(first)
            saving.close()

        try:
            with ExitStack() as saving:
                saving.callback(save)
                result = self._match(drop, sound, early=early, fresh=fresh, once_sent=sent)
        except Exception as error:
            self._refuse(drop, _reason(drop, error))
            raise
        return drop, replace(result, drop=drop) if result else None

    def _rest(self, seconds: float) -> None:
        """Wait, unless something else is asked for."""
        end = time.monotonic() + seconds
        while not self._wanted() and (left := end - time.monotonic()) > 0:
            self._watch.rest(left)

    def _keep(self, clip: Clip, drop: Drop) -> Drop:
        """Save a clip among the dropped sounds, as one that was taken up; `drop` is it so far."""
        try:
            write_wav(drop.path, clip.frames, clip.sample_rate)
            kept = Drop.at(drop.path) or drop
            self._watch.claim(kept)
            self._journal.begin(kept, instead_of=drop)
        except AntithesisError as error:
            _log.warning("%s", error)
            return Drop.at(drop.path) or drop
        return kept

    def _send(self, drop: Drop, match: Match, *, fresh: bool = False, last: bool = True) -> Sent:
        preset = match.preset.named(drop.path.stem)
        delivery = self._router.apply(preset, fresh=fresh, last=last)
        sent = Sent(match, delivery)
        _log.info("%s: %s; %s", _shown(drop), _said(match), _outcome(delivery))
        if fresh:
            self._show(drop, sent)
        return sent

    def _play(self, match: Match) -> None:
        if not self._audition:
            return
        gate_s = min(match.gate_s, LONGEST_AUDITION_S)
        if self._ear is not None:
            self._ear.expect_ours(gate_s)
        try:
            self._router.play(match.note, match.velocity, gate_s)
        except SendError as error:
            _log.warning("its note cannot be played: %s", error)

    def _show(self, drop: Drop, sent: Sent) -> None:
        """Tell on the desktop that a file's first match is applied."""
        if sent.delivery.grade is not Grade.FAILED:
            self._notify(f"{_shown(drop)}: {_said(sent.match)}; {_outcome(sent.delivery)}")

    def _write(self, result: Result, *, again: bool = False) -> None:
        """Write a result; one that cannot be is told of and kept, and tried `again` in silence."""
        drop = result.drop
        with self._outliving(drop):
            try:
                self._journal.begin(drop)
                with self._outcomes.matched(drop) as folder:
                    write_files(result.last.match, result.sound, folder, facts=result.facts())
            except (AntithesisError, OSError) as error:
                if not again:
                    _log.error("%s; its match is kept", _unwritable(drop, error))
                self._retry(result)
            else:
                folder = self._outcomes.matched_at(drop)
                self._draw(folder)
                place = str(folder)
                self._end(drop, Outcome.MATCHED, place, result.last.delivery)
                _log.info("%s: matched: %s", _shown(drop), _one_line(place))
                for remark in remarks(result.sound.samples, result.last.match):
                    _log.info("%s: could not be matched: %s", _shown(drop), remark)
                self._call_back()

    def _retry(self, result: Result) -> None:
        """Keep a result whose match is at the host: nothing but its writing is tried again."""
        self._retries.append(_Retry(time.monotonic() + RETRY_S, result))
        if len(self._retries) > UNWRITTEN_AT_MOST:
            drop = self._retries.popleft().result.drop
            self._let_go.append(drop)
            _log.error(
                "%s: let go of, as too many wait; matched again when there is room", _shown(drop)
            )

    def _call_back(self) -> None:
        """Results are written again: take up the files whose results were let go of."""
        for drop in self._let_go:
            self._watch.again(drop, 0.0)
        self._let_go.clear()

    def _miss(self, drop: Drop, reason: str) -> None:
        """Refuse a file that was not there when it was opened, unless it is there again."""
        if Drop.at(drop.path):
            self._watch.again(drop, 0.0)
        else:
            self._refuse(drop, reason)

    def _refuse(self, drop: Drop, reason: str) -> None:
        if self._watch.away():
            _log.warning("%s: gone with its folder; it is taken up when that returns", _shown(drop))
            self._watch.again(drop, 0.0)
            return
        there = Drop.at(drop.path) is not None  # one that is away with its disk may come back
        try:
            self._outcomes.refused(drop, reason, for_good=there)
        except OSError as error:
            self._postpone(drop, error)
        else:
            self._end(drop, Outcome.REFUSED, reason)
            _log.warning("%s: refused: %s", _shown(drop), _one_line(reason))

    def _end(
        self, drop: Drop, outcome: Outcome, said: str, delivery: Delivery | None = None
    ) -> None:
        grade = f"{HOSTS[delivery.route].title}: {delivery.grade}" if delivery else ""
        try:
            self._journal.end(drop, outcome, said, grade)
        except JournalError as error:
            _log.warning("%s: %s; the next start makes up for it", _shown(drop), error)

    def _postpone(self, drop: Drop, error: Exception) -> None:
        """Take a file up again that came to no match."""
        _log.error("%s", _unwritable(drop, error))
        self._watch.again(drop, RETRY_S)


def run_companion(config: Config, *, matcher: Matcher | None = None) -> None:
    """Run the daemon as configured, until a signal asks it to end.

    Raises:
        AntithesisError: it cannot start: weights, ports or folders are missing.
    """
    with ExitStack() as running:
        state = config.state.folder
        running.enter_context(alone(state))
        running.enter_context(telling(state, config.log.level))
        _log.info("getting ready; the first start ever compiles for a minute")
        outcomes = Outcomes(results_folder(config)).make_ready()
        journal = running.enter_context(Journal(state / JOURNAL))
        watch = Watch(config.watch.folder, settle_s=config.watch.settle_s)
        running.enter_context(ended_by_signals(watch.close))
        router = running.enter_context(open_router(config))
        synth = running.enter_context(built_in_synth(config, router))
        if config.machine.priority == "low":  # the synth, which is to be heard, is started by now
            step_back()
        decoder = running.enter_context(Decoder())
        pictures = running.enter_context(Pictures())
        grid = router.grid if config.match.on_grid else say_all
        heard, loaded = _in_background(synth), _in_background(lambda: matcher or load_matcher(grid))
        while wait([heard], _SIGNAL_POLL_S).not_done or wait([loaded], _SIGNAL_POLL_S).not_done:
            if watch.closed:
                return
        heard.result()
        running.enter_context(watch)
        tidy_up()
        give_back()
        _log.info(
            "watching %s; presets go to %s, results into %s",
            watch.folder,
            _hosts(router),
            outcomes.folder,
        )
        for sender in router.found():
            for said in limits(sender.row):
                _log.info("%s: %s", sender.row.title, said)
        journal.tell(_facts(watch, outcomes, router))
        presses = Presses(watch.call)
        reader = partial(decoder.read, leave=lambda: watch.closed or presses.urgent())
        ear = running.enter_context(Ear(config, presses.press))
        companion = Companion(
            watch,
            journal,
            outcomes,
            reader,
            router,
            loaded.result(),
            config.match.budget_s,
            pictures.draw,
            audition=config.host.audition,
            notify=Notices().show if config.log.notify else _keep_silent,
            busy=Machine(config.machine.busy_percent).busy,
            presses=presses,
            ear=ear,
        )
        running.enter_context(taking_orders(config.orders.port, presses.press))
        companion.run()
        _log.info("stopped")


def _in_background(work: Callable[[], Value]) -> Future[Value]:
    """What `work` comes to, in a thread that an end of the process does not wait for.

    A compiler cannot be interrupted, so that whoever wants to be must not be the one to call it.
    """
    future: Future[Value] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _facts(watch: Watch, outcomes: Outcomes, router: Router) -> dict[str, str]:
    """What `antithesis status` says of a daemon that runs."""
    return {
        "since": time.strftime("%Y-%m-%d %H:%M:%S"),
        "watching": str(watch.folder),
        "results": str(outcomes.folder),
        "host": _hosts(router),
    }


@contextmanager
def built_in_synth(config: Config, router: Router) -> Iterator[Callable[[], None]]:
    """Have a built-in synth play, where it is a host and no host answers yet.

    Yields what waits until it does.
    """
    builtin = next((s for s in router.senders if s.row.name == "builtin"), None)
    if builtin is None or any(router.found()):
        yield lambda: None
    elif config.synth.wav is None and not config.synth.device and not output_devices():
        _log.warning("no synth answers and there is no audio device; %s", builtin.row.remedy)
        yield lambda: None
    else:
        with child.running("synth", "--with-parent") as synth:
            yield lambda: _log.info(child.hear(synth, "OSC on UDP"))


def _check_deaths(job: Job) -> None:
    if job.deaths >= DEATHS_AT_MOST:
        raise AudioError(f"Antithesis ended {job.deaths} times at this file; export it again")


def _why(error: Exception) -> str:
    """What to say of an error: expected ones say it themselves."""
    if isinstance(error, AntithesisError):
        return str(error)
    return f"internal error: {error!r}; the log has more of it"


def _reason(drop: Drop, error: Exception) -> str:
    """What to say of an error where the file is named anyway."""
    return _why(error).removeprefix(f"{drop.path}: ")


def _unwritable(drop: Drop, error: Exception) -> str:
    """What to say of a file for which nothing can be written."""
    what = f"nothing can be written down for it ({_one_line(str(error))})"
    return f"{_shown(drop)}: {what}; trying again in {RETRY_S:.0f} s"


def _said(match: Match) -> str:
    """How near a match is, and which key plays it."""
    return (
        f"{match.distance:.2f} dB away ({likeness(match.distance)}), "
        f"{key_name(match.note)}, after {match.elapsed_s:.2f} s"
    )


def _hosts(router: Router) -> str:
    return ", else ".join(sender.row.title for sender in router.senders)


def _outcome(delivery: Delivery) -> str:
    title = HOSTS[delivery.route].title
    said = " ".join(filter(None, (delivery.grade, delivery.reason)))
    shown = [*delivery.rounded[:ROUNDED_SHOWN]]
    if more := len(delivery.rounded) - len(shown):
        shown.append(f"{more} more are rounded")
    return "; ".join([f"{title}: {said}", *shown])


def _answered(what: str, delivery: Delivery) -> Answer:
    said = f"{what}: {_outcome(delivery)}"
    _log.info("%s", said)
    facts = {"grade": delivery.grade, "route": delivery.route, "reason": delivery.reason}
    return Answer(delivery.grade is not Grade.FAILED, said, facts)


def _tell(press: Press, clip: Clip, first: Sent) -> None:
    """Answer a capture with how near its first match is."""
    grade = first.delivery.grade
    said = f"captured {clip}; {_said(first.match)}; {_outcome(first.delivery)}"
    press.answer(Answer(grade is not Grade.FAILED, said, clip.facts() | first.facts()))


def _shown(drop: Drop) -> str:
    return _one_line(drop.path.name)


def _one_line(text: str) -> str:
    return text if text.isprintable() else ascii(text)
