#!/usr/bin/env python3
"""Is the drawing of a register allocation well-formed, with boxes for at least so many values?
usage: drawing.py FILE VALUES"""
import html.parser
import sys


class Check(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.values = [], set()

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)
        for name, value in attrs:
            if value is None:
                sys.exit("an attribute without a value: " + name)
            if name == "data-v":
                self.values.add(value)
            if name in ("x", "y", "width", "height", "cx", "cy") and not 0 <= float(value) < 1e6:
                sys.exit("%s=%s is not on the paper" % (name, value))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            sys.exit("</%s> closes nothing" % tag)


c = Check()
with open(sys.argv[1]) as f:
    c.feed(f.read())
if c.open:
    sys.exit("not closed: " + " ".join(c.open))
if len(c.values) < int(sys.argv[2]):
    sys.exit("%d values are drawn, not %s" % (len(c.values), sys.argv[2]))
