"""Loops in Keras, which computes with PyTorch here."""

from __future__ import annotations

import os

os.environ["KERAS_BACKEND"] = "torch"

from tests.integrations.keras_tests import *  # noqa: F403
