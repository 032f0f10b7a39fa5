"""The dependency audit: which known vulnerabilities and malware the packages around a model have.

Start with ``check.run``; ``advisories`` reads and builds bundles, ``sources`` reads what is to be audited, and
``judging`` brings the two together.
"""
