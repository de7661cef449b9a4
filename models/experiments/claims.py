"""Which of the post's claims are true?

It says that a single layer without penalty is close to PCA, that the penalty makes codes
sparser, and that a hidden layer wider than the input works too. And it splits the deep
network at two layers. Single layers are trained with several penalties (50 epochs of Adadelta
and of Adam, seed 0), and the deep network is split at each of its layers.
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
errors = []  # MSE without penalty, divided by PCA's
largest_angles = []
all_explained = []
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

        # 解码器的权重（sigmoid 之前）与 PCA 的主成分各张成一个 16 维的子空间，有 16 个夹角；
        # 全为 0° 则两个子空间相同。
        # The decoder's weights, before the sigmoid, span a subspace of 16 dimensions, and so
        # do PCA's components. They are the same if all of their 16 angles are 0 degrees.
        angles_text = "–"
        explained_text = "–"
        if size == 16:
            weights = decoder.get_weights()[0]
            angles = np.degrees(subspace_angles(pca.components_.T, weights.T))
            angles_text = f"{np.median(angles):.0f}°, {angles.max():.0f}°"
            # PCA 编码的方差，有多少可以由网络的编码线性解释？
            # How much of the variance of PCA's codes does a linear function of the network's
            # codes explain?
            guessed = LinearRegression().fit(codes, pca_codes).predict(codes)
            explained = r2_score(pca_codes, guessed, multioutput="variance_weighted")
            explained_text = f"{100 * explained:.1f} %"
            if penalty == "0":
                errors.append(mse / pca_mse)
                largest_angles.append(angles.max())
                all_explained.append(100 * explained)
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

# %% 以任意一层为界都可以拆分 · the deep network can be split at any layer
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
    "variance of PCA's codes that the code explains",
    "mean of a code's numbers",
    "zeros in codes",
]
smaller = [100 * (1 - error) for error in errors]
sentences = f"""**Is a single layer without penalty close to PCA?** In part. Its error is \
{min(smaller):.0f} to {max(smaller):.0f} % smaller than PCA's, {pca_mse:.5f}. Its codes explain \
{min(all_explained):.0f} to {max(all_explained):.0f} % of the variance of PCA's codes. But the \
two subspaces are not the same: the largest angle between them is \
{min(largest_angles):.0f}° to {max(largest_angles):.0f}°.

**Does the penalty make codes sparser?** With Adam, {zeros["adam", 16, "0"]:.1f} % of the numbers \
are 0 without a penalty, {zeros["adam", 16, "0.0001"]:.1f} % with the post's, and \
{zeros["adam", 16, "0.001"]:.1f} % with ten times the post's.

**Does a hidden layer wider than the input work too?** See the rows with a code of 1000: the \
error is small, but a code has more numbers than an image.

**Can the network be split at any layer?** At its {len(differences)} splits, \
`decoder(encoder(x))` and `autoencoder(x)` differ by {max(differences):g} at most."""
lab.report(args, "claims", head, rows, sentences)
