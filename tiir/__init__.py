"""Interconnection and interoperability settings: the standard's names, ranges and clauses, curves, comparison.

Pure: nothing here opens a file of the caller's, a socket or a clock. Files are read and devices are spoken to
by others; this package says what a setting is, which value is allowed, and how two values compare.
"""
