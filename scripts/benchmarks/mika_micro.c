/* Mika Micro 2.0.1, sample by sample, straight from its equations: the plain way to write it.
 *
 * It is here to be compared with: scripts/bench.py compiles it on the spot (cc -O3 -march=native) and
 * times it beside antithesis, and a test holds it to the golden cases. Mika Micro is Andrew
 * Minnich's free subtractive synth (MIT licence, 2018).
 *
 * mika_render() takes plain values of the 38 knobs, and events as rows of time in seconds, kind, a
 * and b: 0 note-off a, 1 note-on a with velocity b, 2 pitch bend a (0..16383), 3 all notes off,
 * 4 knob a set to b. Rows come in order of time.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

enum {
    OSC1_WAVE, OSC1_COARSE, OSC1_FINE, OSC1_SPLIT,
    OSC2_WAVE, OSC2_COARSE, OSC2_FINE, OSC2_SPLIT,
    OSC_MIX, FM_MODE, FM_COARSE, FM_FINE,
    FILTER_ENABLED, FILTER_CUTOFF, FILTER_RESONANCE, FILTER_KEY_TRACK,
    VOL_A, VOL_D, VOL_S, VOL_R, VOL_V,
    MOD_A, MOD_D, MOD_S, MOD_R, MOD_V,
    LFO_AMOUNT, LFO_FREQUENCY, LFO_DELAY,
    VOL_FM, VOL_CUTOFF, MOD_FM, MOD_CUTOFF, LFO_FM, LFO_CUTOFF,
    VOICE_MODE, GLIDE_SPEED, MASTER_VOLUME,
    N_KNOBS
};
enum { SINE, TRIANGLE, SAW, SQUARE, PULSE, NOISE };
enum { POLY, MONO, LEGATO };
enum { IDLE, ATTACK, DECAY, RELEASE };
enum { N_VOICES = 8, MAX_HELD = 1024 };

static const double TWO_PI = 6.283185307179586;

typedef struct { double value; int stage; } Envelope;

typedef struct {
    double phase, triangle, noise;
    int wave, old_wave;
    double fade; /* from the old waveform (0) to the new (1) */
} Oscillator;

typedef struct {
    int note;
    double velocity;
    double base, target;          /* Hz */
    double split_mix[2];          /* of each oscillator's second copy */
    double filter_mix, band, low;
    Envelope volume, modulation, vibrato;
    Oscillator oscillator[2][2], fm; /* [oscillator][copy] */
} Voice;

typedef struct {
    double p[N_KNOBS]; /* the reversed ones turned round */
    double dt, mix, cutoff, lfo_phase, bend;
    double drift_speed, drift_phase;
    uint32_t x, y, z;
    int held[MAX_HELD], n_held;
    Voice voice[N_VOICES];
} Synth;

/* Pitch */

static double factor(double semitones) { return pow(1.0595, semitones); }

static double key_frequency(int note) { return 440.0 * factor(note - 69); }

/* Oscillator */

static double blep(double phase, double inc)
{
    if (phase < inc) {
        double q = phase / inc;
        return 2.0 * q - q * q - 1.0;
    }
    if (phase > 1.0 - inc) {
        double q = (phase - 1.0) / inc;
        return q * q + 2.0 * q + 1.0;
    }
    return 0.0;
}

static double pulse(double phase, double inc, double width)
{
    double level = phase < width ? 1.0 : -1.0;
    return level + blep(phase, inc) - blep(fmod(phase + 1.0 - width, 1.0), inc);
}

static double read_wave(Oscillator *o, int wave, double inc)
{
    switch (wave) {
    case SINE:
        return sin(TWO_PI * o->phase);
    case TRIANGLE:
        o->triangle = inc * pulse(o->phase, inc, 0.5) + (1.0 - inc) * o->triangle;
        return 5.0 * o->triangle;
    case SAW:
        return 1.0 - 2.0 * o->phase + blep(o->phase, inc);
    case SQUARE:
        return pulse(o->phase, inc, 0.5);
    case PULSE:
        return pulse(o->phase, inc, 0.75);
    default: /* NOISE */
        o->noise += 19.0;
        o->noise *= o->noise;
        o->noise -= trunc(o->noise);
        return o->noise - 0.5;
    }
}

static double turn(Oscillator *o, double inc)
{
    o->phase += inc;
    while (o->phase > 1.0)
        o->phase -= 1.0;
    return o->phase;
}

static double next(Oscillator *o, double frequency, double dt)
{
    double inc = frequency * dt;
    turn(o, inc);
    if (o->fade >= 1.0)
        return read_wave(o, o->wave, inc);
    o->fade = fmin(o->fade + 100.0 * dt, 1.0);
    double old_one = read_wave(o, o->old_wave, inc);
    double new_one = read_wave(o, o->wave, inc);
    return old_one * (1.0 - o->fade) + new_one * o->fade;
}

/* Envelope */

static double step_envelope(Envelope *e, double a, double d, double s, double r, double dt)
{
    switch (e->stage) {
    case ATTACK:
        e->value += (1.1 - e->value) * a * dt;
        if (e->value >= 1.0) {
            e->value = 1.0;
            e->stage = DECAY;
        }
        break;
    case DECAY:
        e->value += (s - e->value) * d * dt;
        break;
    case RELEASE:
        e->value += (-0.1 - e->value) * r * dt;
        if (e->value <= 0.0) {
            e->value = 0.0;
            e->stage = IDLE;
        }
        break;
    }
    return e->value;
}

static double volume_of(const Synth *s, const Voice *v)
{
    return v->volume.value * (1.0 + (v->velocity - 1.0) * s->p[VOL_V]);
}

/* Filter */

static double saturate(double z) { return z / (1.0 + 0.28 * z * z); }

static double step_filter(Voice *v, double x, double cutoff, double resonance, double dt)
{
    double f = fmin(fmax(2.0 * sin(0.5 * TWO_PI * cutoff * dt), 0.01), 1.0);
    double res = fmin(resonance, 1.0 - pow(f, 5.0));
    double high = x - (v->low + v->band * (1.0 - res));
    v->band += f * high;
    v->low += f * v->band;
    v->low = 10.0 * saturate(v->low / 10.0);
    return v->low;
}

/* Voice: steps as they are numbered in the specification */

static double next_voice(Synth *s, Voice *v, double lfo, double drift)
{
    const double *p = s->p;
    const double dt = s->dt;
    /* 1 */
    step_envelope(&v->volume, p[VOL_A], p[VOL_D], p[VOL_S], p[VOL_R], dt);
    double volume = volume_of(s, v);
    double modulation = step_envelope(&v->modulation, p[MOD_A], p[MOD_D], p[MOD_S], p[MOD_R], dt)
                        * (1.0 + (v->velocity - 1.0) * p[MOD_V]);
    double vibrato = step_envelope(&v->vibrato, p[LFO_DELAY], 0.5, 1.0, 0.5, dt);
    /* 2 */
    if (volume == 0.0 && v->low == 0.0)
        return 0.0;
    /* 3 */
    lfo *= vibrato;
    v->base += (v->target - v->base) * p[GLIDE_SPEED] * dt;
    /* 4 */
    const double split[2] = {p[OSC1_SPLIT], p[OSC2_SPLIT]};
    for (int k = 0; k < 2; k++) {
        double on = split[k] != 0.0 && v->oscillator[k][0].wave != NOISE;
        v->split_mix[k] += (on - v->split_mix[k]) * 100.0 * dt;
    }
    /* 5 */
    double swing = 1.0 + fabs(p[LFO_AMOUNT]) * lfo;
    double pitch = v->base * s->bend * (1.0 + drift);
    double f[2];
    f[0] = pitch * factor(p[OSC1_COARSE] + p[OSC1_FINE]) * (p[LFO_AMOUNT] < 0.0 ? swing : 1.0);
    f[1] = pitch * factor(p[OSC2_COARSE] + p[OSC2_FINE]) * swing;
    /* 6 */
    if (p[FM_MODE] != 0.0) {
        double depth = p[FM_COARSE] + p[FM_FINE] + p[VOL_FM] * volume + p[MOD_FM] * modulation
                       + p[LFO_FM] * lfo;
        double g = sin(TWO_PI * turn(&v->fm, f[0] * dt));
        f[p[FM_MODE] == 1.0 ? 0 : 1] *= factor(g * depth);
    }
    /* 7 */
    double out = 0.0;
    for (int k = 0; k < 2; k++) {
        if (k == 0 ? s->mix >= 0.99 : s->mix <= 0.01)
            continue;
        double sound = next(&v->oscillator[k][0], f[k] * (1.0 + split[k]), dt);
        if (v->split_mix[k] > 0.01)
            sound += v->split_mix[k] * next(&v->oscillator[k][1], f[k] / (1.0 + split[k]), dt);
        out += sqrt(k == 0 ? 1.0 - s->mix : s->mix) * sound;
    }
    /* 8 */
    out *= volume;
    /* 9 */
    v->filter_mix += (p[FILTER_ENABLED] - v->filter_mix) * 100.0 * dt;
    if (v->filter_mix > 0.01) {
        double sweep = copysign(pow(p[LFO_CUTOFF] / 8000.0, 2.0) * 8000.0, p[LFO_CUTOFF]);
        double cutoff = s->cutoff * (1.0 + drift) + p[VOL_CUTOFF] * volume
                        + p[MOD_CUTOFF] * modulation + lfo * sweep
                        + p[FILTER_KEY_TRACK] * v->base * s->bend;
        double filtered = step_filter(v, out, cutoff, p[FILTER_RESONANCE], dt);
        out = out * (1.0 - v->filter_mix) + filtered * v->filter_mix;
    }
    return out;
}

/* Synth */

static double step_drift(Synth *s)
{
    uint32_t t;
    s->x ^= s->x << 16;
    s->x ^= s->x >> 5;
    s->x ^= s->x << 1;
    t = s->x;
    s->x = s->y;
    s->y = s->z;
    s->z = t ^ s->x ^ s->y;
    double r = -1.0 + 2.0 * s->z / 4294967295.0;
    s->drift_speed += r * 10000.0 * s->dt;
    s->drift_speed -= s->drift_speed * 2.0 * s->dt;
    s->drift_phase += s->drift_speed * s->dt;
    return 0.001 * sin(s->drift_phase);
}

static double next_sample(Synth *s, int drifting)
{
    s->mix += (s->p[OSC_MIX] - s->mix) * 100.0 * s->dt;
    s->cutoff += (s->p[FILTER_CUTOFF] - s->cutoff) * 100.0 * s->dt;
    s->lfo_phase += s->p[LFO_FREQUENCY] * s->dt;
    while (s->lfo_phase > 1.0)
        s->lfo_phase -= 1.0;
    double lfo = sin(TWO_PI * s->lfo_phase);
    double drift = drifting ? step_drift(s) : 0.0;
    double total = 0.0;
    for (int v = 0; v < N_VOICES; v++)
        total += next_voice(s, &s->voice[v], lfo, drift);
    return s->p[MASTER_VOLUME] * total;
}

static void release(Voice *v)
{
    v->volume.stage = v->modulation.stage = v->vibrato.stage = RELEASE;
}

static void start(Synth *s, Voice *v)
{
    if (volume_of(s, v) == 0.0) {
        const double split[2] = {s->p[OSC1_SPLIT], s->p[OSC2_SPLIT]};
        v->volume.value = v->modulation.value = v->vibrato.value = 0.0;
        v->filter_mix = s->p[FILTER_ENABLED];
        v->fm.phase = 0.0;
        for (int k = 0; k < 2; k++) {
            v->oscillator[k][0].phase = 0.0;
            v->oscillator[k][1].phase = split[k] < 0.0 ? 0.33 : 0.0;
            v->oscillator[k][0].fade = v->oscillator[k][1].fade = 1.0;
            v->split_mix[k] = split[k] != 0.0;
        }
    }
    v->volume.stage = v->modulation.stage = v->vibrato.stage = ATTACK;
}

static int is_released(const Voice *v)
{
    return v->volume.stage == IDLE || v->volume.stage == RELEASE;
}

/* The quietest released voice, else the quietest; the first among equals. */
static Voice *free_voice(Synth *s)
{
    Voice *best = &s->voice[0];
    for (int i = 1; i < N_VOICES; i++) {
        Voice *v = &s->voice[i];
        int better = is_released(v) - is_released(best);
        if (better > 0 || (better == 0 && volume_of(s, v) < volume_of(s, best)))
            best = v;
    }
    return best;
}

static void note_off(Synth *s, int note)
{
    int kept = 0;
    for (int i = 0; i < s->n_held; i++)
        if (s->held[i] != note)
            s->held[kept++] = s->held[i];
    s->n_held = kept;
    if (s->p[VOICE_MODE] == POLY) {
        for (int i = 0; i < N_VOICES; i++)
            if (s->voice[i].note == note)
                release(&s->voice[i]);
    } else if (kept) {
        s->voice[0].note = s->held[kept - 1];
        s->voice[0].target = key_frequency(s->voice[0].note);
    } else {
        release(&s->voice[0]);
    }
}

static void note_on(Synth *s, int note, double velocity)
{
    int mode = (int)s->p[VOICE_MODE];
    int first_key = s->n_held == 0;
    if (velocity == 0.0) {
        note_off(s, note);
        return;
    }
    if (s->n_held < MAX_HELD)
        s->held[s->n_held++] = note;
    Voice *v = mode == POLY ? free_voice(s) : &s->voice[0];
    v->note = note;
    v->target = key_frequency(note);
    if (mode == LEGATO && !first_key)
        return;
    if (mode != MONO)
        v->base = v->target;
    v->velocity = pow(velocity / 128.0, 1.25);
    start(s, v);
}

static double turned_round(int knob, double plain)
{
    switch (knob) {
    case OSC_MIX:
        return 1.0 - plain;
    case VOL_A: case VOL_D: case VOL_R: case MOD_A: case MOD_D: case MOD_R:
        return 0.5 + 1000.0 - plain;
    case LFO_DELAY:
        return 0.1 + 1000.0 - plain;
    case GLIDE_SPEED:
        return 1.0 + 1000.0 - plain;
    default:
        return plain;
    }
}

static void set_knob(Synth *s, int knob, double plain)
{
    s->p[knob] = turned_round(knob, plain);
    if (knob == OSC1_WAVE || knob == OSC2_WAVE) {
        for (int i = 0; i < N_VOICES; i++)
            for (int copy = 0; copy < 2; copy++) {
                Oscillator *o = &s->voice[i].oscillator[knob == OSC2_WAVE][copy];
                o->old_wave = o->wave;
                o->wave = (int)plain;
                o->fade = 0.0;
            }
    } else if (knob == VOICE_MODE) {
        for (int i = 1; i < N_VOICES; i++)
            release(&s->voice[i]);
    }
}

static void power_up(Synth *s, const double *plain, double sample_rate)
{
    memset(s, 0, sizeof *s);
    s->dt = 1.0 / sample_rate;
    for (int k = 0; k < N_KNOBS; k++)
        s->p[k] = turned_round(k, plain[k]);
    s->mix = s->p[OSC_MIX];
    s->cutoff = s->p[FILTER_CUTOFF];
    s->bend = 1.0;
    s->x = 123456789;
    s->y = 362436069;
    s->z = 521288629;
    for (int i = 0; i < N_VOICES; i++) {
        Voice *v = &s->voice[i];
        v->base = v->target = 440.0;
        for (int k = 0; k < 2; k++)
            for (int copy = 0; copy < 2; copy++) {
                v->oscillator[k][copy].wave = (int)plain[k == 0 ? OSC1_WAVE : OSC2_WAVE];
                v->oscillator[k][copy].noise = 19.19191919191919;
                v->oscillator[k][copy].fade = 1.0;
            }
    }
}

static void apply(Synth *s, const double *event)
{
    double a = event[2], b = event[3];
    switch ((int)event[1]) {
    case 0:
        note_off(s, (int)a);
        break;
    case 1:
        note_on(s, (int)a, b);
        break;
    case 2:
        s->bend = factor(2.0 * (a - 8192.0) / 8192.0);
        break;
    case 3:
        for (int i = 0; i < N_VOICES; i++)
            release(&s->voice[i]);
        break;
    case 4:
        set_knob(s, (int)a, b);
        break;
    }
}

void mika_render(const double *plain, const double *events, int64_t n_events, double sample_rate,
                 int64_t drifting, double warmup_s, double *out, int64_t n)
{
    Synth synth;
    power_up(&synth, plain, sample_rate);
    for (int64_t i = 0; i < (int64_t)(warmup_s * sample_rate); i++)
        next_sample(&synth, (int)drifting);
    int64_t due = 0;
    for (int64_t i = 0; i < n; i++) {
        while (due < n_events && (int64_t)floor(events[4 * due] * sample_rate) <= i)
            apply(&synth, events + 4 * due++);
        out[i] = next_sample(&synth, (int)drifting);
    }
}
