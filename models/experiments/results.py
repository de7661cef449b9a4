"""What do the three networks reach, with either optimizer, and how do their pictures look?

Each training is looked at after several epochs. The single layer is trained from five seeds, the
others from three; from the first of these longer, to see what more epochs bring. Adadelta at 0.001, Keras's rate of today, is that of the post's
'adadelta'.
"""

# %% 准备 · imports and options
import lab

import common

import keras
import networks
import numpy as np
from keras.optimizers import Adadelta, Adam

args = lab.parse_options(__doc__)
digits = common.load_mnist(args.data)
(x_train, y_train), (x_test, y_test) = digits
flat_train = x_train.reshape(len(x_train), 784)
flat_test = x_test.reshape(len(x_test), 784)
map_train = x_train.reshape(len(x_train), 28, 28, 1)
map_test = x_test.reshape(len(x_test), 28, 28, 1)


# %% 训练三个网络 · train the three networks
def train(build, x, x_valid, batch_size, seeds, optimizer, rate, epochs, longer=None):
    """Train a network from each seed, and return the trainings.

    `epochs`: those after which a network is looked at; `longer`: and this one, from the first seed.
    """
    trainings = []
    for seed in seeds:
        after = list(epochs)
        if longer is not None and seed == seeds[0]:
            after.append(longer)
        lab.set_seed(seed)
        network = build()
        training = lab.train(
            args,
            network,
            x,
            after[-1],
            optimizer(rate),
            batch_size,
            x_valid=x_valid,
            after=after,
        )
        trainings.append(training)
    return trainings


trained = {}  # name and optimizer to a training from each seed
for optimizer, rate, longer in [(Adadelta, 0.001, None), (Adadelta, 1.0, 200), (Adam, 0.001, 200)]:
    trained["simple", f"{optimizer.__name__} {rate}"] = train(
        networks.simple,
        flat_train,
        flat_test,
        256,
        args.five_seeds,
        optimizer,
        rate,
        [1, 10, 50],
        longer,
    )
for optimizer, rate in [(Adadelta, 1.0), (Adam, 0.0015)]:
    trained["deep", f"{optimizer.__name__} {rate}"] = train(
        networks.deep, flat_train, flat_test, 256, args.seeds, optimizer, rate, [1, 10, 50], 200
    )
for optimizer, rate, longer in [(Adadelta, 1.0, None), (Adam, 0.005, 50)]:
    trained["conv", f"{optimizer.__name__} {rate}"] = train(
        networks.conv, map_train, map_test, 128, args.seeds, optimizer, rate, [1, 10], longer
    )

# %% 误差和准确率，与 PCA 比较 · errors and accuracies, compared with PCA's
all_pca = {size: lab.measure_pca(size, digits) for size in (16, 32, 64, 128)}
head = ["network", "optimizer", "epochs", "seeds", "cross-entropy", "MSE", "784 × MSE"]
head += ["difference from PCA's MSE", "1-NN accuracy, %", "difference from PCA's, points"]
rows = []
figures = {}  # name, optimizer, epochs to the figures from each seed


def row_of(name, optimizer, epochs, of_seeds):
    """Return a row of the table, of the figures from each seed."""
    size = of_seeds[0].size
    pca = [all_pca[size]]
    errors = np.array([x.mse for x in of_seeds])
    return [
        f"{name}, code {size}",
        optimizer,
        str(epochs),
        str(len(of_seeds)),
        lab.spread([x.cross_entropy for x in of_seeds], 4),
        lab.spread(errors, 5),
        lab.spread(784 * errors, 2),
        lab.error_difference(of_seeds, pca),
        lab.spread([x.accuracy for x in of_seeds], 1),
        lab.accuracy_difference(of_seeds, pca),
    ]


def measure_second_split(folder):
    """Return the figures of the deep network that is split one layer earlier, as in the post."""
    encoder = common.load_model("encoder", folder)
    earlier = keras.Sequential(encoder.layers[:-1])
    codes_train = earlier.predict(flat_train, batch_size=1000, verbose=0)
    codes_test = earlier.predict(flat_test, batch_size=1000, verbose=0)
    return lab.figures_of(codes_train, codes_test, lab.reconstruct(folder, flat_test), digits)


for (name, optimizer), trainings in trained.items():
    for epochs in trainings[0].folders:
        of_seeds = []
        for training in trainings:
            if epochs in training.folders:  # 最长的只有一个种子 · the longest: of one seed
                of_seeds.append(lab.measure(training.folders[epochs], digits))
        figures[name, optimizer, epochs] = of_seeds
        rows.append(row_of(name, optimizer, epochs, of_seeds))
        if name == "deep" and epochs == 50:
            of_seeds = [measure_second_split(training.folders[epochs]) for training in trainings]
            row = row_of("deep, second split", optimizer, epochs, of_seeds)
            row[7] = "–"  # 图片仍由 32 个数重建 · the images still come from 32 numbers
            rows.append(row)
for size, pca in all_pca.items():
    row = [f"PCA, code {size}", "–", "–", "–", f"{pca.cross_entropy:.4f}", f"{pca.mse:.5f}"]
    row += [f"{784 * pca.mse:.2f}", "–", f"{pca.accuracy:.1f}", "–"]
    rows.append(row)

# %% 画图，种子为 0 · draw the images, from seed 0
x_maps = {"simple": flat_test, "deep": flat_test, "conv": map_test}
for name, x in x_maps.items():
    images = {"original": x}
    for (trained_name, optimizer), trainings in trained.items():
        if trained_name != name:
            continue
        for epochs, folder in trainings[0].folders.items():
            label = f"{optimizer}\n{epochs} epochs"
            images[label] = lab.reconstruct(folder, x[:10])
    common.plot_rows(images, 10, args.pictures / f"{name}_images.png")

folder = trained["simple", "Adadelta 1.0"][0].folders.get(50)
if folder is not None:  # not with --quick
    codes = lab.encode(folder, flat_test[:12])
    images = {"original": flat_test, "code": codes, "reconstruction": lab.decode(folder, codes)}
    path = args.pictures / "simple_reconstructions_adadelta_50.png"
    common.plot_rows(images, 12, path, red_blue=["code"])

# %% 结果 · the table
lower_bound = common.cross_entropy(x_test, x_test)
grey = -np.log(0.5)
sentences = [f"Lower bound of the cross-entropy: {lower_bound:.4f}; all grey: {grey:.4f}."]
for name, of_adam in [("simple", "Adam 0.001"), ("deep", "Adam 0.0015"), ("conv", "Adam 0.005")]:
    for epochs in (1, 10, 50):
        if (name, "Adadelta 1.0", epochs) in figures:  # 没有 · not 50 epochs of conv
            adam = figures[name, of_adam, epochs]
            change = lab.error_difference(adam, figures[name, "Adadelta 1.0", epochs])
            sentences.append(f"Adam changes the MSE of {name}, epochs: {epochs}, by {change}.")
lab.report(args, "results", head, rows, "\n".join(sentences))
