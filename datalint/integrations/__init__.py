"""Adapters to tools that run pipelines, one module each, which needs the tool itself; they use the Python API alone."""
