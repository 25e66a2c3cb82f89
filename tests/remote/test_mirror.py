"""Runs at s3:// on a real server: the same bytes, whole or not at all, and never lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from synthgen import pipeline, remote
from synthgen.config import Config
from synthgen.errors import ConfigError, DataError, GateError
from synthgen.pipeline import publishing, stages
from synthgen.remote import lease, mirror, transfer
from synthgen.remote.lease import HeldError
from synthgen.remote.mirror import Mirror
from synthgen.remote.transfer import StoreError
from synthgen.runs import MANIFEST, STAGES, Run, sha256
from tests.conftest import ROOT
from tests.pipeline.tables import people, small
from tests.pipeline.test_augment import files
from tests.s3 import S3

Made = tuple[Config, Run]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A configuration and the run that it gives in a folder."""
    folder = tmp_path_factory.mktemp("local")
    people().to_csv(folder / "people.csv", index=False)
    config = small(data={"source": str(folder / "people.csv"), "target": "sick"})
    return config, pipeline.augment(config, folder / "plain")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfer, "PAUSES", (0.05, 0.1))
    monkeypatch.setattr(mirror, "EVERY", 0.2)


def elsewhere(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """From now on this is another machine, as far as the cache goes."""
    monkeypatch.setenv("SYNTHGEN_CACHE", str(folder))


def put(run: Run, url: str) -> None:
    """A finished run of a folder, at the URL as if it had been made there."""
    with remote.working(url, "new") as folder:
        shutil.copytree(run.path, folder)


def visible(s3: S3, below: str) -> dict[str, bytes]:
    found = s3.objects(below)
    return {name: content for name, content in found.items() if not name.startswith(".")}


@pytest.mark.slow
def test_a_run_there_is_the_run_here(s3: S3, made: Made) -> None:
    config, plain = made
    with remote.working(f"{s3.url}/runs/people", "new") as folder:
        pipeline.augment(config, folder)
    expected = files(plain)
    assert files(Run(folder)) == expected
    found = visible(s3, "runs/people")
    assert set(found) == {*expected, MANIFEST}
    assert json.loads(found[MANIFEST])["files"] == expected
    for name in expected:
        assert found[name] == (plain / name).read_bytes(), name
    # Each stage's manifest after its files, the run's after all.
    written = [path.partition("/runs/people/")[2] for path in s3.line.written()]
    order = {name: place for place, name in enumerate(written)}
    for stage, text in mirror._records(plain.path).items():
        for name in json.loads(text)["files"]:
            assert order[name] < order[f".stages/{stage}.json"] < order[MANIFEST]
    assert set(written[order[MANIFEST] + 1 :]) <= {".lease/000000001.json"}
    assert any(name.startswith(".scratch/decide/r") for name in written)
    assert not [name for name in s3.objects("runs/people") if name.startswith(".scratch")]
    once = [name for name in written if not name.startswith(".lease/")]
    assert len(once) == len(set(once))
    # Nothing of it is readable for other users of this machine.
    assert Path(os.environ["SYNTHGEN_CACHE"], "runs").stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_readers_find_a_run_or_none_whatever_is_cut_off(
    s3: S3, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, plain = made
    monkeypatch.setattr(transfer, "PAUSES", ())
    url = f"{s3.url}/people"
    at = [*(f".stages/{stage}.json" for stage in ("split", "decide", "render")), MANIFEST]
    for number, lost in enumerate((*at, "model/model.safetensors", "report.html")):
        elsewhere(monkeypatch, tmp_path / str(number))
        s3.line.cut = lambda method, path, lost=lost: method == "PUT" and path.endswith(lost)  # type: ignore[misc]
        with pytest.raises(StoreError, match="does not answer") as caught:
            put(plain, url)
        assert f"synthgen resume {url}" in caught.value.remedy
        s3.line.cut = lambda method, path: False
        assert MANIFEST not in s3.objects("people"), lost
        if lost == ".stages/split.json":
            with pytest.raises(ConfigError, match="is not a run directory"):
                remote.reading(url)
        else:
            assert not Run(remote.reading(url)).finished
        # Here, what was made is still there, and the next push makes it whole.
        with remote.working(url) as folder:
            pipeline.resume(folder)
        assert files(Run(remote.reading(url))) == files(plain)
        assert Run(remote.reading(url)).finished
        Mirror(url).remove()
        assert s3.objects("people") == {}


@pytest.mark.slow
def test_another_machine_goes_on_where_the_lost_one_was(
    s3: S3, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, plain = made
    url = f"{s3.url}/runs/people"
    settings = tmp_path / "job.json"
    settings.write_text(json.dumps(config.model_dump(mode="json", exclude_unset=True)))
    program = (
        "import json, sys, time\n"
        "from pathlib import Path\n"
        "from synthgen import pipeline, remote\n"
        "from synthgen.config import build\n"
        "from synthgen.pipeline import deciding\n"
        "from synthgen.remote import mirror\n"
        "mirror.EVERY = 0.1\n"
        "work = deciding.kind_in\n"
        "def slow(run):\n"
        "    time.sleep(0.3)\n"
        "    return work(run)\n"
        "deciding.kind_in = slow\n"
        "with remote.working(sys.argv[2], 'new') as folder:\n"
        "    pipeline.augment(build(json.loads(Path(sys.argv[1]).read_text())), folder)\n"
    )
    lost = tmp_path / "lost"
    environment = {**os.environ, "SYNTHGEN_CACHE": str(lost), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", program, settings, url], env=environment) as one:
        end = time.monotonic() + 200
        while len(done := _results(s3)) < 4:
            assert one.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        one.send_signal(signal.SIGKILL)
    done = _results(s3)
    shutil.rmtree(lost)
    with pytest.raises(HeldError, match=f"process {one.pid} on"):
        _enter(url)
    monkeypatch.setattr(lease, "STALE", 1.0)
    time.sleep(1)

    asked: list[str] = []
    run_job = stages.decide.__globals__["run_job"]

    def counted(path: Path, job: object) -> None:
        if not (path / f".scratch/decide/{job.name}.json").is_file():  # type: ignore[attr-defined]
            asked.append(job.name)  # type: ignore[attr-defined]
        run_job(path, job)

    monkeypatch.setitem(stages.decide.__globals__, "run_job", counted)
    with remote.working(url) as folder:
        pipeline.resume(folder, place={"workers": 1})
    assert files(Run(folder)) == files(plain)
    assert not done & set(asked)
    assert len(asked) == 3 * 5 - len(done)
    assert json.loads(visible(s3, "runs/people")[MANIFEST])["files"] == files(plain)


def _results(s3: S3) -> set[str]:
    start = "runs/people/.scratch/decide/"
    found = s3.client.list_objects_v2(Bucket=s3.name, Prefix=start).get("Contents", [])
    return {one["Key"].removeprefix(start).removesuffix(".json") for one in found}


@pytest.mark.slow
def test_checkpoints_travel_with_their_logs(
    s3: S3, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fit that is cut short goes on elsewhere from its last checkpoint, to the same bytes."""
    from synthgen.training import loop

    config, _ = made
    config = small(
        data=config.data.model_dump(exclude_unset=True),
        generator={"name": "ctgan", "epochs": 40, "batch_size": 50},
        decide={"resamples": 3, "ratios": [1.0], "learners": ["logistic"]},
    )
    plain = pipeline.augment(config, tmp_path / "plain")
    monkeypatch.setattr(loop, "CHECKPOINT_SECONDS", 0)
    monkeypatch.setattr(loop, "SNAPSHOT_STEPS", 10)
    monkeypatch.setattr(mirror, "CHECKPOINTS", 0.0)
    url = f"{s3.url}/people"

    class Lost(BaseException):
        pass

    def ended(event: pipeline.Event) -> None:
        if event.stage == "fit" and event.done > 100:
            raise Lost

    def lost() -> None:
        with remote.working(url, "new") as folder:
            pipeline.augment(config, folder, notify=ended)

    with pytest.raises(Lost):
        lost()
    found = s3.objects("people")
    states = [name for name in found if name.startswith(".scratch/fit/checkpoints/")]
    assert states
    assert ".scratch/fit/train.jsonl" in found
    elsewhere(monkeypatch, tmp_path / "elsewhere")
    with remote.working(url) as folder:
        assert (folder / states[-1]).is_file()
        pipeline.resume(folder)
    assert files(Run(folder)) == files(plain)


@pytest.fixture
def there(s3: S3, made: Made) -> str:
    """A finished run at a URL."""
    put(made[1], f"{s3.url}/runs/people")
    s3.line.requests.clear()
    return f"{s3.url}/runs/people"


def test_a_finished_run_is_only_checked(s3: S3, there: str, made: Made) -> None:
    before = s3.objects("runs/people")
    with remote.working(there) as folder:
        pipeline.resume(folder)
    after = s3.objects("runs/people")
    written = {path.partition("/runs/people/")[2] for path in s3.line.written()}
    assert written <= {MANIFEST, ".lease/000000002.json"}
    hidden = [name for name in before if name.startswith((".lease", MANIFEST))]
    assert {n: c for n, c in before.items() if n not in hidden} == {
        n: c for n, c in after.items() if n not in {*hidden, ".lease/000000002.json"}
    }


def test_the_url_decides_when_another_machine_was_there(
    s3: S3, there: str, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, other = tmp_path / "here", tmp_path / "other"
    elsewhere(monkeypatch, here)
    with remote.working(there) as first:
        pass
    elsewhere(monkeypatch, other)
    with remote.working(there) as second:
        run = Run(second)
        run.undo("render")
        run.stage("render", lambda folder: _write(folder, {"report.html": "new", "card.md": "c"}))
        (second / MANIFEST).unlink()
    assert visible(s3, "runs/people")["report.html"] == b"new"
    # The first machine has a stale copy, and an unfinished stage that nobody asked for.
    elsewhere(monkeypatch, here)
    (first / "card.md").write_text("mine")
    with remote.working(there):
        assert (first / "report.html").read_text() == "new"
        assert (first / "card.md").read_text() == "c"
        assert not Run(first).finished
    # Nobody was there since: what the copy has anew counts.
    run = Run(first)
    run.undo("render")
    run.stage("render", lambda folder: _write(folder, {"report.html": "newest", "card.md": "c"}))
    with remote.working(there):
        pass
    assert visible(s3, "runs/people")["report.html"] == b"newest"


def _write(folder: Path, contents: dict[str, str]) -> None:
    for name, content in contents.items():
        (folder / name).write_text(content)


def test_what_only_the_copy_has_is_kept(
    s3: S3, there: str, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The last stages of this machine did not get through; another had a look.
    for name in (".stages/render.json", MANIFEST, "report.html", "card.md"):
        s3.client.delete_object(Bucket=s3.name, Key=f"runs/people/{name}")
    elsewhere(monkeypatch, tmp_path / "other")
    with remote.working(there) as other:
        assert Run(other).done_stages() == [*STAGES[:-1]]
    elsewhere(monkeypatch, tmp_path / "cache")
    with remote.working(there) as here:
        assert Run(here).done("render")
    assert visible(s3, "runs/people")["report.html"] == (made[1] / "report.html").read_bytes()


def test_a_damaged_stage_is_not_done(
    s3: S3, there: str, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.write("runs/people/report.json", b"{}")
    elsewhere(monkeypatch, tmp_path / "other")
    run = Run(remote.reading(there))
    assert not run.finished
    assert "evaluate" not in run.done_stages()
    with remote.working(there) as folder:
        pipeline.resume(folder)
    assert files(Run(folder)) == files(made[1])
    assert visible(s3, "runs/people")["report.json"] == (made[1] / "report.json").read_bytes()
    s3.write("runs/people/split/test.parquet", b"")
    elsewhere(monkeypatch, tmp_path / "third")
    with pytest.raises((DataError, ConfigError)), remote.working(there) as folder:
        pipeline.resume(folder)


def test_a_run_is_replaced_only_by_force_and_only_by_one_that_begins(
    s3: S3, there: str, made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, plain = made
    with pytest.raises(ConfigError, match=f"{there} already holds a finished run") as caught:
        _make(there)
    assert "--force" in caught.value.remedy
    elsewhere(monkeypatch, tmp_path / "other")
    missing = config.model_copy(
        update={"data": config.data.model_copy(update={"source": str(tmp_path / "none.csv")})}
    )
    before = visible(s3, "runs/people")
    with pytest.raises(DataError), remote.working(there, "replace") as folder:
        pipeline.augment(missing, folder, force=True)
    assert visible(s3, "runs/people") == before
    assert not folder.exists()
    with remote.working(there, "replace") as folder:
        pipeline.augment(config.model_copy(update={"seed": 1}), folder, force=True)
    assert files(Run(remote.reading(there))) == files(Run(folder)) != files(plain)
    assert set(visible(s3, "runs/people")) == {*files(Run(folder)), MANIFEST}
    # The first machine's copy is of the run that is gone.
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path / "cache"))
    with remote.working(there) as back:
        assert files(Run(back)) == files(Run(folder))
    s3.write("foreign/theirs.txt", b"")
    with pytest.raises(ConfigError, match="is not a synthgen run"):
        _make(f"{s3.url}/foreign")
    with pytest.raises(ConfigError, match="is not a run directory"):
        _enter(f"{s3.url}/foreign")
    assert list(s3.objects("foreign")) == ["theirs.txt"]


def test_a_removed_run_does_not_come_back(
    s3: S3, there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote.working(there):
        pass
    elsewhere(monkeypatch, tmp_path / "other")
    Mirror(there).remove()
    assert s3.objects("runs/people") == {}
    monkeypatch.setenv("SYNTHGEN_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ConfigError, match="is not a run directory"):
        _enter(there)
    with remote.working(there, "new") as folder:
        assert not folder.exists()


@pytest.mark.slow
def test_a_lost_connection_does_not_end_the_work(
    s3: S3, made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    config, plain = made
    url = f"{s3.url}/people"
    folder = Mirror(url).path

    def disconnected() -> None:
        with remote.working(url, "new"):
            pipeline.start(config, folder)
            time.sleep(0.5)
            s3.line.cut = lambda method, path: True
            pipeline.resume(folder)

    with pytest.raises(StoreError) as caught:
        disconnected()
    assert caught.value.exit_code == 4
    assert f"{url} does not answer" in caught.value.cause
    assert f"synthgen resume {url}" in caught.value.remedy
    assert "\n" not in caught.value.cause + caught.value.remedy
    assert "the work goes on" in caplog.text
    assert files(Run(folder)) == files(plain)
    s3.line.cut = lambda method, path: False
    assert not Run(remote.reading(url)).finished
    with remote.working(url) as again:
        assert Run(again).finished
    assert files(Run(remote.reading(url))) == files(plain)


def test_a_short_loss_is_waited_for(s3: S3, made: Made) -> None:
    left = 5

    def flaky(method: str, path: str) -> bool:
        nonlocal left
        left -= method == "PUT"
        return method == "PUT" and left in (1, 3)

    s3.line.cut = flaky
    put(made[1], f"{s3.url}/people")
    assert left < 0
    assert Run(remote.reading(f"{s3.url}/people")).finished


def test_a_failed_gate_leaves_a_finished_run(s3: S3, made: Made) -> None:
    config = small(
        data=made[0].data.model_dump(exclude_unset=True), gates={"column_shapes": {"min": 1.0}}
    )
    url = f"{s3.url}/people"
    with pytest.raises(GateError), remote.working(url, "new") as folder:
        pipeline.augment(config, folder)
    assert Run(remote.reading(url)).finished


# ---- two at once ------------------------------------------------------------------------------


def test_the_second_is_refused_and_told_of_the_first(
    s3: S3, there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with remote.working(there):
        with pytest.raises(HeldError, match="another process of this machine"):
            _enter(there)
        elsewhere(monkeypatch, tmp_path / "other")
        with pytest.raises(HeldError) as caught:
            _enter(there)
        assert f"process {os.getpid()} on " in caught.value.cause
        assert "since 20" in caught.value.cause
        assert "ends by itself at 20" in caught.value.remedy
        assert caught.value.exit_code == 4
        with pytest.raises(HeldError):
            Mirror(there).remove()
        # Readers need no lease.
        assert Run(remote.reading(there)).finished
    _enter(there)


def _enter(url: str) -> None:
    with remote.working(url):
        pass


def _make(url: str) -> None:
    with remote.working(url, "new"):
        pass


def _hold(s3: S3, **changes: object) -> None:
    """A lease of another machine, whose last sign of life was just now."""
    s3.write("runs/people/.lease/000000007.json", json.dumps(_record() | changes).encode())


def test_a_lease_of_the_dead_is_taken_over(s3: S3, there: str) -> None:
    _hold(s3)
    with pytest.raises(HeldError, match="process 1 on other"):
        _enter(there)
    _hold(s3, renewed=time.time() - lease.STALE - 1)
    _enter(there)
    assert [name for name in s3.objects("runs/people") if "lease" in name] == [
        ".lease/000000008.json"
    ]
    # Whoever worked in this very copy has ended, or it would hold the copy's lock.
    mine = json.loads(s3.read("runs/people/.lease/000000008.json"))
    s3.write("runs/people/.lease/000000008.json", json.dumps(mine | {"released": False}).encode())
    _enter(there)


def test_of_two_that_ask_at_once_one_gets_it(
    s3: S3, there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another makes the next number between the look and the attempt."""
    store = transfer.Store(there)
    create = store.create

    def late(name: str, content: bytes) -> bool:
        s3.write(f"runs/people/{name}", json.dumps(_record()).encode())
        return create(name, content)

    monkeypatch.setattr(store, "create", late)
    with pytest.raises(HeldError, match="process 1 on other"):
        lease.Lease(store).take()


def _record() -> dict[str, object]:
    now = time.time()
    return {
        "token": "theirs",
        "host": "other",
        "pid": 1,
        "since": now,
        "renewed": now,
        "released": False,
    }


def test_who_fell_silent_and_was_replaced_writes_no_more(
    s3: S3, there: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "RENEWED", 0.2)
    before: dict[str, bytes] = {}

    def silent() -> None:
        with remote.working(there) as path:
            _hold(s3)
            before.update(visible(s3, "runs/people"))
            time.sleep(1)
            Run(path).undo("render")
            made = {"report.html": "x", "card.md": "x"}
            Run(path).stage("render", lambda folder: _write(folder, made))
            time.sleep(1)

    with pytest.raises(HeldError, match="was taken over"):
        silent()
    assert visible(s3, "runs/people") == before


def test_a_lease_shows_signs_of_life(s3: S3, there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "RENEWED", 0.1)
    with remote.working(there):
        first = json.loads(s3.read("runs/people/.lease/000000002.json"))
        time.sleep(1)
        second = json.loads(s3.read("runs/people/.lease/000000002.json"))
    assert second["renewed"] > first["renewed"]
    assert second["since"] == first["since"]
    assert json.loads(s3.read("runs/people/.lease/000000002.json"))["released"]


def test_who_may_wait_waits(s3: S3, there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "PATIENCE", 0.1)
    _hold(s3, renewed=time.time() - lease.STALE + 2)
    with remote.working(there, wait=True) as folder:
        assert Run(folder).finished


# ---- what can be wrong ------------------------------------------------------------------------


def test_what_can_be_wrong_is_said_plainly(
    s3: S3, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StoreError, match="there is no s3://no-such-bucket") as caught:
        _make("s3://no-such-bucket/run")
    assert "make the bucket" in caught.value.remedy
    # What fails before its first stage leaves nothing.
    missing = small(data={"source": "/nowhere.csv", "target": "sick"})
    with pytest.raises(DataError), remote.working(f"{s3.url}/run", "new") as folder:
        pipeline.augment(missing, folder)
    assert s3.objects("run") == {}
    for url in ("s3://bucket", "s3://bucket/"):
        with pytest.raises(ConfigError, match="names no folder"):
            _enter(url)
    with pytest.raises(ConfigError, match="holds credentials") as refused:
        _enter("s3://somebody:word@bucket/run")
    assert "word" not in str(refused.value)
    with pytest.raises(StoreError, match="nowhere://bucket/run cannot be opened"):
        _enter("nowhere://bucket/run")


@pytest.mark.parametrize("known", [True, False])
def test_refused_credentials(s3: S3, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if known:
        s3.check_credentials(True)
    else:
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    try:
        with pytest.raises(StoreError, match="refuses access") as caught:
            _enter(f"{s3.url}/run")
    finally:
        s3.check_credentials(False)
    assert "check the credentials" in caught.value.remedy
    assert "word" not in str(caught.value)


def test_without_the_extra(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(StoreError, match="cannot be opened") as caught:
        _enter(f"{s3.url}/run")
    assert caught.value.remedy == "pip install -c constraints.txt -e '.[s3]'"


def test_a_file_url_is_a_path(tmp_path: Path) -> None:
    assert remote.place(f"file://{tmp_path}/a%20run") == tmp_path / "a run"
    assert remote.place("runs/adult") == Path("runs/adult")
    assert remote.place("s3://b/runs/adult/") == "s3://b/runs/adult"
    with remote.working(remote.place(f"file://{tmp_path}/x"), "new") as folder:
        assert folder == tmp_path / "x"


# ---- publishing -------------------------------------------------------------------------------


def test_a_run_is_published_with_its_manifest_last(s3: S3, made: Made) -> None:
    _, plain = made
    url = f"{s3.url}/published/people"
    s3.line.cut = lambda method, path: path.endswith("card.md")
    with pytest.raises(Exception, match="does not take the run"):
        publishing.publish(plain.path, url)
    assert MANIFEST not in s3.objects("published/people")
    s3.line.cut = lambda method, path: False
    s3.line.requests.clear()
    assert publishing.publish(plain.path, url) == f"{url}/report.html"
    assert s3.line.written()[-1].endswith(f"published/people/{MANIFEST}")
    found = s3.objects("published/people")
    assert {n: _digest(c) for n, c in found.items()} == files(plain) | {
        MANIFEST: sha256(plain / MANIFEST)
    }
    s3.line.requests.clear()
    publishing.publish(plain.path, url)
    assert s3.line.written() == []


def _digest(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def test_what_was_damaged_there_is_pushed_again(s3: S3, there: str, made: Made) -> None:
    s3.write("runs/people/report.html", b"")
    s3.client.delete_object(Bucket=s3.name, Key="runs/people/card.md")
    assert not Run(remote.reading(there)).finished
    with remote.working(there) as folder:
        pipeline.resume(folder)
    assert Run(remote.reading(there)).finished
    assert files(Run(remote.reading(there))) == files(made[1])
