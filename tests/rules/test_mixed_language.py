"""Languages are told by common words; where these fit several, or are few, nothing is told."""

from __future__ import annotations

import pytest

from datalint_rules.text._languages import language_of

SENTENCES = {
    "English": "So you go up a hill and then out to a lake she told me about",
    "Spanish": "El niño no me dijo nada sobre la casa que compraron en el centro",
    "Portuguese": "Ela foi ao mercado para comprar pão e leite no domingo",
    "Italian": "La casa di mio padre è molto grande e non so se la vende a me",
    "French": "Je ne sais pas si le train est a l'heure, on me dit que oui",
    "German": "Der alte Mann hat das nicht gewollt, aber er ist mit dem Zug gefahren",
    "Dutch": "Ik weet niet of de trein op tijd is, maar ze zeggen van wel",
    "Danish": "Huset er stort og han vil ikke sælge det til nogen",
    "Swedish": "Jag vet inte om tåget kommer i tid men de säger att det gör det",
    "Polish": "Nie wiem, co się stało z moim samochodem w nocy i kto to zrobił",
    "Czech": "To je dům, který můj otec postavil na vesnici",
    "Indonesian": "Saya tidak tahu apakah kereta itu akan datang tepat waktu atau tidak",
    "Japanese": "私は電車が時間どおりに来るかどうか分かりません",
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_is_in_its_language(name: str) -> None:
    assert language_of(SENTENCES[name]) == name


@pytest.mark.parametrize(
    "text",
    [
        "i do as a man as a woman do no mas a o e",  # words of English and of Portuguese
        "red green blue cyan white black brown grey",  # no common word
        "the cat is on it",  # too short
        "print(value) `for x in the_list`; https://example.org/the/of/and",
    ],
)
def test_where_words_do_not_tell_nothing_is_told(text: str) -> None:
    assert language_of(text) == ""
