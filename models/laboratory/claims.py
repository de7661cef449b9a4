"""What of the post's claims about the single layer is true?

It says that without a penalty the result is close to PCA's, that the penalty makes codes
sparser, and that a hidden layer wider than the input works too. And it splits the deep
network at several layers.
"""

# %% 准备 · imports and options
import lab

import common

import numpy as np
from keras import Model
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
pca = PCA(16, svd_solver="covariance_eigh").fit(x_train)
pca_codes = pca.transform(x_test)
pca_mse = np.mean((x_test - pca.inverse_transform(pca_codes)) ** 2)

# %% 训练：不同强度的惩罚项 · train single layers with penalties of several strengths
optimizers = ["adam"] if args.quick else ["adadelta", "adam"]
settings = [(16, "0"), (16, "0.0001"), (16, "0.001"), (1000, "0.0001")]
rows = []
errors = []  # without a penalty, in shares of PCA's
largest_angles = []
zeros = {}
for optimizer in optimizers:
    for size, penalty in settings:
        options = f"--optimizer {optimizer} --l1 {penalty} --encoding-dim {size}"
        folder = lab.run(args, "simple", options)
        encoder = common.load_model("encoder", folder)
        decoder = common.load_model("decoder", folder)
        codes = encoder.predict(x_test, batch_size=1000, verbose=0)
        images = decoder.predict(codes, batch_size=1000, verbose=0)
        mse = np.mean((x_test - images) ** 2)
        zeros[optimizer, size, penalty] = 100 * np.mean(codes == 0)

        # 解码器的权重与 PCA 的主成分各张成一个子空间；夹角为 0° 则相同。
        # The decoder's weights span a subspace, and so do PCA's components: at 0 degrees
        # they are the same.
        angles_text = "–"
        explained_text = "–"
        if size == 16:
            weights = decoder.get_weights()[0]
            angles = np.degrees(subspace_angles(pca.components_.T, weights.T))
            angles_text = f"{np.median(angles):.0f}°, {angles.max():.0f}°"
            # PCA 的编码，有多少可以由网络的编码线性表示？
            # How much of PCA's numbers is a linear function of the network's?
            guessed = LinearRegression().fit(codes, pca_codes).predict(codes)
            explained = r2_score(pca_codes, guessed, multioutput="variance_weighted")
            explained_text = f"{100 * explained:.1f} %"
        if penalty == "0":
            errors.append(mse / pca_mse)
            largest_angles.append(angles.max())
        rows.append(
            [
                f"code {size}, penalty {penalty}, {optimizer}",
                f"{mse:.5f}",
                angles_text,
                explained_text,
                f"{codes.mean():.2f}",
                f"{zeros[optimizer, size, penalty]:.1f} %",
            ]
        )

# %% 任意一层都可以分割 · the deep network can be split at any layer
folder = lab.run(args, "deep", "--optimizer adam --epochs 50 --seed 0")
autoencoder = common.load_model("autoencoder", folder)
whole = autoencoder.predict(x_test, batch_size=1000, verbose=0)
differences = []
for layer in autoencoder.layers[1:-1]:
    encoder = Model(autoencoder.input, layer.output)
    decoder = Model(layer.output, autoencoder.output)
    codes = encoder.predict(x_test, batch_size=1000, verbose=0)
    parts = decoder.predict(codes, batch_size=1000, verbose=0)
    differences.append(np.abs(parts - whole).max())

# %% 结果 · the table, and what came out
head = ["single layer", "MSE", "angles to PCA's subspace: median, largest"]
head += [
    "PCA's numbers that the code explains",
    "mean of a code's numbers",
    "zeros in codes",
]
smaller = [100 * (1 - error) for error in errors]
sentences = f"""**Without a penalty, a single layer comes close to PCA.** Its error is \
{min(smaller):.0f} to {max(smaller):.0f} % smaller than PCA's, {pca_mse:.5f}, since the sigmoid \
can leave the background black. The code is not PCA's: in one direction at least the two \
subspaces differ, by angles of {min(largest_angles):.0f}° to {max(largest_angles):.0f}°.

**The penalty makes codes sparser.** With Adam, {zeros["adam", 16, "0"]:.1f} % of the numbers \
are 0 without a penalty, {zeros["adam", 16, "0.0001"]:.1f} % with the post's, and \
{zeros["adam", 16, "0.001"]:.1f} % with ten times the post's.

**A hidden layer wider than the input works too**, but it compresses nothing: see the rows \
with a code of 1000.

**Any layer can be the split.** At the five splits of the deep network, \
`decoder(encoder(x))` and `autoencoder(x)` differ by {max(differences):g} at most."""
lab.report(args, "claims", head, rows, sentences)
