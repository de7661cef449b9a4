"""卷积自编码器用于自己的图片 · What does an autoencoder find in images of your own?

    python models/own_images/my_images.py FOLDER

FOLDER 是图片文件夹（包括子文件夹），50 张以上，最好几千张，任何大小的照片、图画。网络学习其中九成，其余留出。结果在
models/my_images/ 中：重建、相似的图片、不寻常的图片、所有图片的分布、编码、误差、网络。

FOLDER has 50 images or more (better some thousands), in subfolders too: photographs, drawings, grey
or in colour, of any size; sample_images.py makes two such folders. A convolutional autoencoder learns
from nine tenths of them; the others are held out, and show how good it is.
What comes out is in models/my_images/: reconstructions, similar images, unusual images, a map of all,
codes, errors, the networks.
"""

# %% 准备 · imports and options
import sys

# 在单元格中，工作目录也可以是项目文件夹 · In cells, you may be in the project's folder, too.
sys.path.append("models/own_images")
import project

import common

import argparse
import math
import tempfile
from pathlib import Path

import image_files
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model
from keras.callbacks import EarlyStopping, ReduceLROnPlateau
from keras.layers import Add, Conv2D, Conv2DTranspose, Cropping2D, Dense, Flatten, ReLU, Reshape
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.neighbors import NearestNeighbors

whole = project.whole_number
parser = argparse.ArgumentParser(description=__doc__)
add = parser.add_argument
add("folder", nargs="?", default="photos", help="图片文件夹 · a folder of images (%(default)s)")
add("--size", type=whole(16, 256), default=64, help="边长，16–256 · pixels a side (%(default)s)")
add("--encoding-dim", type=whole(1), default=64, help="编码的维数 · code size (%(default)s)")
add("--epochs", type=whole(1), default=500, help="最多训练轮数 · epochs at most (%(default)s)")
add("--batch-size", type=whole(1), default=32, help="批量大小 · batch (%(default)s)")
add("--seed", type=whole(0), default=0, help="随机种子 · random seed (%(default)s)")
add("--no-flips", action="store_true", help="不左右翻转 · no mirroring, for letters and digits")
add("--like", help="找与这张图片相似的 · draw what is like this image file")
add("--models", default=project.PROJECT / "models", help="输出文件夹 · where to save (%(default)s)")
add("--load", action="store_true", help="不训练，加载上次的网络 · load the last networks")
add("--go-on", action="store_true", help="加载上次的网络，接着训练 · load them, and train further")
add("--no-show", action="store_true", help="不弹出窗口 · only save the pictures")
# 在单元格中是默认值，可以改，例如 args.folder = "D:/照片"。
# In cells these are the defaults; change them after this cell, such as args.folder = "D:/photos".
args = parser.parse_args(common.command_line(project.FOLDER))

# %% 加载上次的网络，以及它学过哪些图片 · load the last network, and which images it has learnt
folder = Path(args.models) / "my_images"
folder.mkdir(parents=True, exist_ok=True)
# 不能写入，现在就报错 · If the folder cannot be written, it fails now.
tempfile.TemporaryFile(dir=folder).close()
paths = image_files.find_images(Path(args.folder), left_out=folder)
kind_of = {}  # 文件的哈希值：学过或留出 · the hash of a file to "learnt" or "held out"
if args.load or args.go_on:
    loaded_autoencoder = common.load_model("autoencoder", folder)
    with np.load(folder / "learnt.npz") as file:
        size, channels, encoding_dim = file["sizes"].tolist()
        limit = float(file["limit"])
        for file_hash, kind in zip(file["hashes"].tolist(), file["kinds"].tolist(), strict=True):
            kind_of[file_hash] = kind
    print(f"加载 · Loaded: {size} x {size} pixels, {channels} channels, codes of {encoding_dim}")
else:
    size = args.size
    encoding_dim = args.encoding_dim
    channels = image_files.count_channels(paths)  # 1: 灰度 · grey; 3: 彩色 · colours

# %% 读图：取每张图片中间的正方形，缩放到同样大小 · read the middle square of each, in one size
file = folder / "images.npz"
read = image_files.read_images_once(paths, size, channels, file)
images = read["images"]
hashes = [str(file_hash) for file_hash in read["hashes"]]
names = [Path(name).relative_to(args.folder).as_posix() for name in read["names"]]
# 留出十分之一：权重不从它们学，它们只决定何时停止，误差才说明问题。以后一直如此，按文件的哈希值辨认。
# A tenth is held out: no weight is learnt from these, they only say when to stop, so that their
# error tells how good the network is. With --load and --go-on it stays so; an image is known by the
# hash of its file.
new_hashes = []
if not args.load:
    new_hashes = sorted(set(hashes) - set(kind_of))
    np.random.default_rng(args.seed).shuffle(new_hashes)
    for i, new_hash in enumerate(new_hashes):
        kind_of[new_hash] = "held out" if i < len(new_hashes) // 10 else "learnt"
kinds = np.array([kind_of.get(file_hash, "new") for file_hash in hashes])
learnt = np.flatnonzero(kinds == "learnt")
held_out = np.flatnonzero(kinds == "held out")
print(f"学习 · learnt: {len(learnt):,} images; 留出 · held out: {len(held_out):,}", end="; ")
print(f"新的 · new: {np.sum(kinds == 'new'):,}")

# %% PCA：线性的自编码器 · PCA, a linear autoencoder
# IncrementalPCA 一部分一部分地学，占的内存少；每一部分的图片都不少于维数。
# IncrementalPCA learns the images a part at a time, which takes less memory; no part has fewer
# images than there are numbers.
pca_size = min(encoding_dim, len(learnt), images[0].size)
if len(learnt) > 0:
    print("PCA of the learnt images ...", flush=True)
    pca = IncrementalPCA(pca_size)
    for part in np.array_split(learnt, max(1, len(learnt) // max(pca_size, 200))):
        pca.partial_fit(images[part].reshape(len(part), -1) / np.float32(255))

# %% 建立网络 · build the network, and its two parts
keras.utils.set_random_seed(args.seed)
input_img = Input(shape=(size, size, channels))
# 步幅为 2 的卷积使边长减半（奇数向上取整），直到不大于 8，例如 64、32、16、8；通道数加倍。
# Convolutions with strides of 2 halve the sides (odd ones are rounded up) down to 8 or less, such
# as 64, 32, 16, 8; the channels double.
x = input_img
filters = 16
sizes = []
while x.shape[1] > 8:
    sizes.append(x.shape[1])
    x = Conv2D(filters, 3, strides=2, padding="same", activation="relu")(x)
    filters = 2 * filters
shape = x.shape[1:]
# 编码是两部分之和：由像素线性得出的，和由卷积得出的 · The code is a sum: of what follows linearly from
# the pixels, and of what convolutions make of them.
linear_code = Dense(encoding_dim)
other_code = Dense(encoding_dim, kernel_initializer="zeros")
pixels = Flatten()(input_img)
features = Flatten()(x)
encoded = Add()([linear_code(pixels), other_code(features)])

x = Dense(math.prod(shape), activation="relu")(encoded)
x = Reshape(shape)(x)
# 转置卷积使边长加倍；原来是奇数时多出一行一列，裁掉。
# Transposed convolutions double the sides; where a side was odd, a row and a column too many
# are cut off.
for side in reversed(sizes):
    filters = filters // 2
    x = Conv2DTranspose(filters, 3, strides=2, padding="same", activation="relu")(x)
    extra = x.shape[1] - side
    x = Cropping2D(((0, extra), (0, extra)))(x)
# 图片也是两部分之和，裁剪到 0–1 · The image is a sum, too, clipped to 0 .. 1.
linear_image = Dense(images[0].size)
x = Conv2D(channels, 3, padding="same", kernel_initializer="zeros")(x)
x = Add()([Reshape(images[0].shape)(linear_image(encoded)), x])
decoded = ReLU(max_value=1)(x)

autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
decoder = Model(encoded, decoded)
if args.load or args.go_on:
    autoencoder.set_weights(loaded_autoencoder.get_weights())
else:
    # 线性部分从 PCA 开始，其余从 0 开始：训练之前，网络就是 PCA。照片很难比 PCA 好，从别处开始要差得多。
    # The linear part starts as PCA, the rest from 0: before the training the network is PCA. On
    # photographs PCA is hard to surpass, and a network that starts elsewhere is far behind it.
    components = np.zeros((encoding_dim, images[0].size))
    components[:pca_size] = pca.components_
    linear_code.set_weights([components.T, -components @ pca.mean_])
    linear_image.set_weights([components, pca.mean_])
autoencoder.summary()

# %% 编译、训练 · compile and train
train_batches = image_files.Batches(
    images, learnt, args.batch_size, seed=args.seed, flips=not args.no_flips
)
held_out_batches = image_files.Batches(images, held_out)
is_better = False
if not args.load:
    autoencoder.compile(optimizer="adam", loss="mse")
    weights_before = autoencoder.get_weights()
    loss_before = math.inf
    if args.go_on:
        loss_before = autoencoder.evaluate(held_out_batches, verbose=0)
    # 留出图片的损失不再下降：先减小学习率，再停止，取最好的权重。以步数计，图片少时一轮只有几步。
    # Where the loss of the held-out images no longer falls, the rate becomes smaller, and then the
    # training ends, with the best weights. Counted in steps: few images make an epoch of a few.
    patience = max(5, math.ceil(200 / len(train_batches)))
    autoencoder.fit(
        train_batches,
        epochs=args.epochs,
        validation_data=held_out_batches,
        callbacks=[
            EarlyStopping(patience=3 * patience, restore_best_weights=True),
            ReduceLROnPlateau(factor=0.3, patience=patience),
            common.StopOnCtrlC(),  # 按 Ctrl-C 提前结束 · Ctrl-C ends it early
        ],
    )
    loss_after = autoencoder.evaluate(held_out_batches, verbose=0)
    is_better = loss_after < loss_before
    if not is_better:
        autoencoder.set_weights(weights_before)
        kinds[np.isin(hashes, new_hashes)] = "new"
        print(
            "没有变好，保留原来的网络 · It became no better: the networks that were saved before stay"
        )

# %% 所有图片的编码和误差 · the codes and errors of all images
all_batches = image_files.Batches(images, np.arange(len(images)))
codes = encoder.predict(all_batches, verbose=0)
errors = []
for i in range(len(all_batches)):
    x, _ = all_batches[i]
    decoded_imgs = decoder.predict_on_batch(codes[len(errors) : len(errors) + len(x)])
    # 每张图片的 MSE · of each image
    errors.extend(np.mean((decoded_imgs - x) ** 2, axis=(1, 2, 3)))
errors = np.array(errors)
if is_better:
    # 界限：留出的图片中，95% 的误差不超过它 · The error that 95 % of the held-out images do not exceed
    limit = float(np.quantile(errors[kinds == "held out"], 0.95))

# %% 保存 · save
if is_better:
    common.save_model(autoencoder, "autoencoder", folder)
    common.save_model(encoder, "encoder", folder)
    common.save_model(decoder, "decoder", folder)
    # Keras 自己的格式，用 keras.models.load_model 加载，不需要 common。
    # Keras's own format: keras.models.load_model loads it without common.
    encoder.save(folder / "encoder.keras")
    image_files.save_arrays(
        folder / "learnt.npz",
        hashes=list(kind_of),
        kinds=list(kind_of.values()),
        sizes=[size, channels, encoding_dim],
        limit=limit,
    )
image_files.save_arrays(file, **read)
image_files.save_arrays(folder / "codes.npz", names=names, codes=codes, errors=errors, kinds=kinds)
image_files.write_errors(folder / "errors.csv", names, errors, kinds)
print(f"Saved: {folder / 'codes.npz'}, {folder / 'errors.csv'}")


# %% 画图：没有学过的图片的重建 · draw images that were not learnt, and their reconstructions
def draw_reconstructions(numbers, path):
    """Draw images, by their numbers, above their reconstructions; print which they are."""
    decoded_imgs = decoder.predict(codes[numbers], verbose=0)
    originals = []
    reconstructions = []
    for number, decoded_img in zip(numbers, decoded_imgs, strict=True):
        originals.append((images[number], image_files.short_name(names[number])))
        reconstructions.append((decoded_img, f"MSE {errors[number]:.4f}"))
        print(f"  {errors[number]:.4f}, {kinds[number]}: {names[number]}")
    image_files.draw_images([originals, reconstructions], path)


# 随机取几张 · some of them, at random
not_learnt = np.random.default_rng(args.seed).permutation(np.flatnonzero(kinds != "learnt"))
if len(not_learnt) > 0:
    print("\n没有学过的图片的重建 · Reconstructions of images that were not learnt:")
    draw_reconstructions(not_learnt[:10], folder / "reconstructions.png")

# %% 画图：相似的图片，即编码最接近的五张 · draw similar images: the five of nearest code
neighbours = NearestNeighbors().fit(codes)


def row_of_similar(image, name, code):
    """Return a row of a picture: an image, and the five others of the nearest codes; print them."""
    _, nearest = neighbours.kneighbors(code[np.newaxis], n_neighbors=6)
    others = [other for other in nearest[0] if not np.array_equal(images[other], image)][:5]
    row = [(image, image_files.short_name(name))]
    print(f"\n相似的图片 · Similar to {name}:")
    for other in others:
        row.append((images[other], image_files.short_name(names[other])))
        print(f"  {names[other]}")
    return row


rows = []
if args.like:
    image = image_files.read_image(args.like, size, channels)
    code = encoder.predict(image[np.newaxis] / np.float32(255), verbose=0)[0]
    rows.append(row_of_similar(image, Path(args.like).name, code))
else:
    for number in not_learnt[:6]:
        rows.append(row_of_similar(images[number], names[number], codes[number]))
if rows:
    image_files.draw_images(rows, folder / "similar.png")

# %% 画图：所有图片，按编码的 PCA 排列 · draw all images on a map, by two axes of PCA of the codes
image_files.draw_map(PCA(2).fit_transform(codes), images, folder / "map.png")

# %% 画图：误差最大的图片 · draw unusual images: those with the largest errors
print(f"\n界限 {limit:.4f}，留出图片的误差有 95% 不超过它 · Errors above this limit:")
for kind in ("learnt", "held out", "new"):
    above = np.sum(errors[kinds == kind] > limit)
    print(f"  {above:,} of {np.sum(kinds == kind):,} images: {kind}")
print("误差最大的十张 · The ten largest errors:")
draw_reconstructions(np.argsort(errors)[::-1][:10], folder / "unusual.png")

# %% 表格：留出图片的误差，与简单得多的方法比较 · the table: errors of held-out images, beside simpler ways
# PCA 和平均图片也只从学过的图片得出 · PCA and the mean image come from the learnt images alone, too.
if len(held_out) > 0 and len(learnt) > 0:
    mean_image = images[learnt].mean(axis=0) / 255
    squares = {"autoencoder": errors[held_out], f"PCA {pca_size}": [], "mean image": []}
    squares["mean colour"] = []
    for i in range(len(held_out_batches)):
        x, _ = held_out_batches[i]
        flat = x.reshape(len(x), -1)
        # 像网络的图片一样裁剪到 0–1 · clipped to 0 .. 1, as the network's images
        pca_codes = pca.transform(flat)
        pca_imgs = pca.inverse_transform(pca_codes).clip(0, 1).reshape(x.shape)
        squares[f"PCA {pca_size}"].extend(np.mean((pca_imgs - x) ** 2, axis=(1, 2, 3)))
        squares["mean image"].extend(np.mean((mean_image - x) ** 2, axis=(1, 2, 3)))
        squares["mean colour"].extend(np.var(x, axis=(1, 2)).mean(axis=1))
    title = f"{len(held_out):,} held-out images"
    print(f"\n{title:22}     code      MSE")
    code_sizes = [encoding_dim, pca_size, 0, channels]
    means = {label: np.mean(values) for label, values in squares.items()}
    for (label, mean), code_size in zip(means.items(), code_sizes, strict=True):
        print(f"{label:22}{code_size:9}{mean:9.5f}")
    if means["autoencoder"] > 0.95 * means["mean colour"]:
        print("不比平均颜色好：几乎没学到东西 · It is no better than the mean colours")
    elif means["autoencoder"] > means[f"PCA {pca_size}"]:
        print("比平均颜色好，不如 PCA · It is better than the mean colours; PCA is better here")
    else:
        print("比 PCA 好 · It is better than PCA")

# %% 显示图片 · show the pictures
if not args.no_show:
    plt.show()
