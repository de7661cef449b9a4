"""What a user does wrong, or the machine: one line and an exit code, and nothing lost."""

import gzip
import hashlib
import http.server
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from conftest import ROOT
from keras.src.datasets import mnist as keras_mnist

import common
import conv_autoencoder
import deep_autoencoder
import simple_autoencoder

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals or files")


def one_line(text):
    assert text.count("\n") == 1, text
    assert "Traceback" not in text
    return text


def arguments(npz, models, *more):
    return ["--data", str(npz), "--models", str(models), "--no-show", *more]


@pytest.fixture
def earlier(trained, tmp_path):
    """A copy of a models folder that holds a good run of each script."""
    return shutil.copytree(trained, tmp_path / "models")


def contents(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# ----------------------------------------------------------------------- interrupts


@pytest.fixture
def start(npz, tmp_path):
    """Start a script, and perhaps wait until it has printed something."""
    processes = []

    def run(*more, until=None):
        command = [sys.executable, ROOT / "simple_autoencoder.py"]
        process = subprocess.Popen(
            [*command, *arguments(npz, tmp_path, *more)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        processes.append(process)
        if until:
            wait_for(process, until)
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


def wait_for(process, text):
    for line in process.stdout:
        if text in line:
            return
    raise AssertionError(process.stderr.read())


@posix
def test_ctrl_c_ends_the_training_and_keeps_what_was_learnt(start, tmp_path):
    process = start("--epochs", "100000", until="Epoch 3/")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    line = "STOPPED EARLY by Ctrl-C, in epoch"
    assert line in one_line(err.lstrip())  # at once
    assert line in out  # and in the closing report
    assert "of 100000" in out
    assert "cross-entropy" in out
    common.load_models(tmp_path / "simple", "autoencoder", "encoder", "decoder")
    for picture in ("reconstructions.png", "history.png"):
        assert (tmp_path / "simple" / picture).exists()


@posix
def test_second_ctrl_c_ends_at_once(start, tmp_path):
    process = start("--epochs", "100000", until="Epoch 3/")
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline() == "\n"
    assert "STOPPED EARLY" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == ""
    assert not list(tmp_path.glob("simple/.saving-*"))


class Saved:
    """A network as far as saving it goes, which a forked process can do."""

    def __init__(self, model):
        self.config, self.weights = model.get_config(), model.get_weights()

    def get_config(self):
        return self.config

    def get_weights(self):
        return self.weights


@pytest.fixture(scope="module")
def two_runs():
    """Two runs' networks: the second has another code size, so other configurations."""
    runs = []
    for encoding_dim in (3, 4):
        names = "autoencoder", "encoder", "decoder"
        models = simple_autoencoder.build(encoding_dim)
        runs.append(dict(zip(names, map(Saved, models), strict=True)))
    return runs


def fork(work):
    process = os.fork()
    if process == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return process


def whole_run_in(folder, runs):
    """Which of the runs a folder holds, whole."""
    names = "autoencoder", "encoder", "decoder"
    loaded = common.load_models(folder, *names)
    found = [
        i
        for i, run in enumerate(runs)
        if all(
            len(model.get_weights()) == len(run[name].weights)
            and all(map(np.array_equal, model.get_weights(), run[name].weights))
            for name, model in zip(names, loaded, strict=True)
        )
    ]
    assert len(found) == 1
    return found[0]


@posix
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_killed_while_saving(two_runs, tmp_path):
    def save_for_ever():
        while True:
            for run in two_runs:
                common.save_models(tmp_path, **run)

    common.save_models(tmp_path, **two_runs[0])
    rng, found = random.Random(0), []
    for _ in range(60):
        process = fork(save_for_ever)
        time.sleep(rng.uniform(0.001, 0.03))
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        found.append(whole_run_in(tmp_path, two_runs))
    assert set(found) == {0, 1}  # saves did happen, of both runs


@posix
def test_every_moment_between_two_moves(two_runs, tmp_path, monkeypatch):
    """A kill there is rare, so each is brought about: after every single move."""
    real = common.Path.replace
    for after in range(6):
        common.save_models(tmp_path, **two_runs[0])
        moves = iter(range(after))

        def replace(path, target, moves=moves):
            if next(moves, None) is None:
                raise KeyboardInterrupt
            return real(path, target)

        with monkeypatch.context() as patch:
            patch.setattr(common.Path, "replace", replace)
            with pytest.raises(KeyboardInterrupt):
                common.save_models(tmp_path, **two_runs[1])
        assert whole_run_in(tmp_path, two_runs) == 1
        assert not list(tmp_path.glob(".*"))


@posix
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_two_runs_save_at_once(two_runs, tmp_path):
    def save_often(run):
        for _ in range(60):
            assert common.save_models(tmp_path, **run)

    for _ in range(4):
        processes = [fork(lambda run=run: save_often(run)) for run in two_runs]
        for process in processes:
            assert os.waitpid(process, 0)[1] == 0
        assert whole_run_in(tmp_path, two_runs) is not None
    assert not list(tmp_path.glob(".saving-*"))


def test_two_scripts_at_once(start, tmp_path):
    processes = [
        start("--epochs", "3", "--encoding-dim", size) for size in ("16", "20")
    ]
    for process in processes:
        _, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, "")
    common.load_models(tmp_path / "simple", "autoencoder", "encoder", "decoder")


def test_what_a_killed_run_left_goes_with_time(npz, earlier):
    old, new = (earlier / "simple" / f".saving-{age}" for age in ("old", "new"))
    for folder in (old, new):
        folder.mkdir()
        (folder / "decoder_config.pkl").write_bytes(b"half")
    os.utime(old, (0, 0))
    simple_autoencoder.main(arguments(npz, earlier, "--load"))
    assert not old.exists()
    assert new.exists()  # may be another run's, at work


# ------------------------------------------------------------------------- --load


def test_load_and_nothing_there(npz, tmp_path):
    with pytest.raises(common.UserError) as caught:
        simple_autoencoder.main(arguments(npz, tmp_path, "--load"))
    line = str(caught.value)
    assert "\n" not in line
    assert "autoencoder_config.pkl" in line and "without --load" in line


@pytest.mark.parametrize(
    "name", ["autoencoder_weights", "encoder_64_config", "decoder_32_weights"]
)
@pytest.mark.parametrize("fault", ["missing", "empty", "cut"])
def test_load_with_a_bad_file(name, fault, npz, earlier):
    path = earlier / "deep" / f"{name}.pkl"
    match fault:
        case "missing":
            path.unlink()
        case "empty":
            path.write_bytes(b"")
        case "cut":
            path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(common.UserError, match=f"{name}.pkl is"):
        deep_autoencoder.main(arguments(npz, earlier, "--load"))


# ------------------------------------------------------------------------- --data


def digits(n=5, dtype="uint8"):
    return np.random.default_rng(0).integers(0, 256, (n, 28, 28)).astype(dtype)


def write_npz(path, x_train, x_test, save=np.savez):
    save(path, x_train=x_train, x_test=x_test)


def zip_with(path, key, header_shape, descr, data):
    """An npz file, one array of which has any header and any data."""
    header = {"descr": descr, "fortran_order": False, "shape": header_shape}
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open(f"{key}.npy", "w", force_zip64=True) as member,
    ):
        np.lib.format.write_array_header_1_0(member, header)
        for part in data:
            member.write(part)


class Evil:
    def __reduce__(self):
        return os.mkdir, ("ran",)


BAD_DATA = {
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("<html>403 Forbidden</html>"),
    "gzip bomb": lambda path: path.write_bytes(gzip.compress(bytes(10**8))),
    "cut": lambda path: (
        write_npz(path, digits(), digits()),
        path.write_bytes(path.read_bytes()[:-500]),
    ),
    "damaged": lambda path: (
        write_npz(path, digits(), digits(), np.savez_compressed),
        path.write_bytes(
            path.read_bytes().replace(path.read_bytes()[200:300], bytes(100))
        ),
    ),
    "one array": lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"),
    "objects": lambda path: write_npz(
        path, np.array([Evil()] * 784, dtype=object).reshape(1, 28, 28), digits()
    ),
    "wrong keys": lambda path: np.savez(path, images=digits()),
    "no test digits": lambda path: np.savez(path, x_train=digits()),
    "zero digits": lambda path: write_npz(path, digits(), digits(0)),
    "flat": lambda path: write_npz(path, digits(), digits().reshape(5, 784)),
    "a number": lambda path: write_npz(path, digits(), np.uint8(1)),
    "wrong size": lambda path: write_npz(
        path, digits(), np.zeros((5, 32, 32), "uint8")
    ),
    "text array": lambda path: write_npz(path, digits(), np.full((5, 28, 28), "a")),
    "complex": lambda path: write_npz(path, digits(), digits(dtype="complex64")),
    "integers": lambda path: write_npz(path, digits(), (digits() > 99).astype("int32")),
    "floats to 255": lambda path: write_npz(path, digits(), digits(dtype="float32")),
    "a NaN": lambda path: write_npz(path, digits(), np.full((5, 28, 28), np.nan)),
    "claims to be huge": lambda path: zip_with(
        path, "x_train", (10**12, 28, 28), "|u1", [bytes(784)]
    ),
    "claims less than it has": lambda path: zip_with(
        path, "x_train", (5, 28, 28), "|u1", [bytes(10**7)] * 30
    ),
}


@pytest.mark.parametrize("fault", BAD_DATA)
def test_data(fault, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad.npz"
    BAD_DATA[fault](path)
    tracemalloc.start()
    try:
        with pytest.raises(common.UserError) as caught:
            common.load_mnist(path)
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()
    assert "\n" not in str(caught.value)
    assert "bad.npz" in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_floats_that_are_scaled_already(tmp_path, sample):
    write_npz(tmp_path / "mnist.npz", *(x.astype("float64") for x in sample))
    for ours, theirs in zip(
        common.load_mnist(tmp_path / "mnist.npz"), sample, strict=True
    ):
        assert ours.dtype == np.float32
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "module", [simple_autoencoder, deep_autoencoder, conv_autoencoder]
)
def test_fewer_digits_than_the_figure_shows(module, tmp_path):
    write_npz(tmp_path / "mnist.npz", digits(7), digits(1))
    module.main(arguments(tmp_path / "mnist.npz", tmp_path, "--epochs", "1"))


# ----------------------------------------------------------------------- downloads


@pytest.fixture
def server(monkeypatch):
    """Has Keras's own download code fetch from here, over plain HTTP."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            status, body, length = self.server.answer
            self.send_response(status)
            self.send_header("Content-Length", str(length or len(body)))
            self.end_headers()
            self.wfile.write(body)
            if length:  # the rest never comes
                self.server.end.wait(30)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.end = True, threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        real = keras_mnist.get_file
        origin = f"http://127.0.0.1:{server.server_port}/mnist.npz"
        monkeypatch.setattr(
            keras_mnist, "get_file", lambda **kw: real(**(kw | {"origin": origin}))
        )
        monkeypatch.delenv("http_proxy", raising=False)
        yield server
        server.end.set()
        server.shutdown()


@pytest.fixture
def cache():
    file = common.Path(os.environ["KERAS_HOME"]) / "datasets" / "mnist.npz"
    file.parent.mkdir(parents=True, exist_ok=True)
    yield file
    file.unlink(missing_ok=True)


@pytest.mark.parametrize("cached", [None, b"half of it", b""])
@pytest.mark.parametrize(
    "answer",
    [
        (403, b"forbidden", None),
        (200, b"<html>log in to this network first</html>", None),
        (200, bytes(100_000), None),
        (200, bytes(100_000), 11_490_434),
    ],
    ids=["403", "a page", "wrong hash", "stalls in the middle"],
)
def test_download(answer, cached, server, cache, monkeypatch, capsys):
    monkeypatch.setattr(common, "DOWNLOAD_SILENCE", 1)
    monkeypatch.setattr(common, "_mnist_sample", lambda: "the sample")
    server.answer = answer
    if cached is not None:
        cache.write_bytes(cached)
    before = time.monotonic()
    assert common.load_mnist() == "the sample"
    assert time.monotonic() - before < 10
    said = capsys.readouterr().out
    assert "Downloading" in said and "NOT THE WHOLE OF MNIST" in said
    assert (cache.read_bytes() if cache.exists() else None) == cached


def test_good_download_and_then_the_cache(server, cache, monkeypatch, tmp_path):
    labels = np.zeros(5, "uint8")
    np.savez(
        tmp_path / "m.npz",
        x_train=digits(),
        x_test=digits(),
        y_train=labels,
        y_test=labels,
    )
    data = (tmp_path / "m.npz").read_bytes()
    get_file, sha256 = keras_mnist.get_file, hashlib.sha256(data).hexdigest()
    monkeypatch.setattr(
        keras_mnist, "get_file", lambda **kw: get_file(**(kw | {"file_hash": sha256}))
    )
    server.answer = 200, data, None
    for _ in range(2):
        x_train, _ = common.load_mnist()
        np.testing.assert_array_equal(x_train, digits() / np.float32(255))
        server.answer = 500, b"", None  # the second time it is not asked


# ------------------------------------------------------------------------- options


@pytest.mark.parametrize(
    ("module", "option", "values", "said"),
    [
        (simple_autoencoder, "--epochs", ["0", "-1", "abc", "1.5", ""], "1 .."),
        (simple_autoencoder, "--batch-size", ["0", "-5", "x"], "1 .."),
        (simple_autoencoder, "--learning-rate", ["0", "-1", "nan", "inf", "x"], " .. "),
        (
            simple_autoencoder,
            "--encoding-dim",
            ["0", "-1", "1e3", "9" * 30],
            "1 .. 10000",
        ),
        (simple_autoencoder, "--l1", ["-0.1", "nan", "inf", "x"], "0 .. "),
        (simple_autoencoder, "--seed", ["-1", "4294967296", "x"], "0 .. 4294967295"),
        (simple_autoencoder, "--optimizer", ["sgd"], "adadelta"),
        (deep_autoencoder, "--split", ["16", "", "32b"], "64b"),
    ],
)
def test_option_out_of_range(module, option, values, said, tmp_path, capsys):
    for value in values:
        with pytest.raises(SystemExit) as caught:
            module.main(["--models", str(tmp_path), f"{option}={value}"])
        assert caught.value.code == 2
        err = capsys.readouterr().err
        assert option in err and said in err, err
    assert not list(tmp_path.iterdir())


def test_sensible_extremes(npz, tmp_path, capsys):
    extremes = ["--epochs", "1", "--batch-size", "1000000", "--seed", "4294967295"]
    extremes += ["--encoding-dim", "1", "--l1", "1000", "--learning-rate", "1e-12"]
    simple_autoencoder.main(arguments(npz, tmp_path, *extremes))
    assert "autoencoder              1" in capsys.readouterr().out


# ------------------------------------------------------------------- models folder


@pytest.mark.parametrize("kind", ["a file", "below a file", "not to be made"])
def test_models_folder_found_out_before_the_training(kind, npz, tmp_path, capsys):
    (tmp_path / "file").write_text("keep me")
    folder = {
        "a file": tmp_path / "file",
        "below a file": tmp_path / "file" / "below",
        "not to be made": "/proc/no",
    }[kind]
    with pytest.raises(common.UserError, match="cannot write to") as caught:
        simple_autoencoder.main(arguments(npz, folder))
    assert "\n" not in str(caught.value)
    assert "Epoch" not in capsys.readouterr().out
    assert (tmp_path / "file").read_text() == "keep me"


def limit_files():
    """Files of more than 60 kB fail, as on a disk that fills up."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))


@posix
def test_no_room_for_the_models(script, npz, earlier):
    before = contents(earlier / "simple")
    done = script(
        "simple",
        *arguments(npz, earlier, "--epochs", "1"),
        check=False,
        preexec_fn=limit_files,
    )
    assert done.returncode == 1
    assert "cannot write to" in one_line(done.stderr)
    assert "cross-entropy" in done.stdout  # of what is in memory
    after = contents(earlier / "simple")
    changed = {path.name for path in after if after[path] != before.get(path)}
    assert changed == {"history.png", "reconstructions.png"}
    assert set(after) == set(before)


@posix
def test_disk_that_is_really_full(npz, tmp_path, capsys):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "none", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        simple_autoencoder.main(arguments(npz, disk, "--epochs", "1"))
        assert "No space left on device" in capsys.readouterr().err
        assert not list(disk.glob("simple/*.pkl"))
        assert not list(disk.glob("simple/.saving-*"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# ----------------------------------------------------------------- missing packages


def test_without_tensorboard(npz, tmp_path, monkeypatch, capsys):
    real, missing = common.find_spec, "tensorboard"
    monkeypatch.setattr(
        common, "find_spec", lambda name: None if name == missing else real(name)
    )
    conv_autoencoder.main(arguments(npz, tmp_path, "--epochs", "1"))
    assert one_line(capsys.readouterr().err).endswith("pip install tensorboard\n")
    assert (tmp_path / "conv" / "model.png").exists()
    assert not (tmp_path / "conv" / "logs").exists()
    missing = "tensorflow"  # as it may be with another backend
    assert common.tensorboard(tmp_path) == []
    assert one_line(capsys.readouterr().err).endswith("pip install tensorflow\n")


# ----------------------------------------------------------------------- divergence


def test_loss_that_is_not_a_number(script, npz, earlier):
    before = contents(earlier)
    far = ["--epochs", "5", "--optimizer", "adam", "--learning-rate", "1e6"]
    done = script("deep", *arguments(npz, earlier, *far), check=False)
    assert done.returncode == 1, done.stdout
    line = one_line(done.stderr)
    assert line.startswith("error: ")
    assert "1e+06" in line and "--learning-rate" in line
    assert contents(earlier) == before


# -------------------------------------------------------------------------- output


@posix
def test_output_that_is_closed(start):
    process = start("--epochs", "100000", until="Epoch 2/")
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == ""
