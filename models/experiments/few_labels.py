"""Are codes of use where few digits have labels?

From 10, 100 and 1,000 labelled digits, in the proportions of all digits, a logistic regression learns
to tell the test digits: by their pixels, by PCA, by codes that networks learnt from all training
digits without labels, and by codes of the same networks before they learnt anything. 20 selections of
labels, each with the networks of three seeds. How strongly the regression is regularised was chosen
on 10,000 other labelled digits, by the mean of three other selections and all seeds; with few labels
one could not choose so, and all accuracies are somewhat too good.
"""

# %% 准备 · imports and options
import lab

import common

import networks
import numpy as np
from keras.optimizers import Adam
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
pool = min(10_000, len(x_train) // 2)  # labels are selected from so many digits
valid = slice(pool, 2 * pool)  # settings are chosen on so many others
counts = [10] if args.quick else [10, 100, 1000]
selections = [0, 1] if args.quick else list(range(20))
choosing = [100] if args.quick else [100, 101, 102]  # 用来选择设置的 · to choose settings with
strengths = [1] if args.quick else [0.001, 0.01, 0.1, 1, 10, 100]  # C: more is less regularised

# %% 用所有训练图片、不用标签训练的网络 · networks that learnt from all digits, without labels
builders = {
    "deep, code 32": (networks.deep, 0.0015, 50),
    "single layer, code 1000": (lambda: networks.simple(1000), 0.001, 10),
    "denoising, code 1000": (lambda: networks.simple(1000, noise=0.5), 0.001, 10),
}
x_all = np.concatenate([x_train[: 2 * pool], x_test])
forms = {"pixels": [x_all], "PCA 32": [common.pca(x_train, x_all, 32)[1]]}  # one for each seed
for label, (build, rate, epochs) in builders.items():
    forms[label] = []
    forms[f"{label}, untrained"] = []
    for seed in args.seeds:
        lab.set_seed(seed)
        network = build()
        codes = network[1].predict(x_all, batch_size=1000, verbose=0)
        forms[f"{label}, untrained"].append(codes)
        training = lab.train(args, network, x_train, epochs, Adam(rate))
        forms[label].append(lab.encode(training.folder, x_all))
# 除以训练图片的标准差，使各种形式的数值大小相近。
# Divided by the standard deviation of training digits, so that the same values of C suit all.
for form, of_seeds in forms.items():
    forms[form] = [codes / codes[: 2 * pool].std() for codes in of_seeds]


# %% 逻辑回归 · logistic regression
def recognise(strength, of_seeds, count, selections, new):
    """Return which new digits, a slice of all, are recognised: (seeds, selections, digits)."""
    y_new = np.concatenate([y_train[: 2 * pool], y_test])[new]
    right = []
    for codes in of_seeds:
        of_selections = []
        for selection in selections:
            known, _ = train_test_split(
                np.arange(pool), train_size=count, stratify=y_train[:pool], random_state=selection
            )
            logistic = LogisticRegression(C=strength, max_iter=1000)
            logistic.fit(codes[known], y_train[known])
            of_selections.append(logistic.predict(codes[new]) == y_new)
        right.append(of_selections)
    return np.array(right)


def gain(right, others):
    """Return by how many points accuracies exceed others, as text with the 95 % interval.

    Networks, selections of labels and test digits are samples: the means for each of these have an
    interval, and theirs is the root of the sum of the squares of the three.
    """
    differences = 100.0 * right - 100.0 * others
    half = 0
    for others_of in [(1, 2), (0, 2), (0, 1)]:
        means = differences.mean(axis=others_of)
        if len(means) > 1:  # 像素和 PCA 没有种子 · pixels and PCA have no seed
            half = np.hypot(half, lab.half_interval(means))
    return lab.interval_text(differences.mean(), half, 1)


head = ["logistic regression"]
rows = {form: [form] for form in forms}
sentences = []
for count in counts:
    head += [f"{count:,} labels, %", "more than by pixels", "more than untrained"]
    chosen = {}  # form to its C
    reached = {}  # form to which test digits are recognised
    for form, of_seeds in forms.items():
        tried = []
        for strength in strengths:
            tried.append(recognise(strength, of_seeds, count, choosing, valid).mean())
        chosen[form] = strengths[int(np.argmax(tried))]
        reached[form] = recognise(chosen[form], of_seeds, count, selections, slice(2 * pool, None))
    for form, right in reached.items():
        to_pixels = "–"
        if form != "pixels":
            to_pixels = gain(right, reached["pixels"])
        to_untrained = "–"
        if form in builders:
            to_untrained = gain(right, reached[f"{form}, untrained"])
        rows[form] += [f"{100 * right.mean():.1f}", to_pixels, to_untrained]
    change = gain(reached["denoising, code 1000"], reached["single layer, code 1000"])
    of_pca = gain(reached["deep, code 32"], reached["PCA 32"])
    strengths_text = ", ".join(f"{strength:g}" for strength in chosen.values())
    sentences += [
        f"{count:,} labels: C, in the order of the rows: {strengths_text}.",
        f"{count:,} labels: the deep network's codes exceed PCA's by {of_pca}.",
        f"{count:,} labels: noise changes the accuracy by codes of 1000 by {change}.",
    ]
lab.report(args, "few_labels", head, list(rows.values()), "\n".join(sentences))
