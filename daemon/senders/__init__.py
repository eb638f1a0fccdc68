"""Ways to bring a preset to a host, behind one contract."""

from daemon.senders.contract import Delivery, Grade, Route, Sender, open_sender

__all__ = ["Delivery", "Grade", "Route", "Sender", "open_sender"]
