"""Single words and a few phrases in Spanish, French, German and Italian.

Source: general knowledge, written down by hand.
"""

from __future__ import annotations

from random import Random

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.phrasing import capitalise, spin

_ENGLISH = (
    "hello goodbye thanks cat dog house water bread sun moon book friend red blue green yes no milk apple night day "
    "good_morning please tree fish bird love white black one two three mother father school cheese car city sea"
)
_WORDS = {
    "Spanish": "hola adiós gracias gato perro casa agua pan sol luna libro amigo rojo azul verde sí no leche manzana noche día "
    "buenos_días por_favor árbol pez pájaro amor blanco negro uno dos tres madre padre escuela queso coche ciudad mar",
    "French": "bonjour au_revoir merci chat chien maison eau pain soleil lune livre ami rouge bleu vert oui non lait pomme nuit jour "
    "bonjour s'il_vous_plaît arbre poisson oiseau amour blanc noir un deux trois mère père école fromage voiture ville mer",
    "German": "hallo auf_Wiedersehen danke Katze Hund Haus Wasser Brot Sonne Mond Buch Freund rot blau grün ja nein Milch Apfel Nacht Tag "
    "guten_Morgen bitte Baum Fisch Vogel Liebe weiß schwarz eins zwei drei Mutter Vater Schule Käse Auto Stadt Meer",
    "Italian": "ciao arrivederci grazie gatto cane casa acqua pane sole luna libro amico rosso blu verde sì no latte mela notte giorno "
    "buongiorno per_favore albero pesce uccello amore bianco nero uno due tre madre padre scuola formaggio macchina città mare",
}


def _table() -> dict[str, dict[str, str]]:
    english = [word.replace("_", " ") for word in _ENGLISH.split()]
    return {
        language: dict(zip(english, (word.replace("_", " ") for word in words.split()), strict=True))
        for language, words in _WORDS.items()
    }


WORDS = _table()
_UNKNOWN = tuple("umbrella keyboard philosophy helicopter volcano sandwich wardrobe bottle wisdom engine thunder carpet lawyer".split())
_ODD_LANGUAGES = ("Chinese", "Japanese", "Russian", "Arabic", "Dutch", "Swedish", "Polish", "Greek", "Latin", "Korean", "Turkish", "Hindi")
REFUSALS = (
    "I do not know that one. I only know some simple words in Spanish, French, German and Italian.",
    "Sorry, I cannot translate that. I only know a few simple words in Spanish, French, German and Italian.",
)
_ASK = (
    "{How do you say|How do I say|How would you say|How does one say} <q> in <l>?",
    "{What is|What's|Whats} <q> in <l>?",
    "{Translate|Please translate|Can you translate|Could you translate} <q> {into|to} <l>{.|?}",
    "What is the <l> {word|term|translation} {for|of} <q>?",
    "{<q> in <l>|The <l> word for <q>|<l> for <q>|Say <q> in <l>|Tell me <q> in <l>}{?|.|}",
    "What do {they|people} say for <q> in <l>?",
    "{How do people who speak <l> say <q>|How does a <l> person say <q>|A <l> person says what for <q>|What do speakers of <l> say for <q>|What is <q> for somebody who speaks <l>|The word <q>, what is it in <l>|<l> please: <q>|My <l> homework: what is <q>|I want to say <q> in <l>|If I speak <l>, how do I say <q>|Do you know the <l> for <q>|Write <q> in <l>}{?|.|}",
)


def translations(rng: Random) -> list[Turn]:
    """Translate one known word, sometimes into a second language; refuse unknown ones."""
    language = rng.choice(tuple(WORDS))
    if rng.random() < 0.12:
        if rng.random() < 0.5:
            language = rng.choice(_ODD_LANGUAGES)
            word = rng.choice(tuple(WORDS["French"]))
        else:
            word = rng.choice((rng.choice(_UNKNOWN), "I would like to buy a train ticket", "where is the nearest hotel", "the weather is nice"))
        return [Turn(capitalise(spin(rng, rng.choice(_ASK), q=word, l=language)), rng.choice(REFUSALS), "Unknown")]
    word, answer = rng.choice(tuple(WORDS[language].items()))
    shown = word if rng.random() < 0.6 else f'"{word}"'
    turns = [
        Turn(
            capitalise(spin(rng, rng.choice(_ASK), q=shown, l=language)),
            f'In {language}, "{word}" is "{answer}".',
            capitalise(answer) if " " not in answer else None,
        )
    ]
    if rng.random() < 0.25:
        other = rng.choice([name for name in WORDS if name != language])
        follow = spin(rng, "{And in <l>|What about <l>|In <l>|How about <l>|And <l>}?", l=other)
        turns.append(Turn(follow, f'In {other}, "{word}" is "{WORDS[other][word]}".'))
    return turns
