"""Does a classifier of few labelled digits gain by beginning from an encoder?

An encoder, followed by a layer of ten, learns from 10, 100 and 1,000 labelled digits, begun
from random weights and from those that the encoder has learnt without labels. Either way it
is trained for 500 steps, with the rate and the dropout on its input that reach most with
another selection of labels. Five random selections.
"""

# %% 准备 · imports and options
import lab

import common

import json

import keras
import numpy as np
from keras import Model
from keras.layers import Dense, Dropout
from keras.optimizers import Adam
from sklearn.model_selection import train_test_split

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
pool = min(10_000, len(x_train) // 2)  # labels are selected from so many digits
x_chosen = x_train[pool : 2 * pool]  # 用于选择 · to choose with
y_chosen = y_train[pool : 2 * pool]
counts = [10, 100, 1000]
selections = [1, 2, 3, 4, 5]
settings = [(0.0003, 0), (0.0003, 0.5), (0.001, 0), (0.001, 0.5)]  # rate, dropout
steps = 500
if args.quick:
    counts = [10]
    selections = [1, 2]
    settings = [(0.001, 0.5)]
    steps = 5

# %% 学会的编码器 · the encoders, as they were trained
dropout = [
    ("import Dense\n", "import Dense, Dropout\n"),
    ("L1(args.l1)\n)(input_img)", "L1(args.l1)\n)(Dropout(0.5)(input_img))"),
]
wide = "--optimizer adam --l1 0.0001 --encoding-dim 1000"
folders = {
    "deep, 784-128-64-32": lab.run(args, "deep", "--optimizer adam --epochs 50 --seed 0"),
    "denoising, 784-1000": lab.run(args, "simple_dropout", wide, dropout),
}
if not args.quick:  # network_of_2006.py must have trained it
    folder = args.runs / "network_of_2006_seed_0"
    folders["network of 2006, 784-1000-500-250-30"] = folder


# %% 训练分类器 · train a classifier
def accuracy(folder, is_pre_trained, setting, selection, count, x, y):
    """Return what a classifier reaches on digits x, in percent."""
    known, _, known_labels, _ = train_test_split(
        x_train[:pool],
        y_train[:pool],
        train_size=count,
        stratify=y_train[:pool],
        random_state=selection,
    )
    keras.utils.set_random_seed(selection)
    encoder = common.load_model("encoder", folder)
    if not is_pre_trained:
        encoder = keras.models.clone_model(encoder)  # with new random weights
    rate, dropped = setting
    input_img = keras.Input(shape=(784,))
    noisy_img = Dropout(dropped)(input_img)
    encoded = encoder(noisy_img)
    digit = Dense(10, activation="softmax")(encoded)
    classifier = Model(input_img, digit)
    classifier.compile(
        optimizer=Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=common.steps_at_a_time(100 * steps, 100),
    )
    # 重复这些图片，使每次训练的步数相同 · The digits are repeated: as many steps for all.
    repeated = np.resize(known, (100 * steps, 784))
    repeated_labels = np.resize(known_labels, 100 * steps)
    classifier.fit(repeated, repeated_labels, batch_size=100, verbose=0)
    return 100 * classifier.evaluate(x, y, batch_size=1000, verbose=0)[1]


file = args.runs / "pre_training.json"
reached = {}  # network, count and beginning to the accuracies of all selections
if file.exists():
    reached = json.loads(file.read_text())
for label, folder in folders.items():
    for count in counts:
        for beginning in ("random weights", "the encoder"):
            key = f"{label}, {count}, {beginning}"
            if key in reached:
                continue
            print(f"Classifying {key}", flush=True)
            is_pre_trained = beginning == "the encoder"
            tried = []
            for setting in settings:
                percent = accuracy(
                    folder, is_pre_trained, setting, 0, count, x_chosen, y_chosen
                )
                tried.append(percent)
            best = settings[int(np.argmax(tried))]
            results = []
            for selection in selections:
                percent = accuracy(
                    folder, is_pre_trained, best, selection, count, x_test, y_test
                )
                results.append(percent)
            reached[key] = results
            file.write_text(json.dumps(reached))

# %% 结果 · the table, and what came out
head = ["accuracy, %", "begun from"] + [f"{count:,} labels" for count in counts]
rows = []
gains = []
for label in folders:
    for beginning in ("random weights", "the encoder"):
        results = [reached[f"{label}, {count}, {beginning}"] for count in counts]
        rows.append([label, beginning] + [lab.spread(values, 1) for values in results])
    for count in counts:
        begun = np.mean(reached[f"{label}, {count}, the encoder"])
        from_scratch = np.mean(reached[f"{label}, {count}, random weights"])
        gains.append(f"{label}, {count:,} labels: {begun - from_scratch:+.1f}")
sentences = f"""What is gained by beginning from the encoder, in points of accuracy: \
{"; ".join(gains)}."""
lab.report(args, "pre_training", head, rows, sentences)
