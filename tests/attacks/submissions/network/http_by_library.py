"""Fetches a page by the standard library, by way of a proxy named in the environment."""

POINTS = 0
HURTS = False
BOUNDS = "one connection to loopback, 2 seconds"
FIRST = """\
import os
import urllib.request

os.environ["http_proxy"] = "http://127.0.0.1:@TCP@"
urllib.request.urlopen("http://localhost/@STUDENT@", timeout=2)
"""
