"""How many training digits are enough, and where does a network begin to learn by heart?

The single layer, the deep network (Adam, seed 0) and PCA learn from the first 100 to 60,000
training digits. Fewer are repeated to 60,000, so that each training has the same number of
updates: 50 epochs of 235. The errors are those of all test digits, and of the digits that
were learnt.
"""

# %% 准备 · imports and options
import lab

import common

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
counts = [100] if args.quick else [100, 400, 1000, 4000, 15_000, 60_000]
sizes = {"simple": 16, "deep": 32}  # of the codes

# %% 训练，与 PCA 比较 · train on each number of digits, and compare with PCA
test_errors = {"simple": [], "deep": [], "PCA 16": [], "PCA 32": []}
train_errors = {"simple": [], "deep": [], "PCA 16": [], "PCA 32": []}
best_epochs = {"simple": [], "deep": []}
for count in counts:
    x = x_train[:count]
    old = "x_train = x_train.reshape(len(x_train), 784)\n"
    # 脚本中这一行改成：只取前面的图片，重复到原来的数量。
    # In place of this line, the script takes the first digits, repeated to as many as before.
    new = f"""y_train = np.resize(y_train[:{count}], len(x_train))
x_train = np.resize(x_train[:{count}], (len(x_train), 784))
"""
    for script, size in sizes.items():
        name = f"{script}_of_{count}"
        changes = [(old, new)]
        if count == 60_000:  # results.py has trained it, under this name
            name = script
            changes = []
        folder = lab.run(args, name, "--optimizer adam --epochs 50 --seed 0", changes)
        autoencoder = common.load_model("autoencoder", folder)
        of_test = autoencoder.predict(x_test, batch_size=1000, verbose=0)
        of_train = autoencoder.predict(x, batch_size=1000, verbose=0)
        test_errors[script].append(np.mean((x_test - of_test) ** 2))
        train_errors[script].append(np.mean((x - of_train) ** 2))
        best_epochs[script].append(1 + np.argmin(lab.losses(folder, "val_loss")))

        pca = PCA(size, svd_solver="covariance_eigh").fit(x)
        of_test = pca.inverse_transform(pca.transform(x_test))
        of_train = pca.inverse_transform(pca.transform(x))
        test_errors[f"PCA {size}"].append(np.mean((x_test - of_test) ** 2))
        train_errors[f"PCA {size}"].append(np.mean((x - of_train) ** 2))

# %% 画图：误差随训练图片的数量 · draw the errors against the number of training digits
figure, ax = plt.subplots(figsize=(9, 6), layout="constrained")
for i, label in enumerate(test_errors):
    ax.loglog(counts, test_errors[label], "o-", color=f"C{i}", label=f"{label}, test digits")
    ax.loglog(counts, train_errors[label], "o:", color=f"C{i}", label=f"{label}, learnt digits")
ax.set_xticks(counts, [f"{count:,}" for count in counts])
ticks = ["0.00001", "0.0001", "0.001", "0.01", "0.05"]
ax.set_yticks([float(tick) for tick in ticks], ticks)
ax.minorticks_off()
ax.set(xlabel="training digits", ylabel="mean squared error")
ax.grid(alpha=0.3)
ax.legend()
figure.savefig(args.pictures / "how_much.png", dpi=100)

# %% 结果 · the table, and what came out
head = ["MSE of test digits (of the learnt ones)"] + [f"{count:,}" for count in counts]
rows = []
for label, errors in test_errors.items():
    cells = [label]
    for test_error, train_error in zip(errors, train_errors[label], strict=True):
        cells.append(f"{test_error:.4f} ({train_error:.4f})")
    rows.append(cells)
for label, epochs in best_epochs.items():
    rows.append([f"{label}, epoch of the lowest validation loss"] + [str(n) for n in epochs])
i = counts.index(4000) if 4000 in counts else 0
simple_cost = test_errors["simple"][i] / test_errors["simple"][-1]
deep_cost = test_errors["deep"][i] / test_errors["deep"][-1]
ratios = []
for count, test_error, train_error in zip(
    counts, test_errors["deep"], train_errors["deep"], strict=True
):
    ratios.append(f"{test_error / train_error:.1f} with {count:,}")
sentences = f"""Where a network learns by heart, its error on the test images is many times that \
on the images that it has learnt. For the deep network it is so many times: \
{", ".join(ratios)}.

With {counts[i]:,} training images, the error of the single layer is {simple_cost:.2f} times, \
and that of the deep network {deep_cost:.2f} times what it is with all of them."""
lab.report(args, "how_much", head, rows, sentences)
