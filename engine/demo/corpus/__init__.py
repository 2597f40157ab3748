"""The demo model's training text: dialogues made from our own sentences, one module for each skill."""
