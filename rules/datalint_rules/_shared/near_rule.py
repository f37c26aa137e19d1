"""What the two rules on near copies have in common."""

from __future__ import annotations

from datalint.author import Field, Rule, RuleParams, Sample


class NearParams(RuleParams):
    """When near copies are a warning."""

    share: float = Field(
        0.01,
        ge=0,
        le=1,
        description="Share of the split's samples to drop from which it is a warning; below it is info.",
    )
    least: int = Field(5, ge=1, description="Samples to drop from which it is a warning; below it is info.")


class NearRule(Rule):
    """Judges the sampled samples that were compared with each other."""

    searches = frozenset({"table"})
    measures = (Sample,)
    sampled = True
