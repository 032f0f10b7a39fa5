"""Every parser of the model scan is fed bytes: it must judge them, and neither crash, nor hang, nor fill the memory.

``python -m tests.fuzz.parsers --minutes 60`` (``make fuzz-parsers``) lets atheris look for bytes that reach new code,
parser by parser, in an environment of its own. ``examine`` is what each run does; ``tests/fuzz/test_parsers.py`` is
the short form.
"""
