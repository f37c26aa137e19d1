"""Conversations as people have them with an assistant, made of parts: no two are alike, and nothing is wrong with them."""

from __future__ import annotations

import numpy as np

ASKED = """How do I {do} {what}?|Can you explain how to {do} {what} in simple words?|What is the best way to {do} {what}?
I want to {do} {what} but it never works. What am I doing wrong?|Give me three tips on how to {do} {what}.
My friend says that nobody should {do} {what}. Is that true?|Write a short note about people who {do} {what}.
Which mistakes do beginners make when they {do} {what}?|Is it hard to {do} {what}?|Why would anybody {do} {what}?"""
DO = "repair|paint|clean|sell|store|design|measure|describe|carry|photograph|restore|build|order|choose|compare|weigh"
WHAT = """an old bicycle|a wooden chair|a kitchen knife|a pair of boots|a garden shed|a violin|a fishing boat|a glass jar
a leather bag|a stone wall|a wool coat|a clay pot|a paper lamp|a steel bridge|a stamp collection|a small radio
a telescope|a bread oven|a chess board|a rain barrel"""
FIRST = """It depends on how old it is, but most people start with a good look at it.|Start small and give yourself an afternoon.
That is a common question, and the answer is shorter than you may think.|There are several ways, and the cheapest is often enough.
The short answer is patience.|Before anything else, find out what it is made of.|You need less than you think: a cloth, water and time.
Yes, though it takes some practice.|No, as long as you keep a few rules in mind.|People disagree about this, so here is what most of them share."""
THEN = """Remove the dust first and let it dry overnight.|A soft brush reaches the corners that a cloth leaves out.
Write down what you did, because you will forget it by next week.|Do not use hot water, which makes the glue give way.
Measure twice and leave a finger's breadth on each side.|Ask a neighbour to hold the other end.
Cheap tools slip, and then the edge is gone.|In winter the material shrinks, so check it again in spring.
If you hear it creak, stop and look underneath.|Oil helps, but only a drop of it.|Sunlight fades the colour within two summers.
Keep the small parts in a labelled box.|Take a picture of every step so that you can go back.|The left side usually wears out first.
It costs between 20 and 35 euros, depending on where you live.|Some shops lend the tools for a day.
Wear gloves, since splinters are hard to find afterwards.|Test it on a spot that nobody sees.|Let an expert look at anything that carries weight.
After an hour the surface should feel dry and even.|Your library has a book with drawings of the joints."""
MINE = "The {who} whom I asked in {place} needed {number} tries and a {thing} for it, on a {mood} {day}."
OWN = {
    "who": "carpenter|nurse|gardener|sailor|baker|teacher|farmer|tailor|smith|clerk",
    "place": "Oslo|Turin|Leeds|Porto|Graz|Lyon|Ghent|Riga|Cork|Bergen|Malaga|Basel",
    "thing": "lamp|rope|hammer|brush|sponge|ladder|bucket|needle|magnet|funnel|chisel",
    "mood": "quiet|windy|long|cold|bright|rainy|late|slow|busy",
    "day": "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
}
AGAIN = """How long does that take?|And what if it breaks?|Thanks! Is there a cheaper way?|Can I do that indoors?|What should I buy first?
Could you say that again, but shorter?|Does it matter which colour it has?|What would you do next?"""


def _list(text: str) -> list[str]:
    return [part for line in text.splitlines() for part in line.split("|")]


def chats(count: int, seed: int = 0, most: int = 3) -> list[list[tuple[str, str]]]:
    """Conversations of one to ``most`` questions, each with its answer."""
    rng = np.random.default_rng(seed)
    made: dict[str, list[tuple[str, str]]] = {}
    while len(made) < count:
        asked = str(rng.choice(_list(ASKED))).format(do=rng.choice(DO.split("|")), what=rng.choice(_list(WHAT)))
        chat = [("user", asked)]
        for turn in range(int(rng.integers(1, most + 1))):
            if turn:
                chat.append(("user", str(rng.choice(_list(AGAIN)))))
            more = [str(text) for text in rng.choice(_list(THEN), int(rng.integers(2, 6)), replace=False)]
            own = {part: rng.choice(words.split("|")) for part, words in OWN.items()}
            more.insert(int(rng.integers(len(more))), MINE.format(number=rng.integers(2, 60), **own))
            chat.append(("assistant", " ".join([str(rng.choice(_list(FIRST))), *more])))
        made.setdefault(asked, chat)
    return list(made.values())
