"""Does a t-SNE map with ten clusters prove that a network's codes are good?

t-SNE lays points on a map so that near ones stay near. Here it maps 5,000 test digits by
their pixels, by 32 numbers of PCA and by the deep network's code of 32 (50 epochs of Adam,
seed 0). For how many digits has the nearest other one the same label, before and on the map?
"""

# %% 准备 · imports and options
import lab

import common

import matplotlib.pyplot as plt
import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x = x_test[:5000].reshape(-1, 784)
y = y_test[:5000]

# %% 三种表示 · the digits in three forms
folder = lab.run(args, "deep", "--optimizer adam --epochs 50 --seed 0")
encoder = common.load_model("encoder", folder)
pca = PCA(32, svd_solver="covariance_eigh").fit(x_train)
forms = {
    "pixels": x,
    "PCA 32": pca.transform(x),
    "code 32": encoder.predict(x, batch_size=1000, verbose=0),
}

# %% t-SNE，每张图约一分钟 · t-SNE, about a minute for each map
maps = {}
for label, values in forms.items():
    file = args.runs / f"t_sne_{label.replace(' ', '_')}.npy"
    if not file.exists():
        print(f"Mapping {label}", flush=True)
        np.save(file, TSNE(random_state=0).fit_transform(values))
    maps[label] = np.load(file)


# %% 最近的另一个数字，标签是否相同 · has the nearest other digit the same label?
def recognised(points):
    """Return the share of digits, in percent, whose nearest other point has their label."""
    neighbours = NearestNeighbors(n_neighbors=1).fit(points)
    # 不给出点时，每个点自身不算 · Without points of its own, it leaves each point itself out.
    nearest = neighbours.kneighbors(return_distance=False)
    return 100 * np.mean(y[nearest[:, 0]] == y)


before = {label: recognised(values) for label, values in forms.items()}
after = {label: recognised(points) for label, points in maps.items()}

# %% 画图 · draw the three maps
figure, axes = plt.subplots(1, 3, figsize=(18, 6.5), layout="constrained")
for ax, label in zip(axes, maps, strict=True):
    for digit in range(10):
        points = maps[label][y == digit]
        ax.scatter(points[:, 0], points[:, 1], s=4)
        x_centre, y_centre = np.median(points, axis=0)
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1}
        ax.text(x_centre, y_centre, str(digit), fontsize=16, ha="center", bbox=box)
    ax.set(xticks=[], yticks=[])
    ax.set_title(f"t-SNE of {label}: {after[label]:.1f} % recognised")
figure.savefig(args.pictures / "t_sne.png", dpi=80)

# %% 结果 · the table, and what came out
head = ["5,000 test digits", "recognised, %", "recognised on the t-SNE map, %"]
rows = []
for label in forms:
    rows.append([label, f"{before[label]:.1f}", f"{after[label]:.1f}"])
sentences = f"""The map of the codes recognises {after["code 32"]:.1f} % of the digits; the \
map of the pixels, without any network, {after["pixels"]:.1f} %. So a map with clusters does not \
prove that a network's codes are good."""
lab.report(args, "t_sne", head, rows, sentences)
