"""Are codes of use where few digits have labels?

From 10, 100 and 1,000 labelled digits, in the proportions of all digits, two classifiers learn
to tell the test digits: the nearest neighbour, and logistic regression. The forms are pixels,
PCA, and codes that networks learnt from all training digits without labels. How strongly the
logistic regression is regularised is chosen beforehand, for each form and number: several
strengths learn from a selection of their own, and the best one on 10,000 other labelled digits
is taken. With few labels one could not do this, so all figures are somewhat too good. Five
random selections.
"""

# %% 准备 · imports and options
import lab

import common

import json

import numpy as np
from keras import Model
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
counts = [10] if args.quick else [10, 100, 1000]
pool = min(10_000, len(x_train) // 2)  # labels are selected from so many digits
# 抽取 0 用来选择正则化强度 · Selection 0 is there to choose the regularisation with.
selections = [1, 2, 3, 4, 5]

# %% 用所有训练图片、不用标签训练的网络 · networks that learnt from all digits, without labels
# 脚本中要改的两处：旧的文字，新的文字 · Two changes of the script: the old text, the new one.
# 改后为 Dense(…)(Dropout(0.5)(input_img)) · It reads Dense(…)(Dropout(0.5)(input_img)) then.
dropout = [
    ("import Dense\n", "import Dense, Dropout\n"),
    ("sparse)(input_img)", "sparse)(Dropout(0.5)(input_img))"),
]
wide = "--optimizer adam --l1 0.0001 --encoding-dim 1000"
deep_folder = lab.run(args, "deep", "--optimizer adam --epochs 50 --seed 0")
deep = common.load_model("encoder", deep_folder)
encoders = {
    "deep, code 32": deep,
    "deep, its first layer of 128": Model(deep.input, deep.layers[1].output),
    "simple, code 1000": common.load_model("encoder", lab.run(args, "simple", wide)),
}
denoising_folder = lab.run(args, "simple_dropout", "--optimizer adam", dropout)
encoders["denoising, code 16"] = common.load_model("encoder", denoising_folder)
wide_folder = lab.run(args, "simple_dropout", wide, dropout)
encoders["denoising, code 1000"] = common.load_model("encoder", wide_folder)
if not args.quick:  # network_of_2006.py must have trained it
    network_of_2006 = common.load_model("encoder", args.runs / "network_of_2006_seed_0")
    encoders["network of 2006, code 30"] = network_of_2006
    first_layer = network_of_2006.layers[1].output
    encoders["network of 2006, its first layer of 1000"] = Model(network_of_2006.input, first_layer)

# %% 各种形式的图片 · the digits in all forms
# 除以标准差，使各种形式的数值大小相近，正则化才可以比较。
# 前一部分从中抽取有标签的图片，第二部分用来选择正则化强度。
# They are divided by their standard deviation, so that the same values of C suit them all.
# Labels are selected from the first part; with the second one, regularisation is chosen.
x_all = np.concatenate([x_train[: 2 * pool], x_test])
pca = PCA(32, svd_solver="covariance_eigh").fit(x_train)
forms = {"pixels": x_all, "PCA 32": pca.transform(x_all)}
for label, encoder in encoders.items():
    forms[label] = encoder.predict(x_all, batch_size=1000, verbose=0)
for label, codes in forms.items():
    forms[label] = codes / codes.std()
y_pool = y_train[:pool]
y_valid = y_train[pool : 2 * pool]


# %% 分类，准确率以百分比计 · classify; the accuracy is in percent
def accuracy(classifier, codes_pool, selection, count, codes_new, y_new):
    """Train a classifier on `count` labelled digits; return its accuracy on new digits."""
    known, _, known_labels, _ = train_test_split(
        codes_pool, y_pool, train_size=count, stratify=y_pool, random_state=selection
    )
    classifier.fit(known, known_labels)
    return 100 * classifier.score(codes_new, y_new)


file = args.runs / "few_labels.json"
reached = {}  # form to a list of accuracies for each column of the table
if file.exists():
    reached = json.loads(file.read_text())
for form, codes in forms.items():
    if form in reached:
        continue
    print(f"Classifying {form}", flush=True)
    reached[form] = []
    codes_pool = codes[:pool]
    codes_valid = codes[pool : 2 * pool]
    codes_test = codes[2 * pool :]
    for count in counts:
        values_of_c = [0.001, 0.01, 0.1, 1, 10, 100]  # the larger, the less regularised
        tried = []
        for c in values_of_c:
            logistic = LogisticRegression(C=c, max_iter=1000)
            tried.append(accuracy(logistic, codes_pool, 0, count, codes_valid, y_valid))
        best_c = values_of_c[int(np.argmax(tried))]
        logistic = LogisticRegression(C=best_c, max_iter=1000)
        nearest = KNeighborsClassifier(n_neighbors=1)
        for classifier in (nearest, logistic):
            results = []
            for selection in selections:
                results.append(
                    accuracy(classifier, codes_pool, selection, count, codes_test, y_test)
                )
            reached[form].append(results)
    file.write_text(json.dumps(reached))

# %% 结果 · the table, and what came out
head = ["accuracy, %"]
for count in counts:
    head += [f"{count:,} labels, nearest", f"{count:,} labels, logistic"]
rows = []
for form in forms:
    rows.append([form] + [lab.spread(percents, 1) for percents in reached[form]])
sentences = []
for i, title in enumerate(head[1:]):
    means = {form: np.mean(reached[form][i]) for form in forms}
    best = max(means, key=means.get)
    sentences.append(f"{title}: {means['pixels']:.1f} with pixels, {means[best]:.1f} with {best}")
lab.report(args, "few_labels", head, rows, f"The best of each: {'; '.join(sentences)}.")
