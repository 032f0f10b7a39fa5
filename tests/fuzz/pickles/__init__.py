"""Proof by trying that a pickle called clean does nothing: generate, scan, load what is clean, and watch.

``python -m tests.fuzz.pickles --minutes 60`` (``make fuzz-pickles``) runs for an hour. How it works:

- ``environments`` makes one virtual environment for each set of library versions, outside the checkout;
- ``loader`` is a program that runs in such an environment: it loads batches under an audit hook and a system call
  filter, uses what was made, and says what happened;
- ``tree`` takes a pickle apart and writes it again in any protocol; ``changes`` and ``plants`` change the tree;
- ``generator`` chooses, learns from what was clean, and can be repeated from its seed;
- ``campaign`` drives all of it, keeps count across runs, and keeps the bytes of every defect.
"""
