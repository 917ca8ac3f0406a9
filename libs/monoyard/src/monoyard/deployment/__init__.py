"""A deployment: what it would change in an environment, as a value, and its steps."""

from monoyard.deployment.earlier import Earlier, find_earlier
from monoyard.deployment.estimates import Estimate, GateEstimate, TableSize, estimate
from monoyard.deployment.execution import Crew, carry_out, go_back, resume
from monoyard.deployment.job_runs import Runs
from monoyard.deployment.keeping import Kept
from monoyard.deployment.migrations import Classing, Histories, applied_of
from monoyard.deployment.mirror_settings import DIRECTORY, last_settings, record_of
from monoyard.deployment.mirroring import Mirroring, in_background
from monoyard.deployment.needed_images import needed_images
from monoyard.deployment.plan import LEAST_DIGITS, DeployPlan, Request, ServicePlan
from monoyard.deployment.planning import make_plan
from monoyard.deployment.pods import log_lines
from monoyard.deployment.ports import Images, Renderer, World
from monoyard.deployment.releases import HelmReleases, Releases
from monoyard.deployment.restoring import Replacement
from monoyard.deployment.saving import SavedPlan, is_confirmed, load_plan, save_plan
from monoyard.deployment.steering import STEERING
from monoyard.deployment.unended import open_record, request_of, resumable_record

__all__ = [
    "DIRECTORY",
    "LEAST_DIGITS",
    "STEERING",
    "Classing",
    "Crew",
    "DeployPlan",
    "Earlier",
    "Estimate",
    "GateEstimate",
    "HelmReleases",
    "Histories",
    "Images",
    "Kept",
    "Mirroring",
    "Releases",
    "Renderer",
    "Replacement",
    "Request",
    "Runs",
    "SavedPlan",
    "ServicePlan",
    "TableSize",
    "World",
    "applied_of",
    "carry_out",
    "estimate",
    "find_earlier",
    "go_back",
    "in_background",
    "is_confirmed",
    "last_settings",
    "load_plan",
    "log_lines",
    "make_plan",
    "needed_images",
    "open_record",
    "record_of",
    "request_of",
    "resumable_record",
    "resume",
    "save_plan",
]
