"""An OpenFeature provider over a flag file."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import (
    FlagNotFoundError,
    OpenFeatureError,
    TargetingKeyMissingError,
    TypeMismatchError,
)
from openfeature.flag_evaluation import FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from eventflow_flags.definitions import Flag, FlagKind
from eventflow_flags.flag_source import FlagSource
from eventflow_flags.rollout import is_in_share

_log = logging.getLogger(__name__)

_EVERYONE = 100

Structure = Sequence[FlagValueType] | Mapping[str, FlagValueType]


class FileProvider(AbstractProvider):
    """Resolves flags from `source`.

    Whatever is wrong, the caller's default is the value, the reason is in the details, and it is
    logged, once for each flag and reason until the file changes.
    """

    def __init__(self, source: FlagSource) -> None:
        super().__init__()
        self._source = source
        self._told: set[tuple[str, str]] = set()

    def get_metadata(self) -> Metadata:
        """Return the provider's name."""
        return Metadata(name="eventflow-file")

    def initialize(self, evaluation_context: EvaluationContext) -> None:  # noqa: ARG002
        """Read the file, so that a fault is in the log at start and not at the first use."""
        self._flags()

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """Resolve a boolean flag."""
        return self._resolve("boolean", flag_key, default_value, evaluation_context)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """Resolve a string flag."""
        return self._resolve("string", flag_key, default_value, evaluation_context)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        """Resolve an integer flag."""
        return self._resolve("integer", flag_key, default_value, evaluation_context)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """Resolve a float flag; whole numbers in the file become floats."""
        details: FlagResolutionDetails[float] = self._resolve(
            "float", flag_key, default_value, evaluation_context
        )
        details.value = float(details.value)
        return details

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Structure,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Structure]:
        """Resolve a flag that is an object or a list."""
        return self._resolve("object", flag_key, default_value, evaluation_context)

    def _resolve(
        self, kind: FlagKind, key: str, default: Any, context: EvaluationContext | None
    ) -> FlagResolutionDetails[Any]:
        try:
            flag = self._flag(kind, key)
            if not flag.enabled:
                return FlagResolutionDetails(default, reason=Reason.DISABLED)
            return _chosen(flag, key, context)
        except OpenFeatureError as error:
            # The client makes the caller's default of it.
            self._tell(key, error)
            raise

    def _flag(self, kind: FlagKind, key: str) -> Flag:
        flag = self._flags().get(key)
        if flag is None:
            raise FlagNotFoundError(f"there is no flag {key}")
        if flag.type != kind:
            raise TypeMismatchError(f"flag {key} is {flag.type}, not {kind}")
        return flag

    def _flags(self) -> Mapping[str, Flag]:
        flags, changed = self._source.flags()
        if changed:
            self._told.clear()
            self.emit_provider_configuration_changed(
                ProviderEventDetails(flags_changed=sorted(changed))
            )
        return flags

    def _tell(self, key: str, error: OpenFeatureError) -> None:
        reason = str(error.error_code)
        if (key, reason) in self._told:
            return
        self._told.add((key, reason))
        fields = {"flag": key, "reason": reason, "detail": error.error_message}
        _log.warning("flag has the caller's default", extra=fields)


def _chosen(flag: Flag, key: str, context: EvaluationContext | None) -> FlagResolutionDetails[Any]:
    if flag.rollout is None:
        return _details(flag, flag.default, Reason.STATIC)
    if flag.rollout.percentage in {0, _EVERYONE}:
        everyone = flag.rollout.variant if flag.rollout.percentage else flag.default
        return _details(flag, everyone, Reason.STATIC)
    targeting_key = context.targeting_key if context is not None else None
    if not targeting_key:
        raise TargetingKeyMissingError(f"flag {key} is rolled out to a share of callers")
    is_chosen = is_in_share(key, targeting_key, flag.rollout.percentage)
    return _details(flag, flag.rollout.variant if is_chosen else flag.default, Reason.SPLIT)


def _details(flag: Flag, variant: str, reason: Reason) -> FlagResolutionDetails[Any]:
    return FlagResolutionDetails(flag.variants[variant], variant=variant, reason=reason)
