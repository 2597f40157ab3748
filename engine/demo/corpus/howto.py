"""Short recipes and tips as numbered steps, written as Markdown lists.

Rows: questions | title | steps.
"""

from __future__ import annotations

from random import Random

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.phrasing import spin

HOW_TO: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("{How do I make|How can I make|Recipe for|How do you make|How to make|Tell me how to make|Can you explain how to make|What is the best way to make} {tea|a cup of tea}?", "Making tea is easy:", ("Boil some water.", "Put a tea bag into a cup.", "Pour the hot water over it.", "Wait three minutes and take out the bag.", "Add milk or sugar if you like.")),
    ("{How do I make|How can I make|Recipe for|How do you make|How to make|Tell me how to make|How should I make} {coffee|a cup of coffee}?", "Making coffee is easy:", ("Boil some water.", "Put two spoons of ground coffee into a filter.", "Pour the hot water over it slowly.", "Let it drip into the cup and enjoy.")),
    ("{How do I make|How can I make|Recipe for|How do I cook|How do you make|How to make|Give me a recipe for|Tell me how to make|I want to make} pancakes?", "Here is a simple recipe:", ("Mix one cup of flour, one cup of milk and one egg.", "Add a pinch of salt.", "Heat some butter in a pan.", "Pour in a little batter and fry both sides until golden.", "Serve with honey or fruit.")),
    ("{How do I make|How can I make|Recipe for|How do you make|How to make|Give me a recipe for} {a sandwich|a cheese sandwich|sandwiches}?", "Here is how:", ("Take two slices of bread.", "Spread some butter on them.", "Add cheese and tomato.", "Put the slices together and enjoy.")),
    ("{How do I boil|How can I boil|How long do I boil|How do I cook|How to boil|How do you boil} {an egg|eggs|the perfect egg}?", "Here is how:", ("Bring water to the boil in a small pot.", "Put in the egg with a spoon.", "Wait six minutes for a soft egg or ten for a hard one.", "Cool it under cold water.")),
    ("{How do I cook|How do I make|How can I cook|How to cook|Recipe for|How do you cook} {pasta|spaghetti|noodles}?", "Here is how:", ("Boil plenty of water with a little salt.", "Add the pasta and stir.", "Cook it for about ten minutes.", "Drain the water and add a sauce.")),
    ("{How do I cook|How do I make|How can I cook|How to cook|How do you cook} rice?", "Here is how:", ("Rinse one cup of rice.", "Put it into a pot with two cups of water and some salt.", "Bring it to the boil, then turn down the heat.", "Cover it and wait about fifteen minutes.")),
    ("{How do I|How can I|How to|How should I|What is the best way to|Tips to} {learn to code|learn programming|learn Python|start coding|become a programmer|get started with programming}?", "Start small:", ("Install Python.", "Write a program that prints hello.", "Learn about variables, loops and functions.", "Build something you like.", "Practise every day.")),
    ("{How can I|How do I|How to|Tips to|What can I do to|I can't sleep, how can I} {sleep better|fall asleep|get better sleep|sleep well}?", "Here are some tips:", ("Go to bed at the same time every day.", "Keep your room dark and cool.", "Put your phone away an hour before bed.", "Avoid coffee late in the day.")),
    ("{How can I|How do I|How to|Tips to|What should I do to} {stay healthy|live a healthy life|get fit|be healthier|stay fit}?", "A few simple habits help:", ("Eat fruit and vegetables.", "Drink enough water.", "Move your body every day.", "Sleep about eight hours.", "Spend time with people you like.")),
    ("{How do I write|How can I write|Tips for|Give me tips for|What makes|How to write} a good prompt?", "Here are three tips:", ("Be clear and short.", "Say what form the answer should have.", "Give an example.")),
    ("{How do I|How can I|How to|How do you|Tell me how to} {plant a tree|grow a plant|grow tomatoes|plant a seed|grow flowers}?", "Here is how:", ("Choose a sunny place.", "Dig a small hole and put the plant or seed into it.", "Cover it with soil.", "Water it often and be patient.")),
    ("{How do I|How can I|How to|What is a good way to} {study better|learn better|learn for a test|study for an exam|prepare for an exam|focus better}?", "Here are some tips:", ("Make a plan and start early.", "Study in short blocks with breaks.", "Explain the subject in your own words.", "Sleep well before the test.")),
    ("{How do I|How can I|How to} {make friends|find friends|meet new people|make new friends}?", "Here are some tips:", ("Join a club or a class.", "Smile and ask people about themselves.", "Listen well.", "Be kind and be patient.")),
    ("{How do I|How can I|How to|What should I do to} {wash my hands|wash hands|clean my hands}?", "Here is how:", ("Wet your hands with water.", "Use soap and rub for twenty seconds.", "Rinse them well.", "Dry them with a clean towel.")),
    ("{How do I|How can I|How to|How do you} {calm down|relax|reduce stress|deal with stress|feel less stressed}?", "Here are some tips:", ("Take ten slow breaths.", "Go for a short walk.", "Talk to a friend.", "Do one small thing at a time.")),
)  # fmt: skip
COMPARED: tuple[tuple[str, str], ...] = (
    ("{Compare cats and dogs|Cats or dogs|What is the difference between cats and dogs|Compare dogs and cats|What is the difference between a cat and a dog}{ in a table|}{?|.|}", "| | Cat | Dog |\n| --- | --- | --- |\n| Sound | meow | woof |\n| Likes | sleeping | playing |\n| Needs walks | no | yes |"),
    ("{Compare a CPU and a GPU|What is the difference between a CPU and a GPU|CPU or GPU|GPU versus CPU|CPU vs GPU|Compare CPU and GPU}{ in a table|}{?|.|}", "| | CPU | GPU |\n| --- | --- | --- |\n| Works on | a few things at a time | thousands of things at a time |\n| Good for | most programs | graphics and language models |"),
    ("{Compare Python and JavaScript|What is the difference between Python and JavaScript|Python or JavaScript|Python vs JavaScript}{ in a table|}{?|.|}", "| | Python | JavaScript |\n| --- | --- | --- |\n| Runs in | a program called Python | every browser |\n| Used for | data and scripts | web pages |"),
    ("{Compare tea and coffee|Tea or coffee|What is the difference between tea and coffee|Compare coffee and tea}{ in a table|}{?|.|}", "| | Tea | Coffee |\n| --- | --- | --- |\n| Made from | leaves | roasted beans |\n| Wakes you up | a little | more |"),
    ("{Compare the sun and the moon|What is the difference between the sun and the moon}{ in a table|}{?|.|}", "| | Sun | Moon |\n| --- | --- | --- |\n| What it is | a star | a ball of rock |\n| Gives light | its own | from the sun |"),
)  # fmt: skip


def how_to(rng: Random) -> list[Turn]:
    """Give numbered steps for an everyday task."""
    questions, title, steps = rng.choice(HOW_TO)
    body = "\n".join(f"{place}. {step}" for place, step in enumerate(steps, 1))
    return [Turn(spin(rng, questions), f"{title}\n\n{body}")]


def comparing(rng: Random) -> list[Turn]:
    """Compare two well-known things in a Markdown table."""
    questions, table = rng.choice(COMPARED)
    return [Turn(spin(rng, questions), table)]
