"""Capitals, continents and languages of countries.

Source: general knowledge, written down by hand.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.phrasing import capitalise, invented, spin

_TABLE = """
Europe|Albania:Tirana:Albanian Andorra:Andorra_la_Vella:Catalan Austria:Vienna:German Belarus:Minsk:Belarusian
Europe|Belgium:Brussels:Dutch,_French_and_German Bosnia_and_Herzegovina:Sarajevo:Bosnian Bulgaria:Sofia:Bulgarian Croatia:Zagreb:Croatian
Europe|Cyprus:Nicosia:Greek Czechia:Prague:Czech Denmark:Copenhagen:Danish England:London:English Estonia:Tallinn:Estonian
Europe|Finland:Helsinki:Finnish France:Paris:French Germany:Berlin:German Greece:Athens:Greek Hungary:Budapest:Hungarian
Europe|Iceland:Reykjavik:Icelandic Ireland:Dublin:English_and_Irish Italy:Rome:Italian Latvia:Riga:Latvian Liechtenstein:Vaduz:German
Europe|Lithuania:Vilnius:Lithuanian Luxembourg:Luxembourg:Luxembourgish Malta:Valletta:Maltese Moldova:Chisinau:Romanian
Europe|Monaco:Monaco:French Montenegro:Podgorica:Montenegrin Netherlands:Amsterdam:Dutch North_Macedonia:Skopje:Macedonian
Europe|Norway:Oslo:Norwegian Poland:Warsaw:Polish Portugal:Lisbon:Portuguese Romania:Bucharest:Romanian Russia:Moscow:Russian
Europe|San_Marino:San_Marino:Italian Scotland:Edinburgh:English Serbia:Belgrade:Serbian Slovakia:Bratislava:Slovak
Europe|Slovenia:Ljubljana:Slovene Spain:Madrid:Spanish Sweden:Stockholm:Swedish Switzerland:Bern:German,_French_and_Italian
Europe|Ukraine:Kyiv:Ukrainian United_Kingdom:London:English Wales:Cardiff:English_and_Welsh
Asia|Afghanistan:Kabul:Pashto_and_Dari Armenia:Yerevan:Armenian Azerbaijan:Baku:Azerbaijani Bahrain:Manama:Arabic
Asia|Bangladesh:Dhaka:Bengali Bhutan:Thimphu:Dzongkha Cambodia:Phnom_Penh:Khmer China:Beijing:Chinese Georgia:Tbilisi:Georgian
Asia|India:New_Delhi:Hindi_and_English Indonesia:Jakarta:Indonesian Iran:Tehran:Persian Iraq:Baghdad:Arabic Israel:Jerusalem:Hebrew
Asia|Japan:Tokyo:Japanese Jordan:Amman:Arabic Kazakhstan:Astana:Kazakh Kuwait:Kuwait_City:Arabic Kyrgyzstan:Bishkek:Kyrgyz
Asia|Laos:Vientiane:Lao Lebanon:Beirut:Arabic Malaysia:Kuala_Lumpur:Malay Maldives:Male:Dhivehi Mongolia:Ulaanbaatar:Mongolian
Asia|Myanmar:Naypyidaw:Burmese Nepal:Kathmandu:Nepali North_Korea:Pyongyang:Korean Oman:Muscat:Arabic Pakistan:Islamabad:Urdu
Asia|Philippines:Manila:Filipino Qatar:Doha:Arabic Saudi_Arabia:Riyadh:Arabic Singapore:Singapore:English South_Korea:Seoul:Korean
Asia|Sri_Lanka:Colombo:Sinhala_and_Tamil Syria:Damascus:Arabic Tajikistan:Dushanbe:Tajik Thailand:Bangkok:Thai Turkey:Ankara:Turkish
Asia|Turkmenistan:Ashgabat:Turkmen United_Arab_Emirates:Abu_Dhabi:Arabic Uzbekistan:Tashkent:Uzbek Vietnam:Hanoi:Vietnamese Yemen:Sanaa:Arabic
Africa|Algeria:Algiers:Arabic Angola:Luanda:Portuguese Benin:Porto-Novo:French Botswana:Gaborone:English Burkina_Faso:Ouagadougou:French
Africa|Cameroon:Yaounde:French_and_English Chad:N'Djamena:French_and_Arabic Egypt:Cairo:Arabic Eritrea:Asmara:Tigrinya Ethiopia:Addis_Ababa:Amharic
Africa|Gabon:Libreville:French Gambia:Banjul:English Ghana:Accra:English Guinea:Conakry:French Ivory_Coast:Yamoussoukro:French
Africa|Kenya:Nairobi:Swahili_and_English Liberia:Monrovia:English Libya:Tripoli:Arabic Madagascar:Antananarivo:Malagasy Malawi:Lilongwe:English
Africa|Mali:Bamako:French Morocco:Rabat:Arabic Mozambique:Maputo:Portuguese Namibia:Windhoek:English Niger:Niamey:French
Africa|Nigeria:Abuja:English Rwanda:Kigali:Kinyarwanda Senegal:Dakar:French Sierra_Leone:Freetown:English Somalia:Mogadishu:Somali
Africa|South_Africa:Pretoria:eleven_official_languages Sudan:Khartoum:Arabic Tanzania:Dodoma:Swahili Togo:Lome:French Tunisia:Tunis:Arabic
Africa|Uganda:Kampala:English_and_Swahili Zambia:Lusaka:English Zimbabwe:Harare:English
North America|Bahamas:Nassau:English Barbados:Bridgetown:English Belize:Belmopan:English Canada:Ottawa:English_and_French
North America|Costa_Rica:San_Jose:Spanish Cuba:Havana:Spanish Dominican_Republic:Santo_Domingo:Spanish El_Salvador:San_Salvador:Spanish
North America|Guatemala:Guatemala_City:Spanish Haiti:Port-au-Prince:French Honduras:Tegucigalpa:Spanish Jamaica:Kingston:English
North America|Mexico:Mexico_City:Spanish Nicaragua:Managua:Spanish Panama:Panama_City:Spanish United_States:Washington:English
South America|Argentina:Buenos_Aires:Spanish Bolivia:Sucre:Spanish Brazil:Brasilia:Portuguese Chile:Santiago:Spanish Colombia:Bogota:Spanish
South America|Ecuador:Quito:Spanish Guyana:Georgetown:English Paraguay:Asuncion:Spanish Peru:Lima:Spanish Suriname:Paramaribo:Dutch
South America|Uruguay:Montevideo:Spanish Venezuela:Caracas:Spanish
Oceania|Australia:Canberra:English Fiji:Suva:English New_Zealand:Wellington:English Papua_New_Guinea:Port_Moresby:English Samoa:Apia:Samoan
"""
_WITH_ARTICLE = frozenset(
    "Netherlands Bahamas Philippines Maldives Gambia United_Kingdom United_States United_Arab_Emirates Dominican_Republic".split()
)
# The countries that people ask about most: they are drawn more often.
FAMILIAR = (
    *("France Germany Italy Spain Portugal Poland Austria Belgium Denmark Sweden Norway Finland Greece Ireland Hungary Russia Ukraine "
    "Turkey Egypt Kenya Nigeria Morocco Japan China India Thailand Vietnam Canada Mexico Brazil Argentina Chile Peru Australia "
    "Iceland Switzerland England Cuba").split(),
    "the Netherlands", "the United States", "the United Kingdom", "South Korea", "South Africa", "New Zealand",
)  # fmt: skip


class Country(NamedTuple):
    """Hold what the corpus knows of one country; names carry their article ("the Netherlands")."""

    capital: str
    continent: str
    language: str


def _read(table: str) -> dict[str, Country]:
    countries: dict[str, Country] = {}
    for line in table.split("\n"):
        if not line:
            continue
        continent, entries = line.split("|")
        for entry in entries.split():
            name, capital, language = entry.split(":")
            shown = ("the " if name in _WITH_ARTICLE else "") + name.replace("_", " ")
            countries[shown] = Country(capital.replace("_", " "), continent, language.replace("_", " "))
    return countries


COUNTRIES = _read(_TABLE)
_NAMES = tuple(COUNTRIES)

CAPITAL_QUESTIONS = (
    "{What is|What's|Whats|Tell me|Name|Give me|Say} the capital {city |}of <x>?",
    "{Which|What} city is the capital {city |}of <x>?",
    "{<x>'s capital|Capital of <x>|Capital city of <x>|The capital of <x>|<X> capital}?",
    "What is <x>'s capital{ city|}?",
    "{I need|I'm looking for|I forgot|I want to know|I would like to know} the capital of <x>.",
    "What is the {name of the |}capital {city |}{in|for} <x>?",
    "What {do you call the capital|is the main city and seat of government} of <x>?",
    "{Do you know|Can you name|Can you tell me|Could you tell me} the capital of <x>?",
    "What city is <x>'s capital?",
)
_NO_CAPITAL = (
    "I do not know that country, so I cannot name its capital. I know the capitals of most real countries.",
    "Sorry, I do not know a country with that name. Try France or Japan.",
)


def _country(rng: Random) -> str:
    return rng.choice(FAMILIAR) if rng.random() < 0.45 else rng.choice(_NAMES)


def _about_the_last(rng: Random, name: str) -> Turn:
    """Ask more about the country that was just named, without naming it again."""
    country = COUNTRIES[name]
    if rng.random() < 0.5:
        user = spin(
            rng,
            "{Which continent is it on|On which continent is it|What continent is that|On what continent is that|Where is it|Where is that|Where is that located|And the continent"
            "|Which continent|Where in the world is that|And where is that country|In which part of the world is it|What continent is the country on}{?|}",
        )  # fmt: skip
        return Turn(user, f"{capitalise(name)} is in {country.continent}.", country.continent)
    user = spin(
        rng,
        "{What language do they speak there|Which language is spoken there|What do people speak there|What is the language there|And the language|Which language"
        "|What do they speak|In which language do people talk there|What language do people there speak|And which language do they use}{?|}",
    )  # fmt: skip
    word = country.language.split()[0].strip(",")
    return Turn(user, f"People in {name} speak {country.language}.", "Many" if word == "eleven" else word)


def capitals(rng: Random) -> list[Turn]:
    """Ask for one capital, sometimes for several in a row."""
    if rng.random() < 0.05:
        country = capitalise(invented(rng)) + rng.choice(("", "land", "ia", "stan", "nia"))
        return [Turn(spin(rng, rng.choice(CAPITAL_QUESTIONS), x=country, X=country), rng.choice(_NO_CAPITAL), "Unknown")]
    turns: list[Turn] = []
    for place in range(rng.choice((1, 1, 1, 2, 3))):
        country = _country(rng)
        capital = COUNTRIES[country].capital
        template = rng.choice(CAPITAL_QUESTIONS)
        if place and rng.random() < 0.6:
            template = "{And of|And for|What about|How about|And what about|And} <x>?"
        user = capitalise(spin(rng, template, x=country, X=country.removeprefix("the ")))
        answer = spin(rng, "{The capital of <x> is <a>.|The capital of <x> is **<a>**.}", x=country, a=capital)
        turns.append(Turn(user, answer, capital))
    if rng.random() < 0.12:
        turns.append(_about_the_last(rng, country))
    return turns


def places(rng: Random) -> list[Turn]:
    """Ask for a continent, a language or the country of a capital."""
    name = _country(rng)
    country = COUNTRIES[name]
    draw = rng.random()
    if draw < 0.35:
        user = spin(
            rng,
            "{On which continent is <x>|Which continent is <x> in|What continent is <x> on|Where is <x>"
            "|Where in the world is <x>|Where is <x> located|In which part of the world is <x>"
            "|What continent does <x> belong to}?",
            x=name,
        )
        return [Turn(user, f"{capitalise(name)} is in {country.continent}.", country.continent)]
    if draw < 0.65:
        user = spin(
            rng,
            "{What language do people speak in <x>|Which language is spoken in <x>|What do they speak in <x>"
            "|What is the language of <x>|What languages are spoken in <x>|Which language do they speak in <x>"
            "|What is the official language of <x>|What language is used in <x>}?",
            x=name,
        )
        word = country.language.split()[0].strip(",")
        answer = spin(rng, "{People in <x> speak <a>.|In <x>, people speak <a>.}", x=name, a=country.language)
        return [Turn(user, answer, "Many" if word == "eleven" else word)]
    user = spin(
        rng,
        "{Which country has the capital <x>|<x> is the capital of which country|Of which country is <x> the capital"
        "|Which country is <x> in|What country is <x> the capital of|In which country is <x>|Where is <x>}?",
        x=country.capital,
    )
    if country.capital == "London":
        name = "England"
    return [Turn(user, f"{country.capital} is the capital of {name}.", capitalise(name.removeprefix("the ")))]
