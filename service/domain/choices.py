"""Names that clients choose among, in requests and in options of commands.

Only the standard library is imported: the command lists these names without the server's libraries.
"""

from typing import Literal

PublishedName = Literal["kizrak-2019"]
"""Articles whose published figures can be set beside one's own."""

ExportRows = Literal["experiments", "epochs", "diagnostics"]
"""The subject of a row of an export."""

TableRows = Literal["groups", "pairs"]
"""The subject of a row of a comparison's table."""

TableFormat = Literal["csv", "markdown", "latex"]
"""The formats of a comparison's table."""
