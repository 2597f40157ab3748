"""Small Python functions with explanations, usage, running times and a JavaScript twin; unknown tasks are refused."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.phrasing import spin


class Snippet(NamedTuple):
    """Hold one function: the ways to ask for it, its code in both languages, and what is said about it."""

    tasks: tuple[str, ...]
    name: str
    python: str
    javascript: str
    explanation: str
    usage: str
    cost: str


SNIPPETS: tuple[Snippet, ...] = (
    Snippet(("compute the Fibonacci numbers", "compute Fibonacci numbers", "calculate the Fibonacci sequence", "get the nth Fibonacci number", "generate Fibonacci numbers", "print the Fibonacci series"), "fibonacci",
        "def fibonacci(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a",
        "function fibonacci(n) {\n  let a = 0, b = 1;\n  for (let i = 0; i < n; i++) {\n    [a, b] = [b, a + b];\n  }\n  return a;\n}",
        "It starts with 0 and 1 and adds the last two numbers again and again.", "print(fibonacci(10))  # 55", "O(n)"),
    Snippet(("compute a factorial", "compute the factorial of a number", "calculate factorials", "find n factorial"), "factorial",
        "def factorial(n):\n    result = 1\n    for i in range(2, n + 1):\n        result *= i\n    return result",
        "function factorial(n) {\n  let result = 1;\n  for (let i = 2; i <= n; i++) {\n    result *= i;\n  }\n  return result;\n}",
        "It multiplies all whole numbers from 2 up to n.", "print(factorial(5))  # 120", "O(n)"),
    Snippet(("check if a number is prime", "test whether a number is prime", "tell if n is a prime number", "detect prime numbers"), "is_prime",
        "def is_prime(n):\n    if n < 2:\n        return False\n    for i in range(2, int(n ** 0.5) + 1):\n        if n % i == 0:\n            return False\n    return True",
        "function isPrime(n) {\n  if (n < 2) return false;\n  for (let i = 2; i * i <= n; i++) {\n    if (n % i === 0) return false;\n  }\n  return true;\n}",
        "It tries every divisor up to the square root of n.", "print(is_prime(7))  # True", "O(sqrt(n))"),
    Snippet(("reverse a string", "reverse a text", "turn a string around", "write a word backwards"), "reverse_string",
        "def reverse_string(text):\n    return text[::-1]",
        "function reverseString(text) {\n  return text.split(\"\").reverse().join(\"\");\n}",
        "It reads the text from the end to the start.", "print(reverse_string(\"hello\"))  # olleh", "O(n)"),
    Snippet(("add two numbers", "sum two numbers", "compute the sum of two numbers"), "add",
        "def add(a, b):\n    return a + b", "function add(a, b) {\n  return a + b;\n}",
        "It returns the sum of its two arguments.", "print(add(2, 3))  # 5", "O(1)"),
    Snippet(("count the vowels in a text", "count vowels", "count the vowels of a word", "find the number of vowels in a string"), "count_vowels",
        "def count_vowels(text):\n    return sum(1 for c in text.lower() if c in \"aeiou\")",
        "function countVowels(text) {\n  return (text.match(/[aeiou]/gi) || []).length;\n}",
        "It looks at each letter and counts the vowels.", "print(count_vowels(\"banana\"))  # 3", "O(n)"),
    Snippet(("play FizzBuzz", "print FizzBuzz", "do FizzBuzz", "solve FizzBuzz"), "fizzbuzz",
        "def fizzbuzz(n):\n    for i in range(1, n + 1):\n        if i % 15 == 0:\n            print(\"FizzBuzz\")\n        elif i % 3 == 0:\n            print(\"Fizz\")\n        elif i % 5 == 0:\n            print(\"Buzz\")\n        else:\n            print(i)",
        "function fizzbuzz(n) {\n  for (let i = 1; i <= n; i++) {\n    if (i % 15 === 0) console.log(\"FizzBuzz\");\n    else if (i % 3 === 0) console.log(\"Fizz\");\n    else if (i % 5 === 0) console.log(\"Buzz\");\n    else console.log(i);\n  }\n}",
        "It prints Fizz for multiples of 3, Buzz for multiples of 5, and FizzBuzz for both.", "fizzbuzz(15)", "O(n)"),
    Snippet(("find the largest number in a list", "find the maximum of a list", "get the biggest number of a list", "return the max of a list"), "find_max",
        "def find_max(numbers):\n    largest = numbers[0]\n    for x in numbers:\n        if x > largest:\n            largest = x\n    return largest",
        "function findMax(numbers) {\n  return Math.max(...numbers);\n}",
        "It remembers the largest number seen so far.", "print(find_max([3, 9, 4]))  # 9", "O(n)"),
    Snippet(("sum a list of numbers", "add up a list", "add all numbers in a list", "compute the sum of a list"), "sum_list",
        "def sum_list(numbers):\n    total = 0\n    for x in numbers:\n        total += x\n    return total",
        "function sumList(numbers) {\n  return numbers.reduce((a, b) => a + b, 0);\n}",
        "It adds every number to a running total.", "print(sum_list([1, 2, 3]))  # 6", "O(n)"),
    Snippet(("check if a word is a palindrome", "test for palindromes", "detect a palindrome", "tell if a string is a palindrome"), "is_palindrome",
        "def is_palindrome(text):\n    text = text.lower()\n    return text == text[::-1]",
        "function isPalindrome(text) {\n  const t = text.toLowerCase();\n  return t === t.split(\"\").reverse().join(\"\");\n}",
        "It compares the text with its reverse.", "print(is_palindrome(\"level\"))  # True", "O(n)"),
    Snippet(("print hello world", "say hello world", "print Hello, world!", "write hello world"), "hello",
        "print(\"Hello, world!\")", "console.log(\"Hello, world!\");",
        "It prints a greeting on the screen.", "python hello.py", "O(1)"),
    Snippet(("search a sorted list", "do a binary search", "find an item in a sorted list", "implement binary search"), "binary_search",
        "def binary_search(items, target):\n    low, high = 0, len(items) - 1\n    while low <= high:\n        mid = (low + high) // 2\n        if items[mid] == target:\n            return mid\n        if items[mid] < target:\n            low = mid + 1\n        else:\n            high = mid - 1\n    return -1",
        "function binarySearch(items, target) {\n  let low = 0, high = items.length - 1;\n  while (low <= high) {\n    const mid = Math.floor((low + high) / 2);\n    if (items[mid] === target) return mid;\n    if (items[mid] < target) low = mid + 1;\n    else high = mid - 1;\n  }\n  return -1;\n}",
        "It halves the search range at every step.", "print(binary_search([1, 3, 5, 7], 5))  # 2", "O(log n)"),
    Snippet(("sort a list", "sort numbers", "do a bubble sort", "sort a list of numbers", "implement bubble sort"), "bubble_sort",
        "def bubble_sort(items):\n    items = list(items)\n    for end in range(len(items) - 1, 0, -1):\n        for i in range(end):\n            if items[i] > items[i + 1]:\n                items[i], items[i + 1] = items[i + 1], items[i]\n    return items",
        "function bubbleSort(items) {\n  const a = [...items];\n  for (let end = a.length - 1; end > 0; end--) {\n    for (let i = 0; i < end; i++) {\n      if (a[i] > a[i + 1]) [a[i], a[i + 1]] = [a[i + 1], a[i]];\n    }\n  }\n  return a;\n}",
        "It swaps neighbours that are in the wrong order until the list is sorted.", "print(bubble_sort([3, 1, 2]))  # [1, 2, 3]", "O(n^2)"),
    Snippet(("check if a number is even", "test if a number is even", "tell even from odd numbers", "check whether n is even or odd"), "is_even",
        "def is_even(n):\n    return n % 2 == 0", "function isEven(n) {\n  return n % 2 === 0;\n}",
        "It looks at the remainder of a division by 2.", "print(is_even(4))  # True", "O(1)"),
    Snippet(("find the greatest common divisor", "compute the GCD of two numbers", "calculate the gcd", "find the gcd"), "gcd",
        "def gcd(a, b):\n    while b:\n        a, b = b, a % b\n    return a",
        "function gcd(a, b) {\n  while (b) {\n    [a, b] = [b, a % b];\n  }\n  return a;\n}",
        "It replaces the larger number by the remainder until nothing is left.", "print(gcd(12, 18))  # 6", "O(log n)"),
    Snippet(("convert Celsius to Fahrenheit", "turn Celsius into Fahrenheit", "convert degrees Celsius to Fahrenheit"), "to_fahrenheit",
        "def to_fahrenheit(celsius):\n    return celsius * 9 / 5 + 32", "function toFahrenheit(celsius) {\n  return celsius * 9 / 5 + 32;\n}",
        "It multiplies by nine fifths and adds 32.", "print(to_fahrenheit(100))  # 212.0", "O(1)"),
    Snippet(("count the words in a text", "count words", "find the number of words in a text", "count how many words a sentence has"), "count_words",
        "def count_words(text):\n    return len(text.split())", "function countWords(text) {\n  return text.trim().split(/\\s+/).length;\n}",
        "It splits the text at spaces and counts the parts.", "print(count_words(\"one two three\"))  # 3", "O(n)"),
    Snippet(("compute the average of a list", "find the mean of a list of numbers", "calculate an average", "compute the mean"), "average",
        "def average(numbers):\n    return sum(numbers) / len(numbers)", "function average(numbers) {\n  return numbers.reduce((a, b) => a + b, 0) / numbers.length;\n}",
        "It divides the sum of the numbers by how many there are.", "print(average([2, 4, 6]))  # 4.0", "O(n)"),
    Snippet(("remove duplicates from a list", "delete duplicates in a list", "keep only unique items of a list"), "unique",
        "def unique(items):\n    return list(dict.fromkeys(items))", "function unique(items) {\n  return [...new Set(items)];\n}",
        "It keeps the first of each item and drops the rest.", "print(unique([1, 2, 2, 3]))  # [1, 2, 3]", "O(n)"),
)  # fmt: skip
UNKNOWN_TASKS = tuple(
    "scrape a website|train a neural network|send an email|connect to a database|draw a chart|play chess|parse XML|build a web server|"
    "encrypt a file|read an Excel sheet|resize images|download a video|solve a sudoku|simulate gravity|compress a folder|multiply matrices|"
    "plot a histogram|translate a text|find the shortest path in a graph|traverse a binary tree|build a linked list|call a REST API|"
    "merge two dictionaries|flatten a nested list|generate a password|roll dice|make a snake game|detect faces|record sound|schedule jobs|"
    "balance brackets|invert a matrix|format a date|hash a password|zip two lists|watch a folder|control a robot|rename files".split("|")
)
_REFUSALS = (
    "I do not know how to write that. I only know a few small functions, such as Fibonacci, factorial or binary search.",
    "That program is beyond me. I am a tiny demo model and only know small functions, for example FizzBuzz or a prime test.",
)
_NAMED = {"fibonacci": "Fibonacci", "factorial": "factorial", "fizzbuzz": "FizzBuzz", "binary_search": "binary search", "bubble_sort": "bubble sort", "gcd": "GCD", "is_palindrome": "palindrome", "is_prime": "prime"}
_ASK = (
    "{Write|Implement|Give me|Show me|Create|Please write|Can you write|Could you write|I need|Code|Make|Define|Please implement|Can you implement|Can you show me|Develop} {a|a|a small|a simple} <l> {function|program|function|script} {to|that can} <t>{.|?|}",
    "{Write|Give me|Show me|I need|Please write|Can you write} {<l> code|some <l> code|code in <l>|<l> code} to <t>{.|?|}",
    "{How do I|How can I|How would you|How do you|Show me how to|How to|What is the best way to} <t> in <l>{?|.|}",
    "{<T> in <l>|<l> function to <t>|<l>: <t>|Using <l>, <t>|In <l>, <t>|<l> code to <t>}{.|?|}",
    "{I want to|I would like to|Help me} <t> {in|with|using} <l>{.|}",
)
_ASK_NAMED = (
    "{Write|Implement|Give me|Show me|Create|Can you write|I need} {a|the} <k> function in <l>{.|?|}",
    "{<k> in <l>|<l> <k>|Code <k> in <l>|Show me <k> in <l>|<k> function|Write <k> in <l>|Program <k> in <l>}{.|?|}",
)


def _ask(rng: Random, task: str, language: str, named: str | None) -> str:
    if named is not None and rng.random() < 0.3:
        return spin(rng, rng.choice(_ASK_NAMED), k=named, l=language)
    return spin(rng, rng.choice(_ASK), t=task, T=task[0].upper() + task[1:], l=language)


def code(rng: Random) -> list[Turn]:
    """Write one function in Python or JavaScript, then talk about it."""
    if rng.random() < 0.12:
        return [Turn(_ask(rng, rng.choice(UNKNOWN_TASKS), rng.choice(("Python", "Python", "JavaScript", "Java", "C++", "Rust")), None), rng.choice(_REFUSALS))]
    snippet = SNIPPETS[0] if rng.random() < 0.15 else rng.choice(SNIPPETS)
    language = rng.choice(("Python", "Python", "Python", "Python", "JavaScript"))
    body = snippet.python if language == "Python" else snippet.javascript
    if rng.random() < 0.04:
        other = rng.choice(("Java", "C++", "Rust", "Go", "Ruby", "C", "PHP", "Haskell"))
        return [Turn(_ask(rng, rng.choice(snippet.tasks), other, None), "I only write small functions in Python and JavaScript. Ask me for one of these, please.")]
    user = _ask(rng, rng.choice(snippet.tasks), language, _NAMED.get(snippet.name))
    if snippet.name == "fibonacci" and rng.random() < 0.1:
        user, language, body = "Implement a Python function to compute the Fibonacci numbers.", "Python", snippet.python
    elif language == "Python" and rng.random() < 0.08:
        # Without a language the answer is in Python.
        user = user.replace(" in Python", "").replace("Python ", "")
    answer = spin(rng, "{Here is a <l> {function|program} to <t>:|Here is some <l> code to <t>:}", l=language, t=snippet.tasks[0])
    answer += f"\n\n```{language.lower()}\n{body}\n```"
    if rng.random() < 0.5:
        answer += f"\n\n{snippet.explanation}"
    turns = [Turn(user, answer)]
    draw = rng.random()
    if draw < 0.15:
        turns.append(Turn(spin(rng, "{Explain the code|How does it work|What does this code do|Can you explain it|Explain|Explain it to me|What does it do|How does that work|Explain this function}{.|?|}"), snippet.explanation))
    elif draw < 0.25:
        other, twin = ("JavaScript", snippet.javascript) if language == "Python" else ("Python", snippet.python)
        follow = spin(rng, "{Now in <l>|And in <l>|Can you write it in <l>|Do it in <l>|In <l> please|The same in <l>|What about <l>}{?|.|}", l=other)
        turns.append(Turn(follow, f"Here it is in {other}:\n\n```{other.lower()}\n{twin}\n```"))
    elif draw < 0.37:
        turns.append(Turn(spin(rng, "{What is the complexity|How fast is it|What is the time complexity|What is its running time|Is it fast|What is the big O}{?|}"), f"It runs in {snippet.cost} time."))
    elif draw < 0.5 and language == "Python":
        follow = spin(rng, "{How do I use it|How do I call it|Show me an example|Give me an example|Example please|How can I use it|Show me how to call it}{?|.|}")
        kind = "bash" if snippet.name == "hello" else "python"
        turns.append(Turn(follow, f"Like this:\n\n```{kind}\n{snippet.usage}\n```"))
    return turns
