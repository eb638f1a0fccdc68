"""Hearing what the computer plays: devices behind one contract, and a ring that is always full."""

from daemon.capture.contract import Device, Hear, open_device, sources

__all__ = ["Device", "Hear", "open_device", "sources"]
