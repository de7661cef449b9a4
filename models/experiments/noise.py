"""Can a network take noise away that it was trained with, and other noise, too?

The single layer with Dropout(0.5) on its input, a denoising autoencoder (去噪自编码器), beside the
plain one: 50 epochs of Adam and five seeds with a code of 16, 10 epochs and three seeds with one of
1,000. And PCA; the linear map from noisy to clean digits, which has no code at all; and the best one
with a code of 16 (reduced rank regression: PCA of what the former makes).
"""

# %% 准备 · imports and options
import lab

import common

import networks
import numpy as np
from keras.optimizers import Adam
from sklearn.linear_model import LinearRegression

args = lab.parse_options(__doc__)
(x_train, y_train), (x_test, y_test) = common.load_mnist(args.data)
x_train = x_train.reshape(len(x_train), 784)
x_test = x_test.reshape(len(x_test), 784)
rng = np.random.default_rng(0)


# %% 两种噪声 · two kinds of noise
def leave_out_half(x):
    """Return images with half of the pixels black, the others twice as bright, as Dropout(0.5)."""
    kept = rng.random(x.shape) < 0.5
    return (2 * x * kept).astype("float32")


inputs = {
    "clean digits": x_test,
    "half of the pixels": leave_out_half(x_test),
    "normal noise": (x_test + rng.normal(0, 0.3, x_test.shape)).clip(0, 1).astype("float32"),
}

# %% 训练 · train
trained = {}  # label to a training from each seed
for size, epochs, seeds in [(16, 50, args.five_seeds), (1000, 10, args.seeds)]:
    for name, noise in [("plain", 0), ("denoising", 0.5)]:
        label = f"{name}, code {size}"
        trained[label] = []
        for seed in seeds:
            lab.set_seed(seed)
            network = networks.simple(size, noise=noise)
            trained[label].append(lab.train(args, network, x_train, epochs, Adam(0.001)))


# %% 误差：与完整的图片相比 · errors, compared with the clean digits
def error_text(images):
    """Return the mean squared error of images, compared with the clean digits, as text."""
    return f"{np.mean(lab.errors_of(x_test, images)):.5f}"


head = ["MSE against the clean digits"] + [f"input: {name}" for name in inputs]
rows = []
half_as_it_is = inputs["half of the pixels"] / 2
row = ["the input itself (half of the pixels: not brighter)", "–"]
row += [error_text(half_as_it_is), error_text(inputs["normal noise"])]
rows.append(row)
row = ["PCA 16"]
for x in inputs.values():
    pca_imgs = common.pca(x_train, x, 16)[2]
    row.append(error_text(pca_imgs))
rows.append(row)
noisy_train = leave_out_half(x_train)
denoiser = LinearRegression().fit(noisy_train, x_train)
denoised_train = denoiser.predict(noisy_train)
row = ["linear, without a code, trained with half of the pixels"]
row_of_16 = ["linear, code 16, trained with half of the pixels"]
for x in inputs.values():
    denoised = denoiser.predict(x)
    row.append(error_text(denoised.clip(0, 1)))
    of_16 = common.pca(denoised_train, denoised, 16)[2].clip(0, 1)
    row_of_16.append(error_text(of_16))
rows += [row, row_of_16]
errors = {}  # label and input to the errors of all images from each seed
images = {"original": x_test, "half of the pixels": half_as_it_is}
for label, trainings in trained.items():
    row = [label]
    for name, x in inputs.items():
        reconstructed = [lab.reconstruct(training.folder, x) for training in trainings]
        errors[label, name] = [lab.errors_of(x_test, of_seed) for of_seed in reconstructed]
        row.append(lab.spread(np.mean(errors[label, name], axis=1), 5))
        if name == "half of the pixels":
            images[label] = reconstructed[0]
    rows.append(row)

# %% 画图 · draw ten noisy digits, and what the networks make of them
common.plot_rows(images, 10, args.pictures / "noise.png")

# %% 结果 · the table
sentences = []
for size in (16, 1000):
    for name in inputs:
        change = lab.difference_of_images(
            errors[f"denoising, code {size}", name], errors[f"plain, code {size}", name], 5
        )
        sentences.append(f"Code {size}, {name}: training with noise changes the MSE by {change}.")
lab.report(args, "noise", head, rows, "\n".join(sentences))
