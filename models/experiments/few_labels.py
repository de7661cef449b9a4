"""Are codes of use where few digits have labels?

From 10, 100 and 1,000 labelled digits, in the proportions of all digits, a logistic regression
learns to tell the test digits: by their pixels, by PCA, by codes that networks learnt from all
training digits without labels, and by codes of the same networks before they learnt anything. Then
the dense layers of an encoder, followed by a layer of ten, learn from the same digits: from random
weights, or from those of the encoder, for 500 steps.

Six selections of labels, two for each of three seeds of the networks; what is compared is the mean
of the two. The networks have 50 epochs of Adam, and 10 where the code is wide, which takes long.
Settings (how strongly the regression is regularised; the rate, and the dropout on the input) are
the best ones on 10,000 other labelled digits, over three selections of their own. With few labels
one could not choose so; all figures are somewhat too good.
"""

# %% 准备 · imports and options
import lab

import common

import keras
import numpy as np
from keras import Model
from keras.layers import Dense, Dropout
from keras.optimizers import Adam
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
pool = min(10_000, len(x_train) // 2)  # labels are selected from so many digits
y_valid = y_train[pool : 2 * pool]  # of the digits that settings are chosen on
counts = [10] if args.quick else [10, 100, 1000]
selections = [1, 2] if args.quick else [1, 2, 3, 4, 5, 6]
choosing = [7] if args.quick else [7, 8, 9]  # 用来选择设置 · to choose settings with
strengths = [1] if args.quick else [0.001, 0.01, 0.1, 1, 10, 100]  # C: more is less regularised
rates = [0.0003, 0.001, 0.003]
dropouts = [0, 0.5]
steps = 500
if args.quick:
    rates = [0.001]
    dropouts = [0.5]
    steps = 5


def select(selection, count):
    """Return which digits of the pool have a label, (count,)."""
    known, _ = train_test_split(
        np.arange(pool), train_size=count, stratify=y_train[:pool], random_state=selection
    )
    return known


def means_of_seeds(percents):
    """Return the mean over the selections that share a network, (number of seeds,)."""
    means = []
    for first in range(len(args.seeds)):
        means.append(np.mean(percents[first :: len(args.seeds)]))
    return means


# %% 用所有训练图片、不用标签训练的网络 · networks that learnt from all digits, without labels
deep = []
wide = []
denoising = []
wide_denoising = []
untrained = []
wide_untrained = []
for seed in args.seeds:
    options = {"optimizer": "adam", "seed": seed}
    wide_options = {"encoding_dim": 1000, "epochs": 10, **options}
    trained = [
        (deep, lab.run(args, "deep", **options)),
        (wide, lab.run(args, "simple", **wide_options)),
        (denoising, lab.run(args, "simple", lab.DROPOUT, **options)),
        (wide_denoising, lab.run(args, "simple", lab.DROPOUT, **wide_options)),
    ]
    for encoders_of_seeds, network in trained:
        encoders_of_seeds.append(common.load_model("encoder", network.folder))
    untrained.append(lab.build(args, "deep", **options)["encoder"])
    wide_untrained.append(lab.build(args, "simple", **wide_options)["encoder"])

# %% 各种形式的图片 · the digits in all forms
# 前一部分从中抽取有标签的图片，第二部分用来选择设置，最后是测试图片。
# Labels are selected from the first part; settings are chosen on the second; then the test digits.
x_all = np.concatenate([x_train[: 2 * pool], x_test])
pca = PCA(32, svd_solver="covariance_eigh").fit(x_train)
forms = {"pixels": [x_all], "PCA 32": [pca.transform(x_all)]}
encoders = {
    "deep, code 32": deep,
    "deep, code 32, untrained": untrained,
    "denoising, code 16": denoising,
    "simple, code 1000": wide,
    "denoising, code 1000": wide_denoising,
    "simple, code 1000, untrained": wide_untrained,
}
# 与哪个未训练的网络比较 · which untrained network each is compared with
before_training = {
    "deep, code 32": "deep, code 32, untrained",
    "simple, code 1000": "simple, code 1000, untrained",
    "denoising, code 1000": "simple, code 1000, untrained",
}
for label, of_seeds in encoders.items():
    forms[label] = [encoder.predict(x_all, batch_size=1000, verbose=0) for encoder in of_seeds]
# 除以训练图片的标准差，使各种形式的数值大小相近。
# Divided by the standard deviation of training digits, so that the same values of C suit all.
for form, of_seeds in forms.items():
    forms[form] = [codes / codes[: 2 * pool].std() for codes in of_seeds]


# %% 逻辑回归，准确率以百分比计 · logistic regression; the accuracy is in percent
def logistic_accuracy(strength, codes, labels, codes_new, labels_new):
    """Return the accuracy on new digits of a regression that learnt from codes and labels."""
    logistic = LogisticRegression(C=strength, max_iter=1000).fit(codes, labels)
    return 100 * logistic.score(codes_new, labels_new)


logistic_accuracy_once = lab.remember(args, logistic_accuracy)
valid = slice(pool, 2 * pool)  # the digits that settings are chosen on
test = slice(2 * pool, None)


def logistic_accuracies(strength, of_seeds, count, selections, new, labels_new):
    """Return the accuracy on new digits, a slice of all, after each selection of labels."""
    percents = []
    for selection in selections:
        codes = of_seeds[selection % len(of_seeds)]
        known = select(selection, count)
        percents.append(
            logistic_accuracy_once(strength, codes[known], y_train[known], codes[new], labels_new)
        )
    return percents


head = ["logistic regression"]
rows = {form: [form] for form in forms}
sentences = []
for count in counts:
    head += [f"{count:,} labels, %", "more than by pixels", "more than untrained"]
    reached = {}
    for form, of_seeds in forms.items():
        print(f"Regression of {count} labels by {form}", flush=True)
        tried = []
        for strength in strengths:
            percents = logistic_accuracies(strength, of_seeds, count, choosing, valid, y_valid)
            tried.append(np.mean(percents))
        best = strengths[int(np.argmax(tried))]
        print(f"The best C: {best}")
        percents = logistic_accuracies(best, of_seeds, count, selections, test, y_test)
        reached[form] = means_of_seeds(percents)
    for form, percents in reached.items():
        gain = "–"
        if form != "pixels":
            gain = lab.difference(percents, reached["pixels"], 1)
        learnt = "–"
        if form in before_training:
            learnt = lab.difference(percents, reached[before_training[form]], 1)
        rows[form] += [lab.spread(percents, 1), gain, learnt]
    change = lab.difference(reached["denoising, code 1000"], reached["simple, code 1000"], 1)
    sentences.append(
        f"With {count:,} labels, denoising changes the accuracy by codes of 1000 by {change} points."
    )
lab.report(args, "few_labels", head, list(rows.values()), "\n".join(sentences))


# %% 从编码器的权重开始训练分类器 · train classifiers that begin from an encoder's weights
def classifier_accuracy(layers, rate, dropout, steps, seed, x, labels, x_new, labels_new):
    """Return the accuracy on new digits of a classifier that learnt from x and labels.

    `layers`: of each dense layer, how many numbers come out, its activation, and the weights
    that it begins with, or None for random ones.
    """
    keras.utils.set_random_seed(seed)
    input_img = keras.Input(shape=(784,))
    y = Dropout(dropout)(input_img)
    for units, activation, weights in layers:
        layer = Dense(units, activation=activation)
        y = layer(y)
        if weights is not None:
            layer.set_weights(weights)
    digit = Dense(10, activation="softmax")(y)
    classifier = Model(input_img, digit)
    classifier.compile(
        optimizer=Adam(rate),
        loss="sparse_categorical_crossentropy",
        **lab.speed_settings(classifier, epochs=1),
    )
    # 重复这些图片，使每次训练的步数相同 · The digits are repeated: as many steps for all.
    repeated = np.resize(x, (100 * steps, 784))
    repeated_labels = np.resize(labels, 100 * steps)
    classifier.fit(repeated, repeated_labels, batch_size=100, verbose=0)
    probabilities = classifier.predict(x_new, batch_size=1000, verbose=0)
    return 100 * float(np.mean(probabilities.argmax(axis=1) == labels_new))


def dense_layers(encoder, with_weights):
    """Return the dense layers of an encoder as `classifier_accuracy` takes them.

    The weights of the last one are divided by the standard deviation of its codes, so that the
    new layer behind it begins from numbers of the same size, whatever the network.
    """
    codes = encoder.predict(x_train[: 2 * pool], batch_size=1000, verbose=0)
    layers = []
    for layer in encoder.layers:
        if isinstance(layer, Dense):
            weights = None
            if with_weights:
                weights = layer.get_weights()
                if layer is encoder.layers[-1]:
                    weights = [array / codes.std() for array in weights]
            layers.append((layer.units, layer.activation.__name__, weights))
    return layers


classifier_accuracy_once = lab.remember(args, classifier_accuracy)


def classifier_accuracies(layers_of_seeds, rate, dropout, count, selections, x_new, labels_new):
    """Return the accuracy on new digits after each selection of labels."""
    percents = []
    for selection in selections:
        layers = layers_of_seeds[selection % len(layers_of_seeds)]
        known = select(selection, count)
        x = x_train[known]
        labels = y_train[known]
        percents.append(
            classifier_accuracy_once(
                layers, rate, dropout, steps, selection, x, labels, x_new, labels_new
            )
        )
    return percents


x_valid = x_train[pool : 2 * pool]
rows = []
for label, of_seeds in {"784-128-64-32": deep, "784-1000, denoising": wide_denoising}.items():
    beginnings = {
        "random weights": [dense_layers(encoder, with_weights=False) for encoder in of_seeds],
        "the encoder": [dense_layers(encoder, with_weights=True) for encoder in of_seeds],
    }
    for count in counts:
        reached = {}
        for beginning, layers_of_seeds in beginnings.items():
            print(f"Classifiers of {count} labels: {label}, {beginning}", flush=True)
            best = 0
            for rate in rates:
                for dropout in dropouts:
                    percents = classifier_accuracies(
                        layers_of_seeds, rate, dropout, count, choosing, x_valid, y_valid
                    )
                    if np.mean(percents) > best:
                        best = np.mean(percents)
                        best_rate = rate
                        best_dropout = dropout
            print(f"The best rate and dropout: {best_rate}, {best_dropout}")
            percents = classifier_accuracies(
                layers_of_seeds, best_rate, best_dropout, count, selections, x_test, y_test
            )
            reached[beginning] = means_of_seeds(percents)
        row = [f"{count:,} labels, {label}"]
        row += [lab.spread(percents, 1) for percents in reached.values()]
        gain = lab.difference(reached["the encoder"], reached["random weights"], 1)
        rows.append(row + [gain])
head = ["classifier, accuracy in %", "from random weights", "from the encoder", "gain"]
lab.report(args, "pre_training", head, rows)
