"""A JSON file of a peer's numbers, kept outside the repository, so that a second run need not compute them again."""

import json
import os
from pathlib import Path


class Store:
    """Entries by name; each is only good for the digest of the file and the way it was computed (`recipe`)."""

    def __init__(self, path, recipe):
        self.path = Path(path)
        self.recipe = recipe
        self.entries = self._read()

    def _read(self):
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def get(self, entry):
        found = self.entries.get(entry.name)
        good = found and found["digest"] == entry.digest and found["recipe"] == self.recipe
        return found["numbers"] if good else None

    def put(self, entry, numbers):
        """Adds an entry to what is in the file now, and writes it at once: a reader never sees half of it."""
        self.entries = self._read()
        self.entries[entry.name] = {"digest": entry.digest, "recipe": self.recipe, "numbers": numbers}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(json.dumps(self.entries))
        draft.replace(self.path)

    def obtain(self, entry, compute):
        """The stored numbers, or those of `compute()`, which are then stored."""
        numbers = self.get(entry)
        if numbers is None:
            numbers = compute()
            self.put(entry, numbers)
        return numbers
