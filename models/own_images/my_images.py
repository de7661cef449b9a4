"""What does an autoencoder find in images of your own?

    python models/own_images/my_images.py FOLDER

FOLDER has 50 images or more (better some thousands), in subfolders too: photographs, drawings, grey
or in colour, of any size; sample_images.py makes two such folders. A convolutional autoencoder
(卷积自编码器) learns from nine tenths of them. What comes out is in models/my_images/:
reconstructions, similar images, unusual images, all codes, the networks.
"""

# %% 准备 · imports and options
import project

import common

import argparse
import math
from pathlib import Path

import image_files
import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import Input, Model
from keras.callbacks import EarlyStopping
from keras.layers import Conv2D, Conv2DTranspose, Cropping2D, Dense, Flatten, Reshape
from sklearn.decomposition import IncrementalPCA
from sklearn.neighbors import NearestNeighbors

parser = argparse.ArgumentParser(description=__doc__)
add = parser.add_argument
add("folder", nargs="?", default="photos", help="图片文件夹 · a folder of images (%(default)s)")
add("--size", type=int, default=64, help="边长，16 到 256 · pixels a side, 16 to 256 (%(default)s)")
add("--encoding-dim", type=int, default=64, help="编码的维数 · code size (%(default)s)")
add("--epochs", type=int, default=200, help="最多训练轮数 · epochs at most (%(default)s)")
add("--batch-size", type=int, default=32, help="批量大小 · batch (%(default)s)")
add("--seed", type=int, default=0, help="随机种子 · random seed (%(default)s)")
add("--models", default=project.PROJECT / "models", help="输出文件夹 · where to save (%(default)s)")
add("--load", action="store_true", help="不训练，加载上次的网络 · load the last networks")
add("--go-on", action="store_true", help="加载上次的网络，接着训练 · load them, and train further")
add("--no-show", action="store_true", help="不弹出窗口 · only save the pictures")
# 在单元格中是默认值，可以改，例如 args.folder = "D:/照片"。
# In cells these are the defaults; change them after this cell, such as args.folder = "D:/photos".
args = parser.parse_args(common.command_line(project.FOLDER))

# %% 读图：取每张图片中间的正方形，缩放到同样大小 · read the middle square of each, in one size
# 图片存进一个文件，训练时一批一批地读，图片再多也不占更多内存。
# The images go into a file, from which the training reads a batch at a time: many images take
# no more memory than few.
folder = Path(args.models) / "my_images"
folder.mkdir(parents=True, exist_ok=True)
file = folder / "images.npy"
size = args.size
encoding_dim = args.encoding_dim
# 通道数由图片决定：1 是灰度，3 是彩色 · As the images have them: 1 for grey, 3 for colour.
channels = None
if args.load or args.go_on:
    # 用上次的网络，大小、通道数和编码维数也是它的 · The last network, with its sizes.
    loaded_autoencoder = common.load_model("autoencoder", folder)
    loaded_encoder = common.load_model("encoder", folder)
    size = loaded_encoder.input_shape[1]
    channels = loaded_encoder.input_shape[3]
    encoding_dim = loaded_encoder.output_shape[1]
names, channels = image_files.read_folder(Path(args.folder), size, file, channels)

# 留出十分之一作验证：网络没有学过它们，在它们上面的误差才说明问题。
# A tenth is kept apart for validation: the network does not learn from these, so that their
# error tells how good it is.
shuffled = np.random.default_rng(args.seed).permutation(len(names))
held_out = shuffled[: len(names) // 10]
learnt = shuffled[len(names) // 10 :]
train_batches = image_files.Batches(file, learnt, args.batch_size, args.seed)
validation_batches = image_files.Batches(file, held_out)
all_batches = image_files.Batches(file, np.arange(len(names)))
print(f"{len(learnt):,} images to train, {len(held_out):,} to validate, {channels} channels")

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
# 编码没有激活函数，也可以小于 0 · The code has no activation, so that numbers may be below 0.
encoded = Dense(encoding_dim)(Flatten()(x))

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
decoded = Conv2D(channels, 3, padding="same", activation="sigmoid")(x)

autoencoder = Model(input_img, decoded)
encoder = Model(input_img, encoded)
decoder = Model(encoded, decoded)
if args.load or args.go_on:
    autoencoder.set_weights(loaded_autoencoder.get_weights())
autoencoder.summary()

# %% 编译、训练、保存 · compile, train and save
if not args.load:
    # 图片大半是黑色时，用均方误差可能停在全黑的图片上；二元交叉熵不会。
    # 照片的像素多在 0 和 1 之间，损失会停在 0.5 到 0.6 左右，这是正常的；好坏看最后表格中的 MSE。
    # Where images are mostly black, the squared error may get stuck at black images; cross-entropy
    # does not. For photographs it stays near 0.5 or 0.6, since their pixels are neither 0 nor 1:
    # how good the network is, the MSE in the last table tells.
    autoencoder.compile(optimizer="adam", loss="binary_crossentropy")
    # 接着训练时优化器从头开始，权重接着训练；训练之后没有变好，就不保存。
    # If it is trained further, the optimizer begins anew, and the weights go on; they are saved
    # only if they became better.
    weights_before = autoencoder.get_weights()
    loss_before = math.inf
    if args.go_on:
        loss_before = autoencoder.evaluate(validation_batches, verbose=0)
    # 验证损失 10 轮不再下降就停止，取损失最小时的权重。
    # It stops when the validation loss has not fallen for 10 epochs, and takes the best weights.
    stopping = EarlyStopping("val_loss", patience=10, restore_best_weights=True)
    autoencoder.fit(
        train_batches,
        epochs=args.epochs,
        validation_data=validation_batches,
        callbacks=[stopping, common.StopOnCtrlC()],  # 按 Ctrl-C 提前结束 · Ctrl-C ends it early
    )
    loss_after = autoencoder.evaluate(validation_batches, verbose=0)
    if loss_after < loss_before:
        common.save_model(autoencoder, "autoencoder", folder)
        common.save_model(encoder, "encoder", folder)
        common.save_model(decoder, "decoder", folder)
        # Keras 自己的格式，用 keras.models.load_model 加载，不需要 common。
        # Keras's own format: keras.models.load_model loads it without common.
        encoder.save(folder / "encoder.keras")
    else:
        autoencoder.set_weights(weights_before)
        print("It became no better, and what was saved before stays")

# %% 所有图片的编码和误差 · the codes and errors of all images
codes = []
errors = []
for i in range(len(all_batches)):
    x, _ = all_batches[i]
    batch_codes = encoder.predict_on_batch(x)
    difference = decoder.predict_on_batch(batch_codes) - x
    codes.append(batch_codes)
    errors.append(np.mean(difference**2, axis=(1, 2, 3)))  # 每张图片的均方误差 · the MSE of each
codes = np.concatenate(codes)
errors = np.concatenate(errors)
is_held_out = np.isin(np.arange(len(names)), held_out)
np.savez(folder / "codes.npz", names=names, codes=codes, errors=errors, held_out=is_held_out)
print(f"Saved: {folder / 'codes.npz'}")


# %% 画图：没有学过的图片的重建 · draw images that were not learnt, and their reconstructions
# 图片上方是它在 names 中的序号 · The number above an image is its place in `names`.
def draw_reconstructions(numbers, path):
    """Draw images, by their numbers, above their reconstructions."""
    x = image_files.load_images(file, numbers)
    decoded_imgs = autoencoder.predict_on_batch(x)
    originals = []
    reconstructions = []
    for number, image, decoded_img in zip(numbers, x, decoded_imgs, strict=True):
        originals.append((image, f"{number}"))
        reconstructions.append((decoded_img, f"MSE {errors[number]:.4f}"))
    image_files.draw_images([originals, reconstructions], path)


draw_reconstructions(held_out[:10], folder / "reconstructions.png")

# %% 画图：相似的图片，即编码最接近的五张 · draw similar images: the five of nearest code
neighbours = NearestNeighbors(n_neighbors=6).fit(codes)
_, nearest = neighbours.kneighbors(codes[held_out[:8]])
rows = []
for number, similar in zip(held_out[:8], nearest, strict=True):
    others = [other for other in similar if other != number]
    shown_numbers = [number] + others[:5]
    shown_imgs = image_files.load_images(file, shown_numbers)
    rows.append([(image, f"{i}") for i, image in zip(shown_numbers, shown_imgs, strict=True)])
    print(f"\nSimilar to {number}, {names[number]}:")
    for other in others[:5]:
        print(f"  {other}, {names[other]}")
image_files.draw_images(rows, folder / "similar.png")

# %% 画图：误差最大的图片 · draw unusual images: those with the largest errors
# 界限是验证图片误差的 95% 分位数：没有学过的图片中，大约每 100 张有 5 张超过它。
# The limit is the 95 % quantile of the validation images' errors: of 100 images that were not
# learnt, about 5 exceed it.
limit = np.quantile(errors[held_out], 0.95)
print(f"\nErrors above {limit:.4f}, which 95 % of the validation images do not exceed:")
print(f"  {np.sum(errors[held_out] > limit):,} of {len(held_out):,} validation images")
print(f"  {np.sum(errors[learnt] > limit):,} of {len(learnt):,} images that were learnt")
print("The ten largest errors:")
largest = np.argsort(errors)[::-1][:10]
for number in largest:
    mark = "learnt"
    if number in held_out:
        mark = "not learnt"
    print(f"  {errors[number]:.4f}, {mark}: {number}, {names[number]}")
draw_reconstructions(largest, folder / "unusual.png")

# %% 表格：验证误差，与简单得多的方法比较 · the table: validation errors, beside simpler ways
# 网络、PCA 和平均图片只从训练图片得出。IncrementalPCA 一部分一部分地学，不必读入全部图片。
# The network, PCA and the mean image come from the training images alone. IncrementalPCA learns
# them a part at a time.
pca_size = min(codes.shape[1], len(learnt), size**2 * channels)
pca = IncrementalPCA(pca_size)
sums = np.zeros((size, size, channels))
step = max(pca_size, 100)
for first in range(0, len(learnt), step):
    x = image_files.load_images(file, learnt[first : first + step])
    sums += x.sum(axis=0)
    if len(x) >= pca_size:  # a last batch with fewer images would be an error
        pca.partial_fit(x.reshape(len(x), -1))
mean_image = sums / len(learnt)
squares = {f"PCA {pca_size}": [], "mean image": [], "mean colour": []}
for i in range(len(validation_batches)):
    x, _ = validation_batches[i]
    flat = x.reshape(len(x), -1)
    guesses = {
        f"PCA {pca_size}": pca.inverse_transform(pca.transform(flat)).reshape(x.shape),
        "mean image": mean_image,
        "mean colour": x.mean(axis=(1, 2), keepdims=True),
    }
    for label, guess in guesses.items():
        squares[label].extend(np.mean((guess - x) ** 2, axis=(1, 2, 3)))
count = f"{len(held_out):,} validation images"
print(f"\n{count:22}     code      MSE")
code_sizes = {"autoencoder": codes.shape[1], f"PCA {pca_size}": pca_size, "mean image": 0}
code_sizes["mean colour"] = channels
squares["autoencoder"] = errors[held_out]
for label in ("autoencoder", f"PCA {pca_size}", "mean image", "mean colour"):
    print(f"{label:22}{code_sizes[label]:9}{np.mean(squares[label]):9.5f}")

# %% 显示图片 · show the pictures
if not args.no_show:
    plt.show()
