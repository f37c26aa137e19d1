"""Which language a text is in, by its script and by its commonest words."""

from __future__ import annotations

import re
from collections import Counter

LEAST = 8
"""Words by which a language is told."""

SURE = 3
"""Different common words of a language, at least."""

_COMMON = {
    "English": "the of and to in is that it was for on are with as his they at be this have from or had by but what were we when your can said there use an each which she do how their if will a i not you she him her my me no so them then than been has into would could about who some up out very",
    "German": "der die und das ist nicht von den mit sich auf für ein eine im dem des auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man",
    "French": "le la les et des est un une du en que qui dans pour pas sur au avec ce il par plus se sont ne son mais nous comme vous ou cette elle être fait aux leur sans été ces dit ont où je c'est",
    "Spanish": "el la de que y los se del las un por con una para es al lo como más pero sus le ha este sí porque esta entre cuando muy sin sobre también me hasta hay donde quien desde todo nos durante",
    "Italian": "il di che e la per un è in una del con non sono le dei si da come anche più al della nel ha gli ma alla questo lo se dal essere ci delle suo dalla quando nella molto hanno",
    "Portuguese": "o a que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu sua ou ser quando muito nos já está eu também só pelo pela até isso ela entre era",
    "Dutch": "de het een van en in is dat op te zijn met voor niet aan er om ook als dan naar maar bij nog uit door over hij wordt ze worden geen heeft deze hebben of wat kan meer zou deze werd",
    "Swedish": "och att det som en på är av för med den till inte har om ett men var jag de så han från kan vid när över efter nu också sig vi skulle under där eller mot ut alla mycket",
    "Danish": "og at det er en til af på med for den der som ikke de har et om var han fra men jeg vi kan så ved eller blev også efter sig når hun skal være ud over hvor",
    "Polish": "w i na z się nie do to że jest o jak po co ale od za dla już są tak przez by było jego czy tylko przy może też oraz może więc które który która",
    "Czech": "a v na se je že s z do o i k ale jako za to by po pro jsou ve od při jeho jen nebo která který které podle také až bylo být tak už",
    "Turkish": "bir ve bu da de için ile çok daha olarak gibi olan ne kadar en sonra var değil ama her ki o mi ben sen biz onun bunu şey diye",
    "Finnish": "ja on ei se että oli hän mutta ovat kun niin myös jos kuin tai sen joka mitä olla vain ole hänen sekä ollut jo siitä mukaan nyt minä",
    "Indonesian": "yang dan di dengan untuk pada ini dari dalam tidak itu akan adalah juga ke karena oleh sebagai bisa ada atau mereka telah dapat kami saya lebih",
    "Vietnamese": "và của là có được cho không trong một những với các người đã này để khi từ cũng tôi như về ra đến lại nhưng nhiều",
}
"""The commonest words of languages in Latin letters."""

_OF_WORD: dict[str, tuple[str, ...]] = {}
for _name, _words in _COMMON.items():
    for _word in set(_words.split()):
        _OF_WORD[_word] = (*_OF_WORD.get(_word, ()), _name)

_SCRIPTS = {
    "Russian or another language in Cyrillic": "\u0400-\u052f",
    "Greek": "\u0370-\u03ff",
    "Arabic or Persian": "\u0600-\u06ff\u0750-\u077f",
    "Hebrew": "\u0590-\u05ff",
    "Hindi or another language in Devanagari": "\u0900-\u097f",
    "Bengali": "\u0980-\u09ff",
    "Tamil": "\u0b80-\u0bff",
    "Thai": "\u0e00-\u0e7f",
    "Japanese": "\u3040-\u30ff",
    "Korean": "\uac00-\ud7af\u1100-\u11ff",
    "Chinese": "\u4e00-\u9fff",
    "": "A-Za-z\u00c0-\u024f\u1e00-\u1eff",
}
_SIGNS = re.compile("|".join(f"([{signs}]+)" for signs in _SCRIPTS.values()))
_NAMES = list(_SCRIPTS)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_CODE = re.compile(r"```.*?(?:```|$)|`[^`]*`|https?://\S+|[\w.]+\([^)]*\)|[{}<>=;]{1,}", re.DOTALL)

LOOKED_AT = 600
"""Characters of a text that are looked at."""


def language_of(text: str) -> str:
    """The language of a text; empty where its words do not tell it."""
    text = _CODE.sub(" ", text[:LOOKED_AT])
    told = None if text.isascii() else _by_script(text)
    return _by_words(text) if told is None else told


def _by_script(text: str) -> str | None:
    """The language that a script tells; None where it is Latin."""
    counts: Counter[str] = Counter()
    for run in _SIGNS.finditer(text):
        counts[_NAMES[int(run.lastindex or 1) - 1]] += run.end() - run.start()
    total, japanese = counts.total(), counts["Japanese"]
    if not total:
        return ""
    script, count = counts.most_common(1)[0]
    if 10 * count < 6 * total and not japanese:
        return ""
    if script == "Chinese" and 10 * japanese > total:
        return "Japanese"
    if not script:
        return None
    return script if count >= 2 * LEAST else ""


def _by_words(text: str) -> str:
    words = _WORD.findall(text.lower())
    if len(words) < LEAST:
        return ""
    votes: dict[str, float] = {}
    kinds: Counter[str] = Counter()
    for word, count in Counter(words).items():
        own = _OF_WORD.get(word, ())
        for name in own:
            votes[name] = votes.get(name, 0) + count / len(own)
            kinds[name] += 1
    if not votes:
        return ""
    best = max(votes, key=votes.__getitem__)
    share = votes.pop(best)
    second = max(votes.values(), default=0)
    sure = kinds[best] >= SURE and share >= 0.12 * len(words) and share >= 2 * second + 0.5
    return best if sure else ""
