"""How many training digits are enough, and where does a network begin to learn by heart?

The single layer, the deep network (Adam) and PCA learn from 100 to 60,000 training digits, from
three seeds, each of which is that of a network and of a selection of digits. Fewer than 60,000
are repeated, so that each training has the same number of updates, 50 epochs of 235. The errors
are those of all test digits, and of the digits that were learnt.
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
counts = [100] if args.quick else [100, 1000, 4000, 60_000]
sizes = {"simple": 16, "deep": 32}  # of the codes

# %% 训练，与 PCA 比较 · train on each number of digits, and compare with PCA
# 每项：每个数量一个列表，列表中每个种子一个值 · A list for each count, a value for each seed.
test_errors = {"simple": [], "deep": [], "PCA 16": [], "PCA 32": []}
train_errors = {"simple": [], "deep": [], "PCA 16": [], "PCA 32": []}
best_epochs = {"simple": [], "deep": []}
lowest = {"simple": [], "deep": []}  # the validation loss of that epoch
last = {"simple": [], "deep": []}  # and that of the last one
for count in counts:
    for script, size in sizes.items():
        of_test = []
        of_learnt = []
        epochs = []
        lowest_losses = []
        last_losses = []
        pca_of_test = []
        pca_of_learnt = []
        for seed in args.seeds:
            # 脚本中的这一行，改成随机取一些图片，重复到原来的数量。
            # This line of the scripts selects digits instead, repeated to as many as before.
            line = "x_train = x_train.reshape(len(x_train), 784)"
            x = x_train
            changes = []
            if count < len(x_train):
                select = f"np.random.default_rng({seed}).choice(len(x_train), {count}, False)"
                resized = f"x_train = np.resize(x_train[{select}], (len(x_train), 784))"
                changes = [(line, resized)]
                x = x_train[np.random.default_rng(seed).choice(len(x_train), count, False)]
            network = lab.run(args, script, changes, optimizer="adam", seed=seed)
            autoencoder = common.load_model("autoencoder", network.folder)
            test_imgs = autoencoder.predict(x_test, batch_size=1000, verbose=0)
            learnt_imgs = autoencoder.predict(x, batch_size=1000, verbose=0)
            of_test.append(np.mean((x_test - test_imgs) ** 2))
            of_learnt.append(np.mean((x - learnt_imgs) ** 2))
            val_losses = network.history["val_loss"]
            epochs.append(1 + np.argmin(val_losses))
            lowest_losses.append(min(val_losses))
            last_losses.append(val_losses[-1])

            pca = PCA(size, svd_solver="covariance_eigh").fit(x)
            test_imgs = pca.inverse_transform(pca.transform(x_test))
            learnt_imgs = pca.inverse_transform(pca.transform(x))
            pca_of_test.append(np.mean((x_test - test_imgs) ** 2))
            pca_of_learnt.append(np.mean((x - learnt_imgs) ** 2))
        test_errors[script].append(of_test)
        train_errors[script].append(of_learnt)
        best_epochs[script].append(epochs)
        lowest[script].append(lowest_losses)
        last[script].append(last_losses)
        test_errors[f"PCA {size}"].append(pca_of_test)
        train_errors[f"PCA {size}"].append(pca_of_learnt)

# %% 画图：误差随训练图片的数量 · draw the errors against the number of training digits
figure, ax = plt.subplots(figsize=(9, 6), layout="constrained")
for i, label in enumerate(test_errors):
    of_test = [np.mean(values) for values in test_errors[label]]
    of_learnt = [np.mean(values) for values in train_errors[label]]
    ax.loglog(counts, of_test, "o-", color=f"C{i}", label=f"{label}, test digits")
    ax.loglog(counts, of_learnt, "o:", color=f"C{i}", label=f"{label}, learnt digits")
ax.set_xticks(counts, [f"{count:,}" for count in counts])
ticks = ["0.00001", "0.0001", "0.001", "0.01", "0.05"]
ax.set_yticks([float(tick) for tick in ticks], ticks)
ax.minorticks_off()
ax.set(xlabel="training digits", ylabel="mean squared error")
ax.grid(alpha=0.3)
ax.legend()
figure.savefig(args.pictures / "how_much.png", dpi=100)

# %% 结果 · the table
head = ["MSE"] + [f"{count:,}" for count in counts]
rows = []
for label, of_test in test_errors.items():
    rows.append([f"{label}, test digits"] + [lab.spread(errors, 4) for errors in of_test])
for label, size in sizes.items():
    of_learnt = train_errors[label]
    rows.append([f"{label}, learnt digits"] + [lab.spread(errors, 4) for errors in of_learnt])
    changes = []
    for errors, errors_of_pca in zip(test_errors[label], test_errors[f"PCA {size}"], strict=True):
        changes.append(lab.difference(errors, errors_of_pca, 4))
    rows.append([f"{label}, test digits, difference from PCA {size}"] + changes)
for label, all_epochs in best_epochs.items():
    cells = []
    for epochs in all_epochs:
        cells.append(" ".join(str(epoch) for epoch in epochs))
    rows.append([f"{label}, epoch of the lowest validation loss"] + cells)
    rows.append([f"{label}, that loss"] + [lab.spread(losses, 4) for losses in lowest[label]])
    rows.append([f"{label}, the last epoch's"] + [lab.spread(losses, 4) for losses in last[label]])
for label in sizes:
    with_all = test_errors[label][-1]
    ratios = [lab.spread(np.divide(errors, with_all), 2) for errors in test_errors[label]]
    rows.append([f"{label}, test error / that of the last column"] + ratios)
lab.report(args, "how_much", head, rows)
