// Signatures of Steinberg's MIDI Remote API, version 1.2, after its reference: of the classes that a
// script of ours meets.

"use strict";

module.exports = `
MidiRemoteAPI
  mDefaults HostDefaults
  makeDeviceDriver(String, String, String) DeviceDriver

HostDefaults
  getAppName() String
  getNumberOfQuickControls() int

DeviceDriver
  mPorts Ports
  mSurface DeviceSurface
  mMapping FactoryMapping
  mOnActivate = function
  mOnDeactivate = function
  mOnIdle = function
  makeDetectionUnit() DeviceDetectionUnit
  setUserGuide(String)

Ports
  makeMidiInput() DeviceMidiInput
  makeMidiInput(String) DeviceMidiInput
  makeMidiOutput() DeviceMidiOutput
  makeMidiOutput(String) DeviceMidiOutput

DeviceMidiInput
  mOnSysex = function

DeviceMidiOutput
  sendMidi(ActiveDevice, bytes)
  sendSysexFile(ActiveDevice, String, double)

DeviceDetectionUnit
  detectPortPair(DeviceMidiInput, DeviceMidiOutput) DetectionPortPair

DetectionPortPair
  expectInputNameEquals(String) DetectionPortPair
  expectInputNameStartsWith(String) DetectionPortPair
  expectInputNameEndsWith(String) DetectionPortPair
  expectInputNameContains(String) DetectionPortPair
  expectOutputNameEquals(String) DetectionPortPair
  expectOutputNameStartsWith(String) DetectionPortPair
  expectOutputNameEndsWith(String) DetectionPortPair
  expectOutputNameContains(String) DetectionPortPair

DeviceSurface
  makeKnob(double, double, double, double) Knob
  makeBlindPanel(double, double, double, double) BlindPanel
  makeLabelField(double, double, double, double) SurfaceLabelField
  makeCustomValueVariable(String) SurfaceCustomValueVariable

BlindPanel

FactoryMapping
  makePage(String) FactoryMappingPage

FactoryMappingPage
  mHostAccess HostAccess
  mOnActivate = function
  mOnDeactivate = function
  mOnIdle = function

HostAccess
  mMixConsole HostObject
  mTrackSelection TrackSelection
  makeDirectAccess(HostObject) HostObjectDirectAccess

HostObject

TrackSelection < HostObject
  mMixerChannel SelectedTrackChannel

SelectedTrackChannel < HostObject
  mInstrumentPluginSlot HostInstrumentPluginSlot

HostInstrumentPluginSlot < HostObject
  mOnChangePluginIdentity = function
  mOnTitleChange = function

ActiveDevice
  setState(String, String)
  getState(String) String

ActiveMapping

HostObjectDirectAccess
  mOnParameterChange = function
  mOnObjectChange = function
  mOnObjectWillBeRemoved = function
  activate(ActiveMapping)
  update(ActiveMapping)
  deactivate(ActiveMapping)
  getBaseObjectID(ActiveMapping) int
  getNumberOfChildObjects(ActiveMapping, int) int
  getChildObjectID(ActiveMapping, int, int) int
  getObjectTitle(ActiveMapping, int) String
  getObjectTypeName(ActiveMapping, int) String
  getObjectUniqueIDString(ActiveMapping, int) String
  getNumberOfParameters(ActiveMapping, int) int
  getParameterTagByIndex(ActiveMapping, int, int) int
  getParameterTitle(ActiveMapping, int, int, int) String
  getParameterProcessValue(ActiveMapping, int, int) double
  setParameterProcessValue(ActiveMapping, int, int, double)
  getParameterDisplayValue(ActiveMapping, int, int) String
  isParameterAutomatable(ActiveMapping, int, int) boolean
`;
