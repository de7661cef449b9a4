"""Can a network take noise away that it was trained with?

The single layer with Dropout(0.5) on its input, a denoising autoencoder (去噪自编码器), beside
the plain one: 50 epochs of Adam, three seeds.
"""

# %% 准备 · imports and options
import lab

import common

import numpy as np
from sklearn.decomposition import PCA

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)

# %% 训练 · train
networks = {"plain": [], "denoising": []}
for seed in args.seeds:
    options = {"optimizer": "adam", "seed": seed}
    networks["plain"].append(lab.run(args, "simple", **options))
    networks["denoising"].append(lab.run(args, "simple", lab.DROPOUT, **options))

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
for label, of_seeds in networks.items():
    clean_errors = []
    errors[label] = []
    for network in of_seeds:
        autoencoder = common.load_model("autoencoder", network.folder)
        of_clean = autoencoder.predict(x_test, batch_size=1000, verbose=0)
        of_noisy = autoencoder.predict(noisy, batch_size=1000, verbose=0)
        clean_errors.append(np.mean((of_clean - x_test) ** 2))
        errors[label].append(np.mean((of_noisy - x_test) ** 2))
        if network is of_seeds[0]:
            images[label] = of_noisy
    rows.append([label, lab.spread(clean_errors, 5), lab.spread(errors[label], 5)])

# %% 画图 · draw ten noisy digits, and what the two make of them
common.plot_rows(images, 10, args.pictures / "noise.png")

# %% 结果 · the table
head = ["MSE against the clean digits", "input: clean digits", "input: noisy digits"]
change = lab.difference(errors["denoising"], errors["plain"], 5)
sentences = f"For noisy digits, the denoising network changes the plain one's MSE by {change}."
lab.report(args, "noise", head, rows, sentences)
