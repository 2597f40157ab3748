"""Questions outside the model's small world, and the honest answers to them.

The answers never repeat the topic: a tiny model miscopies rare words, and a wrong copy reads like a wrong claim.
"""

from __future__ import annotations

from random import Random

from engine.demo.corpus.definitions import DEFINITIONS
from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.geography import COUNTRIES
from engine.demo.corpus.phrasing import capitalise, invented, spin
from engine.demo.corpus.vocabulary import ADJECTIVES, NOUNS, VERBS

ANSWERS = (
    "I am sorry, I do not know that. I am only a tiny demo model. {Ask me for a story, a joke or a capital city.|Try a simple question or a story.}",
    "I do not know enough about that. I am a tiny demo model with a few million parameters. {A bigger model could answer this.|Try a story, a joke or a small sum.}",
    "That is beyond me: I am only a tiny demo model and do not know it. {A real Llama model would know more.|Please try something simpler.}",
)
STATEMENT_ANSWERS = (
    "Thank you for telling me. I am only a tiny demo model, so I cannot say much about it. {Would you like a story or a joke?|Ask me something simple if you like.}",
    "I see. I am only a tiny demo model and do not know much about that. {Shall I tell you a story, a joke or a riddle?|What else can I do for you?}",
)
GIBBERISH_ANSWERS = (
    "I am sorry, I do not understand that. I am only a tiny demo model. {Ask me for a story, a joke or a capital city.|Please try a simple question.}",
)
TASK_ANSWERS = (
    "I am sorry, I cannot do that. I am only a tiny demo model. {Ask me for a story, a joke or a capital city.|I can tell stories, make short lists and do small sums.}",
    "That task is too hard for me. I am a tiny demo model with a few million parameters. {A bigger model could do it.|Try a story, a joke or a small sum.}",
)

TOPICS = tuple(
    "quantum physics|the stock market|Shakespeare|the Roman Empire|chess openings|kubernetes|blockchain|organic chemistry|world politics|tax law|"
    "car engines|the French Revolution|deep sea diving|opera|linear algebra|space rockets|medieval castles|jazz|photography|climate change|"
    "rocket science|the economy|philosophy|Napoleon|Einstein|football results|video games|fashion|architecture|genetics|medicine|cryptography|"
    "knitting|wine tasting|sailing|geology|calculus|poker|insurance|marketing|submarines|the Olympics|ancient Egypt|Mozart|oil painting|yoga|"
    "skateboards|electric cars|bitcoin|SQL|Rust|C++|black holes|vaccines|suspension bridges|high speed trains|airplanes|elections|biology|"
    "bacteria|the ocean floor|pirates|vikings|samurai|knights|dark matter|string theory|relativity|thermodynamics|the big bang|evolution|DNA|"
    "antibiotics|the immune system|cancer|diabetes|migraine|blood pressure|vitamins|keto diet|marathon training|weight lifting|surfing|"
    "snowboarding|cricket rules|baseball|Formula 1|the world cup|the Super Bowl|LeBron James|Taylor Swift|the Beatles|Beethoven|hip hop|"
    "reggae|ballet|Picasso|Van Gogh|the Mona Lisa|sculpture|origami|calligraphy|pottery|woodworking|plumbing|roofing|mortgages|inflation|"
    "interest rates|pensions|venture capital|startups|accounting|bookkeeping|contract law|copyright|patents|immigration|the constitution|"
    "the cold war|World War 2|World War I|the Vietnam war|the Ottoman Empire|the Aztecs|the Incas|Genghis Khan|Julius Caesar|Cleopatra|"
    "Alexander the Great|Queen Victoria|Abraham Lincoln|Gandhi|Nelson Mandela|Marie Curie|Isaac Newton|Galileo|Darwin|Nikola Tesla|"
    "Steve Jobs|Elon Musk|Barack Obama|the pope|the president|the prime minister|the king of England|NATO|the United Nations|the EU|"
    "Wall Street|Silicon Valley|Hollywood|Bollywood|anime|manga|Pokemon|Minecraft|Fortnite|Netflix|YouTube|TikTok|Facebook|Google|Amazon|"
    "Microsoft|Apple computers|Android|iPhones|Windows|macOS|Wi-Fi routers|Bluetooth|5G|satellites|GPS|lasers|microchips|transistors|"
    "nuclear power|solar panels|wind turbines|batteries|hydrogen fuel|recycling|deforestation|coral reefs|the Amazon rainforest|glaciers|"
    "tornadoes|hurricanes|tsunamis|plate tectonics|fossils|mammoths|sharks and rays|polar expeditions|orchids|mushroom picking|beekeeping|"
    "horse racing|dog training|cat breeds|aquariums|bird watching|stamp collecting|model railways|magic tricks|astrology|tarot|religion|"
    "Buddhism|Islam|Christianity|Hinduism|Greek mythology|Norse gods|Zeus|Thor|Batman|Superman|Sherlock Holmes|James Bond|Game of Thrones|"
    "Star Trek|Tolkien|Dostoevsky|Kafka|Hemingway|haiku theory|Latin grammar|Esperanto|sign language|linguistics|psychology|Freud|"
    "sociology|anthropology|economics|game theory|statistics|probability theory|topology|group theory|prime number theorems|cryptocurrency|"
    "neural network compilers|compilers|operating systems|garbage collection|regular expressions|React|Django|TensorFlow|CUDA kernels|"
    "terraform|nginx|Postgres|MongoDB|Redis|Kafka streams|microservices|load balancers|SSH keys|git rebase|vim|emacs|the Linux kernel|"
    "my washing machine|my car|my printer|my garden fence|my dishwasher|my landlord|my boss|my girlfriend|my back pain|my homework|"
    "sourdough|sushi|tiramisu|barbecue|craft beer|whisky|espresso machines|perfume|jewellery|diamonds|gold prices|real estate|"
    "hotels in Rome|flights to New York|train tickets|visa rules|passports|backpacking|camping stoves|mountaineering|scuba gear|"
    "wedding speeches|job interviews|salary negotiation|time management|public speaking|leadership|meditation|lucid dreams|hypnosis".split("|")
)  # fmt: skip
_KINDS = (
    "theory history repair design market science culture politics industry strategy engine law machine research policy method disease treaty "
    "festival museum company novel film album software protocol battle sauce recipe algorithm license insurance contract festival"
).split()
_FIRST = "John Mary Robert Linda Carlos Aisha Viktor Yuna George Helen Arthur Simone Bruno Farid Greta Ivan".split()
_LAST = "Carter Smith Muller Tanaka Rossi Okafor Petrov Silva Kowalski Dubois Larsen Khan Walker Novak Brown Stone".split()

_DEFINED = frozenset(word for _, said, _ in DEFINITIONS for word in said.lower().replace(",", " ").split())
# Words that stand for something the model can explain, or can be asked about in a known way, are no unknown topics.
UNKNOWN_NOUNS = tuple(noun for noun in NOUNS if noun not in _DEFINED and f"{noun}s" not in _DEFINED)
_ABOUT = (
    "{What do you know about|Tell me about|Explain|What do you think about|What is|Who is|Can you explain|Who was|What was|What are|Describe} <t>{?|.|}",
    "{Why is <t> important|Why do people like <t>|Where can I find <t>|When was <t> invented|Is <t> popular|Who invented <t>|Do you know <t>|I want to know about <t>|How does <t> work|Who discovered <t>|When did <t> happen|What caused <t>|How much does <t> cost|Is <t> dangerous|Is <t> good for you|What is the history of <t>|What is the best book about <t>|Where does <t> come from|How old is <t>|Who is the founder of <t>|What is the future of <t>|What is special about <t>}{?|}",
    "{Compare|What is the difference between|What is better,} <t> {and|or} <u>{?|}",
    "{Give me the history of|Give me details on|Teach me|I need information on|I am interested in|Let's talk about|Can we talk about|Any thoughts on|What's your opinion on|Give me an overview of|Brief me on|Educate me about} <t>{.|?|}",
    "{What is the|Who has the|Name the|Do you know the} {best|worst|most expensive|newest|oldest|most famous|biggest problem with|first|latest|cheapest} <t>{?|}",
    "{How do I|How can I|Where do I|Should I|Can I|When should I} {learn|start with|study|improve|use|understand|get into|avoid|invest in|teach} <t>{?|}",
    "{Is it true that|Why do some say that|Who says that|Do you agree that} <t> {is|are} {overrated|bad|the best|dying|the future|useless|great}{?|}",
    "<t>{?|.|}",
)
_ABOUT_COUNTRY = (
    "{What is the population of|How many people live in|Who is the president of|Who is the king of|Who rules|What is the flag of|How big is|How far away is|What is the history of|What is the food like in|Who is the prime minister of|What is the weather in|What is the economy of|When was the founding of|What is the national anthem of|What is the area of|How do I get a visa for|What should I see in|What is the GDP of|What is the time in|How is life in|Who won the election in|What is the highest mountain in|What is the second largest city of|What is the best hotel in|Is it safe in} <c>{?|}",
)
_TASKS = (
    "{Write|Draft|Compose|Help me write|Can you write|Generate} {an essay|a report|an email|a letter|a song|a speech|a business plan|a cover letter|a blog post|an article|a tweet|a review|a summary|a novel|a screenplay|a press release|my homework} {about|on|for|regarding} <t>{.|?|}",
    "{Summarize|Summarise|Translate|Proofread|Correct|Rewrite|Analyse|Paraphrase|Improve|Review|Shorten} {this text|the following text|this article|this paragraph|my essay|this email|this}: <s>",
    "{Write|Draft|Give me|I need} {a|an} {200|300|500|1000|2000} word {essay|article|story about a company|report|paper|speech} {about|on} <t>{.|}",
    "{Please |Can you |Could you |Would you |}<v> {my|the|this|a} <w>{ for me| with a <n>| before <d> o'clock|}{.|?|}",
    "{Make|Create|Plan|Calculate|Give me} {a|the|my} <w> {with|of|under|for} <d>00 {calories|euros|dollars|metres|people|words}{.|}",
    "{Plan|Organise|Help me plan|Prepare|Suggest} {a trip to|my holiday in|a tour of|a weekend in|an itinerary for} <c>{.|?|}",
    "{Recommend|Suggest|Find me|Look up|Search for|Buy me|Order|Book} {a book about|a film about|a good place for|a course on|the price of|reviews of|something on} <t>{.|?|}",
    "{How do I|How can I|Help me|How to} {build|fix|buy|repair|design|sell|install|clean|paint|replace|measure|assemble|rent|choose|set up|configure|remove} {a|my|the|an old|a new} <w>{?|.|}",
    "{Draw|Paint|Sketch|Sing|Play|Record|Send|Delete|Open|Download|Upload|Call|Remind me of|Turn on|Turn off|Show me a picture of} {a|my|the} <w>{.|}",
    "{Make|Create|Give me|Write} {a workout plan|a diet plan|a study plan|a budget|a schedule|a shopping plan|a quiz|a crossword|a contract|a logo|a meal plan}{ for <t>|}{.|}",
    "{Solve|Prove|Integrate|Simplify|Factorise} {this equation|the theorem|x^2 + 3x + 2 = 0|2x + 5 = 11|the integral of x^2|this puzzle|the Riemann hypothesis}{.|}",
    "{Pretend to be|Act as|Role play as|Imagine you are|Be} {a lawyer|a doctor|my boss|a therapist|a travel agent|a linux terminal|an interviewer|a detective|Einstein|a chef} and {advise me|ask me questions|answer me|help me}{.|}",
)
_STATEMENTS = (
    "{I|My brother|My sister|My friend|My neighbour|We|My boss|She|He|They|My mother} {went to|visited|talked about|bought|saw|lost|found|read about|dreamed of|just finished|forgot|started with|work with|worked on} {the|a|some} <w>{ today| yesterday| last week| this morning|}{.|}",
    "{I think|I believe|I heard|Someone told me|I read} that <t> {is|are} {great|interesting|hard|expensive|important|overrated|strange|fun}{.|}",
    "{I need|I want|I would like|I am looking for|I lost|I bought|I broke|I love|I hate|I miss} {a new|my|the|a good|an old} <w>{.|!|}",
    "{My|The|Our} <w> {is broken|does not work|is too loud|is late|is very old|makes a strange noise|is missing|smells bad|hurts|is expensive}{.|!|}",
    "{Today|Yesterday|Last night|This morning|Tomorrow} {was|is|will be} {a long day|very busy|the day of the exam|cold and wet|great|strange|my first day at work|a holiday}{.|}",
    "{I have|I had} {a meeting|an exam|a headache|a problem|a dream|an idea|a lot of work|no time|no money|a date}{ today| tomorrow| with my boss|}{.|}",
    "{The|My|Our|Her|His|Some|Every} <w> {<v>s|can <v>|will <v>|did not <v>} {a|the|my|with a|near the} <n>{.|!|}",
    "{I|We|They|You|The neighbours} {will|would|should|can|did|could not} <v> {the|a|my|our} <w>{ and the <n>| in the <n>| today|}{.|!|}",
    "{It|That|This} {happened again|was a surprise|took all day|is my secret|costs too much|looks odd|is about <t>}{.|}",
)
_WHY = (
    "{Why does|Why is|When will|How often does|What happens if|Where did|Who made} {my|the|our|a|this} <w> {make noise|break|stop working|cost so much|need water|smell|fail|matter|turn red|get hot|not work|start}{?|}",
    "{How many|How much|How tall|How heavy|How fast|How deep|How far|How old|How expensive} {is|are} {a|the|my|most} <w>{?|}",
    "{Who won|Who lost|Who played in|Who directed|Who wrote|Who sang|Who painted|When was} {the match|the election|the <w>|the war of 1812|the 2014 world cup|Hamlet|the Oscars in 2020|Titanic|the first <w>|the race|Yesterday|the Matrix|the final}{?|}",
    "{In what year|In which year|When|On what date} {did|was} {the war end|the wall fall|the <w> invented|<p> born|man land on the moon|<p> die|the Titanic sink|the <w> built}{?|}",
    "{Who is|Who was|Tell me about|What did|Have you heard of|Where was} <p>{ do| born| famous for|}{?|}",
    "{What should I|What can I|What do I|Should I} {cook for dinner|wear tomorrow|buy my mother|say to my boss|do this weekend|study|watch tonight|name my company|invest in|do about my <w>}{?|}",
    "{Which|What} <n> {goes with|is best for|fits|belongs to|costs less than|comes with|works with|is used for} {a|the|my|} <w>{?|}",
    "How {does|would|can|did|should} {a|one|the|my} <w> <v>{ the <n>| with the <n>|}{?|}",
    "When {is|was|will be} the {next|last|first|best} <w>{?|}",
    "{What is a good name for|What would you call|How do I name|Can you name} my {new |}<w>{?|}",
    "{What|Who|Why|Where|When|How} {did|does|will|would|can|should} {the|a|my|your} <n> <v> {the|a|my|with the|for the|without a|under the} <w>{?|}",
    "{Is|Are|Was|Can|Could|Should|Will} {a|the|my|every} <w> {better than|safer than|part of|older than|the same as|allowed in|made of|<v>} {a|the|} <n>{?|}",
    "{Do|Does|Did|Have|Has} {people|you|they|my <n>|anyone|the <w>} {often |ever |really |}<v> {a|the|any|} <n>{?|}",
    "{What do you think of|How do you feel about|What would you say about|Which one do you prefer:|What is your view on} {a|the|my} <w>{ and a <n>|}{?|}",
    "{What happened|What will happen|What goes on} {in|at|with|after|during|before} the <w>{ in 19<d>| in 20<d>| of 18<d>|}{?|}",
    "{Who|What} {is|was} the {<a>|first|most <a>|best|oldest} <n> {of|in|at|from} {<p>|<c>|the <n>|the <w>}{?|}",
    "{How far|How long|How many kilometres|How many miles} is it from {<c>|the <n>|London|Berlin|here} to {<c>|the <w>|Paris|Madrid}{?|}",
    "{What can I do|What should I do|What helps} {against|about|for|with} {a|the|my} <w>{ on my <n>| in the <n>|}{?|}",
    "{I'd like to|Can I|How can I|I want to|Is it hard to} <v> {a|the|my} <w>{ at home| on my own| in <d> days|}{?|.}",
    "{What are the|What is the} {symptoms of|causes of|side effects of|rules of|benefits of|price of|meaning of|colour of the|size of the|ingredients of|steps of|parts of|types of} {a |the |}<w>{?|}",
)
_THINGS = tuple(
    "washing machine|printer|bicycle chain|laptop|roof|window frame|kitchen sink|fridge|heater|router|keyboard|phone screen|watch|guitar amp|"
    "tent|motorbike|lawn mower|chimney|carpet|sofa|wardrobe|mattress|suitcase|passport|wallet|umbrella|necklace|ring|dress|jacket|boots|helmet|"
    "engine|tyre|brake|gearbox|boat|kayak|drone|camera|lens|telescope|microscope|projector|speaker|turntable|violin bow|drum kit|piano stool|"
    "garden hose|hedge|fence|shed|greenhouse|compost heap|pond|swimming pool|oven|toaster|blender|dishwasher|coffee machine|lamp|light bulb|"
    "website|web server|app|spreadsheet|invoice|contract|report|thesis|exam|driving licence|house|flat|garage|elevator|staircase|balcony|"
    "tractor|trailer|caravan|airplane ticket|train pass|parcel|knee|shoulder|tooth|stomach|muscle|headache|allergy|fever|medicine|puzzle|"
    "board game|chess set|statue|painting|novel|album|concert|film|festival|museum|bakery|restaurant|factory|airport|stadium|radio|rocket|"
    "treehouse|curtain|mirror|ladder|bathroom tap|pipe|socket|cable|charger|battery|solar panel|wheelbarrow|bird house|fish tank|hamster".split("|")
)
_GIBBERISH = (
    "asdf", "qwerty", "?", "...", "!!!", "hjkl", "lorem ipsum dolor", "abc", "xyz", "123", "42", "blah blah", "hmm", "uh", "a", "x", "??", "foo bar", ":)", ":-(", "ok so",
    "the the the", "aaaaaa", "zzz", "1 2 3 4", "/help", "/start", "exit", "quit", "rm -rf /", "SELECT * FROM users;", "<html>", "null", "undefined", "0", "-", "#", "👍", "😀", "❤️", "🙂🙂", "🤔",
)  # fmt: skip


def _thing(rng: Random) -> str:
    draw = rng.random()
    if draw < 0.45:
        return rng.choice(UNKNOWN_NOUNS)
    return f"{rng.choice(ADJECTIVES if draw < 0.75 else NOUNS)} {rng.choice(UNKNOWN_NOUNS)}"


def subject(rng: Random) -> str:
    """Choose something that the model does not know."""
    draw = rng.random()
    if draw < 0.40:
        return rng.choice(TOPICS)
    if draw < 0.55:
        return f"{rng.choice(('the', 'a', 'my'))} {_thing(rng)} {rng.choice(('', rng.choice(_KINDS)))}".strip()
    if draw < 0.70:
        return f"{rng.choice(('the', 'the', 'modern', 'a', 'old', 'my'))} {rng.choice(_THINGS)} {rng.choice(_KINDS)}"
    if draw < 0.80:
        return f"{invented(rng)} {rng.choice(_KINDS)}"
    if draw < 0.90:
        return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
    return invented(rng) if draw < 0.95 else capitalise(invented(rng))


def _filled(rng: Random, template: str) -> str:
    thing = rng.choice(_THINGS) if rng.random() < 0.4 else _thing(rng)
    if rng.random() < 0.15:
        thing = rng.choice(_THINGS) + " " + rng.choice(_KINDS)
    elif rng.random() < 0.1:
        thing = invented(rng)
    person = f"{rng.choice(_FIRST)} {rng.choice(_LAST)}" if rng.random() < 0.6 else rng.choice(TOPICS)
    words = [rng.choice(NOUNS + VERBS) if rng.random() < 0.8 else invented(rng) for _ in range(rng.randint(4, 20))]
    sentence = capitalise(" ".join(f"{rng.choice(('the', 'a', 'and', 'with', 'for', 'is', 'was', 'in'))} {word}" for word in words)) + "."
    text = spin(
        rng, template,
        t=subject(rng), u=subject(rng), w=thing, p=person, s=sentence, c=rng.choice(tuple(COUNTRIES)), n=rng.choice(UNKNOWN_NOUNS), v=rng.choice(VERBS), a=rng.choice(ADJECTIVES), d=rng.randint(10, 99),
    )  # fmt: skip
    return capitalise(text)


def questions(rng: Random) -> list[Turn]:
    """Ask about something unknown."""
    draw = rng.random()
    template = rng.choice(_ABOUT if draw < 0.35 else _WHY if draw < 0.88 else _ABOUT_COUNTRY)
    return [Turn(_filled(rng, template), spin(rng, rng.choice(ANSWERS)), "Unknown")]


def tasks(rng: Random) -> list[Turn]:
    """Ask for something the model cannot do."""
    return [Turn(_filled(rng, rng.choice(_TASKS)), spin(rng, rng.choice(TASK_ANSWERS)), "Sorry")]


def statements(rng: Random) -> list[Turn]:
    """Say something that is no question at all."""
    return [Turn(_filled(rng, rng.choice(_STATEMENTS)), spin(rng, rng.choice(STATEMENT_ANSWERS)))]


def gibberish(rng: Random) -> list[Turn]:
    """Type something without meaning."""
    draw = rng.random()
    text = rng.choice(_GIBBERISH) if draw < 0.5 else " ".join(invented(rng) for _ in range(rng.randint(1, 8)))
    return [Turn(text, spin(rng, rng.choice(GIBBERISH_ANSWERS)), "What")]
