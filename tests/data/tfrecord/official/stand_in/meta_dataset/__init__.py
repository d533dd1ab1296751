"""A stand-in for the official package, with the interface of commit 1676095 as far as the reader uses it.

It reads class files and decodes them, in a simple way, and keeps what it was asked for.
"""
