"""Everyday words for slots: unknown topics, story heroes, things to repeat; and first names, real and spliced.

The wide choice is the point: a model that sees few words in a slot learns the words, one that sees many learns to copy.
"""

from __future__ import annotations

from random import Random

from engine.demo.corpus.phrasing import capitalise, invented

NOUNS = tuple(
    "accident actor adventure advice airport alarm almond ambulance anchor angle anniversary apartment apron arch archer area argument arm army arrow "
    "artist ash asteroid athlete attic audience aunt author award axe baby backpack bacon badge bag balcony ballet bandage bank banker banner bar barber "
    "barn barrel basement basin basket bath beach beam bean beard beast bed beer beetle bell belt bench berry bet bin biscuit blanket blizzard block blood "
    "blouse board body bolt bomb bone border bottle boulder bow bowl box boxer bracelet branch brass bread breakfast breeze brick bride broom broth brush "
    "bubble bucket budget buffalo building bulb bull bundle burger burglar bush butcher butler button cabin cabinet cactus cafe cage calendar camp campfire "
    "canal cannon canoe canyon cap cape captain card cardinal cargo carnival carriage cart cartoon case cashier casino castle caterpillar cathedral cattle "
    "cave ceiling cell cellar cement century ceremony chalk champion channel chapel chapter charm cheek cheetah chef cherry chest chestnut chicken chief "
    "chimpanzee chin chip choir chorus church cigar cinema circus citizen claw clay cliff climber cloak closet cloth clown club coach coal coast cobra cocoa "
    "coconut code coffin coin collar college colonel column comb comedy comet comic committee compass concert cone conference contest copper coral cord cork "
    "corner corridor costume cottage cotton couch cough country couple courage court cousin cowboy cradle crane crater crayon cream creek crew cricket crime "
    "crocodile crop crowd crown crumb crystal cub cube cucumber cupboard curtain curve cushion custard customer cyclist dance danger dart date daughter dawn "
    "deal debt deck deer dentist desert desk dessert dialogue diary dice dinner director dirt disc dish ditch diver dock document doll donkey door doughnut "
    "dove drawer dream drill driver drum duchess duke dune dust eagle ear earring earth echo edge editor eel egg elbow election electrician elf elk embassy "
    "emperor employee energy envelope error escape evening event example exit expert explorer eye fabric face factory fair fairy falcon family fan fang "
    "feast feather ferry festival fiddle field fig finger fireplace firework fist flag flame flamingo flavour flea fleet flesh flood floor flour flute fly "
    "foam fog folk folder forehead forest fork fort fortune fountain frame freckle freezer friend fringe frost fruit fuel fur furniture future gang gap "
    "gardener garlic gas gate gazelle gear gem general gerbil giant gift ginger glacier glass globe glove glue goal goat gold goldfish golf goose gorilla "
    "grain grandma grandpa grape grass grasshopper grave gravel grocery ground group guard guest guide gull gum gym habit hail hair hall hammer hammock "
    "hand handle harbour hare harp harvest hat hawk hay head heap hedge heel helicopter hell hen herb herd hermit heron hill hinge hippo hobby hole holiday "
    "honey hood hoof hook horn hornet hospital hostel hotel hour human hunter husband hut hyena iceberg icicle idea idol igloo index infant ink inn insect "
    "iron island ivy jacket jackal jaguar jail jam jar jaw jeans jelly jellyfish jet jewel jigsaw joke journal journey judge juggler juice jungle jury "
    "kangaroo kennel kettle key kidney kiosk kiss kitchen knife knot label laboratory lace lady lake lamb land language lantern lawn lawyer layer leader "
    "league leather lecture leg legend lemon lens leopard letter library lid lifeguard light lily limb line lip lizard lobster lock locker log lorry lotion "
    "luck luggage lunch lung lynx magazine magician magnet maid mail mall mango manor marble market mask mast master mat match mattress maze meadow meal "
    "measure meat mechanic medal melody melon member memory mermaid message metal meteor midnight mill miller mine miner mirror mission mist mole moment monk "
    "month monument mood moose morning mosquito moth motor mouth mud mug mule museum mushroom musician mustard nail nation neck needle neighbour nest net "
    "nettle newspaper newt night nightingale noise noodle nose notebook novel number nurse nut oak oar oasis oat object ocean octopus office officer oil olive "
    "onion orchard orchestra organ ostrich otter outfit oven owner oyster package page paint pair palace palm pan pancake panda panel panther paper parade "
    "parent park parrot party passenger path patient paw peach peacock peak peanut pearl pebble pedal peel pelican penny people perfume pet pharmacy phone "
    "photo pickle picnic picture pigeon pile pill pillow pilot pin pine pipe pizza plain plan plate platform play player plot plough plug plum plumber pocket "
    "poet poison pole police polish poll pony porch porcupine port porter portrait postcard pot pottery powder present price priest prison prize problem "
    "professor project prophet puddle pump punch pupil puppet purse quarry quarter quest quilt rabbit raccoon race rack radar raft rail railway rainbow raisin "
    "ram ranch ranger rat raven ray razor receipt record reef referee reindeer relative report reptile rescue result rhino rhyme ribbon rice rider rifle rink "
    "road rock rod roof rooster root rope route ruby rug ruler rumour runner sack saddle safe salad salary salmon salt sandal sandwich satellite sauce sausage "
    "scale scar scene scholar science scientist scorpion scout screw sculptor seagull seat secret secretary seed senator servant shade shadow shampoo shark "
    "shawl shed sheet shelf shell shelter sheriff shield ship shirt shop shore shoulder shovel shower shrimp sign signal silk singer sink siren skeleton skin "
    "skirt skunk sky sled sleeve slice slipper slope sloth smell smile smoke snake sneeze soap sock soil son song soul soup spade spark spear speech spider "
    "spirit sponge spot spray spy squad square squid stable stadium stage stain stair stall stamp state station statue steak steam steel stem stick sting "
    "stomach stool storm stove straw stream street string stripe student studio submarine subway sugar suit sultan sunflower sunset surgeon swamp sweater swim "
    "sword table tail tank tap target taxi team tear teenager telescope temple tennis thief thigh thorn thread throat throne thumb ticket tie tile timber toad "
    "toast toe tomb tongue tool torch tower town toy track trader traffic trail tram trap traveller tray treasure treaty triangle tribe trick troll trophy "
    "trousers trout truck trumpet trunk tub tube tulip tunnel turkey twin uncle uniform valley van vase vault vegetable veil vet video view village vine "
    "violin virus visitor voice vote vulture wagon waiter wall walnut walrus warehouse warrior wasp waterfall wave wax weapon weasel weather web wedding weed "
    "weekend weight well wheat wheel whip whisker whistle widow wig wing winner winter wire wish wood wool word worker workshop worm wound wrist writer yacht "
    "yard year yoghurt zebra zip zone zoo zookeeper".split()
)
# A hero of a story: somebody or something one can call by a name.
FIGURES = (
    *(
    "actor archer artist athlete aunt author banker barber beetle blacksmith boxer bride buffalo bull butcher butler captain carpenter cashier caterpillar "
    "champion cheetah chef chicken chimpanzee citizen climber clown coach cobra cousin cowboy crane crocodile cyclist daughter dentist diver doll dove duchess "
    "duke eagle editor eel electrician elf elk emperor explorer fairy falcon fan flamingo flea fly gazelle gerbil goldfish goose gorilla grandma grandpa "
    "grasshopper guard guest guide gull hare hawk hermit heron hippo hornet hunter hyena jackal jaguar jellyfish judge juggler kettle lady lamb lamp lantern "
    "lawyer leader leopard librarian lifeguard lobster lynx magician maid mechanic mermaid meteor miller miner mole monk moose mosquito moth mule musician "
    "neighbour newt nightingale nurse octopus officer orchestra ostrich oyster panther parent passenger peacock pelican philosopher pilot plumber poet police "
    "pony porcupine porter priest professor puppet raccoon ram ranger rat raven referee reindeer rhino rider rooster runner salmon satellite scholar scientist "
    "scorpion scout sculptor seagull secretary servant shark sheriff ship shrimp singer skeleton skunk sloth snake snowflake spider spy squid student submarine "
    "sultan sunflower surgeon taxi teenager thief toad trader traveller tram treasurer troll trout truck trumpet turkey twin uncle vampire vet violinist vulture "
    "waiter walnut walrus warrior wasp weasel whistle windmill worm writer yeti zookeeper"
    ).split(),
    "ice cream man", "street cat", "sea horse", "bus stop", "fire engine", "taxi driver", "teddy bear", "paper boat", "train conductor", "polar bear",
    "guinea pig", "garden gnome", "flower pot", "night watchman", "shop keeper", "school bus", "rain drop", "rocking horse", "mail carrier", "music box",
)  # fmt: skip
ADJECTIVES = tuple(
    "able angry annual ancient bitter bold brave brief bright broad broken busy calm careful cheap clean clear clever cold common complete cool correct crazy "
    "cruel curious daily damp dangerous dark deep digital dirty double dry early eastern easy electric elegant empty expensive famous fancy fast final firm "
    "flat foreign formal fresh friendly frozen future giant golden good grand great grey guilty handmade happy hard healthy heavy hidden high holy honest hot "
    "huge hungry ideal idle local lazy lonely long loud low lucky mad magic main medical mild modern muddy musical narrow national natural neat nervous new "
    "noisy normal northern old open orange ordinary painful pale perfect plain pleasant polite poor popular pretty private proper public pure purple quick quiet "
    "rare raw ready real red regular rich ripe rough round royal rude rural rusty sad safe salty secret serious shallow sharp shiny short silent silly simple "
    "sleepy slow small smooth social soft sour southern spare special spicy square steep sticky stiff strange strict strong sudden sweet tall tame tasty thick "
    "thin tiny tired total tough tropical typical ugly unusual urban urgent useful usual vast warm weak wealthy weird western wet white wide wild wise wooden "
    "wrong yellow young".split()
)
VERBS = tuple(
    "accept admire agree allow answer argue arrange arrive ask attack bake balance bark beat become behave bend bite blow boil borrow bounce bow break breathe "
    "bring burn buy carry catch celebrate change charge chase check choose clap climb close collect compare complain connect cook copy cough cover crash crawl "
    "cross cry cure cut damage dance decide decorate deliver dig disappear discover dive drag draw dress drink drive drop dry earn eat enjoy enter escape "
    "explode fail fall feed feel fight fill find finish fit fix float fold follow forget freeze gather get give glow go grab grow guess hang happen hate heal "
    "hear heat help hide hit hold hope hunt hurry hurt improve invent invite iron join jump keep kick kiss knit knock last laugh lead leak lean leave lend lift "
    "like listen live lock look lose love manage march mark marry measure meet melt mend mix move need nod notice obey offer open order own pack paint park pass "
    "pay peel pick plant please point polish pour praise pray prefer press prevent print promise protect pull punish push race reach read receive refuse relax "
    "remove rent repair reply rescue rest return ride ring rise roar roll row rub ruin run rush sail save scream search seem sell send serve sew shake shape "
    "share shave shine shiver shoot shout shrink sign sing sink sit skate ski sleep slide slip smell smile smoke sneeze snore sort speak spend spill spin spread "
    "stand stare start stay steal stick stop store stretch suffer suit surprise swear sweep swell swim swing switch talk taste tear test thank think throw tie "
    "touch train trap travel treat trust try turn twist understand use vanish visit wait wake walk want warn wash watch water wave wear weigh whisper win wish "
    "wonder work worry wrap write yawn yell".split()
)
_FIRST_NAMES = tuple(
    "Anna Ben Carla David Emma Finn Grace Hugo Ida Jack Kim Leo Mia Noah Olga Paul Rosa Sam Tina Tom Vera Will Zoe Maria Peter Lucy Max Nina Oscar Lily Omar Sara "
    "Ali Ravi Mei Yuki Ivan Elena Marco Sofia Lars Greta Pablo Alice Bob John Jane Kate Luke Mary Nora Ella Theo Lena Felix Clara Simon Julia Adam Eva Fatima Ahmed "
    "Chen Priya Diego Ingrid Jonas Klara Liam Olivia Ethan Chloe Daniel Laura Stefan Petra Andrei Natalia Hassan Leila Kofi Amara Sven Astrid Matteo Giulia Pierre "
    "Camille Hans Heidi Raj Anita Kenji Hana Abigail Agatha Albert Alexander Alfred Amelia Amir Andrew Angela Antonio Arthur Ashley Augustus Barbara Beatrice Benjamin "
    "Bernard Bianca Brian Bridget Bruno Carmen Caroline Catherine Charlotte Christina Christopher Claudia Clement Conrad Cordelia Cornelius Cynthia Damian Deborah "
    "Delilah Dennis Dominic Donovan Dorothy Douglas Edmund Eduardo Edward Eleanor Elijah Elizabeth Emanuel Emilia Eric Ernest Eugene Evelyn Fabian Federico Ferdinand "
    "Florence Francesca Francis Franklin Frederick Gabriel Genevieve George Gerald Gilbert Gloria Gregory Guillermo Gustav Hannah Harold Harriet Hector Helena Henry "
    "Herbert Horatio Howard Ignatius Irene Isabella Isadora Jacob Jacqueline James Jeremiah Jessica Joaquin Jonathan Josephine Judith Katarina Kenneth Khalid Kimberly "
    "Konstantin Kristof Lawrence Leonard Leopold Lillian Linda Louisa Lucas Ludwig Madeleine Magnus Marcus Margaret Marianne Martin Mathilda Maximilian Melissa Michael "
    "Mohammed Monica Nathaniel Nicholas Norman Octavia Oliver Ophelia Orlando Oswald Pamela Patricia Patrick Penelope Percival Phoebe Rachel Ralph Raymond Rebecca "
    "Reginald Reuben Richard Robert Roderick Roland Rosemary Rudolf Rupert Salvatore Samantha Samuel Sebastian Serena Seymour Sheila Sidney Solomon Sophia Stanley "
    "Stella Stephanie Suleiman Susan Sylvia Tabitha Tamara Theodora Theresa Thomas Timothy Tobias Valentina Valerie Veronica Victoria Viktor Virginia Vladimir Walter "
    "Wilhelmina William Yusuf Zachary Zainab Zuleika Aoife Siobhan Niamh Ngozi Chidi Kwame Thandi Sipho Aroha Tane Kai Leilani Makoa Sakura Haruto Jiho Minseo Linh "
    "Nguyen Arjun Deepika Lakshmi Sanjay Farah Reza Soraya Cyrus Yara Noor Zeynep Emre Aylin Oksana Bogdan Milan Jovana Zoltan Agnes Istvan Piotr Agnieszka Wojtek "
    "Jaroslav Milena Kalle Aino Eero Saga Torsten Solveig Henrik Maarten Anouk Joost Sanne Bruna Thiago Joana Rui Beatriz Inigo Ximena Santiago Rocio Luisa Esteban".split()
)
_LETTERS = "eeeeaaaaiiiooonnnrrrtttsssllldddmmccuukkggbbhhppvvyyffwwjzxq"


def noun_phrase(rng: Random) -> str:
    """Make a noun phrase without article: "rusty kettle", "harbour ceremony", "wooden bridge"."""
    draw = rng.random()
    if draw < 0.4:
        return rng.choice(NOUNS)
    if draw < 0.7:
        return f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    return f"{rng.choice(NOUNS)} {rng.choice(NOUNS)}"


def _spliced(rng: Random) -> str:
    first, second = rng.choice(_FIRST_NAMES), rng.choice(_FIRST_NAMES)
    return first[: rng.randint(2, max(2, len(first) - 1))] + second[rng.randint(1, max(1, len(second) - 2)) :].lower()


def first_name(rng: Random) -> str:
    """Choose a first name: real, spliced from two, invented, or letters in a row."""
    draw = rng.random()
    if draw < 0.35:
        return rng.choice(_FIRST_NAMES)
    if draw < 0.75:
        return _spliced(rng)
    if draw < 0.88:
        return capitalise(invented(rng))
    if draw < 0.94:
        return capitalise(rng.choice(NOUNS))
    return capitalise("".join(rng.choice(_LETTERS) for _ in range(rng.randint(3, 10))))
