"""How a source held its images, so that what comes out looks like what went in."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from synthgen.data.origin import Origin


class ImageLayout(BaseModel):
    """The form of a source; holds nothing of its images. Arrays are written as Parquet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["folders", "listing", "parquet", "arrays"]
    """A folder by class; a file that lists names and labels; an image Parquet; in memory."""
    zipped: bool = False
    """Folders, listing: in a ZIP archive."""
    prefix: str = ""
    """Folders, listing: the only folder at the top, with a slash, that holds everything."""
    target: str = "label"
    """The column of labels; without a meaning for folders."""
    sha256: str | None = None
    """Of the bytes of a file; of a folder, of the sorted names that were read and the hashes of
    their contents."""
    listing: str | None = None
    """Listing: the name of that file."""
    columns: tuple[str, ...] = ()
    """Listing: its columns."""
    csv: Origin | None = None
    """Listing: its separator, encoding, and so on."""
    file_column: str | None = None
    """Listing: the column of file names."""
    image_column: str | None = None
    """Parquet: the column of images."""
    arrow_schema: str | None = None
    """Parquet: the columns' Arrow types (:func:`synthgen.data.parquet.pack_schema`)."""
    features: str | None = None
    """Parquet: what Hugging Face ``datasets`` noted in the file's schema, as JSON."""
    paths: bool = True
    """Parquet: whether images have names in the file."""

    @property
    def extension(self) -> str:
        """With the dot; empty for a folder."""
        if self.format in ("parquet", "arrays"):
            return ".parquet"
        return ".zip" if self.zipped else ""
