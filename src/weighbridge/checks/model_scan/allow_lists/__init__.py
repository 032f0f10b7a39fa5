"""The allow lists as data; made by benchmarks/make_allow_lists.py and reviewed by hand."""
