"""FL Studio's stand-in as a program: our script runs in it, behind two MIDI ports of a JACK server.

python jackstudio.py SCRIPT NAMES        its plug-in's parameters have these names, told as JSON;
                                         each line that it reads is answered by what they hold
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

CLIENT = "FL Studio"
SYSEX = b"\xf0"


def main(script: str, names: str) -> None:
    import jack
    from jackplayer import tell
    from simulators.fl_studio import Channel, Event, Plugin, Studio

    plugin = Plugin(json.loads(names))
    studio = Studio([Channel("Lead", plugin)])
    loaded = studio.load(Path(script))
    client = jack.Client(CLIENT, no_start_server=True)
    client.set_shutdown_callback(lambda *_: os._exit(0))  # it is closed, and not put right
    heard = client.midi_inports.register("in")
    said = client.midi_outports.register("out")

    @client.set_process_callback
    def process(_count: int) -> None:
        said.clear_buffer()
        for _frame, data in heard.incoming_midi_events():
            if bytes(data[:1]) == SYSEX:
                loaded.OnSysEx(Event(bytes(data)))
        while studio.sent:
            said.write_midi_event(0, studio.sent.pop(0))

    with client:
        tell("ready")
        for _line in sys.stdin:
            tell(json.dumps(plugin.values))


if __name__ == "__main__":
    main(*sys.argv[1:])
