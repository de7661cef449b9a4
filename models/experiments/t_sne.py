"""Does a t-SNE map with ten clusters prove that a network's codes are good?

t-SNE lays points on a map so that near ones stay near. Here it maps a third of the test digits by
their pixels, by 32 numbers of PCA and by the deep network's code of 32 (50 epochs of Adam).
For how many digits has the nearest other one the same label, before and on the map? Each of
three seeds is that of a network, of a selection of digits, and of a map, which begins at random.
"""

# %% 准备 · imports and options
import lab

import common

import matplotlib.pyplot as plt
import networks
import numpy as np
from keras.optimizers import Adam
from sklearn.manifold import TSNE
from sklearn.neighbors import NearestNeighbors

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)


# %% 最近的另一个数字，标签是否相同 · has the nearest other digit the same label?
def accuracy(points, y):
    """Return the share of points, in percent, whose nearest other one has their label y."""
    neighbours = NearestNeighbors(n_neighbors=1).fit(points)
    # 不给出点时，每个点自身不算 · Without points of its own, it leaves each point itself out.
    nearest = neighbours.kneighbors(return_distance=False)
    return 100 * np.mean(y[nearest[:, 0]] == y)


# %% t-SNE，每张图约一分钟 · t-SNE, about a minute for each map
before = {"pixels": [], "PCA 32": [], "code 32": []}
after = {"pixels": [], "PCA 32": [], "code 32": []}
maps = {}
for seed in args.seeds:
    lab.set_seed(seed)
    training = lab.train(args, networks.deep(), x_train, 50, Adam(0.0015))
    # 三分之一的测试图片，互不重叠 · a third of the test digits, which no other seed has
    selected = np.random.default_rng(0).permutation(len(x_test))[seed::3]
    x = x_test[selected]
    y = y_test[selected]
    codes = lab.encode(training.folder, x)
    pca_codes = common.pca(x_train, x, 32)[1]
    for label, values in {"pixels": x, "PCA 32": pca_codes, "code 32": codes}.items():
        print(f"Mapping {label}", flush=True)
        points = TSNE(init="random", random_state=seed).fit_transform(values)
        before[label].append(accuracy(values, y))
        after[label].append(accuracy(points, y))
        if seed == 0:
            maps[label] = (points, y)

# %% 画图 · draw the three maps of seed 0
figure, axes = plt.subplots(1, 3, figsize=(18, 6.5), layout="constrained")
for ax, label in zip(axes, maps, strict=True):
    all_points, y = maps[label]
    for digit in range(10):
        points = all_points[y == digit]
        ax.scatter(points[:, 0], points[:, 1], s=4)
        x_centre, y_centre = np.median(points, axis=0)
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1}
        ax.text(x_centre, y_centre, str(digit), fontsize=16, ha="center", bbox=box)
    ax.set(xticks=[], yticks=[])
    ax.set_title(f"t-SNE of {label}: 1-NN accuracy {after[label][0]:.1f} %")
figure.savefig(args.pictures / "t_sne.png", dpi=80)

# %% 结果 · the table
head = ["a third of the test digits", "1-NN accuracy, %", "1-NN accuracy on the t-SNE map, %"]
rows = []
for label, accuracies in before.items():
    rows.append([label, lab.spread(accuracies, 1), lab.spread(after[label], 1)])
of_pixels = lab.difference(after["code 32"], after["pixels"], 1)
of_pca = lab.difference(after["code 32"], after["PCA 32"], 1)
sentence = (
    f"On the map, the codes' accuracy differs from the pixels' by {of_pixels} points, "
    f"and from PCA's by {of_pca} points."
)
lab.report(args, "t_sne", head, rows, sentence)
