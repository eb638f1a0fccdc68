/* Mika Micro as an LV2 plug-in, for a DAW that runs without a screen: a test's stand-in for the
 * real one. Its sound is the transcription that the benchmarks use; its ports are those of
 * tests/lv2/__init__.py: MIDI in, two audio outputs, then the 38 knobs in plain units.
 */
#include "../../scripts/benchmarks/mika_micro.c"

#include <lv2/atom/atom.h>
#include <lv2/atom/util.h>
#include <lv2/core/lv2.h>
#include <lv2/midi/midi.h>
#include <lv2/urid/urid.h>
#include <stdlib.h>

enum { MIDI_IN, LEFT, RIGHT, FIRST_KNOB, N_PORTS = FIRST_KNOB + N_KNOBS };

typedef struct {
    Synth synth;
    double rate;
    int powered;
    float held[N_KNOBS];
    LV2_URID midi_event;
    void *port[N_PORTS];
} Plugin;

static LV2_Handle instantiate(const LV2_Descriptor *d, double rate, const char *path,
                              const LV2_Feature *const *features)
{
    (void)d, (void)path;
    Plugin *p = calloc(1, sizeof *p);
    p->rate = rate;
    for (; *features; features++)
        if (!strcmp((*features)->URI, LV2_URID__map)) {
            LV2_URID_Map *map = (*features)->data;
            p->midi_event = map->map(map->handle, LV2_MIDI__MidiEvent);
        }
    return p;
}

static void connect_port(LV2_Handle handle, uint32_t port, void *data)
{
    ((Plugin *)handle)->port[port] = data;
}

static float knob(const Plugin *p, int k) { return *(const float *)p->port[FIRST_KNOB + k]; }

static void turn_knobs(Plugin *p)
{
    double plain[N_KNOBS];
    for (int k = 0; k < N_KNOBS; k++)
        plain[k] = knob(p, k);
    if (!p->powered)
        power_up(&p->synth, plain, p->rate);
    for (int k = 0; k < N_KNOBS; k++) {
        if (p->powered && p->held[k] != knob(p, k))
            set_knob(&p->synth, k, plain[k]);
        p->held[k] = knob(p, k);
    }
    p->powered = 1;
}

static void hear(Plugin *p, const uint8_t *message)
{
    switch (lv2_midi_message_type(message)) {
    case LV2_MIDI_MSG_NOTE_ON:
        if (message[2])
            note_on(&p->synth, message[1], message[2]);
        else
            note_off(&p->synth, message[1]);
        break;
    case LV2_MIDI_MSG_NOTE_OFF:
        note_off(&p->synth, message[1]);
        break;
    default:
        break;
    }
}

static void run(LV2_Handle handle, uint32_t n)
{
    Plugin *p = handle;
    float *left = p->port[LEFT], *right = p->port[RIGHT];
    uint32_t at = 0;
    turn_knobs(p);
    LV2_ATOM_SEQUENCE_FOREACH ((const LV2_Atom_Sequence *)p->port[MIDI_IN], event) {
        for (; at < event->time.frames && at < n; at++)
            left[at] = right[at] = (float)next_sample(&p->synth, 0);
        if (event->body.type == p->midi_event)
            hear(p, (const uint8_t *)(event + 1));
    }
    for (; at < n; at++)
        left[at] = right[at] = (float)next_sample(&p->synth, 0);
}

static void cleanup(LV2_Handle handle) { free(handle); }

static const LV2_Descriptor DESCRIPTOR = {
    "urn:antithesis:test:mika", instantiate, connect_port, NULL, run, NULL, cleanup, NULL,
};

LV2_SYMBOL_EXPORT const LV2_Descriptor *lv2_descriptor(uint32_t index)
{
    return index == 0 ? &DESCRIPTOR : NULL;
}
