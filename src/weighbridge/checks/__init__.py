"""The checks that look at a model and its surroundings, each behind ``interface`` and in a worker of its own."""
