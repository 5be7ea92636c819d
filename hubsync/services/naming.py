"""Which installed file the name in a `<lora:…>` tag means: one rule for prompts and for renders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hubsync.domain import Installed, LoraType
from hubsync.prompts.resolution import Known, Names, walk_key
from hubsync.services.library import LibraryService


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """The names of one library at one moment: file stems, in any case, and the names that headers hold."""

    library: LibraryService
    names: Names

    @classmethod
    def of(cls, library: LibraryService) -> Naming:
        """The names as the library holds them."""
        rows = library.records.names_and_aliases()
        return cls(
            library=library,
            names=Names.of(Known(name=name, alias=alias, family=family) for name, alias, family in rows),
        )

    def loaded(self, name: str) -> Installed | None:
        """The LoRA that a tag with this name loads."""
        loras = self.of_stem(name)
        if not loras and (file := self.names.loaded(name)) is not None:
            loras = self.of_stem(file.name)
        return loras[-1] if loras else None

    def of_stem(self, name: str) -> Sequence[Installed]:
        """The LoRAs of that stem, of its exact case if there are any; AUTOMATIC1111 loads the last."""
        found = [lora for lora in self.library.records.by_name(name) if lora.type is not LoraType.EMBEDDING]
        exact = [lora for lora in found if lora.name == name] or found
        return sorted(exact, key=lambda lora: walk_key(lora.path))

    def unknown(self, name: str) -> str:
        """What to say of a name in a prompt that loads nothing."""
        sharing = [file.name for file in self.names.namesakes(name)]
        if sharing:
            hint = f"; it is the name inside several files, which loads none of them: {', '.join(sharing)}"
        else:
            near = self.library.similar(name)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
        return f"the prompt names '{name}', which is not installed{hint}"
