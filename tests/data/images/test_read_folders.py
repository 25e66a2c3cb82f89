"""Folders by class, on the disk and in ZIP archives; and everything odd about either."""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from contextlib import suppress
from pathlib import Path

import fsspec
import numpy as np
import pytest
from PIL import Image

from synthgen.data.images.options import ImageOptions
from synthgen.data.images.read import LoadedImages, looks_like_images, read_images
from synthgen.errors import DataError, MachineError
from tests.data.images.made import archive, classes, coded, folder, pixels, png, refusal, same


def both(tmp_path: Path, files: dict[str, bytes | str]) -> list[LoadedImages]:
    """From a folder and from an archive of the same files."""
    found = [
        read_images(folder(tmp_path / "data", files)),
        read_images(archive(tmp_path / "data.zip", files)),
    ]
    same(found[0].images, found[1].images)
    assert [loaded.layout.zipped for loaded in found] == [False, True]
    return found


def test_a_directory_a_class(tmp_path: Path) -> None:
    files = classes() | {"dog/deep/er/x.jpg": coded(Image.new("L", (5, 6), 9), "JPEG")}
    for loaded in both(tmp_path, files):
        assert loaded.images.classes == ("cat", "dog")
        assert loaded.images.counts().tolist() == [3, 3]
        assert loaded.images.names[-2:] == ("dog/1.png", "dog/deep/er/x.jpg")
        assert loaded.images.pixels.shape == (6, 1, 6, 5)
        np.testing.assert_array_equal(loaded.images.pixels[1, 0], pixels(1))
        assert loaded.layout.format == "folders"
        assert loaded.notices == ()
        assert loaded.skipped == ()


def test_hashes(tmp_path: Path) -> None:
    folders = [folder(tmp_path / name, classes()) for name in ("a", "b")]
    first, second = (read_images(path).layout.sha256 for path in folders)
    assert first == second
    assert first is not None
    assert len(first) == 64
    (folders[1] / "cat/0.png").rename(folders[1] / "cat/00.png")
    assert read_images(folders[1]).layout.sha256 != first
    path = archive(tmp_path / "a.zip", classes())
    assert read_images(path).layout.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_wraps_everything_is_told(tmp_path: Path) -> None:
    for loaded in both(tmp_path, classes(below="my data/v1/")):
        assert loaded.layout.prefix == "my data/v1/"
        assert loaded.images.names[0] == "cat/0.png"
        assert loaded.images.classes == ("cat", "dog")


def test_one_class_is_no_wrapper(tmp_path: Path) -> None:
    for loaded in both(tmp_path, {"cat/1.png": png(1), "cat/2.png": png(2)}):
        assert loaded.images.classes == ("cat",)


def test_left_overs_of_file_managers_are_ignored(tmp_path: Path) -> None:
    junk: dict[str, bytes | str] = {
        ".DS_Store": "x",
        "cat/.DS_Store": "x",
        "cat/Thumbs.db": "x",
        "dog/desktop.ini": "x",
        "__MACOSX/cat/._0.png": "x",
        ".git/config": "x",
        "cat/._0.png": "no image",
        ".hidden/1.png": png(5),
    }
    for loaded in both(tmp_path, classes() | junk):
        assert len(loaded.images) == 5
        assert loaded.images.classes == ("cat", "dog")
        assert loaded.notices == ()


def test_other_files_are_left_out_with_a_notice(tmp_path: Path) -> None:
    more: dict[str, bytes | str] = {"README.md": "x", "cat/notes.txt": "x", "logo.png": png(5)}
    for loaded in both(tmp_path, classes() | more):
        assert len(loaded.images) == 5
        assert len(loaded.notices) == 1
        assert "README.md, cat/notes.txt, logo.png" in loaded.notices[0]


def test_an_empty_class_is_declared(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", classes())
    (root / "owl").mkdir()
    (root / "owl" / ".keep").write_text("")
    loaded = read_images(root)
    assert loaded.images.classes == ("cat", "dog", "owl")
    assert loaded.images.counts().tolist() == [3, 2, 0]
    assert loaded.notices[0].endswith("no image of the class owl.")


def test_nothing_to_read(tmp_path: Path) -> None:
    assert "no images" in refusal(lambda: read_images(folder(tmp_path / "a", {"x": ""}))).cause
    (tmp_path / "empty").mkdir()
    assert "no images" in refusal(lambda: read_images(tmp_path / "empty")).cause
    assert "no images" in refusal(lambda: read_images(archive(tmp_path / "e.zip", {}))).cause
    flat = folder(tmp_path / "flat", {"1.png": png(), "2.png": png()})
    error = refusal(lambda: read_images(flat))
    assert "2 images, but no labels" in error.cause
    assert "labels.csv" in error.remedy
    only = folder(tmp_path / "only", {"cat/x.txt": "", "dog/x.txt": ""})
    assert "holds no image that can be used" in refusal(lambda: read_images(only)).cause


def test_parts_of_a_split_are_no_classes(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", classes(below="train/") | classes(below="Test/"))
    error = refusal(lambda: read_images(root))
    assert "Test, train are the parts of a split" in error.cause
    assert len(read_images(root / "train").images) == 5


def test_bad_images_are_skipped_and_named(tmp_path: Path) -> None:
    files = classes(200, 199) | {"dog/\x1b[31m\n.png": "just text", "dog/zero.png": b""}
    cut = png(7, (40, 40))[:300]
    for loaded in both(
        tmp_path,
        files | {"cat/cut.png": cut, "cat/jpeg.png": coded(Image.new("L", (5, 6)), "JPEG")},
    ):
        assert len(loaded.images) == 400
        assert "cat/jpeg.png" in loaded.images.names
        assert [name for name, _ in loaded.skipped] == [
            "cat/cut.png",
            "dog/\x1b[31m\n.png",
            "dog/zero.png",
        ]
        notice = loaded.notices[0]
        assert notice.isprintable()
        assert "3 of 403 images cannot be used" in notice
        assert "dog/\\x1b[31m\\n.png is no PNG" in notice
        assert "dog/zero.png is empty" in notice


def test_more_than_one_in_a_hundred_bad_ones_are_refused(tmp_path: Path) -> None:
    files = classes(150, 148)
    bad = {f"cat/bad{i}.png": "text" for i in range(4)}
    error = refusal(lambda: read_images(folder(tmp_path / "data", files | bad)))
    assert error.exit_code == 3
    assert "4 of 302 images cannot be used" in error.cause
    assert "cat/bad0.png is no PNG" in error.cause
    assert error.cause.endswith("; and 1 more.")
    assert "1 %" in error.remedy


def test_sizes(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", classes() | {"dog/z.png": png(1, (10, 12))})
    error = refusal(lambda: read_images(root))
    assert "cat/0.png has 5 × 6 pixels, dog/z.png has 12 × 10" in error.cause
    assert "size=5" in error.remedy
    square = read_images(root, options=ImageOptions(size=4))
    assert square.images.pixels.shape == (6, 1, 4, 4)
    exact = read_images(root, options=ImageOptions(size=(6, 5)))
    np.testing.assert_array_equal(exact.images.pixels[1, 0], pixels(1))


def test_colours(tmp_path: Path) -> None:
    files = classes() | {"dog/z.png": png(1, (6, 5, 3))}
    for loaded in both(tmp_path, files):
        assert loaded.images.pixels.shape == (6, 3, 6, 5)
        for channel in range(3):
            np.testing.assert_array_equal(loaded.images.pixels[1, channel], pixels(1))
        np.testing.assert_array_equal(
            loaded.images.pixels[5], pixels(1, (6, 5, 3)).transpose(2, 0, 1)
        )
    grey = read_images(tmp_path / "data", options=ImageOptions(channels=1)).images.pixels
    luma = Image.fromarray(pixels(1, (6, 5, 3))).convert("L")
    np.testing.assert_array_equal(grey[5, 0], np.asarray(luma))
    only_grey = read_images(folder(tmp_path / "grey", classes()), options=ImageOptions(channels=3))
    assert only_grey.images.pixels.shape[1] == 3


def test_limits(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", classes())
    path = archive(tmp_path / "data.zip", classes())
    for source in (root, path):
        few = ImageOptions(max_files=4)
        assert "more than 4 files" in refusal(lambda: read_images(source, options=few)).cause  # noqa: B023
        small = ImageOptions(max_pixels=29)
        assert (
            "5 × 6 pixels, more than 29"
            in refusal(
                lambda: read_images(source, options=small)  # noqa: B023
            ).cause
        )
    large = ImageOptions(size=1000, max_bytes=4_000_000)
    error = refusal(lambda: read_images(root, options=large))
    assert "5 images of 1000 × 1000 pixels need 5,000,000 bytes" in error.cause
    heavy = ImageOptions(max_pixels=30)
    (root / "cat/0.png").write_bytes(png(0) + bytes(2**20 + 300))
    assert "bytes" in refusal(lambda: read_images(root, options=heavy)).cause


def test_names_that_differ_in_case_are_both_read(tmp_path: Path) -> None:
    for loaded in both(tmp_path, classes() | {"cat/A.png": png(8), "cat/a.png": png(9)}):
        assert {"cat/A.png", "cat/a.png"} <= set(loaded.images.names)


def test_names_that_are_no_utf8(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", classes())
    name = os.fsdecode(b"caf\xe9")
    try:
        (root / name).mkdir()
        (root / name / f"{name}.png").write_bytes(png(50))
    except (OSError, UnicodeError):
        pytest.skip("this disk takes UTF-8 only")
    loaded = read_images(root)
    assert loaded.images.classes[0] == "caf\ufffd"
    assert loaded.images.names[0] == "caf\ufffd/caf\ufffd.png"


def test_links(tmp_path: Path) -> None:
    outside = folder(tmp_path / "outside", {"secret.png": png(60), "more/x.png": png(61)})
    root = folder(tmp_path / "data", classes())
    (root / "cat/out.png").symlink_to(outside / "secret.png")
    (root / "cat/in.png").symlink_to(root / "dog/0.png")
    (root / "cat/broken.png").symlink_to(root / "nowhere.png")
    (root / "cat/self.png").symlink_to(root / "cat/self.png")
    (root / "owl").symlink_to(outside / "more")
    (root / "loop").symlink_to(root)
    loaded = read_images(root)
    assert len(loaded.images) == 6
    assert "cat/in.png" in loaded.images.names
    assert loaded.images.classes == ("cat", "dog")
    assert "not followed: cat/broken.png, cat/out.png, cat/self.png and 2 more" in loaded.notices[0]
    (tmp_path / "linked").symlink_to(root)
    same(read_images(tmp_path / "linked").images, loaded.images)


def test_pipes_are_no_files(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", classes())
    os.mkfifo(root / "cat" / "pipe.png")
    assert len(read_images(root).images) == 5


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_without_permission(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", classes())
    (root / "dog").chmod(0)
    try:
        refusal(lambda: read_images(root), MachineError)
    finally:
        (root / "dog").chmod(0o755)


@pytest.mark.parametrize(
    "name", ["../x.png", "/x.png", "C:\\x.png", "cat/../../x.png", "c:x", "..\\x"]
)
def test_entries_that_point_out_of_an_archive(name: str, tmp_path: Path) -> None:
    path = archive(tmp_path / "data.zip", classes() | {name: png()})
    error = refusal(lambda: read_images(path))
    assert "points out of the archive" in error.cause
    assert not list(tmp_path.rglob("x.png"))


def test_links_in_an_archive(tmp_path: Path) -> None:
    path = archive(tmp_path / "data.zip", classes())
    with zipfile.ZipFile(path, "a") as file:
        link = zipfile.ZipInfo("cat/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc/passwd")
    assert "cat/link.png is a link" in refusal(lambda: read_images(path)).cause


def test_archives_that_inflate(tmp_path: Path) -> None:
    path = tmp_path / "data.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("cat/0.bmp", "dog/0.bmp"):
            file.writestr(name, bytes(40_000_000))
    assert path.stat().st_size < 100_000
    assert "-fold, to 80,000,000 bytes" in refusal(lambda: read_images(path)).cause
    limited = ImageOptions(max_bytes=10**6)
    error = refusal(lambda: read_images(path, options=limited))
    assert "would unpack to 80,000,000 bytes, more than 1,000,000" in error.cause


def test_an_entry_that_lies_about_its_size(tmp_path: Path) -> None:
    path = archive(tmp_path / "data.zip", {"cat/0.png": bytes(10**6), "dog/0.png": png()})
    data = path.read_bytes()
    path.write_bytes(data.replace((10**6).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    assert "cat/0.png cannot be unpacked" in refusal(lambda: read_images(path)).cause


def test_damaged_and_encrypted_archives(tmp_path: Path) -> None:
    path = archive(tmp_path / "data.zip", classes())
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert "not a readable ZIP" in refusal(lambda: read_images(path)).cause
    path.write_bytes(
        data.replace(b"PK\x01\x02\x14\x03\x14\0\0\0", b"PK\x01\x02\x14\x03\x14\0\x01\0")
    )
    error = refusal(lambda: read_images(path))
    assert "encrypted" in error.cause
    rng = np.random.default_rng(0)
    for _ in range(100):
        damaged = bytearray(data)
        for place in rng.integers(0, len(data), 4):
            damaged[place] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        with suppress(DataError):
            read_images(path)


def test_entries_of_one_name(tmp_path: Path) -> None:
    path = archive(tmp_path / "data.zip", classes())
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as file:
        file.writestr("cat/0.png", png(77))
    images = read_images(path).images
    assert len(images) == 5
    np.testing.assert_array_equal(images.pixels[0, 0], pixels(77))


def test_url(tmp_path: Path) -> None:
    path = archive(tmp_path / "data.zip", classes())
    with fsspec.open("memory://images/data.zip", "wb") as file:
        file.write(path.read_bytes())
    loaded = read_images("memory://images/data.zip")
    same(loaded.images, read_images(path).images)
    assert loaded.layout == read_images(path).layout
    assert looks_like_images("memory://images/data.zip")
    assert "no file" in refusal(lambda: read_images("memory://images/none.zip")).cause


def test_what_is_no_set_of_images(tmp_path: Path) -> None:
    assert "There is no file" in refusal(lambda: read_images(tmp_path / "none")).cause
    assert "There is no file" in refusal(lambda: read_images("a\0b")).cause
    (tmp_path / "x.png").write_bytes(png())
    assert "is a single image" in refusal(lambda: read_images(tmp_path / "x.png")).cause
    for name, data in (("x.csv", b"a,b\n1,2\n"), ("x.zip", b"no archive")):
        (tmp_path / name).write_bytes(data)
        assert "neither" in refusal(lambda: read_images(tmp_path / name)).cause  # noqa: B023
    (tmp_path / "none.zip").write_bytes(b"")
    assert "is empty" in refusal(lambda: read_images(tmp_path / "none.zip")).cause


def test_looks_like_images(tmp_path: Path) -> None:
    assert looks_like_images(tmp_path)
    assert looks_like_images(archive(tmp_path / "data.zip", classes()))
    assert not looks_like_images(folder(tmp_path / "shards", {"0.parquet": "x"}))
    assert looks_like_images("sklearn:digits")
    assert not looks_like_images("sklearn:iris")
    assert not looks_like_images(tmp_path / "none")
    workbook = archive(tmp_path / "book.xlsx", {"[Content_Types].xml": "", "xl/media/1.png": png()})
    assert not looks_like_images(workbook)
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    assert not looks_like_images(tmp_path / "x.csv")
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04")
    assert looks_like_images(tmp_path / "cut.zip")
    (tmp_path / "cut.xlsx").write_bytes(b"PK\x03\x04")
    assert not looks_like_images(tmp_path / "cut.xlsx")
    (tmp_path / "x.JPG").write_bytes(b"")
    assert looks_like_images(tmp_path / "x.JPG")
