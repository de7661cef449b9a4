"""Can a network take noise away that it was trained with, and what do other changes give?

The single layer with Dropout(0.5) on its input, a denoising autoencoder (去噪自编码器), beside
the plain one; and what the project's README says under "What can I change?". 50 epochs of Adam,
three seeds, but for the wide code, which takes long.
"""

# %% 准备 · imports and options
import lab

import common

import numpy as np
from sklearn.decomposition import PCA

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)

# %% 训练 · train
networks = {
    "simple": [],
    "`--encoding-dim 2`": [],
    "`--l1 0.001`": [],
    "`--encoding-dim 1000`": [],
    "`Dropout(0.5)` on the input": [],
}
for seed in args.seeds:
    options = {"optimizer": "adam", "seed": seed}
    networks["simple"].append(lab.run(args, "simple", **options))
    networks["`--encoding-dim 2`"].append(lab.run(args, "simple", encoding_dim=2, **options))
    networks["`--l1 0.001`"].append(lab.run(args, "simple", l1=0.001, **options))
    if seed == 0:
        wide = lab.run(args, "simple", encoding_dim=1000, **options)
        networks["`--encoding-dim 1000`"].append(wide)
    dropout = lab.run(args, "simple", lab.DROPOUT, **options)
    networks["`Dropout(0.5)` on the input"].append(dropout)

# %% 去噪 · take noise away: half of the pixels black, and the others twice as bright
# Dropout(0.5) 在训练时也是这样 · This is what Dropout(0.5) does in the training.
kept = np.random.default_rng(0).random(x_test.shape) < 0.5
noisy = (2 * x_test * kept).astype("float32")
images = {"original": x_test, "half the pixels": x_test * kept}
missing_error = np.mean((x_test * kept - x_test) ** 2)
rows = [["half the pixels, as they are", "–", f"{missing_error:.5f}"]]
# 主成分分析，从完整的图片学习；输入与网络的相同 · PCA of clean digits, with the same input.
pca = PCA(16, svd_solver="covariance_eigh").fit(x_train)
clean_error = np.mean((pca.inverse_transform(pca.transform(x_test)) - x_test) ** 2)
noisy_error = np.mean((pca.inverse_transform(pca.transform(noisy)) - x_test) ** 2)
rows.append(["PCA 16", f"{clean_error:.5f}", f"{noisy_error:.5f}"])
errors = {}
for label, title in {"plain": "simple", "denoising": "`Dropout(0.5)` on the input"}.items():
    clean_errors = []
    errors[label] = []
    for network in networks[title]:
        autoencoder = common.load_model("autoencoder", network.folder)
        of_clean = autoencoder.predict(x_test, batch_size=1000, verbose=0)
        of_noisy = autoencoder.predict(noisy, batch_size=1000, verbose=0)
        clean_errors.append(np.mean((of_clean - x_test) ** 2))
        errors[label].append(np.mean((of_noisy - x_test) ** 2))
        if network is networks[title][0]:
            images[label] = of_noisy
    rows.append([label, lab.spread(clean_errors, 5), lab.spread(errors[label], 5)])

# %% 画图 · draw ten noisy digits, and what the two make of them
common.plot_rows(images, 10, args.pictures / "noise.png")

# %% 结果 · the tables
head = ["MSE against the clean digits", "input: clean digits", "input: noisy digits"]
change = lab.difference(errors["denoising"], errors["plain"], 5)
sentences = f"For noisy digits, the denoising network changes the plain one's MSE by {change}."
lab.report(args, "noise", head, rows, sentences)

head = ["experiment", "seeds", "cross-entropy", "MSE", "1-NN accuracy, %"]
rows = []
for title, trained in networks.items():
    figures = [lab.measure(args, network.folder, digits) for network in trained]
    entropy = lab.spread([x.cross_entropy for x in figures], 4)
    mse = lab.spread([x.mse for x in figures], 5)
    accuracy = lab.spread([x.accuracy for x in figures], 1)
    rows.append([title, str(len(figures)), entropy, mse, accuracy])
lab.report(args, "try_this_next", head, rows)
