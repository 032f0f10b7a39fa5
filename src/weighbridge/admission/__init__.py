"""Decide which pods may use an accelerator.

``decision.decide`` is a pure function of a pod, its namespace, policies, trust and signed verdicts: no network and no
Kubernetes client. ``weighbridge check`` calls it on files, the controller on live pods.
"""
