"""Does a classifier of few labelled digits gain by beginning from an encoder?

The dense layers of an encoder, followed by a layer of ten, learn from 10, 100 and 1,000
labelled digits, in the proportions of all digits. They begin from random weights, or from those
that the encoder has learnt without labels. Either way there are 500 steps. The rate and the
dropout on the input are chosen beforehand: four settings learn from a selection of their own,
and the best one on 10,000 other labelled digits is taken. With few labels one could not do
this, so all figures are somewhat too good. Five random selections.
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
x_valid = x_train[pool : 2 * pool]  # to choose the rate and the dropout with
y_valid = y_train[pool : 2 * pool]
counts = [10, 100, 1000]
# 抽取 0 用来选择设置 · Selection 0 is there to choose the setting with.
selections = [1, 2, 3, 4, 5]
settings = [(0.0003, 0), (0.0003, 0.5), (0.001, 0), (0.001, 0.5)]  # rate, dropout
steps = 500
batch_size = 100
if args.quick:
    counts = [10]
    selections = [1, 2]
    settings = [(0.001, 0.5)]
    steps = 5

# %% 学会的编码器 · the encoders, as they were trained
# 脚本中要改的两处：旧的文字，新的文字 · Two changes of the script: the old text, the new one.
# 改后为 Dense(…)(Dropout(0.5)(input_img)) · It reads Dense(…)(Dropout(0.5)(input_img)) then.
dropout = [
    ("import Dense\n", "import Dense, Dropout\n"),
    ("sparse)(input_img)", "sparse)(Dropout(0.5)(input_img))"),
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
def accuracy(folder, is_pre_trained, setting, selection, count, x_new, y_new):
    """Return the accuracy, in percent, on new digits, of a classifier of `count` labels."""
    known, _, known_labels, _ = train_test_split(
        x_train[:pool],
        y_train[:pool],
        train_size=count,
        stratify=y_train[:pool],
        random_state=selection,
    )
    common.set_seed(selection)
    rate, dropped = setting
    input_img = keras.Input(shape=(784,))
    x = Dropout(dropped)(input_img)
    # 只取编码器的全连接层，不取去噪编码器自带的 Dropout 和惩罚项。
    # The encoder's dense layers alone, without the Dropout and the penalty that some have.
    for layer in common.load_model("encoder", folder).layers:
        if isinstance(layer, Dense):
            new_layer = Dense(layer.units, activation=layer.activation)
            x = new_layer(x)
            if is_pre_trained:
                new_layer.set_weights(layer.get_weights())
    digit = Dense(10, activation="softmax")(x)
    classifier = Model(input_img, digit)
    classifier.compile(
        optimizer=Adam(rate),
        loss="sparse_categorical_crossentropy",
        **common.speed_settings(classifier, batch_size * steps, batch_size, epochs=1),
    )
    # 重复这些图片，使每次训练的步数相同 · The digits are repeated: as many steps for all.
    repeated = np.resize(known, (batch_size * steps, 784))
    repeated_labels = np.resize(known_labels, batch_size * steps)
    classifier.fit(repeated, repeated_labels, batch_size=batch_size, verbose=0)
    probabilities = classifier.predict(x_new, batch_size=1000, verbose=0)
    return 100 * np.mean(probabilities.argmax(axis=1) == y_new)


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
                percent = accuracy(folder, is_pre_trained, setting, 0, count, x_valid, y_valid)
                tried.append(percent)
            best = settings[int(np.argmax(tried))]
            results = []
            for selection in selections:
                percent = accuracy(folder, is_pre_trained, best, selection, count, x_test, y_test)
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
