"""The model scan: decides from bytes alone whether a model can do anything but hold numbers when it is loaded."""
