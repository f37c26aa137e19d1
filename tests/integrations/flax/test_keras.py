"""Loops in Keras, which computes with JAX here."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "jax"

from tests.integrations.keras_tests import *  # noqa: F403
