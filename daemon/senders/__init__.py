"""Ways to bring a preset to a host, behind one contract."""

from daemon.senders.contract import Delivery, Grade, Manner, Route, Sender, open_sender
from daemon.senders.history import History
from daemon.senders.router import Router

__all__ = ["Delivery", "Grade", "History", "Manner", "Route", "Router", "Sender", "open_sender"]
