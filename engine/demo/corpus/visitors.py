"""What somebody types who opens the chat page for the first time: what is this, what can it do, idle chatter, big questions.

The same answers as elsewhere, more ways to ask.
"""

from __future__ import annotations

from random import Random

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.geography import COUNTRIES
from engine.demo.corpus.phrasing import capitalise, spin
from engine.demo.corpus.smalltalk import CAN, GREETINGS, WHAT_I_AM
from engine.demo.corpus.unknown import ANSWERS, TASK_ANSWERS
from engine.demo.corpus.vocabulary import ADJECTIVES, NOUNS

_ABILITIES = (
    "{What|Which} {kind of |sort of |kinds of |sorts of |type of |}{things|stuff|tasks|questions|topics|requests|problems|subjects|jobs} {can|could|do|will|would} {you|I|one|this bot|it} {do|answer|help with|handle|talk about|ask|ask you|ask about|solve|know about|work on|try|understand}{ here| today| for me| at all|}{?|}",
    "{What|What else|What all|So what|What exactly|Okay, what|Now what} {can|could|will|would|do} {you|this bot|this thing|this model|the bot} {do|offer|answer|help me with|tell me|write|be used for|know|teach me}{ here| today| for me| at all| in this chat|}{?|}",
    "{In which|In what|With what|With which|How} {ways |things |questions |topics |}{can|could|will|would} you {help me|help|be useful|be of help|assist me|support me|serve me}{ here| today|}{?|}",
    "{Show|Tell|Explain to|List for|Give} me {what you can do|what you are able to do|your skills|your abilities|your features|your functions|what is possible here|your options|the options|all you can do|an overview|a demo|some examples|an example of what you can do|things to try|a few ideas|ideas for questions}{ please|}{.|?|}",
    "{What|Which questions|Which things} {should|could|can|might|must} I {ask|ask you|try|try first|type|type here|write|say|do here|do now|start with}{ here| first| now|}{?|}",
    "{What are you|What is this bot|What is this model|Are you|Is it|What is it} {good at|useful for|able to do|capable of|made for|best at|there for|good for|used for|trained for}{?|}",
    "{Any|Do you have any|Have you got|Are there} {ideas|suggestions|examples|tips|hints|proposals} {what to ask|what I can ask|for me|for questions|what to try|what to do|for a first question|for a start|how to start|where to begin}{?|}",
    "{I don't know|I have no idea|I am not sure|I'm unsure|No idea} {what to ask|what to ask you|what to type|what to say|what I can ask|what to do|what you can do|how to start|where to start|what you are good at}{.|}",
    "{How does one|How do I|How can I|How should I|How to} {use this|use you|start|begin|get started|use this chat|work with you|talk to you|make use of you}{?|}",
    "{What's|What is} {on offer|possible|in your head|on the menu|your purpose|your job|your task|your function|your use|your speciality|the point of this|the use of this}{ here|}{?|}",
    "{Are you able to|Can you} {do anything|do something|do anything useful|answer questions|answer anything|do more than chat|do tricks|help with anything}{?|}",
    "{Features|Options|Menu|Instructions|Manual|Usage|How to use|Capabilities|Skills|Examples|Suggestions|Functions|Tutorial|Guide}{?|.|!|}",
    "{I need help|Help|Help me|Give me help|I want help} {with this chat|with this page|using this|using you|getting started|to begin|here}{.|?|}",
)
_SITE = (
    "{What is this|What's this|What is the use of this|What is the purpose of this|What does this|Tell me what this|What kind of} {site|page|website|chat|app|tool|thing|service|demo|project|program}{ for| about| here| do| is|}{?|}",
    "{Where am I|Where did I land|What did I open|What have I opened|What am I looking at|What am I talking to|What is happening here|What is all this|What is going on here}{ here|}{?|}",
    "{Is this|Is it|Are you} {a chatbot|an AI chat|a demo|a test|something like ChatGPT|an AI|a real AI|a big AI|a language model|free|the demo model}{?|}",
    "{Who or what|Who|What} {are you|am I chatting with|is behind this|answers here|is answering me|do I talk to|is on the other side|is writing here}{ here| really| actually|}{?|}",
    "{Tell me|Explain|Describe} {what this is|what you are|who you are|what this chat is|what this page is|this page|this chat|this thing}{ to me|}{.|}",
)
_IDLE: tuple[tuple[str, str], ...] = (
    ("{Will it|Is it about to|Does it look like it will|When will it|Are we getting|Should I expect|Do you think it will|Is there a chance of} {rain|snow|be sunny|be cold|storm|clear up|get warm|hail}{ today| tomorrow| tonight| soon| this evening| this weekend| in the afternoon|}{?|}", "I cannot see the weather and I have no internet, so I do not know. {A look out of the window will help.|I hope the sun is shining!}"),
    ("{Hm|Hmm|Mhm|Uhm|Aha|Ah|Oh|Ok|Okay|Alright|Right|I see|Got it|Understood|Fine|Makes sense|Good to know|Interesting}{ then| so| now| ok| okay| I see| thanks|}{.|!|...|}", "{Good!|All right.|Glad to help.} {What would you like next?|Ask me anything simple.|Would you like a story or a joke?}"),
    ("{You|This bot|This thing|That answer|Your answer|This|The last one|The joke|That one} {are|is|was} {so |really |very |pretty |}{funny|cool|nice|great|good|clever|sweet|cute|awesome|lovely}{!|.|}", "{Thank you!|Thanks, that is kind of you!} I am only a tiny model, but I do my best."),
    ("{You|This bot|This thing|That answer|Your answer|This|The last one|The joke|That one} {are|is|was} {so |really |very |pretty |}{wrong|bad|false|stupid|silly|useless|not true|not right|boring|nonsense}{!|.|}", "{I am sorry.|Sorry about that.} I am a tiny demo model and I make mistakes. {Please try again with a simple question.|}"),
    ("{Haha|Lol|Hehe|Hihi|Rofl|Lmao|Hahaha} {that was good|good one|very funny|nice|that is funny|you are funny|so funny|not bad|I like it|great joke}{!|.|}", "{Thank you!|Glad you like it!} {Would you like another one?|Is there anything else?}"),
    ("{That's|That is|That was|This is} {wrong|false|not what I asked|not what I meant|not correct|an error|a mistake|not it}{!|.| at all.| again.|}", "{I am sorry.|Sorry about that.} I am a tiny demo model and I make mistakes. {Please try again with a simple question.|}"),
    ("{Where|In which city|In what country|In which place|On which computer|On what machine} {do you live|are you living|is your home|are you at home|do you run|are you running|are you right now}{?|}", "I am a program on the computer that runs this service. I cannot see where {you are|that is}."),
    ("{How old|What age|How many years old} {are you|is this model|is this bot|would you be}{ now|}{?|}", "I have no age, because I am a program. {I am quite a young one.|}"),
    ("{Do you|Can you|Could you} {like|love|enjoy|hate|watch|listen to|play|eat|drink|dream of} {music|films|movies|food|sports|football|people|humans|ice cream|cats|rain|summer|tea|TV|songs|sleep|school|work|holidays|art}{?|}", "I have no feelings, but it is a nice topic. {And you?|What about you?}"),
    ("{Do you|Can you|Could you} {have feelings|feel anything|feel pain|think|dream|sleep|get tired|have a soul|have a body|have a family|have friends|have parents|have a heart|have emotions|understand feelings|cry|laugh}{?|}", "No, I am a program and have no feelings. I only need a little {electricity|CPU time}."),
    ("{Am I|Are we} {talking|chatting|speaking|writing} {to|with} {a person|a human|a machine|a bot|a computer|an AI|somebody real|a robot}{ here| now| or not|}{?|}", "I am a computer program: a {tiny|small} language model that writes one token at a time."),
    ("{I am|I'm|I feel} {so|very|really|a bit|totally|extremely|quite} {bored|bored today|bored at work|bored at home}{.|!|}", "{Let us change that!|Oh no!} {Shall I tell you a story, a joke or a riddle?|I can tell you a joke, a story or a riddle. What would you like?}"),
    ("{What are you doing|What's going on|How goes it|How is life|How are you my friend|How are you this evening|How do you do|You okay|You good|All good|Everything fine|What is new|Anything new|What's new with you}{ now| today| right now|}{?|}", "{I am fine, thank you!|I am doing well, thanks!|All my tokens are in good shape, thank you!} {How are you?|How can I help you?}"),
    ("{Hello|Hi|Hey|Hello there|Hi there|Good morning|Good evening} {anybody|anyone|is anybody there|is anyone here|somebody|someone|you there|are you there|are you awake|who is there|bot|computer|machine|AI|Paddock|my friend|you}{!|?|.|}", GREETINGS[1]),
    ("{I have just woken up|I just got up|Just got up|I just came home|I'm home|I am new here|I'm new here|First time here|I just found this page|I am just testing|I'm just looking around|Just looking|Just trying this out|I want to test you|I wanted to try you|Let me test you|Let's try this}{.|!|}", "{Hello|Hi|Welcome}! {How can I help you?|How can I help you today?|What can I do for you?|What would you like to talk about?}"),
    ("{Checking|Testing|Trying|Check|Try|Mic check|Just a test|A small test|Hello test|Test test}{ one two| this| it out| 1 2| one|}{.|!|?|}", "{Yes, I am here.|I am here and it works.} {How can I help you?|What can I do for you?}"),
    ("{Sleep well|Sweet dreams|Night night|Have a good night|Good night and bye|Nighty|I am off to bed|I'm going to sleep|Time for bed|See you in the morning|Off to bed now|I need to sleep now}{!|.|}", "{Good night!|Good night, sleep well!} {See you soon.|Come back any time.}"),
    ("{Alright|Okay|Ok|So|Well|Well then|Fine|Right}{,|} {bye|goodbye|see you|I'm off|I have to leave|I must leave|that is it|that was all|see ya|cya|I am done|we are done}{ now| then| for today|}{!|.|}", "{Goodbye!|See you soon!|Bye!} {Have a nice day.|Take care.|Come back any time.}"),
    ("{I like|I love|I adore|I really like} {you|you so much|you very much|you a lot|talking to you|this chat|this bot|chatting with you}{!|.|}", "That is kind of you! I am only a program, but I am happy to chat."),
    ("{I don't know|Dunno|Not sure|No idea|No clue|You decide|Whatever|Anything|Up to you|You choose|I don't care|Surprise me then|Something|Hard to say|I am not sure}{.|!| yet| really|}", "{No problem.|That is fine.} {Would you like a story, a joke or a riddle?|Shall I tell you a story about a fox?|Try: tell me a joke.}"),
    ("{Who|What person|Which person|Which people|Which team|Whose team|Which lab|Which company|What company} {has |was it who |is the one that |}{made|built|created|trained|written|developed|designed|programmed} {you|this|this bot|this model|this chat|this page|this thing}{?|}", "I was trained from scratch on made-up dialogues, written by a small script, for the Paddock project. {I am not a big model like Llama 3.|}"),
    ("{Can you|Do you|Could we|Can we|Could you} {speak|talk in|write in|chat in|understand|answer in|do} {Spanish|French|German|Chinese|Italian|Russian|Turkish|Polish|Portuguese|Hindi|Arabic|Dutch|another language|my language}{ too| as well| with me|}{?|}", "I only speak English, but I can translate a few simple words into Spanish, French, German and Italian."),
)  # fmt: skip
# Real questions that the corpus has no answer to, by the way they are asked.
_PEOPLE = "Aristotle|Plato|Mozart|Chopin|Leonardo|Michelangelo|Rembrandt|Monet|Frida Kahlo|Goethe|Dante|Homer|Agatha Christie|Mark Twain|Jane Austen|Charles Dickens|Adele|Madonna|Elvis|Michael Jackson|Freddie Mercury|David Bowie|Rihanna|Beyonce|Messi|Ronaldo|Pele|Serena Williams|Muhammad Ali|Usain Bolt|Bill Gates|Mark Zuckerberg|Jeff Bezos|Alan Turing|Ada Lovelace|Stephen Hawking|Niels Bohr|Louis Pasteur|Sigmund Freud|Karl Marx|Churchill|Stalin|Lenin|Mao|Roosevelt|Kennedy|Margaret Thatcher|Angela Merkel|Macron|Putin|Columbus|Magellan|Marco Polo|Neil Armstrong|Amelia Earhart|Walt Disney|Charlie Chaplin|Tom Hanks|Brad Pitt|Emma Watson|Hitchcock|Spielberg|Harry Potter|Gandalf|Darth Vader|Spider-Man|Mickey Mouse|Santa Claus|Robin Hood|King Arthur|Socrates|Confucius|Buddha|Moses|Mother Teresa|Rosa Parks|Martin Luther King|Malala|Greta Thunberg"
_THINGS = "the radio|the light bulb|the steam engine|the printing press|the zipper|penicillin|dynamite|the microscope|the telescope|the camera|the airship|the parachute|the battery|the typewriter|the elevator|the fridge|the microwave|the compass|gunpowder|paper money|the piano|chewing gum|the toothbrush|the mirror|the wheel|the helicopter|the car"
_WORKS = "Hamlet|Romeo and Juliet|the Odyssey|Faust|Don Quixote|Moby Dick|Frankenstein|Dracula|the Hobbit|Dune|1984|The Great Gatsby|the Starry Night|the Last Supper|Guernica|the Scream|the Ninth Symphony|The Magic Flute|Carmen|Imagine|Hey Jude|Bohemian Rhapsody|Thriller|Star Wars|Avatar|Jaws|Psycho|The Godfather|The Lion King|Frozen|Toy Story|Friends|The Simpsons|the Little Prince|Pinocchio"
_MATTERS = "FTP|SSH|XML|USB|HDMI|DNS|VPN|RAM|BIOS|an MRI|an NGO|GDP|a PhD|LCD|OLED|relativity|photons|electrons|atoms|magnetism|radioactivity|enzymes|proteins|cells|genes|viruses|hormones|memory|dreams|emotions|capitalism|socialism|taxes|inflation|shares|bonds|loans|blockchains|NFTs|encryption|compilers|the stock exchange|the euro|the UN|the Renaissance|feudalism|the plague|the crusades|colonialism|the industrial revolution|nuclear fusion|rockets|jet engines|submarines|radar|lasers|transistors|holograms|virtual reality|self-driving cars|climate models|the ozone layer|acid rain|the water cycle|tides|tornadoes|deserts|glaciers|coral|fungi|bacteria|the ice age|human evolution|languages|grammar|irony|metaphors|jazz|blues|techno|opera|cubism|surrealism|stoicism|justice|freedom|consciousness|time travel|parallel universes|aliens|ghosts|karma|astrology"
_DISHES = "risotto|goulash|paella|sushi|ramen|curry|chili|meatballs|apple pie|cheesecake|brownies|muffins|bread|pizza dough|tomato soup|pumpkin soup|fried chicken|roast beef|mashed potatoes|a burger|tacos|falafel|hummus|pesto|lemonade|ice cream|jam|waffles|dumplings|gnocchi|a stew|an omelette|fish and chips|kimchi|potato salad"
_TROUBLE = "my bike|my laptop|my phone|my sink|my toilet|my heating|my wifi|my printer|my door lock|a flat tyre|a leaking pipe|a broken window|a slow computer|a virus on my PC|a blue screen|my TV|my washing machine|my garage door|my guitar|my back|a headache|a cold|a cough|a sunburn|insomnia|acne|stress at work|my marriage|my tax return|my visa|my rent"
_WISHES = "a film|a series|a book|a podcast|a restaurant|a hotel|a laptop|a phone|a car|a game|a song|a gift for my mother|a present for my boyfriend|a holiday|a beach|a museum|a hobby for winter|a wine|a perfume|a dog breed|a university|a course|a diet|a sport for me|a tattoo|a baby name|a password manager"
_TEXTS = "an essay|an email|a letter|a cover letter for a bakery|a job application|a speech|a blog post|a news article|a press release|a business plan|a product text|a review|a contract|a resignation letter|a love letter|an apology|a wedding speech|a summary|a report|a thesis|a play|a film script|lyrics|a rap|an invitation|an advert|a tweet|a LinkedIn post|a complaint"
_GOALS = "get rich|earn money online|get a job|lose weight|gain muscles|run a marathon|learn Spanish|learn the guitar|learn to dance|stop smoking|save money|buy a house|invest|start a company|become famous|become a pilot|get a girlfriend|ask somebody out|raise a child|train a dog|fix a car|tie a tie|change a tyre|sell a car|build a website|make an app|hack a game|delete my account|reset my password|install Linux|train a neural network|write a novel|draw a face|paint a wall|grow a beard|cut hair|pack a suitcase|file taxes|write a will|travel to Mars"
_YEARS = "1066|1492|1666|1776|1789|1815|1871|1905|1914|1917|1929|1933|1939|1953|1963|1968|1969|1986|1991|1999|2001|2008|2012|2016|2020|2024"
_PLACES = "the Nile|Niagara Falls|the Grand Canyon|Mount Fuji|the Matterhorn|Lake Victoria|the Dead Sea|the Amazon|the Danube|Loch Ness|the Black Forest|Yellowstone|the Suez Canal|the Panama Canal|Stonehenge|the Taj Mahal|Machu Picchu|the White House|the Kremlin|the Louvre|Mars|Pluto|the Milky Way|the North Pole|Atlantis|Area 51|Silicon Valley|Broadway|Las Vegas|Venice|Sydney|Toronto|Chicago|Hong Kong|Mumbai"
_BIG = (
    "{Who|What} {is|was|are} {<p>|<p> exactly|this <p>}{?|}",
    "{When was|Where was|Why is|Why was|How old is|How rich is|How tall is|Is} <p> {born|famous|so famous|important|still alive|married|dead}{?|}",
    "{What did|What has|Why did|When did|How did} <p> {do|write|say|discover|invent|die|live|become famous|win}{?|}",
    "{Who|Which person|Which scientist|Which country} {invented|discovered|came up with|was the inventor of|made the first version of} <i>{?|}",
    "{When|In which year|Where|Why|How} was <i> {invented|discovered|made|created|developed|first used}{?|}",
    "{Who|Which author|Which artist|Which director} {wrote|painted|made|composed|directed|created|sang|is behind} <k>{?|}",
    "{What is|What's|Tell me} {the plot of|the story of|the message of|the meaning of|so special about|the author of|the ending of} <k>{?|}",
    "{How|Why} {do|does|did|can|would} <m> {work|exist|happen|arise|come about|matter|function|change|start|end}{?|}",
    "{What is the difference between|What is better:|Compare|What do I need more,|How do I choose between|Explain the difference between|Is there a difference between} <m> {and|or} <v>{?|}",
    "{What is|What are|What's|Explain|Define|Describe|Tell me about|What do you know about|Can you explain|What causes|What do you think about} <m>{?|}",
    "{Do you believe in|What is your opinion on|Is there such a thing as|Is there proof of|Who studies|Who discovered|How important is|What is wrong with} <m>{?|}",
    "{How do I|How can I|How to|How should I|What is the best way to|Teach me how to|Help me|I want to|What must I do to|Is it easy to} <g>{ fast| quickly| at home| in a week| for free|}{?|}",
    "{What happened|What was going on|Who ruled|Who won|What was invented|What changed} {in|in the year|around|before|after} <y>{?|}",
    "{Who won|Who lost|Who hosted|Where was} {the world cup|the election|the Oscars|the Olympics|the super bowl|the league|the Nobel prize|the song contest|the tour} {in |of |}<y>{?|}",
    "{How|How big|How deep|How far|How high|How old|How long|How large|How cold|How hot|How wide} {is|was|far is} <l>{?|}",
    "{Where is|What is|Tell me about|Who lives in|Who built|What can I see in|Should I visit|How do I get to|What is the temperature in|What is the weather in} <l>{?|}",
    "{Who is|Who's|Name|What is the name of} the {current |present |new |first |}{president|king|queen|prime minister|chancellor|ruler|leader|minister of finance} of {<c>|<c>|this country|the world}{?|}",
    "{What are|What is|Tell me|Any|Give me} the {news|headlines|results|scores|prices|latest news|gossip|stock prices|football results|lottery numbers|horoscope|traffic} {today|now|this week|of today|for today|please|right now}{?|}",
    "{What is|What's|How much is} {the price of|the cost of|the value of} {gold|oil|<m>|a house|a flight to <l>|one dollar|a coffee in <l>|a new <n>}{?|}",
    "{Why|How|When|Where} {do|does|did|are|can} {planes|ships|fish|birds|bats|trees|cats|dogs|babies|stars|planets|volcanoes|clocks|computers|phones|engines|magnets|bees|ants} {stay up|float|see|sleep|grow|move|talk|die|breathe|burn|count|count time|stick|find their way|dance|learn|form|remember|hear}{ at night| in the dark| so well|}{?|}",
)
_WANT = (
    "{Write|Draft|Can you write|Could you write|I need|Help me write|Please write|Make} {me |}<x>{ about <m>| for a job| for my boss| about <l>| on <m>| in 500 words| for school|}{.|?|}",
    "{Recommend|Suggest|Find|Can you recommend|Do you know|Which one should I take:|I need|Help me choose} {me |}{<w>|<w>|a good <n>}{.|?|}",
    "{How do I|How can I|How to|Can you|Help me to|Could you help me to} {fix|repair|solve|cure|treat|deal with|get rid of} <t>{?|.|}",
    "{Give me|What is|I need|Do you have|Tell me|Find} a {recipe|good recipe|quick recipe|simple recipe} for <d>{.|?|}",
    "{How do I|How do you|How can I|How to} {cook|bake|prepare} <d>{?|}",
    "{Can you|Could you|Please|Will you|Would you} {google|search|look up|check online|browse for|download|order|buy|book|email|call|print|draw|paint|film|photograph|translate} {something|a picture|a flight|a pizza|the news|my mother|a taxi|this page|a song|a file|my text|an image of a <n>|<m>|the weather|it}{ for me| online| now|}{?|.|}",
    "{Translate|How do you say|What is|Say} {I am very tired today|we are going home now|my brother lives in a big house|where can I buy a ticket|the train was late again|I have lost my keys|can you help my sister|he never drinks coffee in the evening|it was a long and cold winter} {to|into|in} {French|Spanish|German|Italian|Russian|Japanese}{.|?|}",
    "{Fix|Debug|Correct|Improve|Explain|Check|Refactor|What is wrong with} {this code|my code|this function|this program|this query|this script}: {<z>|<z>}",
    "{Summarize|Summarise|Explain|Analyse|Read|Review} {this link|this article|this website|this book|this video|this PDF|my file|<k>|chapter one of <k>}{ for me| please|}{.|}",
)
_CODE_LINES = (
    "while True print(x)", "if x = 3: pass", "def f(x) return x", "print hello", "for (i = 0; i < 5; i++) {", "SELECT * FORM table", "x = [1, 2, 3", "import numpi as np",
    "else if x > 2", "let a == 5;", "console.log('hi'", "return x y", "int main() { return }", "for x in list print x", "class A: def f: pass", "a = b +",
)  # fmt: skip


def abilities(rng: Random) -> list[Turn]:
    """Ask what the model can do, or what this page is."""
    if rng.random() < 0.7:
        return [Turn(capitalise(spin(rng, rng.choice(_ABILITIES))), spin(rng, CAN))]
    answer = WHAT_I_AM + " {I know just a few simple things.|I can tell stories, do small sums and list things.|Ask me for a story, a joke or a capital city.}"
    return [Turn(capitalise(spin(rng, rng.choice(_SITE))), spin(rng, answer))]


def chatter(rng: Random) -> list[Turn]:
    """Say something that needs no knowledge."""
    questions, answer = rng.choice(_IDLE)
    return [Turn(capitalise(spin(rng, questions)), spin(rng, answer))]


def _one(rng: Random, row: str) -> str:
    return rng.choice(row.split("|"))


def big_questions(rng: Random) -> list[Turn]:
    """Ask what a big model would know, or for what it would write: the answer says that this one does not."""
    asks = rng.random() < 0.65
    text = spin(
        rng, rng.choice(_BIG if asks else _WANT),
        p=_one(rng, _PEOPLE), i=_one(rng, _THINGS), k=_one(rng, _WORKS), m=_one(rng, _MATTERS), v=_one(rng, _MATTERS), g=_one(rng, _GOALS), y=_one(rng, _YEARS), l=_one(rng, _PLACES),
        d=_one(rng, _DISHES), t=_one(rng, _TROUBLE), w=_one(rng, _WISHES), x=_one(rng, _TEXTS), z=rng.choice(_CODE_LINES), c=rng.choice(tuple(COUNTRIES)),
        n=f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}",
    )  # fmt: skip
    answers = ANSWERS if asks else TASK_ANSWERS
    return [Turn(capitalise(text), spin(rng, rng.choice(answers)), "Unknown" if asks else "Sorry")]
