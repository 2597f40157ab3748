"""Definitions of the service's own terms and of everyday things, in two or three sentences each.

Rows: term | how people ask for it (comma separated) | answer template.
"""

from __future__ import annotations

from random import Random

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.phrasing import capitalise, spin

DEFINITIONS: tuple[tuple[str, str, str], ...] = (
    ("a token", "token,tokens,a token,tokenization", "A **token** is a small piece of text, such as a word or part of a word. {The model reads and writes text one token at a time.|Models count text in tokens rather than in words.}"),
    ("streaming", "streaming,token streaming,streaming of tokens", "Streaming means sending each token as soon as it is ready, so you can start reading {at once|right away} instead of waiting for the end."),
    ("batching", "batching,a batch", "Batching means working on several requests in one go. {The GPU does them side by side, so more people are served in the same time.|It keeps the hardware busy.}"),
    ("continuous batching", "continuous batching,dynamic batching", "Continuous batching lets many requests share the model at the same time. {When one request ends, another takes its place|New requests join and finished ones leave after every token}, so the hardware stays busy."),
    ("a language model", "a language model,language model,an LLM,LLM,large language model,language models", "A language model is a program that predicts the next token of a text. By doing this again and again it can {write whole answers|hold a conversation}."),
    ("a system prompt", "a system prompt,system prompt,the system prompt", "A system prompt is an instruction at the start of the chat that tells the assistant how to behave, {for example to be brief|such as which tone to use}."),
    ("temperature", "temperature,the temperature setting,sampling temperature", "Temperature controls how random the answers are. A low value gives {safe and repeatable|steady} answers, and a high value gives more varied ones."),
    ("top p", "top p,top-p,top_p,nucleus sampling", "Top p keeps only the most likely tokens whose probabilities add up to p. {A smaller value makes the answers safer.|Lower values make the text more predictable.}"),
    ("a prompt", "a prompt,prompt,prompts", "A prompt is the text that you give to a language model. {A clear prompt usually gets a better answer.|The model continues from there.}"),
    ("a chat template", "a chat template,chat template,chat templates", "A chat template turns a list of messages into one text with special tokens, so the model knows who said what. {Llama 3 uses header tokens and an end of turn token.|}"),
    ("a special token", "a special token,special token,special tokens", "A special token marks something that is not text, such as the start of a message or the end of a turn. {Users cannot type it; only the program writes it.|}"),
    ("a GPU", "a GPU,GPU,GPUs,a graphics card,graphics card", "A GPU is a chip that does many calculations at the same time. {It was made for graphics, and it is also very good at running language models.|That makes language models much faster.}"),
    ("a CPU", "a CPU,CPU,CPUs,a processor,processor", "A CPU is the main processor of a computer. {It follows the instructions of programs one after another, very fast.|I am small enough to run on one.}"),
    ("a queue", "a queue,queue,queues,the queue", "A queue is a waiting line. In this service, requests wait in a queue when the engine is busy, and {each one gets its turn|the page shows your place in it}."),
    ("a gateway", "a gateway,gateway,the gateway", "A gateway is a program that stands in front of another service. Here it {takes your message, builds the prompt and passes it to the engine|checks requests, lets them wait their turn and streams the answers back}."),
    ("an engine", "an engine,engine,the engine,inference engine", "In this project the engine is the program that runs the language model. {On a GPU that is TGI, and without one a small engine on the CPU does the work.|It turns a prompt into tokens.}"),
    ("latency", "latency,response time", "Latency is the time you wait for an answer. {For a chat, the time until the first token matters most.|The lower it is, the faster the chat feels.}"),
    ("throughput", "throughput,tokens per second", "Throughput is how much work is done in a given time, for example tokens per second. {Batching makes it higher.|}"),
    ("quantization", "quantization,quantisation,a quantized model,quantized models", "Quantization stores the numbers of a model with fewer bits. The model becomes smaller and faster, {at the price of a little accuracy|and the quality drops only a little}."),
    ("the context window", "the context window,context window,context length,a context window", "The context window is the number of tokens that a model can look at at once. {Older messages fall out when the chat gets too long.|My own is small.}"),
    ("inference", "inference,model inference", "Inference means using a trained model to get answers. {Training makes the model, inference uses it.|}"),
    ("training", "training,model training,training a model", "Training means showing a model many examples and changing its numbers a little each time, until it predicts them well."),
    ("a parameter", "a parameter,parameters,model parameters,weights,the weights", "Parameters, also called weights, are the numbers inside a model that were set during training. {I have a few million of them; big models have billions.|}"),
    ("a neural network", "a neural network,neural network,neural networks", "A neural network is a program made of many simple units with adjustable numbers. {It learns from examples instead of fixed rules.|}"),
    ("a transformer", "a transformer,transformer,transformers,the transformer architecture", "A transformer is the kind of neural network behind most language models. {Each token looks at the earlier tokens and picks out what matters.|It uses attention to see how the words of a text belong together.}"),
    ("attention", "attention,the attention mechanism", "Attention is the part of a language model that decides which earlier tokens matter for the next one."),
    ("machine learning", "machine learning,ML", "Machine learning means that a program learns from examples instead of following rules written by hand."),
    ("artificial intelligence", "artificial intelligence,AI", "Artificial intelligence is the name for programs that do things which seem to need thinking, such as {understanding text|answering questions}."),
    ("TGI", "TGI,text generation inference,Text Generation Inference", "TGI stands for **Text Generation Inference**. It is a server from Hugging Face that runs large language models {and streams their answers over HTTP|with continuous batching and token streaming}."),
    ("Llama 3", "Llama 3,Llama,Meta Llama,llama 3,the Llama model", "Llama 3 is a family of large language models made by Meta. {I use the same chat format, but I am very much smaller.|This demo uses its chat format with a far smaller model.}"),
    ("Paddock", "Paddock,paddock,this service,this project", "Paddock is a self-hosted chat service for Llama 3. {It has a queue, streaming, metrics and this chat page.|It runs on your own machine, so your chats stay with you.}"),
    ("Docker", "Docker,docker,a container,containers,a Docker container", "Docker packs a program with everything it needs into a container, so that it runs the same way on every machine."),
    ("Linux", "Linux,linux", "Linux is a free operating system. {Most servers in the world run on it.|Many computers, phones and servers use it.}"),
    ("Python", "Python,python,the Python language", "Python is a programming language that is easy to read. People use it for {web sites, data and machine learning|small scripts and big programs}."),
    ("JavaScript", "JavaScript,javascript,JS", "JavaScript is the programming language of web pages. {It makes buttons, forms and chats work in the browser.|}"),
    ("HTML", "HTML,html", "HTML is the language that describes the content of web pages, such as headings, links and pictures."),
    ("Markdown", "Markdown,markdown", "Markdown is a simple way to write formatted text: `**bold**` becomes **bold**, and lines that start with a dash become a list."),
    ("JSON", "JSON,json", 'JSON is a text format for data. A list looks like this: `["Anna", 30, true]`.'),
    ("an API", "an API,API,APIs", "An API is a set of rules that lets one program use another. {A web API is reached over HTTP.|}"),
    ("HTTP", "HTTP,http,HTTPS", "HTTP is the protocol that browsers and servers use to talk to each other. {A browser sends a request and the server sends an answer.|}"),
    ("a server", "a server,server,servers", "A server is a computer or a program that offers something to others, for example web pages or answers of a model."),
    ("a browser", "a browser,browser,web browser", "A browser is a program that shows web pages. {You are probably using one right now.|}"),
    ("a computer", "a computer,computer,computers", "A computer is a machine that follows instructions to {store and change information|work with data}. Phones, laptops and servers are all computers."),
    ("the internet", "the internet,internet,the Internet", "The internet is a worldwide network that connects computers, so they can {share information|send each other messages}."),
    ("a database", "a database,database,databases", "A database is an organised store of data that can be searched quickly."),
    ("an algorithm", "an algorithm,algorithm,algorithms", "An algorithm is a list of clear steps that solves a problem, {much like a recipe|like instructions for a cook}."),
    ("a variable", "a variable,variable,variables", "A variable is a name for a value in a program. {In Python, `x = 5` puts 5 into the variable x.|}"),
    ("a function", "a function,function,functions", "A function is a named piece of a program that does one job and can be used many times. {It takes arguments and may return a value.|}"),
    ("a loop", "a loop,loop,loops,a for loop", "A loop repeats some lines of a program, for example once for each item of a list."),
    ("a bug", "a bug,software bug", "In software, a bug is a mistake in a program. {Finding and fixing it is called debugging.|}"),
    ("open source", "open source,open-source software", "Open source means that everyone may read, use and change the source code of a program."),
    ("a password", "a password,password,passwords", "A password is a secret word that proves who you are. {A good one is long and used for one thing only.|}"),
    ("a robot", "a robot,robot,robots", "A robot is a machine that can {sense, move and do tasks|do work by itself}. Some robots build cars and some clean floors."),
    ("gravity", "gravity", "Gravity is the force that pulls things toward each other. It keeps {us on the ground and the planets near the sun|the moon near the earth}."),
    ("rain", "rain", "Rain is water that falls from clouds. {Warm air lifts water up, and it falls down again when it cools.|}"),
    ("a rainbow", "a rainbow,rainbow,rainbows", "A rainbow is an arc of colours in the sky. It appears when {sunlight shines through drops of rain|the sun shines while it rains}."),
    ("snow", "snow", "Snow is made of tiny ice crystals. It falls when the air is cold enough."),
    ("wind", "wind,the wind", "Wind is moving air. {It blows from places with high pressure to places with low pressure.|}"),
    ("a cloud", "a cloud,clouds", "A cloud is made of tiny drops of water or bits of ice that float in the air."),
    ("thunder", "thunder,lightning", "Lightning is a huge spark between clouds or between a cloud and the ground, and thunder is the sound it makes."),
    ("photosynthesis", "photosynthesis", "Photosynthesis is how plants make food. They use {sunlight, water and air|light, water and carbon dioxide}, and they give off oxygen."),
    ("a volcano", "a volcano,volcano,volcanoes", "A volcano is a mountain with an opening. {Hot melted rock called lava can come out of it.|Lava, ash and gas can come out.}"),
    ("an earthquake", "an earthquake,earthquakes", "An earthquake is a shaking of the ground. It happens when large pieces of the earth's crust slip past each other."),
    ("the moon", "the moon,moon", "The moon is a ball of rock that goes around the earth. {It takes about one month for each trip.|It shines because it reflects sunlight.}"),
    ("the sun", "the sun,sun", "The sun is a star. It gives the earth light and warmth. {All the planets go around it.|}"),
    ("a star", "a star,stars", "A star is a huge ball of hot, glowing gas. {The sun is the star nearest to us.|}"),
    ("a planet", "a planet,planet,planets", "A planet is a large round body that goes around a star. {Our sun has eight planets.|}"),
    ("the solar system", "the solar system,solar system", "The solar system is the sun and everything that goes around it: eight planets, their moons and many small bodies."),
    ("a dinosaur", "a dinosaur,dinosaurs,dinosaur", "Dinosaurs were animals that lived millions of years ago. {Some were as small as a hen and some were bigger than a house.|Birds are their living relatives.}"),
    ("a mammal", "a mammal,mammals", "A mammal is an animal that feeds its young with milk. {Dogs, cows, whales and people are mammals.|}"),
    ("an insect", "an insect,insects", "An insect is a small animal with six legs, such as an ant, a bee or a beetle."),
    ("a cat", "a cat,cats", "A cat is a small animal that many people keep as a pet. {It likes to sleep and to hunt mice.|It purrs when it feels comfortable.}"),
    ("a dog", "a dog,dogs", "A dog is an animal that has lived with people for thousands of years. {It is loyal and likes to play.|}"),
    ("a horse", "a horse,horses", "A horse is a large animal with four legs that eats grass. {People ride it or let it pull carts.|}"),
    ("a llama", "a llama,llamas", "A llama is an animal from South America with soft wool. {It belongs to the same family as the camel.|}"),
    ("a bee", "a bee,bees", "A bee is an insect that visits flowers and makes honey. {Bees help plants to make seeds and fruit.|}"),
    ("a tree", "a tree,tree,trees", "A tree is a tall plant with a trunk, branches and leaves. {It gives shade, fruit and oxygen.|}"),
    ("a flower", "a flower,flowers", "A flower is the part of a plant that makes seeds. {Bright colours and a sweet smell bring bees to it.|}"),
    ("the heart", "the heart,heart", "The heart is a muscle that pumps blood through the body. {It beats about seventy times a minute.|}"),
    ("the brain", "the brain,brain", "The brain is the organ in the head that lets us think, feel and move."),
    ("sleep", "sleep", "Sleep is a time of rest for body and mind. {Most adults need about eight hours a night.|}"),
    ("bread", "bread", "Bread is a food made from flour, water and yeast, baked in an oven."),
    ("coffee", "coffee", "Coffee is a dark drink made from roasted beans. {Many people drink it in the morning to wake up.|}"),
    ("tea", "tea", "Tea is a drink made by pouring hot water over the leaves of the tea plant."),
    ("chocolate", "chocolate", "Chocolate is a sweet food made from cocoa beans, sugar and often milk."),
    ("music", "music", "Music is sound arranged in time, with {rhythm and melody|notes, rhythm and feeling}. {People everywhere make music.|}"),
    ("a poem", "a poem,poems,poetry", "A poem is a text in short lines that plays with sound and pictures. {Many poems rhyme.|}"),
    ("a fable", "a fable,fable,fables", "A fable is a short story, often about animals, that ends with a lesson. {Ask me for the fox and the grapes.|}"),
    ("a book", "a book,book,books", "A book is a set of pages with text or pictures. {Reading one can take you to another world.|}"),
    ("friendship", "friendship,a friend", "Friendship is a bond between people who {care about each other|like and trust each other}. {A good friend listens and helps.|}"),
    ("happiness", "happiness", "Happiness is the good feeling you have when {things go well|you are with people you love|you enjoy what you do}."),
    ("love", "love", "Love is a deep feeling of care for another person. {It shows in small kind acts.|}"),
    ("a democracy", "a democracy,democracy", "A democracy is a form of government in which the people {choose their leaders by voting|vote and decide}."),
    ("money", "money", "Money is what people use to pay for things. {It can be coins, notes or numbers in a bank.|}"),
    ("a school", "a school,school,schools", "A school is a place where people go to learn together with teachers."),
    ("electricity", "electricity", "Electricity is the flow of tiny charges through a wire. It powers {lamps, phones and machines|our lights and computers}."),
    ("water", "water", "Water is a clear liquid that all living things need. {It covers most of the earth.|It freezes at 0 and boils at 100 degrees Celsius.}"),
    ("fire", "fire", "Fire is what we see when something burns. It gives light and heat and needs air."),
    ("ice", "ice", "Ice is frozen water. {It is lighter than water, so it floats.|}"),
    ("time", "time", "Time is what clocks measure. {It orders events from the past to the future.|}"),
    ("a clock", "a clock,clocks", "A clock is a device that shows the time. {Most clocks have hands or digits.|}"),
    ("a map", "a map,maps", "A map is a drawing of a place seen from above. {It helps people find their way.|}"),
    ("a bridge", "a bridge,bridges", "A bridge carries a road or a path over water, a valley or another road."),
    ("a bicycle", "a bicycle,bicycle,a bike,bikes", "A bicycle is a vehicle with two wheels that you move with your feet."),
    ("a telephone", "a telephone,telephone,a phone", "A telephone lets people talk to each other over long distances."),
)  # fmt: skip

_BARE = (
    "{What is|What's|Whats|What are|What exactly is|What even is|So what is|What is meant by} <b>?",
    "{Explain|Please explain|Can you explain|Could you explain|Describe|Define|Tell me about|Can you define|Tell me something about|I want to know about} <b>{.|?|}",
    "What does <s> mean?",
    "{<B>, what is that|<B> means what|<B>: what does it mean|What is this thing called <b>|What do people mean by <b>|What do you mean by <b>|<B>, in short|What is <b>, exactly|What is <b> all about|What is <b> for|What's the meaning of <b>}{?|}",
    "{Everybody talks about <b>, but what is it|People at work keep saying <b>|I read about <b>. What is it|What on earth is <b>|Somebody mentioned <b>|What is meant by <b>|What does one mean by <b>|I never understood <b>|Quick definition of <b>|Can you define <b> for me|How do people define <b>|Tell me in simple words what <b> is|I saw the word <b>. Explain it|<B>? What's that|<B>, explain|<B> explained|<B> please|So, <b>, what is that|Enlighten me about <b>|I wonder what <b> is|What exactly is <b>|Explain the term <b>|Explain the word <b>|Meaning of the word <b>|<B> definition|Do tell me about <b>|Once more, what is <b>|I always hear <b>, what does it mean|I have no clue what <b> is|Never heard of <b>, tell me|My friend told me about <b>|My teacher talked about <b>|What does the word <b> mean|What does <b> stand for}{?|.|}",
    "{I would like to understand|Could you describe|Could you define|Give me a short description of|Say something about|Please tell me about|Help me with the term|What should I know about} <b>{?|.|}",
    "{What do you know about|What can you tell me about|Do you know what <w> is|Can you tell me what <w> is|I don't know what <w> is. Can you explain it} <m>?",
    "{Explain|Describe} <b> {to me|in simple words|in simple terms|like I am five|to a child|simply|briefly|for a beginner|in one sentence}{.|?|}",
    "{Give me|I need|What is} {a|the} {short |simple |}{definition|explanation|meaning} of <b>{.|?|}",
    "{Definition of <b>|Meaning of <b>|<B>}{?|.}",
    "How {does|do|would you explain|would you describe|would you define} <b>{ work|}?",
    "{Teach me about|Help me understand|I do not understand|I'm trying to understand|I have heard of|What is the idea of|What is the point of} <b>{.|?|}",
)


def definitions(rng: Random) -> list[Turn]:
    """Explain one term of the table."""
    term, said, answer = rng.choice(DEFINITIONS)
    forms = said.split(",")
    bare = rng.choice(forms)
    template = rng.choice(_BARE)
    if "<m>" in template:
        template = rng.choice(
            ("{What do you know about|What can you tell me about} <b>?", "{Do you know|Can you tell me|Please tell me} what <w> is?",
             "I {don't|do not} know what <w> is.")
        )  # fmt: skip
    if template.startswith("How "):
        template = rng.choice(("How {does <b> work|would you explain <b>|would you describe <b>|would you define <b>}?", "How do you explain <b>?"))
    user = spin(rng, template, b=bare, B=capitalise(bare), s=forms[0] if rng.random() < 0.6 else f'"{forms[0]}"', w=term)
    turns = [Turn(capitalise(user), spin(rng, answer))]
    if rng.random() < 0.1:
        turns.append(
            Turn(
                spin(rng, "{Tell me more|More|Can you say more|Go on|More details please|Explain more}{.|?|}"),
                spin(rng, "{That is all I know about it.|I know no more than that.} I am only a tiny demo model."),
            )
        )
    return turns
