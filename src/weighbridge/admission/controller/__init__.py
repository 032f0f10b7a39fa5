"""The controller that takes the scheduling gate off a pod once every model that it can load is verified.

It is the only part that talks to Kubernetes. It keeps nothing: after a crash it lists everything again and goes on.
``api`` speaks to the API server, ``informer`` keeps a copy of what is watched, ``queue`` hands pods to workers,
``judge`` turns the copies into a decision, ``reconcile`` acts on it, ``report`` tells people, ``metrics`` and
``server`` tell machines, and ``controller`` starts and stops all of it.
"""
