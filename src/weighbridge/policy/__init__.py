"""What must hold before a model may run: requirements, limits, what binds their inputs, waivers, separation.

A policy is parsed strictly: an empty one, a limit that nothing can fail, an unknown check, field or role refuses with
file and line. Its digest is of its canonical form, so that comments and line ends do not make another policy.
"""

from __future__ import annotations

from weighbridge.policy.document import (
    DependencyAuditRequirement,
    LeakageRequirement,
    ModelScanRequirement,
    PolicyDocument,
    PolicySpec,
    RequirementSpec,
    RobustnessRequirement,
    StatisticsRequirement,
    WaiverSpec,
    WorkloadSpec,
)
from weighbridge.policy.inputs import AdvisoriesBinding, Binding, DataBinding, FileBinding, InputsSpec
from weighbridge.policy.limits import DependencyAuditLimits, LeakageLimits, ModelScanLimits, RobustnessLimits
from weighbridge.policy.parse import Policy, Requirement, Waiver, Workload

__all__ = [
    "AdvisoriesBinding",
    "Binding",
    "DataBinding",
    "DependencyAuditLimits",
    "DependencyAuditRequirement",
    "FileBinding",
    "InputsSpec",
    "LeakageLimits",
    "LeakageRequirement",
    "ModelScanLimits",
    "ModelScanRequirement",
    "Policy",
    "PolicyDocument",
    "PolicySpec",
    "Requirement",
    "RequirementSpec",
    "RobustnessLimits",
    "RobustnessRequirement",
    "StatisticsRequirement",
    "Waiver",
    "WaiverSpec",
    "Workload",
    "WorkloadSpec",
]
