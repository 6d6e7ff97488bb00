"""Planted fraud: cases known from audits, what only looks like them, and the truth about both."""

from runtime.samples.frauds.catalogue import FRAUDS, plant, stage
from runtime.samples.frauds.look_alikes import LOOK_ALIKES, LookAlike
from runtime.samples.frauds.pattern import Pattern
from runtime.samples.frauds.scene import Scene
from runtime.samples.frauds.truth import Planted

__all__ = ["FRAUDS", "LOOK_ALIKES", "LookAlike", "Pattern", "Planted", "Scene", "plant", "stage"]
