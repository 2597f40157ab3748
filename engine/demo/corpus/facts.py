"""Small facts of the world: questions with one right answer.

Source: general knowledge, written down by hand. Each row: questions | answer | the answer in one word.
"""

from __future__ import annotations

from random import Random

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.phrasing import article, capitalise, spin

# Questions are templates of `phrasing.spin`.
FACTS: tuple[tuple[str, str, str], ...] = (
    ("{How many days {are in a week|are there in a week|does a week have}|How many days in a week|How long is a week|Number of days in a week}?", "A week has seven days.", "Seven"),
    ("{How many months {are in a year|are there in a year|does a year have}|How many months in a year|Number of months in a year}?", "A year has twelve months.", "Twelve"),
    ("{How many days {are in a year|are there in a year|does a year have}|How many days in a year|How long is a year}?", "A year has 365 days, and a leap year has 366.", "365"),
    ("{How many hours {are in a day|are there in a day|does a day have}|How many hours in a day|How long is a day|Number of hours in a day}?", "A day has 24 hours.", "24"),
    ("{How many minutes {are in an hour|are there in an hour|does an hour have}|How many minutes in an hour|How long is an hour}?", "An hour has 60 minutes.", "60"),
    ("{How many seconds {are in a minute|are there in a minute|does a minute have}|How many seconds in a minute|How long is a minute}?", "A minute has 60 seconds.", "60"),
    ("{How many weeks {are in a year|are there in a year|does a year have}|How many weeks in a year}?", "A year has 52 weeks and one or two days.", "52"),
    ("{How many planets {are there|does the sun have|are in the solar system|go around the sun|does our solar system have}|What is the number of planets}?", "There are eight planets around our sun.", "Eight"),
    ("{What is the {largest|biggest} planet|Among the planets, which one is the {largest|biggest}|Which planet is {larger|bigger} than the others|The {largest|biggest} of the planets is which|Which planet is the {largest|biggest}|Name the {largest|biggest} planet|What's the {largest|biggest} planet in the solar system}?", "Jupiter is the largest planet of our solar system.", "Jupiter"),
    ("{What is the smallest planet|Which planet is the smallest|Name the smallest planet|What's the smallest planet in the solar system}?", "Mercury is the smallest planet of our solar system.", "Mercury"),
    ("{Which planet is closest to the sun|What planet is nearest to the sun|What is the first planet from the sun}?", "Mercury is the planet closest to the sun.", "Mercury"),
    ("{Which planet is called the red planet|Which planet do people call the red planet|What planet has the name red planet|What is the red planet|Which planet is red}?", "Mars is called the red planet.", "Mars"),
    ("{Which planet has rings|Which planet is famous for its rings|What planet has big rings}?", "Saturn is famous for its rings.", "Saturn"),
    ("{Which is the hottest planet|What is the hottest planet|Which planet is the hottest}?", "Venus is the hottest planet, because its thick air keeps the heat in.", "Venus"),
    ("{Which planet do we live on|What planet do we live on|On which planet do people live|What is our planet called}?", "We live on the planet Earth.", "Earth"),
    ("{What is the tallest animal|Which animal stands taller than any other|Which animal is taller than all the rest|Of all the animals, which is the tallest|Among animals, which one is the tallest|What animal gets taller than the others|No animal is taller than which one|Which animal is the tallest|Name the tallest animal|What's the tallest animal {in the world|on earth}}?", "The giraffe is the tallest animal.", "Giraffe"),
    ("{What is the {largest|biggest} animal|Which animal is {larger|bigger} than any other|Of all the animals, which is the {largest|biggest}|What animal is the {largest|biggest} of all|Which animal is the {largest|biggest}|Name the {largest|biggest} animal|What's the {largest|biggest} animal {in the world|on earth}}?", "The blue whale is the largest animal.", "Whale"),
    ("{What is the {largest|biggest} land animal|Which land animal is the {largest|biggest}|What is the {largest|biggest} animal on land}?", "The African elephant is the largest animal on land.", "Elephant"),
    ("{What is the fastest {land animal|animal on land|animal}|Of all the animals, which is the fastest|Which animal runs faster than any other|What animal runs fastest|Which animal is the fastest|Which animal runs the fastest|Name the fastest animal}?", "The cheetah is the fastest animal on land.", "Cheetah"),
    ("{What is the slowest animal|Which animal is the slowest|Which animal is very slow}?", "The sloth is one of the slowest animals.", "Sloth"),
    ("{What is the {largest|biggest} bird|Which bird is the {largest|biggest}|Name the {largest|biggest} bird}?", "The ostrich is the largest bird.", "Ostrich"),
    ("{What is the {king|ruler} of {the jungle|animals|the beasts}|Which animal is called the king of {the jungle|animals}}?", "The lion is called the king of animals.", "Lion"),
    ("{What is the {highest|tallest} mountain|Among mountains, which one is the {highest|tallest}|Which mountain is {higher|taller} than any other|Of the mountains of the world, which is {highest|tallest}|What mountain is the {highest|tallest} of all|Out of all the mountains, name the {highest|tallest}|Which mountain is the {highest|tallest}|Name the {highest|tallest} mountain|What's the {highest|tallest} mountain {in the world|on earth}}?", "Mount Everest is the highest mountain on earth.", "Everest"),
    ("{What is the {largest|biggest} ocean|Of all the oceans, which is the {largest|biggest}|Among the oceans, which one is the {largest|biggest}|Which ocean is {larger|bigger} than the others|Which ocean is the {largest|biggest}|Name the {largest|biggest} ocean}?", "The Pacific is the largest ocean.", "Pacific"),
    ("{What is the {largest|biggest} country|Which country is the {largest|biggest}|Name the {largest|biggest} country}?", "Russia is the largest country by area.", "Russia"),
    ("{What is the smallest country|Which country is the smallest|Name the smallest country}?", "Vatican City is the smallest country.", "Vatican"),
    ("{What is the {largest|biggest} continent|Which continent is the {largest|biggest}|Name the {largest|biggest} continent}?", "Asia is the largest continent.", "Asia"),
    ("{What is the smallest continent|Which continent is the smallest}?", "Australia is the smallest continent.", "Australia"),
    ("{How many continents are there|How many continents does the earth have|Number of continents}?", "There are seven continents.", "Seven"),
    ("{How many oceans are there|How many oceans does the earth have|Number of oceans}?", "There are five oceans.", "Five"),
    ("{What is the {largest|biggest} {hot |}desert|Which {hot |}desert is the {largest|biggest}}?", "The Sahara is the largest hot desert.", "Sahara"),
    ("{At what temperature does water freeze|At what temperature does water become ice|At how many degrees does water freeze|When does water turn into ice|When does water freeze|What is the freezing point of water|How cold must it be for water to freeze}?", "Water freezes at 0 degrees Celsius.", "Zero"),
    ("{At what temperature does water boil|How hot is boiling water|At how many degrees does water boil|When does water boil|What is the boiling point of water|How hot must water be to boil}?", "Water boils at 100 degrees Celsius.", "100"),
    ("{How many letters {are in the alphabet|are there in the alphabet|does the English alphabet have|does the alphabet have}|Number of letters in the alphabet}?", "The English alphabet has 26 letters.", "26"),
    ("{How many vowels are there|How many vowels does English have|How many vowels are in the alphabet}?", "There are five vowels: a, e, i, o and u.", "Five"),
    ("{What are the vowels|Which letters are vowels|Name the vowels}?", "The vowels are a, e, i, o and u.", "AEIOU"),
    ("{Is the earth {round|flat|a ball}|What shape is the earth|What is the shape of the earth}?", "The earth is round, almost like a ball.", "Round"),
    ("{What do bees make|What do bees produce|What do we get from bees|What food do bees give us|Bees make what|What sweet thing do bees make|What product comes from bees|What is it that bees make|Name the thing that bees make|What is made by bees|What food comes from bees}?", "Bees make honey.", "Honey"),
    ("{What do {cows|horses|sheep} eat|What do {cows|sheep|horses} like to eat}?", "They mostly eat grass.", "Grass"),
    ("{What do pandas eat|What is the food of pandas}?", "Pandas mostly eat bamboo.", "Bamboo"),
    ("{What do {rabbits|bunnies} eat|What do rabbits like to eat}?", "Rabbits eat grass, leaves and vegetables.", "Grass"),
    ("{Where do {fish|whales|sharks} live|In what do fish live}?", "They live in the water.", "Water"),
    ("{Where do penguins live|Where are penguins from}?", "Most penguins live in the cold south, around Antarctica.", "Antarctica"),
    ("{Where do kangaroos live|Where are kangaroos from}?", "Kangaroos live in Australia.", "Australia"),
    ("{Where do camels live|Where do you find camels}?", "Camels live in deserts.", "Desert"),
    ("{What is H2O|What is H2O called|What does H2O mean|What is the common name of H2O}?", "H2O is water.", "Water"),
    ("{What gas do {we|people|humans} {breathe|need to breathe}|Which gas do we need to breathe|What do we need from the air}?", "We need oxygen from the air.", "Oxygen"),
    ("{What gas do plants {take in|need}|Which gas do plants use}?", "Plants take in carbon dioxide and give off oxygen.", "Carbon"),
    ("{What is ice made of|What does ice consist of}?", "Ice is frozen water.", "Water"),
    ("{What is bread made of|What do you need to make bread}?", "Bread is made of flour, water, yeast and a little salt.", "Flour"),
    ("{What is cheese made of|What is cheese made from|From what is cheese made}?", "Cheese is made from milk.", "Milk"),
    ("{What is wine made of|What is wine made from|From what is wine made}?", "Wine is made from grapes.", "Grapes"),
    ("{What is paper made of|What is paper made from|From what is paper made}?", "Paper is made from wood.", "Wood"),
    ("{What is glass made of|What is glass made from|From what is glass made}?", "Glass is made from sand.", "Sand"),
    ("{What is chocolate made of|What is chocolate made from|From what is chocolate made}?", "Chocolate is made from cocoa beans.", "Cocoa"),
    ("{Where does milk come from|Which animal gives us milk|What animal gives milk}?", "Most of our milk comes from cows.", "Cows"),
    ("{Where does wool come from|Which animal gives us wool}?", "Wool comes from sheep.", "Sheep"),
    ("{Where do eggs come from|Which animal lays the eggs we eat}?", "Most of the eggs we eat come from hens.", "Hens"),
    ("{How many legs does a spider have|How many legs has a spider|Number of legs of a spider}?", "A spider has eight legs.", "Eight"),
    ("{How many legs does an insect have|How many legs do insects have|How many legs does an ant have}?", "An insect has six legs.", "Six"),
    ("{How many arms does an octopus have|How many arms has an octopus}?", "An octopus has eight arms.", "Eight"),
    ("{How many hearts does an octopus have|How many hearts has an octopus}?", "An octopus has three hearts.", "Three"),
    ("{How many fingers does a {person|human|hand} have|How many fingers do we have}?", "A person has ten fingers, five on each hand.", "Ten"),
    ("{How many eyes does a {person|human} have|How many eyes do people have}?", "A person has two eyes.", "Two"),
    ("{How many teeth does an adult have|How many teeth do adults have|How many teeth does a person have}?", "Most adults have 32 teeth.", "32"),
    ("{How many bones does an adult have|How many bones are in the human body|How many bones do people have}?", "An adult has 206 bones.", "206"),
    ("{What {pumps|moves} {the |}blood through the body|Which organ pumps {the |}blood}?", "The heart pumps blood through the body.", "Heart"),
    ("{What do we use to see|With what do we see|Which part of the body do we see with}?", "We see with our eyes.", "Eyes"),
    ("{What do we use to hear|With what do we hear|Which part of the body do we hear with}?", "We hear with our ears.", "Ears"),
    ("{How many wheels does a {car|normal car} have|How many wheels has a car}?", "A car has four wheels.", "Four"),
    ("{How many wheels does a {bicycle|bike} have|How many wheels has a bicycle}?", "A bicycle has two wheels.", "Two"),
    ("{How many wheels does a tricycle have|How many wheels has a tricycle}?", "A tricycle has three wheels.", "Three"),
    ("{How many sides does a triangle have|How many sides has a triangle}?", "A triangle has three sides.", "Three"),
    ("{How many sides does a square have|How many sides has a square}?", "A square has four sides.", "Four"),
    ("{How many sides does a hexagon have|How many sides has a hexagon}?", "A hexagon has six sides.", "Six"),
    ("{How many strings does a guitar have|How many strings has a guitar}?", "Most guitars have six strings.", "Six"),
    ("{How many strings does a violin have|How many strings has a violin}?", "A violin has four strings.", "Four"),
    ("{How many colors does a rainbow have|How many colours are in a rainbow|How many colors are in the rainbow}?", "A rainbow is said to have seven colours.", "Seven"),
    ("{What are the {primary colors|primary colours}|Name the primary colors}?", "In painting, the primary colours are red, yellow and blue.", "Red"),
    ("{What {color|colour} do you get when you mix blue and yellow|What do blue and yellow make|Blue and yellow make what}?", "Blue and yellow make green.", "Green"),
    ("{What {color|colour} do you get when you mix red and yellow|What do red and yellow make|Red and yellow make what}?", "Red and yellow make orange.", "Orange"),
    ("{What {color|colour} do you get when you mix red and blue|What do red and blue make|Red and blue make what}?", "Red and blue make purple.", "Purple"),
    ("{What {color|colour} do you get when you mix black and white|What do black and white make}?", "Black and white make grey.", "Grey"),
    ("{Which season is the coldest|What is the coldest season|What season is cold}?", "Winter is the coldest season.", "Winter"),
    ("{Which season is the warmest|What is the hottest season|What season is hot}?", "Summer is the warmest season.", "Summer"),
    ("{How many seasons are there|How many seasons does a year have|How many seasons are in a year}?", "There are four seasons: spring, summer, autumn and winter.", "Four"),
    ("{Which month is the shortest|What is the shortest month|Which month has the fewest days}?", "February is the shortest month.", "February"),
    ("{What is the first month of the year|Which month is the first|Which month starts the year}?", "January is the first month of the year.", "January"),
    ("{What is the last month of the year|Which month is the last|Which month ends the year}?", "December is the last month of the year.", "December"),
    ("{In which direction does the sun rise|Where does the sun rise|Where does the sun come up}?", "The sun rises in the east.", "East"),
    ("{In which direction does the sun set|Where does the sun set|Where does the sun go down}?", "The sun sets in the west.", "West"),
    ("{What is the nearest star|Which star is closest to the earth|Which star is nearest to us}?", "The sun is the star nearest to the earth.", "Sun"),
    ("{Is the sun a star|Is the sun a planet|Is the sun a star or a planet|What kind of object is the sun}?", "The sun is a star.", "Star"),
    ("{How long does the earth take to go around the sun|How long does it take the earth to go round the sun}?", "The earth takes one year to go around the sun.", "Year"),
    ("{How long does the moon take to go around the earth|How long does it take the moon to go round the earth}?", "The moon takes about one month to go around the earth.", "Month"),
    ("{How long does light take from the sun to the earth|How long does sunlight take to reach us}?", "Light from the sun takes about eight minutes to reach us.", "Minutes"),
    ("{Which is faster, light or sound|What is faster, sound or light|Is light faster than sound}?", "Light is much faster than sound.", "Light"),
    ("{What is the hardest natural material|What is the hardest stone|Which gem is the hardest}?", "Diamond is the hardest natural material.", "Diamond"),
    ("{Which metal is liquid at room temperature|What metal is liquid}?", "Mercury is a metal that is liquid at room temperature.", "Mercury"),
    ("{What is the longest river|Which river is the longest|Name the longest river}?", "The Nile is usually called the longest river.", "Nile"),
    ("{Which river flows through {London|the city of London}|What river is in London}?", "The Thames flows through London.", "Thames"),
    ("{Which river flows through {Paris|the city of Paris}|What river is in Paris}?", "The Seine flows through Paris.", "Seine"),
    ("{Where is the Eiffel Tower|Where can I see the Eiffel Tower|What city is the Eiffel Tower in|Where do I have to go to see the Eiffel Tower|Which city should I travel to for the Eiffel Tower|In which city is the Eiffel Tower|Which city has the Eiffel Tower}?", "The Eiffel Tower is in Paris.", "Paris"),
    ("{Where is Big Ben|Where can I see Big Ben|What city is Big Ben in|Where do I have to go to see Big Ben|Which city should I travel to for Big Ben|Where would I see Big Ben|In what place is Big Ben|In which city is Big Ben|Which city has Big Ben}?", "Big Ben is in London.", "London"),
    ("{Where is the Statue of Liberty|In which city is the Statue of Liberty}?", "The Statue of Liberty is in New York.", "New York"),
    ("{Where are the pyramids|Where can I see the {great |}pyramids|In which country can I find the {great |}pyramids|What country has the {great |}pyramids|Where do I have to go to see the {great |}pyramids|Which country should I travel to for the {great |}pyramids|What country are the pyramids in|In which country are the great pyramids|Where are the great pyramids}?", "The great pyramids are in Egypt.", "Egypt"),
    ("{Where is the Great Wall|In which country is the Great Wall|Which country has the Great Wall}?", "The Great Wall is in China.", "China"),
    ("{Where is the Colosseum|In which city is the Colosseum}?", "The Colosseum is in Rome.", "Rome"),
    ("{Why is the sky blue|Why does the sky look blue|What makes the sky blue}?", "The air scatters blue light more than red light, so blue light reaches us from all sides.", "Scattering"),
    ("{Why is the grass green|Why are leaves green|What makes plants green}?", "Leaves are green because of chlorophyll, which plants use to catch light.", "Chlorophyll"),
    ("{Why does ice float|Why does ice float on water|Why doesn't ice sink}?", "Ice floats because it is lighter than the same amount of water.", "Density"),
    ("{Why do leaves fall|Why do trees lose their leaves|Why do leaves fall in autumn}?", "Many trees drop their leaves in autumn to save water and energy in winter.", "Winter"),
    ("{Why do we sleep|Why do people sleep|Why do we need sleep}?", "We sleep so that body and mind can rest and repair themselves.", "Rest"),
    ("{Why is the sea salty|Why is sea water salty|Why does the sea taste of salt}?", "Rivers carry tiny amounts of salt from rocks into the sea, and the salt stays there.", "Rivers"),
    ("{Why do cats purr|What does it mean when a cat purrs|Why does a cat purr}?", "Cats mostly purr when they feel comfortable.", "Comfort"),
    ("{Why do birds sing|What do birds sing for|Why does a bird sing}?", "Birds sing to find a partner and to defend their home.", "Love"),
    ("{Why do we have seasons|What causes the seasons|Why are there seasons}?", "We have seasons because the earth is tilted on its way around the sun.", "Tilt"),
    ("{Why does it rain|What makes rain|How does rain form|Where does rain come from}?", "Warm air lifts water up, it cools into clouds, and the drops fall when they get heavy.", "Clouds"),
    ("{Can penguins fly|Is it true that penguins {can |}fly|Is it right that penguins can fly|A penguin can fly, right|Is a penguin able to fly|Could a penguin fly|Are penguins birds that can fly|Is it correct that a penguin can fly|Do penguins fly|Are penguins able to fly}?", "No, penguins cannot fly, but they swim very well.", "No"),
    ("{Can fish {breathe|live} on land|Do fish live on land}?", "No, most fish need water to breathe.", "No"),
    ("{Can pigs fly|Is it true that pigs {can |}fly|Is a cow able to fly|Is it right that elephants can fly|Do pigs fly|Can cows fly|Can elephants fly}?", "No, they cannot fly.", "No"),
    ("{Can birds fly|Is it true that birds {can |}fly|Is it right that birds can fly|Is a bird able to fly|Do birds fly|Are birds able to fly}?", "Yes, most birds can fly.", "Yes"),
    ("{Is a whale a fish|Are whales fish|Is a whale a fish or a mammal}?", "A whale is not a fish. It is a mammal.", "Mammal"),
    ("{Is a dolphin a fish|Are dolphins fish|Is a dolphin a fish or a mammal}?", "A dolphin is not a fish. It is a mammal.", "Mammal"),
    ("{Is a spider an insect|Are spiders insects}?", "No, a spider is not an insect. It has eight legs.", "No"),
    ("{Is a tomato a fruit|Is the tomato a fruit or a vegetable}?", "In biology a tomato is a fruit, but in the kitchen it is used as a vegetable.", "Fruit"),
    ("{Is {water|rain} wet|Is the sea wet}?", "Yes, it is wet.", "Yes"),
    ("{Is fire {hot|cold}|Is fire hot or cold}?", "Fire is hot.", "Hot"),
    ("{Is ice {hot|cold}|Is ice hot or cold}?", "Ice is cold.", "Cold"),
    ("{What do you wear on your feet|What do people wear on their feet}?", "People wear shoes on their feet.", "Shoes"),
    ("{What do you wear on your head|What do people wear on their head}?", "People wear a hat on their head.", "Hat"),
    ("{What do you use to cut paper|With what do you cut paper}?", "You cut paper with scissors.", "Scissors"),
    ("{What do you use to write|With what do you write}?", "You write with a pen or a pencil.", "Pen"),
    ("{What do you call frozen water|What is frozen water called}?", "Frozen water is called ice.", "Ice"),
    ("{What do you call a person who bakes bread|Who bakes bread|Who makes bread}?", "A baker bakes bread.", "Baker"),
    ("{Who {teaches|works in} a school|What do you call a person who teaches}?", "A teacher teaches at a school.", "Teacher"),
    ("{Who flies {a plane|planes|an airplane}|What do you call a person who flies a plane}?", "A pilot flies a plane.", "Pilot"),
    ("{Who puts out fires|Who do you call for a fire|Who fights fires}?", "Firefighters put out fires.", "Firefighters"),
    ("{What is the freezing point of water in Fahrenheit|At how many degrees Fahrenheit does water freeze}?", "Water freezes at 32 degrees Fahrenheit.", "32"),
    ("{What is the currency of {Japan|the Japanese}|What money do they use in Japan}?", "The currency of Japan is the yen.", "Yen"),
    ("{What is the currency of {England|the United Kingdom|Britain}|What money do they use in {England|Britain}}?", "The currency of the United Kingdom is the pound.", "Pound"),
    ("{What is the currency of {Germany|France|Italy|Spain}|What money do they use in {Germany|France|Italy|Spain}}?", "The currency there is the euro.", "Euro"),
    ("{What is the currency of the {United States|US|USA}|What money do they use in {America|the US}}?", "The currency of the United States is the dollar.", "Dollar"),
)  # fmt: skip


def _pairs(table: str) -> dict[str, str]:
    return {key.replace("_", " "): value.replace("_", " ") for key, value in (entry.split(":") for entry in table.split())}


SOUNDS = _pairs(
    "dog:woof cat:meow cow:moo sheep:baa duck:quack pig:oink hen:cluck lion:roar frog:ribbit bee:buzz owl:hoot mouse:squeak "
    "horse:neigh snake:hiss crow:caw wolf:howl donkey:hee-haw rooster:cock-a-doodle-doo goose:honk cuckoo:cuckoo"
)
LEGS = _pairs(
    "dog:four cat:four cow:four horse:four bird:two bee:six snake:no fish:no human:two crab:ten butterfly:six chicken:two "
    "frog:four elephant:four sheep:four pig:four lion:four duck:two rabbit:four mouse:four beetle:six lobster:ten owl:two "
    "kangaroo:two tiger:four goat:four fly:six worm:no penguin:two"
)
YOUNG = _pairs(
    "dog:puppy cat:kitten cow:calf sheep:lamb horse:foal duck:duckling pig:piglet hen:chick bear:cub lion:cub goat:kid deer:fawn "
    "swan:cygnet frog:tadpole kangaroo:joey goose:gosling owl:owlet elephant:calf whale:calf wolf:pup seal:pup rabbit:kit"
)
COLOURS = _pairs(
    "the_sky:blue grass:green snow:white a_banana:yellow blood:red coal:black the_sun:yellow a_carrot:orange a_lemon:yellow "
    "a_cherry:red milk:white chocolate:brown the_sea:blue a_tomato:red a_frog:green an_elephant:grey an_orange:orange "
    "a_flamingo:pink a_leaf:green a_strawberry:red a_pumpkin:orange a_cucumber:green a_lime:green salt:white sugar:white "
    "a_polar_bear:white a_crow:black an_egg_yolk:yellow honey:golden the_moon:white a_fire_engine:red a_plum:purple "
    "a_blueberry:blue a_mouse:grey a_canary:yellow a_pea:green spinach:green a_swan:white night:black rust:brown"
)


def general(rng: Random) -> list[Turn]:
    """Ask for one fact of the table."""
    questions, answer, word = rng.choice(FACTS)
    return [Turn(spin(rng, questions), answer, word)]


def animals(rng: Random) -> list[Turn]:
    """Ask for an animal's sound, legs or young."""
    draw = rng.randrange(3)
    if draw == 0:
        name, sound = rng.choice(tuple(SOUNDS.items()))
        user = spin(
            rng,
            "{What sound does <x> make|What does <x> say|What noise does <x> make|Which sound does <x> make"
            "|How does <x> sound|What is the sound of <x>}?",
            x=article(name),
        )
        return [Turn(user, f'{capitalise(article(name))} says "{sound}".', capitalise(sound))]
    if draw == 1:
        name, legs = rng.choice(tuple(LEGS.items()))
        user = spin(
            rng,
            "{How many legs does <x> have|How many legs has <x>|How many legs has <x> got|Number of legs of <x>"
            "|On how many legs does <x> walk|How many legs are on <x>}?",
            x=article(name),
        )
        answer = f"{capitalise(article(name))} has {legs} legs."
        return [Turn(user, answer, "Zero" if legs == "no" else capitalise(legs))]
    name, young = rng.choice(tuple(YOUNG.items()))
    user = spin(
        rng,
        "{What is a baby <x> called|What do you call a baby <x>|What is the name of a young <x>|What is a young <x> called"
        "|What's the word for a baby <x>|How do you call a young <x>|A baby <x> is called what}?",
        x=name,
    )
    return [Turn(user, f"A young {name} is called {article(young)}.", capitalise(young))]


def colours(rng: Random) -> list[Turn]:
    """Ask for the colour of a thing."""
    thing, colour = rng.choice(tuple(COLOURS.items()))
    user = spin(
        rng,
        "{What {color|colour} is <x>|Which {color|colour} {does <x> have|is <x>}|Tell me the {color|colour} of <x>"
        "|What is the {color|colour} of <x>|What's the {color|colour} of <x>|{Color|Colour} of <x>"
        "|What {color|colour} does <x> have}?",
        x=thing,
    )
    return [Turn(user, spin(rng, "{<X> is <a>.|Usually, <x> is <a>.}", X=capitalise(thing), x=thing, a=colour), capitalise(colour))]
