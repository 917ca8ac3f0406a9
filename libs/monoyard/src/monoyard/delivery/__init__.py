"""Delivery: from a release to an environment that runs it, with a record of every step."""

from monoyard.delivery.clock import Clock, MachineClock
from monoyard.delivery.cluster import ABSENT, UNREACHABLE, ConflictError, Namespace
from monoyard.delivery.lease import Holder, Lease
from monoyard.delivery.ledger import Entry, Ledger, Record
from monoyard.delivery.objects import Kind, Object

__all__ = [
    "ABSENT",
    "UNREACHABLE",
    "Clock",
    "ConflictError",
    "Entry",
    "Holder",
    "Kind",
    "Lease",
    "Ledger",
    "MachineClock",
    "Namespace",
    "Object",
    "Record",
]
