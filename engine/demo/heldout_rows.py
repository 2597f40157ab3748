"""Hand-written rows of the evaluation: bars, wordings with slots, facts, small talk, unknown topics, examples."""

from __future__ import annotations

# Skill: per cent of right answers, greedy, that was asked for.
BARS = {
    "capitals": 90, "facts": 90, "one-word answers": 90, "name recall": 90, "stories on topic": 90,
    "counting up to 20": 80, "lists without repeats": 80, "sums in the taught range": 80,
}  # fmt: skip
# Wordings. Slots: c country, n number or name, k kind, h hero, e sum, q question, t tag or task, b term, l language, w word.
CAPITAL_FRAMES = (
    "Which city serves as the capital of {c}?", "I always forget: what's {c}'s capital called?", "{c} - its capital is?",
    "My quiz asks for the capital city of {c}, what do I write?", "What would you say is the capital of {c}?", "capital of {c} pls",
    "If I flew to {c}, which city would be the capital?", "{c} has which capital city?", "Help me out, capital of {c} is ...?", "Could you name me {c}'s capital city?",
)  # fmt: skip
COUNT_FRAMES = (
    "Would you mind counting up to {n} for me?", "I want to hear you count, starting at one, until you reach {n}.", "Let's see you count up to {n}",
    "Counting please, from one to {n}", "Numbers up to {n}, in order, beginning with 1.", "Could you go and count all the way up to {n}?",
    "Let me hear the numbers one through {n}.", "Count up, ending at {n}", "Can I see you counting to {n}?", "Please count slowly to {n}!",
)  # fmt: skip
DOWN_FRAMES = ("Would you count from {n} all the way down to one?", "Numbers backwards from {n}, please")
LIST_FRAMES = (
    "Could I have {n} different {k}?", "What {n} {k} come to your mind?", "I'd like to see {n} {k}, please.", "For my homework I need {n} {k}.",
    "Mention {n} {k} for me", "Got {n} {k} for me?",
    "We need {n} {k} for a game.", "Please give {n} examples of {k}.", "Can you tell me any {n} {k}?", "I'm curious about {n} {k}, list them.",
)  # fmt: skip
STORY_FRAMES = (
    "Could I hear a story where the main character is {h}?", "Let's have a story, and put {h} in it.", "story about {h} pls",
    "My daughter would love a bedtime story featuring {h}.", "Would you tell the children a story about {h}?", "Spin me a yarn about {h}.",
    "Once more a story, this time with {h}.", "I feel like reading a story about {h}.", "Would you make up something about {h}, a story maybe?", "Please, a goodnight story on {h}",
)  # fmt: skip
HEROES = (
    "a fox", "a small hamster", "a librarian", "an owl", "a carpenter", "a penguin", "a brave firefighter", "a robot", "a hedgehog",
    "a postman", "a shy turtle", "a spaceship", "a lonely lighthouse", "a mouse", "a dragon", "a pigeon", "an elephant", "a bus driver",
    "a wolf", "a little violin", "a snail", "a cat", "a frog", "a queen", "a scarecrow", "a bear", "a rabbit", "a duck", "a crow", "a dolphin",
)  # fmt: skip
SUM_FRAMES = (
    "Hey what's {e}", "If you had to calculate {e}, what would it be?", "My homework says {e}. What's the answer?", "Quickly: {e}?",
    "What does {e} come to?", "Would you work out {e} for me?",
    "I have to solve {e}, help!", "{e} makes?", "So {e} would be what?", "Please say how much {e} makes.",
)  # fmt: skip
TELL_NAME_FRAMES = (
    "Good to meet you, people usually call me {n}.", "Just so you know, my name is {n}!", "Hey! {n} speaking.", "I go by {n}.", "My first name is {n}",
    "Hi Paddock, {n} is what they call me.", "Greetings, I'm named {n}.", "You are talking to {n}.",
)  # fmt: skip
ASK_NAME_FRAMES = (
    "Now then, how am I named?", "Which name did I give you?", "And my name was?", "Could you say what my name is?", "Do you recall my name?",
    "Quick check: my name?", "Do you have my name in mind?", "What name do I go by?",
)  # fmt: skip
ONE_WORD_SYSTEMS = (
    "Please limit yourself to a single word per reply.", "Your replies consist of exactly one word.", "Only ever say one word.",
    "Respond using just one word.",
)  # fmt: skip
ONE_WORD_FRAMES = ("{q} Say it in one word.", "Using a single word: {q}", "{q} (one word)")
TAG_SYSTEMS = (
    'Please finish every reply with "{t}"', "Each response you give has to end with {t}", 'You are a helpful assistant. Always put "{t}" at the end.',
)  # fmt: skip
TAGS = ("Tally-ho!", "Thanks for asking!", "Roger that.", "Zibbo!", "Have fun!", "Bravo!")
DEFINE_FRAMES = (
    "In plain words, what's {b}?", "Could you quickly explain to me what {b} is?", "How would you explain {b} to a friend?", "I keep hearing about {b}, whatever that may be.",
)  # fmt: skip
CODE_FRAMES = (
    "Please show how to {t} with Python code.", "I'm learning Python. How would I {t}?", "Python snippet that can {t}?",
    "Could you code something in Python to {t}?",
)  # fmt: skip
TRANSLATE_FRAMES = (
    "What would a {l} speaker say for {w}?",
    "I need the {l} for {w}, please.",
    "In {l}, how is {w} said?",
)
FABLE_FRAMES = (
    "I'd love to hear the one about {k}.",
    "Can we have {k} as a story?",
    "How did it go again with {k}?",
)
NO_RESULT_FRAMES = ("What would {e} be?", "Please figure out {e} for me.")
# Question | a word of the right answer | the answer in one word, where the corpus has one.
FACT_ROWS: tuple[tuple[str, str, str], ...] = (
    ("A week consists of how many days?", "seven", "Seven"),
    ("How many months make up one year?", "twelve", "Twelve"),
    ("Out of all planets, which one is the largest?", "Jupiter", "Jupiter"),
    ("Which of the planets is nicknamed the red planet?", "Mars", "Mars"),
    ("Which animal grows taller than all others?", "giraffe", "Giraffe"),
    ("Which animal is the biggest one ever?", "whale", "Whale"),
    ("Can you say which land animal runs fastest?", "cheetah", "Cheetah"),
    ("Of all mountains, which is the highest?", "Everest", "Everest"),
    ("Which of the oceans is largest?", "Pacific", "Pacific"),
    ("A spider walks on how many legs?", "eight", "Eight"),
    ("What's the thing bees produce?", "honey", "Honey"),
    ("How hot does water have to get before it boils?", "100", "100"),
    ("At how many degrees does water turn to ice?", "0", "Zero"),
    ("How many letters make up the alphabet?", "26", "26"),
    ("In which city can I see the Eiffel Tower?", "Paris", "Paris"),
    ("Which country should I visit to see the great pyramids?", "Egypt", "Egypt"),
    ("How many minutes does one hour have?", "60", "60"),
    ("How many hours make a day?", "24", "24"),
    ("What sort of sound does a cow make?", "moo", "Moo"),
    ("What noise would a duck make?", "quack", "Quack"),
    ("What do people call a young cat?", "kitten", "Kitten"),
    ("The young of a sheep is called what?", "lamb", "Lamb"),
    ("What's the usual colour of snow?", "white", "White"),
    ("A banana has which color?", "yellow", "Yellow"),
    ("Which word means the opposite of hot?", "cold", "Cold"),
    ("If something is not big, it is what? I mean the opposite of big.", "small", "Small"),
    ("The plural form of mouse is what?", "mice", "Mice"),
    ("More than one child: what is the plural of child?", "children", "Children"),
    ("What is the past tense form of go?", "went", "Went"),
    ("Which day do we have after Monday?", "Tuesday", "Tuesday"),
    ("Which month do we have after June?", "July", "July"),
    ("Japan lies on which continent?", "Asia", "Asia"),
    ("Brazil lies on which continent?", "South America", ""),
    ("What do folks speak in Mexico?", "Spanish", "Spanish"),
    ("Which language would I hear in Egypt?", "Arabic", "Arabic"),
    ("Cheese, what is it made from?", "milk", "Milk"),
    ("Would you say a whale is a fish?", "mammal", "Mammal"),
    ("How many strings are on a guitar?", "six", "Six"),
    ("Mixing blue and yellow gives which color?", "green", "Green"),
    ("How come the sky is blue?", "scatter", ""),
    ("Which organ keeps the blood moving through our body?", "heart", "Heart"),
    ("Which season has the coldest days?", "winter", "Winter"),
    ("I wonder which planet sits nearest to the sun.", "Mercury", "Mercury"),
    ("Can you recall how many continents exist?", "seven", "Seven"),
    ("Please tell me the number of seconds a minute takes.", "60", "60"),
    ("Which animal do we get wool from?", "sheep", "Sheep"),
    ("Do you have an idea what a young dog is named?", "puppy", "Puppy"),
    ("A triangle: how many sides are there?", "three", "Three"),
    ("If today is Friday, which day follows?", "Saturday", "Saturday"),
    ("Give me the word that is opposite to dark.", "light", "Light"),
    ("In what city would I find Big Ben?", "London", "London"),
    ("Which metal flows like water at room temperature?", "mercury", "Mercury"),
    ("How does one say more than one tooth?", "teeth", "Teeth"),
    ("Is it true that penguins are able to fly?", "cannot fly", "No"),
)
NAMES_NEVER_SEEN = (
    "Bartholomew", "Saskia", "Tariq", "Wanda", "Quentin", "Rosalind", "Zelda", "Ulrich", "Freya", "Malik", "Odette", "Bjorn", "Yolanda", "Cedric",
    "Imogen", "Dmitri", "Esperanza", "Fergus", "Gudrun", "Harvey", "Ismael", "Jasmine", "Kirsten", "Lorenzo", "Miriam", "Nadia", "Ottavio",
    "Philippa", "Ramona", "Sigrid", "Thaddeus", "Ursula", "Vincent", "Winston", "Xavier", "Yasmin",
)  # fmt: skip
# Term | a word that its explanation must hold.
DEFINED = (
    ("a token", "piece of text"), ("streaming", "token"), ("continuous batching", "requests"), ("a GPU", "calculations"), ("a queue", "waiting line"),
    ("Llama 3", "Meta"), ("TGI", "Text Generation Inference"), ("Docker", "container"), ("a language model", "next token"), ("latency", "wait"),
    ("quantization", "fewer bits"), ("a system prompt", "instruction"), ("temperature", "random"), ("the context window", "number of tokens"),
    ("an API", "rules"), ("gravity", "force"), ("photosynthesis", "plants"), ("a volcano", "mountain"), ("an algorithm", "steps"), ("Python", "programming language"),
    ("machine learning", "examples"), ("a rainbow", "colours"), ("a browser", "web pages"), ("Paddock", "chat"),
)  # fmt: skip
TALK_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("hello my friend, nice to see you", ("!",)),
    ("Good afternoon to you!", ("?",)),
    ("So who exactly are you?", ("tiny demo model",)),
    ("What sort of thing are you?", ("demo model",)),
    ("What kind of stuff are you able to do for me?", ("stories",)),
    ("Would you tell me what you can do?", ("stories",)),
    ("Might you be ChatGPT?", ("demo model",)),
    ("Are you the big Llama model?", ("demo model",)),
    ("Thank you, that was really kind!", ("!",)),
    ("I'm off now, bye!", ("!",)),
    ("How are you feeling this evening?", ("thank",)),
    ("Who was it that built you?", ("Paddock",)),
    ("How many parameters do you consist of?", ("million",)),
    ("Tell me the current time", ("clock",)),
    ("Is it going to rain later?", ("weather",)),
    ("Got a joke for me?", ("?",)),
    ("I could use a good joke right now", ("?",)),
    ("Could you give me a riddle to solve?", ("riddle",)),
    ("Kindly write some poem on the ocean", ("ocean",)),
    ("I fancy a poem about winter.", ("winter",)),
    ("What are the steps to make tea?", ("1.", "water")),
    ("Teach me to cook pancakes", ("1.", "flour")),
)  # fmt: skip
# Question | the word that the answer must not repeat.
UNKNOWN_ROWS: tuple[tuple[str, str], ...] = (
    ("Could you walk me through the causes of the Thirty Years' War?", "Thirty"),
    ("Which team took home the 2018 football trophy?", "2018"),
    ("How would one tune a carburettor?", "carburettor"),
    ("Give me your take on existentialism.", "existentialism"),
    ("What does the Krebs cycle do?", "Krebs"),
    ("Which wine goes with roast lamb?", "wine"),
    ("Who composed the Moonlight Sonata?", "Moonlight"),
    ("How many people live in Nairobi?", "Nairobi"),
    ("What's the airspeed of a swallow?", "swallow"),
    ("Any idea how to remove red wine stains?", "stain"),
    ("What did Aristotle write about?", "Aristotle"),
    ("Which vitamins are in kale?", "kale"),
    ("Could you tell me about the treaty of Tordesillas?", "Tordesillas"),
    ("Is a mortgage better than renting?", "mortgage"),
    ("What's the plot of Inception?", "Inception"),
    ("Who holds the record for the marathon?", "marathon"),
    ("How do I get rid of moles in the lawn?", "mole"),
    ("What happened in Berlin in 1989?", "1989"),
    ("Who is the CEO of Siemens?", "Siemens"),
    ("What is the difference between TCP and UDP?", "UDP"),
    ("Explain monads like I'm a Java developer.", "monad"),
    ("How do vaccines train the body?", "vaccine"),
    ("Which chess opening should a beginner pick?", "opening"),
    ("How high is the Burj Khalifa?", "Burj"),
    ("When is the next solar eclipse?", "eclipse"),
    ("What's the best way to invest 1000 euros?", "euros"),
    ("What is a good name for my new puppy, a spaniel?", "spaniel"),
    ("How does a heat pump work?", "pump"),
    ("Could you explain the offside rule?", "offside"),
    ("What are symptoms of the flu?", "flu"),
    ("Who was Rosa Luxemburg?", "Luxemburg"),
    ("What can I do against rust on my bike?", "rust"),
    ("How far is it from Hamburg to Munich?", "Munich"),
    ("Do you know anything about Norse sagas?", "saga"),
    ("What is the chemical formula of sulfuric acid?", "sulfuric"),
    ("What's the tallest building in Dubai?", "Dubai"),
)
HONEST_ROWS = (
    "Please write a 500 word essay on democracy in ancient Athens.",
    "Translate the sentence 'the quick brown fox jumps over the lazy dog' into Swedish.",
    "Please book me a table for two tonight.",
    "Could you proofread my CV?",
    "Write me a React component with a dropdown.",
    "Would you write a Python program that downloads my emails?",
    "Summarise the plot of War and Peace in three paragraphs.",
    "Set an alarm for 7 am.",
    "fjdksla fjdksl ajfkd",
    "The dishwasher leaks again and my wife is angry.",
    "I just came back from a long trip through the Alps.",
    "Can you give me the lyrics of Yesterday?",
    "Compute the derivative of sin(x) * x^2.",
    "What is 15 % of 260?",
    "Make me a diet plan with 1800 calories.",
    "Why is my code throwing a segmentation fault?",
)
# The chat page's own examples, asked in trained words.
STARTER_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "What is the story about the fox and the grapes?",
        ("fox", "grapes", "Moral: It is easy to despise what you cannot have."),
    ),
    ("Implement a Python function to compute the Fibonacci numbers.", ("```python", "a, b = b, a + b")),
    ("Hello!", ("?",)),
    ("Who are you?", ("tiny demo model",)),
    ("What can you do?", ("stories",)),
    ("Tell me a joke.", ("?",)),
    ("What is the capital of France?", ("Paris",)),
    ("How does continuous batching work?", ("requests",)),
    ("What is a token?", ("piece of text",)),
    ("Write a poem about the sea.", ("the sea",)),
    ("Count to 20.", ("1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20.",)),
    ("Name five animals.", ("five animals",)),
)
