"""Where each knob stands in a vector of 38, under the names that the kernels use."""

from __future__ import annotations

from antithesis.parameters import BY_ID

OSC1_WAVE = BY_ID["kOsc1Wave"].index
OSC1_COARSE = BY_ID["kOsc1Coarse"].index
OSC1_FINE = BY_ID["kOsc1Fine"].index
OSC1_SPLIT = BY_ID["kOsc1Split"].index
OSC2_WAVE = BY_ID["kOsc2Wave"].index
OSC2_COARSE = BY_ID["kOsc2Coarse"].index
OSC2_FINE = BY_ID["kOsc2Fine"].index
OSC2_SPLIT = BY_ID["kOsc2Split"].index
OSC_MIX = BY_ID["kOscMix"].index
FM_MODE = BY_ID["kFmMode"].index
FM_COARSE = BY_ID["kFmCoarse"].index
FM_FINE = BY_ID["kFmFine"].index
FILTER_ENABLED = BY_ID["kFilterEnabled"].index
FILTER_CUTOFF = BY_ID["kFilterCutoff"].index
FILTER_RESONANCE = BY_ID["kFilterResonance"].index
FILTER_KEY_TRACK = BY_ID["kFilterKeyTrack"].index
VOL_ATTACK = BY_ID["kVolEnvA"].index
VOL_DECAY = BY_ID["kVolEnvD"].index
VOL_SUSTAIN = BY_ID["kVolEnvS"].index
VOL_RELEASE = BY_ID["kVolEnvR"].index
VOL_VELOCITY = BY_ID["kVolEnvV"].index
MOD_ATTACK = BY_ID["kModEnvA"].index
MOD_DECAY = BY_ID["kModEnvD"].index
MOD_SUSTAIN = BY_ID["kModEnvS"].index
MOD_RELEASE = BY_ID["kModEnvR"].index
MOD_VELOCITY = BY_ID["kModEnvV"].index
LFO_AMOUNT = BY_ID["kLfoAmount"].index
LFO_FREQUENCY = BY_ID["kLfoFrequency"].index
LFO_DELAY = BY_ID["kLfoDelay"].index
VOL_TO_FM = BY_ID["kVolEnvFm"].index
VOL_TO_CUTOFF = BY_ID["kVolEnvCutoff"].index
MOD_TO_FM = BY_ID["kModEnvFm"].index
MOD_TO_CUTOFF = BY_ID["kModEnvCutoff"].index
LFO_TO_FM = BY_ID["kLfoFm"].index
LFO_TO_CUTOFF = BY_ID["kLfoCutoff"].index
VOICE_MODE = BY_ID["kVoiceMode"].index
GLIDE_SPEED = BY_ID["kGlideSpeed"].index
MASTER_VOLUME = BY_ID["kMasterVolume"].index
