"""Whether an environment is ready for a deployment: looked at before anybody is in a hurry."""

from monoyard.diagnosis.examining import Check, examine
from monoyard.diagnosis.finding import FIELDS, Finding, State, demand_ready
from monoyard.diagnosis.machine_checks import NOT_YET
from monoyard.diagnosis.rights import needed_rights
from monoyard.diagnosis.subject import Once, Seen, Subject
from monoyard.diagnosis.table import checks_of

__all__ = [
    "FIELDS",
    "NOT_YET",
    "Check",
    "Finding",
    "Once",
    "Seen",
    "State",
    "Subject",
    "checks_of",
    "demand_ready",
    "examine",
    "needed_rights",
]
