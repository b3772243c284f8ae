"""Assembly text, of eBPF and classic BPF alike: comments and errors with their place."""

import re

from ebee.errors import AsmError


class SourceError(AsmError):
    """An error in assembly text, with its line and column (from 1)."""

    def __init__(self, message: str, line: int, column: int):
        super().__init__(message)
        self.line, self.column = line, column


class Source:
    """The lines of a text. `line` (from 1) is the one being read, for errors."""

    def __init__(self, text: str, name: str):
        self.original, self.name, self.line = re.split(r"\r?\n", text), name, 0
        blanked = re.sub(r"(?s)/\*.*?\*/", lambda found: re.sub(r"[^\n]", " ", found[0]), text)
        self.lines = re.split(r"\r?\n", blanked)

    def error(self, message: str, column: int = 0) -> SourceError:
        """An error at `column` (from 0) of the current line, which is shown with a caret."""
        shown = self.original[self.line - 1].expandtabs(1)
        where = f"{self.name}:{self.line}:{column + 1}"
        caret = " " * column + "^"
        return SourceError(f"{where}: {message}\n    {shown}\n    {caret}", self.line, column + 1)
