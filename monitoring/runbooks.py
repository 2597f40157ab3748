"""The runbooks as a page of the chat page's own site, so that an alert's link leads to its paragraph.

Every deployment serves that site, so no place of its own is needed and nothing has to be public.

Knows: Markdown, docs/runbooks.md. Knows nothing of: alerts' expressions.
"""

import html
import itertools
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "docs/runbooks.md"
PAGE = ROOT / "frontend/site/runbooks.html"


def page(text: str) -> str:
    """Write the page; each alert's heading has its name for an anchor."""
    markdown = MarkdownIt("commonmark", {"html": False})
    tokens = markdown.parse(text)
    names = []
    for heading, inline in itertools.pairwise(tokens):
        if heading.type == "heading_open" and heading.tag == "h2":
            heading.attrSet("id", inline.content)
            names.append(inline.content)
    links = "\n".join(f'<li><a href="#{name}">{name}</a></li>' for name in map(html.escape, names))
    body = markdown.renderer.render(tokens, markdown.options, {})
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Paddock: runbooks</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="runbooks.css">
</head>
<body>
<nav aria-label="Alerts">
<ul>
{links}
</ul>
</nav>
<main>
{body}</main>
</body>
</html>
"""
