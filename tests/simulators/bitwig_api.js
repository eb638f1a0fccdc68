// Signatures of Bitwig's controller API, version 12, after its reference: of the interfaces that a
// script of ours meets. Where the reference marks a method as deprecated, it is left out.

"use strict";

module.exports = `
ControllerHost
  loadAPI(int)
  setShouldFailOnDeprecatedUse(boolean)
  defineController(String, String, String, String, String)
  defineMidiPorts(int, int)
  restart()
  println(String)
  errorln(String)
  showPopupNotification(String)
  scheduleTask(function, int)
  requestFlush()
  getHostApiVersion() int
  getPreferences() Settings
  getOscModule() OscModule
  createTrackBank(int, int, int) TrackBank
  createTrackBank(int, int, int, boolean) TrackBank
  createMainTrackBank(int, int, int) TrackBank
  createCursorTrack(String, String, int, int, boolean) CursorTrack
  createArrangerCursorTrack(int, int) CursorTrack
  createInstrumentMatcher() DeviceMatcher
  createVST2DeviceMatcher(int) DeviceMatcher
  createVST3DeviceMatcher(String) DeviceMatcher
  createOrDeviceMatcher(DeviceMatcher...) DeviceMatcher
  createAndDeviceMatcher(DeviceMatcher...) DeviceMatcher

Settings
  getNumberSetting(String, String, double, double, double, String, double) SettableRangedValue
  getStringSetting(String, String, int, String) SettableStringValue
  getBooleanSetting(String, String, boolean) SettableBooleanValue

OscModule
  createAddressSpace() OscAddressSpace
  createUdpServer(int, OscAddressSpace)
  createUdpServer(OscAddressSpace) OscServer
  connectToUdpServer(String, int, OscAddressSpace) OscConnection

OscServer
  start(int)

OscAddressSpace
  registerMethod(String, String, String, function)
  registerDefaultMethod(function)
  setShouldLogMessages(boolean)
  setName(String)

OscConnection
  startBundle()
  sendMessage(String, Object...)
  endBundle()

OscMessage
  getAddressPattern() String
  getTypeTag() String
  getString(int) String
  getInt(int) int
  getLong(int) int
  getFloat(int) double
  getDouble(int) double
  getBoolean(int) boolean

DeviceMatcher

ObjectProxy
  exists() BooleanValue
  createEqualsValue(ObjectProxy) BooleanValue

Bank < ObjectProxy
  getSizeOfBank() int
  getItemAt(int) ObjectProxy
  itemCount() IntegerValue
  scrollPageForwards()
  scrollPageBackwards()

TrackBank < Bank
  scrollPosition() IntegerValue

DeviceBank < Bank
  setDeviceMatcher(DeviceMatcher)

DeviceChain < ObjectProxy
  name() SettableStringValue
  createDeviceBank(int) DeviceBank
  selectInEditor()
  addIsSelectedInEditorObserver(function)

Track < DeviceChain
  position() IntegerValue
  isGroup() BooleanValue
  playNote(int, int)
  startNote(int, int)
  stopNote(int, int)
  sendMidi(int, int, int)
  createCursorDevice() CursorDevice

CursorTrack < Track
  selectChannel(Track)
  isPinned() SettableBooleanValue
  selectPrevious()
  selectNext()
  selectFirst()
  selectLast()

Device < ObjectProxy
  name() StringValue
  isEnabled() SettableBooleanValue
  isPlugin() BooleanValue
  position() IntegerValue
  createSpecificVst2Device(int...) SpecificPluginDevice
  createSpecificVst3Device(String...) SpecificPluginDevice

SpecificPluginDevice
  createParameter(int) Parameter

Parameter < SettableRangedValue, ObjectProxy
  name() StringValue
  value() SettableRangedValue
  modulatedValue() RangedValue
  displayedValue() StringValue
  reset()
  touch(boolean)
  setIndication(boolean)

Value
  markInterested()
  addValueObserver(function)

BooleanValue < Value
  get() boolean

SettableBooleanValue < BooleanValue
  set(boolean)
  toggle()

IntegerValue < Value
  get() int

StringValue < Value
  get() String
  getLimited(int) String

SettableStringValue < StringValue
  set(String)

RangedValue < Value
  get() double
  getRaw() double
  addValueObserver(function)
  addValueObserver(int, function)
  addRawValueObserver(function)

SettableRangedValue < RangedValue
  set(double)
  set(double, double)
  setImmediately(double)
  setRaw(double)
  inc(double)
  inc(double, double)
`;
