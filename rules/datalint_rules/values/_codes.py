"""Codes of two letters, one of which readers of tables take for a gap: NA is Namibia, and North America."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_COUNTRIES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY "
    "QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN "
    "TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XK EL UK EU"
)
"""ISO 3166-1 without NA, and what statistics offices write for Kosovo, Greece, the United Kingdom and the union."""

_CONTINENTS = frozenset({"AF", "AN", "AS", "EU", "OC", "SA"})

KNOWN = 0.95
"""Share of the codes that must be countries: codes of states and of languages are others."""

FEWEST = 20
"""Countries from which the absence of one is no chance of which were asked."""

TYPICAL = 1.5
"""How often the gap may come, in multiples of the most frequent code: more cells are empty for another reason."""


def read_as_gap(counts: Mapping[str, int], gaps: int) -> str:
    """What the code NA means among some codes, if the gaps of their column are probably that code; empty if not.

    Args:
        counts: cells by text.
        gaps: empty cells.
    """
    codes = set(counts)
    if not codes or "NA" in codes or gaps > TYPICAL * max(counts.values()):
        return ""
    if len(codes) >= len(_CONTINENTS) - 2 and codes <= _CONTINENTS:
        return "North America"
    if len(codes) >= FEWEST and len(codes.intersection(_COUNTRIES.split())) >= KNOWN * len(codes):
        return "Namibia"
    return ""
