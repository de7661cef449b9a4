"""The experiments: each script runs to its end on few digits; the text follows what is found."""

import common

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import Cells

pytestmark = pytest.mark.experiments

PROJECT = Path(__file__).resolve().parent.parent
EXPERIMENTS = PROJECT / "models" / "experiments"
sys.path.insert(0, str(EXPERIMENTS))
SCRIPTS = [path.stem for path in EXPERIMENTS.glob("*.py")]
OTHERS = ["lab", "everything", "maps", "networks"]
for name in OTHERS:
    SCRIPTS.remove(name)
SCRIPTS.sort()

PROGRAM = PROJECT / "tests" / "programs" / "experiments.py"


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Variables that keep the user's own settings out, and windows closed."""
    home = str(tmp_path_factory.mktemp("home"))
    return dict(os.environ, KERAS_HOME=home, MPLBACKEND="agg", PYTHONPATH=str(EXPERIMENTS))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A file of 1,000 real digits to train with, and 200 to test."""
    path = tmp_path_factory.mktemp("data") / "mnist.npz"
    with np.load(common.MNIST) as file:
        np.savez(
            path,
            x_train=file["x_train"][:1000],
            y_train=file["y_train"][:1000],
            x_test=file["x_test"][:200],
            y_test=file["y_test"][:200],
        )
    return path


@pytest.fixture(scope="module")
def folder(data, environment, tmp_path_factory):
    """What all scripts printed, NAME.txt, and what they trained, runs/."""
    folder = tmp_path_factory.mktemp("experiments")
    text = (EXPERIMENTS / "README.md").read_bytes()
    command = [sys.executable, PROGRAM, folder]
    # As one word, so that there are as many words whatever the folders are.
    command += [f"--data={data}", f"--runs={folder / 'runs'}"] + SCRIPTS
    subprocess.run(command, env=environment, check=True)
    assert (EXPERIMENTS / "README.md").read_bytes() == text
    return folder


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_runs_to_its_end_and_prints_its_table(name, folder):
    said = (folder / f"{name}.txt").read_text(encoding="utf-8")
    assert "Traceback" not in said, said
    assert "\n| --- |" in said


@pytest.mark.parametrize("name", SCRIPTS)
def test_each_script_has_its_place_in_the_text_and_in_the_one_command(name):
    text = (EXPERIMENTS / "README.md").read_text(encoding="utf-8")
    assert text.count(f"<!-- {name} -->") == 1
    assert f"`{name}.py`" in text
    assert f'"{name}"' in (EXPERIMENTS / "everything.py").read_text(encoding="utf-8")


@pytest.fixture
def lab_and_args(data, tmp_path):
    """The module lab, and options of an experiment with an epoch on few digits."""
    import lab

    return lab, lab.argparse.Namespace(data=data, runs=tmp_path, quick=True, seeds=[0])


@pytest.mark.parametrize("name", ["simple", "deep", "conv"])
def test_networks_are_those_of_the_scripts(name, lab_and_args, data, tmp_path):
    """All three parts, layer by layer, by Keras's own description of them."""
    import networks

    lab, _ = lab_and_args
    cells = Cells(name, data, tmp_path)
    cells.run("加载数据")
    lab.set_seed(0)
    cells.run("建立网络")
    lab.set_seed(0)
    built = getattr(networks, name)()
    scripts = (cells.autoencoder, cells.encoder, cells.decoder)
    for model, script_model in zip(built, scripts, strict=True):
        ours = model.get_config()["layers"]
        assert ours == script_model.get_config()["layers"]
        for array, script_array in zip(
            model.get_weights(), script_model.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(array, script_array)


def test_what_is_changed_in_a_network():
    """Each argument acts."""
    import networks

    sizes = [networks.simple(5)[1].output_shape, networks.deep(7)[1].output_shape]
    assert sizes == [(None, 5), (None, 7)]
    noisy = networks.simple(noise=0.3)[0]
    assert [layer.rate for layer in noisy.layers if hasattr(layer, "rate")] == [0.3]
    linear = networks.simple(activation=None, penalty=0.5, output="tanh")[0]
    code, image = linear.layers[1:]
    assert (
        code.activation.__name__ == networks.deep(activation=None)[1].layers[-1].activation.__name__
    )
    assert code.activation.__name__ == "linear"
    assert float(code.activity_regularizer.l1) == 0.5
    assert image.activation.__name__ == "tanh"


@pytest.fixture
def train(lab_and_args):
    """Train a small network on few digits, with some arguments changed; where it is kept."""
    lab, args = lab_and_args
    args.quick = False
    (x_train, _), _ = common.load_mnist(args.data)

    first_digits = x_train.reshape(-1, 784)[:64]

    def call(size=2, seed=0, x=first_digits, epochs=2, rate=0.01, **options):
        import networks

        lab.set_seed(seed)
        optimizer = keras.optimizers.Adam(rate)
        return lab.train(args, networks.simple(size), x, epochs, optimizer, **options)

    return call


def test_a_training_is_found_again_by_what_it_depends_on(train, monkeypatch):
    first = train()
    monkeypatch.setattr(keras.Model, "fit", None)  # it would fail
    assert train().folder == first.folder
    assert train().history == first.history
    monkeypatch.undo()
    (x_train, _), _ = common.load_mnist(common.MNIST)
    x = x_train.reshape(-1, 784)
    folders = [
        first.folder,
        train(size=3).folder,
        train(seed=1).folder,
        train(x=x[64:128]).folder,
        train(epochs=3).folder,
        train(rate=0.02).folder,
        train(batch_size=32).folder,
        train(loss="mse").folder,
        train(x_valid=x[:10]).folder,
        train(x_valid=x[10:20]).folder,
    ]
    assert len({folder.parent for folder in folders}) == len(folders)


def test_networks_of_earlier_epochs_are_those_of_a_shorter_training(train, lab_and_args):
    lab, args = lab_and_args
    (_, _), (x_test, _) = common.load_mnist(args.data)
    short = train(epochs=1)
    long = train(epochs=3, after=[1])
    assert list(long.folders) == [1, 3]
    assert len(long.history["loss"]) == 3
    images = lab.reconstruct(short.folder, x_test)
    np.testing.assert_allclose(lab.reconstruct(long.folders[1], x_test), images, atol=1e-5)
    assert np.abs(lab.reconstruct(long.folder, x_test) - images).max() > 1e-3
    assert images.shape == x_test.shape


def test_the_best_epoch_is_that_of_the_smallest_validation_loss(train, lab_and_args):
    """A rate that is too large makes the loss rise."""
    lab, args = lab_and_args
    (_, _), (x_test, _) = common.load_mnist(args.data)
    x_valid = x_test.reshape(-1, 784)
    training = train(epochs=3, rate=0.5, x_valid=x_valid)
    losses = training.history["val_loss"]
    assert min(losses) < losses[-1]
    images = lab.reconstruct(training.best, x_test)
    assert common.cross_entropy(x_test, images) == pytest.approx(min(losses), rel=0.02)


def test_a_training_that_was_stopped_does_not_count(train, lab_and_args, monkeypatch):
    args = lab_and_args[1]

    def stop(self, epoch, logs=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(keras.callbacks.History, "on_epoch_end", stop)
    with pytest.raises(KeyboardInterrupt):
        train()
    assert list(args.runs.glob("**/history.json")) == []


def figures(lab, right):
    """Figures of codes that recognise these digits."""
    return lab.Figures(size=1, cross_entropy=0, errors=np.zeros(len(right)), right=np.array(right))


def test_differences_have_an_interval(lab_and_args):
    """By Student's t: 4.303 of two degrees of freedom; of accuracies with that of the digits."""
    lab, _ = lab_and_args
    half = 4.303 * 2 / 3**0.5
    expected = f"+3.0 ({3 - half:+.1f} … {3 + half:+.1f})"
    assert lab.difference([2, 4, 6], 1, 1) == expected
    assert lab.difference([2, 5, 8], [1, 2, 3], 1) == expected
    assert lab.difference([1], [3], 1) == "-2.0"
    assert lab.spread([1, 2, 3], 2) == "2.00 ± 1.00"

    none = figures(lab, 100 * [False])
    some = figures(lab, 20 * [True] + 80 * [False])
    of_digits = 1.984 * 40.2 / 10  # the deviation of 20 times 100 and 80 times 0
    text = lab.accuracy_difference([some], [none])
    assert text == f"+20.0 ({20 - of_digits:+.1f} … {20 + of_digits:+.1f})"
    more = figures(lab, 30 * [True] + 70 * [False])
    of_seeds = 12.706 * 5  # the deviation of 20 and 30 is 7.07
    half = np.hypot(of_seeds, 1.984 * np.std(20 * [100] + 10 * [50] + 70 * [0], ddof=1) / 10)
    text = lab.accuracy_difference([some, more], [none, none])
    assert text == f"+25.0 ({25 - half:+.1f} … {25 + half:+.1f})"
    assert [some.accuracy, more.accuracy] == [20, 30]

    others = lab.Figures(size=1, cross_entropy=0, errors=np.array([0, 0.2]), right=np.zeros(2))
    half = 12.7062 * 0.1  # of two images
    text = lab.error_difference([others], [figures(lab, 2 * [False])])
    assert text == f"+0.10000 ({0.1 - half:+.5f} … {0.1 + half:+.5f})"


def test_figures_of_codes(lab_and_args):
    """The nearest code's label, and images clipped to 0 ... 1."""
    lab, _ = lab_and_args
    x = np.zeros((2, 28, 28), "float32")
    digits = ((x, np.array([3, 5])), (x, np.array([3, 3])))
    codes_train = np.array([[0.0], [1.0]])
    reached = lab.figures_of(codes_train, np.array([[0.1], [0.9]]), x + 0.5, digits)
    assert reached.right.tolist() == [True, False]
    assert (reached.size, reached.mse) == (1, 0.25)
    assert reached.cross_entropy == pytest.approx(np.log(2), abs=1e-5)


def test_only_write_writes_into_the_text(lab_and_args, monkeypatch, tmp_path):
    lab, args = lab_and_args
    monkeypatch.setattr(lab, "FOLDER", tmp_path)
    readme = tmp_path / "README.md"
    readme.write_text("above\n<!-- a -->\nold\n<!-- end -->\nbelow <!-- end -->\n", "utf-8")
    args.write = False
    lab.report(args, "a", ["x", "y"], [["1", "2"]], "A sentence.")
    assert "old" in readme.read_text("utf-8")
    args.write = True
    lab.report(args, "a", ["x", "y"], [["1", "2"]], "A sentence.")
    new = "| x | y |\n| --- | --- |\n| 1 | 2 |\n\nA sentence."
    expected = f"above\n<!-- a -->\n{new}\n<!-- end -->\nbelow <!-- end -->\n"
    assert readme.read_text("utf-8") == expected
